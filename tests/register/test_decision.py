"""Reasons as they are kept: a few readable words on one line, without anybody's number."""

from __future__ import annotations

import pytest

from five_precisions.errors import UsageError
from five_precisions.register.decision import LONGEST_REASON, readable, reason_of

WHY = "A month is restated for a reason"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  台风\n“艾云尼” \t来了 ", "台风 “艾云尼” 来了"),
        ("\u3000更正\u3000", "更正"),
        ("账户6222021234567890123", "账户6222***********0123"),
        ("?", "?"),
        ("理" * LONGEST_REASON + "  ", "理" * LONGEST_REASON),
        ("𠮷", "𠮷"),
    ],
)
def test_a_reason_is_kept_on_one_line(given: str, kept: str) -> None:
    assert reason_of(given, WHY) == kept


@pytest.mark.parametrize("given", ["", " \n\u3000", "\u200b\ufeff"])
def test_what_says_nothing_is_no_reason(given: str) -> None:
    with pytest.raises(UsageError, match=r"^A month is restated for a reason; give it in a few words\.$"):
        reason_of(given, WHY)


def test_a_long_reason_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^The reason has 501 characters; 500 are enough\.$"):
        reason_of("x" * (LONGEST_REASON + 1), WHY)


@pytest.mark.parametrize(("given", "named"), [("a\x00", "U+0000"), ("\x1b[31m", "U+001B"), ("\x85", "U+0085")])
def test_a_control_character_is_refused(given: str, named: str) -> None:
    with pytest.raises(UsageError, match="The reason holds the control character " + named.replace("+", r"\+")):
        reason_of(f"好{given}", WHY)


def test_half_of_a_character_is_refused() -> None:
    with pytest.raises(UsageError, match=r"U\+DCFF"):
        reason_of("好\udcff", WHY)


def test_a_remark_may_go_over_several_lines() -> None:
    assert readable("第一行\n第二行\t完\r\n", "The remark") == "第一行\n第二行\t完\r\n"
    with pytest.raises(UsageError, match=r"^The remark holds the control character U\+0000; take it out\.$"):
        readable("第一行\x00", "The remark")
