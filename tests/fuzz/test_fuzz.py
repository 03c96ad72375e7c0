"""Five hundred mutated packages; ten thousand by `make fuzz` (docs/intake.md#bad-input)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fuzz.mutations import mutate, samples
from tests.fuzz.run import MEGABYTES, SECONDS, run

pytestmark = pytest.mark.slow


def test_mutated_packages_are_never_taken_for_what_they_are_not(tmp_path: Path) -> None:
    outcome = run(500, 1, 2, tmp_path, rules_every=0)
    assert outcome.failures == []
    assert outcome.packages == 500
    assert outcome.accepted > 50
    assert outcome.compared > 50
    assert {"F01", "F02", "F03", "F09", "T01", "T02"} <= set(outcome.rules)
    assert outcome.worst_seconds < SECONDS
    assert outcome.worst_megabytes < MEGABYTES


def test_the_same_number_makes_the_same_package() -> None:
    assert mutate(7).files == mutate(7).files
    assert {mutate(number).sample.name for number in range(300)} == {sample.name for sample in samples()}
