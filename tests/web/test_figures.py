"""The pages of figures: every metric, down to towns and banks, and the rows that prove a figure."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from five_precisions.figures import restate
from five_precisions.reference import Scope, load_catalogue
from five_precisions.settings import Settings
from five_precisions.web import figure_proof
from five_precisions.web import restated as restated_page
from five_precisions.web.figure_words import change_of, shown_figure
from five_precisions.web.figures import _GROUPS, _OTHERS
from tests.figures.awkward_city import assess_awkward_city
from tests.figures.conftest import JANUARY
from tests.figures.small_city import SmallCity
from tests.rows import rows as rows_in
from tests.web.conftest import PREFIX, Login
from tests.web.pages import by_head, csv_of, read_csv, rows_of, table_of, workbook_of

FIGURES = f"{PREFIX}/figures"
PROOF = f"{FIGURES}/proof"
TOWN = "441702001"
_LINK = re.compile(r'href="(/five-precisions/[^"#]*)')


@pytest.fixture
def awkward(engine: Engine, settings: Settings) -> Engine:
    """Two months of a small city, assessed. Its towns have fewer than five households each."""
    assess_awkward_city(engine, settings)
    return engine


@pytest.fixture
def restated(awkward: Engine, settings: Settings) -> Engine:
    """The same, January restated: B01 has delivered a ledger of one loan."""
    with awkward.begin() as connection:
        city = SmallCity.__new__(SmallCity)
        city._connection, city._versions = connection, {(JANUARY, "B01"): 1}
        city.deliver(JANUARY, "B01", day=20, loans=[{"contract_no": "L1", "household_no": "H1"}])
    restate(awkward, settings, JANUARY, "补报台账", "行长")
    return awkward


@pytest.fixture
def ops(awkward: Engine, login: Login) -> TestClient:
    return login("op")


def page(client: TestClient, path: str, **query: object) -> str:
    answered = client.get(f"{path}?{urlencode(query)}")
    assert answered.status_code == 200, answered.text
    return answered.text


# All metrics


def test_every_metric_stands_in_its_group_with_the_value_of_the_city(ops: TestClient, settings: Settings) -> None:
    html = page(ops, FIGURES, period="2019-01")
    shown = {row[0]: row[1:4] for name, _ in dict.fromkeys(_GROUPS.values()) for row in rows_of(html, name)}
    metrics = load_catalogue(settings).metrics
    assert list(shown) == [metrics[code].name for code in _by_group(settings)]
    # 19.5 of B01 and 1.5 of B02.
    assert shown["金融精准扶贫贷款余额"] == ["21.00", "万元", "—"]
    assert shown["未结清贷款笔数"][:2] == ["6", "笔"]
    # It holds for banks only.
    assert shown["扶贫小额信贷目标完成率"] == ["—", "%", "—"]


def _by_group(settings: Settings) -> list[str]:
    metrics = load_catalogue(settings).metrics
    groups = list(dict.fromkeys(_GROUPS.get(metric.sql[0], _OTHERS) for metric in metrics.values()))
    return sorted(metrics, key=lambda code: groups.index(_GROUPS.get(metrics[code].sql[0], _OTHERS)))


def test_no_metric_of_ours_is_among_the_others(settings: Settings) -> None:
    assert {metric.sql[0] for metric in load_catalogue(settings).metrics.values()} == set(_GROUPS)


def test_the_newest_month_is_shown_and_held_against_the_one_before(ops: TestClient) -> None:
    before = {row["指标"]: row["全市"] for row in by_head(csv_of(ops, "figures", "metrics", period="2019-01"))}
    now = {row["指标"]: row for row in by_head(csv_of(ops, "figures", "metrics"))}
    assert len(now) > 60
    balance = now["金融精准扶贫贷款余额"]
    assert float(balance["比上月"]) == float(balance["全市"]) - float(before["金融精准扶贫贷款余额"])
    assert float(before["金融精准扶贫贷款余额"]) == 21


def test_without_an_assessed_month_the_page_says_what_to_do(engine: Engine, login: Login) -> None:
    assert "还没有考核过的月份" in page(login("viewer"), FIGURES)
    for path in (f"{FIGURES}/loan_balance", f"{PROOF}?metric=loan_balance"):
        answered = login("viewer").get(path)
        assert (answered.status_code, "还没有考核过的月份" in answered.text) == (404, True)


# One metric


def test_a_click_leads_from_the_city_to_a_county_and_to_a_town_and_back(ops: TestClient) -> None:
    seen = []
    address, wanted = f"{FIGURES}/loan_balance?period=2019-01", ["区划441702", "区划441702001"]
    for name in [*wanted, None]:
        answered = ops.get(address)
        assert answered.status_code == 200
        links = dict(re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)</a>', answered.text))
        seen.append(unescape(answered.text))
        if name is not None:
            address = next(unescape(href) for href, words in links.items() if words.strip() == name)
    city, county, town = seen
    assert rows_of(city, "county_figures")[0][:2] == ["区划441702", "19.50"]
    assert rows_of(county, "town_figures")[0][:2] == ["区划441702001", "15.50"]
    assert rows_of(town, "months") == [["2019-01", "15.50", "—"]]
    # The way back up.
    path = re.search(r'<nav aria-label="位置">.*?</nav>', town, re.DOTALL)
    assert path is not None
    assert re.findall(r">([^<>\n]+)</a>", path[0]) == ["全部指标", "全市", "区划441702", "区划441702001"]


def test_banks_are_shown_beside_one_another_with_a_chart(ops: TestClient) -> None:
    html = page(ops, f"{FIGURES}/loan_balance", scope="bank", period="2019-01")
    assert [row[:2] for row in rows_of(html, "bank_figures")] == [["B01", "19.50"], ["B02", "1.50"], ["B03", "—"]]
    assert "<svg" in html
    assert 'style="' not in html
    assert "月数" not in html


def test_a_figure_is_shown_month_by_month_with_its_parts(ops: TestClient) -> None:
    html = page(ops, f"{FIGURES}/overdue_ratio", scope="bank", code="B01")
    months = rows_of(html, "months")
    assert [row[0] for row in months] == ["2019-02", "2019-01"]
    # 0.5 of 19.5 万元.
    assert months[1][1:4] == ["2.56", "0.50", "19.50"]
    assert "百分点" in html


def test_every_link_of_the_pages_leads_somewhere(ops: TestClient) -> None:
    waiting = [
        f"{FIGURES}?period=2019-01",
        f"{FIGURES}/loan_balance?period=2019-01",
        f"{FIGURES}/visit_coverage?scope=town&code={TOWN}&period=2019-01",
        f"{PROOF}?metric=visit_coverage&scope=city&period=2019-01",
    ]
    found = set()
    for address in waiting:
        html = ops.get(address).text
        found |= {unescape(href) for href in _LINK.findall(html)}
    # Of metrics that are alike a few are enough, and pages of others have their own tests.
    ours = {href for href in found if href.startswith((FIGURES, f"{PREFIX}/reporting"))}
    alike = {href for href in ours if re.search(r"/figures/(?!loan_balance\?|visit_coverage\?|proof)", href)}
    proofs = sorted(href for href in ours if "/proof?" in href)
    chosen = sorted(ours - alike - set(proofs)) + proofs[::6]
    assert len(chosen) > 25
    answers = {href: ops.get(href).status_code for href in chosen}
    assert {href: code for href, code in answers.items() if code != 200} == {}


# Few households


def test_few_households_of_a_town_are_shown_nowhere(ops: TestClient) -> None:
    asked = {"scope": "town", "period": "2019-01"}
    able = {row[0]: row[2] for row in rows_of(page(ops, f"{FIGURES}/households_able", **asked), "town_figures")}
    assert able == {"区划441702001": "<5", "区划441702002": "<5", "区划441704001": "<5"}
    coverage = rows_of(page(ops, f"{FIGURES}/visit_coverage", **asked), "town_figures")
    assert {tuple(row[2:5]) for row in coverage} == {("不列", "<5", "<5"), ("0.00", "0", "<5")}
    rows = by_head(csv_of(ops, "figures/households_able", "town_figures", **asked))
    assert {row["数值（户）"] for row in rows} == {"<5"}
    answered = ops.get(f"{FIGURES}/visit_coverage?{urlencode({**asked, 'download': 'town_figures.xlsx'})}")
    book = workbook_of(answered)
    cells = {
        cell for row in book.worksheets[0].iter_rows(min_row=3, min_col=3, max_col=5, values_only=True) for cell in row
    }
    assert cells == {"不列", "<5", 0}
    # Of a county it is no secret.
    county = rows_of(page(ops, f"{FIGURES}/households_able", scope="county", period="2019-01"), "county_figures")
    assert ["区划441702", "4"] in [row[:2] for row in county]


def test_what_would_reveal_a_small_count_is_left_out(settings: Settings) -> None:
    metrics = load_catalogue(settings).metrics
    share = metrics["visit_coverage"]
    assert shown_figure(share, Scope.TOWN, 20, 2, 10).value == "不列"
    assert shown_figure(share, Scope.TOWN, 50, 5, 10).value == 50
    assert shown_figure(share, Scope.TOWN, 0, 0, 3).value == 0
    assert shown_figure(share, Scope.BANK, 20, 2, 10).value == 20
    assert shown_figure(metrics["overdue_ratio"], Scope.TOWN, 20, 2, 10).value == 20
    count = metrics["households_able"]
    few, many = shown_figure(count, Scope.TOWN, 3), shown_figure(count, Scope.TOWN, 7)
    assert (few.value, change_of(many, few), change_of(many, many)) == ("<5", "不列", 0)


def test_rows_behind_few_households_are_for_ops(ops: TestClient, login: Login) -> None:
    asked = {"metric": "households_able", "scope": "town", "code": TOWN, "period": "2019-01"}
    of_ops = page(ops, PROOF, **asked)
    assert "<dd><b>&lt;5 户</b></dd>" in of_ops
    assert len(rows_of(of_ops, "rows")) == 3
    of_viewer = page(login("viewer"), PROOF, **asked)
    assert 'id="rows"' not in of_viewer
    assert "只给业务人员查看" in of_viewer
    assert "完全一致" in of_viewer
    refused = login("viewer").get(f"{PROOF}/evidence.csv?{urlencode(asked)}")
    assert (refused.status_code, "只给业务人员查看" in refused.text) == (404, True)
    assert "H1" not in refused.text + of_viewer
    # Other figures are proved to everybody.
    assert rows_of(page(login("viewer"), PROOF, **asked | {"scope": "county", "code": "441702"}), "rows")


# The proof


def test_a_figure_is_proved_by_the_rows_behind_it_masked(ops: TestClient) -> None:
    html = page(ops, PROOF, metric="microcredit_overdue_ratio", scope="bank", code="B01", period="2019-01")
    assert "逾期天数大于0的扶贫小额信贷余额 ÷ 扶贫小额信贷余额 × 100" in html
    assert "2019-01-r1（当前）" in html
    assert "3行，其中分子1行，分母3行；重新计算得分子0.5，分母5.5" in html
    assert '<p class="done">逐行重新计算，与这个数值完全一致。</p>' in html
    first, *others = rows_of(html, "rows")
    assert first[0] == "分子、分母"
    assert [row[0] for row in others] == ["分母", "分母"]
    assert first[2:5] == ["0.5", "0.5", "金融精准扶贫贷款台账"]
    assert first[5].startswith("B01")
    assert first[6:8] == ["2019-01", "1"]
    assert {"陈*", "4417**********1234", "5,000.00"} <= set(first)
    assert "a" * 64 not in html
    assert f'href="{PREFIX}/reporting/B01?period=2019-01' in html


def test_each_row_is_named_by_its_file_sheet_row_and_digest(awkward: Engine, ops: TestClient) -> None:
    digest = "5d" * 32
    with awkward.begin() as connection:
        connection.execute(
            text(
                "insert into intake.file (submission_id, name, sha256, size) "
                "values ('2019-01-B01-1', '报送.zip', :digest, 1)"
            ),
            {"digest": digest},
        )
        connection.execute(
            text(
                "update intake.report set file = '报送.zip/台账.xlsx', sheet = '一月' "
                "where submission_id = '2019-01-B01-1' and report = 'loans'"
            )
        )
    numbers = rows_in(awkward, "select row_number from core.loans where submission_id = '2019-01-B01-1' order by 1")
    assert len(numbers) == 7
    expected = {("B01", "2019-01", "1", "报送.zip/台账.xlsx", "一月", str(number), digest) for (number,) in numbers}
    asked = {"metric": "loan_balance", "scope": "bank", "code": "B01", "period": "2019-01"}
    html = page(ops, PROOF, **asked)
    heads = ("机构", "报送月份", "版本", "文件", "工作表", "行号", "文件SHA-256")
    shown = by_head(table_of(html, "rows"))
    assert {tuple(line[head].split()[0] for head in heads) for line in shown} == expected
    files = [[line[head] for head in ("文件", "本页行数", "SHA-256")] for line in by_head(table_of(html, "files"))]
    assert files == [["报送.zip/台账.xlsx", "7", digest]]
    # The file of all rows names them alike.
    taken = ops.get(f"{PROOF}/evidence.csv?{urlencode(asked)}")
    found = by_head(read_csv(taken))
    assert {tuple(line[head].split()[0] for head in heads) for line in found} == expected


def test_a_figure_whose_rows_were_altered_is_not_proved(awkward: Engine, ops: TestClient) -> None:
    with awkward.begin() as connection:
        connection.execute(text("update mart.metric set value = 20 where metric = 'loan_balance' and scope = 'city'"))
    html = page(ops, PROOF, metric="loan_balance", period="2019-01")
    assert "与这个数值不一致" in html
    assert "重新计算得21<" in html


def test_an_older_run_says_that_it_is_not_the_current_one(restated: Engine, ops: TestClient) -> None:
    asked = {"metric": "loan_balance", "scope": "bank", "code": "B01", "period": "2019-01"}
    now = page(ops, PROOF, **asked)
    assert [row[:4] for row in rows_of(now, "revisions")] == [
        ["2019-01-r2", "当前", "3.00", "补报台账"],
        ["2019-01-r1", "已被重述替换", "19.50", "—"],
    ]
    assert "<b>3.00 万元</b>" in now
    before = page(ops, PROOF, **asked, run="2019-01-r1")
    assert "<b>19.50 万元</b>" in before
    assert "已被重述替换，不是当前数值" in before
    assert (len(rows_of(now, "rows")), len(rows_of(before, "rows"))) == (1, 7)
    assert "完全一致" in before
    # The picker of months keeps the rest of the address; another month's run is not its run.
    moved = ops.get(f"{PROOF}?{urlencode({**asked, 'period': '2019-02', 'run': '2019-01-r1'})}")
    assert moved.status_code == 307
    assert moved.headers["location"] == f"{PROOF}?{urlencode({**asked, 'period': '2019-02'})}"
    assert ops.get(moved.headers["location"]).status_code == 200


def test_pages_of_rows_hold_each_row_once(ops: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_proof, "ROWS", 3)
    asked = {"metric": "loan_balance", "scope": "bank", "code": "B01", "period": "2019-01"}
    pages = [page(ops, PROOF, **asked, page=number) for number in (1, 2, 3)]
    rows = [tuple(row) for html in pages for row in rows_of(html, "rows")]
    assert [len(rows_of(html, "rows")) for html in pages] == [3, 3, 1]
    assert len(set(rows)) == 7
    assert ["下一页" in html for html in pages] == [True, True, False]
    assert "第4至6行，共7行" in pages[1]
    assert "没有更多的行" in page(ops, PROOF, **asked, page=9)


def test_all_rows_are_saved_and_who_took_them_is_kept(awkward: Engine, login: Login) -> None:
    asked = urlencode({"metric": "loan_balance", "scope": "bank", "code": "B01", "period": "2019-01"})
    taken = login("viewer").get(f"{PROOF}/evidence.csv?{asked}")
    rows = by_head(read_csv(taken))
    assert [row["合同编号"] for row in rows] == ["L1", "L2", "L3", "L4", "L5", "“=L6”", "L7"]
    assert sum(float(row["计入分子"]) for row in rows) == 19.5
    assert {row["证件号码"] for row in rows} <= {"4417**********1234", ""}
    book = login("viewer").get(f"{PROOF}/evidence.xlsx?{asked}")
    sheet = workbook_of(book).worksheets[0]
    assert sheet.max_row == 2 + 7
    with awkward.connect() as connection:
        kept = connection.execute(
            text("select kind, subject, period, acted_by from registry.action order by action_number")
        ).all()
    name = "金融精准扶贫贷款余额-B01-2019-01-r1-来源"
    assert [tuple(row) for row in kept] == [
        ("download", f"{name}.csv", "2019-01", "reader"),
        ("download", f"{name}.xlsx", "2019-01", "reader"),
    ]


def test_more_rows_than_a_page_saves_are_refused_in_words(ops: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(figure_proof.MOST_SAVED, "csv", 6)
    asked = urlencode({"metric": "loan_balance", "scope": "bank", "code": "B01", "period": "2019-01"})
    refused = ops.get(f"{PROOF}/evidence.csv?{asked}")
    assert (refused.status_code, "共7行，超过6行" in refused.text) == (404, True)
    assert "evidence.csv" not in ops.get(f"{PROOF}?{asked}").text


def test_a_proof_that_takes_too_long_is_ended_and_the_figure_shown(
    awkward: Engine, ops: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure_proof, "MOST_SECONDS", 0.3)
    with awkward.begin() as connection:
        connection.execute(text("lock table core.loans in access exclusive mode"))
        html = page(ops, PROOF, metric="loan_balance", scope="bank", code="B01", period="2019-01")
    assert "没有查完" in html
    assert "<b>19.50 万元</b>" in html
    assert 'id="rows"' not in html


def test_every_metric_is_proved_on_its_page(ops: TestClient, settings: Settings) -> None:
    said: dict[str, list[str]] = {}
    for code, metric in load_catalogue(settings).metrics.items():
        scope = metric.scopes[-1]
        subject = {"city": "441700", "county": "441702", "town": TOWN, "bank": "B01"}[scope]
        html = page(ops, PROOF, metric=code, scope=scope, code=subject, period="2019-01")
        verdict = re.search(r'<p class="(done|error|notice)">', html)
        said.setdefault("none" if verdict is None else verdict[1], []).append(code)
        assert not re.search(r"<td>(accepted|missing|rejected|nil|loans|register|target|both)</td>", html), code
    assert list(said) == ["done"]
    assert len(said["done"]) > 60
    # A bank without a ledger has no balance.
    html = page(ops, PROOF, metric="loan_balance", scope="bank", code="B03", period="2019-01")
    assert "没有数值：所需的报表缺报，或者分母为零" in html
    assert '<p class="notice">没有数值，所以没有要证明的。</p>' in html


# Who may, and what is not there


def test_figures_are_for_whoever_may_see_the_assessment(awkward: Engine, login: Login, stranger: TestClient) -> None:
    paths = [
        FIGURES,
        f"{FIGURES}/loan_balance",
        f"{PROOF}?metric=loan_balance",
        f"{PROOF}/evidence.csv?metric=loan_balance",
    ]
    for path in paths:
        assert login("viewer").get(path).status_code == 200
        assert login(None).get(path).status_code == 403
        assert stranger.get(path).status_code == 307
        assert "/login" in stranger.get(path).headers["location"]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("?period=2019-13", "网址中的月份不对"),
        ("?period=2018-05", "没有2018年5月的数据"),
        ("/loan_balanc", "没有这个指标"),
        ("/%00", "没有这个指标"),
        ("/loan_balance?scope=village", "没有这个层级"),
        ("/relending?scope=town", "没有这个层级"),
        ("/loan_balance?scope=bank&code=B99", "本月没有代码是这个的银行机构"),
        ("/loan_balance?code=999", "本月没有代码是这个的全市"),
        ("/loan_balance?months=7", "月数不对"),
        ("/loan_balance?months=x", "月数不对"),
        ("/loan_balance?download=x.csv", "本页没有这个文件"),
        ("/proof", "没有这个指标"),
        ("/proof?metric=loan_balance&scope=bank", "要看哪一个银行机构的来源"),
        ("/proof?metric=loan_balance&run=2019-02-r9", "本月没有这次运行"),
        ("/proof?metric=loan_balance&run='--", "本月没有这次运行"),
        ("/proof?metric=loan_balance&page=0", "页码不对"),
        ("/proof?metric=loan_balance&page=-1", "页码不对"),
        ("/proof?metric=loan_balance&page=99999999999999999999", "页码不对"),
        ("/proof?metric=loan_balance&page=²", "页码不对"),
        ("/proof/evidence.pdf?metric=loan_balance", "没有这种文件"),
        ("/proof/evidence.csv?metric=loan_balance&run=2019-01-r1", "不属于这个月份"),
    ],
)
def test_what_is_not_there_is_said_with_what_there_is(ops: TestClient, path: str, sentence: str) -> None:
    answered = ops.get(f"{FIGURES}{path}")
    assert answered.status_code == 404
    assert sentence in answered.text
    assert 'class="choices"' in answered.text
    assert "is no metric" not in answered.text


# A restatement


def test_a_restatement_lists_what_it_changed_with_both_proofs(restated: Engine, ops: TestClient) -> None:
    html = page(ops, f"{FIGURES}/restated", run="2019-01-r2")
    changed = rows_in(
        restated, "select figure from mart.restated_figure where run_id = '2019-01-r2' and mart = 'metric'"
    )
    shown = by_head(table_of(html, "metrics"))
    assert len(shown) == len(changed) > 20
    [balance] = [each for each in shown if (each["指标"], each["对象"]) == ("金融精准扶贫贷款余额", "B01")]
    assert [balance[each] for each in ("重述前", "重述后", "相差", "单位")] == ["19.50", "3.00", "-16.50", "万元"]
    [before, after] = [
        unescape(each)
        for each in re.findall(r'href="([^"]*metric=loan_balance&amp;scope=bank&amp;code=B01[^"]*)"', html)
    ]
    assert "<b>19.50 万元</b>" in ops.get(before).text
    assert "<b>3.00 万元</b>" in ops.get(after).text
    # Towns have few households each: neither value nor change tells how many.
    towns = [each for each in shown if each["层级"] == "乡镇" and each["单位"] == "户"]
    assert towns
    assert {each[head] for each in towns for head in ("重述前", "重述后")} <= {"<5", "0", "—"}
    assert {each["相差"] for each in towns} <= {"不列", "—"}
    results = {(each["结果"], each["项目"]) for each in by_head(table_of(html, "results"))}
    assert results >= {("考核结果", "得分"), ("考核指标", "资产质量 得分率"), ("改进空间", "走访 改进后得分")}


def test_a_restatement_that_was_never_made_is_said_so(restated: Engine, ops: TestClient) -> None:
    assert restated
    answered = ops.get(f"{FIGURES}/restated?run=2019-09-r9")
    assert answered.status_code == 404
    assert "没有这次数据重述。" in answered.text
    assert "run=2019-01-r2" in answered.text


def test_a_long_restatement_is_cut_on_the_page_and_whole_in_its_file(
    restated: Engine, ops: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert restated
    monkeypatch.setattr(restated_page, "MOST_FIGURES", 5)
    html = page(ops, f"{FIGURES}/restated", run="2019-01-r2")
    assert len(rows_of(html, "metrics")) == 5
    assert "只显示前5项；全部在文件里。" in html
    assert len(csv_of(ops, "figures/restated", "metrics", run="2019-01-r2")) > 20
