"""The golden city a second time: its packages read without the intake, its figures computed without the SQL.

Verdicts, times and deadlines are the ledger's; every row comes from the files as they were delivered.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from five_precisions.period import Period
from five_precisions.reports import ColumnType, load_reports
from five_precisions.settings import Settings
from tests.demo.conftest import Version, read_version
from tests.figures.independent import (
    COLUMNS,
    Delivery,
    Institution,
    Month,
    Register,
    Rows,
    Standing,
    assess_all,
)
from tests.figures.proofs import every_metric_and_scope, unproved_figures
from tests.figures.test_independence import compare

PERIODS = [Period(2019, month) for month in range(1, 7)]
Contracts = dict[str, tuple[Any, Any]]
"""Issue date and principal of each contract of a ledger."""


def read_register(connection: Connection) -> Register:
    divisions = connection.execute(text("select code, level, parent_code from registry.division order by code")).all()
    institutions = connection.execute(text("select * from registry.institution order by code")).all()
    return Register(
        next(row.code for row in divisions if row.level == "city"),
        {
            county.code: tuple(row.code for row in divisions if row.parent_code == county.code)
            for county in divisions
            if county.level == "county"
        },
        {row.code: Institution(row.kind, row.division_code, row.opened_on, row.closed_on) for row in institutions},
    )


def rows_of(version: Version, report: str) -> Rows:
    if report not in version.frames:
        assert version.cover[report]["nil"], f"{report} of {version.folder} is neither there nor a nil return"
        return []
    frame = version.frames[report]
    hashed = [name for name in COLUMNS[report].split() if name.endswith("_hash")]
    frame = frame.rename(columns={name.removesuffix("_hash"): name for name in hashed})
    for column in load_reports()[report].columns:
        if column.type is ColumnType.YESNO:
            frame[column.name] = frame[column.name] == "是"
    return frame.to_dict("records")


def contracts_of(version: Version) -> Contracts:
    return {row.contract_no: (row.issued_on, row.principal) for row in version.frames["loans"].itertuples()}


class BrokenContracts:
    """Contracts of one bank that had gone or changed (X01, X02), until they are back unchanged or explained."""

    def __init__(self) -> None:
        self._before: Contracts | None = None
        self._found: Contracts = {}
        self._explained: set[str] = set()

    def judge(self, versions: list[Version], accepted: list[bool]) -> set[str]:
        """What is broken after a month's versions; each is told with whether its ledger was accepted."""
        standing: Contracts | None = None
        for version, is_accepted in zip(versions, accepted, strict=True):
            self._explained |= {key for _, rule, key in version.explanations if rule in ("X01", "X02")}
            if "loans" not in version.frames:
                continue
            delivered = contracts_of(version)
            changed = {number for number, terms in (self._before or {}).items() if delivered.get(number) != terms}
            self._found |= {number: terms for number, terms in (self._before or {}).items() if number in changed}
            if is_accepted:
                standing = delivered
        if standing is not None:
            self._found = {number: terms for number, terms in self._found.items() if standing.get(number) != terms}
        self._before = standing
        return set(self._found) - self._explained


def read_months(connection: Connection, register: Register, inbox: Path) -> Iterator[Month]:
    broken = {code: BrokenContracts() for code, found in register.institutions.items() if found.kind == "bank"}
    for period in PERIODS:
        deadline = connection.execute(
            text("select deadline_at from registry.period where period = :period"), {"period": str(period)}
        ).scalar_one()
        reports = connection.execute(
            text(
                "select institution_code, version, received_at, report, report.verdict "
                "from intake.submission inner join intake.report using (submission_id) where period = :period"
            ),
            {"period": str(period)},
        ).all()
        deliveries: list[Delivery] = []
        contracts: set[tuple[str, str]] = set()
        for institution in register.institutions:
            package = inbox / str(period) / institution
            folders = sorted(package.glob("v[0-9]")) or [package] if package.exists() else []
            versions = [read_version(folder) for folder in folders]
            own = [row for row in reports if row.institution_code == institution]
            assert {row.version for row in own} == set(range(1, len(versions) + 1)), f"{institution} in {period}"
            for number, version in enumerate(versions, start=1):
                verdicts = {row.report: row.verdict for row in own if row.version == number}
                accepted = {
                    report: rows_of(version, report) for report, verdict in verdicts.items() if verdict != "rejected"
                }
                rejected = tuple(report for report, verdict in verdicts.items() if verdict == "rejected")
                received_at = next(row.received_at for row in own if row.version == number)
                deliveries.append(Delivery(institution, number, received_at, accepted, rejected))
            if institution in broken:
                judged = [delivery for delivery in deliveries if delivery.institution == institution]
                is_accepted = ["loans" in delivery.accepted for delivery in judged]
                contracts |= {(institution, number) for number in broken[institution].judge(versions, is_accepted)}
        yield Month(period, deadline, tuple(deliveries), frozenset(contracts))


def test_the_golden_city_comes_to_the_same_figures_twice(golden_city: Engine, golden_inbox: Path) -> None:
    with golden_city.connect() as connection:
        register = read_register(connection)
        standings: list[Standing] = assess_all(register, read_months(connection, register, golden_inbox), {2019: 1200})
        differences = [line for standing in standings for line in compare(connection, standing)]
    assert [standing.period for standing in standings] == PERIODS
    june = standings[-1]
    assert len(june.scores) == 14_102
    assert {rule for rule, _, _ in june.cases} == {"A01", "A06", "A07", "A10"}
    assert sum(assessed.is_ranked for assessed in june.assessments.values()) == 12
    assert not differences, "\n".join(differences)


def test_every_figure_of_the_golden_city_is_what_its_rows_come_to(
    golden_city: Engine, golden_settings: Settings
) -> None:
    """Of every metric in every scope and month; of the towns in the last one, for they are two thirds of all."""
    with golden_city.connect() as connection:
        wrong, proved = unproved_figures(connection, golden_settings, towns_of="2019-06-r%")
    assert not wrong, "\n".join(wrong)
    assert every_metric_and_scope(golden_settings) - proved == set()
