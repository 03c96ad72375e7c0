"""Scheme, scorecard, targets and boards are refused with one sentence where they are wrong, and hold by date."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from five_precisions.errors import SetupError
from five_precisions.figures.scheme import load_scheme, load_scorecard, load_year_target
from five_precisions.period import Period
from five_precisions.reference import load_boards, load_catalogue
from five_precisions.settings import INCLUDE, Settings
from tests.refused_files import without_line

JUNE = Period(2019, 6)
LOADERS: dict[str, Callable[[Settings], object]] = {
    "scheme.yaml": lambda settings: load_scheme(settings, JUNE),
    "scorecard.yaml": lambda settings: load_scorecard(settings, JUNE),
    "targets.yaml": lambda settings: load_year_target(settings, 2019),
    "boards.yaml": lambda settings: load_boards(settings, load_catalogue(settings)),
}
WEIGHTS = "weights: {growth: 20, completion: 40, matching: 10, visits: 10, quality: 10, reporting: 10}"
UNRANKED_ADVICE = '{grade: "", issue: 待定, extension: 待定}'


def content_of(file: str) -> str:
    return (INCLUDE / "reference" / file).read_text(encoding="utf-8")


def versions_of(file: str) -> str:
    """The versions that the file lists, without the head of the list."""
    return content_of(file).partition("versions:\n")[2]


def use(folder: Path, file: str, content: str) -> Settings:
    (folder / file).write_text(content, encoding="utf-8")
    return Settings.load().model_copy(update={"reference": folder})


def changed(file: str, before: str, after: str) -> str:
    content = content_of(file)
    assert content.count(before) == 1, f"{before!r} is there once, or the case says nothing"
    return content.replace(before, after)


WRONG_SCHEMES = [
    ("growth: 20", "growth: 0", "is wrong at versions.0.weights.growth: Input should be greater than 0."),
    ("growth: 20", "growth: -20", "is wrong at versions.0.weights.growth: Input should be greater than 0."),
    (
        WEIGHTS,
        WEIGHTS.replace("20", "0").replace("10", "0").replace("40", "0"),
        "is wrong at versions.0.weights.growth: Input should be greater than 0.",
    ),
    (
        "growth: 20",
        "growth: twenty",
        "is wrong at versions.0.weights.growth: a number is wanted, in plain digits, not 'twenty'.",
    ),
    (
        "growth: 20",
        "growth: .nan",
        "is wrong at versions.0.weights.growth: a number is wanted, in plain digits, not '.nan'.",
    ),
    ("growth: 20", "growth: yes", "is wrong at versions.0.weights.growth: a number is wanted, not yes or no."),
    (
        "growth: 20",
        "grwoth: 20",
        "is wrong at versions.0.weights: grwoth is unknown; do you mean growth?",
    ),
    ("growth: 20, ", "", "is wrong at versions.0.weights: no weight for growth."),
    (
        WEIGHTS,
        "weights: {}",
        "is wrong at versions.0.weights: no weight for completion, growth, matching, quality, reporting, visits.",
    ),
    ("growth: 20", "growth: 20, growth: 30", "cannot be read: growth stands there twice, again in line 6."),
    (
        "full_points_up_to: 1",
        "full_points_up_to: 5",
        "is wrong at versions.0.overdue_ratio: full_points_up_to must be below no_points_from.",
    ),
    (
        "full_points_up_to: 1",
        "full_points_up_to: 6",
        "is wrong at versions.0.overdue_ratio: full_points_up_to must be below no_points_from.",
    ),
    (
        "full_points_up_to: 1",
        "full_points_up_to: -1",
        "is wrong at versions.0.overdue_ratio.full_points_up_to: Input should be greater than or equal to 0.",
    ),
    ("per_high_alert: 1, ", "", "is wrong at versions.0.deductions.per_high_alert: Field required."),
    (
        "at_most: 10}",
        "at_most: 10, per_case: 1}",
        (
            "is wrong at versions.0.deductions: per_case is unknown; "
            "there are per_overdue_finding, per_high_alert, at_most."
        ),
    ),
    (
        "at_most: 10}",
        "at_most: -1}",
        "is wrong at versions.0.deductions.at_most: Input should be greater than or equal to 0.",
    ),
    (
        "{grade: 勉励, at_least: 0}",
        "{grade: 勉励, at_least: 1}",
        "is wrong at versions.0.grades: the lowest grade must start at 0.",
    ),
    (
        "{grade: 优秀, at_least: 90}",
        "{grade: 良好, at_least: 90}",
        "is wrong at versions.0.grades: the grade 良好 is listed twice.",
    ),
    (
        "{grade: 优秀, at_least: 90}",
        "{grade: 优秀, at_least: 80.0}",
        "is wrong at versions.0.grades: the best grade comes first: 良好 starts at 80, and 优秀 before it at 80.0.",
    ),
    (
        "{grade: 优秀, at_least: 90}",
        "{grade: 优秀, at_least: 900}",
        "is wrong at versions.0.grades.0.at_least: Input should be less than or equal to 100.",
    ),
    (
        "{grade: 优秀, at_least: 90}",
        '{grade: "", at_least: 90}',
        "is wrong at versions.0.grades.0.grade: String should have at least 1 character.",
    ),
    (f"      - {UNRANKED_ADVICE}\n", "", "is wrong at versions.0: no relending advice for ''."),
    (UNRANKED_ADVICE, UNRANKED_ADVICE.replace('""', "差"), "is wrong at versions.0: no relending advice for ''."),
    (
        UNRANKED_ADVICE,
        f"{UNRANKED_ADVICE}\n      - {{grade: 差, issue: 暂缓, extension: 不予展期}}",
        "is wrong at versions.0: relending advice for '差', which is no grade.",
    ),
    (
        UNRANKED_ADVICE,
        f"{UNRANKED_ADVICE}\n      - {UNRANKED_ADVICE}",
        "is wrong at versions.0: two lines of relending advice for ''.",
    ),
    (
        "visit_round_reached: 85",
        "visit_round_reached: 0",
        "is wrong at versions.0.visit_round_reached: Input should be greater than 0.",
    ),
    (
        "visit_round_reached: 85",
        "visit_round_reached: 850",
        "is wrong at versions.0.visit_round_reached: Input should be less than or equal to 100.",
    ),
    (
        "from: 2016-01",
        "from: 2016-13",
        (
            "is wrong at versions.0.from: '2016-13' is not a period; write a month as YYYY-MM, of the years "
            "2000 to 2999, for example 2019-06."
        ),
    ),
    (
        "from: 2016-01",
        "from: 2016-01-01",
        (
            "is wrong at versions.0.from: '2016-01-01' is not a period; write a month as YYYY-MM, of the years "
            "2000 to 2999, for example 2019-06."
        ),
    ),
    (
        "from: 2016-01",
        "from: 2016",
        (
            "is wrong at versions.0.from: '2016' is not a period; write a month as YYYY-MM, of the years "
            "2000 to 2999, for example 2019-06."
        ),
    ),
    ("from: 2016-01", "from: 2019-07", "scheme.yaml has no version that holds in 2019-06."),
    ('version: "2016"', "version: 2016", "is wrong at versions.0.version: Input should be a valid string."),
    ('version: "2016"', 'version: ""', "is wrong at versions.0.version: String should have at least 1 character."),
    ("versions:", "version:", "is wrong at the top: version is unknown; do you mean versions?"),
    (
        content_of("scheme.yaml"),
        "versions: []",
        "is wrong at versions: Tuple should have at least 1 item after validation, not 0.",
    ),
    ("versions:\n", "versions: [\n", "cannot be read: did not find expected node content in line 4."),
]
WRONG_SCORECARDS = [
    (
        "{at_least: 2, points: 15}",
        "{at_least: 3, points: 15}",
        "is wrong at versions.0.items.workers: bands stand from the lowest up: one starts at 3, after 3.",
    ),
    (
        "{at_least: 2, points: 15}",
        "{at_least: 2, points: 5}",
        "is wrong at versions.0.items.workers: a band that starts higher, at 2, must not give fewer points.",
    ),
    (
        "{at_least: 2, points: 15}",
        "{at_most: 2, points: 15}",
        "is wrong at versions.0.items.workers: a band here has at_least, and no at_most.",
    ),
    (
        "{at_least: 1, points: 10}",
        "{at_least: 1.5, points: 10}",
        "is wrong at versions.0.items: workers: no band starts at 1 or below.",
    ),
    (
        "{at_least: 0, points: 5}",
        "{at_least: 1, points: 5}",
        "is wrong at versions.0.items: income_per_head: no band starts at 0 or below.",
    ),
    (
        "{at_most: 0.5, points: 10}",
        "{at_most: 1, points: 10}",
        "is wrong at versions.0.items.debts_to_income: bands stand from the lowest up: one ends at 1, after 1.",
    ),
    (
        "{at_most: 0.5, points: 10}",
        "{at_most: 0.5, points: 16}",
        "is wrong at versions.0.items.debts_to_income: a band that ends higher, at 0.5, must not give more points.",
    ),
    (
        "{at_most: 0.5, points: 10}",
        "{at_least: 0.5, points: 10}",
        "is wrong at versions.0.items.debts_to_income: a band here has at_most, and no at_least.",
    ),
    (
        "{at_most: 0.5, points: 10}",
        "{at_most: 0.5, points: -10}",
        "is wrong at versions.0.items.debts_to_income.1.points: Input should be greater than or equal to 0.",
    ),
    (
        "trained: 10",
        "taught: 10",
        (
            "is wrong at versions.0.items: taught is unknown; "
            "there are workers, income_per_head, debts_to_income, has_business, trained, conduct."
        ),
    ),
    (
        "{tier: B, at_least: 0, credit_limit: 0}",
        "{tier: B, at_least: 5, credit_limit: 0}",
        "is wrong at versions.0.tiers: the lowest tier must start at 0.",
    ),
    (
        "{tier: AAA, at_least: 85",
        "{tier: AA, at_least: 85",
        "is wrong at versions.0.tiers: the tier AA is listed twice.",
    ),
    (
        "{tier: AAA, at_least: 85",
        "{tier: AAA, at_least: 70",
        "is wrong at versions.0.tiers: the best tier comes first: AA starts at 70, and AAA before it at 70.",
    ),
    (
        "from: 2016-01",
        "from: June 2016",
        (
            "is wrong at versions.0.from: 'June 2016' is not a period; write a month as YYYY-MM, of the years "
            "2000 to 2999, for example 2019-06."
        ),
    ),
]
WRONG_TARGETS = [
    ("1200", "1200.5", "is wrong at years.2019.households: Input should be a valid integer."),
    ("1200", "1200.0", "is wrong at years.2019.households: Input should be a valid integer."),
    ("1200", "'1200'", "is wrong at years.2019.households: Input should be a valid integer."),
    ("1200", "-1", "is wrong at years.2019.households: Input should be greater than or equal to 0."),
    (
        "{households: 1200}",
        "1200",
        "is wrong at years.2019: Input should be a valid dictionary or instance of YearTarget.",
    ),
    ("2019:", "2019: {households: 1}\n  2019:", "cannot be read: 2019 stands there twice, again in line 4."),
    ("2019:", "the year 2019:", "is wrong at years.the year 2019.[key]: Input should be a valid integer."),
    ("years:", "year:", "is wrong at the top: year is unknown; do you mean years?"),
]
WRONG_BOARDS = [
    (
        "metric: microcredit_completion",
        "metric: completion",
        "is wrong at bank_completion: the catalogue has no metric completion of scope bank.",
    ),
    (
        "{scope: county, metric: match_rate}",
        "{scope: county, metric: projects_offered}",
        "is wrong at county_match_rate: the catalogue has no metric projects_offered of scope county.",
    ),
    (
        "{scope: bank, metric: microcredit_completion}",
        "{scope: village, metric: microcredit_completion}",
        "is wrong at bank_completion.scope: Input should be 'city', 'county', 'town' or 'bank'.",
    ),
    (
        "bank_completion: {scope: bank,",
        "bank_completion: {scope: county,",
        "is wrong at the top: the board bank_completion ranks what has the scope county: call it county_….",
    ),
    ("bank_completion:", "bank_score:", "is wrong at the top: the board bank_score comes from the assessment itself."),
    (
        "bank_completion:",
        "bank_microcredit_growth:",
        "cannot be read: bank_microcredit_growth stands there twice, again in line 5.",
    ),
    (
        "metric: microcredit_completion",
        "metrics: microcredit_completion",
        "is wrong at bank_completion: metrics is unknown; do you mean metric?",
    ),
]
CASES = [
    (file, *case)
    for file, cases in (
        ("scheme.yaml", WRONG_SCHEMES),
        ("scorecard.yaml", WRONG_SCORECARDS),
        ("targets.yaml", WRONG_TARGETS),
        ("boards.yaml", WRONG_BOARDS),
    )
    for case in cases
]


@pytest.mark.parametrize(("file", "before", "after", "sentence"), CASES)
def test_a_mistake_is_refused_in_one_sentence(
    tmp_path: Path, file: str, before: str, after: str, sentence: str
) -> None:
    settings = use(tmp_path, file, changed(file, before, after))

    with pytest.raises(SetupError) as refused:
        LOADERS[file](settings)
    said = without_line(str(refused.value))
    assert said == (sentence if sentence.startswith(file) else f"{tmp_path / file} {sentence}")


@pytest.mark.parametrize("file", LOADERS)
@pytest.mark.parametrize("content", ["", "# nothing yet\n", "- a\n- list\n", "12\n"])
def test_a_file_without_content_is_refused(tmp_path: Path, file: str, content: str) -> None:
    with pytest.raises(SetupError) as refused:
        LOADERS[file](use(tmp_path, file, content))
    assert str(refused.value) == (
        f"{tmp_path / file} holds no names with values; compare it with the one in include/reference."
    )


@pytest.mark.parametrize("file", ["scheme.yaml", "scorecard.yaml"])
def test_versions_are_told_apart(tmp_path: Path, file: str) -> None:
    again = content_of(file) + versions_of(file)
    with pytest.raises(SetupError, match=r"is wrong at versions, line \d+: two versions hold from 2016-01\.$"):
        LOADERS[file](use(tmp_path, file, again))
    later = content_of(file) + versions_of(file).replace("from: 2016-01", "from: 2019-04")
    with pytest.raises(SetupError, match=r"is wrong at versions, line \d+: two versions are called '2016'\.$"):
        LOADERS[file](use(tmp_path, file, later))


def test_a_month_has_the_newest_version_that_holds_from_it_or_earlier(tmp_path: Path) -> None:
    newer = versions_of("scheme.yaml").replace(
        'version: "2016"\n    from: 2016-01', 'version: "2019"\n    from: 2019-04'
    )
    newer = newer.replace("growth: 20, completion: 40", "growth: 25.5, completion: 34.5")
    # The newer one stands first: what counts is the date.
    settings = use(tmp_path, "scheme.yaml", f"versions:\n{newer}{versions_of('scheme.yaml')}")

    found = {str(month): load_scheme(settings, month) for month in (Period(2019, 3), Period(2019, 4), Period(2030, 1))}
    assert {month: scheme.version for month, scheme in found.items()} == {
        "2019-03": "2016",
        "2019-04": "2019",
        "2030-01": "2019",
    }
    assert found["2019-03"].weights["growth"] == 20
    assert found["2019-04"].weights["growth"] == Decimal("25.5")
    with pytest.raises(SetupError, match=r"^scheme\.yaml has no version that holds in 2015-12\.$"):
        load_scheme(settings, Period(2015, 12))


def test_the_scorecard_holds_by_date_too(tmp_path: Path) -> None:
    newer = versions_of("scorecard.yaml").replace(
        'version: "2016"\n    from: 2016-01', 'version: "2019"\n    from: 2019-04'
    )
    settings = use(tmp_path, "scorecard.yaml", content_of("scorecard.yaml") + newer)

    assert load_scorecard(settings, Period(2019, 3)).version == "2016"
    assert load_scorecard(settings, Period(2019, 4)).version == "2019"


def test_a_year_without_a_target_has_none() -> None:
    target = load_year_target(Settings.load(), 2019)
    assert target is not None
    assert target.households == 1200
    assert load_year_target(Settings.load(), 2020) is None
