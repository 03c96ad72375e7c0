"""Sensitive values where none belong: nothing that is kept or sent shows them (docs/reports.md#sensitive-columns)."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from five_precisions.collection import close, collect
from five_precisions.intake.findings import shown_key, shown_key_part
from five_precisions.intake.package import DeliveredFile, mask_file_names
from five_precisions.intake.reading.files import UnreadableFileError, read_file
from five_precisions.intake.reading.sheet import Limits
from five_precisions.intake.ruleset import Ruleset
from five_precisions.reports import load_reports
from five_precisions.settings import Settings
from tests.packages import (
    JUNE,
    Cells,
    cover_file,
    cover_line,
    csv_bytes,
    declared,
    package,
    put,
    sound,
    table,
    workbook,
)

ID = "441702198507152316"
ID_IN_GROUPS = "4417 0219 8507 1523 16"
MOBILE = "13987654321"
MOBILE_IN_GROUPS = "139-8765-4321"
ACCOUNT = "6217003110028765432"
ACCOUNT_IN_GROUPS = "6217\u00a00031\u00a01002\u00a08765\u00a0432"
SECRETS = (ID, ID_IN_GROUPS, MOBILE, MOBILE_IN_GROUPS, ACCOUNT, ACCOUNT_IN_GROUPS)
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
EVERYTHING = [*SECRETS, *(secret.translate(WIDE) for secret in SECRETS)]


def delivery_of_the_bank() -> list[DeliveredFile]:
    visits = [
        sound("visits", officer=f"李{MOBILE}", cadre=MOBILE.translate(WIDE)),
        sound("visits", household_no="H-2", officer=MOBILE_IN_GROUPS, wanted_amount=""),
    ]
    outreach = [
        sound("outreach", village=f"那蓬{MOBILE}"),
        sound("outreach", village=f"那蓬{ID_IN_GROUPS}", kind="媒体"),
        sound("outreach", village=ID.translate(WIDE), kind="资料发放"),
    ]
    grid = [
        sound("grid", village=MOBILE, head=f"王{MOBILE}", resident_cadre=ID, outlet_name=MOBILE_IN_GROUPS, hotline="")
    ]
    matches = [sound("matches", reason=f"{MOBILE}或{ACCOUNT_IN_GROUPS}，户主{ID}")]
    loans = [sound("loans", purpose=ID), sound("loans", contract_no=ID, household_no=ACCOUNT, project_no=ACCOUNT)]
    reports = {"loans": loans, "visits": visits, "outreach": outreach, "grid": grid, "matches": matches}
    lines = [cover_line(report, rows) for report, rows in reports.items()]
    lines[0][4:] = [f"李{ID}", MOBILE]
    more = table("loans", loans)
    more = [[*row, *extra] for row, extra in zip(more, ([f"备注{ID}", "账号"], [ID, ACCOUNT], ["", ""]), strict=True)]
    said = [
        ["grid", "G01", f"W1/441702100/{MOBILE}", f"电话{MOBILE} {ID_IN_GROUPS}"],
        ["visits", "V03", "H-9/2019-06-01", ACCOUNT_IN_GROUPS],
        ["loans", "L10", ID, ID],
        ["loans", ID, "HT-1", ID],
        [ID, "", "", ""],
    ]
    titled = [[f"联系人{ID}"], [MOBILE_IN_GROUPS], *table("outreach", outreach)]
    return [
        cover_file(*lines),
        DeliveredFile("loans.csv", csv_bytes(more)),
        DeliveredFile("explanations.csv", csv_bytes([["报表", "规则", "主键", "说明"], *said])),
        DeliveredFile(f"走访{ID}.xlsx", workbook(visits=table("visits", visits), **{f"表{MOBILE}": [[ACCOUNT]]})),
        DeliveredFile(
            f"其他{MOBILE_IN_GROUPS}.xlsx",
            workbook(outreach=titled, grid=table("grid", grid), matches=table("matches", matches)),
        ),
        DeliveredFile(f"{ID_IN_GROUPS}.csv", b"x,y\r\n1,2\r\n"),
        DeliveredFile(f"{ACCOUNT}.docx", b"no table"),
        DeliveredFile(f"{ACCOUNT}.dat", b"no table"),
    ]


def delivery_of(report: str, *rows: Cells) -> list[DeliveredFile]:
    return package(**{report: rows})


def texts_of(path: Path) -> Iterator[str]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            yield from (packed.read(member).decode("utf-8", "ignore") for member in packed.namelist())
    else:
        yield path.read_bytes().decode("utf-8", "ignore")


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (f"以上借款人{ID}已还清", f"以上借款人{ID[:4]}**********{ID[-4:]}已还清"),
        (f"以上由客户经理{MOBILE}核实", f"以上由客户经理{MOBILE[:1]}**********核实"),
        (f"HT{ID}-1", f"HT{ID[:4]}**********{ID[-4:]}-1"),
        ("HT20190331120000001", "HT20190331120000001"),
    ],
)
def test_a_key_shows_no_id_whatever_stands_around_it(key: str, shown: str) -> None:
    assert shown_key_part(key, load_reports()["loans"].column("contract_no")) == shown


def test_nothing_kept_or_sent_shows_them(
    engine: Engine,
    settings: Settings,
    inbox: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    put(inbox / "B01", delivery_of_the_bank())
    household = sound("households", village=f"那蓬{MOBILE}")
    project = sound("projects", name=f"项目{MOBILE}", operator=f"法人{ID}", operator_id=ID)
    put(inbox / "C01", package(households=[household], projects=[project]))
    finding = sound("inspections", finding=f"户主{ID}账户{ACCOUNT_IN_GROUPS}", remedy=f"电话{MOBILE_IN_GROUPS}")
    put(inbox / "Z01", package(inspections=[finding], league=[sound("league", city=f"市{MOBILE}")]))
    judgements = collect(engine, settings, JUNE, replay=True)
    close(engine, settings, JUNE, replay=True)
    rules = {finding.rule for judgement in judgements for finding in judgement.findings}
    assert rules >= {"F01", "F05", "F07", "F14", "G01", "L02", "T04", "V03"}
    accepted = {report.report for each in judgements for report in each.reports if report.verdict == "accepted"}
    assert accepted >= {"visits", "outreach", "grid", "matches", "households", "projects", "inspections", "league"}

    kept: dict[str, str] = {"log": caplog.text, "printed": "".join(capsys.readouterr())}
    with engine.connect() as connection:
        tables = connection.execute(
            text("select table_schema, table_name from information_schema.tables where table_schema !~ '^(pg_|info)'")
        ).all()
        for schema, name in tables:
            rows = connection.execute(text(f'select * from "{schema}"."{name}"')).all()
            kept[f"{schema}.{name}"] = "\n".join(map(str, rows))
    for path in Path(settings.outbox_address).rglob("*"):
        if path.is_file():
            kept[str(path.relative_to(settings.outbox_address))] = "\n".join((path.name, *texts_of(path)))
    assert "那蓬1**********" in kept["core.outreach"]
    assert "4417**********2316" in kept["intake.finding"]
    assert any(name.endswith("findings-v1.xlsx") for name in kept)
    assert any(name.endswith("receipt-v1.html") for name in kept)
    assert "notify.message" in kept
    shown = [(name, secret) for name, content in kept.items() for secret in EVERYTHING if secret in content]
    # What joins rows is kept as it stands, or nothing would join: here the account given as a household and a project.
    assert [each for each in shown if each[1] != ACCOUNT] == []


def test_a_code_is_shown_as_it_stands_unless_it_is_an_id() -> None:
    contract = declared("loans").column("contract_no")
    for code in ("441702201906300013", "20190630000000012", "HT-13812345678", "１３９８７６５４３２１"):
        assert shown_key_part(code, contract) == code
    assert shown_key_part(ID, contract) == "4417**********2316"
    assert shown_key_part(f"{ID[:17]}x", contract) == "4417**********231x"


@pytest.mark.parametrize(
    ("report", "key", "shown"),
    [
        ("loans", "HT/2019/20190630000001", "HT/2019/20190630000001"),
        ("loans", ID, "4417**********2316"),
        ("visits", f"{ID}/2019-06-01", "4417**********2316/2019-06-01"),
        ("visits", "H/1/2019-06-01", "H/1/2019-06-01"),
        ("grid", f"20190630000001/441702100/村{MOBILE}", "20190630000001/441702100/村1**********"),
        ("grid", f"W1/441702100/村{MOBILE}/东", "W1/441702100/村1**********/东"),
        ("grid", "", ""),
    ],
)
def test_a_key_that_is_written_is_shown_as_a_finding_shows_it(report: str, key: str, shown: str) -> None:
    assert shown_key(key, declared(report)) == shown


def test_files_keep_apart_under_names_that_may_be_shown() -> None:
    names = ["loans.csv", f"走访{ID}.xlsx", "走访441702199007152316.xlsx", "\udcff.csv", "\udcfe.csv", "\ufffd(2).csv"]
    renamed = mask_file_names([DeliveredFile(name, name.encode("utf-8", "replace")) for name in names])
    assert [file.name for file in renamed] == [
        "loans.csv",
        "走访4417**********2316.xlsx",
        "走访4417**********2316(2).xlsx",
        "\ufffd.csv",
        "\ufffd(2).csv",
        "\ufffd(2)(2).csv",
    ]
    assert [file.content for file in renamed] == [name.encode("utf-8", "replace") for name in names]


def test_two_names_that_cannot_be_stored_do_not_stop_a_delivery(
    engine: Engine, settings: Settings, inbox: Path
) -> None:
    folder = inbox / "B01"
    put(folder, package(grid=[sound("grid")]))
    for name in ("\udcff.csv", "\udcfe.csv"):
        (folder / name).write_bytes(b"x\r\n")
    (judgement,) = collect(engine, settings, JUNE, institution="B01", replay=True)
    assert judgement.verdict == "accepted"


def test_a_file_that_does_not_open_does_not_say_what_its_sheet_is_called(ruleset: Ruleset) -> None:
    content = workbook(**{ID: [["x"], ["y"], ["z"]]})
    with pytest.raises(UnreadableFileError, match="工作表“4417") as caught:
        read_file("a.xlsx", content, known_headers=(), limits=Limits(rows=2))
    assert ID not in str(caught.value)
