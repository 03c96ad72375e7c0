"""What ops write into the form of a restatement: nonsense is refused by the form, and by the task behind it."""

from __future__ import annotations

from typing import Any

import pytest

from five_precisions.errors import UsageError
from five_precisions.register.decision import LONGEST_REASON


@pytest.mark.parametrize(
    "period",
    [
        "",
        "2019",
        "2019-13",
        "2019-01\n",
        "0001-01",
        "1999-12",
        "9999-12",
        "３０１９-０１",
        "２０１９-０１",
        201901,
        None,
    ],
)
def test_the_form_takes_a_month_only(period: object) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    from five_precisions.orchestration.restatement import request_params

    asked = request_params()["period"]
    assert asked.resolve("2019-01") == "2019-01"
    with pytest.raises(ParamValidationError):
        asked.resolve(period)


@pytest.mark.parametrize("reason", ["", " \n", "x" * (LONGEST_REASON + 1), None])
def test_the_form_takes_a_reason_of_some_length(reason: object) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    from five_precisions.orchestration.restatement import request_params

    asked = request_params()["reason"]
    assert asked.resolve("更正") == "更正"
    with pytest.raises(ParamValidationError):
        asked.resolve(reason)


def asked_for(reason: str, period: str = "2019-01") -> Any:
    return {"params": {"reason": reason, "period": period}}


def test_the_approver_is_shown_the_reason_as_it_is_kept() -> None:
    from five_precisions.orchestration.restatement import requested_reason

    assert requested_reason(asked_for("账户6222021234567890123\n更正")) == "账户6222***********0123 更正"
    for nonsense in ("\u200b", "nul\x00", "half \udcff", "x" * 501):
        with pytest.raises(UsageError):
            requested_reason(asked_for(nonsense))


@pytest.mark.parametrize("period", ["2019-13", "0001-01", "9999-12", "\x00", "x" * 100_000])
def test_the_month_is_read_as_everywhere(period: str) -> None:
    from five_precisions.orchestration.restatement import requested_month

    with pytest.raises(UsageError, match="is not a period; write a month as YYYY-MM"):
        requested_month(asked_for("更正", period))
