"""Receipts and notices on a telephone: whatever a bank has delivered, nobody has to scroll sideways.

See docs/intake.md#the-receipt.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine, text

from five_precisions.bulletin.fonts import SANS, font_folder
from five_precisions.collection import collect
from five_precisions.intake.inbox import Inbox
from five_precisions.intake.ledger import save_cross_checks
from five_precisions.intake.package import DeliveredFile
from five_precisions.period import SHANGHAI
from five_precisions.receipts import post_failed_check_notice, post_missing_cover_notice
from five_precisions.receipts.receipt_wording import Medium, render_cross_receipt, render_receipt
from five_precisions.receipts.receipts import read_cross_receipts, read_receipt
from five_precisions.register import read_register
from five_precisions.reports.level import Level
from five_precisions.settings import Settings
from five_precisions.warehouse import read_clock
from tests.packages import JUNE, cover_file, cover_line, put, report_file, sound, table, workbook
from tests.receipts.test_receipts import cross_finding

pytestmark = pytest.mark.integration

PHONE = {"width": 390, "height": 844}
"""A common telephone, in CSS pixels."""
IN_TIME = datetime(2019, 7, 8, 10, 15, tzinfo=SHANGHAI)
LONG = "HTRY20190615ANLONGNAMEWITHOUTAPLACETOBREAK" * 2
LONG_NAME = f"{LONG}_v2_final"
LONG_FILE = f"{LONG_NAME}.xlsx"
FONT_FILE = font_folder() / "NotoSansCJKsc-Regular.otf"
STYLE = f"<style>@font-face {{ font-family: '{SANS}'; src: url('{FONT_FILE.as_uri()}') }}</style>"

SEEN_PAST_THE_EDGE = """
() => [...document.querySelectorAll("body *")]
    .filter(each => each.getBoundingClientRect().right > window.innerWidth + 1)
    .map(each => `${each.tagName} ${each.textContent.trim().slice(0, 40)}`)
"""


@pytest.fixture(scope="module")
def phone(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport=PHONE, locale="zh-CN")
    yield context.new_page()
    context.close()


@pytest.fixture
def delivered(register_saved_engine: Engine, settings: Settings) -> Engine:
    """B01 has delivered long names, long values and everything wrong; B02 files without a cover."""
    loans = [
        sound("loans", contract_no=f"{LONG[:50]}{number}", category=LONG, balance="60000", issued_on="没有日期")
        for number in range(5)
    ]
    loans += [sound("loans", contract_no="HT-9", principal="9" * 12, balance="9" * 12, payee_account="", purpose=LONG)]
    position, grid = [sound("position", all_loans="123456789.25")], [sound("grid", outlet_code=LONG[:20])]
    sheets = workbook(position=table("position", position), grid=table("grid", grid))
    inbox = Path(settings.inbox_address) / str(JUNE)
    put(
        inbox / "B01",
        [
            cover_file(cover_line("loans", loans), cover_line("position", position), cover_line("grid", grid)),
            report_file("loans", loans),
            DeliveredFile(LONG_FILE, sheets),
            DeliveredFile(f"{LONG_NAME}.docx", b"no spreadsheet"),
            DeliveredFile(f"{'附表各银行业金融机构主要指标完成情况一览表' * 3}.csv", "一,二\n三,四\n".encode()),
        ],
        IN_TIME,
    )
    put(inbox / "B02", [report_file("grid", grid), DeliveredFile(f"{LONG_NAME}.csv", b"a,b\n1,2\n")], IN_TIME)
    collect(register_saved_engine, settings, JUNE, institution="B01", replay=True)
    return register_saved_engine


def assert_fits(page: Page, folder: Path, html: str, *words: str) -> None:
    """Hold a page against the width of the telephone, set in a real Chinese font: a machine may have none."""
    file = folder / "page.html"
    file.write_text(html.replace("</head>", f"{STYLE}</head>"), encoding="utf-8")
    page.goto(file.as_uri())
    page.wait_for_function(f"document.fonts.check('15px \"{SANS}\"')")
    shown = page.inner_text("body")
    for each in words:
        assert each in shown
    assert page.evaluate(SEEN_PAST_THE_EDGE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("medium", Medium)
def test_a_receipt_fits(delivered: Engine, phone: Page, tmp_path: Path, medium: Medium) -> None:
    with delivered.connect() as connection:
        receipt = read_receipt(connection, "2019-06-B01-1")
    assert len(receipt.groups) > 3
    html = render_receipt(receipt, medium, is_demo=True)
    assert_fits(phone, tmp_path, html, f"{LONG_NAME}.docx", receipt.files[0].sha256, LONG[:50], "金融精准扶贫贷款台账")


@pytest.mark.parametrize("medium", Medium)
@pytest.mark.parametrize("edition", ["x1", "close"])
def test_a_receipt_of_a_check_across_reports_fits(
    delivered: Engine, phone: Page, tmp_path: Path, medium: Medium, edition: str
) -> None:
    findings = [
        cross_finding(report="grid", key=f"{LONG[:50]}{number}", value=LONG, file=LONG_FILE, row_number=number)
        for number in range(2, 7)
    ]
    findings += [cross_finding(report="position", rule="X05", explanation=LONG)]
    findings += [cross_finding(report="grid", rule="X10", level=Level.NOTICE)]
    with delivered.begin() as connection:
        checks = {("B01", edition): findings}
        [number] = save_cross_checks(connection, JUNE, checks, read_clock(connection))
        receipt = read_cross_receipts(connection, [number])[number]
    assert receipt.sources
    html = render_cross_receipt(receipt, medium, is_demo=True)
    assert_fits(phone, tmp_path, html, LONG_FILE, LONG[:50])


def test_notices_of_files_that_are_not_judged_fit(
    delivered: Engine, settings: Settings, phone: Page, tmp_path: Path
) -> None:
    [delivery] = Inbox.of(settings).deliveries(JUNE, "B02", replay=False)
    with delivered.begin() as connection:
        register = read_register(connection)
        institution = register.institution("B02")
        assert institution is not None
        failed = post_failed_check_notice(connection, settings, register, JUNE, institution, delivery, IN_TIME)
        post_missing_cover_notice(connection, settings, register, JUNE, institution, delivery, [])
        told = "select html from notify.message where message_key like 'reminder/2019-06/B02/%/coverless-%'"
        coverless = connection.execute(text(told)).scalar_one()
    for html in (failed, coverless):
        assert_fits(phone, tmp_path, html, f"{LONG_NAME}.csv")
