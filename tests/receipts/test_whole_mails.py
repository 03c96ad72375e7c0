"""The mails of receipts and reminders, whole: as kept in files, and fit for plain clients.

See docs/intake.md#the-receipt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection, Engine, text

from five_precisions.collection import collect
from five_precisions.intake.inbox import Inbox
from five_precisions.intake.ledger import save_cross_checks
from five_precisions.period import SHANGHAI
from five_precisions.receipts import post_failed_check_notice, post_reminders
from five_precisions.receipts.receipt_wording import (
    Medium,
    render_cross_receipt,
    render_receipt,
    resent_subject,
)
from five_precisions.receipts.receipts import read_cross_receipts, read_receipt
from five_precisions.register import load_register, read_register, save_register
from five_precisions.reports.level import Level
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from tests.conftest import SECRET, fresh_database
from tests.mails import (
    Mail,
    assert_made_for_plain_clients,
    assert_mail_as_stored,
    assert_reads_as_text,
    rendered_from,
)
from tests.packages import JUNE, OTHER_RESIDENT_ID, package, put, report_file, sound, sound_package
from tests.receipts.test_receipts import BAD_LOAN, IN_TIME, LATE, cross_finding

MAILS: Final = Path(__file__).parent / "mails"
TEMPLATES: Final = frozenset(
    {"failed-check.html", "missing-cover.html", "cross-receipt.html", "receipt.html", "reminder.html"}
)
NAMES: Final = (
    "receipt-accepted",
    "receipt-partial",
    "receipt-rejected",
    "receipt-again",
    "cross-receipt",
    "cross-receipt-close",
    "missing-cover",
    "failed-check",
    "reminder-before",
    "reminder-after",
)
_POSTED = text("select subject, html from notify.message where message_key like :key")


@pytest.fixture(scope="module")
def mails(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Mail]]:
    """The mails of one June: what B01 to B06 delivered, what was found, of what they were reminded."""
    with fresh_database(server_url) as address:
        settings = Settings(
            _env_file=None,
            var=tmp_path_factory.mktemp("mails"),
            warehouse=address,
            pii_key=SECRET,
            archive_key=SECRET,
        )
        with open_warehouse(settings) as engine:
            with engine.begin() as connection:
                save_register(connection, load_register(settings.register_folder))
            yield dict(_june(engine, settings))


def _june(engine: Engine, settings: Settings) -> Iterator[tuple[str, Mail]]:
    inbox = Path(settings.inbox_address) / str(JUNE)
    everything = {report: [sound(report)] for report in ("loans", "position", "grid")}
    put(inbox / "B01", package(**everything, visits=[], outreach=[], matches=[]), IN_TIME)
    put(
        inbox / "B02",
        package(
            loans=[
                sound("loans"),
                *(BAD_LOAN | {"contract_no": f"HT-{number}"} for number in range(7, 10)),
                sound("loans", contract_no="HT-10", issued_on="没有日期"),
            ],
            grid=[sound("grid"), sound("grid", outlet_code="W2", hotline="12")],
        ),
        LATE,
    )
    put(
        inbox / "B03",
        package(
            loans=[sound("loans", category="没有的类别", borrower_name="<b>陈&amp;</b>", borrower_id=OTHER_RESIDENT_ID)]
        ),
        IN_TIME,
    )
    with rendered_from() as used:
        collect(engine, settings, JUNE, replay=True)
        # One look takes all three in; each has its mail.
        receipts = {name: _posted(engine, f"receipt/2019-06/{code}/%") for name, code in _RECEIPTS.items()}
    for name, (subject, html) in receipts.items():
        yield name, Mail(subject, html, frozenset(used))
    with engine.connect() as connection, rendered_from() as used:
        again = _again(connection)
    yield "receipt-again", Mail(*again, frozenset(used))

    warning = cross_finding()
    explained = cross_finding(rule="X05", explanation="由其子代为办理", row_number=None)
    notice = cross_finding(rule="X10", level=Level.NOTICE, report=None, file=None, row_number=None)
    for name, edition, checked_at in (
        ("cross-receipt", "x1", IN_TIME + timedelta(hours=1)),
        ("cross-receipt-close", "close", LATE),
    ):
        with engine.begin() as connection, rendered_from() as used:
            checks = {("B01", edition): [warning, explained, notice]}
            [number] = save_cross_checks(connection, JUNE, checks, checked_at)
            # It is never before what was recorded, and that was today.
            receipt = replace(read_cross_receipts(connection, [number])[number], checked_at=checked_at)
            html = render_cross_receipt(receipt, Medium.MAIL, is_demo=True)
        yield name, Mail(receipt.subject, html, frozenset(used))

    put(inbox / "B04", [report_file("grid", [sound("grid")]), report_file("visits", [sound("visits")])], IN_TIME)
    with rendered_from() as used:
        collect(engine, settings, JUNE, institution="B04")
        missing_cover = _posted(engine, "reminder/2019-06/B04/%")
    yield "missing-cover", Mail(*missing_cover, frozenset(used))

    with rendered_from() as used:
        failed_check = _failed_check(engine, settings)
    yield "failed-check", Mail(*failed_check, frozenset(used))

    for name, day, stage in (("reminder-before", 9, "before-1"), ("reminder-after", 11, "after-1")):
        with rendered_from() as used:
            post_reminders(engine, settings, now=datetime(2019, 7, day, 9, tzinfo=SHANGHAI))
            told = _posted(engine, f"reminder/2019-06/B02/%/{stage}-2019-07-10")
        yield name, Mail(*told, frozenset(used))


_RECEIPTS: Final = {"receipt-accepted": "B01", "receipt-partial": "B02", "receipt-rejected": "B03"}


def _posted(engine: Engine, key: str) -> tuple[str, str]:
    with engine.connect() as connection:
        subject, html = connection.execute(_POSTED, {"key": key}).one()
    return subject, html


def _failed_check(engine: Engine, settings: Settings) -> tuple[str, str]:
    """B05's files, as they were seen when they were delivered."""
    put(Path(settings.inbox_address) / str(JUNE) / "B05", sound_package("grid", "visits"), IN_TIME)
    [delivery] = Inbox.of(settings).deliveries(JUNE, "B05", replay=False)
    with engine.begin() as connection:
        register = read_register(connection)
        institution = register.institution("B05")
        assert institution is not None
        post_failed_check_notice(connection, settings, register, JUNE, institution, delivery, IN_TIME)
    return _posted(engine, "receipt/2019-06/B05/%")


def _again(connection: Connection) -> tuple[str, str]:
    """B03 lays the rejected files down once more, two hours later."""
    receipt = replace(read_receipt(connection, "2019-06-B03-1"), newest_version=2)
    html = render_receipt(receipt, Medium.MAIL, is_demo=True, again_at=IN_TIME + timedelta(hours=2))
    return resent_subject(receipt), html


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_is_as_stored(mails: dict[str, Mail], name: str) -> None:
    assert_mail_as_stored(MAILS, name, mails[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_is_made_for_plain_clients(mails: dict[str, Mail], name: str) -> None:
    assert_made_for_plain_clients(mails[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_reads_as_text(mails: dict[str, Mail], name: str) -> None:
    assert_reads_as_text(mails[name])


def test_each_template_has_its_samples_and_each_stored_mail_too(mails: dict[str, Mail]) -> None:
    assert all(len(mail.templates) == 1 for mail in mails.values())
    assert {template for mail in mails.values() for template in mail.templates} == TEMPLATES
    assert set(mails) == set(NAMES) == {path.stem for path in MAILS.iterdir()}
