"""The golden city from packages to figures: what the city once published comes out of the delivered rows.

See docs/figures.md.
"""

from __future__ import annotations

import csv
import hashlib
from contextlib import closing
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import Engine, text

from five_precisions.figures import explain
from five_precisions.period import Period
from five_precisions.settings import Settings

GOLDEN = list(csv.DictReader((Path(__file__).parent / "golden-2019-06.csv").read_text(encoding="utf-8").splitlines()))


def test_there_are_nineteen_published_figures() -> None:
    assert len(GOLDEN) == 19


@pytest.mark.parametrize("published", GOLDEN, ids=lambda row: row["metric"])
def test_published_figure(golden_city: Engine, published: dict[str, str]) -> None:
    with golden_city.connect() as connection:
        value = connection.execute(
            text(
                "select value from mart.current_metric where metric = :metric and scope = :scope "
                "and scope_code = :scope_code and period = :period"
            ),
            {name: published[name] for name in ("metric", "scope", "scope_code", "period")},
        ).scalar_one()
    wanted = Decimal(published["value"])
    assert Decimal(value).quantize(wanted, ROUND_HALF_UP) == wanted


def test_what_months_bring(golden_city: Engine) -> None:
    """A rejected version mended, a bank missing in February, a late one, nil returns (docs/figures.md#golden-city)."""
    with golden_city.connect() as connection:
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


def test_every_month_has_one_run_and_june_shows_all_grades(golden_city: Engine) -> None:
    with golden_city.connect() as connection:
        runs = connection.execute(text("select run_id from mart.run order by run_id")).scalars().all()
        grades = connection.execute(
            text("select distinct grade from mart.current_assessment where period = '2019-06'")
        ).scalars()
    assert runs == [f"2019-0{month}-r1" for month in range(1, 7)]
    assert set(grades) == {"优秀", "良好", "一般", "勉励"}


def test_additive_figures_of_banks_and_categories_add_up(golden_city: Engine) -> None:
    with golden_city.connect() as connection:
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


PROVED = [
    ("loan_balance", "city", None),
    ("microcredit_ytd_households", "city", None),
    ("visit_coverage_standing", "county", "441781"),
    ("match_rate", "bank", "B01"),
    ("microcredit_completion", "bank", "B05"),
    ("outreach_team", "city", None),
]


@pytest.mark.parametrize(("metric", "scope", "code"), PROVED)
def test_a_figure_is_proved_by_delivered_rows(
    golden_city: Engine, golden_settings: Settings, metric: str, scope: str, code: str | None
) -> None:
    explained = explain(golden_city, golden_settings, metric, scope=scope, code=code, period=Period(2019, 6))
    assert explained.proof is not None
    assert explained.proof.rows > 0
    assert explained.is_proved


def test_the_row_behind_a_figure_is_found_in_the_delivered_file(golden_city: Engine, golden_settings: Settings) -> None:
    explained = explain(
        golden_city, golden_settings, "loan_balance", scope="bank", code="B01", period=Period(2019, 6), first=3
    )
    assert explained.proof is not None
    delivered = {
        hashlib.sha256(path.read_bytes()).hexdigest(): path
        for path in (golden_settings.var / "inbox" / "2019-06" / "B01").rglob("*.xlsx")
    }
    assert len(explained.proof.first) == 3
    for row in explained.proof.first:
        assert row.sha256 is not None
        assert row.sheet is not None
        assert delivered[row.sha256].name == row.file
        with closing(openpyxl.load_workbook(delivered[row.sha256], read_only=True)) as workbook:
            cells = next(workbook[row.sheet].iter_rows(min_row=row.row, max_row=row.row, values_only=True))
        assert row.content["合同编号"] in cells
        # The file has the whole of what is shown masked.
        assert row.content["借款人名称"] not in cells
        assert str(row.content["借款人名称"])[0] in {str(cell)[0] for cell in cells if cell}
