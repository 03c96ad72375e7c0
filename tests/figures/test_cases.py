"""What becomes of an alert's case from month to month, and what ops decide on it.

See docs/figures.md#alerts; docs/outputs.md.

The rules are the tests' own, so that what a month raises is plain from its ledger.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from five_precisions.errors import RefusedError, SetupError, UsageError
from five_precisions.figures import (
    CaseState,
    assess,
    list_cases,
    read_case,
    restate,
    set_aside,
    take_back,
)
from five_precisions.figures.alerts import load_alert_rules
from five_precisions.figures.inputs import load_inputs, period_parameters
from five_precisions.period import Period
from five_precisions.settings import Settings
from tests.command_line import assert_one_sentence, run
from tests.figures.conftest import FEBRUARY, JANUARY
from tests.figures.small_city import Rows, SmallCity

MARCH, APRIL, MAY, JUNE, JULY = (Period(2019, number) for number in range(3, 8))

OVERDUE = """\
-- Which loans are overdue? One row per loan.
--
-- rule: T01
-- aspect: 贷款质量和用途真实性
-- level: medium
-- needs: {loans: own}
select
    delivered_by as institution_code,
    null as division_code,
    contract_no as subject,
    overdue_days as measure,
    0 as threshold,
    concat('逾期', overdue_days, '天。') as detail,
    case when overdue_days > 90 then 'high' end as level
from loans
where overdue_days > 0
"""
SHRINKING = """\
-- Which loans shrink below 10,000 yuan? One row per loan; less is worse.
--
-- rule: T02
-- aspect: 小额信贷管理
-- level: high
-- needs: {loans: own}
select
    delivered_by as institution_code,
    null as division_code,
    contract_no as subject,
    balance as measure,
    10000 as threshold,
    '余额低于一万元。' as detail
from loans
where balance < 10000
"""
# Raised by a bank's own ledger, closed only when every bank's position is in.
CAREFUL = OVERDUE.replace("T01", "T03").replace("{loans: own}", "{loans: own}\n-- needs_to_close: {position: all}")

Loans = Mapping[str, Mapping[str, int]]
"""overdue_days and balance by bank and contract; a bank that is not named does not deliver its ledger."""
Rules = Callable[..., None]


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rules:
    """Make these statements the only rules of the runs that follow."""

    def use(*statements: str) -> None:
        folder = tmp_path / f"alerts-{len(list(tmp_path.glob('alerts-*')))}"
        folder.mkdir()
        for number, statement in enumerate(statements):
            (folder / f"{number}.sql").write_text(statement, encoding="utf-8")
        monkeypatch.setattr("five_precisions.figures.alerts.ALERT_FOLDER", folder)

    return use


def loan(contract_no: str, overdue_days: int = 0, balance: int = 30000) -> dict[str, Any]:
    return {"contract_no": contract_no, "overdue_days": overdue_days, "balance": balance}


def deliver(
    engine: Engine,
    *months: Mapping[str, Rows],
    without_position: Mapping[Period, Collection[str]] | None = None,
    inspections: Mapping[Period, Rows] | None = None,
) -> None:
    """Months from January on, closed: ledgers by bank (none where a bank is not named), positions, funds of B01."""
    with engine.begin() as connection:
        city = SmallCity(connection)
        for number, ledgers in enumerate(months, start=1):
            period = Period(2019, number)
            city.open(period)
            for bank in ("B01", "B02", "B03"):
                reports: dict[str, Rows] = {"position": [{}]}
                if bank in (without_position or {}).get(period, ()):
                    reports = {}
                if bank in ledgers:
                    reports["loans"] = ledgers[bank]
                city.deliver(period, bank, **reports)
            city.deliver(period, "C01", guarantee_funds=[{}])
            if inspections and period in inspections:
                city.deliver(period, "Z01", inspections=inspections[period])
            city.close(period)


def states(engine: Engine, subject: str = "L1", rule: str = "T01") -> dict[str, tuple[str, str, str]]:
    """State, change and level of a case by month, in the newest runs."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "select period, state, change, level from mart.current_case_state "
                "where subject = :subject and rule = :rule order by period"
            ),
            {"subject": subject, "rule": rule},
        ).all()
    return {row.period: (row.state, row.change, row.level) for row in rows}


def alerts(engine: Engine, period: Period) -> list[tuple[str, str, str, Decimal]]:
    """Rule, subject, level and measure of what counts in a month."""
    with engine.connect() as connection:
        rows = connection.execute(
            text("select rule, subject, level, measure from mart.current_alert where period = :period order by 1, 2"),
            {"period": str(period)},
        )
        return [tuple(row) for row in rows]


def the_case(engine: Engine, period: Period, subject: str = "L1", rule: str = "T01") -> str:
    [case] = [each for each in list_cases(engine, period=period, rule=rule) if each.subject == subject]
    return case.case_id


def test_a_case_opens_worsens_lasts_closes_and_reopens_with_its_history(
    engine: Engine, settings: Settings, rules: Rules
) -> None:
    rules(OVERDUE)
    days = [10, 10, 100, 120, 110, 0, 5]
    deliver(engine, *({"B01": [loan("L1", each)], "B02": [], "B03": []} for each in days))
    for number in range(1, 8):
        assess(engine, settings, Period(2019, number))
    assert states(engine) == {
        "2019-01": ("open", "new", "medium"),
        "2019-02": ("open", "lasting", "medium"),
        "2019-03": ("open", "worsened", "high"),
        "2019-04": ("open", "worsened", "high"),
        "2019-05": ("open", "lasting", "high"),
        "2019-06": ("closed", "closed", "high"),
        "2019-07": ("open", "reopened", "medium"),
    }
    assert alerts(engine, MAY) == [("T01", "L1", "high", Decimal(110))]
    assert alerts(engine, JUNE) == []
    history = read_case(engine, the_case(engine, JULY))
    assert [(each.first_period, each.since_period, each.times) for each in history.states] == [
        *[("2019-01", "2019-01", 1)] * 6,
        ("2019-01", "2019-07", 2),
    ]
    assert history.decisions == []


def test_a_closed_case_has_no_row_while_nothing_happens_and_less_can_be_worse(
    engine: Engine, settings: Settings, rules: Rules
) -> None:
    rules(OVERDUE, SHRINKING)
    balances = [9000, 9500, 8000, 20000, 20000, 5000]
    deliver(engine, *({"B01": [loan("L1", balance=each)], "B02": [], "B03": []} for each in balances))
    for number in range(1, 7):
        assess(engine, settings, Period(2019, number))
    changes = {period: change for period, (_, change, _) in states(engine, rule="T02").items()}
    assert changes == {
        "2019-01": "new",
        "2019-02": "lasting",
        "2019-03": "worsened",
        "2019-04": "closed",
        "2019-06": "reopened",
    }
    assert list_cases(engine, period=MAY) == []
    assert states(engine) == {}


def test_identity_is_rule_institution_and_subject(engine: Engine, settings: Settings, rules: Rules) -> None:
    rules(OVERDUE, CAREFUL)
    deliver(engine, {"B01": [loan("L1", 1), loan("L2", 1)], "B02": [loan("L1", 1)], "B03": []})
    assess(engine, settings, JANUARY)
    cases = list_cases(engine)
    assert {(each.rule, each.institution_code, each.subject) for each in cases} == {
        (rule, *identity) for rule in ("T01", "T03") for identity in (("B01", "L1"), ("B01", "L2"), ("B02", "L1"))
    }
    assert len({each.case_id for each in cases}) == 6


def test_a_missing_report_leaves_a_case_as_it_was_and_it_counts(
    engine: Engine, settings: Settings, rules: Rules
) -> None:
    rules(OVERDUE)
    ledgers = {"B01": [loan("L1", 100)], "B02": [loan("L9", 10)], "B03": []}
    deliver(engine, ledgers, {"B02": [], "B03": []}, {"B01": [], "B02": [], "B03": []})
    for period in (JANUARY, FEBRUARY, MARCH):
        assess(engine, settings, period)
    assert states(engine) == {
        "2019-01": ("open", "new", "high"),
        "2019-02": ("open", "unjudged", "high"),
        "2019-03": ("closed", "closed", "high"),
    }
    assert states(engine, "L9")["2019-02"] == ("closed", "closed", "medium")
    assert alerts(engine, FEBRUARY) == [("T01", "L1", "high", Decimal(100))]
    [february] = list_cases(engine, period=FEBRUARY, state="open")
    assert (february.detail, february.since_period, february.times) == ("逾期100天。", "2019-01", 1)


def test_closing_may_need_more_than_raising(engine: Engine, settings: Settings, rules: Rules) -> None:
    rules(CAREFUL)
    ledgers = {"B02": [], "B03": []}
    deliver(
        engine,
        {"B01": [loan("L1", 5)], **ledgers},
        {"B01": [loan("L1"), loan("L2", 5)], **ledgers},
        {"B01": [], **ledgers},
        without_position={JANUARY: ["B02"], FEBRUARY: ["B03"]},
    )
    for period in (JANUARY, FEBRUARY, MARCH):
        assess(engine, settings, period)
    changes = [change for _, change, _ in states(engine, rule="T03").values()]
    assert changes == ["new", "unjudged", "closed"]
    assert states(engine, "L2", "T03")["2019-02"] == ("open", "new", "medium")


def test_what_a_rule_yields_without_a_report_that_it_needs_is_not_raised(
    engine: Engine, settings: Settings, rules: Rules
) -> None:
    rules(OVERDUE.replace("{loans: own}", "{loans: own, position: all}"))
    ledgers = {"B01": [loan("L1", 5)], "B02": [], "B03": []}
    deliver(engine, ledgers, ledgers, ledgers, without_position={JANUARY: ["B03"], MARCH: ["B03"]})
    for period in (JANUARY, FEBRUARY, MARCH):
        assess(engine, settings, period)
    assert {period: change for period, (_, change, _) in states(engine).items()} == {
        "2019-02": "new",
        "2019-03": "unjudged",
    }


def test_a_rule_may_say_of_one_case_that_it_cannot_be_judged(engine: Engine, settings: Settings, rules: Rules) -> None:
    rules(OVERDUE.replace("as detail,", "as detail, extended as is_unjudged,"))
    unclear = [loan(contract_no, 100) | {"extended": True} for contract_no in ("L1", "L2")]
    deliver(engine, {"B01": [loan("L1", 5)], "B02": [], "B03": []}, {"B01": unclear, "B02": [], "B03": []})
    for period in (JANUARY, FEBRUARY):
        assess(engine, settings, period)
    assert states(engine)["2019-02"] == ("open", "unjudged", "medium")
    assert alerts(engine, FEBRUARY) == [("T01", "L1", "medium", Decimal(5))]
    assert states(engine, "L2") == {}


def test_the_cases_of_an_institution_that_closed_are_closed(engine: Engine, settings: Settings, rules: Rules) -> None:
    rules(OVERDUE.replace("{loans: own}", "{loans: all}"))
    deliver(
        engine,
        {"B01": [loan("L1", 5)], "B02": [loan("L2", 5)], "B03": []},
        # B01 is gone by the end of February, whatever it still delivers; of B03 the ledger is missing.
        {"B01": [loan("L1", 5)], "B02": []},
    )
    assess(engine, settings, JANUARY)
    with engine.begin() as connection:
        connection.execute(text("update registry.institution set closed_on = '2019-02-28' where code = 'B01'"))
    assess(engine, settings, FEBRUARY)
    assert states(engine)["2019-02"] == ("closed", "closed", "medium")
    assert states(engine, "L2")["2019-02"] == ("open", "unjudged", "medium")


def test_a_rule_is_added_and_taken_away_by_its_file_alone(engine: Engine, settings: Settings, rules: Rules) -> None:
    ledgers = {"B01": [loan("L1", 5, 9000)], "B02": [], "B03": []}
    deliver(engine, ledgers, ledgers, ledgers)
    rules(OVERDUE)
    assess(engine, settings, JANUARY)
    assert [rule for rule, *_ in alerts(engine, JANUARY)] == ["T01"]
    rules(OVERDUE, SHRINKING)
    assess(engine, settings, FEBRUARY)
    assert [rule for rule, *_ in alerts(engine, FEBRUARY)] == ["T01", "T02"]
    rules(SHRINKING)
    assess(engine, settings, MARCH)
    assert [rule for rule, *_ in alerts(engine, MARCH)] == ["T02"]
    assert states(engine)["2019-03"] == ("closed", "closed", "medium")


def test_a_month_builds_on_the_newest_runs_of_earlier_months(engine: Engine, settings: Settings, rules: Rules) -> None:
    rules(OVERDUE)
    ledgers = {"B01": [loan("L1", 5)], "B02": [], "B03": []}
    deliver(engine, ledgers, ledgers, ledgers)
    for period in (JANUARY, FEBRUARY):
        assess(engine, settings, period)
    assert states(engine)["2019-02"][1] == "lasting"
    with engine.begin() as connection:
        SmallCity.resumed(connection).deliver(FEBRUARY, "B01", day=20, loans=[loan("L1")])
    restate(engine, settings, FEBRUARY, "B01 had reported days that were not overdue", "tests")
    assert states(engine)["2019-02"][1] == "closed"
    assess(engine, settings, MARCH)
    assert states(engine)["2019-03"][1] == "reopened"
    history = read_case(engine, the_case(engine, MARCH))
    assert [(each.run_id, each.is_current, each.change, each.times) for each in history.states] == [
        ("2019-01-r1", True, "new", 1),
        ("2019-02-r1", False, "lasting", 1),
        ("2019-02-r2", True, "closed", 1),
        ("2019-03-r1", True, "reopened", 2),
    ]


# Setting aside


@pytest.fixture
def lasting(engine: Engine, settings: Settings, rules: Rules) -> str:
    """A case that lasts from January to April, of which January is assessed."""
    rules(OVERDUE)
    deliver(engine, *({"B01": [loan("L1", 100)], "B02": [], "B03": []} for _ in range(4)))
    assess(engine, settings, JANUARY)
    return the_case(engine, JANUARY)


def test_a_case_that_is_set_aside_counts_nowhere_and_comes_back(
    engine: Engine, settings: Settings, lasting: str
) -> None:
    decision = set_aside(engine, lasting, reason=" 法院 \n已立案 ", until=date(2019, 3, 30), decided_by="ops")
    assert (decision.reason, decision.from_period, decision.last_period) == ("法院 已立案", "2019-01", "2019-02")
    # The announced month stays as it was, and the list says what was decided since.
    assert alerts(engine, JANUARY) == [("T01", "L1", "high", Decimal(100))]
    [listed] = list_cases(engine)
    assert (listed.state, listed.is_decided_since, listed.decision) == (CaseState.OPEN, True, decision)
    for period in (FEBRUARY, MARCH, APRIL):
        assess(engine, settings, period)
    assert states(engine) == {
        "2019-01": ("open", "new", "high"),
        "2019-02": ("set_aside", "lasting", "high"),
        "2019-03": ("open", "returned", "high"),
        "2019-04": ("open", "lasting", "high"),
    }
    assert alerts(engine, FEBRUARY) == []
    assert alerts(engine, MARCH) == [("T01", "L1", "high", Decimal(100))]
    [february] = list_cases(engine, period=FEBRUARY)
    assert (february.state, february.is_decided_since, february.since_period, february.times) == (
        CaseState.SET_ASIDE,
        False,
        "2019-01",
        1,
    )


def test_a_case_that_is_set_aside_is_closed_by_the_data_and_stays_aside_when_it_reopens(
    engine: Engine, settings: Settings, rules: Rules
) -> None:
    rules(OVERDUE)
    days: list[int | None] = [5, 0, 5, None]
    deliver(
        engine,
        *({"B02": [], "B03": []} | ({} if each is None else {"B01": [loan("L1", each)]}) for each in days),
    )
    assess(engine, settings, JANUARY)
    set_aside(engine, the_case(engine, JANUARY), reason="已核实", until=date(2019, 3, 31), decided_by="ops")
    for period in (FEBRUARY, MARCH, APRIL):
        assess(engine, settings, period)
    assert states(engine) == {
        "2019-01": ("open", "new", "medium"),
        "2019-02": ("closed", "closed", "medium"),
        "2019-03": ("set_aside", "reopened", "medium"),
        # The end date is over; what is missing is the report.
        "2019-04": ("open", "unjudged", "medium"),
    }


def acting(engine: Engine, period: Period) -> list[str]:
    """The cases that a run of the month, were it made now, would leave out."""
    with engine.connect() as connection:
        load_inputs(connection, period_parameters(connection, period))
        found = connection.execute(text("select case_id from set_aside order by case_id")).scalars().all()
        connection.rollback()
    return list(found)


def test_of_the_decisions_on_a_case_the_newest_holds_and_none_reaches_back(
    engine: Engine, settings: Settings, lasting: str
) -> None:
    assess(engine, settings, FEBRUARY)
    set_aside(engine, lasting, reason="已核实", until=date(2019, 4, 30), decided_by="ops")
    assert [acting(engine, period) for period in (JANUARY, FEBRUARY, APRIL, MAY)] == [[], [lasting], [lasting], []]
    set_aside(engine, lasting, reason="更正日期", until=date(2019, 3, 31), decided_by="ops")
    assert [acting(engine, period) for period in (FEBRUARY, MARCH, APRIL)] == [[lasting], [lasting], []]
    assess(engine, settings, MARCH)
    take_back(engine, lasting, reason="情况有变", decided_by="inspector")
    # February, were it restated, would still be what was decided in its time.
    assert [acting(engine, period) for period in (FEBRUARY, MARCH, APRIL)] == [[lasting], [], []]
    [listed] = list_cases(engine)
    assert (listed.state, listed.is_decided_since) == (CaseState.SET_ASIDE, True)
    assess(engine, settings, APRIL)
    assert states(engine)["2019-04"] == ("open", "returned", "high")
    history = read_case(engine, lasting)
    assert [(each.from_period, each.until, each.decided_by) for each in history.decisions] == [
        ("2019-02", date(2019, 4, 30), "ops"),
        ("2019-02", date(2019, 3, 31), "ops"),
        ("2019-03", None, "inspector"),
    ]


def test_a_decision_is_an_input_of_the_newest_month_and_not_of_those_before(
    engine: Engine, settings: Settings, lasting: str
) -> None:
    assess(engine, settings, FEBRUARY)
    set_aside(engine, lasting, reason="已核实", until=date(2019, 12, 31), decided_by="ops")
    assert not restate(engine, settings, JANUARY, "look again", "tests").is_new
    restated = restate(engine, settings, FEBRUARY, "the case was set aside", "tests")
    assert restated.is_new
    assert ("alert", "B01", "T01/L1/level", "high", None) in {
        (each.mart, each.scope_code, each.figure, each.before, each.after) for each in restated.figures
    }
    assert states(engine)["2019-02"][0] == "set_aside"
    # A later end date changes nothing of a month in which the case was set aside anyway.
    set_aside(engine, lasting, reason="仍在审理", until=date(2020, 12, 31), decided_by="ops")
    assert not restate(engine, settings, FEBRUARY, "look again", "tests").is_new


def test_what_cannot_be_decided_is_refused(engine: Engine, settings: Settings, lasting: str) -> None:
    aside = {"reason": "已核实", "until": date(2019, 12, 31), "decided_by": "ops"}
    with pytest.raises(UsageError, match="'T01-B01-nonsense' is not a case"):
        set_aside(engine, "T01-B01-nonsense", **aside)
    with pytest.raises(UsageError, match="is not a case"):
        set_aside(engine, "\x00\udcff", **aside)
    with pytest.raises(UsageError, match="for a reason"):
        set_aside(engine, lasting, **aside | {"reason": " \n "})
    with pytest.raises(UsageError, match="2019-01-30 lies in the past: 2019-01 is assessed"):
        set_aside(engine, lasting, **aside | {"until": date(2019, 1, 30)})
    with pytest.raises(RefusedError, match="is not set aside"):
        take_back(engine, lasting, reason="情况有变", decided_by="ops")
    with pytest.raises(UsageError, match="control character U\\+0000"):
        set_aside(engine, lasting, **aside | {"reason": "已\x00核实"})
    assert read_case(engine, lasting).decisions == []

    set_aside(engine, lasting, **aside | {"reason": "账号6222020200112233445已核实"})
    take_back(engine, lasting, reason="情况有变", decided_by="ops")
    first, _ = read_case(engine, lasting).decisions
    assert "6222020200112233445" not in first.reason
    assert first.reason.endswith("已核实")
    with pytest.raises(RefusedError, match="is not set aside"):
        take_back(engine, lasting, reason="情况有变", decided_by="ops")
    with pytest.raises(UsageError, match="is not a case"):
        take_back(engine, "X", reason="情况有变", decided_by="ops")


def test_a_closed_case_is_not_set_aside(engine: Engine, settings: Settings, rules: Rules) -> None:
    rules(OVERDUE)
    deliver(engine, *({"B01": [loan("L1", each)], "B02": [], "B03": []} for each in (5, 0)))
    assess(engine, settings, JANUARY)
    case_id = the_case(engine, JANUARY)
    assess(engine, settings, FEBRUARY)
    with pytest.raises(RefusedError, match="was closed by the data of 2019-02"):
        set_aside(engine, case_id, reason="已核实", until=date(2019, 12, 31), decided_by="ops")


# Files that declare, or yield, what is wrong


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        pytest.param("-- rule: T01\n", "", "is wrong at rule: Field required", id="no rule"),
        pytest.param("rule: T01", "rule: t-1", "is wrong at rule", id="rule that no case can be named after"),
        pytest.param("level: medium", "level: grave", "is wrong at level", id="no such level"),
        pytest.param("贷款质量和用途真实性", "贷款质量", "no such aspect: 贷款质量", id="no such aspect"),
        pytest.param("{loans: own}", "{loan: own}", "no such report: loan", id="no such report"),
        pytest.param("{loans: own}", "{loans: mine}", "is wrong at needs.loans", id="nobody's report"),
        pytest.param("-- needs", "-- needs_to_open", "is wrong at", id="no such declaration"),
        pytest.param("-- needs: {loans: own}", "-- needs: {loans: own", "does not say", id="no YAML"),
        pytest.param("-- needs", "-- rule: T02\n-- needs", "rule stands there twice, again in line", id="two rules"),
        pytest.param("--\n", "", "does not say in its head comment", id="no declaration"),
    ],
)
def test_a_file_that_declares_what_is_wrong_is_named(tmp_path: Path, before: str, after: str, sentence: str) -> None:
    assert before in OVERDUE
    path = tmp_path / "own.sql"
    path.write_text(OVERDUE.replace(before, after), encoding="utf-8")
    with pytest.raises(SetupError, match=sentence) as caught:
        load_alert_rules(tmp_path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_rule_stands_in_one_file_and_there_are_some(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="holds no rule"):
        load_alert_rules(tmp_path / "empty")
    for name in ("one.sql", "two.sql"):
        (tmp_path / name).write_text(OVERDUE, encoding="utf-8")
    with pytest.raises(SetupError, match=r"two\.sql declares the rule T01, which another file"):
        load_alert_rules(tmp_path)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "one.sql").write_bytes(OVERDUE.encode("gb18030"))
    with pytest.raises(SetupError, match=r"one\.sql is not UTF-8"):
        load_alert_rules(foreign)


def test_a_statement_that_yields_what_is_no_alert_is_named(engine: Engine, settings: Settings, rules: Rules) -> None:
    deliver(engine, {"B01": [loan("L1", 5), loan("L2", 6)], "B02": [], "B03": []})
    for before, after, sentence in (
        ("delivered_by as", "'B99' as", "institution B99 is not in the register"),
        ("delivered_by as", "null as", "institution null is not in the register"),
        ("contract_no as", "null as", "it has no subject"),
        ("contract_no as", "'' as", "it has no subject"),
        ("contract_no as", "'L' as", "B01, L comes more than once"),
        ("concat('逾期', overdue_days, '天。') as", "null as", "it has no detail"),
        ("-- aspect: 贷款质量和用途真实性\n", "", "it has no aspect"),
        ("as detail,", "as detail, '其他' as aspect,", "there is no aspect 其他"),
        ("> 90 then 'high'", "> 1 then 'grave'", "there is no level grave"),
        ("0 as threshold,", "", "does not run: column found.threshold does not exist"),
        ("overdue_days as measure", "'many' as measure", 'does not run: column "measure" is of type numeric'),
        ("overdue_days as measure", "1 / (overdue_days - 5) as measure", "does not run: division by zero"),
        ("overdue_days > 0", "overdue_days > 0;", "does not run: syntax error"),
        ("overdue_days > 0", "overdue_days > :days", "binds 'days', which a run does not have"),
    ):
        assert before in OVERDUE
        rules(OVERDUE.replace(before, after))
        with pytest.raises(SetupError, match="T01") as caught:
            assess(engine, settings, JANUARY)
        assert sentence in str(caught.value)
        assert "\n" not in str(caught.value)
    # Nothing of it is left, and with a sound rule the month is made.
    rules(OVERDUE)
    assert assess(engine, settings, JANUARY).is_new
    assert len(alerts(engine, JANUARY)) == 2


# Findings of inspections


def followed(engine: Engine, period: Period) -> dict[str, tuple[str, int, str]]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("select * from mart.current_inspection_followup where period = :period order by finding_no"),
            {"period": str(period)},
        )
        return {row.finding_no: (row.state, row.open_alerts, row.remark) for row in rows}


def finding(finding_no: str, due_on: date, mended_on: date | None = None, **more: object) -> dict[str, Any]:
    return {
        "finding_no": finding_no,
        "aspect": "贷款质量和用途真实性",
        "due_on": due_on,
        "mended_on": mended_on,
        **more,
    }


def test_findings_are_followed_to_their_mending_and_checked_against_later_files(
    engine: Engine, settings: Settings, rules: Rules
) -> None:
    rules(OVERDUE, SHRINKING)
    may_10, april_30 = date(2019, 5, 10), date(2019, 4, 30)
    listed = [
        finding("N1", may_10),
        finding("N2", april_30),
        finding("N3", date(2019, 2, 20)),
        finding("N4", may_10, date(2019, 3, 20), institution_code="B02"),
        finding("N5", date(2019, 3, 1), date(2019, 3, 20), aspect="产品创新"),
        finding("N6", may_10, date(2019, 3, 20)),
        finding("N7", may_10, date(2019, 2, 28)),
        finding("N8", may_10, date(2019, 4, 2), aspect="产品创新"),
    ]
    # L1 is overdue from March on, L2 at B02 from April on: nothing that was mended in March is in doubt by that.
    ledgers: list[dict[str, Rows]] = [
        {"B01": [], "B02": [], "B03": []},
        {"B01": [], "B02": [], "B03": []},
        {"B01": [loan("L1", 5)], "B02": [], "B03": []},
        {"B01": [loan("L1", 6)], "B02": [loan("L2", 6)], "B03": []},
    ]
    deliver(engine, *ledgers, inspections={MARCH: listed, APRIL: listed})
    for period in (JANUARY, FEBRUARY, MARCH, APRIL):
        assess(engine, settings, period)
    assert followed(engine, FEBRUARY) == {}
    assert followed(engine, MARCH) == {
        "N1": ("running", 1, "整改期限2019年5月10日，尚未到期。"),
        "N2": ("running", 1, "整改期限2019年4月30日，尚未到期。"),
        "N3": ("overdue", 1, "整改期限2019年2月20日，已逾期39天，尚未整改完成。"),
        "N4": ("mended", 0, "已于2019年3月20日按期整改完成。"),
        "N5": ("mended_late", 0, "已于2019年3月20日整改完成，比整改期限晚19天。"),
        "N6": (
            "doubtful",
            1,
            "台账称已于2019年3月20日整改完成，但同一方面仍有1项预警未消除（最早自2019-03起），请核实。",
        ),
        "N7": ("mended", 0, "已于2019年2月28日按期整改完成。"),
        "N8": ("running", 0, "整改期限2019年5月10日，尚未到期。"),
    }
    april = followed(engine, APRIL)
    assert {number: state for number, (state, _, _) in april.items()} == {
        "N1": "running",
        "N2": "running",  # due on the last day, not before it
        "N3": "overdue",
        "N4": "mended",
        "N5": "mended_late",
        "N6": "doubtful",
        "N7": "mended",
        "N8": "mended",
    }


def test_a_finding_that_goes_without_being_mended_is_noticed(engine: Engine, settings: Settings, rules: Rules) -> None:
    rules(OVERDUE)
    open_ones = [finding("N1", date(2019, 1, 20)), finding("N2", date(2019, 5, 1))]
    others = [
        finding("N3", date(2019, 1, 20), date(2019, 1, 15)),
        finding("N4", date(2019, 1, 20), date(2019, 2, 3)),  # by the end of January still open
        finding("N5", date(2019, 5, 1), institution_code="B02"),
    ]
    nothing: dict[str, Rows] = {"B01": [], "B02": [], "B03": []}
    deliver(
        engine,
        *[nothing] * 5,
        inspections={
            JANUARY: [*open_ones, *others],
            # February's file is missing.
            MARCH: open_ones[:1],
            APRIL: [],
            MAY: [finding("N1", date(2019, 1, 20), date(2019, 5, 2))],
        },
    )
    for period in (JANUARY, FEBRUARY):
        assess(engine, settings, period)
    with engine.begin() as connection:
        connection.execute(text("update registry.institution set closed_on = '2019-03-01' where code = 'B02'"))
    for period in (MARCH, APRIL, MAY):
        assess(engine, settings, period)
    assert followed(engine, FEBRUARY) == {}
    words = "台账中尚未整改完成，此后台账不再列出，请核实。"
    assert followed(engine, MARCH) == {
        "N1": ("overdue", 0, "整改期限2019年1月20日，已逾期70天，尚未整改完成。"),
        "N2": ("gone", 0, f"2019-01{words}"),
    }
    assert followed(engine, APRIL) == {
        "N1": ("gone", 0, f"2019-03{words}"),
        "N2": ("gone", 0, f"2019-01{words}"),
    }
    assert followed(engine, MAY) == {
        "N1": ("mended_late", 0, "已于2019年5月2日整改完成，比整改期限晚102天。"),
        "N2": ("gone", 0, f"2019-01{words}"),
    }


# The command line


def test_cases_are_listed_shown_set_aside_and_taken_back(engine: Engine, settings: Settings, lasting: str) -> None:
    [listed] = json.loads(run("cases", "list", "--json").stdout)
    assert (listed["case_id"], listed["state"], listed["level"], listed["decision"]) == (lasting, "open", "high", None)
    assert json.loads(run("cases", "list", "--json", "--institution", "B02").stdout) == []
    filters = ("--period", "2019-01", "--institution", "B01", "--rule", "T01", "--level", "high", "--state", "open")
    assert [each["case_id"] for each in json.loads(run("cases", "list", "--json", *filters).stdout)] == [lasting]

    words = ("cases", "set-aside", lasting, "--reason", "已核实", "--until")
    result = run(*words, "2019-03-31")
    assert (result.returncode, result.stderr) == (0, "")
    assert "counts nowhere in the months after 2019-01, up to 2019-03." in result.stdout
    assert "counts nowhere if 2019-01 is restated" in run(*words, "2019-02-27").stdout
    assert "aside until 2019-02-27, from the next run on" in run("cases", "list").stdout
    shown = run("cases", "show", lasting).stdout
    assert "逾期100天。" in shown
    assert shown.count("已核实") == 2
    taken_back = json.loads(run("cases", "take-back", lasting, "--reason", "情况有变", "--json").stdout)
    assert taken_back["until"] is None
    assert len(json.loads(run("cases", "show", lasting, "--json").stdout)["decisions"]) == 3


def test_commands_on_cases_refuse_with_one_sentence(engine: Engine, settings: Settings, lasting: str) -> None:
    aside = ("--reason", "已核实", "--until", "2019-12-31")
    assert_one_sentence(run("cases", "set-aside", "X", *aside), 2, "'X' is not a case")
    assert_one_sentence(run("cases", "take-back", lasting, "--reason", "x"), 1, "is not set aside")
    assert_one_sentence(run("cases", "list", "--level", "grave"), 2, "'grave' is not a level; there are: high, low")


def test_a_list_of_nothing_that_exists_is_refused(engine: Engine, settings: Settings, rules: Rules) -> None:
    with pytest.raises(RefusedError, match="No month has been assessed"):
        list_cases(engine)
    rules(OVERDUE)
    deliver(engine, {"B01": [loan("L1", 5)], "B02": [], "B03": []})
    assess(engine, settings, JANUARY)
    assert (
        len(list_cases(engine, period=JANUARY, institution_code="B01", rule="T01", level="medium", state="open")) == 1
    )
    with pytest.raises(RefusedError, match="2019-02 has not been assessed"):
        list_cases(engine, period=FEBRUARY)
    with pytest.raises(UsageError, match="'B99' is not an institution of the register"):
        list_cases(engine, institution_code="B99")
    with pytest.raises(UsageError, match="'T99' is not a rule that has opened a case; there are: T01"):
        list_cases(engine, rule="T99")
    with pytest.raises(UsageError, match="'shut' is not a state of a case; there are: closed, open, set_aside"):
        list_cases(engine, state="shut")
