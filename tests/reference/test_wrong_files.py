"""A reference file that makes no sense is refused in one sentence that names the file and the place; exit code 2."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies
from hypothesis import settings as examples
from pydantic import TypeAdapter
from sqlalchemy import Engine, create_engine, text
from tests.command_line import assert_one_sentence, run
from tests.refused_files import without_line
from typer.testing import CliRunner

from five_precisions import collection, figures, intake
from five_precisions.cli import make_app
from five_precisions.errors import SetupError
from five_precisions.figures.assess import take_inputs
from five_precisions.figures.lists import load_inspection_rules, load_lead_rules
from five_precisions.figures.scheme import load_scheme, load_scorecard, load_targets
from five_precisions.intake.reading.marks import load_marks
from five_precisions.intake.rules.derived import load_rates
from five_precisions.intake.rules.hotlines import hotline_forms, load_hotlines
from five_precisions.period import Period
from five_precisions.reference import MisplacedError, ReferenceModel, load_boards, load_catalogue, load_yaml
from five_precisions.register import load_holidays
from five_precisions.settings import INCLUDE, Settings

pytestmark = pytest.mark.slow

JUNE = Period(2019, 6)
SHIPPED = INCLUDE / "reference"
HOLIDAYS = "date,workday\n2019-10-01,0\n2019-10-12,1\n"
"""None is shipped."""
LOADERS: dict[str, Callable[[Settings], object]] = {
    "scheme.yaml": lambda own: load_scheme(own, JUNE),
    "scorecard.yaml": lambda own: load_scorecard(own, JUNE),
    "targets.yaml": load_targets,
    "metrics.yaml": load_catalogue,
    "boards.yaml": lambda own: load_boards(own, load_catalogue(own)),
    "inspection.yaml": load_inspection_rules,
    "leads.yaml": load_lead_rules,
    "rates.csv": load_rates,
    "hotlines.yaml": load_hotlines,
    "marks.yaml": load_marks,
    "holidays.csv": load_holidays,
}


def given_content(file: str) -> str:
    return HOLIDAYS if file == "holidays.csv" else (SHIPPED / file).read_text(encoding="utf-8")


def use(folder: Path, file: str, content: str | bytes) -> Settings:
    (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    return Settings(_env_file=None, reference=folder)


def refusal(own: Settings, file: str) -> str:
    with pytest.raises(SetupError) as refused:
        LOADERS[file](own)
    assert refused.value.exit_code == 2
    return str(refused.value)


def test_the_shipped_files_make_sense() -> None:
    shipped = {path.name for path in SHIPPED.iterdir()}
    assert shipped - LOADERS.keys() == {"indicators.yaml", "reports.yaml"}
    figures.validate_reference(Settings(_env_file=None))
    intake.validate_reference(Settings(_env_file=None))


@pytest.mark.parametrize("file", LOADERS)
def test_a_file_of_the_own_folder_is_read_as_the_shipped_one(tmp_path: Path, file: str) -> None:
    """Also with a byte order mark, as Excel and Notepad write one."""
    found = LOADERS[file](use(tmp_path, file, given_content(file).encode("utf-8-sig")))
    assert found
    if file != "holidays.csv":
        assert found == LOADERS[file](Settings(_env_file=None))


OF_ANY_FILE: dict[str, tuple[bytes, str]] = {
    "not UTF-8": ("# 方案\n金融".encode("gb18030"), "is not UTF-8 in line 1; save it as UTF-8."),
    "UTF-16": ("versions".encode("utf-16"), "is not UTF-8 in line 1; save it as UTF-8."),
    "a NUL": (b"# none\n\0", "has the character U+0000 in line 2, which belongs into no text."),
    "a control character": (b"a: \x07\n", "has the character U+0007 in line 1, which belongs into no text."),
    "too large": (b"# nothing\n" * 100_001, "has more than 1,000,000 bytes; no reference file is so large."),
}


@pytest.mark.parametrize("defect", OF_ANY_FILE)
@pytest.mark.parametrize("file", LOADERS)
def test_what_is_no_text_is_refused(tmp_path: Path, file: str, defect: str) -> None:
    content, sentence = OF_ANY_FILE[defect]
    assert refusal(use(tmp_path, file, content), file) == f"{tmp_path / file} {sentence}"


@pytest.mark.parametrize("file", LOADERS)
def test_what_is_no_file_is_refused(tmp_path: Path, file: str) -> None:
    own = Settings(_env_file=None, reference=tmp_path)
    (tmp_path / file).mkdir()
    assert refusal(own, file) == f"{tmp_path / file} is no file."
    (tmp_path / file).rmdir()
    # Where a link leads nowhere, the shipped file is not what ops mean.
    (tmp_path / file).symlink_to(tmp_path / "nowhere")
    assert refusal(own, file) == f"{tmp_path / file} cannot be read: No such file or directory."


OF_ANY_YAML: dict[str, tuple[str, str]] = {
    "empty": ("", "holds no names with values; compare it with the one in include/reference."),
    "a list": ("- a\n", "holds no names with values; compare it with the one in include/reference."),
    "two documents": ("a: 1\n---\na: 1\n", "cannot be read: but found another document in line 2."),
    "no YAML": ("a: 1\nb: @\n", "cannot be read: found character that cannot start any token in line 2."),
    "a name twice": ("a: 1\na: 2\n", "cannot be read: a stands there twice, again in line 2."),
    "an anchor": (
        "a: &x 1\n",
        "cannot be read: the name x repeats what stands elsewhere (& and *); write it out, in line 1.",
    ),
    "an alias": (
        "a: 1\nb: *x\n",
        "cannot be read: the name x repeats what stands elsewhere (& and *); write it out, in line 2.",
    ),
    "a merge": (
        "a: 1\n<<: {b: 1}\n",
        "cannot be read: a name is a word, and neither a list nor << in line 2.",
    ),
    "a list for a name": (
        "? [a, b]\n: 1\n",
        "cannot be read: a name is a word, and neither a list nor << in line 1.",
    ),
    "a tag": (
        "a: !!float 1\n",
        "cannot be read: tag:yaml.org,2002:float says what kind a value is (!); leave it out, in line 1.",
    ),
    "deep": ("a: " + "[" * 21 + "]" * 21, "cannot be read: there are more than 20 levels, in line 1."),
}


@pytest.mark.parametrize("defect", OF_ANY_YAML)
@pytest.mark.parametrize("file", [file for file in LOADERS if file.endswith(".yaml")])
def test_what_is_no_plain_yaml_is_refused(tmp_path: Path, file: str, defect: str) -> None:
    content, sentence = OF_ANY_YAML[defect]
    assert refusal(use(tmp_path, file, content), file) == f"{tmp_path / file} {sentence}"


PLACES = {
    "a value": ("growth: {weight: 1}\nvisits:\n  weight: five\n", "visits.weight, line 3"),
    "a name that is missing": ("growth: {weight: 1}\nvisits: {}\n", "visits.weight, line 2"),
    "a name that is unknown": ("growth:\n  weight: 1\n  wait: 1\n", "growth, line 1"),
    "one of a list": ("growth:\n  weight: 1\n  at:\n    - 1\n    - two\n", "growth.at.1, line 5"),
}


class Weighed(ReferenceModel):
    """One entry of a file of these tests."""

    weight: int
    at: tuple[int, ...] = ()


@pytest.mark.parametrize("defect", PLACES)
def test_the_sentence_names_the_line(tmp_path: Path, defect: str) -> None:
    content, place = PLACES[defect]
    (tmp_path / "a.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(SetupError) as refused:
        load_yaml(tmp_path / "a.yaml", TypeAdapter(dict[str, Weighed]).validate_python)
    assert str(refused.value).startswith(f"{tmp_path / 'a.yaml'} is wrong at {place}: ")


def test_what_does_not_go_together_is_named_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("first:\n  of: [1, 2,\n    3]\n", encoding="utf-8")

    def refuse(_: object) -> None:
        raise MisplacedError(("first", "of", 2), "there is no third one")

    with pytest.raises(SetupError, match=r"a\.yaml is wrong at first\.of\.2, line 3: there is no third one\.$"):
        load_yaml(tmp_path / "a.yaml", refuse)


def test_numbers_in_yaml_are_those_that_are_written(tmp_path: Path) -> None:
    """What YAML 1.1 reads as octal, in sixties or as infinity stays text, which no number is; a decimal stays exact."""
    (tmp_path / "a.yaml").write_text(
        "a: [0.1, 0.30, 12, -1, 010, 1:30, 1_000, 1e3, 1.0e+400, .inf, .nan, 0x10, 2016-02-30]\n", encoding="utf-8"
    )
    found = load_yaml(tmp_path / "a.yaml", lambda content: content["a"])
    assert [str(number) for number in found[:4]] == ["0.1", "0.30", "12", "-1"]
    assert [each for each in found[4:] if not isinstance(each, str)] == []


NO_NUMBERS = ["1e400", "1.0e+400", ".inf", "-.inf", ".nan", "020", "1:30", "'20'", "1_0", "0x14", "9" * 400, "twenty"]


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize(
    ("file", "before", "place"),
    [
        ("scheme.yaml", "growth: 20", "versions.0.weights.growth"),
        ("scheme.yaml", "at_least: 80", "versions.0.grades.1.at_least"),
        ("scheme.yaml", "visit_round_reached: 85", "versions.0.visit_round_reached"),
        ("scorecard.yaml", "trained: 10", "versions.0.items.trained"),
        ("scorecard.yaml", "credit_limit: 50000", "versions.0.tiers.0.credit_limit"),
        ("targets.yaml", "households: 1200", "years.2019.households"),
        ("inspection.yaml", "high: 10", "levels.high"),
        ("inspection.yaml", "full_after_days: 730", "full_after_days"),
        ("leads.yaml", "industry: 50", "matching.fit.industry"),
    ],
)
def test_what_is_no_plain_number_is_refused(tmp_path: Path, file: str, before: str, place: str, number: str) -> None:
    content = given_content(file)
    assert content.count(before) == 1
    name = before.partition(":")[0]
    said = refusal(use(tmp_path, file, content.replace(before, f"{name}: {number}")), file)
    line = content.partition(before)[0].count("\n") + 1
    assert said.startswith(f"{tmp_path / file} is wrong at {place}, line {line}: ")
    assert len(said) < 300


WRONG: list[tuple[str, str, str, str]] = [
    # What scheme, scorecard, targets and boards refuse beyond this stands in tests/figures/test_scheme.py.
    (
        "scheme.yaml",
        "growth: 20",
        "growth: 20.5",
        "is wrong at versions.0.weights: weights add up to 100, these to 100.5.",
    ),
    (
        "scheme.yaml",
        "growth: 20",
        "growth: 19.99",
        "is wrong at versions.0.weights: weights add up to 100, these to 99.99.",
    ),
    (
        "scheme.yaml",
        "at_least: 90",
        "at_least: 79",
        "is wrong at versions.0.grades: the best grade comes first: 良好 starts at 80, and 优秀 before it at 79.",
    ),
    (
        "scheme.yaml",
        "no_points_from: 5",
        "no_points_from: 101",
        "is wrong at versions.0.overdue_ratio.no_points_from: Input should be less than or equal to 100.",
    ),
    *(
        (
            "scheme.yaml",
            f"{name}: {number}",
            f"{name}: {wrong}",
            f"is wrong at versions.0.deductions.{name}: Input should be {word} than or equal to {bound}.",
        )
        for name, number in (("per_overdue_finding", 2), ("per_high_alert", 1), ("at_most", 10))
        for wrong, word, bound in (("100.01", "less", 100), ("-1", "greater", 0))
    ),
    (
        "scheme.yaml",
        "from: 2016-01",
        "from: 1016-01",
        "is wrong at versions.0.from: '1016-01' is not a period; write a month as YYYY-MM, of the years 2000 to 2999",
    ),
    (
        "scheme.yaml",
        "from: 2016-01",
        "from: 2216-01",
        "is wrong at versions.0.from: 2216-01 does not lie between 2000 and 2100.",
    ),
    (
        "scorecard.yaml",
        "at_least: 85",
        "at_least: 69.5",
        "is wrong at versions.0.tiers: the best tier comes first: AA starts at 70, and AAA before it at 69.5.",
    ),
    (
        "scorecard.yaml",
        "credit_limit: 10000",
        "credit_limit: 30001",
        "is wrong at versions.0.tiers: the tier A gives a higher credit limit than AA above it.",
    ),
    (
        "scorecard.yaml",
        "trained: 10",
        "trained: 11",
        "is wrong at versions.0.items: the best household scores 101, not 100.",
    ),
    (
        "scorecard.yaml",
        "without: 12",
        "without: 21",
        "is wrong at versions.0.items.conduct: without a mark there are more points than the best mark gives, 20.",
    ),
    (
        "scorecard.yaml",
        "at_least: 4000",
        "at_least: 6001",
        "is wrong at versions.0.items.income_per_head: bands stand from the lowest up: one starts at 6000, after 6001.",
    ),
    (
        "scorecard.yaml",
        "at_most: 0.5",
        "at_most: 1.5",
        "is wrong at versions.0.items.debts_to_income: bands stand from the lowest up: one ends at 1, after 1.5.",
    ),
    (
        "targets.yaml",
        "1200",
        "10000001",
        "is wrong at years.2019.households: Input should be less than or equal to 10000000.",
    ),
    ("targets.yaml", "2019", "1019", "is wrong at years.1019.[key]: 1019 does not lie between 2000 and 2100."),
    (
        "metrics.yaml",
        "\nprovince_rank:",
        "\nprovince_ranks:",
        "is wrong at metrics: none of metrics/league yields the metric 'province_ranks'.",
    ),
    (
        "metrics.yaml",
        "[city, county, town, bank]",
        "[city, county, bank]",
        "is wrong at metrics.loan_balance.scopes: town is missing.",
    ),
    (
        "metrics.yaml",
        "additive: true",
        "additive: 1",
        "is wrong at metrics.loan_balance.additive: Input should be a valid boolean.",
    ),
    (
        "metrics.yaml",
        "[facts/loans]",
        "[../facts/loans]",
        "is wrong at metrics.loan_balance.sql: '../facts/loans' is no statement: a folder of include/sql, a slash ",
    ),
    (
        "boards.yaml",
        "bank_completion:",
        "bank completion:",
        "is wrong at the top: 'bank completion' is no code: letters, digits and _ only, a letter first.",
    ),
    (
        "inspection.yaml",
        "alerts: 60",
        "alerts: -60",
        "is wrong at risk.alerts: Input should be greater than or equal to 0.",
    ),
    (
        "inspection.yaml",
        "loans: 10",
        "loans: 100001",
        "is wrong at sample.loans: Input should be less than or equal to 100000.",
    ),
    (
        "leads.yaml",
        "industry: 50",
        "indistry: 50",
        "is wrong at matching.fit: indistry is unknown; do you mean industry?",
    ),
    (
        "hotlines.yaml",
        "mobile: '",
        "mobile: '(",
        "is wrong at the top: mobile: it is no regular expression: missing ), ",
    ),
    ("hotlines.yaml", "mobile: '", "mobile: '1)|(?:", "mobile: it is no regular expression: unbalanced parenthesis"),
    (
        "hotlines.yaml",
        "mobile: '",
        "mobile: '(?i)",
        "mobile: it is no regular expression: global flags not at the start",
    ),
    ("hotlines.yaml", "mobile: '", "mobile: '[[0-9]]|", "mobile: it is no regular expression: Possible nested set"),
    ("hotlines.yaml", "mobile: '", "mobile: '|", "mobile: the form takes a text without a sign for a hotline."),
    (
        "hotlines.yaml",
        "mobile: ",
        "mobile: ''\nother: ",
        "is wrong at mobile: String should have at least 1 character.",
    ),
    ("marks.yaml", "totals: [合计, ", "totals: [合计, 合 计, ", "is wrong at the top: 合计 stands twice."),
    ("marks.yaml", "notes:\n", "notes:\n  - 小计\n", "is wrong at the top: 小计 stands twice."),
    ("marks.yaml", "  - '第[", "  - '第(?:[", "it is no regular expression: "),
    ("marks.yaml", "  - '第[", "  - '|第[", "the form takes a cell without a sign for a page line."),
    ("marks.yaml", "totals: ", "total: ", "total is unknown; do you mean totals?"),
    ("hotlines.yaml", "mobile: ", "mobile: 12363\nother: ", "is wrong at mobile: Input should be a valid string."),
    (
        "rates.csv",
        "from,up_to_months,rate\n",
        "",
        "has the column '2015-10-24', which is unknown; its first line names the columns ",
    ),
    (
        "rates.csv",
        "from,up_to_months,rate",
        "from,up_to_months",
        "lacks the column rate; its first line names the columns ",
    ),
    ("rates.csv", "months,rate", "months,rate,rate", "has the column 'rate' twice; its first line names the columns "),
    (
        "rates.csv",
        "months,rate",
        "months,Rate",
        "has the column 'Rate', which is unknown; its first line names the columns ",
    ),
    ("rates.csv", "from,up", "from;up", "has the column 'from;up_to_months', which is unknown; "),
    ("rates.csv", ",4.35", ",4,35", "Line 2: it has 4 cells, and there are 3 columns."),
    ("rates.csv", ",4.35", ',"4.35', "is no line of CSV: unexpected end of data."),
    *(
        ("rates.csv", "4.75", wrong, f"Line 3: rate is '{wrong}'; it is a percentage from 0 to 100, in plain digits.")
        for wrong in ("-4.75", "NaN", "inf", "1e400", "475", "４.75", "4.75%", "4_5")
    ),
    ("rates.csv", "4.75", "", "Line 3: rate is ''; it is a percentage from 0 to 100, in plain digits."),
    *(
        ("rates.csv", ",60,", f",{wrong},", f"Line 3: up_to_months is '{wrong}'; it is a whole number from 1 to 600.")
        for wrong in ("0", "-60", "60.5", "601", "five", "060")
    ),
    *(
        ("rates.csv", "2015-10-24,60", f"{wrong},60", f"Line 3: from is '{wrong}'; it is a day, YYYY-MM-DD.")
        for wrong in ("20151024", "2015-W43-6", "2015-02-29", "24.10.2015")
    ),
    ("rates.csv", "2015-10-24,60", "1015-10-24,60", "Line 3: from is 1015-10-24; its year lies between 2000 and 2100."),
    ("rates.csv", ",60,", ",12,", "Line 3: from 2015-10-24 there is a rate of that term already."),
    ("rates.csv", "2015-10-24,,4.90\n", "", "has no rate from 2015-10-24 for the longest terms: a line whose "),
    ("rates.csv", "2015-10-24,,", "2019-10-24,,", "has no rate from 2015-10-24 for the longest terms: a line whose "),
    (
        "holidays.csv",
        "date,workday\n",
        "",
        "has the column '2019-10-01', which is unknown; its first line names the columns ",
    ),
    (
        "holidays.csv",
        "date,workday",
        "date",
        "lacks the column workday; its first line names the columns date, workday.",
    ),
    ("holidays.csv", "workday\n", "workday,remark\n", "has the column 'remark', which is unknown; "),
    ("holidays.csv", "2019-10-12", "2019-10-01", "Line 3: 2019-10-01 stands in an earlier line as another."),
    ("holidays.csv", "2019-10-12,1", "2019-10-01,0", "Line 3: 2019-10-01 stands in an earlier line already."),
    ("holidays.csv", "2019-10-12", "2019-10-32", "Line 3: date is '2019-10-32'; it is a day, YYYY-MM-DD."),
    ("holidays.csv", "2019-10-12", "0019-10-12", "Line 3: date is 0019-10-12; its year lies between 2000 and 2100."),
    ("holidays.csv", "2019-10-12,1", "2019-10-12,", "Line 3: workday is ''; it is a whole number from 0 to 1."),
    ("holidays.csv", "2019-10-12,1", "2019-10-12,yes", "Line 3: workday is 'yes'; it is a whole number from 0 to 1."),
]


@pytest.mark.parametrize(("file", "before", "after", "sentence"), WRONG)
def test_a_file_without_sense_is_refused(tmp_path: Path, file: str, before: str, after: str, sentence: str) -> None:
    content = given_content(file)
    assert before in content
    said = refusal(use(tmp_path, file, content.replace(before, after, 1)), file)
    line, is_of_a_line, reason = sentence.partition(": ")
    if is_of_a_line and line.startswith("Line "):
        assert said == f"{line} of {tmp_path / file} is wrong: {reason}"
    else:
        assert str(tmp_path / file) in said
        assert sentence in without_line(said)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "lacks the column from, up_to_months, rate; its first line names the columns from, up_to_months, rate."),
        ("from,up_to_months,rate\n,,\n", "has no rate."),
        (
            "from,up_to_months,rate\n2016-01-02,,4.90\n",
            "has no rate before 2016-01-02; loans of the ledger are issued from 2016-01-01 on.",
        ),
    ],
)
def test_rates_that_leave_loans_without_one_are_refused(tmp_path: Path, content: str, sentence: str) -> None:
    assert refusal(use(tmp_path, "rates.csv", content), "rates.csv") == f"{tmp_path / 'rates.csv'} {sentence}"


def test_rates_may_change_and_stand_in_any_order(tmp_path: Path) -> None:
    own = use(tmp_path, "rates.csv", "rate,from,up_to_months\n5.00,2020-01-01,\n4.90,2015-10-24,\n4.35,2015-10-24,12\n")
    assert [(each.valid_from.year, each.up_to_months, str(each.rate)) for each in load_rates(own)] == [
        (2015, 12, "4.35"),
        (2015, None, "4.90"),
        (2020, None, "5.00"),
    ]


@pytest.mark.parametrize("form", ["(?>1|12)3", "1(2)?(?(1)3|4)", "1++"])
def test_a_form_that_the_checks_cannot_read_is_refused(tmp_path: Path, form: str) -> None:
    """Python's engine knows these, Arrow's, by which pandas looks into columns, does not."""
    own = use(tmp_path, "hotlines.yaml", f"own: '{form}'\n")
    assert load_hotlines(own) == {"own": form}
    with pytest.raises(
        SetupError, match=r"hotlines\.yaml is wrong at own, line 1: the checks do not know this expression: "
    ):
        hotline_forms(own)
    use(tmp_path, "hotlines.yaml", "own: '(?=1)12363'\n")
    assert hotline_forms(own) == ["^(?:(?=1)12363)$"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("target.yaml", "targets.yaml"),
        ("targets.yml", "targets.yaml"),
        ("Scheme.yaml", "scheme.yaml"),
        ("holiday.csv", "holidays.csv"),
        ("rates.CSV", "rates.csv"),
    ],
)
def test_a_file_with_a_misspelt_name_is_refused(tmp_path: Path, name: str, meant: str) -> None:
    """Without a word the shipped one would count."""
    own = use(tmp_path, name, given_content(meant))
    for file in LOADERS:
        assert refusal(own, file) == (
            f"{tmp_path / name} would not count, for no reference file is called so; do you mean {meant}?"
        )


def test_what_else_lies_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    for name in ("README.md", "institutions.csv", "divisions.csv", "contacts.csv", "obligations.csv", "targets.yaml~"):
        use(tmp_path, name, "anything")
    figures.validate_reference(Settings(_env_file=None, reference=tmp_path))


def test_the_first_month_has_a_scheme_and_a_scorecard(tmp_path: Path) -> None:
    for file in ("scheme.yaml", "scorecard.yaml"):
        own = use(tmp_path, file, given_content(file).replace("from: 2016-01", "from: 2019-07"))
        figures.validate_reference(own)
        with pytest.raises(SetupError, match=f"^{file} has no version that holds in 2019-06\\.$"):
            figures.validate_reference(own.model_copy(update={"first_period": JUNE}))
        (tmp_path / file).unlink()


# When


@pytest.mark.parametrize("file", LOADERS)
def test_init_refuses_every_file_before_it_makes_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    use(tmp_path, file, b"\0")
    monkeypatch.setenv("FIVE_PRECISIONS_REFERENCE", str(tmp_path))
    monkeypatch.setenv("FIVE_PRECISIONS_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("FIVE_PRECISIONS_WAREHOUSE", "postgresql://nobody@127.0.0.1:1/nowhere")
    with pytest.raises(SetupError) as refused:
        CliRunner().invoke(make_app(), ["init"], catch_exceptions=False)
    assert str(refused.value) == f"{tmp_path / file} has the character U+0000 in line 1, which belongs into no text."
    assert not (tmp_path / "var").exists()


@pytest.mark.integration
def test_a_command_ends_with_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    content = given_content("scheme.yaml")
    line = content.partition("growth: 20")[0].count("\n") + 1
    use(tmp_path, "scheme.yaml", content.replace("growth: 20", "growth: 1e400"))
    ended = run("init", REFERENCE=str(tmp_path), VAR=str(tmp_path / "var"))
    assert_one_sentence(
        ended, 2, f"{tmp_path / 'scheme.yaml'} is wrong at versions.0.weights.growth, line {line}: a number is wanted"
    )


@pytest.mark.parametrize("file", ["rates.csv", "hotlines.yaml"])
def test_the_self_check_refuses_what_it_uses(tmp_path: Path, file: str) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "loans.csv").write_text("合同编号\n", encoding="utf-8")
    with pytest.raises(SetupError, match=re.escape(f"{tmp_path / file} has the character U+0000")):
        collection.check(use(tmp_path, file, b"\0"), package, "B01", JUNE)


@pytest.mark.parametrize("file", ["rates.csv", "hotlines.yaml", "holidays.csv"])
def test_the_intake_refuses_what_it_uses_before_it_opens_the_month(
    register_saved_engine: Engine, settings: Settings, tmp_path: Path, file: str
) -> None:
    """Also where nothing lies in the inbox yet."""
    folder = tmp_path / "reference"
    folder.mkdir()
    own = settings.model_copy(update={"reference": use(folder, file, b"\0").reference})
    with pytest.raises(SetupError, match=re.escape(f"{folder / file} has the character U+0000")):
        collection.collect(register_saved_engine, own, JUNE)
    with register_saved_engine.connect() as connection:
        assert connection.execute(text("select count(*) from registry.period")).scalar() == 0


@pytest.mark.parametrize(
    "file", ["scheme.yaml", "scorecard.yaml", "metrics.yaml", "boards.yaml", "inspection.yaml", "leads.yaml"]
)
def test_a_run_refuses_what_it_uses_before_it_reads_the_warehouse(tmp_path: Path, file: str) -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(SetupError, match=re.escape(str(tmp_path / file))):
        take_inputs(connection, use(tmp_path, file, b"\0"), JUNE)


# Whatever is done to a file, it loads or is refused in one sentence

SIGNS = [
    "nan",
    ".nan",
    ".inf",
    "-.inf",
    "1e400",
    "1.0e+400",
    "-1",
    '""',
    "null",
    "yes",
    "[]",
    "{}",
    "010",
    "1.5",
    "[a]",
]
changes = strategies.sampled_from(["value", "value", "value", "remove", "rename", "double", "swap", "cut"])


@pytest.mark.parametrize("file", LOADERS)
def test_a_changed_file_loads_or_is_refused_in_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, file: str
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    outcomes: set[bool] = set()

    @examples(max_examples=40, deadline=None, database=None, derandomize=True)
    @given(strategies.data())
    def hold(data: strategies.DataObject) -> None:
        content = given_content(file)
        for _ in range(data.draw(strategies.integers(1, 3))):
            content = change(content, data)
        outcomes.add(is_loaded_or_refused(use(folder, file, content), file))

    hold()
    assert False in outcomes, "something was refused, or the changes change nothing"


def is_loaded_or_refused(own: Settings, file: str) -> bool:
    try:
        LOADERS[file](own)
    except SetupError as refused:
        said = str(refused)
        assert file in said
        assert "\n" not in said
        assert said.endswith((".", "?"))
        return False
    return True


def change(content: str, data: strategies.DataObject) -> str:
    """The content with one number, line or name changed."""
    lines = content.splitlines()
    places = [number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    if not places:
        return content
    place = data.draw(strategies.sampled_from(places))
    line = lines[place]
    match data.draw(changes):
        case "value":
            values = list(re.finditer(r"[0-9][0-9.]*", line)) or list(re.finditer(r"\w+", line))
            if values:
                value = data.draw(strategies.sampled_from(values))
                lines[place] = line[: value.start()] + data.draw(strategies.sampled_from(SIGNS)) + line[value.end() :]
        case "remove":
            del lines[place]
        case "rename":
            lines[place] = re.sub(r"([a-z_]{2})([a-z_]*:|,)", r"\2\1", line, count=1)
        case "double":
            lines.insert(place, line)
        case "swap":
            other = data.draw(strategies.sampled_from(places))
            lines[place], lines[other] = lines[other], lines[place]
        case "cut":
            lines[place] = line[: data.draw(strategies.integers(0, len(line)))]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("file", ["scheme.yaml", "scorecard.yaml", "inspection.yaml", "leads.yaml", "targets.yaml"])
@pytest.mark.parametrize("wrong", [None, True, "", -1, 10**30, float("nan"), float("inf"), [], {}, "x"])
def test_no_value_at_any_place_ends_in_a_traceback(tmp_path: Path, file: str, wrong: Any) -> None:
    content = yaml.safe_load(given_content(file))
    places = list(leaves(content))
    assert places
    for path in places:
        changed = yaml.safe_load(given_content(file))
        holder = changed
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = wrong
        is_loaded_or_refused(use(tmp_path, file, yaml.safe_dump(changed, allow_unicode=True)), file)


def leaves(content: Any, path: tuple[Any, ...] = ()) -> Any:
    """The place of every value that holds no others."""
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else None
    if inner is None:
        yield path
        return
    for part, value in inner:
        yield from leaves(value, (*path, part))
