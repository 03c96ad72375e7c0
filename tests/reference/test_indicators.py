"""Indicators: an entry and a statement each, weighed by the versions of the scheme that hold when they count."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.refused_files import without_line

from five_precisions.errors import SetupError
from five_precisions.figures import scheme as scheme_module
from five_precisions.figures.scheme import load_scheme
from five_precisions.period import Period
from five_precisions.reference.indicators import INDICATOR_FOLDER, Indicator, load_indicators
from five_precisions.settings import INCLUDE, Settings

SHIPPED = (INCLUDE / "reference" / "indicators.yaml").read_text(encoding="utf-8")
PUBLICITY = """
publicity:
  name: 宣传培训
  from: 2019-04
  unit: 场
  measure: 覆盖率
  advice: 请到村开展宣传。
"""
SCHEME = (INCLUDE / "reference" / "scheme.yaml").read_text(encoding="utf-8")
WEIGHTS = "weights: {growth: 20, completion: 40, matching: 10, visits: 10, quality: 10, reporting: 10}"
WITH_PUBLICITY = (
    "weights: {growth: 20, completion: 30, matching: 10, visits: 10, quality: 10, reporting: 10, publicity: 10}"
)

Load = Callable[[str], dict[str, Indicator]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a file of indicators beside statements of which there is one more than ours, publicity."""
    folder = shutil.copytree(INDICATOR_FOLDER, tmp_path / "indicators")
    (folder / "publicity.sql").write_text("select 1\n", encoding="utf-8")

    def loaded(content: str) -> dict[str, Indicator]:
        path = tmp_path / "indicators.yaml"
        path.write_text(content, encoding="utf-8")
        return load_indicators(path, folder)

    return loaded


def test_they_stand_in_the_order_of_the_file(load: Load) -> None:
    names = {code: indicator.name for code, indicator in load(SHIPPED + PUBLICITY).items()}
    assert list(names) == [*load_indicators(), "publicity"]
    assert names["publicity"] == "宣传培训"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (SHIPPED, r"publicity\.sql is the statement of no indicator of .*indicators\.yaml\."),
        (
            SHIPPED + PUBLICITY + PUBLICITY.replace("publicity", "outreach"),
            r"indicators\.yaml is wrong at outreach, line \d+: there is no statement .*outreach\.sql\.",
        ),
        (SHIPPED + PUBLICITY.replace("  unit: 场\n", ""), r"is wrong at publicity\.unit, line \d+: Field required\."),
        (
            SHIPPED + PUBLICITY.replace("2019-04", "2019"),
            r"wrong at publicity\.from, line \d+: '2019' is not a period",
        ),
        (SHIPPED + PUBLICITY.replace("unit", "units"), r"units is unknown; do you mean unit\?"),
    ],
)
def test_what_does_not_fit_together_is_refused(load: Load, content: str, says: str) -> None:
    with pytest.raises(SetupError, match=says):
        load(content)


def scheme_of(folder: Path, month: Period, *versions: tuple[str, str]) -> scheme_module.Scheme:
    """The scheme of a month, of versions from a month on with weights."""
    head, _, shipped = SCHEME.partition("versions:\n")
    assert shipped.count(WEIGHTS) == shipped.count('version: "2016"\n    from: 2016-01') == 1
    content = head + "versions:\n"
    for first, weights in versions:
        dated = shipped.replace('version: "2016"\n    from: 2016-01', f'version: "{first}"\n    from: {first}')
        content += dated.replace(WEIGHTS, weights)
    (folder / "scheme.yaml").write_text(content, encoding="utf-8")
    return load_scheme(Settings(_env_file=None, reference=folder), month)


@pytest.fixture
def with_publicity(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """One indicator more, which counts from April on."""
    known = load(SHIPPED + PUBLICITY)
    monkeypatch.setattr(scheme_module, "load_indicators", lambda: known)


def test_a_version_weighs_what_counts_from_its_first_month(tmp_path: Path, with_publicity: None) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    versions = (("2016-01", WEIGHTS), ("2019-04", WITH_PUBLICITY))
    assert "publicity" not in scheme_of(folder, Period(2019, 3), *versions).weights
    assert scheme_of(folder, Period(2019, 4), *versions).weights["publicity"] == 10
    # The old version goes on as it is where no new one holds.
    assert "publicity" not in scheme_of(folder, Period(2019, 6), ("2016-01", WEIGHTS)).weights


@pytest.mark.parametrize(
    ("first", "weights", "says"),
    [
        ("2019-04", WEIGHTS, "weights: no weight for publicity."),
        ("2019-03", WITH_PUBLICITY, "weights: publicity counts from 2019-04 on, and this version from 2019-03."),
    ],
)
def test_a_version_that_weighs_others_is_refused(
    tmp_path: Path, with_publicity: None, first: str, weights: str, says: str
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    with pytest.raises(SetupError) as refused:
        scheme_of(folder, Period(2019, 6), (first, weights))
    assert without_line(str(refused.value)).endswith(says)
