"""The assessment and the metrics it rests on, computed twice: by the SQL and by `independent`, which never saw it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given
from sqlalchemy import Connection, Engine, text

from five_precisions.errors import RefusedError
from five_precisions.figures import assess
from five_precisions.period import Period
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from tests.conftest import SECRET, fresh_database
from tests.figures.independent import NoFundsError, Standing, assess_all
from tests.figures.proofs import unproved_figures
from tests.figures.random_city import RandomCity, cities

HIGH_RULES = ("A01", "A06", "A07", "A10")
NEAR = Fraction(1, 10**12)
"""What a division in SQL may lose of a ratio."""


def rows_by(connection: Connection, statement: str, period: Period) -> list[Any]:
    return list(connection.execute(text(statement), {"period": str(period)}))


def is_near(found: Decimal | None, expected: Fraction | None) -> bool:
    if found is None or expected is None:
        return found is None and expected is None
    return abs(Fraction(found) - expected) <= NEAR


def compare(connection: Connection, standing: Standing) -> list[str]:
    """What the warehouse says otherwise than the second computation, each with both."""
    period = standing.period
    differences: list[str] = []

    def hold(what: object, found: object, expected: object) -> None:
        if found != expected:
            differences.append(f"{period} {what}: SQL {found}, second computation {expected}")

    metrics = {
        (row.metric, row.scope, row.scope_code): row.value
        for row in rows_by(
            connection,
            "select metric, scope, scope_code, value from mart.current_metric where period = :period",
            period,
        )
    }
    for key, expected in standing.figures.items():
        if not is_near(metrics.get(key), expected):
            hold(key, metrics.get(key), None if expected is None else float(expected))
    computed = {metric for metric, _, _ in standing.figures}
    for key, value in metrics.items():
        if key[0] in computed and value is not None:
            hold(key, "a figure" if key not in standing.figures else None, None)
    targets = rows_by(
        connection,
        "select institution_code, households from mart.current_target where year = cast(left(:period, 4) as integer)",
        period,
    )
    hold("targets", {row.institution_code: row.households for row in targets}, standing.targets)
    scores = rows_by(
        connection,
        "select household_no, score, tier, credit_limit from mart.current_household_score where period = :period",
        period,
    )
    hold("scores", {row.household_no: (row.score, row.tier, row.credit_limit) for row in scores}, standing.scores)
    compare_cases(connection, standing, hold)
    compare_assessments(connection, standing, hold)
    return differences


def compare_cases(connection: Connection, standing: Standing, hold: Any) -> None:
    alerts = rows_by(
        connection,
        "select rule, institution_code, subject, level from mart.case_state inner join mart.run using (run_id, period) "
        "where period = :period and current and state = 'open' and rule in ('A01', 'A06', 'A07', 'A10')",
        standing.period,
    )
    found = {(row.rule, row.institution_code, row.subject): row.level for row in alerts if row.rule != "A07"}
    hold("cases", found, {case: level for case, level in standing.cases.items() if case[0] != "A07"})
    accounts: dict[str, int] = {}
    for row in alerts:
        if row.rule == "A07":
            accounts[row.institution_code] = accounts.get(row.institution_code, 0) + 1
    hold("A07", accounts, standing.accounts)


def compare_assessments(connection: Connection, standing: Standing, hold: Any) -> None:
    items: dict[str, dict[str, Decimal | None]] = {}
    for row in rows_by(
        connection,
        "select institution_code, indicator, points from mart.current_assessment_item where period = :period",
        standing.period,
    ):
        items.setdefault(row.institution_code, {})[row.indicator] = row.points
    rows = rows_by(connection, "select * from mart.current_assessment where period = :period", standing.period)
    hold("banks assessed", sorted(row.institution_code for row in rows), sorted(standing.assessments))
    for row in rows:
        bank, expected = row.institution_code, standing.assessments[row.institution_code]
        hold((bank, "status"), row.status, "ranked" if expected.is_ranked else "unranked")
        for name in ("score", "deductions", "grade", "rank", "previous_rank"):
            hold((bank, name), getattr(row, name), getattr(expected, name))
        hold((bank, "a reason"), bool(row.reason), not expected.is_ranked)
        points = items.get(bank, {})
        hold((bank, "indicators"), sorted(points), sorted(expected.points))
        for indicator, value in expected.points.items():
            if not is_near(points.get(indicator), value):
                hold((bank, indicator), points.get(indicator), None if value is None else float(value))


def assess_months(engine: Engine, settings: Settings, city: RandomCity) -> None:
    for month in city.months:
        assess(engine, settings, month.period)


def check_random_city(server_url: str, folder: Path, city: RandomCity) -> None:
    """Write, assess and compare one city, in a database of its own."""
    years = ", ".join(f"{year}: {{households: {number}}}" for year, number in city.households.items())
    (folder / "targets.yaml").write_text(f"years: {{{years}}}", encoding="utf-8")
    with fresh_database(server_url) as url:
        settings = Settings(
            _env_file=None, var=folder, warehouse=url, pii_key=SECRET, archive_key=SECRET, reference=folder
        )
        with open_warehouse(settings) as engine:
            city.write(engine)
            try:
                standings = assess_all(city.register, city.months, city.households)
            except NoFundsError:
                with pytest.raises(RefusedError, match="No guarantee and subsidy funds"):
                    assess_months(engine, settings, city)
                return
            assess_months(engine, settings, city)
            with engine.connect() as connection:
                differences = [line for standing in standings for line in compare(connection, standing)]
                wrong, proved = unproved_figures(connection, settings)
    assert len(standings) == len(city.months)
    assert not differences, "\n".join(differences)
    assert proved
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="session")
def city_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the targets of random cities."""
    return tmp_path_factory.mktemp("random-cities")


@hypothesis.settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    # No shrinking: it takes longer than a test may, and the differences say enough.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(city=cities())
def test_random_cities_come_to_the_same_figures_twice_and_each_is_proved(
    server_url: str, city_folder: Path, city: RandomCity
) -> None:
    check_random_city(server_url, city_folder, city)
