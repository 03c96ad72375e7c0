"""The monthly notices: exact sentences for every case, one message per contact, nothing of others (docs/outputs.md)."""

from __future__ import annotations

import html
import re
from dataclasses import asdict, replace
from decimal import Decimal

import pytest
from apprise.common import NotifyFormat
from apprise.conversion import convert_between
from sqlalchemy import Connection, Engine, text

from five_precisions.bulletin.bank_summary import bank_place, next_steps, pace_of
from five_precisions.bulletin.document import Source
from five_precisions.bulletin.notices import bank_notice, county_notice, notices, post_notices
from five_precisions.bulletin.results import Alert, BoardPlace, Results
from five_precisions.delivery import Kind, Message, message_key
from five_precisions.errors import RefusedError
from five_precisions.period import Period
from five_precisions.reference import load_indicators
from five_precisions.register import Contact, ContactRole, Register, load_register
from five_precisions.settings import Settings
from tests.bulletin.small_results import (
    BANK,
    CENTRE,
    COUNTY,
    JUNE,
    OFFICE,
    Standing,
    reported,
    small_results,
    stepped,
)

UNRANKED = "暂不排名：《金融精准扶贫贷款台账》未报送"
ITEMS = {
    "completion": (40, "0.80", "按序时进度完成80.00%，全年目标60户"),
    "growth": (20, "1", "扶贫小额信贷增速12.00%，全市各项贷款增速6.65%"),
    "matching": (10, None, "没有推送的项目，不考核"),
    "quality": (10, "0.5", "扶贫小额信贷逾期率3.00%"),
    "reporting": (10, "0.98611111", "本年应报36份，按时36份；收到36份，一次通过35份"),
    "visits": (10, "0.85424710", "走访覆盖率85.42%"),
}
FOUR_BANKS = ((1, "99.08"), (3, "70"), (4, "66"))


def text_of(message: Message) -> str:
    """The text part that Apprise makes of it."""
    return convert_between(NotifyFormat.HTML, NotifyFormat.TEXT, message.html)


def shown_text(message: Message) -> str:
    """What the HTML says, without its tags."""
    return html.unescape(re.sub(r"<[^>]*>", " ", message.html))


def register_of(*contacts: tuple[str, str]) -> Register:
    return Register(
        institutions=load_register(Settings.load().register_folder).institutions,
        divisions=load_register(Settings.load().register_folder).divisions,
        contacts=tuple(Contact(code, address, ContactRole.CONTACT) for code, address in contacts),
        obligations=(),
    )


def notice_to(results: Results, code: str) -> Message:
    (message,) = notices(results, register_of((code, "one@example.test")), is_demo=True)
    return message


@pytest.mark.parametrize(
    ("now", "before", "place", "score"),
    [
        ((2, "88.45"), (5, "80.1"), "第2名（共3家参评），比上月上升3位", "88.45分，比上月提高8.35分"),
        ((2, "88.45"), (1, "90"), "第2名（共3家参评），比上月下降1位", "88.45分，比上月下降1.55分"),
        ((2, "88.45"), (2, "88.45"), "第2名（共3家参评），位次与上月相同", "88.45分，与上月持平"),
        ((2, "88.45"), None, "第2名（共3家参评），首次参评", "88.45分"),
        ((2, "88.45"), UNRANKED, "第2名（共3家参评），上月暂不排名", "88.45分"),
    ],
)
def test_place_and_score_are_told_with_their_movement(now: Standing, before: Standing, place: str, score: str) -> None:
    notice = bank_notice(results := small_results(now=now, before=before), results.institutions[BANK])

    assert notice.place == (("名次", place), ("得分", score), ("等级", "良好"))
    assert notice.unranked == ()


def test_in_the_first_month_on_record_nothing_is_compared() -> None:
    results = small_results(month=Period(2019, 1), is_first_month=True, bank_figures={"loan_balance": "12.3"})
    notice = bank_notice(results, results.institutions[BANK])

    assert notice.place[0] == ("名次", "第2名（共3家参评），首次参评")
    assert [header for header, _ in notice.figures.columns] == ["指标", "本月"]
    assert notice.figures.rows[0] == ("金融精准扶贫贷款余额（万元）", "12.30")


def test_deductions_are_told_when_there_are_any() -> None:
    results = small_results(deductions="2")

    assert dict(bank_place(results, BANK) or ())["扣分"] == "2.00分，已从得分中扣除"
    assert "扣分" not in dict(bank_place(small_results(), BANK) or ())


def test_an_unranked_bank_reads_why_and_what_to_do() -> None:
    results = small_results(
        now=UNRANKED,
        reporting=(
            reported("loans", "missing", on_time=False, first_pass=False, who=BANK),
            reported("visits", "rejected", on_time=False, first_pass=False, who=BANK),
            reported("position", "accepted", who=BANK),
            reported("loans", "missing", who="B02"),
        ),
    )
    notice = bank_notice(results, results.institutions[BANK])

    assert notice.place == ()
    assert notice.items is None
    assert notice.unranked == (
        "本月暂不排名：《金融精准扶贫贷款台账》未报送。",
        "请更正后重新报送《贫困户走访存档》。请尽快补报《金融精准扶贫贷款台账》。下月请在截止时间前报送各项报表，以恢复参加排名。",
    )
    assert notice.pace == "本年扶贫小额信贷发放户数未取得，全年目标60户。"
    assert {row[1] for row in notice.figures.rows} == {"未取得"}
    assert notice.table.rows == (("第1名", "第2银行", "99.08"), ("第3名", "第3银行", "70.00"))
    assert notice.table.note == "另有1家暂不排名。"
    assert notice.table.strong == ()


def test_items_have_weight_points_and_note() -> None:
    results = small_results(items=ITEMS)
    table = bank_notice(results, results.institutions[BANK]).items

    assert table is not None
    assert [header for header, _ in table.columns] == ["指标", "权重", "得分", "说明"]
    assert table.rows == (
        ("基础指标", "20", "20.00", "扶贫小额信贷增速12.00%，全市各项贷款增速6.65%"),
        ("完成率", "40", "32.00", "按序时进度完成80.00%，全年目标60户"),
        ("项目对接", "10", "不考核", "没有推送的项目，不考核"),
        ("走访", "10", "8.54", "走访覆盖率85.42%"),
        ("资产质量", "10", "5.00", "扶贫小额信贷逾期率3.00%"),
        ("报送质量", "10", "9.86", "本年应报36份，按时36份；收到36份，一次通过35份"),
    )
    assert table.note == "不考核的指标不计权重，总分按其余指标的权重折算为百分制。"


@pytest.mark.parametrize(
    ("month", "households", "target", "words"),
    [
        (
            6,
            32,
            60,
            (
                "本年已发放扶贫小额信贷32户、108.50万元，全年目标60户，按序时进度完成71.33%。"
                "距全年目标还差28户，今后6个月每月至少需发放5户。按目前进度，预计全年发放64户，超过全年目标4户。"
            ),
        ),
        (
            6,
            30,
            60,
            (
                "本年已发放扶贫小额信贷30户、108.50万元，全年目标60户，按序时进度完成71.33%。"
                "距全年目标还差30户，今后6个月每月至少需发放5户。按目前进度，预计全年发放60户，正好达到全年目标。"
            ),
        ),
        (
            6,
            0,
            60,
            (
                "本年尚未发放扶贫小额信贷，全年目标60户，按序时进度完成71.33%。"
                "距全年目标还差60户，今后6个月每月至少需发放10户。按目前进度，预计全年发放0户，低于全年目标60户。"
            ),
        ),
        (
            9,
            61,
            60,
            (
                "本年已发放扶贫小额信贷61户、108.50万元，全年目标60户，按序时进度完成71.33%。"
                "已提前完成全年目标。按目前进度，预计全年发放81户，超过全年目标21户。"
            ),
        ),
        (
            11,
            50,
            60,
            (
                "本年已发放扶贫小额信贷50户、108.50万元，全年目标60户，按序时进度完成71.33%。"
                "距全年目标还差10户，12月需发放10户。按目前进度，预计全年发放55户，低于全年目标5户。"
            ),
        ),
        (
            12,
            50,
            60,
            "本年已发放扶贫小额信贷50户、108.50万元，全年目标60户，按序时进度完成71.33%，低于全年目标10户。",
        ),
        (
            12,
            60,
            60,
            "本年已发放扶贫小额信贷60户、108.50万元，全年目标60户，按序时进度完成71.33%，正好达到全年目标。",
        ),
        (6, 5, 0, "本年已发放扶贫小额信贷5户、108.50万元；未分配全年目标，完成率不考核。"),
        (
            1,
            1,
            1200,
            (
                "本年已发放扶贫小额信贷1户、108.50万元，全年目标1,200户，按序时进度完成71.33%。"
                "距全年目标还差1,199户，今后11个月每月至少需发放109户。按目前进度，预计全年发放12户，低于全年目标1,188户。"
            ),
        ),
    ],
)
def test_pace_is_told(month: int, households: int, target: int, words: str) -> None:
    figures = {
        "microcredit_ytd_households": households,
        "microcredit_ytd_amount": "108.5",
        "microcredit_completion": "71.333",
    }

    assert pace_of(small_results(month=Period(2019, month), target=target, bank_figures=figures), BANK).words() == words


STEPS = (
    stepped("completion", "本月再新增3户：完成率71.30%→78.60%", ("78.45", "81.37"), (5, 4)),
    stepped("visits", "第1轮再走访12户：走访覆盖率85.42%→100.00%", ("78.45", "79.91"), (5, 5)),
    stepped("quality", "再收回逾期扶贫小额信贷4万元：逾期率2.80%→0.75%", ("78.45", "82.95"), (5, 5)),
)


def test_what_one_step_better_gives_is_told() -> None:
    results = small_results(now=(5, "78.45"), items=ITEMS, steps=STEPS)
    notice = bank_notice(results, results.institutions[BANK])

    assert notice.steps is not None
    assert [header for header, _ in notice.steps.columns] == ["指标", "再进一步", "得分", "名次和等级"]
    assert notice.steps.rows == (
        ("完成率", "本月再新增3户：完成率71.30%→78.60%", "+2.92", "5→4，升为良好"),
        ("走访", "第1轮再走访12户：走访覆盖率85.42%→100.00%", "+1.46", "不变"),
        ("资产质量", "再收回逾期扶贫小额信贷4万元：逾期率2.80%→0.75%", "+4.50", "不变，升为良好"),
    )
    # Only what wins a place stands out.
    assert notice.steps.strong == (0,)
    assert notice.nothing_to_win == ""
    message = notice_to(results, BANK)
    for words in (text_of(message), shown_text(message)):
        assert "再进一步，能得多少" in words
        assert "其他指标和其他银行不变" in words
    assert "完成率 | 本月再新增3户：完成率71.30%→78.60% | +2.92 | 5→4，升为良好" in text_of(message)


def test_a_bank_with_full_points_in_all_reads_so() -> None:
    results = small_results(now=(1, "100"), items={"growth": (20, "1", "增速")})
    notice = bank_notice(results, results.institutions[BANK])

    assert notice.steps is None
    assert notice.nothing_to_win == "参加考核的各项指标均已得满分，请继续保持。"
    assert notice.nothing_to_win in text_of(notice_to(results, BANK))


def test_an_unranked_bank_has_no_step_to_take() -> None:
    results = small_results(now=UNRANKED)
    notice = bank_notice(results, results.institutions[BANK])

    assert (notice.steps, notice.nothing_to_win) == (None, "")
    assert "再进一步" not in notice_to(results, BANK).html


def test_pace_without_a_ledger_or_a_row_says_what_is_known() -> None:
    figures = {"microcredit_ytd_households": 24, "microcredit_completion": "80"}
    known = small_results(bank_figures=figures)

    assert pace_of(replace(known, paces={}), BANK).words() == (
        "本年已发放扶贫小额信贷24户，全年目标60户，按序时进度完成80.00%。"
    )


def test_key_figures_stand_beside_last_month() -> None:
    results = small_results(
        bank_figures={
            "loan_balance": "112.3",
            "microcredit_balance": 0,
            "microcredit_month_households": 3,
            "microcredit_month_amount": "12.005",
            "overdue_ratio": "1.5",
            "match_rate": "50",
            "visit_coverage_standing": "80",
            "households_able": 5,
            "households_wanting": 2,
        },
        bank_figures_before={
            "loan_balance": "100",
            "microcredit_balance": "7.5",
            "microcredit_month_households": 5,
            "overdue_ratio": "1.5",
            "match_rate": "45.5",
            "visit_coverage_standing": "81",
            "households_able": 5,
        },
    )

    assert bank_notice(results, results.institutions[BANK]).figures.rows == (
        ("金融精准扶贫贷款余额（万元）", "112.30", "100.00", "增加12.30万元"),
        ("扶贫小额信贷余额（万元）", "0.00", "7.50", "减少7.50万元"),
        ("扶贫小额信贷当月发放户数（户）", "3", "5", "减少2户"),
        ("扶贫小额信贷当月发放额（万元）", "12.01", "未取得", "—"),
        ("贷款逾期率（%）", "1.50", "1.50", "持平"),
        # Of a balance of 0 there is no ratio, and nothing is missing; last month's is missing.
        ("扶贫小额信贷逾期率（%）", "无", "未取得", "—"),
        ("项目对接率（%）", "50.00", "45.50", "上升4.50个百分点"),
        ("走访覆盖率（%）", "80.00", "81.00", "下降1.00个百分点"),
        ("有贷款需求未满足户数（户）", "2", "未取得", "—"),
    )


def test_of_many_banks_the_first_and_last_three_and_the_own_row_are_shown() -> None:
    others = [(rank, f"{100 - rank}") for rank in range(1, 13) if rank != 6]
    results = small_results(now=(6, "94"), others=others)
    table = bank_notice(results, results.institutions[BANK]).table

    assert [row[0] for row in table.rows] == ["第1名", "第2名", "第3名", "第6名", "第10名", "第11名", "第12名"]
    assert table.rows[3] == ("第6名", "岭海通商", "94.00")
    assert table.strong == (3,)
    assert table.note == ""


def test_of_few_banks_each_is_shown_once() -> None:
    results = small_results(others=FOUR_BANKS)

    assert [row[0] for row in bank_notice(results, results.institutions[BANK]).table.rows] == [
        "第1名",
        "第2名",
        "第3名",
        "第4名",
    ]


def alert(institution: str, subject: str, detail: str = "情况", level: str = "high") -> Alert:
    return Alert(
        "A07", "贷款质量和用途真实性", level, institution, subject, detail, f"{institution}-{subject}", "2019-06"
    )


def test_a_bank_sees_its_own_alerts_only() -> None:
    results = small_results(
        alerts=(
            alert(BANK, "****1234-ab"),
            alert("B02", "他行账户", "他行情况"),
            alert(OFFICE, "B02/贴息/2019", "未到位"),
        )
    )
    messages = {
        message.institution_code: message
        for message in notices(
            results,
            register_of((BANK, "b01@example.test"), ("B02", "b02@example.test"), (OFFICE, "c01@example.test")),
            is_demo=True,
        )
    }

    assert list(messages) == [BANK, "B02", OFFICE]
    assert "高 | 贷款质量和用途真实性 | ****1234-ab | 情况" in text_of(messages[BANK])
    assert "他行" not in messages[BANK].html
    assert "高 | 贷款质量和用途真实性 | 他行账户 | 他行情况" in text_of(messages["B02"])
    assert "****1234-ab" not in messages["B02"].html
    # Codes of institutions read as names.
    assert "高 | 贷款质量和用途真实性 | 第2银行/贴息/2019 | 未到位" in text_of(messages[OFFICE])
    assert "他行" not in messages[OFFICE].html


def test_without_alerts_nothing_is_said_of_them() -> None:
    assert "督查事项" not in notice_to(small_results(), BANK).html


def test_a_notice_lists_twenty_alerts_and_counts_the_rest() -> None:
    results = small_results(alerts=[alert(BANK, f"L{number:03d}") for number in range(23)])
    words = text_of(notice_to(results, BANK))

    assert "L019" in words
    assert "L020" not in words
    assert "另有3项未列出。" in words


def test_what_went_wrong_in_a_banks_reporting_is_told() -> None:
    late = small_results(
        reporting=(reported("loans", "accepted", on_time=False, who=BANK), reported("visits", "nil", who=BANK))
    )
    fine = small_results(reporting=(reported("loans", "accepted", who=BANK),))

    assert bank_notice(late, late.institutions[BANK]).reporting == (
        "本月应报2份，收到2份，按时1份，一次通过2份；《金融精准扶贫贷款台账》迟报。"
    )
    assert bank_notice(fine, fine.institutions[BANK]).reporting == ""


COUNTY_FIGURES = {
    "fund_due": "120",
    "fund_arrived": "100.005",
    "fund_arrival_rate": "83.3375",
    "project_count": 14,
    "projects_matched": 10,
    "match_rate": "71.42857",
    "projects_stale": 2,
    "households_able": 2150,
    "visit_coverage": "7.348",
    "visit_coverage_standing": "87.86",
    "microcredit_ytd_households": 40,
    "microcredit_ytd_amount": "139.31",
    "microcredit_ytd_amount_yoy": "-5.5",
    "outreach_towns_quarter": 13,
    "outreach_town_coverage": "92.857",
    "households_wanting": 267,
}


def test_a_county_reads_its_progress() -> None:
    results = small_results(county_figures=COUNTY_FIGURES)

    assert county_notice(results, results.institutions[OFFICE]).progress == (
        ("政府担保贴息资金", "到期应到位120.00万元，已到位100.01万元，到位率83.34%，尚有20.00万元未到位。"),
        ("产业项目", "项目库共14个，已对接10个，对接率71.43%，入库超过90天仍未对接2个。"),
        ("走访", "有劳动能力贫困户2,150户，第2轮走访覆盖率7.35%，考核按本轮与上一轮中较高者计，为87.86%。"),
        ("扶贫小额信贷", "本年向40户发放139.31万元，金额同比下降5.50%。"),
        ("宣传培训", "本季度已在13个乡镇开展活动，占全部乡镇的92.86%。"),
        ("贷款需求", "走访中提出贷款需求、尚未满足的贫困户267户。"),
    )


def test_a_county_with_nothing_due_missing_or_left_reads_so() -> None:
    figures = COUNTY_FIGURES | {
        "fund_arrived": "120",
        "fund_arrival_rate": "100",
        "projects_stale": 0,
        "microcredit_ytd_amount_yoy": 0,
        "households_wanting": 0,
    }
    results = small_results(county_figures=figures)
    progress = dict(county_notice(results, results.institutions[OFFICE]).progress)

    assert progress["政府担保贴息资金"] == "到期应到位120.00万元，已到位120.00万元，到位率100.00%，已全部到位。"
    assert progress["产业项目"] == "项目库共14个，已对接10个，对接率71.43%，没有入库超过90天仍未对接的项目。"
    assert progress["扶贫小额信贷"] == "本年向40户发放139.31万元，金额同比持平。"
    assert progress["贷款需求"] == "走访中提出贷款需求的贫困户均已满足。"


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({}, ["未取得。"] * 6),
        (
            dict.fromkeys(COUNTY_FIGURES, 0),
            [
                "尚无到期应到位的资金。",
                "项目库中没有项目。",
                "没有有劳动能力贫困户。",
                "本年尚未发放。",
                "本季度尚未在任何乡镇开展活动。",
                "走访中提出贷款需求的贫困户均已满足。",
            ],
        ),
    ],
)
def test_what_is_missing_is_not_zero(figures: dict[str, int], words: list[str]) -> None:
    results = small_results(county_figures=figures)

    assert [each for _, each in county_notice(results, results.institutions[OFFICE]).progress] == words


def test_a_county_reads_its_places() -> None:
    def place(board: str, rank: int, previous: int | None, code: str = COUNTY) -> BoardPlace:
        return BoardPlace(board, code, "县", Decimal(1), rank, previous)

    results = small_results(
        county_figures={"microcredit_ytd_amount": "139.31", "visit_coverage_standing": "87.864", "match_rate": 70},
        places=(
            place("county_microcredit_ytd_amount", 1, 1, "441704"),
            place("county_microcredit_ytd_amount", 2, 4),
            place("county_visit_coverage", 1, 1),
            place("county_match_rate", 1, None),
        ),
    )

    assert county_notice(results, results.institutions[OFFICE]).places == (
        ("扶贫小额信贷本年发放额", "139.31万元，第2位（共2个县市区），比上月上升2位"),
        ("走访覆盖率", "87.86%，第1位（共1个县市区），位次与上月相同"),
        ("项目对接率", "70.00%，第1位（共1个县市区），上月没有位次"),
        ("资金到位率", "未取得，不参加排位"),
    )


def test_a_county_office_reads_its_reporting_record() -> None:
    results = small_results(
        reporting=(
            reported("households", "accepted", on_time=False),
            reported("projects", "rejected", on_time=False, first_pass=False),
            reported("guarantee_funds", "missing", on_time=False, first_pass=False),
            reported("outreach", "accepted", first_pass=False),
        )
    )

    assert county_notice(results, results.institutions[OFFICE]).reporting == (
        "本月应报4份，收到2份，按时1份，一次通过1份；《建档立卡户名册》迟报；《产业扶贫项目库》被退回、尚未更正；"
        "《政府担保贴息资金》未报送；《宣传培训活动》首次报送被退回、已更正。"
    )


def test_next_steps_follow_from_the_dearest_indicators() -> None:
    figures = {"microcredit_ytd_households": 24, "microcredit_completion": "80"}

    assert next_steps(small_results(items=ITEMS, bank_figures=figures), BANK) == [
        (
            "完成率（得32.00分，满分40分）：按序时进度完成80.00%，全年目标60户。"
            "本年已发放24户，今后6个月每月至少需发放6户，请按月分解任务。"
        ),
        "资产质量（得5.00分，满分10分）：扶贫小额信贷逾期率3.00%。请加强贷后管理，逐笔落实逾期扶贫小额信贷的清收措施。",
        "走访（得8.54分，满分10分）：走访覆盖率85.42%。请抓紧走访尚未走访的责任贫困户，及时存档上报。",
    ]


def test_next_steps_end_with_what_one_step_gives() -> None:
    figures = {"microcredit_ytd_households": 24, "microcredit_completion": "80"}
    completion, quality, visits = next_steps(small_results(items=ITEMS, bank_figures=figures, steps=STEPS), BANK)

    assert completion.endswith("请按月分解任务。本月再新增3户：完成率71.30%→78.60%，得分+2.92，名次5→4。")
    assert quality.endswith("清收措施。再收回逾期扶贫小额信贷4万元：逾期率2.80%→0.75%，得分+4.50，名次不变（第5名）。")
    assert visits.endswith("及时存档上报。第1轮再走访12户：走访覆盖率85.42%→100.00%，得分+1.46，名次不变（第5名）。")


@pytest.mark.parametrize("indicator", load_indicators())
def test_every_indicator_has_a_next_step(indicator: str) -> None:
    results = small_results(items={indicator: (10, "0", "说明")}, bank_figures={"microcredit_ytd_households": 1})

    (step,) = next_steps(results, BANK)
    assert step.startswith(f"{load_indicators()[indicator].name}（得0.00分，满分10分）：说明。")
    assert step.endswith("。")


def test_each_open_bank_and_office_gets_one_message_per_contact() -> None:
    register = register_of(
        (BANK, "b01@example.test"),
        (BANK, "second@example.test"),
        (OFFICE, "c01@example.test"),
        (CENTRE, "z01@example.test"),
        ("B12", "closed@example.test"),
    )
    register = replace(register, contacts=(*register.contacts, Contact(BANK, "boss@example.test", ContactRole.LEADER)))
    messages = notices(small_results(), register, is_demo=True)

    assert [(message.address, message.institution_code) for message in messages] == [
        ("b01@example.test", BANK),
        ("second@example.test", BANK),
        ("c01@example.test", OFFICE),
    ]
    for message in messages:
        assert (message.kind, message.period, message.edition, message.run_id) == (
            Kind.MONTHLY_NOTICE,
            "2019-06",
            "r1",
            "2019-06-r1",
        )
    assert messages[0].subject == "2019年6月金融精准扶贫动态考核通知（岭海通商）"


def test_one_mailbox_of_two_banks_gets_both_notices() -> None:
    messages = notices(
        small_results(), register_of((BANK, "one@example.test"), ("B02", "one@example.test")), is_demo=True
    )

    assert [message_key(message) for message in messages] == [
        "monthly_notice/2019-06/B01/one@example.test/r1",
        "monthly_notice/2019-06/B02/one@example.test/r1",
    ]


def test_ops_are_told_who_has_no_contact(caplog: pytest.LogCaptureFixture) -> None:
    assert (
        len(
            notices(
                small_results(), register_of((BANK, "one@example.test"), (CENTRE, "centre@example.test")), is_demo=True
            )
        )
        == 1
    )

    assert [record.getMessage() for record in caplog.records] == [
        f"2019-06: {code} has no contact, nobody gets its notices" for code in ("B02", "B03", OFFICE)
    ]


def test_a_restated_month_says_so() -> None:
    message = notice_to(small_results(revision=2, bank_figures={"loan_balance": 5}), BANK)

    assert (message.edition, message.run_id) == ("r2", "2019-06-r2")
    assert "本月数据已重述（带“*”），以本通知为准。" in text_of(message)
    assert "金融精准扶贫贷款余额（万元） | 5.00* | 未取得 | —" in text_of(message)
    assert "重述" not in notice_to(small_results(), BANK).html


def test_a_restated_rank_is_marked_and_a_score_that_stayed_is_not() -> None:
    results = replace(small_results(revision=2, items=ITEMS), restated={Source("rank", "bank", BANK, str(JUNE))})

    assert bank_notice(results, results.institutions[BANK]).place[:2] == (
        ("名次", "第2*名（共3家参评），首次参评"),
        ("得分", "88.45分"),
    )


def test_demo_data_is_marked() -> None:
    register = register_of((BANK, "one@example.test"))

    assert "演示数据" in notices(small_results(), register, is_demo=True)[0].html
    assert "演示数据" not in notices(small_results(), register, is_demo=False)[0].html


def test_hostile_names_are_escaped() -> None:
    results = small_results(
        short_name='<script>alert("1")</script>', alerts=(alert(BANK, "<img src=x>", "a & b <b>"),), items=ITEMS
    )
    message = notice_to(results, BANK)

    assert "<script" not in message.html
    assert "<img" not in message.html
    assert "<b>" not in message.html
    assert '<script>alert("1")</script>' in shown_text(message)


def test_notices_stay_small_with_forty_banks() -> None:
    others = [(rank, f"{100 - rank}") for rank in range(1, 41) if rank != 20]
    results = small_results(
        now=(20, "80"), others=others, items=ITEMS, alerts=[alert(BANK, f"L{n}", "情况" * 40) for n in range(300)]
    )

    assert 5_000 < len(notice_to(results, BANK).html.encode()) < 100_000


def put_month(connection: Connection, results: Results) -> None:
    """Write hand-made results into the tables that `read_results` reads."""

    def insert(statement: str, **values: object) -> None:
        connection.execute(text(statement), values)

    run = results.run
    insert(
        "insert into registry.period (period, deadline_at) values (:period, now()) on conflict do nothing",
        period=run.period,
    )
    insert("update mart.run set current = false where period = :period", period=run.period)
    insert(
        "insert into mart.run (run_id, period, revision, closed_at, input_digest, scheme_version, scorecard_version, "
        "code_version, current) values (:id, :period, :revision, now(), 'd', '2016', '2016', '0', true)",
        id=run.run_id,
        period=run.period,
        revision=run.revision,
    )
    for each in results.assessed:
        insert(
            "insert into mart.assessment values (:run, :period, :bank, :score, :deductions, :grade, :rank, :previous, "
            ":status, :reason, :previous_score)",
            run=run.run_id,
            period=run.period,
            bank=each.institution_code,
            score=each.score,
            deductions=each.deductions,
            grade=each.grade,
            rank=each.rank,
            previous=each.previous_rank,
            previous_score=each.previous_score,
            status="unranked" if each.rank is None else "ranked",
            reason=each.reason,
        )
    for step in (step for steps in results.next_steps.values() for step in steps):
        insert(
            "insert into mart.next_step values (:run, :period, :institution_code, :indicator, 1, '户', null, null, "
            ":score_before, :score_after, :grade_before, :grade_after, :rank_before, :rank_after, :action, :sentence)",
            run=run.run_id,
            period=run.period,
            **asdict(step),
        )
    for bank, target in results.targets.items():
        insert(
            "insert into mart.target values (:year, 1, :period, '分解', :bank, 0, 0, :households) "
            "on conflict do nothing",
            year=results.month.year,
            period=run.period,
            bank=bank,
            households=target,
        )
    for pace in results.paces.values():
        insert(
            "insert into mart.pace values (:run, :period, :institution_code, 60, 30, 30, :needed_per_month, :forecast)",
            run=run.run_id,
            period=run.period,
            **asdict(pace),
        )
    for source, value in results.values.items():
        if source.period == run.period:
            insert(
                "insert into mart.metric (run_id, period, scope, scope_code, metric, value) "
                "values (:run, :period, :scope, :code, :metric, :value)",
                run=run.run_id,
                period=run.period,
                scope=source.scope,
                code=source.code,
                metric=source.metric,
                value=value,
            )
    for each in results.alerts:
        insert(
            "insert into mart.alert (run_id, period, rule, aspect, level, institution_code, subject, detail, case_id) "
            "values (:run, :period, :rule, :aspect, :level, :institution, :subject, :detail, :case)",
            run=run.run_id,
            period=run.period,
            rule=each.rule,
            aspect=each.aspect,
            level=each.level,
            institution=each.institution_code,
            subject=each.subject,
            detail=each.detail,
            case=each.case_id,
        )


def outbox(engine: Engine) -> list[tuple[str, str, str, str]]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("select message_key, institution_code, run_id, html from notify.message order by message_key")
        )
        return [tuple(row) for row in rows]


def test_notices_of_an_assessed_month_are_posted_once(register_saved_engine: Engine, settings: Settings) -> None:
    engine = register_saved_engine
    may = small_results(month=Period(2019, 5), now=(3, "70"), others=())
    june = small_results(
        now=(1, "88.45"),
        before=(3, "70"),
        others=(),
        bank_figures={"loan_balance": 7, "microcredit_ytd_households": 30},
        alerts=(alert("B02", "他行账户"),),
        items=ITEMS,
        steps=STEPS[:1],
    )
    with engine.begin() as connection:
        put_month(connection, may)
        put_month(connection, june)
    keys = post_notices(engine, settings, JUNE)

    institutions = [f"B{number:02d}" for number in range(1, 13)] + [f"C{number:02d}" for number in range(1, 5)]
    assert sorted(keys) == [f"monthly_notice/2019-06/{code}/{code.lower()}@example.test/r1" for code in institutions]
    posted = outbox(engine)
    assert [(key, code, run) for key, code, run, _ in posted] == [
        (key, code, "2019-06-r1") for key, code in zip(sorted(keys), institutions, strict=True)
    ]
    assert "第1名（共1家参评），比上月上升2位" in posted[0][3]
    assert "88.45分，比上月提高18.45分" in posted[0][3]
    assert [code for _, code, _, html_text in posted if STEPS[0].action in html_text] == [BANK]
    pace = "距全年目标还差30户，今后6个月每月至少需发放5户。按目前进度，预计全年发放60户，正好达到全年目标。"
    assert [code for _, code, _, html_text in posted if pace in html_text] == [BANK]
    assert "本月未参加考核" in posted[1][3]
    assert [code for _, code, _, html_text in posted if "他行账户" in html_text] == ["B02"]

    assert post_notices(engine, settings, JUNE) == []
    assert outbox(engine) == posted


def test_a_restatement_posts_new_notices(register_saved_engine: Engine, settings: Settings) -> None:
    engine = register_saved_engine
    with engine.begin() as connection:
        put_month(connection, small_results(others=()))
    assert len(post_notices(engine, settings, JUNE)) == 16
    with engine.begin() as connection:
        put_month(connection, small_results(others=(), revision=2))

    assert {key.rsplit("/", 1)[1] for key in post_notices(engine, settings, JUNE)} == {"r2"}
    assert len(outbox(engine)) == 32


def test_a_month_that_was_not_assessed_is_refused(register_saved_engine: Engine, settings: Settings) -> None:
    with pytest.raises(RefusedError, match="2019-06 has not been assessed"):
        post_notices(register_saved_engine, settings, JUNE)
    assert outbox(register_saved_engine) == []
