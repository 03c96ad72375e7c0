"""What the empty workbook says of each column: type, bounds, when to fill it in, its rules, its protection.

See docs/reports.md.

Nothing here is written twice: it is all made of the declared reports and of the suites in include/expectations. So a
new column or rule explains itself in the next template.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from five_precisions.intake.findings import Verdict
from five_precisions.intake.level_words import LEVEL_WORDS, REPORT_VERDICT_WORDS
from five_precisions.intake.rules.suites import RowSuite, suite_of
from five_precisions.period import Period
from five_precisions.register import Division, DivisionLevel, Institution, InstitutionKind, Register
from five_precisions.reports import Column, ColumnType, Report, ReportKind, Sensitivity
from five_precisions.reports.level import Level

LONGEST_PROMPT: Final = 255
"""Characters of an input message and of a list written into a validation (Excel)."""
LONGEST_PROMPT_TITLE: Final = 32

_NOT_NULL: Final = "expect_column_values_to_not_be_null"
_IN_SET: Final = "expect_column_values_to_be_in_set"
_CHANGING: Final = re.compile(r"\{(\w+)\}(%?)")
"""What a rule's message says of the very row or period: a template knows neither."""
_CONSEQUENCES: Final = {
    Level.CRITICAL: f"，{REPORT_VERDICT_WORDS[Verdict.REJECTED]}",
    Level.WARNING: "，须说明或改正",
    Level.NOTICE: "",
}
"""What follows when a rule of the level does not hold, after the level's word."""
_SCOPES: Final = {
    ReportKind.STOCK: "截至报送期末的全部情况，每月报全量",
    ReportKind.FLOW: "只报报送期内发生的",
}
_SHOWN_AS: Final = {
    Sensitivity.NAME: "陈*",
    Sensitivity.ID: "4417**********1234",
    Sensitivity.ACCOUNT: "****5678",
    Sensitivity.PHONE: "138****0000",
}


class Need(StrEnum):
    """When a cell must be filled in, said to a bank."""

    ALWAYS = "必填"
    SOMETIMES = "按条件必填"
    ADVISED = "应填"
    """Empty is a warning."""
    ADVISED_SOMETIMES = "按条件应填"
    NEVER = "选填"


@dataclass(frozen=True, slots=True)
class ColumnNotes:
    """What the template says of one column."""

    column: Column
    need: Need
    codes: str | None
    """The parameter of the suites that holds the codes allowed, e.g. `town_codes`."""
    rules: tuple[str, ...]
    key_of: tuple[str, ...]
    """Headers of the report's key, where the column is part of it."""

    @property
    def hint(self) -> str:
        """A few words for the row above the headers."""
        return f"{self.need.value}\n{self._form}"

    @property
    def _form(self) -> str:
        column = self.column
        if self.codes:
            return "代码，可下拉选择"
        match column.type:
            case ColumnType.TEXT if column.sensitive is Sensitivity.ID:
                return f"文本，{column.max}位"
            case ColumnType.TEXT:
                return f"文本，最多{column.max}字"
            case ColumnType.DATE:
                return "日期，如2019-06-30"
            case ColumnType.INT:
                return f"整数，{column.min}至{column.max}" if column.max is not None else f"整数，不小于{column.min}"
            case ColumnType.YUAN:
                return "元，最多两位小数"
            case ColumnType.WAN:
                return "万元，最多两位小数"
            case ColumnType.PCT:
                return "%，4.75%填4.75"
            case ColumnType.YESNO:
                return "是／否"
            case ColumnType.CHOICE:
                return "下拉选择"

    @property
    def prompt(self) -> str:
        """The message beside a cell that is being filled in; short enough for Excel."""
        sentences = [f"{self.need.value}。{self.column.expected}。"]
        if self.codes:
            sentences.append("代码及名称见“报送说明”右侧的代码表。")
        if self.column.note:
            sentences.append(f"{self.column.note}。")
        if self.column.type is ColumnType.PCT:
            sentences.append("按百分数填写：4.75%填4.75，不填0.0475。")
        return "".join(sentences)[:LONGEST_PROMPT]

    @property
    def comment(self) -> str:
        """Everything there is to know of the column, for the comment on its header."""
        lines = [f"{self.column.header}（{self.need.value}）", self.prompt.removeprefix(f"{self.need.value}。")]
        if len(self.key_of) == 1:
            lines.append("本列标识一行，表内不得重复。")
        elif self.key_of:
            lines.append(f"{'、'.join(self.key_of)}合起来标识一行，表内不得重复。")
        if self.column.sensitive:
            lines.append(
                f"敏感信息：数据库、回执和邮件中只显示为{_SHOWN_AS[self.column.sensitive]}，报送的原件加密存档。"
            )
        if self.rules:
            lines += ["检查规则：", *(f"· {rule}" for rule in self.rules)]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class CodeList:
    """Codes that a column may hold, with what they mean; the codes stand in the first column."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def column_notes(report: Report, period: Period) -> tuple[ColumnNotes, ...]:
    """The notes on each column of a report.

    Args:
        report: The form of the month.
        period: Whose rules it is held against.

    Raises:
        SetupError: the report's suite is missing or wrong.
    """
    suite = suite_of(report.code, period)
    return tuple(
        ColumnNotes(
            column=column,
            need=_need(column, suite),
            codes=_codes(column, suite),
            rules=_rules(column, suite),
            key_of=tuple(report.column(name).header for name in report.key) if column.name in report.key else (),
        )
        for column in report.columns
    )


def scope_of(report: Report) -> str:
    """Which rows belong into the report."""
    return report.scope or _SCOPES[report.kind]


def units_of(report: Report) -> str | None:
    """The unit of the report's amounts, where it has any."""
    types = {column.type for column in report.columns}
    units = [unit for kind, unit in ((ColumnType.YUAN, "元"), (ColumnType.WAN, "万元")) if kind in types]
    return "、".join(units) or None


def _need(column: Column, suite: RowSuite) -> Need:
    if not column.optional:
        return Need.ALWAYS
    wanted = {
        (rule.level, "row_condition" in expectation["kwargs"])
        for rule, expectation in zip(suite.rules, suite.expectations, strict=True)
        if expectation["type"] == _NOT_NULL and expectation["kwargs"]["column"] == column.name
    }
    needs = {
        (Level.CRITICAL, False): Need.ALWAYS,
        (Level.CRITICAL, True): Need.SOMETIMES,
        (Level.WARNING, False): Need.ADVISED,
        (Level.WARNING, True): Need.ADVISED_SOMETIMES,
    }
    return next((need for case, need in needs.items() if case in wanted), Need.NEVER)


def _codes(column: Column, suite: RowSuite) -> str | None:
    for expectation in suite.expectations:
        kwargs = expectation["kwargs"]
        allowed = kwargs.get("value_set")
        if expectation["type"] == _IN_SET and kwargs["column"] == column.name and isinstance(allowed, Mapping):
            return str(allowed["$PARAMETER"])
    return None


def _rules(column: Column, suite: RowSuite) -> tuple[str, ...]:
    rules = (
        f"{rule.rule}（{LEVEL_WORDS[rule.level]}{_CONSEQUENCES[rule.level]}）："
        f"{_CHANGING.sub(_in_general, rule.message)}"
        for rule in suite.rules
        if rule.column == column.name
    )
    return tuple(dict.fromkeys(rules))


def _in_general(changing: re.Match[str]) -> str:
    # “期限{term_months}个月” is some number of months; “报送期末{period_end}” and a rate are named by the words before.
    return "" if changing[2] or changing[1].startswith("period_") else "若干"


def code_list(parameter: str, register: Register, institution: Institution) -> CodeList | None:
    """The codes behind a parameter of the suites, as far as they concern the institution; None where none are known.

    A template serves any month, so institutions that are not open for good are listed with their days.
    """
    match parameter:
        case "town_codes":
            counties = {division.code: division.name for division in _divisions(register, DivisionLevel.COUNTY)}
            towns = [
                (town.code, town.name, counties.get(town.parent_code or "", ""))
                for town in _divisions(register, DivisionLevel.TOWN)
                if institution.kind is not InstitutionKind.COUNTY_OFFICE
                or town.parent_code == institution.division_code
            ]
            return CodeList(("乡镇代码", "乡镇", "县区"), tuple(towns))
        case "county_codes":
            counties_of_city = _divisions(register, DivisionLevel.COUNTY)
            return CodeList(("县区代码", "县区"), tuple((county.code, county.name) for county in counties_of_city))
        case "open_banks":
            banks = [each for each in register.institutions if each.kind is InstitutionKind.BANK]
            return CodeList(("银行代码", "银行"), tuple(map(_named, banks)))
        case "open_institutions":
            return CodeList(("机构代码", "机构"), tuple(map(_named, register.institutions)))
        case _:
            return None


def _divisions(register: Register, level: DivisionLevel) -> list[Division]:
    return sorted(
        (division for division in register.divisions if division.level is level), key=lambda division: division.code
    )


def _named(institution: Institution) -> tuple[str, str]:
    closed = f"（{institution.closed_on}起停业）" if institution.closed_on else ""
    return institution.code, institution.name + closed
