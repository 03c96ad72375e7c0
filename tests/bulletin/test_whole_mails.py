"""The mails of notices, supervision, bulletin and correction, whole: as kept in files, and fit for plain clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from five_precisions.bulletin.correction import Change, Restated, compose_correction
from five_precisions.bulletin.document import Bulletin, Paragraph, Section
from five_precisions.bulletin.letter import render_letter
from five_precisions.bulletin.results import BoardPlace, Results
from five_precisions.delivery import Message
from tests.bulletin.sample import alert_table
from tests.bulletin.small_bulletin import SCORES, small_bulletin, wide_table
from tests.bulletin.small_results import BANK, COUNTY, OFFICE, reported, small_results, stepped
from tests.bulletin.test_letter import MARCH
from tests.bulletin.test_notices import COUNTY_FIGURES, ITEMS, UNRANKED, alert, notice_to
from tests.bulletin.test_supervision import case, notices_of
from tests.mails import (
    Mail,
    assert_made_for_plain_clients,
    assert_mail_as_stored,
    assert_reads_as_text,
    rendered_from,
)

MAILS: Final = Path(__file__).parent / "mails"
TEMPLATES: Final = frozenset({"bulletin.html", "notice-bank.html", "notice-county.html", "supervision.html"})
BEFORE: Final = {"loan_balance": "52910.5", "microcredit_balance": "2100", "overdue_ratio": "0.98", "match_rate": "75"}
NOW: Final = {
    "loan_balance": "53430.325",
    "microcredit_balance": "2246.5",
    "microcredit_month_households": 6,
    "microcredit_month_amount": "28.4",
    "microcredit_ytd_households": 24,
    "microcredit_completion": "80",
    "overdue_ratio": "1.25",
    "microcredit_overdue_ratio": "3",
    "match_rate": "75",
    "visit_coverage_standing": "85.42471",
    "households_wanting": 1204,
}
OF_CITY: Final = {
    "loan_balance": "53430.32",
    "microcredit_ytd_amount": "2024.39",
    "microcredit_ytd_households": 596,
    "microcredit_ytd_amount_yoy": "-5.1",
    "province_rank": 7,
    "visit_coverage_standing": "89.35",
    "match_rate": "80.1",
}
STEPS: Final = (
    stepped("completion", "本月再新增6户：完成率80.00%→100.00%", ("88.45", "97.34"), (2, 2)),
    stepped("quality", "再收回逾期扶贫小额信贷4万元：逾期率3.00%→0.75%", ("88.45", "99.56"), (2, 1)),
)
BOARDS: Final = tuple(
    BoardPlace(board, code, name, Decimal(value), rank, previous)
    for board, value in (
        ("county_microcredit_ytd_amount", "139.31"),
        ("county_visit_coverage", "87.86"),
        ("county_match_rate", "71.43"),
    )
    for code, name, rank, previous in ((COUNTY, "江城区", 2, 3), ("441704", "阳东区", 1, 1))
)


def results_of_june() -> Results:
    """A bank in the middle, with something of everything that a notice can say."""
    return small_results(
        before=(5, "80.1"),
        earlier={MARCH: (1, "90")},
        others=((1, "99.08"), (3, "70"), (4, "66"), (5, "61.5"), (6, "59.995"), (7, "52"), (8, "40")),
        items=ITEMS,
        steps=STEPS,
        deductions="2",
        bank_figures=NOW,
        bank_figures_before=BEFORE,
        county_figures=COUNTY_FIGURES,
        city_figures=OF_CITY,
        places=BOARDS,
        reporting=(
            reported("loans", "accepted", on_time=False, who=BANK),
            reported("visits", "missing", on_time=False, first_pass=False, who=BANK),
            reported("households", "accepted"),
            reported("projects", "rejected", first_pass=False),
        ),
        alerts=(
            alert(BANK, "****1234-ab", "贷款逾期63天，未见催收记录。"),
            alert(BANK, "441702001-0007", "该户扶贫小额信贷余额合计超过5万元。", "medium"),
            alert(OFFICE, "B02/贷款贴息/2019", "应于2019年3月31日到位，尚差40.00万元。"),
        ),
    )


def unranked() -> Results:
    return small_results(
        now=UNRANKED,
        before=(2, "88.45"),
        bank_figures_before=BEFORE,
        revision=2,
        reporting=(reported("loans", "missing", on_time=False, first_pass=False, who=BANK),),
    )


def bulletin_of_quarter() -> Bulletin:
    """Tables that the mail shows and such as it leaves to the attachments, headings, paragraphs, a line of its own."""
    bulletin = small_bulletin(wide_table(3))
    blocks = (
        alert_table(),
        replace(wide_table(2), code="counties", title="表3 各县（市、区）主要指标"),
        Paragraph("各单位要认真核实。\n请于下月10日前报送整改情况。"),
    )
    return replace(bulletin, sections=(*bulletin.sections, Section("三、督查情况", blocks)))


def correction_of_quarter() -> Bulletin:
    changes = [
        Change(SCORES.title, "漠岸农商", "得分", "99.08", "90.00"),
        Change(SCORES.title, "渔光村镇", "位次", "2", "1"),
    ]
    restated = [Restated("2019-05", "岭海通商补报三笔贷款。", datetime(2019, 8, 1, 17, tzinfo=UTC))]
    return compose_correction(
        bulletin_of_quarter(),
        changes,
        ["督查发现的主要问题"],
        restated,
        number=1,
        issued_on=date(2019, 8, 2),
        remark="请相互转告。",
    )


def of_message(message: Message) -> tuple[str, str]:
    return message.subject, message.html


def supervision(institution: str) -> tuple[str, str]:
    cases = (
        case(institution),
        case(
            institution,
            case_id=f"A07-{institution}-5e6f7a8b",
            aspect="贷款质量和用途真实性",
            subject="HT-2019-0031",
            detail="贷款资金转入与借款人用途不符的账户，应由2家经办支行分别核实。",
            change="reopened",
            first_period="2019-02",
        ),
        case(
            institution,
            case_id=f"A01-{institution}-9c0d1e2f",
            subject="HT-2019-0007",
            detail="欠息已满三个月。",
            change="worsened",
            first_period="2019-04",
        ),
    )
    [message] = notices_of(*cases)
    return of_message(message)


SAMPLES: Final[dict[str, Callable[[], tuple[str, str]]]] = {
    "notice-bank": lambda: of_message(notice_to(results_of_june(), BANK)),
    "notice-bank-unranked": lambda: of_message(notice_to(unranked(), BANK)),
    "notice-county": lambda: of_message(notice_to(results_of_june(), OFFICE)),
    "supervision-bank": lambda: supervision(BANK),
    "supervision-county": lambda: supervision(OFFICE),
    "bulletin-bank": lambda: render_letter(bulletin_of_quarter(), results_of_june(), BANK),
    "bulletin-county": lambda: render_letter(bulletin_of_quarter(), results_of_june(), OFFICE),
    "bulletin-leaders": lambda: render_letter(bulletin_of_quarter(), results_of_june(), None),
    "correction-bank": lambda: render_letter(correction_of_quarter(), results_of_june(), BANK),
    "correction-leaders": lambda: render_letter(correction_of_quarter(), results_of_june(), None),
}


def mail_of(name: str) -> Mail:
    with rendered_from() as templates:
        subject, html = SAMPLES[name]()
    return Mail(subject, html, frozenset(templates))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mail_is_as_stored(name: str) -> None:
    assert_mail_as_stored(MAILS, name, mail_of(name))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mail_is_made_for_plain_clients(name: str) -> None:
    assert_made_for_plain_clients(mail_of(name))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mail_reads_as_text(name: str) -> None:
    assert_reads_as_text(mail_of(name))


def test_each_template_has_its_samples_and_each_stored_mail_too() -> None:
    assert {template for name in SAMPLES for template in mail_of(name).templates} == TEMPLATES
    assert {path.stem for path in MAILS.iterdir()} == set(SAMPLES)
