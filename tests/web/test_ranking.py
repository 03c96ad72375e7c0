"""The pages of the ranking: what they show of a run, where their figures lead, who may see them, what they refuse."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from five_precisions.display import Form, shown
from five_precisions.figures import change_scheme, load_scheme, try_scheme
from five_precisions.period import Period
from five_precisions.reference import Scope, load_catalogue, load_indicators
from five_precisions.settings import INCLUDE, Settings
from five_precisions.settings import PREFIX as ENVIRONMENT
from five_precisions.warehouse import open_warehouse
from five_precisions.web import scheme_trial
from five_precisions.web.charts import Series, line_chart
from tests.web.conftest import PREFIX, Login
from tests.web.pages import links_of, read_csv, rows_of, words_of, workbook_of

RANKING = f"{PREFIX}/ranking"
JUNE = Period(2019, 6)
PAGES = ["", "/banks/B04", "/compare?first=B01&second=B02", "/boards", "/boards?board=bank_score", "/scheme"]
TRIAL = {
    "weights.growth": "20",
    "weights.completion": "20",
    "weights.matching": "30",
    "weights.visits": "10",
    "weights.quality": "10",
    "weights.reporting": "10",
    "grades.0.at_least": "85",
}

Rows = list[list[str]]


@pytest.fixture
def golden(golden_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The golden city, whose pages are only read."""
    assert golden_settings.warehouse is not None
    for name in ("warehouse", "pii_key", "archive_key"):
        value = getattr(golden_settings, name)
        monkeypatch.setenv(f"{ENVIRONMENT}{name.upper()}", getattr(value, "get_secret_value", lambda v=value: v)())
    with open_warehouse(golden_settings) as engine:
        yield engine


@pytest.fixture
def reader(login: Login) -> TestClient:
    return login("viewer")


@pytest.fixture
def ops(login: Login) -> TestClient:
    return login("op")


def page(client: TestClient, path: str, status: int = 200, /, **query: object) -> str:
    mark = "&" if "?" in path else "?"
    answer = client.get(f"{RANKING}{path}{f'{mark}{urlencode(query)}' if query else ''}")
    assert answer.status_code == status, answer.text
    return answer.text


def found_in(engine: Engine, statement: str, **values: object) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(statement), values))


def score(value: Decimal | None) -> str:
    return shown(value, Form.SCORE)


# The ranking


def test_the_ranking_shows_every_bank_with_what_the_run_found(golden: Engine, reader: TestClient) -> None:
    found = found_in(
        golden,
        "select bank.short_name, a.* from mart.current_assessment a "
        "join registry.institution bank on a.institution_code = bank.code where period = '2019-06' order by rank",
    )
    items = {
        (row.institution_code, row.indicator): row
        for row in found_in(golden, "select * from mart.current_assessment_item where period = '2019-06'")
    }
    content = page(reader, "")
    shown_rows = rows_of(content, "ranking")
    assert len(shown_rows) == len(found) == 12
    for cells, bank in zip(shown_rows, found, strict=True):
        own = [items[bank.institution_code, indicator] for indicator in load_indicators()]
        won = ["不考核" if each.points is None else score(each.weight * each.points) for each in own]
        places = bank.previous_rank - bank.rank
        moved = f"↑ 上升{places}位" if places > 0 else f"↓ 下降{-places}位" if places < 0 else "位次不变"
        assert cells == [
            *(str(bank.rank), moved, bank.short_name, score(bank.score), *won),
            *(score(bank.deductions), bank.grade),
        ]
    assert any(cells[1].startswith("↑") for cells in shown_rows)
    assert any(cells[1].startswith("↓") for cells in shown_rows)
    advice = found_in(golden, "select * from mart.current_relending_advice where period = '2019-06'")
    assert sorted(cells[4] for cells in rows_of(content, "relending")) == sorted(each.reason for each in advice)
    assert f"{RANKING}/scheme?period=2019-06" in links_of(content)


def test_a_bank_without_its_reports_stands_apart_with_the_reason(golden: Engine, reader: TestClient) -> None:
    content = page(reader, "", period="2019-02")
    assert [cells[0] for cells in rows_of(content, "unranked")] == ["鹭屿城市"]
    assert rows_of(content, "unranked")[0][2] == "《金融精准扶贫贷款台账》未报送，《贷款与再贷款月报》未报送"
    assert "鹭屿城市" not in [cells[2] for cells in rows_of(content, "ranking")]
    assert 'id="unranked"' not in page(reader, "", period="2019-06")


def test_points_lead_to_the_proof_of_the_percentage_under_them(golden: Engine, reader: TestClient) -> None:
    declared = {code: indicator.metric for code, indicator in load_indicators().items() if indicator.metric}
    assert set(declared) == set(load_indicators()) - {"reporting"}
    items = found_in(
        golden,
        "select i.period, i.institution_code, i.indicator, i.raw, m.metric, m.value "
        "from mart.current_assessment_item i "
        "join mart.metric m on m.run_id = i.run_id and m.scope = 'bank' and m.scope_code = i.institution_code",
    )
    held = [row for row in items if declared.get(row.indicator) == row.metric]
    assert len(held) > 300
    assert all(row.raw == row.value for row in held)
    proofs = {
        tuple(parse_qs(urlsplit(href).query)[name][0] for name in ("metric", "scope", "code", "period"))
        for href in links_of(page(reader, "", period="2019-06"))
        if href.startswith(f"{PREFIX}/figures/proof?")
    }
    assert proofs == {
        (row.metric, "bank", row.institution_code, row.period)
        for row in held
        if row.period == "2019-06" and row.raw is not None
    }
    assert {metric for metric, *_ in proofs} == set(declared.values())


def test_every_metric_of_an_indicator_is_one_of_banks(golden_settings: Settings) -> None:
    metrics = load_catalogue(golden_settings).metrics
    named = [indicator.metric for indicator in load_indicators().values() if indicator.metric]
    assert named
    assert all(Scope.BANK in metrics[metric].scopes for metric in named)


# A bank


def test_a_bank_is_told_how_its_score_comes_about_and_what_it_lacks(golden: Engine, reader: TestClient) -> None:
    content = page(reader, "/banks/B04")
    words = words_of(content)
    assert "第7名（12家参加排名），比上月位次不变" in words
    assert "85.05分，比上月提高1.40分" in words
    assert "各指标得分之和88.05÷参加考核的权重100×100－扣分3.00＝85.05" in words
    assert "比第6名鹭屿城市低1.32分：资产质量少7.57分、扣分多3.00分、项目对接少0.26分。" in words
    indicators = rows_of(content, "indicators")
    assert [cells[0] for cells in indicators] == [each.name for each in load_indicators().values()]
    assert all(Decimal(cells[3]) + Decimal(cells[4]) == Decimal(cells[1]) for cells in indicators)
    steps = found_in(
        golden,
        "select sentence from mart.current_next_step where period = '2019-06' and institution_code = 'B04' "
        "order by rank_after, score_after desc, indicator",
    )
    assert [cells[1] for cells in rows_of(content, "steps")] == [row.sentence for row in steps]
    assert f"{RANKING}/compare?first=B04&second=B07&period=2019-06" in links_of(content)


def test_what_is_taken_off_is_named_piece_by_piece(golden: Engine, reader: TestClient) -> None:
    found = found_in(
        golden, "select institution_code, deductions from mart.current_assessment where period = '2019-06'"
    )
    named = {}
    for row in found:
        cells = rows_of(page(reader, f"/banks/{row.institution_code}"), "deductions")
        named[row.institution_code] = sum((Decimal(each[3]) for each in cells), Decimal(0))
    assert named == {row.institution_code: row.deductions for row in found}
    assert len({size for size in named.values() if size}) > 1


def test_the_months_of_reporting_come_to_the_indicator(golden: Engine, reader: TestClient) -> None:
    compared = 0
    for code in ("B04", "B07", "B08"):
        content = page(reader, f"/banks/{code}")
        owed, received, on_time, first_pass = (
            sum((Decimal(cells[place]) for cells in rows_of(content, "months_reported")), Decimal(0))
            for place in range(1, 5)
        )
        raw = next(cells[2] for cells in rows_of(content, "indicators") if cells[0] == "报送质量")
        assert raw == score(50 * (on_time / owed + first_pass / received))
        compared += 1
    assert compared == 3


def test_months_pace_cases_and_deliveries_of_a_bank(golden: Engine, reader: TestClient) -> None:
    content = page(reader, "/banks/B07")
    months = rows_of(content, "months")
    assert [cells[0] for cells in months] == [f"2019-0{number}" for number in range(6, 0, -1)]
    assert [cells[1] for cells in months] == ["6", "5", "9", "9", "暂不排名", "7"]
    assert rows_of(content, "pace")[0] == ["2019-06", "60", "30", "24", "80.00", "6", "48"]
    assert "按目前进度全年预计48户，比全年目标少12户；要完成目标，以后每月需6户。" in words_of(content)
    # The month without a rank keeps its place on the axis.
    assert content.count("2019-02</text>") == 2
    assert content.count("<svg") == 3
    cases = found_in(
        golden,
        "select case_id from mart.current_alert where period = '2019-06' and institution_code = 'B07' order by 1",
    )
    assert [cells[1] for cells in rows_of(content, "cases")] == [row.case_id for row in cases] != []
    assert len(rows_of(content, "delivered")) == 6
    assert f"{PREFIX}/reporting/B07?period=2019-06" in links_of(content)


def test_an_unranked_bank_has_a_page_too(golden: Engine, reader: TestClient) -> None:
    words = words_of(page(reader, "/banks/B07", period="2019-02"))
    assert "本月暂不排名，没有指标得分：《金融精准扶贫贷款台账》未报送" in words
    assert "与上一名" not in words


def test_a_bank_without_a_target_says_so(golden: Engine, reader: TestClient) -> None:
    content = page(reader, "/banks/B06")
    assert "本年没有分给该行的目标，不考核完成率。" in words_of(content)
    assert "不考核" in [cells[3] for cells in rows_of(content, "indicators")]
    below = page(reader, "/banks/B07")
    assert "两行参加考核的指标不同，得分按参加考核的权重折算。" in words_of(below)


# Two banks


def test_two_banks_side_by_side_differ_by_what_the_items_differ(golden: Engine, reader: TestClient) -> None:
    cells = {each[0]: each[1:] for each in rows_of(page(reader, "/compare", first="B04", second="B07"), "compared")}
    assert cells["名次"] == ["第7名", "第6名", "落后1位"]
    assert cells["得分"] == ["85.05", "86.37", "-1.32"]
    assert cells["扣分"] == ["3.00", "0.00", "-3.00"]
    won = [Decimal(each[2]) for name, each in cells.items() if "满分" in name]
    assert len(won) == 6
    # Each is rounded by itself.
    assert abs(sum(won) + Decimal(cells["扣分"][2]) - Decimal(cells["得分"][2])) <= Decimal("0.05")
    assert cells["资产质量：逾期率（%）"][:2] == ["4.03", "0.00"]


def test_without_banks_the_first_two_are_compared(golden: Engine, reader: TestClient) -> None:
    assert [each[1:3] for each in rows_of(page(reader, "/compare"), "compared") if each[0] == "名次"] == [
        ["第1名", "第2名"]
    ]
    same = page(reader, "/compare", first="B04", second="B04")
    assert "两边是同一家银行，请另选一家。" in words_of(same)
    unranked = page(reader, "/compare", first="B07", second="B01", period="2019-02")
    assert rows_of(unranked, "compared")[0][1] == "暂不排名"


# Boards and scheme


def test_boards_show_places_and_lead_to_the_proof(golden: Engine, reader: TestClient) -> None:
    content = page(reader, "/boards")
    found = found_in(golden, "select board, subject_name, rank from mart.current_ranking where period = '2019-06'")
    assert len({row.board for row in found}) == 10
    for board in {row.board for row in found}:
        expected = sorted((row.rank, row.subject_name) for row in found if row.board == board)[:10]
        assert sorted((int(cells[0]), cells[2]) for cells in rows_of(content, board)) == expected
    proof = f"{PREFIX}/figures/proof?metric=match_rate&scope=county&code=441702&period=2019-06"
    assert proof in links_of(content)
    assert f"{PREFIX}/figures/proof?metric=province_rank&scope=city&code=441700&period=2019-06" in links_of(content)


def test_one_board_stands_in_full_with_its_picture(golden: Engine, reader: TestClient) -> None:
    content = page(reader, "/boards", board="league_ytd_amount")
    assert len(rows_of(content, "league_ytd_amount")) == 14
    assert "<svg" in content
    assert len(rows_of(page(reader, "/boards"), "league_ytd_amount")) == 10


def test_the_scheme_that_held_is_shown(golden: Engine, reader: TestClient) -> None:
    content = page(reader, "/scheme")
    assert [cells[1] for cells in rows_of(content, "weights")] == ["20.00", "40.00", "10.00", "10.00", "10.00", "10.00"]
    assert rows_of(content, "grades")[0] == ["优秀", "90.00", "优先", "可展期"]
    assert "逾期率不高于1%得满分，达到5%不得分" in words_of(content)
    assert "方案文件改过" not in words_of(content)


def test_a_scheme_file_that_was_changed_since_is_said_so(
    golden: Engine, reader: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = (INCLUDE / "reference" / "scheme.yaml").read_text(encoding="utf-8")
    changed = shipped.replace("per_high_alert: 1", "per_high_alert: 2")
    assert changed != shipped
    (tmp_path / "scheme.yaml").write_text(changed, encoding="utf-8")
    monkeypatch.setenv(f"{ENVIRONMENT}REFERENCE", str(tmp_path))
    words = words_of(page(reader, "/scheme"))
    assert "2019-06-r1考核之后，方案文件改过" in words
    assert "每项未办结的高级别督查事项2分" in words


# The trial


def test_the_form_of_a_trial_holds_the_scheme(golden: Engine, ops: TestClient) -> None:
    content = page(ops, "/trial")
    values = dict(re.findall(r'<input id="field-[^"]+" name="([^"]+)" type="text" value="([^"]*)"', content))
    assert values["weights.completion"] == "40"
    assert values["grades.0.at_least"] == "90"
    assert len(values) == 15
    assert 'id="tried"' not in content


def test_a_trial_sets_old_and_new_rank_side_by_side(golden: Engine, golden_settings: Settings, ops: TestClient) -> None:
    expected = try_scheme(golden, golden_settings, JUNE, change_scheme(load_scheme(golden_settings, JUNE), TRIAL))
    content = page(ops, "/trial", period="2019-06", **TRIAL)
    rows = rows_of(content, "tried")
    assert [(cells[0], cells[1], cells[3], cells[4], cells[5]) for cells in rows] == [
        (
            str(bank.after.rank),
            str(bank.before.rank),
            bank.short_name,
            score(bank.after.score),
            score(bank.before.score),
        )
        for bank in expected.banks
    ]
    assert [int(cells[0]) for cells in rows] == sorted(int(cells[0]) for cells in rows)
    assert any(cells[2].startswith("↑") for cells in rows)
    assert len(rows_of(content, "tried_indicators")) == 12 * 6
    words = words_of(content)
    assert "改动：完成率40→20分；项目对接10→30分；优秀的最低得分90→85分。6家银行名次变化，2家银行等次变化。" in words
    assert 'name="weights.matching" type="text" value="30"' in content


def test_the_scheme_itself_moves_nobody(golden: Engine, ops: TestClient) -> None:
    content = page(ops, "/trial", **{"weights.growth": "20"})
    assert "没有改动。各银行名次、等次都不变。" in words_of(content)
    assert all(cells[4] == cells[5] for cells in rows_of(content, "tried"))


def test_a_trial_keeps_nothing(golden: Engine, ops: TestClient) -> None:
    counted = "select (select count(*) from mart.run) as runs, (select count(*) from registry.action) as actions"
    before = found_in(golden, counted)
    page(ops, "/trial", **TRIAL)
    assert found_in(golden, counted) == before


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("weights.completion", "30", "各项权重之和应为100分，现为90分，少10分。"),
        ("weights.growth", "很多", "请填写数字"),
        ("weights.growth", "", "请填写基础指标。"),
        ("weights.growth", '"><script>alert(1)</script>', "请填写数字"),
        ("weights.growth", "\x00", "请填写数字"),
        ("deductions.at_most", "-1", "不能小于0分。"),
        ("grades.0.at_least", "70", "应高于下一等次良好的最低得分80分。"),
    ],
)
def test_what_makes_no_scheme_is_said_beside_its_field(
    golden: Engine, ops: TestClient, field: str, value: str, says: str
) -> None:
    content = page(ops, "/trial", 422, **{field: value, "deductions.per_high_alert": "7"})
    error = re.search(rf'id="error-{re.escape(field)}" role="alert">([^<]*)<', content)
    assert error is not None
    assert says in error[1]
    assert f'aria-describedby="error-{field}"' in content
    assert html.escape(value, quote=False).replace('"', "&#34;") in content
    assert 'name="deductions.per_high_alert" type="text" value="7"' in content
    assert 'id="tried"' not in content
    assert "<script>alert" not in content


def test_while_another_trial_runs_the_form_says_so(
    golden: Engine, ops: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheme_trial, "MOST_SECONDS_WAITING", 0)
    with scheme_trial._one_at_a_time:
        content = page(ops, "/trial", 422, **TRIAL)
    assert "另一个试算正在进行，请稍后再试；填写的内容还在。" in words_of(content)
    assert 'name="weights.matching" type="text" value="30"' in content
    page(ops, "/trial", **TRIAL)


# Who may, what is refused, what can be saved


def test_who_may_see_the_pages(golden: Engine, login: Login, stranger: TestClient) -> None:
    for path in [*PAGES, "/trial"]:
        assert stranger.get(RANKING + path).status_code == 307
        assert login(None).get(RANKING + path).status_code == 403
        assert login("op").get(RANKING + path).status_code == 200
        assert login("viewer").get(RANKING + path).status_code == (403 if path == "/trial" else 200)
    assert f"{RANKING}/trial?period=2019-06" not in links_of(page(login("viewer"), ""))
    assert f"{RANKING}/trial?period=2019-06" in links_of(page(login("op"), ""))


def test_links_between_the_pages_lead_somewhere(golden: Engine, ops: TestClient) -> None:
    seen: set[str] = set()
    for path in [*PAGES, "/trial"]:
        for href in links_of(page(ops, path)):
            if href.startswith(RANKING) and "download=" not in href:
                seen.add(href.partition("#")[0])
    assert len(seen) > 30
    assert {href: ops.get(href).status_code for href in seen} == dict.fromkeys(seen, 200)


@pytest.mark.parametrize("path", [*PAGES, "/trial"])
@pytest.mark.parametrize("period", ["2018-12", "2019-13", "juni", "2019-06'--", "９", "\x00"])
def test_a_month_that_is_not_there_names_those_that_are(
    golden: Engine, ops: TestClient, path: str, period: str
) -> None:
    content = page(ops, path, 404, period=period)
    assert re.search("没有2018年12月的数据。|网址中的月份不对", words_of(content))
    assert any("period=2019-06" in href for href in links_of(content))


@pytest.mark.parametrize(
    ("path", "query", "says"),
    [
        ("/banks/B99", {}, "2019年6月没有考核这家银行。"),
        ("/banks/C01", {}, "2019年6月没有考核这家银行。"),
        ("/banks/%00", {}, "2019年6月没有考核这家银行。"),
        ("/compare", {"first": "B99", "second": "B01"}, "2019年6月没有考核这家银行。"),
        ("/compare", {"first": "B01", "second": "<b>"}, "2019年6月没有考核这家银行。"),
        ("/boards", {"board": "village_pride"}, "没有这个榜单。"),
        ("", {"download": "ranking.pdf"}, "本页没有这个文件。"),
        ("/banks/B04", {"download": "nothing.csv"}, "本页没有这个文件。"),
    ],
)
def test_what_is_not_there_names_what_is(
    golden: Engine, reader: TestClient, path: str, query: dict[str, str], says: str
) -> None:
    content = page(reader, path, 404, **query)
    assert says in words_of(content)
    choices = [href for href in links_of(content) if href.startswith(RANKING)]
    assert choices
    assert reader.get(choices[0]).status_code == 200


def test_before_the_first_assessment_the_pages_say_what_comes(engine: Engine, ops: TestClient) -> None:
    for path in ("", "/compare", "/boards", "/scheme", "/trial"):
        assert "还没有考核过的月份。月份关闭后" in words_of(page(ops, path))
    assert "还没有考核过的月份" in words_of(page(ops, "/banks/B01", 404))


def test_tables_can_be_saved_and_the_download_is_on_record(golden_copy: Settings, ops: TestClient) -> None:
    answer = ops.get(f"{RANKING}?period=2019-06&download=ranking.csv")
    lines = read_csv(answer)
    assert lines[0][:4] == ["名次", "比上月", "银行", "得分"]
    assert lines[0][4] == "基础指标（20分）"
    assert lines[7][0:4] == ["7", "位次不变", "穗禾兴农", "85.05"]
    saved = {
        "/banks/B04": ["indicators", "steps", "pace", "months", "deductions", "cases", "delivered", "months_reported"],
        "/compare": ["compared", "compared_months"],
        "/boards?board=county_match_rate": ["county_match_rate"],
        "/scheme": ["weights", "grades"],
        f"/trial?{urlencode(TRIAL)}": ["tried", "tried_indicators", "tried_rounds"],
    }
    for path, names in saved.items():
        for name in names:
            mark = "&" if "?" in path else "?"
            answer = ops.get(f"{RANKING}{path}{mark}download={name}.xlsx")
            assert answer.status_code == 200, path
            assert workbook_of(answer).active.max_row > 2
    with open_warehouse(golden_copy) as engine:
        kept = found_in(engine, "select kind, acted_by from registry.action")
    assert len(kept) == 1 + sum(map(len, saved.values()))
    assert {tuple(row) for row in kept} == {("download", "reader")}


# Charts


def test_a_chart_of_places_has_the_first_on_top() -> None:
    def heights(is_rank: bool) -> list[float]:
        drawn = line_chart([Series("行", [("2019-01", 1), ("2019-02", 5)])], unit="名次", is_rank=is_rank)
        path = re.search(
            r'aria-roledescription="line mark"[^>]*? d="M([^"]+)"|d="M([^"]+)"[^>]*stroke-width="2"', drawn
        )
        assert path is not None
        return [float(y) for y in re.findall(r",([0-9.]+)", path[1] or path[2])]

    first, second = heights(is_rank=True)
    assert first < second
    first, second = heights(is_rank=False)
    assert first > second


@pytest.mark.parametrize(
    ("best", "worst", "written"),
    [(1, 2, "1 2"), (4, 6, "4 5 6"), (3, 3, "3"), (1, 30, "1 5 9 13 17 21 25 29")],
)
def test_between_two_places_there_is_none(best: int, worst: int, written: str) -> None:
    points = [("2019-01", best), ("2019-02", worst), ("2019-03", None)]
    drawn = line_chart([Series("行", points)], unit="名次", is_rank=True)
    assert re.findall(r">(\d[\d.]*)</text>", drawn) == written.split()


def test_a_chart_of_one_month_is_none() -> None:
    assert not line_chart([Series("行", [("2019-01", 1), ("2019-02", None)])], unit="名次")
