"""An installation's own files replace ours or are added to them; what would silently not count is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from five_precisions.bulletin import pdf
from five_precisions.errors import SetupError
from five_precisions.figures.alerts import load_alert_rules
from five_precisions.intake.package_sheets import known_headers
from five_precisions.intake.rules.suites import load_suite
from five_precisions.own_files import (
    SHIPPED,
    VARIABLE,
    Origin,
    all_files_of,
    files_of,
    found,
    list_own_files,
    refuse_what_would_not_count,
)
from five_precisions.reference import load_indicators, refuse_unnamed_statements
from five_precisions.reference.sql_files import SQL_FOLDER
from five_precisions.reports import load_reports
from five_precisions.reports.cross_rules import load_cross_rules
from five_precisions.reports.kept import faults
from five_precisions.settings import PREFIX, Settings
from five_precisions.templates import TEMPLATE_FOLDER, environment, render
from five_precisions.warehouse import load_statement
from five_precisions.web.rule_words import rule_words
from tests.command_line import assert_one_sentence, run

REPLACED = {
    "reference/reports.yaml": "reports.yaml",
    "reference/targets.yaml": "targets.yaml",
    "expectations/loans.json": "expectations/loans.json",
    "sql/alerts/a05.sql": "sql/alerts/a05.sql",
    "sql/checks/x01.sql": "sql/checks/x01.sql",
    "sql/facts/loans.sql": "sql/facts/loans.sql",
    "sql/metrics/league.sql": "sql/metrics/league.sql",
    "sql/evidence/league.sql": "sql/evidence/league.sql",
    "sql/assessment/indicators/growth.sql": "sql/assessment/indicators/growth.sql",
    "templates/mail/receipt.html": "templates/mail/receipt.html",
    "templates/bulletin/bulletin.typ": "templates/bulletin/bulletin.typ",
    "templates/bulletin/overview.txt": "templates/bulletin/overview.txt",
}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


def put(folder: Path, name: str, content: str | None = None) -> Path:
    """Our file at the same place of the own folder, or with other content."""
    path = folder / REPLACED.get(name, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((SHIPPED / name).read_text(encoding="utf-8") if content is None else content, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", REPLACED)
def test_a_file_of_the_same_place_counts_instead_of_ours(own: Path, name: str) -> None:
    assert found(SHIPPED / name) == SHIPPED / name
    path = put(own, name)
    assert found(SHIPPED / name) == path
    assert [(each.name, each.origin) for each in list_own_files()] == [(name, Origin.SAME)]
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert [(each.name, each.path, each.origin) for each in list_own_files()] == [(name, path, Origin.REPLACES)]


def test_without_a_folder_all_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (None, ""):
        if value is not None:
            monkeypatch.setenv(VARIABLE, value)
        assert list_own_files() == []
        assert found(SQL_FOLDER / "alerts" / "a05.sql") == SQL_FOLDER / "alerts" / "a05.sql"
        assert len(all_files_of(SQL_FOLDER, ".sql")) == len(list(SQL_FOLDER.rglob("*.sql"))) > 100


def test_a_folder_that_is_not_there_is_refused_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    for load in (load_reports, load_indicators, load_alert_rules, load_cross_rules, lambda: render("mail/base.html")):
        with pytest.raises(SetupError, match=rf"^{VARIABLE} names {tmp_path}/nowhere, which is no folder\.$"):
            load()


def test_a_new_file_is_added_in_the_order_of_the_names(own: Path) -> None:
    path = put(own, "sql/alerts/a055.sql", (SQL_FOLDER / "alerts" / "a05.sql").read_text(encoding="utf-8"))
    names = [each.name for each in files_of(SQL_FOLDER / "alerts", ".sql")]
    assert names[4:6] == ["a05.sql", "a055.sql"]
    assert [(each.path, each.origin) for each in list_own_files()] == [(path, Origin.ADDED)]
    fact = put(own, "sql/facts/visits_of_a_day.sql", "select 1")
    assert all_files_of(SQL_FOLDER, ".sql")["facts/visits_of_a_day.sql"] == fact
    assert load_statement("facts/visits_of_a_day").text == "select 1"


def test_a_changed_file_is_read_anew_and_ours_again_once_it_is_gone(own: Path) -> None:
    ours = load_reports()
    path = put(own, "reference/reports.yaml")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("title: 金融精准扶贫贷款台账", "title: 贷款台账一"), encoding="utf-8")
    assert load_reports()["loans"].title == "贷款台账一"
    path.write_text(text.replace("title: 金融精准扶贫贷款台账", "title: 贷款台账二号"), encoding="utf-8")
    assert load_reports()["loans"].title == "贷款台账二号"
    path.unlink()
    assert load_reports() == ours


def test_suites_rules_indicators_and_statements_are_the_own_ones(own: Path) -> None:
    suite = json.loads((SHIPPED / "expectations" / "visits.json").read_text(encoding="utf-8"))
    suite["expectations"][0]["meta"]["message"] = "本市的说法。"
    put(own, "expectations/visits.json", json.dumps(suite, ensure_ascii=False))
    assert load_suite(load_reports()["visits"]).rules[0].message == "本市的说法。"
    alert = put(own, "sql/alerts/a05.sql")
    alert.write_text(alert.read_text(encoding="utf-8").replace("level: ", "level: low # "), encoding="utf-8")
    assert {rule.rule: rule.level for rule in load_alert_rules()}["A05"] == "low"
    check = put(own, "sql/checks/x01.sql")
    check.write_text(check.read_text(encoding="utf-8").replace("message: ", "message: 本市："), encoding="utf-8")
    assert next(rule.message for rule in load_cross_rules() if rule.rule == "X01").startswith("本市：")
    indicators = put(own, "reference/indicators.yaml")
    indicators = indicators if indicators.parent == own else indicators.rename(own / "indicators.yaml")
    indicators.write_text(indicators.read_text(encoding="utf-8").replace("unit: 户", "unit: 家"), encoding="utf-8")
    assert "家" in {each.unit for each in load_indicators().values()}
    statement = put(own, "sql/metrics/league.sql", "select 2")
    assert load_statement("metrics/league").text == "select 2"
    statement.unlink()
    assert load_statement("metrics/league").text.startswith("--")


def test_templates_are_the_own_ones_and_take_in_others(own: Path) -> None:
    assert render("mail/macros.html") is not None
    put(own, "templates/mail/receipt.html", '{% include "mail/greeting.html" %}{{ bank }}')
    put(own, "templates/mail/greeting.html", "各位同志：")
    assert render("mail/receipt.html", bank="甲行") == "各位同志：甲行"
    assert "mail/greeting.html" in environment().list_templates()
    put(own, "templates/mail/receipt.html", "{{ bank }}好")
    (own / "templates" / "mail" / "greeting.html").unlink()
    assert render("mail/receipt.html", bank="甲行") == "甲行好"
    shutil.rmtree(own / "templates")
    assert environment().get_template("mail/receipt.html").filename == str(TEMPLATE_FOLDER / "mail" / "receipt.html")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("好\n{% if %}", "line 2: Expected an expression, got 'end of statement block'"),
        ("好\n\n{{ nobody }}", "line 3: 'nobody' is undefined"),
        ("{{ 1 + '1' }}", "line 1: unsupported operand type(s) for +: 'int' and 'str'"),
        ("{{ bank | nofilter }}", "line 1: No filter named 'nofilter'"),
        ('{% include "mail/none.html" %}', "line 1: mail/none.html"),
    ],
)
def test_a_broken_template_is_one_sentence_with_file_and_line(own: Path, content: str, reason: str) -> None:
    path = put(own, "templates/mail/receipt.html", content)
    with pytest.raises(SetupError) as refused:
        render("mail/receipt.html", bank="甲行")
    assert str(refused.value) == f"{path} cannot be used, {reason}."


def test_what_cannot_be_read_is_one_sentence(own: Path) -> None:
    path = put(own, "templates/mail/receipt.html", "")
    path.write_bytes("好".encode("gb18030"))
    with pytest.raises(SetupError, match=r"receipt.html is not UTF-8; save it as UTF-8\.$"):
        render("mail/receipt.html")
    (own / "sql" / "alerts").mkdir(parents=True)
    (own / "sql" / "alerts" / "a05.sql").symlink_to(own / "nowhere")
    with pytest.raises(SetupError, match=r"a05.sql cannot be read: No such file or directory\.$"):
        load_alert_rules()
    (own / "templates" / "bulletin").mkdir()
    (own / "templates" / "bulletin" / "bulletin.typ").symlink_to(own / "nowhere")
    with pytest.raises(SetupError, match=r"bulletin.typ cannot be read: No such file or directory\.$"):
        pdf._template()


NOT_COUNTED = {
    "target.yaml": "{} would not count, for no reference file is called so; do you mean targets.yaml?",
    "expectation/loans.json": "{parent} would not count; do you mean expectations?",
    "sql/alert/a05.sql": "{parent} would not count; do you mean sql/alerts?",
    "sql/marts/alert.sql": (
        "{parent} would not count; in sql only these folders do: sql/alerts, sql/checks, sql/metrics, sql/evidence, "
        "sql/facts, sql/assessment/indicators."
    ),
    "sql/a05.sql": (
        "{} would not count; in sql only these folders do: sql/alerts, sql/checks, sql/metrics, sql/evidence, "
        "sql/facts, sql/assessment/indicators."
    ),
    "sql/alerts/a05.SQL": "{} would not count; files of sql/alerts end in .sql.",
    "sql/alerts/old/a05.sql": "{parent} would not count; files of sql/alerts end in .sql.",
    "expectations/loans.yaml": "{} would not count; files of expectations end in .json.",
    "templates/web/today.html": (
        "{parent} would not count; in templates only these folders do: templates/mail, templates/bulletin."
    ),
    "templates/mail/recipt.html": ("{} would not count, for no template is called so; do you mean receipt.html?"),
    "templates/mail/zzz.html": "{} would not count, for no template is called so; no template of yours takes it in.",
}


@pytest.mark.parametrize("name", NOT_COUNTED)
def test_what_would_silently_not_count_is_refused(own: Path, name: str) -> None:
    path = own / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("anything", encoding="utf-8")
    with pytest.raises(SetupError) as refused:
        refuse_what_would_not_count(own)
    assert str(refused.value) == NOT_COUNTED[name].format(path, parent=path.parent)
    with pytest.raises(SetupError):
        list_own_files()


def test_notes_and_what_editors_leave_are_left_alone(own: Path) -> None:
    left = ("README.md", "register/banks.csv", "sql/alerts/a05.sql~", "sql/README.md", "templates/mail/.a.html.swp")
    for name in (*left, ".git/config", "migrations/own_0001_a.py", "institutions.csv"):
        put(own, name, "anything")
    assert list_own_files() == []


@pytest.mark.integration
def test_a_folder_that_the_secrets_file_names_is_found_by_this_process_and_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    put(folder, "reference/reports.yaml")
    secrets = tmp_path / "secrets.env"
    secrets.write_text(f"{VARIABLE}={folder}\n", encoding="utf-8")
    secrets.chmod(0o600)
    monkeypatch.setenv(PREFIX + "SECRETS_FILE", str(secrets))
    monkeypatch.setenv(VARIABLE, "")
    assert Settings.load().reference == folder
    assert [each.name for each in list_own_files()] == ["reference/reports.yaml"]
    told = "from five_precisions.own_files import own_folder; print(own_folder())"
    child = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, env=os.environ)
    assert child.stdout.strip() == str(folder)


OFF = "-- Not held here.\n--\n-- rule: A05\n-- switched_off: true\n"


def test_a_rule_of_ours_is_switched_off_by_a_file_that_says_so(own: Path) -> None:
    ours = [rule.rule for rule in load_alert_rules()]
    checks = [rule.rule for rule in load_cross_rules()]
    put(own, "sql/alerts/a05.sql", OFF)
    put(own, "sql/checks/x02.sql", OFF.replace("A05", "X02"))
    assert [rule.rule for rule in load_alert_rules()] == [rule for rule in ours if rule != "A05"]
    assert [rule.rule for rule in load_cross_rules()] == [rule for rule in checks if rule != "X02"]
    assert len(ours) > len(load_alert_rules()) > 10


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a05.sql", OFF.replace("A05", "A55"), "{} stands in the place of rule A05, and declares rule A55."),
        (
            "a055.sql",
            OFF.replace("A05", "A55"),
            "{} says switched_off, and stands in the place of none of ours; take the file",
        ),
        ("a05.sql", OFF + "select 1\n", "{} says switched_off, so it declares its rule alone and has no statement."),
        (
            "a05.sql",
            OFF + "-- level: low\n",
            "{} says switched_off, so it declares its rule alone and has no statement.",
        ),
        ("a05.sql", "select 1\n", "{} does not say in its head comment what its rows mean."),
        (
            "a055.sql",
            "-- What?\n--\n-- rule: A05\n-- level: low\n-- needs: {{}}\nselect 1\n",
            "{} declares the rule A05",
        ),
    ],
)
def test_an_own_rule_that_says_something_else_is_refused(own: Path, name: str, content: str, sentence: str) -> None:
    path = put(own, f"sql/alerts/{name}", content.replace("{{}}", "{}"))
    with pytest.raises(SetupError) as refused:
        load_alert_rules()
    assert str(refused.value).startswith(sentence.format(path))


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("\nvisits:\n", "\nvisiting:\n", "{} lacks the report visits, which our statements read; where it has ended"),
        ("name: contract_no,", "name: contract,", "{} is wrong at"),
        ("name: balance,", "name: balances,", "{} "),
        ("title: ", "kind: flow\n  title: ", "{} "),
    ],
)
def test_reports_keep_what_our_statements_read(own: Path, before: str, after: str, sentence: str) -> None:
    path = put(own, "reference/reports.yaml")
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(SetupError) as refused:
        load_reports()
    assert str(refused.value).startswith(sentence.format(path))


@pytest.mark.parametrize(
    ("report", "column", "change", "sentence"),
    [
        ("loans", "overdue_days", {"type": "wan"}, "what its cells hold stays as it is, type int"),
        ("loans", "overdue_days", {"name": "row_number"}, "every report has a column of this name already"),
        ("loans", "project_no", {"code": False}, "how it is compared stays as it is, code true"),
        ("loans", "borrower_kind", {"choices": ()}, "the value 农户 is missing"),
    ],
)
def test_columns_keep_what_our_statements_read(
    report: str, column: str, change: dict[str, object], sentence: str
) -> None:
    ours = load_reports()
    columns = tuple(each.model_copy(update=change) if each.name == column else each for each in ours[report].columns)
    own = ours | {report: ours[report].model_copy(update={"columns": columns})}
    found = list(faults(SHIPPED / "reference" / "reports.yaml", own, ours))
    assert any(sentence in each for each in found), found
    assert any("line " in each for each in found), found
    assert list(faults(SHIPPED / "reference" / "reports.yaml", ours, ours)) == []


def test_indicators_of_ours_are_kept_and_a_suite_is_of_a_report(own: Path) -> None:
    path = put(own, "indicators.yaml", (SHIPPED / "reference" / "indicators.yaml").read_text(encoding="utf-8"))
    path.write_text(path.read_text(encoding="utf-8").replace("growth:", "growths:", 1), encoding="utf-8")
    put(own, "sql/assessment/indicators/growths.sql", "select 1")
    with pytest.raises(
        SetupError, match=r"is wrong at growth|is the statement of no indicator|lacks the indicator growth"
    ):
        load_indicators()
    put(own, "expectations/loan.json", "{}")
    with pytest.raises(SetupError, match=r"loan\.json is the suite of no report; loan is unknown; do you mean loans\?"):
        load_suite(load_reports()["visits"])


def test_a_statement_that_no_metric_names_is_refused(own: Path) -> None:
    settings = Settings(_env_file=None, reference=own)
    refuse_unnamed_statements(settings)
    path = put(own, "sql/metrics/loan.sql", "select 1")
    with pytest.raises(SetupError, match=rf"^{path} is the statement of no metric of .*metrics\.yaml; name it there"):
        refuse_unnamed_statements(settings)


def test_settings_shows_what_is_replaced_and_no_secret(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(own, "sql/alerts/a05.sql", OFF)
    put(own, "targets.yaml", (SHIPPED / "reference" / "targets.yaml").read_text(encoding="utf-8"))
    monkeypatch.setenv(PREFIX + "WAREHOUSE", "postgresql://me:hidden@server/db")
    monkeypatch.setenv(PREFIX + "PII_KEY", "hidden-hidden-hidden-hidden-hidden-hidden")
    shown = run("settings")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "hidden" not in shown.stdout
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert ["sql/alerts/a05.sql", "replaces", str(own / "sql/alerts/a05.sql")] in lines
    assert ["reference/targets.yaml", "same", str(own / "targets.yaml")] in lines
    listed = json.loads(run("settings", "--json").stdout)
    assert [each["origin"] for each in listed["own_files"]] == ["same", "replaces"]
    assert (listed["settings"]["warehouse"], listed["settings"]["mail"]) == ("set, not shown", "")
    monkeypatch.delenv(VARIABLE)
    assert "No file of ours is replaced: FIVE_PRECISIONS_REFERENCE is not set." in run("settings").stdout
    monkeypatch.setenv(VARIABLE, str(own / "sql"))
    assert "holds none that counts." in run("settings").stdout
    put(own, "sql/alert/a05.sql", OFF)
    assert_one_sentence(run("settings", REFERENCE=str(own)), 2, "would not count; do you mean sql/alerts?")


def test_what_a_process_keeps_of_the_declarations_follows_the_files(own: Path) -> None:
    """Headers, names of contents, words of forms and of rules: a scheduler lives for weeks."""
    ours = (known_headers(), rule_words())
    reports = put(own, "reports.yaml", (SHIPPED / "reference" / "reports.yaml").read_text(encoding="utf-8"))
    reports.write_text(reports.read_text(encoding="utf-8").replace("header: 合同编号,", "header: 合同号码,"), "utf-8")
    check = put(own, "sql/checks/x01.sql")
    check.write_text(check.read_text(encoding="utf-8").replace("message: ", "message: 本市："), encoding="utf-8")
    assert {"合同编号", "合同号码"} & known_headers() == {"合同号码"}
    assert rule_words()["X01"] != ours[1]["X01"]
    assert known_headers() is known_headers()
    shutil.rmtree(own)
    own.mkdir()
    assert (known_headers(), rule_words()) == ours
