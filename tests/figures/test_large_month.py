"""A month of 300 institutions and 20,000 loans ends, from packages to figures.

The figures are computed a second time by pandas, from the rows of which the packages were made.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Connection, text

from five_precisions.collection import close, collect
from five_precisions.figures import assess, load_scheme, try_scheme
from five_precisions.intake.findings import Verdict
from five_precisions.period import Period
from five_precisions.register import load_register, save_register
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import open_warehouse
from five_precisions_demo.large_area import AreaSize, invent_area, write_area
from five_precisions_demo.large_area.register import CITY
from tests.conftest import SECRET
from tests.figures.trying import in_digits, results_after, stored_results

JUNE = Period(2019, 6)
FEN_OF_WAN = Decimal(1_000_000)
Figures = Mapping[str, Decimal]


@pytest.mark.timeout(1500)
def test_a_month_of_300_institutions_ends(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Projects, matches and institutions multiply: what goes row by row through all of them does not end."""
    area = invent_area(AreaSize.usual(300, 20_000))
    folders = write_area(
        area, inbox=tmp_path / "inbox", register=tmp_path / "register", reference=tmp_path / "reference"
    )
    assert len(folders) == 300
    settings = settings_of(tmp_path, database_url, monkeypatch)
    with open_warehouse(settings) as engine:
        with engine.begin() as connection:
            save_register(connection, load_register(settings.register_folder))
        judgements = collect(engine, settings, JUNE, replay=True)
        assert [judgement.verdict for judgement in judgements] == [Verdict.ACCEPTED] * 300
        closed = close(engine, settings, JUNE, replay=True)
        # Six reports of 269 banks, four of 30 county offices, two of the centre.
        assert closed.frozen_reports == 269 * 6 + 30 * 4 + 2
        assert 10 < len(closed.cross_checks) < 150
        assert assess(engine, settings, JUNE).is_new
        trial = try_scheme(engine, settings, JUNE, load_scheme(settings, JUNE))
        assert len(trial.banks) == 269
        assert in_digits(results_after(trial)) == in_digits(stored_results(engine, JUNE))
        with engine.connect() as connection:
            rows = area.reports_of(JUNE)
            assert_loans(connection, rows["loans"])
            assert_matching(connection, rows)
            assert_visits(connection, rows)
            assert_alerts(connection, rows["loans"])


def settings_of(folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    of_area = {"WAREHOUSE": database_url, "PII_KEY": SECRET, "ARCHIVE_KEY": SECRET}
    of_area |= {name.upper(): str(folder / name) for name in ("inbox", "register", "reference")}
    for name, value in of_area.items():
        monkeypatch.setenv(PREFIX + name, value)
    return Settings.load()


def figures(connection: Connection, metric: str, scope: str, column: str = "value") -> Figures:
    found = connection.execute(
        text(f"select scope_code, {column} from mart.current_metric where metric = :metric and scope = :scope"),
        {"metric": metric, "scope": scope},
    )
    return {row[0]: row[1] for row in found}


def in_wan(fen: pd.Series) -> dict[str, Decimal]:
    return {str(code): Decimal(int(amount)) / FEN_OF_WAN for code, amount in fen.items()}


def assert_loans(connection: Connection, loans: pd.DataFrame) -> None:
    county = loans["town_code"].str[:6]
    by_county = in_wan(loans["balance"].groupby(county).sum())
    assert len(by_county) == 30
    assert figures(connection, "loan_balance", "county") == by_county
    by_bank = in_wan(loans["balance"].groupby(loans["delivered_by"]).sum())
    assert len(by_bank) == 269
    assert figures(connection, "loan_balance", "bank") == by_bank
    new = loans[loans["microcredit"] & (loans["issued_on"] >= "2019-01-01")]
    households = new["household_no"].groupby(county).nunique()
    found = figures(connection, "microcredit_ytd_households", "county")
    assert found == {str(code): number for code, number in households.items()}
    assert figures(connection, "microcredit_ytd_households", "city") == {CITY: new["household_no"].nunique()}
    overdue = loans.loc[loans["overdue_days"] > 0, "balance"]
    assert overdue.sum() > 0
    assert figures(connection, "overdue_ratio", "city", "numerator") == in_wan(pd.Series({CITY: overdue.sum()}))


def assert_matching(connection: Connection, rows: Mapping[str, pd.DataFrame]) -> None:
    projects, matches, position = rows["projects"], rows["matches"], rows["position"]
    library = projects[projects["status"] != "退出"].assign(county=lambda each: each["town_code"].str[:6])
    taken_up = matches.loc[matches["status"].isin(["已授信", "已放款"]), "project_no"]
    by_county = library.groupby("county")
    assert figures(connection, "match_rate", "county", "denominator") == by_county.size().to_dict()
    matched = library["project_no"].isin(taken_up).groupby(library["county"]).sum()
    assert figures(connection, "projects_matched", "county") == matched.to_dict()
    to_all = library[library["pushed_to"].isna()].merge(
        position[["delivered_by", "county_code"]],
        left_on="county",
        right_on="county_code",
        suffixes=("_office", ""),
    )
    to_one = library[library["pushed_to"].notna()].assign(delivered_by=lambda each: each["pushed_to"])
    offered = pd.concat([to_all, to_one])[["delivered_by", "project_no"]].drop_duplicates()
    by_bank = offered.groupby("delivered_by").size().to_dict()
    assert len(by_bank) == 269
    assert figures(connection, "projects_offered", "bank") == by_bank
    answered = offered.merge(matches, on=["delivered_by", "project_no"]).groupby("delivered_by").size()
    assert figures(connection, "projects_answered", "bank") == answered.reindex(list(by_bank), fill_value=0).to_dict()


def assert_visits(connection: Connection, rows: Mapping[str, pd.DataFrame]) -> None:
    able = rows["households"][rows["households"]["workers"] > 0]
    seen = able["household_no"].isin(rows["visits"]["household_no"])
    county = able["town_code"].str[:6]
    assert figures(connection, "households_able", "county") == able.groupby(county).size().to_dict()
    assert 0 < seen.sum() < len(able)
    assert figures(connection, "households_visited_cumulative", "county") == seen.groupby(county).sum().to_dict()


def assert_alerts(connection: Connection, loans: pd.DataFrame) -> None:
    """Households that owe more than they may, of each bank involved; microcredit for consumption."""
    owed = loans[loans["microcredit"] & (loans["balance"] > 0)]
    by_household = owed.groupby("household_no")["balance"].sum()
    above = owed[owed["household_no"].isin(by_household.index[by_household > 5_000_000])]
    for_consumption = owed[owed["purpose"] == "消费"]
    found = connection.execute(
        text("select rule, institution_code, subject from mart.current_alert where rule in ('A05', 'A06')")
    )
    alerts = {(row[0], row[1], row[2]) for row in found}
    expected = {("A06", *key) for key in zip(above["delivered_by"], above["household_no"], strict=True)}
    expected |= {
        ("A05", *key) for key in zip(for_consumption["delivered_by"], for_consumption["contract_no"], strict=True)
    }
    assert {rule for rule, *_ in expected} == {"A05", "A06"}
    assert alerts == expected
