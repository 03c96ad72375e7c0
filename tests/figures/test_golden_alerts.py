"""The golden city's alerts: every rule has a true case by June, where it was planted and nowhere else.

See docs/figures.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

JUNE = "2019-06"
RULES = [f"A{number:02d}" for number in range(1, 19)]

Alerts = Callable[[str, str], dict[tuple[str, str], Any]]


@pytest.fixture
def alerts(golden_city: Engine) -> Alerts:
    """The open alerts of a rule in a month, by institution and subject."""

    def read(rule: str, period: str = JUNE) -> dict[tuple[str, str], Any]:
        with golden_city.connect() as connection:
            found = connection.execute(
                text(
                    "select institution_code, subject, level, aspect, division_code, measure, threshold, detail "
                    "from mart.current_alert where rule = :rule and period = :period"
                ),
                {"rule": rule, "period": period},
            ).all()
        return {(row.institution_code, row.subject): row for row in found}

    return read


def months_of(engine: Engine, rule: str) -> dict[str, list[str]]:
    """Month → institutions with an open alert of the rule; months without one do not appear."""
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "select period, institution_code from mart.current_alert where rule = :rule "
                "order by period, institution_code"
            ),
            {"rule": rule},
        ).all()
    months: dict[str, list[str]] = {}
    for row in found:
        months.setdefault(row.period, []).append(row.institution_code)
    return months


def test_every_rule_has_a_true_case_by_june(golden_city: Engine) -> None:
    with golden_city.connect() as connection:
        raised = connection.execute(text("select distinct rule from mart.current_alert order by rule")).scalars().all()
    assert raised == RULES


def test_high_is_what_the_table_calls_high(golden_city: Engine) -> None:
    with golden_city.connect() as connection:
        rows = connection.execute(
            text("select rule, level, institution_code from mart.current_alert where period = :june"), {"june": JUNE}
        ).all()
    assert {row.rule for row in rows if row.level == "high"} == {"A01", "A06", "A07", "A10"}
    high = sorted(row.institution_code for row in rows if row.level == "high")
    assert high == ["B03", "B04", "B08", "B10", "C02", "C03"]


def test_high_alerts_and_findings_past_their_date_are_deducted(golden_city: Engine) -> None:
    with golden_city.connect() as connection:
        deducted = connection.execute(
            text(
                "select institution_code, deductions from mart.current_assessment "
                "where period = :june and deductions > 0"
            ),
            {"june": JUNE},
        ).all()
    assert {row.institution_code: row.deductions for row in deducted} == {
        "B02": 2,
        "B03": 1,
        "B04": 3,
        "B08": 1,
        "B10": 1,
    }


def test_funds(golden_city: Engine, alerts: Alerts) -> None:
    assert {key: row.level for key, row in alerts("A01").items()} == {
        ("C02", "B05/贷款贴息/2019"): "high",
        ("C03", "B08/贷款贴息/2018"): "high",
        ("C04", "B07/风险补偿金/2019"): "medium",
    }
    # Due on 31 March: one day late in April, 61 in May. B11's, due on 20 March, arrived in April.
    assert months_of(golden_city, "A01") == {
        "2019-01": ["C03"],
        "2019-02": ["C03"],
        "2019-03": ["C03", "C03"],
        "2019-04": ["C02", "C03"],
        "2019-05": ["C02", "C03", "C04"],
        JUNE: ["C02", "C03", "C04"],
    }
    assert alerts("A01", "2019-03")["C03", "B11/风险补偿金/2019"].level == "medium"


def test_one_county_has_more_than_half(golden_city: Engine, alerts: Alerts) -> None:
    assert list(alerts("A02")) == [("Z01", "441700")]
    row = alerts("A02")["Z01", "441700"]
    assert row.threshold == 50
    assert "阳春市" in row.detail
    with golden_city.connect() as connection:
        figures = dict(
            connection.execute(
                text(
                    "select scope_code, value from mart.current_metric where period = :june "
                    "and metric = 'microcredit_ytd_amount' and scope in ('city', 'county')"
                ),
                {"june": JUNE},
            ).all()
        )
    assert float(row.measure) == pytest.approx(float(figures["441781"] / figures["441700"] * 100))
    # February lacks B07's ledger: what January found stays as it was.
    assert alerts("A02", "2019-02")["Z01", "441700"] == alerts("A02", "2019-01")["Z01", "441700"]


def test_outlets(golden_city: Engine, alerts: Alerts) -> None:
    assert months_of(golden_city, "A03") == {
        "2019-01": ["B05", "B10"],
        "2019-02": ["B05", "B10"],
        "2019-03": ["B05"],
        "2019-04": ["B02", "B05"],
        "2019-05": ["B02", "B05"],
        JUNE: ["B02", "B05"],
    }
    assert set(alerts("A03")) == {("B02", "B02-004"), ("B05", "B05-002")}
    assert months_of(golden_city, "A04") == {
        "2019-01": ["B08", "B08", "B12"],
        "2019-02": ["B08", "B08", "B12"],
        "2019-03": ["B08", "B08", "B12"],
        "2019-04": ["B08", "B08"],
        "2019-05": ["B08", "B08"],
        JUNE: ["B08", "B08"],
    }
    assert set(alerts("A04")) == {("B08", "B08-001"), ("B08", "B08-005")}


def test_microcredit(golden_city: Engine, alerts: Alerts) -> None:
    assert months_of(golden_city, "A05") == {
        "2019-03": ["B04"],
        "2019-04": ["B04"],
        "2019-05": ["B04", "B11"],
        JUNE: ["B04", "B11"],
    }
    assert [bank for bank, _ in sorted(alerts("A06"))] == ["B03", "B10"]
    assert len({household for _, household in alerts("A06")}) == 1
    assert len({row.measure for row in alerts("A06").values()}) == 1
    ((bank, account),) = alerts("A07")
    assert bank == "B04"
    assert re.fullmatch(r"\*{4}[0-9]{4}-[0-9a-f]{8}", account)
    assert months_of(golden_city, "A07") == {"2019-04": ["B04"], "2019-05": ["B04"], JUNE: ["B04"]}
    assert months_of(golden_city, "A08") == {
        "2019-03": ["B10"],
        "2019-04": ["B10", "B12"],
        "2019-05": ["B10", "B12"],
        JUNE: ["B10", "B12"],
    }
    assert ("B12", "441781100-9001") in alerts("A08")
    # B03's loan is of February, when B07's visits are missing; of B12's, its household is on no register.
    assert months_of(golden_city, "A09") == {
        "2019-03": ["B03"],
        "2019-04": ["B03", "B12"],
        "2019-05": ["B01", "B03", "B12"],
        JUNE: ["B01", "B03", "B12"],
    }


def test_contracts_that_are_gone_and_overdue_loans(golden_city: Engine, alerts: Alerts) -> None:
    # B01's contract is back in April, unchanged; B04 has explained its own.
    assert months_of(golden_city, "A10") == {"2019-03": ["B01"], "2019-05": ["B08"], JUNE: ["B08"]}
    assert {row.level for row in alerts("A10").values()} == {"high"}
    assert set(alerts("A11")) == {("B05", "B05"), ("B12", "B12")}


def test_officers(golden_city: Engine, alerts: Alerts) -> None:
    months = months_of(golden_city, "A12")
    assert months["2019-03"] == ["B10"]
    assert months[JUNE] == ["B03", "B09"]
    assert all(re.fullmatch(r"\D+/2019-06-[0-9]{2}", subject) for _, subject in alerts("A12"))


def test_projects_and_products(golden_city: Engine, alerts: Alerts) -> None:
    with golden_city.connect() as connection:
        stale = dict(
            connection.execute(
                text(
                    "select scope_code, value from mart.current_metric where period = :june "
                    "and metric = 'projects_stale' and scope = 'county'"
                ),
                {"june": JUNE},
            ).all()
        )
        offices = dict(
            connection.execute(
                text("select division_code, code from registry.institution where kind = 'county_office'")
            ).all()
        )
    assert min(stale.values()) >= 1
    counted = [office for office, _ in alerts("A13")]
    assert {office: counted.count(office) for office in counted} == {offices[county]: n for county, n in stale.items()}
    assert months_of(golden_city, "A14") == {JUNE: ["B02", "B08"]}


def test_towns_without_activity(golden_city: Engine, alerts: Alerts) -> None:
    # 沙扒镇 had none from January to March either, but B07's report of February, which might hold one, is missing.
    assert months_of(golden_city, "A15") == {JUNE: ["C04"]}
    assert list(alerts("A15")) == [("C04", "441781113")]


def test_inspections_pace_and_warnings(golden_city: Engine, alerts: Alerts) -> None:
    assert sorted(institution for institution, _ in alerts("A16")) == ["B02", "B04", "C02"]
    assert months_of(golden_city, "A17") == {
        "2019-04": ["B02", "B05", "B12"],
        "2019-05": ["B02", "B05"],
        JUNE: ["B02", "B05"],
    }
    found = alerts("A18")
    # Never explained: B05's hotline since January, B07's rate, B12's household that nobody registered.
    told = {(institution, "/".join(subject.split("/")[:2])) for institution, subject in found}
    assert {("B05", "grid/G01"), ("B07", "loans/L12"), ("B12", "loans/X04")} <= told
    # Explained: B02's hotline in May, B04's purpose in April.
    assert not told & {("B02", "grid/G01"), ("B04", "loans/L13")}
    assert {row.level for row in found.values()} == {"low"}


def test_aspects_are_those_of_the_table(golden_city: Engine) -> None:
    aspects = {
        "主体责任落实": ["A01", "A03", "A04", "A15"],
        "小额信贷管理": ["A02", "A06", "A09", "A12", "A17", "A18"],
        "贷款质量和用途真实性": ["A05", "A07", "A08", "A10", "A11"],
        "产业贷款推进": ["A13"],
        "产品创新": ["A14"],
    }
    expected = {rule: {aspect} for aspect, rules in aspects.items() for rule in rules}
    with golden_city.connect() as connection:
        rows = connection.execute(
            text("select distinct rule, aspect from mart.current_alert where rule <> 'A16'")
        ).all()
        own = connection.execute(
            text(
                "select alert.aspect, finding.aspect as wanted from mart.current_alert as alert "
                "left join core.inspections as finding on finding.period = alert.period "
                "and finding.finding_no = alert.subject where alert.rule = 'A16'"
            )
        ).all()
    assert {rule: {row.aspect for row in rows if row.rule == rule} for rule in expected} == expected
    assert own
    assert all(row.aspect == row.wanted for row in own)


def test_details_are_sentences_without_what_is_sensitive(golden_city: Engine) -> None:
    with golden_city.connect() as connection:
        details = connection.execute(text("select distinct rule, detail from mart.current_alert")).all()
    assert len(details) > 50
    assert not [row for row in details if not row.detail.endswith("。")]
    assert not [row for row in details if re.search(r"\d{11}", row.detail)]
