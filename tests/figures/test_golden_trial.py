"""The trial of a scheme on the golden city: what it says is what a restatement by that scheme would store."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from five_precisions.figures import change_scheme, list_scheme_fields, load_scheme, restate, try_scheme
from five_precisions.period import Period
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import open_warehouse
from tests.figures.trying import everything, in_digits, results_after, results_before, stored_results, write_scheme

MONTHS = [Period(2019, number) for number in range(1, 7)]
JUNE = MONTHS[-1]
EVERYTHING = {
    "weights.growth": "35.5",
    "weights.completion": "4.5",
    "weights.quality": "20",
    "weights.reporting": "20",
    "overdue_ratio.full_points_up_to": "0",
    "overdue_ratio.no_points_from": "2.75",
    "deductions.per_overdue_finding": "0.25",
    "deductions.per_high_alert": "3",
    "deductions.at_most": "0.5",
    "grades.0.at_least": "85.25",
    "grades.1.at_least": "70",
    "grades.2.at_least": "50",
    "visit_round_reached": "0.01",
}
ONE_BY_ONE = [
    {"weights.growth": "10", "weights.matching": "20"},
    {"weights.completion": "10", "weights.visits": "40"},
    {"weights.quality": "1", "weights.reporting": "19"},
    *({path: value} for path, value in EVERYTHING.items() if not path.startswith("weights.")),
]


@pytest.fixture
def own_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of reference files of a city that has a scheme of its own."""
    folder = tmp_path / "reference"
    folder.mkdir()
    monkeypatch.setenv(PREFIX + "REFERENCE", str(folder))
    return folder


@pytest.mark.parametrize("month", MONTHS, ids=str)
def test_the_scheme_that_holds_gives_what_is_stored(
    month: Period, golden_city: Engine, golden_settings: Settings
) -> None:
    held = load_scheme(golden_settings, month)
    trial = try_scheme(golden_city, golden_settings, month, held)
    stored = in_digits(stored_results(golden_city, month))
    assert in_digits(results_before(trial)) == stored
    assert in_digits(results_after(trial)) == stored
    assert len(trial.banks) == 12
    assert len([bank for bank in trial.banks if bank.after.rank]) == (11 if month == Period(2019, 2) else 12)
    assert {bank.movement for bank in trial.banks} <= {0, None}
    assert all(len(bank.indicators) == (6 if bank.status == "ranked" else 0) for bank in trial.banks)
    assert (trial.run_id, trial.is_of_run, trial.held, trial.tried) == (f"{month}-r1", True, held, held)


def test_nothing_is_kept(golden_city: Engine, golden_settings: Settings) -> None:
    before = everything(golden_city)
    assert len(before) > 60
    assert sum(map(bool, before.values())) > 40
    held = load_scheme(golden_settings, JUNE)
    trial = try_scheme(golden_city, golden_settings, JUNE, change_scheme(held, EVERYTHING))
    assert any(bank.movement for bank in trial.banks)
    assert everything(golden_city) == before


def test_a_scheme_with_everything_changed_gives_what_a_restatement_stores(
    golden_copy: Settings, own_scheme: Path
) -> None:
    """In every month, the last one first: a restated month would be another ground for those after it."""
    settings = Settings.load()
    held = load_scheme(golden_copy.model_copy(update={"reference": None}), JUNE)
    tried = change_scheme(held, EVERYTHING)
    assert {field.path for field in list_scheme_fields(held)} - EVERYTHING.keys() == {
        "weights.matching",
        "weights.visits",
    }
    with open_warehouse(settings) as engine:
        for month in reversed(MONTHS):
            (own_scheme / "scheme.yaml").unlink(missing_ok=True)
            before = stored_results(engine, month)
            trial = try_scheme(engine, settings, month, tried)
            write_scheme(own_scheme, tried)
            restated = restate(engine, settings, month, "考核方案修订", "王科长")
            assert (restated.is_new, restated.versions) == (True, ())
            stored = stored_results(engine, month)
            assert in_digits(results_before(trial)) == in_digits(before)
            assert in_digits(results_after(trial)) == in_digits(stored)
            assert stored[0] != before[0]
            # Made by the other scheme; tried by the first one, it is as it was.
            again = try_scheme(engine, settings, month, held)
            assert (again.run_id, again.is_of_run) == (f"{month}-r2", True)
            assert in_digits(results_before(again)) == in_digits(stored)
            assert in_digits(results_after(again)) == in_digits(before)


def test_each_number_changed_alone_gives_what_a_restatement_stores(golden_copy: Settings, own_scheme: Path) -> None:
    settings = Settings.load()
    held = load_scheme(golden_copy.model_copy(update={"reference": None}), JUNE)
    unchanged = []
    with open_warehouse(settings) as engine:
        first = in_digits(stored_results(engine, JUNE))
        for values in ONE_BY_ONE:
            tried = change_scheme(held, values)
            trial = try_scheme(engine, settings, JUNE, tried)
            write_scheme(own_scheme, tried)
            assert restate(engine, settings, JUNE, "考核方案修订", "王科长").is_new
            stored = in_digits(stored_results(engine, JUNE))
            assert in_digits(results_after(trial)) == stored, values
            if stored == first:
                unchanged.append(values)
    assert unchanged == []
