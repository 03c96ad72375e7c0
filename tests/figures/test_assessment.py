"""The assessment line by line, with what is left out, exactly on a bound, tied or missing, by hand.

See docs/figures.md.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from five_precisions.errors import SetupError
from five_precisions.figures import assess
from five_precisions.period import Period
from five_precisions.reference import sql_files
from five_precisions.settings import INCLUDE, Settings
from tests.figures.conftest import FEBRUARY, JANUARY
from tests.figures.small_city import Rows, SmallCity
from tests.rows import rows

DECEMBER_BEFORE = date(2018, 12, 20)


def points_of(engine: Engine, indicator: str, period: Period = JANUARY) -> dict[str, Decimal | None]:
    found = rows(
        engine,
        "select institution_code, points from mart.current_assessment_item "
        f"where indicator = '{indicator}' and period = '{period}'",
    )
    return dict(found)


def standings(engine: Engine, period: Period = JANUARY) -> dict[str, tuple[Decimal | None, str | None, int | None]]:
    found = rows(
        engine,
        "select institution_code, score, grade, rank from mart.current_assessment "
        f"where period = '{period}' order by institution_code",
    )
    return {code: (score, grade, rank) for code, score, grade, rank in found}


def with_reference(settings: Settings, folder: Path, **files: str) -> Settings:
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    return settings.model_copy(update={"reference": folder})


def old_loan(number: str, balance: object, **others: object) -> dict[str, object]:
    """Microcredit of a household of its own, issued long before the year."""
    return {"contract_no": number, "household_no": number, "issued_on": date(2018, 5, 1), "balance": balance} | others


def funds(*banks: str) -> Rows:
    return [{"bank_code": bank} for bank in banks]


@pytest.mark.parametrize(
    ("all_loans", "begin", "expected"),
    [
        pytest.param(
            1100,
            1000,
            {"B01": "0", "B02": "1", "B03": "1", "B04": "0.5", "B05": "0", "B06": "1", "B07": "0"},
            id="the city grows by 10 percent",
        ),
        pytest.param(
            1000,
            1000,
            # Nothing but more than the city's 0 counts; B07 has exactly that.
            {"B01": "0", "B02": "1", "B03": "1", "B04": "1", "B05": "0", "B06": "1", "B07": "0"},
            id="the city stands still",
        ),
        pytest.param(
            400,
            1000,
            # All grow by more than -60 percent, but B08, which has lost all.
            {"B01": "0", "B02": "1", "B03": "1", "B04": "1", "B05": "1", "B06": "1", "B07": "1"},
            id="the city shrinks",
        ),
        pytest.param(
            1000,
            0,
            {"B01": "0", "B02": "1", "B03": "0", "B04": "0", "B05": "0", "B06": "0", "B07": "0"},
            id="the city's growth is not known",
        ),
    ],
)
def test_growth_against_the_city(
    engine: Engine, settings: Settings, all_loans: int, begin: int, expected: Mapping[str, str]
) -> None:
    """Balance and year-begin balance of each bank in 万元."""
    banks = {
        "B01": (0, 0),
        "B02": ("0.01", 0),
        "B03": (11, 10),
        "B04": (21, 20),
        "B05": (5, 10),
        "B06": (20, 10),
        "B07": (10, 10),
        "B08": (0, 10),
    }
    with engine.begin() as connection:
        city = SmallCity(connection, banks=tuple(banks))
        city.open(JANUARY)
        for bank, (balance, year_begin) in banks.items():
            city.deliver(
                JANUARY,
                bank,
                loans=[old_loan(bank, Decimal(balance) * 10_000)] if balance else [],
                position=[
                    {"all_loans": all_loans, "all_loans_year_begin": begin, "microcredit_year_begin": year_begin}
                ],
            )
        city.deliver(JANUARY, "C01", guarantee_funds=funds("B01"))
        city.close(JANUARY)
    assess(engine, settings, JANUARY)

    found = points_of(engine, "growth")
    assert found.pop("B08") == 0
    assert found == {bank: Decimal(points) for bank, points in expected.items()}


def test_quality_between_its_thresholds(engine: Engine, settings: Settings) -> None:
    """Each bank has so much overdue, in yuan, of a balance of 1,000,000."""
    overdue = {"B01": 10_000, "B02": 10_001, "B03": 30_000, "B04": 50_000, "B05": 60_000, "B06": 0}
    with engine.begin() as connection:
        city = SmallCity(connection, banks=(*overdue, "B07", "B08"))
        city.open(JANUARY)
        for bank, amount in overdue.items():
            loans = [old_loan(f"{bank}-good", 1_000_000 - amount), old_loan(f"{bank}-bad", amount, overdue_days=1)]
            city.deliver(JANUARY, bank, loans=loans, position=[{}])
        # Only loans that are no microcredit are overdue; nothing is owed any more.
        other = old_loan("B07-other", 10_000, microcredit=False, overdue_days=90)
        city.deliver(JANUARY, "B07", loans=[other], position=[{}])
        city.deliver(JANUARY, "B08", loans=[old_loan("B08-settled", 0)], position=[{}])
        city.deliver(JANUARY, "C01", guarantee_funds=funds("B01"))
        city.close(JANUARY)
    assess(engine, settings, JANUARY)

    found = points_of(engine, "quality")
    expected = {
        "B01": "1",
        "B02": "0.999975",
        "B03": "0.5",
        "B04": "0",
        "B05": "0",
        "B06": "1",
        "B07": "1",
        "B08": "1",
    }
    assert found == {bank: Decimal(points) for bank, points in expected.items()}


def test_what_is_not_assessed_and_what_gives_nothing(engine: Engine, settings: Settings) -> None:
    """A target of 0, nothing offered, matches missing, no household assigned, nothing passed at once."""
    with engine.begin() as connection:
        city = SmallCity(connection, banks=("B01", "B02", "B03", "B04"))
        city.open(JANUARY)
        loans = [{"contract_no": "L1", "household_no": "H1", "balance": 10_000}]
        # B01 has everything; it lends to 1 of the 100 that 1,200 a year make in January.
        city.deliver(
            JANUARY, "B01", loans=loans, position=[{}], matches=[{}], visits=[{}, {"household_no": "H1"}], grid=[]
        )
        city.deliver(JANUARY, "B02", loans=loans, position=[{"county_code": "441704"}])
        city.deliver(JANUARY, "B03", loans=loans, position=[{}])
        city.deliver(JANUARY, "B04", rejected=("loans", "position"))
        city.deliver(JANUARY, "B04", day=20, loans=[old_loan("L4", 10_000, overdue_days=1)], position=[{}])
        city.deliver(
            JANUARY,
            "C01",
            households=[{}, {"household_no": "H2"}, {"household_no": "H3", "bank_code": "B03"}],
            projects=[{}, {"project_no": "P2", "pushed_to": "B03"}, {"project_no": "P9", "status": "退出"}],
            guarantee_funds=funds("B01"),
        )
        city.deliver(
            JANUARY,
            "Z01",
            inspections=[{"finding_no": f"N{number}", "institution_code": "B04"} for number in range(6)],
        )
        city.close(JANUARY)
    assess(engine, settings, JANUARY)

    def read(indicator: str) -> list[str | None]:
        found = points_of(engine, indicator)
        assert list(found) == ["B01", "B02", "B03", "B04"]
        return [None if points is None else f"{round(points, 4).normalize():f}" for points in found.values()]

    assert read("completion") == ["0.01", None, None, None]
    # P1 to all of the county, P2 to B03 alone; B02 works elsewhere, and only B01 answers.
    assert read("matching") == ["1", None, "0", "0"]
    assert read("visits") == ["0.5", None, "0", None]
    # On time 5, 2, 2, none of 6; all that was received passed at once, but of B04 nothing.
    assert read("reporting") == ["0.9167", "0.6667", "0.6667", "0"]
    notes = dict(
        rows(
            engine,
            "select concat(institution_code, ' ', indicator), note from mart.current_assessment_item "
            "where indicator in ('completion', 'matching', 'visits')",
        )
    )
    assert notes["B02 completion"] == "未分配全年目标，不考核"
    assert notes["B02 matching"] == "没有推送的项目，不考核"
    assert notes["B02 visits"] == "没有责任贫困户，不考核"
    assert notes["B03 matching"] == "未报送产业项目对接表"
    # B01: 0 + 0.4 + 10 + 5 + 10 + 9.1667. B02: (0 + 10 + 6.6667) of 40, B03 the same of 60.
    # B04: nothing, less what is off.
    assert standings(engine) == {
        "B01": (Decimal("34.57"), "勉励", 2),
        "B02": (Decimal("41.67"), "勉励", 1),
        "B03": (Decimal("27.78"), "勉励", 3),
        "B04": (Decimal("0.00"), "勉励", 4),
    }
    assert rows(engine, "select deductions from mart.current_assessment where institution_code = 'B04'") == [(10,)]


def test_deductions_for_findings_and_high_alerts_end_at_ten(engine: Engine, settings: Settings) -> None:
    inspections = [
        # B01: three are overdue.
        *({"finding_no": f"N{number}"} for number in range(3)),
        # B02: overdue, and mended only after the end; not overdue: due on the last day, mended on it.
        {"finding_no": "N4", "institution_code": "B02"},
        {"finding_no": "N5", "institution_code": "B02", "mended_on": date(2019, 2, 1)},
        {"finding_no": "N6", "institution_code": "B02", "due_on": date(2019, 1, 31)},
        {"finding_no": "N7", "institution_code": "B02", "mended_on": date(2019, 1, 31)},
        {"finding_no": "N8", "institution_code": "B03", "due_on": date(2019, 3, 1)},
        {"finding_no": "N9", "institution_code": "C01"},
    ]
    with engine.begin() as connection:
        city = SmallCity(connection)
        city.open(JANUARY)
        # Five households owe over 50,000 yuan to B01, one owes as much to B02 and B03 together.
        city.deliver(
            JANUARY,
            "B01",
            loans=[old_loan(f"L{n}", 60_000) for n in range(5)],
            position=[{"microcredit_year_begin": 1}],
        )
        for bank in ("B02", "B03"):
            city.deliver(
                JANUARY,
                bank,
                loans=[old_loan(bank, 30_000, household_no="H9")],
                position=[{"microcredit_year_begin": 1}],
            )
        city.deliver(JANUARY, "C01", guarantee_funds=funds("B01"))
        city.deliver(JANUARY, "Z01", inspections=inspections)
        city.close(JANUARY)
    assess(engine, settings, JANUARY)

    high = "select institution_code, count(*) from mart.current_alert where level = 'high' group by 1 order by 1"
    assert rows(engine, high) == [("B01", 5), ("B02", 1), ("B03", 1)]
    found = rows(engine, "select institution_code, deductions from mart.current_assessment order by 1")
    assert found == [("B01", 10), ("B02", 5), ("B03", 1)]
    # B03, of the 40 points assessed: 20 for growth of 200 percent, 10, and 10 × (2 of 6 + 2 of 2) / 2.
    assert standings(engine)["B03"] == (Decimal("90.67"), "优秀", 1)


SCHEME = (INCLUDE / "reference" / "scheme.yaml").read_text(encoding="utf-8")


def deliver_evenly(city: SmallCity, bank: str, **reports: Rows) -> None:
    """A bank without a fault in what is not named: growth, completion, quality and reporting in full."""
    given: dict[str, Rows] = {
        "loans": [{"contract_no": bank, "household_no": bank}],
        "position": [{"microcredit_year_begin": 0}],
        "visits": [],
        "outreach": [],
        "grid": [],
        "matches": [],
    }
    city.deliver(JANUARY, bank, **given | reports)


def test_what_is_exactly_a_half_is_rounded_up_and_graded_so(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    """60 + 20 / 3 + 10 × 5 / 240 are 66.875, however many digits of a third are kept."""
    assert SCHEME.count("{grade: 一般, at_least: 60}") == 1
    chosen = with_reference(
        settings,
        tmp_path,
        scheme=SCHEME.replace("{grade: 一般, at_least: 60}", "{grade: 一般, at_least: 66.88}"),
        targets="years: {2019: {households: 2}}",
    )
    households = [{"household_no": f"H{number}"} for number in range(240)]
    households += [{"household_no": f"J{number}", "bank_code": "B02"} for number in range(2)]
    seen = {"B01": [f"H{number}" for number in range(5)], "B02": ["J0"]}
    with engine.begin() as connection:
        city = SmallCity(connection, banks=("B01", "B02"))
        city.open(JANUARY)
        for bank, visited in seen.items():
            # 31 万元 after 30 are a third of the 10 percent by which the city grows.
            deliver_evenly(
                city,
                bank,
                loans=[{"contract_no": bank, "household_no": bank}]
                + [old_loan(f"{bank}-{number}", 40_000) for number in range(7)],
                position=[{"all_loans": 1100, "microcredit_year_begin": 30}],
                visits=[{"household_no": household} for household in visited],
            )
        city.deliver(
            JANUARY, "C01", households=households, projects=[{"project_no": "P2"}], guarantee_funds=funds(*seen)
        )
        city.close(JANUARY)
    assess(engine, chosen, JANUARY)

    assert standings(engine) == {"B01": (Decimal("66.88"), "一般", 2), "B02": (Decimal("71.67"), "一般", 1)}
    # To share the first place, 120 of the 240 must have been visited: 115 more, and not one fewer.
    (visits,) = rows(
        engine,
        "select step, unit, raw_after, score_after, rank_after, sentence from mart.current_next_step "
        "where institution_code = 'B01' and indicator = 'visits'",
    )
    assert visits[:5] == (115, "户", 50, Decimal("71.67"), 1)
    assert visits[5] == "第1轮再走访115户：走访覆盖率2.08%→50.00%，得分+4.79，名次2→1。"


def test_ties_share_the_better_rank(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    chosen = with_reference(settings, tmp_path, targets="years: {2019: {households: 12}}")
    with engine.begin() as connection:
        city = SmallCity(connection, banks=("B01", "B02", "B03", "B04", "B05"))
        city.open(JANUARY)
        # B01, B03, B05 are without a fault; B02 and B04 lose their growth.
        for bank in ("B01", "B03", "B05"):
            deliver_evenly(city, bank)
        for bank in ("B02", "B04"):
            deliver_evenly(city, bank, position=[{"microcredit_year_begin": 3}])
        city.deliver(JANUARY, "C01", guarantee_funds=funds("B01"))
        city.close(JANUARY)
    assess(engine, chosen, JANUARY)

    ranks = {bank: rank for bank, (_, _, rank) in standings(engine).items()}
    assert ranks == {"B01": 1, "B02": 4, "B03": 1, "B04": 4, "B05": 1}
    board = rows(engine, "select subject_code, rank from mart.current_ranking where board = 'bank_score'")
    assert dict(board) == ranks
    steps = rows(
        engine,
        "select institution_code, indicator, step, rank_before, rank_after from mart.current_next_step order by 1, 2",
    )
    # Over the city's 0 percent 1 万元 more is enough, and 100 points share the first place.
    assert steps == [(bank, "growth", 1, 4, 1) for bank in ("B02", "B04")]


@pytest.mark.parametrize(
    ("loans", "rejected", "reason"),
    [
        (None, (), "暂不排名：《金融精准扶贫贷款台账》未报送，《贷款与再贷款月报》未报送"),
        (
            None,
            ("loans", "position"),
            "暂不排名：《金融精准扶贫贷款台账》被退回、尚未更正，《贷款与再贷款月报》被退回、尚未更正",
        ),
        ([{"contract_no": "L1"}], (), "暂不排名：《贷款与再贷款月报》未报送"),
    ],
)
def test_all_banks_unranked(
    engine: Engine, settings: Settings, loans: Rows | None, rejected: tuple[str, ...], reason: str
) -> None:
    with engine.begin() as connection:
        city = SmallCity(connection)
        city.open(JANUARY)
        for bank in ("B01", "B02", "B03"):
            given = {"visits": []} if loans is None else {"loans": loans}
            city.deliver(JANUARY, bank, rejected=rejected, **given)
        city.deliver(JANUARY, "C01", guarantee_funds=funds("B01", "B02"))
        city.close(JANUARY)
    assess(engine, settings, JANUARY)

    found = rows(engine, "select score, deductions, grade, rank, status, reason from mart.current_assessment")
    assert found == [(None, None, None, None, "unranked", reason)] * 3
    for table in ("assessment_item", "next_step"):
        assert rows(engine, f"select * from mart.current_{table}") == []
    boards = {board for (board,) in rows(engine, "select board from mart.current_ranking")}
    assert "bank_score" not in boards
    # A bank with a ledger and without a rank stays where it has a value.
    assert ("bank_microcredit_ytd_amount" in boards) == (loans is not None)
    assert rows(engine, "select issue, extension, reason from mart.current_relending_advice") == [
        ("待定", "待定", reason)
    ]
    # Of 1,200, split over two; in January 600 make 50. Without a ledger nothing is known of what was reached.
    pace = rows(
        engine,
        "select institution_code, target, reached, due, needed_per_month, forecast from mart.current_pace order by 1",
    )
    if loans is None:
        assert pace == [(bank, 600, None, 50, None, None) for bank in ("B01", "B02")]
    else:
        assert [row[:4] for row in pace] == [(bank, 600, 1, 50) for bank in ("B01", "B02")]
        assert [round(row[4], 6) for row in pace] == [Decimal("54.454545")] * 2
        assert [row[5] for row in pace] == [12, 12]


def test_one_bank_alone_is_first(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        city = SmallCity(connection, banks=("B01",))
        city.open(JANUARY)
        city.deliver(JANUARY, "B01", loans=[], position=[{}])
        city.deliver(JANUARY, "C01", guarantee_funds=funds("B01"))
        city.close(JANUARY)
    assess(engine, settings, JANUARY)

    # Of 80 assessed: 10 for quality without a balance, 10 × (2 of 6 + 1) / 2; 0 for growth of -100 percent.
    assert standings(engine) == {"B01": (Decimal("20.83"), "勉励", 1)}
    steps = rows(engine, "select indicator, step, rank_before, rank_after from mart.current_next_step")
    # From no balance at all to the 10 万元 of the year's beginning and more; 100 households a month.
    assert steps == [("growth", 11, 1, 1), ("completion", 100, 1, 1), ("reporting", 4, 1, 1)]


# What one step better gives: a city in which it can be done, and is done.

TARGETS = "years: {2019: {households: 360}}"
Changes = Mapping[str, Sequence[dict[str, Any]]]


def deliver_contest(city: SmallCity, *, late: str | None = "grid", more: Changes | None = None) -> None:
    """Three banks with 10 households each to reach by January, a city that grows by 10 percent.

    B01: growth 0; 5 of 10 households; 1 of 4 projects; 2 of 8 households; 0.8 of 20 万元 overdue; one report late.
    B02: as B01, but 7 of 10 households and all on time. B03 has no fault.

    Args:
        city: Where to.
        late: The report that B01 delivers late.
        more: What B01 delivers beyond that, by report; a loan replaces the one of its number.
    """
    reports = ("loans", "position", "visits", "outreach", "grid", "matches")

    def lent(bank: str, households: int, balance: int) -> Rows:
        new = [
            {"contract_no": f"{bank}-{n}", "household_no": f"{bank}-{n}", "balance": 10_000} for n in range(households)
        ]
        rest = balance - 10_000 * households
        old = [old_loan(f"{bank}-old-{n}", min(50_000, rest - 50_000 * n)) for n in range(-(-rest // 50_000))]
        return new + old

    def position(bank: str) -> Rows:
        return [
            {"county_code": "441702", "all_loans": 1100, "all_loans_year_begin": 1000, "microcredit_year_begin": 20}
        ]

    def visits(bank: str, number: int) -> Rows:
        return [{"household_no": f"{bank}-H{n}"} for n in range(number)]

    def matches(number: int) -> Rows:
        return [{"project_no": f"P{n}"} for n in range(number)]

    given = {
        "B01": [[*lent("B01", 5, 192_000), old_loan("bad", 8_000, overdue_days=5)], visits("B01", 2), matches(1)],
        "B02": [[*lent("B02", 7, 192_000), old_loan("bad", 8_000, overdue_days=5)], visits("B02", 2), matches(1)],
        "B03": [lent("B03", 10, 240_000), visits("B03", 8), matches(4)],
    }
    for bank, (loans, seen, answers) in given.items():
        package = dict(zip(reports, (loans, position(bank), seen, [], [], answers), strict=True))
        if bank == "B01":
            for report, rows in (more or {}).items():
                numbers = {row.get("contract_no") for row in rows} - {None}
                package[report] = [row for row in package[report] if row.get("contract_no") not in numbers]
                package[report] += rows
            if late:
                city.deliver(JANUARY, bank, day=20, **{late: package.pop(late)})
        city.deliver(JANUARY, bank, **package)
    city.deliver(
        JANUARY,
        "C01",
        households=[{"household_no": f"{bank}-H{n}", "bank_code": bank} for bank in given for n in range(8)],
        projects=[{"project_no": f"P{n}"} for n in range(4)],
        guarantee_funds=funds(*given),
    )


STEPS = {
    # 0 + 20 + 2.5 + 2.5 + 2.5 + 10 × (5 of 6 + 1) / 2 are 36.67; B02 has 28 + 7.5 + 10. 8.83 more are needed.
    "growth": (1, "万元", 0, 5, "46.67", 2, "本月扶贫小额信贷余额再增加1万元：增速0.00%→5.00%，得分+10.00，名次3→2。"),
    "completion": (3, "户", 50, 80, "48.67", 2, "本月再新增3户：完成率50.00%→80.00%，得分+12.00，名次3→2。"),
    "matching": (
        3,
        "个",
        25,
        100,
        "44.17",
        3,
        "再答复3个推送项目：对接率25.00%→100.00%，得分+7.50，名次不变（第3名）。",
    ),
    "visits": (
        6,
        "户",
        25,
        100,
        "44.17",
        3,
        "第1轮再走访6户：走访覆盖率25.00%→100.00%，得分+7.50，名次不变（第3名）。",
    ),
    # 0.61 万元 would be enough, but what is left of whole ones is all that is overdue.
    "quality": (
        "0.8",
        "万元",
        4,
        0,
        "44.17",
        3,
        "再收回逾期扶贫小额信贷0.8万元：逾期率4.00%→0.00%，得分+7.50，名次不变（第3名）。",
    ),
    "reporting": (
        1,
        "份",
        "91.67",
        100,
        "37.50",
        3,
        "今年再有1份报表按时报送并一次通过：报送质量91.67%→100.00%，得分+0.83，名次不变（第3名）。",
    ),
}


def assess_contest(engine: Engine, settings: Settings, folder: Path, **changes: Any) -> None:
    with engine.begin() as connection:
        city = SmallCity(connection)
        city.open(JANUARY)
        deliver_contest(city, **changes)
        city.close(JANUARY)
    assess(engine, with_reference(settings, folder, targets=TARGETS), JANUARY)


def test_one_step_better_is_told(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    assess_contest(engine, settings, tmp_path)

    assert standings(engine) == {
        "B01": (Decimal("36.67"), "勉励", 3),
        "B02": (Decimal("45.50"), "勉励", 2),
        "B03": (Decimal("100.00"), "优秀", 1),
    }
    found = rows(
        engine,
        "select institution_code, indicator, step, unit, round(raw_before, 2), raw_after, score_after, rank_after, "
        "sentence, score_before, rank_before from mart.current_next_step",
    )
    assert [row[1:9] for row in found if row[0] == "B01"] == [
        (indicator, Decimal(step), unit, Decimal(before), after, Decimal(score), rank, sentence)
        for indicator, (step, unit, before, after, score, rank, sentence) in STEPS.items()
    ]
    assert {row[9:] for row in found if row[0] == "B01"} == {(Decimal("36.67"), 3)}
    # B02 cannot pass B03 by one indicator alone: what brings it to full points, and no more. B03 has them.
    assert [(row[1], row[2], row[6]) for row in found if row[0] == "B02"] == [
        ("growth", 2, Decimal("65.50")),
        ("completion", 3, Decimal("57.50")),
        ("matching", 3, Decimal("53.00")),
        ("visits", 6, Decimal("53.00")),
        ("quality", Decimal("0.8"), Decimal("53.00")),
    ]
    assert [row for row in found if row[0] == "B03"] == []


@pytest.mark.parametrize(
    ("indicator", "changes"),
    [
        # A new loan would also make what is overdue a smaller part; here it stays one of 4 percent.
        ("growth", {"more": {"loans": [old_loan("more", 9_600), old_loan("worse", 400, overdue_days=5)]}}),
        (
            "completion",
            {"more": {"loans": [{"contract_no": f"N{n}", "household_no": f"N{n}", "balance": 0} for n in range(3)]}},
        ),
        ("matching", {"more": {"matches": [{"project_no": f"P{n}"} for n in range(1, 4)]}}),
        ("visits", {"more": {"visits": [{"household_no": f"B01-H{n}"} for n in range(2, 8)]}}),
        # Collected from a household: what is owed in all falls too, and growth, which gives nothing, with it.
        ("quality", {"more": {"loans": [old_loan("bad", 0, overdue_days=0)]}}),
        ("reporting", {"late": None}),
    ],
)
def test_who_takes_the_step_gets_what_was_told(
    engine: Engine, settings: Settings, tmp_path: Path, indicator: str, changes: dict[str, Any]
) -> None:
    assess_contest(engine, settings, tmp_path, **changes)

    _, _, _, raw, score, rank, _ = STEPS[indicator]
    found = standings(engine)["B01"]
    assert (found[0], found[2]) == (Decimal(score), rank)
    raws = rows(
        engine,
        f"select raw from mart.current_assessment_item where institution_code = 'B01' and indicator = '{indicator}'",
    )
    assert raws == [(raw,)]


@pytest.mark.parametrize("fewer", [{"loans": [{"contract_no": f"N{n}", "household_no": f"N{n}"} for n in range(2)]}])
def test_fewer_units_do_not_win_the_place(engine: Engine, settings: Settings, tmp_path: Path, fewer: Changes) -> None:
    rows = {report: [row | {"balance": 0} for row in each] for report, each in fewer.items()}
    assess_contest(engine, settings, tmp_path, more=rows)

    assert standings(engine)["B01"] == (Decimal("44.67"), "勉励", 3)


def test_the_round_of_visits_that_counts_is_the_one_to_go_on_with(engine: Engine, settings: Settings) -> None:
    """Round 1 was reached in January; in February it still counts, for it stands at more than round 2."""
    households = [{"household_no": f"H{n}"} for n in range(20)]
    with engine.begin() as connection:
        city = SmallCity(connection, banks=("B01",))
        for period in (JANUARY, FEBRUARY):
            city.open(period)
            rounds = range(18) if period == JANUARY else range(3)
            seen = [{"household_no": f"H{n}", "round": period.month} for n in rounds]
            city.deliver(period, "B01", loans=[], position=[{}], visits=seen)
            city.deliver(period, "C01", households=households, guarantee_funds=funds("B01"))
            city.close(period)
    for period in (JANUARY, FEBRUARY):
        assess(engine, settings, period)

    sentences = rows(
        engine,
        "select period, action from mart.current_next_step where indicator = 'visits' order by period",
    )
    step = "第1轮再走访2户：走访覆盖率90.00%→100.00%"
    assert sentences == [("2019-01", step), ("2019-02", step)]


def test_a_month_is_judged_by_its_own_scheme_and_tells_what_moved(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    """From February on another scheme holds; B03 is unranked in January, B01 in February."""
    versions = SCHEME.partition("versions:\n")[2]
    newer = versions.replace('version: "2016"\n    from: 2016-01', 'version: "2019"\n    from: 2019-02')
    weights = "weights: {growth: 20, completion: 40, matching: 10, visits: 10, quality: 10, reporting: 10}"
    assert weights in newer
    # Of what is assessed here, growth weighs 20 percent, quality 70 and reporting 10.
    newer = newer.replace(
        weights, "weights: {growth: 16, completion: 10, matching: 5, visits: 5, quality: 56, reporting: 8}"
    ).replace("per_overdue_finding: 2", "per_overdue_finding: 3")
    chosen = with_reference(settings, tmp_path, scheme=SCHEME + newer, targets=TARGETS)
    with engine.begin() as connection:
        city = SmallCity(connection)
        for period in (JANUARY, FEBRUARY):
            city.open(period)
            for bank in ("B01", "B02", "B03"):
                loans = [{"contract_no": bank, "household_no": bank, "principal": 10_000 * int(bank[-1])}]
                if (period, bank) in ((JANUARY, "B03"), (FEBRUARY, "B01")):
                    city.deliver(period, bank, loans=loans)
                else:
                    city.deliver(period, bank, loans=loans, position=[{}])
            city.deliver(period, "C01", guarantee_funds=funds("B01"))
            city.deliver(period, "Z01", inspections=[{"institution_code": "B02"}])
            city.close(period)
    for period in (JANUARY, FEBRUARY):
        assess(engine, chosen, period)

    assert rows(engine, "select period, scheme_version from mart.run order by period") == [
        ("2019-01", "2016"),
        ("2019-02", "2019"),
    ]
    found = rows(
        engine,
        "select institution_code, deductions, rank, previous_rank, score, previous_score "
        "from mart.current_assessment where period = '2019-02' order by institution_code",
    )
    # January: B01 and B02 of 30 or, with completion, 80: 10 + 10 × (2 of 6 + 1) / 2 points; growth -70 percent.
    january = {bank: score for bank, (score, _, _) in standings(engine, JANUARY).items()}
    assert january["B03"] is None
    assert january["B02"] == round(Decimal(100) * (10 + Decimal(20) / 3) / 40, 2) - 2
    # February: 70 + 10 × (4 of 12 + 1) / 2 of 100, 3 off for B02; B03 had loans on time in January and both now.
    assert found == [
        ("B01", None, None, 2, None, january["B01"]),
        ("B02", 3, 2, 1, Decimal("73.67"), january["B02"]),
        ("B03", 0, 1, None, Decimal("76.25"), None),
    ]
    board = rows(
        engine,
        "select subject_code, rank, previous_rank from mart.current_ranking "
        "where board = 'bank_microcredit_ytd_amount' and period = '2019-02' order by rank",
    )
    # Ranked or not, all have lent.
    assert board == [("B03", 1, 1), ("B02", 2, 2), ("B01", 3, 3)]
    score_board = rows(
        engine,
        "select subject_code, rank, previous_rank from mart.current_ranking "
        "where board = 'bank_score' and period = '2019-02' order by rank",
    )
    assert score_board == [("B03", 1, None), ("B02", 2, 1)]


def test_relending_follows_the_grade_with_its_reasons(engine: Engine, settings: Settings) -> None:
    """All banks but B06 are local legal persons; each delivers 2 of 6 reports, which give 6.67 of the 40 assessed."""
    good = [{"contract_no": "L1", "household_no": "H1", "balance": 30_000}]
    banks: dict[str, dict[str, Any]] = {
        "B01": {"loans": good},
        "B02": {"loans": good},
        "B03": {"loans": [old_loan("L1", 48_500), old_loan("L2", 1_500, overdue_days=9)]},
        "B04": {"loans": good, "position": [{"microcredit_year_begin": 4}]},
        "B05": {},
        "B06": {"loans": good},
    }
    with engine.begin() as connection:
        city = SmallCity(connection, banks=tuple(banks))
        connection.execute(
            text("update registry.institution set local_legal_person = code < 'B06' where kind = 'bank'")
        )
        city.open(JANUARY)
        for number, (bank, reports) in enumerate(banks.items()):
            loans = [loan | {"household_no": f"H{number}"} for loan in reports.get("loans", [])]
            given = {"position": [{"microcredit_year_begin": 1}]} | reports | ({"loans": loans} if loans else {})
            city.deliver(JANUARY, bank, **given)
        city.deliver(JANUARY, "C01", guarantee_funds=funds("B06"))
        city.deliver(JANUARY, "Z01", inspections=[{"finding_no": f"N{n}", "institution_code": "B02"} for n in range(2)])
        city.close(JANUARY)
    assess(engine, settings, JANUARY)

    found = rows(
        engine,
        "select institution_code, issue, extension, reason from mart.current_relending_advice order by 1",
    )
    tripled = "扶贫小额信贷增速200.00%，全市各项贷款增速0.00%，达到基础指标要求；扶贫小额信贷逾期率0.00%"
    assert found == [
        ("B01", "优先", "可展期", f"考核等次优秀（91.67分）；{tripled}"),
        ("B02", "优先", "可展期", f"考核等次良好（87.67分）；{tripled}"),
        (
            "B03",
            "正常审核",
            "从严审核",
            (
                "考核等次一般（79.17分）；扶贫小额信贷增速400.00%，全市各项贷款增速0.00%，达到基础指标要求；"
                "扶贫小额信贷逾期率3.00%"
            ),
        ),
        (
            "B04",
            "暂缓",
            "不予展期",
            (
                "考核等次勉励（41.67分）；扶贫小额信贷增速-25.00%，全市各项贷款增速0.00%，未达到基础指标要求；"
                "扶贫小额信贷逾期率0.00%"
            ),
        ),
        ("B05", "待定", "待定", "暂不排名：《金融精准扶贫贷款台账》未报送"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (
            "from moved\n",
            "from moved\nwhere moved.step = 0\n",
            "says nothing of B01, which it was asked about with a step",
        ),
        ("from moved\n", "from moved\ncross join generate_series(1, 2)\n", "cannot be used: duplicate key"),
        (":current_round - 1", ":last_round", "binds :last_round, which no run has"),
    ],
)
def test_an_indicators_statement_that_does_not_judge_each_bank_once_is_refused(
    engine: Engine,
    settings: Settings,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    before: str,
    after: str,
    says: str,
) -> None:
    # Not in the folder of own files, of whose statements only some count.
    folder = shutil.copytree(sql_files.SQL_FOLDER, tmp_path_factory.mktemp("include") / "sql")
    path = folder / "assessment" / "indicators" / "visits.sql"
    content = path.read_text(encoding="utf-8")
    assert content.endswith("from moved\n")
    path.write_text(after.join(content.rsplit(before, 1)), encoding="utf-8")
    monkeypatch.setattr(sql_files, "SQL_FOLDER", folder)

    with pytest.raises(SetupError, match=says) as refused:
        assess_contest(engine, settings, tmp_path)
    assert "sql/assessment/indicators/visits.sql" in str(refused.value)
