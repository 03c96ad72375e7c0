"""A delivery is held against the rows that it is linked to, and comes to what the whole month would have said.

See docs/reports.md#rules.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from five_precisions.intake.findings import Finding
from five_precisions.intake.ledger import Fact, fact_of
from five_precisions.intake.rules.checks import standing_findings
from five_precisions.intake.rules.own_rows import BroughtToLight, bring_to_light, forget_standing_checks, keep_digests
from five_precisions.period import Period
from five_precisions.register import Register, read_register
from five_precisions.reports import load_reports
from five_precisions.reports.cross_rules import Moment, load_cross_rules
from five_precisions.settings import Settings
from tests.intake.test_checks import City
from tests.packages import JUNE, sound
from tests.rows import rows

DECEMBER = Period(2018, 12)
BANKS = ("B01", "B02", "B03")
OFFICES = ("C01", "C02", "C03", "C04")
KEEP_VERSION = text("""
insert into intake.submission (
    submission_id, period, institution_code, version, received_at, replayed, digest, verdict, recorded_at
)
values (:id, :period, :code, :version, now(), :replayed, :id, 'accepted', clock_timestamp())
""")
KEEP_REPORT = text("""
insert into intake.report (submission_id, report, rows, control_total, verdict, errors, warnings, file, sheet, places)
values (:id, :report, :rows, null, 'accepted', 0, 0, 'a.xlsx', null, '{}')
""")


class Month:
    """Versions written straight into the warehouse, each row a sound one but for what is changed."""

    def __init__(self, connection: Connection, seed: int) -> None:
        self.connection = connection
        self.chance = random.Random(seed)
        self.reported: dict[str, set[Fact]] = {}
        self.found = 0

    def keep(self, code: str, reports: Mapping[str, Sequence[dict[str, Any]]], *, replayed: bool = False) -> None:
        self.keep_of(JUNE, code, reports, replayed=replayed)

    def keep_of(
        self, period: Period, code: str, reports: Mapping[str, Sequence[dict[str, Any]]], *, replayed: bool = False
    ) -> None:
        count = f"select count(*) from intake.submission where period = '{period}' and institution_code = '{code}'"
        version = self.connection.exec_driver_sql(count).scalar_one() + 1
        own = {"id": f"{period}-{code}-{version}", "period": str(period), "code": code, "version": version}
        self.connection.execute(KEEP_VERSION, own | {"replayed": replayed})
        for report, lines in reports.items():
            self.connection.execute(KEEP_REPORT, {"id": own["id"], "report": report, "rows": len(lines)})
            for number, changes in enumerate(lines, start=2):
                place = {"period": str(period), "submission_id": own["id"], "delivered_by": code, "row_number": number}
                self.connection.execute(
                    text(
                        f"insert into core.delivered_{report} "
                        f"select (jsonb_populate_record(cast(null as core.delivered_{report}), "
                        "to_jsonb(sound) || cast(:changes as jsonb))).* from ("
                        f"select * from core.delivered_{report} where submission_id like '2019-06-%-1' "
                        "order by submission_id desc limit 1) as sound"
                    ),
                    {"changes": json.dumps(changes | place)},
                )

    def any_reports(self, code: str) -> dict[str, list[dict[str, Any]]]:
        """Reports of an institution, of few values, so that others have the same."""
        of = self.chance.choice
        if code in OFFICES:
            households = [
                {"household_no": f"H-{of(range(6))}", "head_id_hash": of("abcd")} for _ in range(of((0, 1, 2, 3)))
            ]
            all_reports = {"households": households, "projects": [{"project_no": f"XM-{of(range(4))}"}] * of((0, 1))}
        else:
            loans = [
                {
                    "contract_no": f"HT-{number}",
                    "household_no": of(("H-0", "H-1", "H-2", "H-3", "H-4", "H-5", None)),
                    "borrower_kind": of(("农户", "企业")),
                    "borrower_id_hash": of("abcd"),
                    "microcredit": of((True, False)),
                    "balance": of((0, 20_000, 40_000)),
                    "project_no": of(("XM-0", "XM-1", "XM-2", None)),
                    "payee_account_hash": of(("p", "q", None)),
                }
                for number in range(of((0, 1, 2, 3)))
            ]
            # A household without a number is nobody's: the suites let no such microcredit pass.
            for loan in loans:
                loan["microcredit"] = loan["microcredit"] and loan["household_no"] is not None
            all_reports = {
                "loans": loans,
                "matches": [{"project_no": f"XM-{of(range(4))}"} for _ in range(of((0, 1)))],
                "position": [{"microcredit_year_begin": of((0, 1, 5))}],
            }
        chosen = [report for report in all_reports if of((True, True, False))]
        return {report: all_reports[report] for report in chosen}

    def judge(self, code: str) -> Mapping[str, Sequence[Finding]]:
        """What a delivery's checks say, held against what the whole month says."""
        register = read_register(self.connection)
        whole = standing_findings(self.connection, register, JUNE, at_close=False)
        found = asked(self.connection, register, code, is_closed=False).findings
        assert found.get(code, []) == whole.get(code, [])
        for other, findings in whole.items():
            known = found.get(other, [])
            assert [each for each in findings if each in known] == known, other
            before = self.reported.setdefault(other, set())
            assert {fact_of(each) for each in findings} - before <= {fact_of(each) for each in known}, other
            before |= {fact_of(each) for each in known}
            self.found += len(known)
        assert set(found) <= set(whole)
        # Each delivery has a transaction of its own.
        self.connection.commit()
        return found


def asked(connection: Connection, register: Register, code: str, *, is_closed: bool) -> BroughtToLight:
    """What a delivery brings to light, with what its checks rested on kept."""
    brought = bring_to_light(connection, register, JUNE, code, is_closed=is_closed)
    keep_digests(connection, JUNE, brought.digests)
    return brought


@pytest.fixture
def connection(engine: Engine, settings: Settings) -> Connection:
    """In a city whose offices have all delivered."""
    city = City(engine, settings)
    for code in OFFICES:
        number = f"{code}-1"
        city.deliver(code, households=[sound("households", household_no=number)], projects=[sound("projects")])
    city.deliver("B03", loans=[sound("loans")], matches=[sound("matches")], position=[sound("position")])
    city.deliver("B03", DECEMBER, loans=[sound("loans")])
    return engine.connect()


@pytest.mark.parametrize("seed", range(6))
def test_own_rows_say_what_the_whole_month_says(connection: Connection, seed: int) -> None:
    """Also of corrections, which take rows back, and after what nobody was told of."""
    with connection:
        month = Month(connection, seed)
        fewer = 0
        for step in range(40):
            code = month.chance.choice((*BANKS, *OFFICES))
            reports = month.any_reports(code)
            if step % 13 == 12:
                # Of a replay nobody is told before the next delivery, whoever's it is.
                month.keep(code, reports, replayed=True)
                forget_standing_checks(connection, JUNE)
                code = month.chance.choice((*BANKS, *OFFICES))
                reports = month.any_reports(code)
            if step % 11 == 10:
                month.keep_of(DECEMBER, "B02", {"loans": [{"balance": 50_000, "contract_no": f"HT-{step}"}]})
            month.keep(code, reports)
            found = month.judge(code)
            whole = standing_findings(connection, read_register(connection), JUNE, at_close=False)
            fewer += sum(map(len, found.values())) < sum(map(len, whole.values()))
        assert month.found > 40
        assert fewer > 5


def test_a_changed_register_has_the_whole_month_asked(connection: Connection) -> None:
    """The check begins to have its say where the last office that owes a register leaves."""
    with connection:
        month = Month(connection, seed=1)
        gone = "delete from intake.report where report = 'households' and submission_id = '2019-06-C04-1'"
        connection.exec_driver_sql(gone)
        month.keep("B01", {"loans": [{"household_no": "H-9", "contract_no": "HT-9"}]})
        assert {each.rule for each in month.judge("B01").get("B01", [])}.isdisjoint({"X04"})
        connection.exec_driver_sql("update registry.institution set closed_on = '2019-01-01' where code = 'C04'")
        month.keep("B02", {"matches": []})
        assert [(each.rule, each.key) for each in month.judge("B02")["B01"] if each.rule == "X04"] == [("X04", "HT-9")]


def test_a_closed_month_is_asked_about_again(connection: Connection) -> None:
    with connection:
        month = Month(connection, seed=1)
        month.judge("B01")
        kept = "select rule from intake.standing_check order by rule"
        assert connection.exec_driver_sql(kept).scalars().all() == ["H03", "X04", "X05", "X06", "X07", "X08", "X09"]
        month.keep("B02", {"loans": [{"household_no": "H-9", "contract_no": "HT-9"}]})
        found = asked(connection, read_register(connection), "B02", is_closed=True).findings
        assert [(each.rule, each.key) for each in found["B02"] if each.rule == "X04"] == [("X04", "HT-9")]
        assert connection.exec_driver_sql(kept).all() == []


def test_what_adds_up_all_ledgers_is_asked_about_ledgers_alone(engine: Engine, settings: Settings) -> None:
    """An office has none, and the league's row is as it was before (X10)."""
    city = City(engine, settings, live=True)
    city.deliver("Z01", league=[sound("league", ytd_households="9", ytd_amount="1", balance="1")])
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "update registry.institution set closed_on = '2019-01-01' where kind = 'bank' and code > 'B02'"
        )
    asked_by: list[str] = []

    def note_asked(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "rule: X10" in statement:
            asked_by.append(code)

    event.listen(engine, "before_cursor_execute", note_asked)
    for code, balance in (("B01", "40000"), ("B02", "20000"), ("C01", None), ("B02", "30000"), ("Z01", None)):
        reports = {"C01": {"projects": [sound("projects")]}, "Z01": {"league": [sound("league", balance="2")]}}
        loans = {"loans": [sound("loans", contract_no=f"HT-{code}", balance=balance)]} if balance else reports[code]
        city.deliver(code, **loans)
    assert asked_by == ["B02", "B02", "Z01"]
    kept = (
        "select submission_id, value, expected from intake.finding where rule = 'X10' and header = :header order by 1"
    )
    with engine.connect() as connection:
        header = load_reports()["league"].column("balance").header
        assert connection.execute(text(kept), {"header": header}).all() == [
            ("2019-06-Z01-2", "2.00", "7.00"),
            ("2019-06-Z01-x1", "1.00", "6.00"),
        ]


def test_every_check_that_can_be_asked_about_linked_rows_is(engine: Engine) -> None:
    """All but the league's row, which is held against the sum of all ledgers."""
    judged = [check for check in load_cross_rules() if check.moment is Moment.STANDING]
    assert [check.rule for check in judged if not check.links] == ["X10"]
    indexed = rows(engine, "select indexname from pg_indexes where schemaname = 'core' and indexname like 'linked_%'")
    assert len(indexed) == 6
