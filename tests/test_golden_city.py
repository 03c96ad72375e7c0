"""The golden city from packages to figures: what the city once published comes out of the delivered rows (spec/04)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from five_precisions.demo import write_inbox
from five_precisions.figures import assess
from five_precisions.intake import close, collect
from five_precisions.period import Period
from five_precisions.register import load_register, save_register
from five_precisions.settings import Settings
from five_precisions.warehouse import migrate, open_warehouse

MONTHS = [Period(2019, month) for month in range(1, 7)]
GOLDEN = list(csv.DictReader((Path(__file__).parent / "golden-2019-06.csv").read_text(encoding="utf-8").splitlines()))
SECRET = "only-for-tests-and-long-enough-for-a-key"


@pytest.fixture(scope="module")
def city(server_folder: Path) -> Iterator[Engine]:
    """Six months of the golden city, taken in and computed as the commands do it."""
    var = server_folder / "golden"
    settings = Settings(_env_file=None, var=var, warehouse=None, pii_key=SECRET, archive_key=SECRET)
    write_inbox(Path(settings.inbox_address))
    with open_warehouse(settings) as engine:
        migrate(engine)
        with engine.begin() as connection:
            save_register(connection, load_register(settings.register_folder))
        for month in MONTHS:
            collect(engine, settings, month, replay=True)
            close(engine, settings, month, replay=True)
            assess(engine, settings, month)
        yield engine


def test_there_are_nineteen_published_figures() -> None:
    assert len(GOLDEN) == 19


@pytest.mark.parametrize("published", GOLDEN, ids=lambda row: row["metric"])
def test_published_figure(city: Engine, published: dict[str, str]) -> None:
    with city.connect() as connection:
        value = connection.execute(
            text(
                "select value from mart.current_metric where metric = :metric and scope = :scope "
                "and scope_code = :scope_code and period = :period"
            ),
            {name: published[name] for name in ("metric", "scope", "scope_code", "period")},
        ).scalar_one()
    wanted = Decimal(published["value"])
    assert Decimal(value).quantize(wanted, ROUND_HALF_UP) == wanted


def test_what_months_bring(city: Engine) -> None:
    """A rejected version mended, a bank missing in February, a late one, nil returns (spec/04, Golden city)."""
    with city.connect() as connection:
        mended = connection.execute(
            text("select count(*) from mart.current_reporting where status = 'accepted' and not first_pass")
        ).scalar_one()
        late = connection.execute(
            text("select count(*) from mart.current_reporting where status = 'accepted' and not on_time")
        ).scalar_one()
        nil = connection.execute(text("select count(*) from mart.current_reporting where status = 'nil'")).scalar_one()
        unranked = connection.execute(
            text("select period, institution_code, reason from mart.current_assessment where status = 'unranked'")
        ).all()
    assert mended > 0
    assert late > 0
    assert nil > 0
    assert [(row.period, row.institution_code) for row in unranked] == [("2019-02", "B07")]
    assert "《金融精准扶贫贷款台账》未报送" in unranked[0].reason


def test_every_month_has_one_run_and_june_shows_all_grades(city: Engine) -> None:
    with city.connect() as connection:
        runs = connection.execute(text("select run_id from mart.run order by run_id")).scalars().all()
        grades = connection.execute(
            text("select distinct grade from mart.current_assessment where period = '2019-06'")
        ).scalars()
    assert runs == [f"{month}-r1" for month in MONTHS]
    assert set(grades) == {"优秀", "良好", "一般", "勉励"}


def test_additive_figures_of_banks_and_categories_add_up(city: Engine) -> None:
    with city.connect() as connection:
        figures = connection.execute(
            text(
                "select metric, scope, sum(value) as total from mart.current_metric "
                "where period = '2019-06' group by metric, scope"
            )
        ).all()
    totals = {(row.metric, row.scope): row.total for row in figures}
    for metric in ("loan_balance", "microcredit_ytd_amount", "all_loans", "households_able", "fund_total_arrived"):
        assert totals[metric, "city"] == totals[metric, "bank"] == totals[metric, "county"]
    parts = [f"loan_balance_{part}" for part in ("industry", "operating", "education", "consumption")]
    assert sum(totals[part, "city"] for part in parts) == totals["loan_balance", "city"]
