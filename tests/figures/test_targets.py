"""The year's targets: split by largest remainder, made once, split anew from a month on (docs/figures.md#targets)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from five_precisions.errors import RefusedError, UsageError
from five_precisions.figures import assess, list_targets, resplit, restate
from five_precisions.period import Period
from five_precisions.settings import Settings
from tests.figures.conftest import FEBRUARY, JANUARY, Figure
from tests.figures.small_city import SmallCity

MARCH = Period(2019, 3)
DECEMBER = Period(2018, 12)
WHY = "县区资金到位情况变化"


def parts(engine: Engine, year: int = 2019, revision: int = 1) -> dict[str, int]:
    """Households by bank of one revision."""
    return {each.institution_code: each.households for each in list_targets(engine, year) if each.revision == revision}


def closed_month(city: SmallCity, period: Period, **funds: object) -> None:
    """A month in which these funds had arrived, by bank, and every bank delivers what it takes to be ranked."""
    city.open(period)
    rows = [{"bank_code": bank, "arrived_amount": amount} for bank, amount in funds.items()]
    city.deliver(period, "C01", guarantee_funds=rows)
    for bank in ("B01", "B02", "B03"):
        loan = {"contract_no": f"L-{bank}", "household_no": f"H-{bank}", "issued_on": period.begin}
        city.deliver(period, bank, loans=[loan], position=[{}])
    city.close(period)


@pytest.fixture
def split_by_january(engine: Engine, settings: Settings) -> Engine:
    """January and February assessed; all funds are B01's in January, and half of them B02's in February."""
    with engine.begin() as connection:
        city = SmallCity(connection)
        closed_month(city, JANUARY, B01=100)
        closed_month(city, FEBRUARY, B01=100, B02=100)
    for period in (JANUARY, FEBRUARY):
        assess(engine, settings, period)
    return engine


@pytest.mark.parametrize(
    ("households", "funds", "parts"),
    [
        pytest.param(1200, (100, 50, 50), (600, 300, 300), id="even"),
        pytest.param(7, (60, 30, 10), (4, 2, 1), id="largest fraction wins"),
        pytest.param(10, (100, 100, 100), (4, 3, 3), id="equal fraction and fund: smaller code"),
        pytest.param(4, (1, 5, 2), (0, 3, 1), id="equal fraction: larger fund"),
        pytest.param(5, (10, 0, 0), (5, 0, 0), id="no funds, no target"),
        pytest.param(0, (10, 5, 0), (0, 0, 0), id="nothing to split"),
        pytest.param(1, ("0.01", "0.01", "0.02"), (0, 0, 1), id="one household"),
        pytest.param(100, ("33.34", "33.33", "33.33"), (34, 33, 33), id="funds to the fen"),
    ],
)
def test_targets_by_largest_remainder(
    engine: Engine,
    settings: Settings,
    tmp_path: Path,
    households: int,
    funds: tuple[object, object, object],
    parts: tuple[int, int, int],
) -> None:
    (tmp_path / "targets.yaml").write_text(f"years: {{2019: {{households: {households}}}}}", encoding="utf-8")
    rows = [
        {"bank_code": bank, "arrived_amount": fund} for bank, fund in zip(("B01", "B02", "B03"), funds, strict=True)
    ]
    with engine.begin() as connection:
        city = SmallCity(connection)
        city.open(JANUARY)
        city.deliver(JANUARY, "C01", guarantee_funds=rows)
        city.close(JANUARY)
    assess(engine, settings.model_copy(update={"reference": tmp_path}), JANUARY)
    with engine.connect() as connection:
        split = connection.execute(
            text("select institution_code, households from mart.current_target order by institution_code")
        ).all()
    assert [(row.institution_code, row.households) for row in split] == list(
        zip(("B01", "B02", "B03"), parts, strict=True)
    )


def test_no_funds_at_all_is_an_error_and_makes_no_targets(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        city = SmallCity(connection)
        city.open(JANUARY)
        city.deliver(JANUARY, "C01", guarantee_funds=[])
        city.close(JANUARY)
    with pytest.raises(RefusedError, match="No guarantee and subsidy funds had arrived at the close of 2019-01"):
        assess(engine, settings, JANUARY)
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from mart.target")).scalar() == 0
        assert connection.execute(text("select count(*) from mart.run")).scalar() == 0


def test_the_first_split_says_what_it_rests_on(split_by_january: Engine) -> None:
    targets = list_targets(split_by_january, 2019)
    assert [(each.institution_code, each.fund, each.quota, each.households) for each in targets] == [
        ("B01", 100, 1200, 1200),
        ("B02", 0, 0, 0),
        ("B03", 0, 0, 0),
    ]
    assert {(each.revision, each.from_period, each.reason) for each in targets} == {
        (1, "2019-01", "按上年末到位资金首次分解")
    }
    assert list_targets(split_by_january, 2020) == ()


def test_a_year_is_split_by_the_december_before(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "targets.yaml").write_text("years: {2018: {households: 10}, 2019: {households: 100}}", encoding="utf-8")
    own = settings.model_copy(update={"reference": tmp_path})
    with engine.begin() as connection:
        city = SmallCity(connection)
        closed_month(city, DECEMBER, B01=30, B02=10)
        closed_month(city, JANUARY, B03=1000)
    assess(engine, own, DECEMBER)
    assess(engine, own, JANUARY)
    assert parts(engine, 2018) == {"B01": 8, "B02": 2, "B03": 0}
    assert parts(engine, 2019) == {"B01": 75, "B02": 25, "B03": 0}


@pytest.mark.parametrize(
    ("by_the_close", "households"),
    [
        pytest.param({"B01": 30, "B02": 10}, {"B01": 75, "B02": 25, "B03": 0}, id="as the close left them"),
        pytest.param({}, {"B01": 0, "B02": 0, "B03": 100}, id="none had arrived by the close"),
    ],
)
def test_the_december_before_counts_as_it_was_closed(
    engine: Engine, settings: Settings, tmp_path: Path, by_the_close: dict[str, int], households: dict[str, int]
) -> None:
    """December's funds are restated before January is assessed: they are another bank's now."""
    (tmp_path / "targets.yaml").write_text("years: {2018: {households: 10}, 2019: {households: 100}}", encoding="utf-8")
    own = settings.model_copy(update={"reference": tmp_path})
    november = DECEMBER.previous()
    with engine.begin() as connection:
        city = SmallCity(connection)
        closed_month(city, november, B01=30)
        closed_month(city, DECEMBER, **by_the_close)
        closed_month(city, JANUARY, B02=1000)
    assess(engine, own, november)
    assess(engine, own, DECEMBER)
    with engine.begin() as connection:
        late = [{"bank_code": "B03", "arrived_amount": 500}]
        SmallCity.resumed(connection).deliver(DECEMBER, "C01", day=25, guarantee_funds=late)
    assert restate(engine, own, DECEMBER, "补报资金", "ops").is_new
    assess(engine, own, JANUARY)
    assert parts(engine, 2019) == households


def test_a_bank_that_was_not_open_at_the_basis_close_has_no_part(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        city = SmallCity(connection)
        connection.execute(
            text("update registry.institution set opened_on = :day where code = 'B02'"), {"day": date(2019, 2, 1)}
        )
        connection.execute(
            text("update registry.institution set closed_on = :day where code = 'B03'"), {"day": date(2019, 1, 31)}
        )
        city.open(JANUARY)
        city.deliver(
            JANUARY,
            "C01",
            guarantee_funds=[{"bank_code": bank, "arrived_amount": 10} for bank in ("B01", "B02", "B03")],
        )
        city.close(JANUARY)
    assess(engine, settings, JANUARY)
    assert parts(engine) == {"B01": 1200}


def test_targets_split_anew_hold_from_a_month_on(split_by_january: Engine, settings: Settings, figure: Figure) -> None:
    made = resplit(split_by_january, settings, 2019, MARCH, f" {WHY}\n")
    assert [(each.institution_code, each.households, each.fund) for each in made] == [
        ("B01", 600, 100), ("B02", 600, 100), ("B03", 0, 0),
    ]  # fmt: skip
    assert {(each.revision, each.from_period, each.reason) for each in made} == {(2, "2019-03", WHY)}
    assert parts(split_by_january) == {"B01": 1200, "B02": 0, "B03": 0}

    with split_by_january.begin() as connection:
        closed_month(SmallCity.resumed(connection), MARCH, B01=100)
    assess(split_by_january, settings, MARCH)
    # One household of 600 × 3 / 12, and of 1,200 × 2 / 12.
    assert figure("microcredit_completion", "bank", "B02", MARCH) == pytest.approx(Decimal(100) / 150)
    assert figure("microcredit_completion", "bank", "B01", FEBRUARY) == pytest.approx(Decimal(100) / 200)


def test_announced_months_keep_their_targets_when_they_are_restated(
    split_by_january: Engine, settings: Settings, figure: Figure
) -> None:
    resplit(split_by_january, settings, 2019, MARCH, WHY)
    with split_by_january.begin() as connection:
        SmallCity.resumed(connection).deliver(FEBRUARY, "B02", day=25, visits=[])
    assert restate(split_by_january, settings, FEBRUARY, "补报走访", "ops").is_new
    assert figure("microcredit_completion", "bank", "B02", FEBRUARY) is None
    assert figure("microcredit_completion", "bank", "B01", FEBRUARY) == pytest.approx(Decimal(100) / 200)


def test_a_second_new_split_takes_the_place_of_the_first(split_by_january: Engine, settings: Settings) -> None:
    resplit(split_by_january, settings, 2019, Period(2019, 9), WHY)
    resplit(split_by_january, settings, 2019, MARCH, "再次调整")
    assert {each.revision: each.from_period for each in list_targets(split_by_january, 2019)} == {
        1: "2019-01", 2: "2019-09", 3: "2019-03",
    }  # fmt: skip
    with split_by_january.connect() as connection:
        current = connection.execute(text("select distinct revision from mart.current_target")).scalars().all()
    assert current == [3]


def test_the_target_of_the_city_is_the_one_that_is_set_now(
    split_by_january: Engine, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "targets.yaml").write_text("years: {2019: {households: 7}}", encoding="utf-8")
    own = settings.model_copy(update={"reference": tmp_path})
    assert not assess(split_by_january, own, JANUARY).is_new
    assert parts(split_by_january)["B01"] == 1200
    resplit(split_by_january, own, 2019, MARCH, WHY)
    assert parts(split_by_january, revision=2) == {"B01": 4, "B02": 3, "B03": 0}


def without_funds(engine: Engine, settings: Settings) -> Settings:
    with engine.begin() as connection:
        city = SmallCity.resumed(connection)
        city.open(MARCH)
        city.deliver(MARCH, "C01", guarantee_funds=[])
        city.close(MARCH)
    assess(engine, settings, MARCH)
    return settings


def without_target(engine: Engine, settings: Settings) -> Settings:
    folder = settings.var / "reference"
    folder.mkdir(parents=True)
    (folder / "targets.yaml").write_text("years: {2020: {households: 7}}", encoding="utf-8")
    return settings.model_copy(update={"reference": folder})


def as_it_is(engine: Engine, settings: Settings) -> Settings:
    return settings


@pytest.mark.parametrize(
    ("prepare", "year", "start", "reason", "error", "sentence"),
    [
        pytest.param(
            as_it_is, 2019, FEBRUARY, WHY, RefusedError, "the first possible is 2019-03", id="month has a run"
        ),
        pytest.param(as_it_is, 2019, JANUARY, WHY, RefusedError, "the first possible is 2019-03", id="before a run"),
        pytest.param(as_it_is, 2020, Period(2020, 1), WHY, RefusedError, "2020 has no targets yet", id="no targets"),
        pytest.param(as_it_is, 2019, Period(2020, 1), WHY, UsageError, "not a month of 2019", id="other year"),
        pytest.param(as_it_is, 2019, MARCH, "  ", UsageError, "for a reason", id="no reason"),
        pytest.param(
            without_funds, 2019, Period(2019, 4), WHY, RefusedError, "No guarantee and subsidy funds had arrived",
            id="no funds",
        ),
        pytest.param(
            without_target, 2019, MARCH, WHY, RefusedError, "targets.yaml has no target for 2019", id="no target"
        ),
    ],
)  # fmt: skip
def test_a_new_split_is_refused(
    split_by_january: Engine,
    settings: Settings,
    prepare: Callable[[Engine, Settings], Settings],
    year: int,
    start: Period,
    reason: str,
    error: type[Exception],
    sentence: str,
) -> None:
    prepared = prepare(split_by_january, settings)
    before = list_targets(split_by_january, 2019)
    assert len(before) == 3
    with pytest.raises(error, match=sentence):
        resplit(split_by_january, prepared, year, start, reason)
    assert list_targets(split_by_january, 2019) == before


def test_of_a_year_that_is_assessed_to_its_end_nothing_is_split(engine: Engine, settings: Settings) -> None:
    year_end = Period(2019, 12)
    with engine.begin() as connection:
        city = SmallCity(connection)
        closed_month(city, year_end, B01=1)
    assess(engine, settings, year_end)
    with pytest.raises(RefusedError, match="Every month of 2019 up to 2019-12 has been assessed"):
        resplit(engine, settings, 2019, year_end, WHY)
