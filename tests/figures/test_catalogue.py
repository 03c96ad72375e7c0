"""The catalogue: what is refused when it is read, how a metric is added, and figures of awkward data.

See docs/figures.md.
"""

from __future__ import annotations

import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from five_precisions.errors import SetupError, UsageError
from five_precisions.figures import assess, explain, validate_reference
from five_precisions.figures.alerts import load_alert_rules, require_metrics
from five_precisions.reference import load_boards, load_catalogue, sql_files
from five_precisions.settings import INCLUDE, Settings
from tests.figures.awkward_city import assess_awkward_city
from tests.figures.conftest import FEBRUARY, JANUARY
from tests.figures.small_city import SmallCity
from tests.refused_files import without_line

ENTRY = """
{code}:
  name: 一笔贷款的平均余额
  unit: '万元'
  formula: 贷款余额 ÷ 贷款笔数
  sql: [metrics/{code}]
  scopes: [city]
"""
MEAN_BALANCE = """
select
    'city' as scope,
    :city as scope_code,
    'mean_balance' as metric,
    avg(loans.balance) * 0.0001 as value,
    sum(loans.balance) * 0.0001 as numerator,
    count(*) as denominator
from loans
"""


def settings_with(folder: Path, settings: Settings, **files: str) -> Settings:
    """Settings whose reference folder has the files, named without their suffix."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    return settings.model_copy(update={"reference": folder})


def given_catalogue() -> str:
    return (INCLUDE / "reference" / "metrics.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        pytest.param(
            "[city, county, town, bank]",
            "[city, village]",
            r"metrics\.loan_balance\.scopes\.1: Input should be 'city'",
            id="unknown scope",
        ),
        pytest.param(
            "[city, county, town, bank]",
            "[]",
            r"loan_balance\.scopes: Tuple should have at least 1 item",
            id="no scope",
        ),
        pytest.param(
            "[city, county, town, bank]", "[city, city]", r"loan_balance\.scopes: city is named twice", id="scope twice"
        ),
        pytest.param(
            "[metrics/league]",
            "[metrics/leage]",
            r"province_rank\.sql: there is no statement include/sql/metrics/leage\.sql",
            id="no such statement",
        ),
        pytest.param("[facts/loans]", "[]", r"loan_balance\.sql: Tuple should have at least 1 item", id="no statement"),
        pytest.param(
            "[metrics/league]",
            "[metrics/league, metrics/league]",
            r"province_rank\.sql: metrics/league is named twice",
            id="statement twice",
        ),
        pytest.param(
            "[metrics/league]",
            "[metrics/completion]",
            r"none of metrics/completion yields the metric 'province_rank'",
            id="statement of others",
        ),
        pytest.param(
            "[evidence/league]",
            "[evidence/leage]",
            r"province_rank\.evidence: there is no statement include/sql/evidence/leage\.sql",
            id="no such evidence",
        ),
        pytest.param(
            "[facts/loans]",
            "[facts/loans, facts/funds]",
            r"loan_balance: a value or a ratio is made from the rows of one fact, which are its evidence too",
            id="two facts",
        ),
        pytest.param(
            "[facts/loans]",
            "[metrics/league]",
            r"loan_balance: metrics/league is no fact: a value or a ratio is made from the rows of one of include/sql",
            id="no fact",
        ),
        pytest.param(
            "[facts/loans]",
            "[facts/position]",
            r"loan_balance: the rows of facts/position belong to no town",
            id="fact of other scopes",
        ),
        pytest.param(
            "  value: {sum: balance, times: 0.0001}\n",
            "",
            r"loan_balance: facts/loans gives rows: say what of them makes the metric, as value or as ratio",
            id="nothing of a fact",
        ),
        pytest.param(
            "  value: {sum: balance, times: 0.0001}\n",
            "  value: {sum: balance, count: rows}\n",
            r"loan_balance\.value: it is one of sum, count, distinct and larger_of",
            id="two numbers in one",
        ),
        pytest.param(
            "  value: {sum: balance, times: 0.0001}\n",
            "  value: {count: rows, times: 0.0001}\n",
            r"loan_balance\.value: times belongs to a sum",
            id="count times",
        ),
        pytest.param(
            "  value: {sum: balance, times: 0.0001}\n",
            "  value: {sum: balance; drop table loans}\n",
            r"loan_balance\.value\.sum: an expression of SQL stands there, without ; and without a comment",
            id="two statements",
        ),
        pytest.param(
            "  value: {sum: balance, times: 0.0001}\n",
            "  value: {sum: balance, needs: [loans, loans]}\n",
            r"loan_balance\.value: it needs loans once",
            id="need twice",
        ),
        pytest.param(
            "  value: {sum: balance, times: 0.0001}\n",
            "  value: {sum: balance}\n  ratio: percent\n",
            r"loan_balance: it declares either a value, or a numerator, a denominator and a ratio",
            id="value and ratio",
        ),
        pytest.param(
            "  value: {sum: balance, times: 0.0001}\n",
            "  numerator: {sum: balance}\n  ratio: percent\n",
            r"loan_balance: a ratio takes a numerator, a denominator and a ratio: percent, growth or mean",
            id="ratio of one number",
        ),
        pytest.param(
            "  value: {sum: balance, times: 0.0001}\n",
            "  numerator: {distinct: household_no}\n  denominator: {distinct: town_code}\n  ratio: mean\n",
            r"loan_balance: numerator and denominator count the values of different columns",
            id="two columns counted once",
        ),
        pytest.param(
            "larger_of: [{count: rows, where: in_current_round}, {count: rows, where: in_round_before}]",
            "larger_of: [{count: rows, where: in_current_round}]",
            r"visit_coverage_standing\.numerator: larger_of names two sums or counts",
            id="larger of one",
        ),
        pytest.param(
            "of_banks: {sql: facts/matching_of_banks, value: {count: rows, where: matched, needs: [matches]}}",
            "of_banks: {sql: facts/matching, value: {count: rows, where: matched, needs: [matches]}}",
            r"projects_matched\.of_banks: the rows of facts/matching belong to no bank",
            id="banks of a fact without banks",
        ),
        pytest.param(
            "of_banks: {sql: facts/matching_of_banks, value: {count: rows, where: matched, needs: [matches]}}",
            "of_banks: {sql: facts/matching_of_banks}",
            r"projects_matched\.of_banks: it declares a value, or a numerator, a denominator and a ratio",
            id="nothing of banks",
        ),
        pytest.param(
            "  good: up\n", "  good: sideways\n", r"loan_balance\.good: Input should be 'up' or 'down'", id="direction"
        ),
        pytest.param("  unit: '万元'\n", "", r"loan_balance\.unit: Field required", id="no unit"),
        pytest.param(
            "  unit: '万元'\n",
            "  unit: '万元'\n  units: '万元'\n",
            r"loan_balance: units is unknown; do you mean unit\?",
            id="unknown field",
        ),
        pytest.param(
            "  unit: '万元'\n",
            "  unit: '万元'\n  unit: '元'\n",
            r"unit stands there twice, again in line \d+\.",
            id="field twice",
        ),
        pytest.param(
            "loan_balance_industry:",
            "loan_balance:",
            r"loan_balance stands there twice, again in line \d+\.",
            id="metric twice",
        ),
        pytest.param(
            "loan_balance:", "loan balance:", r"'loan balance' is no code: letters, digits and _ only", id="no code"
        ),
        pytest.param(
            "  additive: true\n",
            "  additive: true\n  share: true\n",
            r"loan_balance: a share does not add up",
            id="additive share",
        ),
        pytest.param(
            "[city, county, town, bank]",
            "[bank]",
            r"loan_balance: additive says that parts add up to the city",
            id="additive without the whole",
        ),
        pytest.param("loan_balance:", "loan_balance: [", r"metrics\.yaml cannot be read: ", id="no YAML"),
    ],
)
def test_the_catalogue_is_refused_in_one_sentence(tmp_path: Path, before: str, after: str, sentence: str) -> None:
    given = given_catalogue()
    assert before in given
    settings = settings_with(tmp_path, Settings(_env_file=None), metrics=given.replace(before, after, 1))
    with pytest.raises(SetupError) as refused:
        load_catalogue(settings)
    assert re.search(sentence, without_line(str(refused.value)))


@pytest.mark.parametrize("content", ["", "[]", "loan_balance", "{}"])
def test_a_catalogue_of_nothing_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(SetupError, match=r"metrics\.yaml (is wrong at metrics: |holds no names with values)"):
        load_catalogue(settings_with(tmp_path, Settings(_env_file=None), metrics=content))


@pytest.mark.parametrize("board", ["{scope: bank, metric: no_such}", "{scope: bank, metric: outreach_team}"])
def test_a_board_ranks_what_there_is(tmp_path: Path, board: str) -> None:
    sentence = r"boards\.yaml is wrong at bank_own, line \d+: the catalogue has no metric \w+ of scope bank"
    settings = settings_with(tmp_path, Settings(_env_file=None), boards=f"bank_own: {board}")
    with pytest.raises(SetupError, match=sentence):
        load_boards(settings, load_catalogue(settings))


def test_rules_of_alerts_name_metrics_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rules, catalogue = load_alert_rules(), load_catalogue(Settings())
    require_metrics(catalogue)
    assert sum(rule.metric is not None for rule in rules) > 10
    wrong = rules[0].model_copy(update={"metric": "fund_arrival"})
    monkeypatch.setattr("five_precisions.figures.alerts.load_alert_rules", lambda: (wrong, *rules[1:]))
    with pytest.raises(SetupError, match=r"is wrong at the rule A01: the catalogue has no metric fund_arrival\.$"):
        require_metrics(catalogue)


def test_every_metric_has_evidence_and_ratios_a_direction() -> None:
    metrics = load_catalogue(Settings(_env_file=None)).metrics
    assert len(metrics) > 70
    assert [code for code, metric in metrics.items() if not metric.is_proved] == []
    given_by_statements = [code for code, metric in metrics.items() if not metric.is_declared]
    assert given_by_statements == ["province_rank", "province_cities", "microcredit_completion"]
    assert [code for code, metric in metrics.items() if metric.share and metric.good is None] == []


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("matchrate", "match_rate"),
        ("overdue", "overdue_ratio"),
        ("Loan-Balance", "loan_balance"),
        ("项目对接率", "match_rate"),
    ],
)
def test_an_unknown_metric_names_near_ones(code: str, named: str) -> None:
    with pytest.raises(UsageError, match=rf"is no metric; do you mean .*\b{named}\b"):
        load_catalogue(Settings(_env_file=None)).find(code)
    with pytest.raises(UsageError, match=r"is no metric; include/reference/metrics\.yaml lists them"):
        load_catalogue(Settings(_env_file=None)).find("zzz")


@pytest.fixture
def own_statements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of include/sql to which a statement can be added, as whoever runs the system adds it there."""
    folder = tmp_path / "sql"
    shutil.copytree(INCLUDE / "sql", folder)
    monkeypatch.setattr(sql_files, "SQL_FOLDER", folder)
    return folder


def test_a_metric_is_added_by_an_entry_and_a_statement(
    closed_january: Engine, settings: Settings, own_statements: Path, tmp_path: Path
) -> None:
    (own_statements / "metrics" / "mean_balance.sql").write_text(MEAN_BALANCE, encoding="utf-8")
    own = settings_with(tmp_path / "reference", settings, metrics=given_catalogue() + ENTRY.format(code="mean_balance"))
    assess(closed_january, own, JANUARY)
    explained = explain(closed_january, own, "mean_balance", scope="city", code=None, period=JANUARY)
    assert (explained.value, explained.numerator, explained.denominator) == (2, 4, 2)
    assert explained.name == "一笔贷款的平均余额"
    # Nobody has said which rows are behind it.
    assert explained.proof is None


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        pytest.param(
            MEAN_BALANCE.replace("'city' as scope", "'bank' as scope"),
            "does not declare: mean_balance for bank",
            id="scope",
        ),
        pytest.param(
            f"{MEAN_BALANCE} union all {MEAN_BALANCE}",
            "metrics/mean_balance.sql cannot be used: .*duplicate key",
            id="figure twice",
        ),
        pytest.param(
            MEAN_BALANCE.replace("loans.balance", "loans.balanse"),
            "metrics/mean_balance.sql cannot be used: column loans.balanse does not",
            id="column",
        ),
        pytest.param(
            MEAN_BALANCE.replace(":city", ":town"),
            "metrics/mean_balance.sql binds :town, which no run has",
            id="parameter",
        ),
        pytest.param(
            f"{MEAN_BALANCE} union all select 'city', :city, 'other', 1, null, null",
            "does not declare: other for city",
            id="stray metric",
        ),
    ],
)
def test_what_is_wrong_with_an_added_statement_is_said(
    closed_january: Engine, settings: Settings, own_statements: Path, tmp_path: Path, statement: str, sentence: str
) -> None:
    (own_statements / "metrics" / "mean_balance.sql").write_text(statement, encoding="utf-8")
    own = settings_with(tmp_path / "reference", settings, metrics=given_catalogue() + ENTRY.format(code="mean_balance"))
    with pytest.raises(SetupError, match=sentence):
        assess(closed_january, own, JANUARY)
    with closed_january.connect() as connection:
        assert connection.execute(text("select count(*) from mart.run")).scalar() == 0


# The figures of the awkward city, by hand. None: no value. Where a ratio stands with three numbers, the second and
# third are numerator and denominator.

IN_JANUARY = {
    # 3 + 0.5 + 2 + 10 + 0 + 4 of B01, 1.5 of B02; B03's ledger is missing.
    ("loan_balance", "city", "441700"): "21",
    ("loan_balance", "county", "441704"): "1.5",
    ("loan_balance", "bank", "B03"): None,
    ("loan_balance_industry", "city", "441700"): "10",
    ("loan_balance_personal", "city", "441700"): "11",
    ("loan_balance_operating", "city", "441700"): "7",
    ("loan_balance_consumption", "town", "441702002"): "4",
    ("loan_balance_education", "city", "441700"): "0",
    ("loan_count", "city", "441700"): "6",
    # The other was issued a day too early.
    ("project_loan_cumulative", "bank", "B01"): "20",
    # H2 owes two banks: once in the city, once at each.
    ("microcredit_cumulative_households", "city", "441700"): "2",
    ("microcredit_cumulative_households", "bank", "B01"): "2",
    ("microcredit_cumulative_households", "bank", "B02"): "1",
    ("microcredit_ytd_households", "city", "441700"): "2",
    ("microcredit_ytd_households_yoy", "city", "441700"): ("100", "2", "1"),
    ("microcredit_ytd_households_yoy", "bank", "B02"): (None, "1", "0"),
    ("microcredit_ytd_amount_yoy", "bank", "B01"): ("100", "4", "2"),
    ("microcredit_overdue_ratio", "bank", "B02"): ("0", "0", "1.5"),
    ("microcredit_overdue_ratio", "town", "441702002"): (None, "0", "0"),
    # Only B01 has delivered both.
    ("microcredit_growth", "city", "441700"): ("175", "5.5", "2"),
    ("microcredit_growth", "county", "441704"): (None, "0", "0"),
    ("microcredit_growth", "bank", "B02"): None,
    ("microcredit_growth", "bank", "B03"): (None, None, None),
    ("microcredit_year_begin", "city", "441700"): "3",
    ("all_loans_growth", "bank", "B01"): ("10", "1100", "1000"),
    ("project_count", "city", "441700"): "3",
    ("match_rate", "city", "441700"): (Decimal(100) / 3, "1", "3"),
    ("match_rate", "county", "441704"): (None, "0", "0"),
    # P4 entered the library 91 days before the end, P2 90.
    ("projects_stale", "city", "441700"): "1",
    ("projects_paired", "bank", "B01"): "1",
    ("projects_offered", "bank", "B01"): "1",
    ("match_rate", "bank", "B01"): ("100", "1", "1"),
    # B02's position and matches are missing; B03's are there, and nothing was offered to it.
    ("projects_offered", "bank", "B02"): None,
    ("match_rate", "bank", "B02"): (None, None, None),
    ("projects_matched", "bank", "B02"): None,
    ("projects_offered", "bank", "B03"): "0",
    ("match_rate", "bank", "B03"): (None, "0", "0"),
    ("projects_matched", "bank", "B03"): "0",
    ("households_able", "city", "441700"): "5",
    ("households_visited_cumulative", "city", "441700"): "4",
    ("visit_coverage", "bank", "B01"): (Decimal(200) / 3, "2", "3"),
    ("visit_coverage", "county", "441704"): ("0", "0", "1"),
    # The city counts the visit to nobody's household too.
    ("visits_month", "city", "441700"): "8",
    ("visits_month", "county", "441702"): "7",
    ("visits_month", "county", "441704"): "0",
    ("visits_month", "bank", "B01"): "4",
    ("visits_made_month", "bank", "B01"): "5",
    # H1's later word is no, H2 has a loan, of H4 both words are of one moment.
    ("households_wanting", "city", "441700"): "2",
    ("households_wanting", "bank", "B01"): "0",
    ("households_wanting", "bank", "B02"): "1",
    ("households_wanting", "bank", "B03"): "1",
    ("households_scored", "bank", "B01"): "3",
    # 20 + 20 + 15 + 15 + 10 + 12 and the same without training; 15 + 10 + 15 + 18 and + 12 twice.
    ("households_tier_AAA", "county", "441704"): "1",
    ("households_tier_AA", "town", "441702002"): "1",
    ("households_tier_A", "bank", "B01"): "1",
    ("households_tier_B", "city", "441700"): "2",
    ("score_average", "city", "441700"): ("67.2", "336", "5"),
    ("score_coverage", "city", "441700"): ("100", "5", "5"),
    # The larger of the same day; a bank's word does not count, nor an empty one; none is 0.
    ("outreach_team", "city", "441700"): "9",
    ("outreach_team", "town", "441702002"): "0",
    ("outreach_team", "county", "441704"): "0",
    ("outreach_town_coverage", "city", "441700"): (Decimal(200) / 3, "2", "3"),
    ("activities_month", "county", "441704"): "0",
    ("activities_month", "bank", "B02"): None,
    # Due on the last day counts, a day later does not.
    ("fund_due", "city", "441700"): "100",
    ("fund_arrival_rate", "city", "441700"): ("100", "100", "100"),
    ("fund_arrival_rate", "bank", "B02"): (None, "0", "0"),
    ("fund_total_arrived", "bank", "B02"): "30",
    ("fund_due", "county", "441704"): "0",
    ("province_rank", "city", "441700"): "2",
    ("province_cities", "city", "441700"): "3",
    ("reports_expected", "bank", "B03"): "6",
    ("reporting_rate", "bank", "B03"): ("50", "3", "6"),
    ("first_pass_rate", "bank", "B03"): ("100", "3", "3"),
}

IN_FEBRUARY = {
    # One bank has the ledger, another the position.
    ("microcredit_growth", "city", "441700"): (None, None, None),
    ("loan_balance", "bank", "B01"): None,
    ("all_loans", "bank", "B01"): "1000",
    # B03 closed on the last day: it has no figures of its own, what it did before counts on.
    ("reports_expected", "city", "441700"): "22",
    ("reports_expected", "bank", "B03"): None,
    ("projects_matched", "bank", "B02"): None,
    ("households_able", "city", "441700"): "2",
    ("households_able", "county", "441704"): None,
    ("households_able", "town", "441704001"): None,
    ("households_visited_cumulative", "city", "441700"): "2",
    # Nobody's visits are in.
    ("visits_month", "city", "441700"): None,
    ("visits_month", "county", "441702"): None,
    ("visits_made_month", "bank", "B01"): None,
    # Cumulative figures know no missing month, the month's own do: the office of 441702 is missing.
    ("cadres_trained_cumulative", "city", "441700"): "14",
    ("cadres_trained_cumulative", "county", "441702"): "12",
    ("cadres_trained_cumulative", "bank", "B02"): "0",
    ("activities_month", "city", "441700"): "2",
    ("activities_month", "county", "441702"): None,
    ("activities_month", "town", "441702001"): None,
    ("activities_month", "county", "441704"): "1",
    ("activities_month", "town", "441704001"): "1",
    ("activities_month", "bank", "B01"): "2",
    ("activities_month", "bank", "B02"): None,
    ("outreach_team", "county", "441702"): "9",
    ("outreach_towns_quarter", "city", "441700"): "3",
    ("fund_due", "city", "441700"): None,
    # The league came without the own city.
    ("province_rank", "city", "441700"): None,
    ("province_cities", "city", "441700"): "2",
}


def test_figures_of_the_awkward_city(engine: Engine, settings: Settings) -> None:
    assess_awkward_city(engine, settings)
    with engine.connect() as connection:
        rows = connection.execute(
            text("select period, metric, scope, scope_code, value, numerator, denominator from mart.current_metric")
        ).all()
    found = {(row.period, row.metric, row.scope, row.scope_code): tuple(row)[4:] for row in rows}
    assert len(found) == len(rows) > 500
    wrong = {}
    for period, expected in ((JANUARY, IN_JANUARY), (FEBRUARY, IN_FEBRUARY)):
        for key, value in expected.items():
            figure = found.get((str(period), *key))
            computed = (figure or (None,)) if isinstance(value, tuple) else (figure or (None,))[:1]
            by_hand = value if isinstance(value, tuple) else (value,)
            if [_rounded(each) for each in computed] != [_rounded(each) for each in by_hand]:
                wrong[(str(period), *key)] = (computed, by_hand)
    assert wrong == {}


def _rounded(value: Decimal | str | None) -> Decimal | None:
    return None if value is None else round(Decimal(value), 10)


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        pytest.param(
            "where: microcredit}",
            "where: microcredits}",
            r"metrics\.yaml is wrong at microcredit_balance, made from facts/loans: .*microcredits",
            id="no such column",
        ),
        pytest.param(
            "where: overdue_days > 0}",
            "where: overdue_days > :days}",
            r"metrics\.yaml is wrong at overdue_ratio, made from facts/loans: .* binds :days, which no run has",
            id="no such parameter",
        ),
    ],
)
def test_a_condition_that_does_not_run_is_refused_by_the_name_of_its_metric(
    engine: Engine, settings: Settings, tmp_path: Path, before: str, after: str, sentence: str
) -> None:
    given = given_catalogue()
    assert before in given
    changed = settings_with(tmp_path, settings, metrics=given.replace(before, after, 1))
    with engine.begin() as connection:
        city = SmallCity(connection)
        city.open(JANUARY)
        city.deliver(JANUARY, "B01", loans=[{"contract_no": "L1"}])
        city.deliver(JANUARY, "C01", guarantee_funds=[{}])
        city.close(JANUARY)
    with pytest.raises(SetupError, match=sentence):
        assess(engine, changed, JANUARY)


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        pytest.param(
            "value: {sum: balance, times: 0.0001}",
            "value: {sum: balance}",
            r"metrics\.yaml is wrong at loan_balance: balance is no column in 万元; its sum wants times: 0\.0001\.$",
            id="yuan called 万元",
        ),
        pytest.param(
            "value: {sum: arrived_amount}",
            "value: {sum: arrived_amount, times: 0.0001}",
            r"is wrong at fund_total_arrived: arrived_amount is no column in 万元; its sum wants times: 1\.$",
            id="万元 taken for yuan",
        ),
        pytest.param(
            "needs_of_any: [loans]",
            "needs_of_any: [loan]",
            r"metrics\.yaml is wrong at households_wanting: there is no report loan, which it needs\.$",
            id="no such report",
        ),
    ],
)
def test_what_a_figure_is_made_of_is_held_against_the_reports(
    tmp_path: Path, before: str, after: str, sentence: str
) -> None:
    given = given_catalogue()
    assert before in given
    settings = settings_with(tmp_path, Settings(_env_file=None), metrics=given.replace(before, after, 1))
    with pytest.raises(SetupError, match=sentence):
        validate_reference(settings)
