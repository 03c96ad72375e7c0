"""The pages of data quality: rates, failing rules, whom a rule told something, and the Data Docs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from five_precisions.intake.package_rules import PackageRule
from five_precisions.settings import Settings
from five_precisions.web.rule_words import PACKAGE_RULE_WORDS, rule_words
from tests.web.conftest import PREFIX, Login
from tests.web.pages import csv_of

PAGE = f"{PREFIX}/quality"


@pytest.fixture
def reader(login: Login) -> TestClient:
    return login("viewer")


@pytest.fixture
def two_months(register_saved_engine: Engine) -> Engine:
    """May and June: B01 rejected first in June, with findings of L01 in both months and of F08 in June."""
    with register_saved_engine.begin() as connection:
        for month in ("2019-05", "2019-06"):
            connection.execute(text("insert into registry.period values (:month, now())"), {"month": month})
        for month, version, verdict in (
            ("2019-05", 1, "accepted"),
            ("2019-06", 1, "rejected"),
            ("2019-06", 2, "accepted"),
        ):
            number = f"{month}-B01-{version}"
            connection.execute(
                text(
                    "insert into intake.submission (submission_id, period, institution_code, version, received_at, "
                    "replayed, digest, verdict) values (:number, :month, 'B01', :version, now(), true, 'x', :verdict)"
                ),
                {"number": number, "month": month, "version": version, "verdict": verdict},
            )
            connection.execute(
                text(
                    "insert into intake.finding (submission_id, ordinal, report, rule, level, message) "
                    "select :number, ordinal, 'loans', 'L01', 'critical', '' from generate_series(1, 3) as ordinal"
                ),
                {"number": number},
            )
        connection.execute(
            text(
                "insert into intake.finding (submission_id, ordinal, report, rule, level, message) "
                "values ('2019-06-B01-1', 9, null, 'F08', 'notice', '')"
            )
        )
        connection.execute(
            text(
                "insert into mart.run (run_id, period, revision, closed_at, input_digest, scheme_version, "
                "scorecard_version, code_version, current) values ('r', '2019-06', 1, now(), 'x', '1', '1', '1', true)"
            )
        )
        connection.execute(
            text(
                "insert into mart.reporting (run_id, period, institution_code, report, status, on_time, first_pass, "
                "errors, warnings) values ('r', '2019-06', 'B01', 'loans', 'accepted', true, false, 0, 0), "
                "('r', '2019-06', 'B01', 'visits', 'nil', true, true, 0, 0), "
                "('r', '2019-06', 'B02', 'loans', 'missing', false, false, 0, 0), "
                "('r', '2019-06', 'B02', 'visits', 'accepted', true, true, 0, 0)"
            )
        )
    return register_saved_engine


def test_rules_that_fail_most_come_first_and_say_since_when(two_months: Engine, reader: TestClient) -> None:
    lines = csv_of(reader, "quality", "rules", period="2019-06")[1:]
    assert [(line[0], *line[2:]) for line in lines] == [
        ("L01", "错误", "6", "1", "2", "2019-05"),
        ("F08", "提示", "1", "1", "1", "2019-06"),
    ]
    assert lines[1][1] == PACKAGE_RULE_WORDS["F08"]
    [before] = csv_of(reader, "quality", "rules", period="2019-05")[1:]
    assert before[3] == "3"


def test_rates_are_of_what_was_received(two_months: Engine, reader: TestClient) -> None:
    assert csv_of(reader, "quality", "first_pass_reports")[1:] == [
        ["金融精准扶贫贷款台账", "1", "0", "0.00"],
        ["贫困户走访存档", "2", "2", "100.00"],
    ]
    by_institution = csv_of(reader, "quality", "first_pass_institutions")[1:]
    assert by_institution == [["岭海通商", "50.00", "0.00", "100.00"], ["南屿实业", "100.00", "", "100.00"]]


def test_a_rule_leads_to_the_versions_that_it_was_found_in(two_months: Engine, reader: TestClient) -> None:
    page = reader.get(f"{PAGE}?period=2019-06").text
    [address] = set(re.findall(r'href="([^"#]+/rules/L01[^"#]*)[^"]*"', page))
    rule = reader.get(address)
    assert rule.status_code == 200
    assert rule_words()["L01"][0] in rule.text
    leads = list(dict.fromkeys(re.findall(r'href="([^"]+version=[^"]+)#findings"', rule.text)))
    assert len(leads) == 2
    shown = reader.get(leads[1].replace("&amp;", "&"))
    assert shown.status_code == 200
    assert "发现的问题（2019-06-B01-2）" in shown.text


def test_an_unknown_rule_or_month_says_what_there_is(two_months: Engine, reader: TestClient) -> None:
    answer = reader.get(f"{PAGE}/rules/Q99")
    assert answer.status_code == 404
    assert "没有这条规则" in answer.text
    assert f"{PAGE}/rules/L01?period=2019-06" in answer.text
    for words in ("2018-01", "June", "2019-06'--"):
        assert reader.get(PAGE, params={"period": words}).status_code == 404
    # A rule that has found nothing is one all the same.
    assert "本月没有发现这类问题" in reader.get(f"{PAGE}/rules/T05").text


def test_without_any_month_the_page_says_what_to_do(register_saved_engine: Engine, reader: TestClient) -> None:
    assert "还没有打开过任何月份" in reader.get(PAGE).text
    assert "还没有打开过任何月份" in reader.get(f"{PAGE}/docs").text


def test_data_docs_are_shown_in_their_month_and_nothing_beside_them(
    two_months: Engine, settings: Settings, reader: TestClient
) -> None:
    folder = Path(settings.data_docs_address)
    pages = folder / "2019-06" / "pages-0123456789abcdef" / "validations" / "loans"
    pages.mkdir(parents=True)
    (folder / "2019-06" / "index.html").write_text("<title>六月</title>", encoding="utf-8")
    (pages / "2019-06-B01-1.html").write_text("<title>一版</title>", encoding="utf-8")
    (pages / "2019-06-B01-1.txt").write_text("no page", encoding="utf-8")
    (folder / "2019-06" / ".draft.html").write_text("no page", encoding="utf-8")
    framed = reader.get(f"{PAGE}/docs?period=2019-06").text
    [address] = re.findall(r'<iframe[^>]+src="([^"]+)"', framed)
    shown = reader.get(address)
    assert (shown.status_code, shown.text) == (200, "<title>六月</title>")
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    docs = f"{PAGE}/docs/2019-06"
    assert (
        reader.get(f"{docs}/pages-0123456789abcdef/validations/loans/2019-06-B01-1.html").text == "<title>一版</title>"
    )
    for path in (
        f"{docs}/pages-0123456789abcdef/validations/loans/2019-06-B01-1.txt",
        f"{docs}/pages-0123456789abcdef/..%2Findex.html",
        f"{docs}/..%2F..%2Fsecrets.env",
        f"{docs}/.draft.html",
        f"{docs}/",
        f"{PAGE}/docs/2019-05/index.html",
    ):
        assert reader.get(path).status_code == 404, path
    assert "本月还没有 Data Docs" in reader.get(f"{PAGE}/docs?period=2019-05").text


def test_every_rule_has_words() -> None:
    codes = {rule.code for rule in PackageRule}
    assert len(codes) == 20
    assert set(PACKAGE_RULE_WORDS) == codes
    assert all(words.strip() for several in rule_words().values() for words in several)
