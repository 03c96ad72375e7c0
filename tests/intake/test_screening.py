"""Screening never says that a rule holds where Great Expectations does not (docs/performance.md)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from five_precisions.intake.judging import judge_package
from five_precisions.intake.rules import validation
from five_precisions.intake.rules.library import batch_definition, great_expectations_library
from five_precisions.intake.rules.screening import Screening
from five_precisions.intake.rules.suites import load_suite
from five_precisions.intake.ruleset import Ruleset
from five_precisions.register import Register
from five_precisions.reports import load_reports
from tests.intake.test_rules import CASES, judge_rows, owner_of
from tests.packages import Cells, declared, sound, sound_package

pytestmark = pytest.mark.slow

ROWS = 150
PARAMETERS: Mapping[str, Any] = {
    "towns": ["440901", "农户", "企业"],
    "first": pd.Timestamp(2019, 1, 1),
    "last": pd.Timestamp(2019, 6, 30),
    "forms": ["^[0-9]{3}", "户$"],
}
"""What the drawn expectations name as `{"$PARAMETER": name}`."""

TEXTS = st.sampled_from(["农户", "企业", "440901", "0662-1", "", " ", "a\nb", "１２", "农户\n", "é"]) | st.text(
    max_size=4
)
DECIMALS = st.decimals(-9, 9, places=2) | st.sampled_from([Decimal("5.00"), Decimal("0.1"), Decimal("1E+2")])
DAYS = st.dates(date(2018, 12, 1), date(2019, 8, 1)) | st.sampled_from([date(1900, 1, 1), date(9999, 12, 31)])
WHOLE = st.integers(-3, 6) | st.sampled_from([10**15, 2**63 - 1])
FOREIGN = TEXTS | DECIMALS | st.booleans() | st.integers(-3, 6) | st.floats(allow_nan=False)
STORAGES: Mapping[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "decimal": DECIMALS,
    "day": DAYS,
    "whole": WHOLE,
    "truth": st.booleans(),
    "whole object": st.integers(-3, 6),
    "mixed": FOREIGN,
    "float": st.floats(allow_nan=False),
    "nothing": st.none(),
}
COLUMNS = ("key", "a", "b", "c", "d")
CONDITION_VALUES = st.sampled_from(["农户", "企业", "440901", "it's", "a`b", True, False, 0, 1, 5])
OTHERS_OF_A_KIND = {str: ["企业", "0662-1"], int: [2]}
"""The library takes a list of one kind only."""
SETS = st.one_of(
    st.lists(TEXTS, max_size=4),
    st.lists(st.integers(-3, 6), max_size=4),
    st.lists(st.booleans(), max_size=2),
    st.lists(FOREIGN.filter(lambda each: not isinstance(each, Decimal)), max_size=4),
    st.just({"$PARAMETER": "towns"}),
)
BOUNDS = st.one_of(
    st.integers(-3, 6),
    st.floats(-9, 9, allow_nan=False),
    st.sampled_from([{"$PARAMETER": "first"}, {"$PARAMETER": "last"}, "2019-03-01", "5"]),
)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """A frame of a few rows, each column in one of the storages, with holes."""
    count = draw(st.integers(1, 6))
    columns: dict[str, Any] = {"row": pd.Series(range(count), dtype="int64")}
    for name in COLUMNS:
        storage = draw(st.sampled_from([*STORAGES]))
        value = STORAGES[storage]
        cells = draw(st.lists(value if draw(st.booleans()) else st.none() | value, min_size=count, max_size=count))
        match storage:
            case "day":
                columns[name] = pd.Series(np.array(cells, dtype="datetime64[D]").astype("datetime64[s]"))
            case "whole":
                columns[name] = pd.Series(cells, dtype="Int64")
            case "float":
                columns[name] = pd.Series(cells, dtype="float64")
            case _:
                columns[name] = pd.Series(cells, dtype="object")
    return pd.DataFrame(columns)


@st.composite
def expectations(draw: st.DrawFn) -> dict[str, Any]:
    """An expectation of a type that the suites use, or of one that screening does not know."""
    column = st.sampled_from(COLUMNS)
    kwargs: dict[str, Any] = {"column": draw(column)}
    kind = draw(
        st.sampled_from(
            [
                "expect_column_values_to_not_be_null",
                "expect_column_values_to_be_null",
                "expect_column_values_to_be_unique",
                "expect_column_values_to_be_in_set",
                "expect_column_values_to_not_be_in_set",
                "expect_column_values_to_be_between",
                "expect_column_values_to_match_regex",
                "expect_column_values_to_match_regex_list",
                "expect_column_pair_values_a_to_be_greater_than_b",
                "expect_column_value_lengths_to_be_between",
            ]
        )
    )
    match kind:
        case "expect_column_values_to_be_in_set" | "expect_column_values_to_not_be_in_set":
            kwargs["value_set"] = draw(SETS)
        case "expect_column_values_to_be_between":
            kwargs |= draw(st.sampled_from([{"max_value": draw(BOUNDS)}, {"min_value": draw(BOUNDS)}]))
            kwargs |= draw(st.sampled_from([{}, {"max_value": draw(BOUNDS)}]))
            kwargs |= draw(st.sampled_from([{}, {}, {"strict_min": True}, {"strict_max": True}]))
        case "expect_column_values_to_match_regex":
            kwargs["regex"] = draw(st.sampled_from(["^[0-9]+$", "户", r"^\w+$", "(a)(b)?", r"\d"]))
        case "expect_column_values_to_match_regex_list":
            kwargs["regex_list"] = draw(st.sampled_from([{"$PARAMETER": "forms"}, ["户", "^$"], [r"\d"]]))
            kwargs["match_on"] = draw(st.sampled_from(["any", "any", "all"]))
        case "expect_column_pair_values_a_to_be_greater_than_b":
            either = st.sampled_from(["either_value_is_missing"] * 3 + ["both_values_are_missing", "neither"])
            kwargs = {"column_A": draw(column), "column_B": draw(column), "or_equal": draw(st.booleans())}
            kwargs["ignore_row_if"] = draw(either)
        case "expect_column_value_lengths_to_be_between":
            kwargs["max_value"] = 3
    if draw(st.booleans()):
        parameter = draw(CONDITION_VALUES)
        # The library takes no list of truth values.
        operator = draw(st.sampled_from(["==", "!="] if isinstance(parameter, bool) else ["==", "==", "IN", "!="]))
        kwargs["row_condition"] = {
            "type": "comparison",
            "column": {"name": draw(column)},
            "operator": operator,
            "parameter": [parameter, *OTHERS_OF_A_KIND[type(parameter)]] if operator == "IN" else parameter,
        }
    if draw(st.integers(0, 9)) == 0 and "column" in kwargs:
        kwargs["mostly"] = 0.5
    return {"type": kind, "kwargs": kwargs, "severity": "critical"}


def answers_of_the_library(frame: pd.DataFrame, chosen: list[dict[str, Any]]) -> list[tuple[bool, set[int]] | None]:
    """Of each expectation: whether it holds, and the rows that break it; None where the library raises."""
    gx = great_expectations_library()
    numbered = [{**each, "meta": {"number": number}} for number, each in enumerate(chosen)]
    batch = batch_definition().get_batch(batch_parameters={"dataframe": frame})
    with warnings.catch_warnings():
        # Of groups in a form; a warning is an error in tests, and the library would take it for one of the rule.
        warnings.simplefilter("ignore")
        outcome = batch.validate(
            gx.ExpectationSuite(name="drawn", expectations=numbered),
            expectation_parameters=dict(PARAMETERS),
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["row"]},
        )
    found: list[tuple[bool, set[int]] | None] = [None] * len(chosen)
    for result in outcome.results:
        rows = result.result.get("unexpected_index_list")
        if rows is not None:
            number = result.expectation_config.meta["number"]
            found[number] = (bool(result.success), {int(row["row"]) for row in rows})
    return found


# Shrinking asks the library hundreds of times; what is drawn is small as it is.
@settings(max_examples=25, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(frames(), st.lists(expectations(), min_size=12, max_size=12))
def test_what_screening_vouches_for_great_expectations_finds_nothing_in(
    frame: pd.DataFrame, chosen: list[dict[str, Any]]
) -> None:
    screening = Screening(frame, PARAMETERS)
    doubts = [set(map(int, np.flatnonzero(screening.rows_in_doubt(each)))) for each in chosen]
    for expectation, doubted, answer in zip(chosen, doubts, answers_of_the_library(frame, chosen), strict=True):
        if answer is None:
            assert doubted == set(range(len(frame))), expectation
        else:
            assert answer[1] <= doubted, expectation
            assert answer[0] or doubted, expectation


@pytest.mark.parametrize("report", load_reports())
def test_no_rule_of_a_sound_report_is_left_to_the_library(report: str, ruleset: Ruleset, register: Register) -> None:
    judged = judge_package(sound_package(report), owner_of(report, register), ruleset)
    assert [(each.report, each.validated) for each in judged.reports] == [(report, ())]


def rows_of_all_cases(report: str) -> list[Cells]:
    """Rows of the values that the cases of the rules have, mixed by chance."""
    cases = [row for case in CASES if case.report == report for row in case.rows]
    draws = Random(report)
    return [{name: draws.choice(cases)[name] for name in cases[0]} for _ in range(ROWS)]


@pytest.mark.parametrize("report", load_reports())
def test_screened_or_not_the_findings_are_the_same(report: str, ruleset: Ruleset) -> None:
    rows = rows_of_all_cases(report)
    screened = judge_rows(report, rows, ruleset)
    validated = judge_rows(report, rows, replace(ruleset, validate_all=True))
    assert {finding.rule for finding in screened.findings} - {"F03"}
    assert screened.findings == validated.findings
    (first,), (second,) = screened.reports, validated.reports
    assert second.validated == tuple(range(len(load_suite(declared(report)).rules)))
    assert set(first.validated or ()) <= set(second.validated)


def test_texts_in_doubt_are_matched_by_the_engine_that_has_matched_all() -> None:
    """With a line feed in the column `$` is asked of Python's engine, whose digits are wide ones too."""
    texts = pd.Series(["12\n", "１２", "x"], dtype="object")
    frame = pd.DataFrame({"row": range(3), "a": texts})
    whole = {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "a", "regex": r"^\D?\d*$"}}
    doubted = Screening(frame, PARAMETERS).rows_in_doubt(whole)
    assert doubted.tolist() == [False] * 3
    strict = {**whole, "kwargs": {"column": "a", "regex": r"^\d+$"}}
    assert Screening(frame, PARAMETERS).rows_in_doubt(strict).tolist() == [True, False, True]
    shown = frame[Screening(frame, PARAMETERS).rows_in_doubt(strict)]
    assert answers_of_the_library(frame, [strict]) == answers_of_the_library(shown, [strict]) == [(False, {2})]


def test_only_rows_in_doubt_are_shown_to_the_library(ruleset: Ruleset, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[int] = []
    evaluate = validation._unexpected

    def counting(frame: pd.DataFrame, *rest: Any) -> dict[int, list[int]]:
        shown.append(len(frame))
        return evaluate(frame, *rest)

    monkeypatch.setattr(validation, "_unexpected", counting)
    rows = [sound("loans", contract_no=f"HT-{number}") for number in range(40)]
    rows[7] = sound("loans", contract_no="HT-7", balance="50000.01")
    rows[30] = sound("loans", contract_no="HT-5")
    found = judge_rows("loans", rows, ruleset).findings
    assert [(finding.rule, finding.row_number) for finding in found] == [("K01", 7), ("L03", 9), ("K01", 32)]
    assert shown == [3]
