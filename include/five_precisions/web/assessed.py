"""The assessment of a month as the pages of the ranking read it: banks, their indicators, and what shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, text

from five_precisions.bulletin.wording import movement
from five_precisions.display import Form
from five_precisions.period import Period
from five_precisions.reference import load_indicators
from five_precisions.warehouse import load_statement
from five_precisions.web.desk import Desk
from five_precisions.web.page import Choice, NotThereError
from five_precisions.web.tables import Cell, Column

UNRANKED: Final = "暂不排名"
NOT_ASSESSED: Final = "不考核"
_OF_REPORTING: Final = "reporting"
"""The indicator that the bank's months of reporting come to."""
_RUN = text("select run_id, scheme_version, scheme_digest from mart.current_run where period = :period")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedBank:
    """How a bank stands in a month; rank, score, deductions and grade are None where it is unranked."""

    code: str
    name: str
    short_name: str
    rank: int | None
    previous_rank: int | None
    score: Decimal | None
    previous_score: Decimal | None
    deductions: Decimal | None
    grade: str | None
    reason: str | None
    """Why it is unranked."""
    issue: str | None
    extension: str | None
    advice_reason: str | None
    """The advice on relending is for local legal persons only."""

    @property
    def why(self) -> str:
        """Why it is unranked, without saying that it is."""
        return (self.reason or "").removeprefix(f"{UNRANKED}：")

    @property
    def place(self) -> str:
        """Its rank in words."""
        return UNRANKED if self.rank is None else f"第{self.rank}名"


@dataclass(frozen=True, slots=True, kw_only=True)
class BankIndicator:
    """What a bank gets in one indicator."""

    institution_code: str
    indicator: str
    weight: Decimal
    raw: Decimal | None
    """The indicator's percentage."""
    points: Decimal | None
    """0 to 1; None where it is not assessed."""
    note: str

    @property
    def won(self) -> Decimal | None:
        """Weight times points."""
        return None if self.points is None else self.weight * self.points


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedMonth:
    """A month's run and what it says of every bank."""

    period: Period
    run_id: str
    scheme_version: str
    scheme_digest: str | None
    banks: Mapping[str, AssessedBank]
    """By code: the best first, those without a rank last."""
    indicators: Mapping[str, Mapping[str, BankIndicator]]
    """By bank and indicator; nothing of a bank that is unranked."""

    @property
    def ranked(self) -> list[AssessedBank]:
        """The banks that have a rank, the best first."""
        return [bank for bank in self.banks.values() if bank.rank is not None]

    @property
    def weights(self) -> dict[str, Decimal]:
        """What each indicator weighs, in the order in which they are shown."""
        found = {each.indicator: each.weight for own in self.indicators.values() for each in own.values()}
        return {code: found[code] for code in load_indicators() if code in found}

    def average(self, indicator: str) -> Decimal | None:
        """The mean of weight times points of the banks that are assessed in it."""
        won = [own[indicator].won for own in self.indicators.values() if indicator in own]
        known = [each for each in won if each is not None]
        return sum(known, Decimal(0)) / len(known) if known else None


def read_assessed_month(connection: Connection, period: Period) -> AssessedMonth:
    """What the run that stands says of a month that has been assessed."""
    asked = {"period": str(period)}
    run = connection.execute(_RUN, asked).one()
    banks = [AssessedBank(**row) for row in connection.execute(load_statement("web/assessed_banks"), asked).mappings()]
    indicators: dict[str, dict[str, BankIndicator]] = {bank.code: {} for bank in banks}
    for row in connection.execute(load_statement("web/indicators"), asked).mappings():
        indicators[row["institution_code"]][row["indicator"]] = BankIndicator(**row)
    return AssessedMonth(
        period=period,
        run_id=run.run_id,
        scheme_version=run.scheme_version,
        scheme_digest=run.scheme_digest,
        banks={bank.code: bank for bank in banks},
        indicators=indicators,
    )


def find_bank(desk: Desk, month: AssessedMonth, code: str) -> AssessedBank:
    """The bank of that code.

    Raises:
        NotThereError: it was not assessed in the month.
    """
    if code not in month.banks:
        raise NotThereError(f"{month.period.words}没有考核这家银行。", bank_choices(desk, month))
    return month.banks[code]


def bank_choices(desk: Desk, month: AssessedMonth) -> list[Choice]:
    """The pages of the banks that there are."""
    return [Choice(bank.short_name, bank_href(desk, bank.code, month.period)) for bank in month.banks.values()]


def bank_href(desk: Desk, code: str, period: object) -> str:
    """The address of a bank's own page."""
    return desk.href(f"ranking/banks/{code}", period=period)


def proof_href(desk: Desk, metric: str, scope: str, code: str | None, period: object, run_id: str | None = None) -> str:
    """The address of what a figure rests on; the city's needs no code, and that of the current run no run."""
    return desk.href("figures/proof", metric=metric, scope=scope, code=code, period=period, run=run_id)


def plain(number: Decimal) -> str:
    """In plain digits, without zeros at the end."""
    return f"{number.normalize():f}"


def indicator_column(indicator: str, weight: Decimal | None = None) -> Column:
    """The column of what banks get in an indicator."""
    unit = "" if weight is None else f"{plain(weight)}分"
    return Column(indicator, load_indicators()[indicator].name, Form.SCORE, unit)


def won_cell(desk: Desk, found: BankIndicator | None, period: Period) -> Cell:
    """Weight times points, with its note; a click leads to the proof of what lies under it."""
    if found is None:
        return Cell(value=None)
    return Cell(
        value=NOT_ASSESSED if found.won is None else found.won,
        href=raw_proof(desk, found, period),
        state="faint" if found.won is None else None,
        title=found.note,
    )


def raw_proof(desk: Desk, found: BankIndicator, period: Period) -> str | None:
    """Where an indicator's percentage is proved; None where it has none."""
    return None if found.raw is None else indicator_proof(desk, found.indicator, found.institution_code, period)


def indicator_proof(desk: Desk, indicator: str, code: str, period: object) -> str | None:
    """Where a bank's indicator is proved: by the rows behind its metric, or on the bank's own page."""
    metric = load_indicators()[indicator].metric
    if metric is not None:
        return proof_href(desk, metric, "bank", code, period)
    if indicator == _OF_REPORTING:
        return f"{bank_href(desk, code, period)}#months_reported"
    return None


def movement_cell(rank: int | None, previous: int | None) -> Cell:
    """Places won or lost since the month before."""
    if rank is None:
        return Cell(value=None)
    if previous is None:
        return Cell(value="上月没有位次", state="faint")
    places = previous - rank
    arrow = "↑" if places > 0 else "↓" if places < 0 else ""
    return Cell(
        value=" ".join(filter(None, (arrow, movement(places)))),
        state="good" if places > 0 else "bad" if places < 0 else None,
    )
