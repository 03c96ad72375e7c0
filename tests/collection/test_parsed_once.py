"""A judged file is parsed once, and workbooks are made while the period is not locked (docs/intake.md#the-receipt)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Engine

from five_precisions.collection import close, collect
from five_precisions.collection import closing as closing_module
from five_precisions.collection import deliveries as deliveries_module
from five_precisions.intake import package_sheets
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.reading.cover import COVER_HEADERS
from five_precisions.receipts import receipt_workbooks
from five_precisions.receipts.receipt_files import write_receipts
from five_precisions.settings import Settings
from five_precisions.warehouse.locks import Lock, try_to_hold
from tests.intake.test_checks import City, resident_id
from tests.packages import JUNE, cover_line, package, put, sound, sound_package, table, workbook
from tests.rows import rows

BAD_LOANS = [sound("loans", balance="60000"), sound("loans", contract_no="HT-002")]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were parsed, in the order in which that was done."""
    names: list[str] = []
    read = package_sheets.read_file

    def noted(name: str, *arguments: Any, **options: Any) -> Any:
        names.append(name)
        return read(name, *arguments, **options)

    monkeypatch.setattr(package_sheets, "read_file", noted)
    monkeypatch.setattr(receipt_workbooks, "read_file", noted)
    return names


def test_a_judged_file_is_parsed_once(engine: Engine, settings: Settings, inbox: Path, parsed: list[str]) -> None:
    """Its workbook shows the sheets that were judged, with the same bytes as read back from the archive."""
    sheets = {"报送说明": [COVER_HEADERS, cover_line("loans", BAD_LOANS)], "loans": table("loans", BAD_LOANS)}
    put(inbox / "B01", [DeliveredFile("月报.xlsx", workbook(**sheets)), *sound_package("grid")[1:]])
    collect(engine, settings, JUNE, institution="B01")
    assert sorted(parsed) == ["grid.csv", "月报.xlsx"]
    outbox = Path(settings.outbox_address) / "2019-06" / "B01"
    made = (outbox / "findings-v1.xlsx").read_bytes()
    assert openpyxl.load_workbook(BytesIO(made)).sheetnames == ["问题清单", "grid.csv", "报送说明", "loans"]
    for file in outbox.iterdir():
        file.unlink()
    write_receipts(engine, settings, {"2019-06-B01-1": None})
    assert len(parsed) == 4, "a receipt that is written again reads the archive"
    assert (outbox / "findings-v1.xlsx").read_bytes() == made


def test_a_replay_of_many_at_once_parses_each_file_once(
    engine: Engine, settings: Settings, inbox: Path, parsed: list[str]
) -> None:
    """Each task of a month needs the offices of earlier codes on record (K02), and all tasks begin together."""
    offices = ("C03", "C02", "C01")
    for office in offices:
        put(inbox / office, sound_package("households"))

    def replay(office: str) -> str:
        [judgement] = collect(engine, settings, JUNE, institution=office, replay=True)
        return str(judgement.submission_id)

    with ThreadPoolExecutor() as threads:
        receipts = list(threads.map(replay, offices))
    assert receipts == [f"2019-06-{office}-1" for office in offices]
    assert rows(engine, "select submission_id, verdict from intake.submission order by submission_id") == [
        ("2019-06-C01-1", "accepted"),
        ("2019-06-C02-1", "rejected"),
        ("2019-06-C03-1", "rejected"),
    ]
    assert len(parsed) == len(offices) * len(sound_package("households"))


def test_a_replay_of_the_last_records_those_before_it_in_their_order(
    engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[str] = []
    record = deliveries_module.record

    def noted(connection: Any, submission: Any, *arguments: Any) -> Any:
        recorded.append(submission.institution_code)
        return record(connection, submission, *arguments)

    monkeypatch.setattr(deliveries_module, "record", noted)
    offices = ["C01", "C02", "C03", "C04"]
    for office in offices:
        put(inbox / office, sound_package("households"))
    collect(engine, settings, JUNE, institution="C04", replay=True)
    assert list(dict.fromkeys(recorded)) == offices
    verdicts = "select institution_code from intake.submission where verdict = 'accepted'"
    assert rows(engine, verdicts) == [("C01",)]


@pytest.fixture
def free_while_rendered(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each workbook that is made of a judged package: whether another connection could lock the period."""
    free: list[bool] = []
    render = deliveries_module.render_receipt_workbook

    def noted(*arguments: Any, **options: Any) -> Any:
        free.append(can_be_locked(engine))
        return render(*arguments, **options)

    monkeypatch.setattr(deliveries_module, "render_receipt_workbook", noted)
    return free


def can_be_locked(engine: Engine) -> bool:
    with engine.connect() as connection:
        return try_to_hold(connection, Lock.PERIOD, JUNE)


def test_the_workbook_is_made_before_the_period_is_locked(
    engine: Engine,
    settings: Settings,
    inbox: Path,
    free_while_rendered: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free_while_posted: list[bool] = []
    post = deliveries_module.post_receipt

    def noted(*arguments: Any) -> None:
        free_while_posted.append(can_be_locked(engine))
        post(*arguments)

    monkeypatch.setattr(deliveries_module, "post_receipt", noted)
    put(inbox / "B01", package(loans=BAD_LOANS))
    collect(engine, settings, JUNE, institution="B01")
    assert free_while_rendered == [True]
    assert free_while_posted == [False], "what is looked at here is the lock that the recording takes"


def test_what_others_record_meanwhile_is_in_the_workbook(
    engine: Engine,
    settings: Settings,
    inbox: Path,
    free_while_rendered: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another office's register with the same household comes in while the workbook is made (K02)."""
    put(inbox / "C01", sound_package("households"))
    put(inbox / "C02", sound_package("households"))
    render = deliveries_module.render_receipt_workbook
    others: list[str] = []

    def overtaken(*arguments: Any, **options: Any) -> Any:
        if not others:
            others.append("about to")
            others[:] = [str(each.verdict) for each in collect(engine, settings, JUNE, institution="C01")]
        return render(*arguments, **options)

    monkeypatch.setattr(deliveries_module, "render_receipt_workbook", overtaken)
    [judgement] = collect(engine, settings, JUNE, institution="C02")
    assert (others, str(judgement.verdict)) == (["accepted"], "rejected")
    assert free_while_rendered == [True, True, True]
    assert rows(engine, "select submission_id, rule from intake.finding") == [("2019-06-C02-1", "K02")]
    assert rows(engine, "select submission_id from core.delivered_households") == [("2019-06-C01-1",)]
    [(attached,)] = rows(engine, "select count(*) from notify.attachment")
    assert attached == 1
    made = openpyxl.load_workbook(Path(settings.outbox_address) / "2019-06" / "C02" / "findings-v1.xlsx")
    assert [row[2].value for row in made["问题清单"].iter_rows(min_row=2)] == ["K02"]


BANKS = [f"B{number:02}" for number in range(1, 4)]


@pytest.fixture
def free_while_others_rendered(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each workbook of a cross check: whether another connection could lock the period."""
    free: list[bool] = []
    render = receipt_workbooks._render_cross_workbook

    def noted(*arguments: Any) -> Any:
        free.append(can_be_locked(engine))
        return render(*arguments)

    monkeypatch.setattr(receipt_workbooks, "_render_cross_workbook", noted)
    return free


@pytest.fixture
def without_register(engine: Engine, settings: Settings, inbox: Path) -> list[str]:
    """Banks that have lent to a household which stands on no register; every office is in but one."""
    for code in BANKS:
        loan = sound("loans", contract_no=f"{code}-1", borrower_kind="农户", household_no="H-nowhere")
        put(inbox / code, package(loans=[loan]))
    collect(engine, settings, JUNE, replay=True)
    return BANKS


def test_a_close_makes_workbooks_while_the_month_is_not_locked(
    engine: Engine,
    settings: Settings,
    inbox: Path,
    without_register: list[str],
    free_while_others_rendered: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The rules across reports are asked once all the same: nothing was recorded in between."""
    put(inbox / "C01", sound_package("households"))
    collect(engine, settings, JUNE, institution="C01", replay=True)
    asked: list[str] = []
    ask = closing_module.standing_findings

    def noted(*arguments: Any, **options: Any) -> Any:
        asked.append("asked")
        return ask(*arguments, **options)

    monkeypatch.setattr(closing_module, "standing_findings", noted)
    closed = close(engine, settings, JUNE, replay=True)
    assert closed.is_new
    assert {f"2019-06-{code}-close" for code in without_register} <= set(closed.cross_checks)
    assert free_while_others_rendered == [True] * len(closed.cross_checks)
    assert asked == ["asked"]


def test_what_is_recorded_while_a_close_makes_workbooks_is_frozen_and_told(
    engine: Engine, settings: Settings, inbox: Path, without_register: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bank names another household meanwhile: its workbook and its version are the new ones."""
    put(inbox / "C01", sound_package("households"))
    collect(engine, settings, JUNE, institution="C01", replay=True)
    render = receipt_workbooks._render_cross_workbook
    made: list[str] = []

    def overtaken(given: Settings, found: Any) -> Any:
        if not made:
            loan = sound("loans", contract_no="B01-1", borrower_kind="农户", household_no="H-elsewhere")
            put(inbox / "B01" / "v2", package(loans=[loan]))
            collect(engine, settings, JUNE, institution="B01", replay=True)
        made.append(found.number)
        return render(given, found)

    monkeypatch.setattr(receipt_workbooks, "_render_cross_workbook", overtaken)
    closed = close(engine, settings, JUNE, replay=True)
    assert made.count("2019-06-B01-close") == 2
    assert rows(engine, "select submission_id from intake.frozen_report where institution_code = 'B01'") == [
        ("2019-06-B01-2",)
    ]
    told = "select key, value from intake.finding where submission_id = '2019-06-B01-close' and rule = 'X04'"
    assert [value for _, value in rows(engine, told)] == ["H-elsewhere"]
    for number in closed.cross_checks:
        path = Path(settings.outbox_address) / "2019-06" / number.split("-")[2] / "findings-close.xlsx"
        before = path.read_bytes()
        path.unlink()
        write_receipts(engine, settings, {number: None})
        assert path.read_bytes() == before


def test_a_delivery_makes_workbooks_of_others_while_the_period_is_not_locked(
    engine: Engine, settings: Settings, free_while_others_rendered: list[bool]
) -> None:
    """The last office's register shows three banks' households to be on none (X04); the receipts say so once."""
    city = City(engine, settings, live=True)
    for code in BANKS:
        city.deliver(code, loans=[sound("loans", contract_no=f"{code}-1", household_no="H-nowhere")])
    for number in range(1, 5):
        free_while_others_rendered.clear()
        household = sound("households", household_no=f"H-{number}", head_id=resident_id(number))
        city.deliver(f"C{number:02}", households=[household])
    last = """
    select cross_check.institution_code, cross_check.edition
    from intake.cross_check
    inner join intake.submission on cross_check.checked_at = submission.recorded_at
    where submission.submission_id = '2019-06-C04-1'
    order by cross_check.institution_code
    """
    told = rows(engine, last)
    assert [code for code, _ in told] == BANKS
    assert free_while_others_rendered == [True, True, True]
    for code, edition in told:
        assert (Path(settings.outbox_address) / "2019-06" / code / f"findings-{edition}.xlsx").exists()


def test_findings_that_keep_changing_are_recorded_all_the_same(
    engine: Engine, settings: Settings, inbox: Path, free_while_rendered: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice it is taken back; then the workbook is made under the lock: nobody can come between any more."""
    monkeypatch.setattr(deliveries_module.Version, "has_receipt_of", lambda *_: False)
    put(inbox / "B01", package(loans=BAD_LOANS))
    [judgement] = collect(engine, settings, JUNE, institution="B01")
    assert (judgement.verdict, judgement.version) == ("rejected", 1)
    assert free_while_rendered == [True, True, True, False]
    assert rows(engine, "select count(*) from intake.submission") == [(1,)]


def test_rows_that_were_taken_back_once_are_counted_all_the_same(
    engine: Engine, settings: Settings, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uncounted, the checks of the whole month would join them as one row."""
    monkeypatch.setattr(deliveries_module.Version, "has_receipt_of", lambda *_: False)
    put(inbox / "B01", sound_package("loans"))
    collect(engine, settings, JUNE, institution="B01")
    counted = "select count(*) > 0 from pg_stats where tablename = 'delivered_loans_2019_06'"
    assert rows(engine, counted) == [(True,)]
