"""The walk finds what it is meant to find, in each kind of place; the replay's test uses it (test_replay.py)."""

from __future__ import annotations

import io
import json
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest
import xlsxwriter
from sqlalchemy import Engine, text

from tests.e2e.nothing_in_clear import Sought, Walker, sought_in, walk_installation
from tests.packages import (
    ACCOUNT,
    JUNE,
    OTHER_RESIDENT_ID,
    PHONE,
    RESIDENT_ID,
    package,
    put,
    sound,
)

CODE = "92350100MA31Y8HK4X"
NAME = "欧阳大文"
SOUGHT = Sought({RESIDENT_ID, OTHER_RESIDENT_ID, PHONE, ACCOUNT, CODE}, {NAME})


def book(*cells: str) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for number, cell in enumerate(cells):
            sheet.write_string(number, 0, cell)
        bold = workbook.add_format({"bold": True})
        sheet.write_rich_string("C1", PHONE[:4], bold, PHONE[4:])
    return content.getvalue()


def mail(attachment: bytes | None = None, body: str = "") -> bytes:
    message = EmailMessage()
    message["Subject"] = "回执"
    message.set_content("您好\n", charset="utf-8", cte="base64")
    message.add_alternative(f"<p>{body or '您好'}</p>", subtype="html", charset="utf-8", cte="quoted-printable")
    if attachment is not None:
        message.add_attachment(attachment, maintype="application", subtype="octet-stream", filename="问题清单.xlsx")
    return message.as_bytes()


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/x.bin", content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("task.log", f"error: bad value '{RESIDENT_ID}'".encode()),
        ("task.log", json.dumps({"event": f"name {NAME}"}).encode()),
        ("task.log", f"x{OTHER_RESIDENT_ID.lower()},".encode()),
        ("page.html", f"<td>{PHONE[:3]}-{PHONE[3:7]}-{PHONE[7:]}</td>".encode()),
        ("page.html", f"<td>{PHONE[:3]}<b>{PHONE[3:]}</b></td>".encode()),
        ("page.html", "".join(f"&#{ord(each)};" for each in ACCOUNT).encode()),
        ("list.csv", f"'{ACCOUNT},1".encode("gb18030")),
        ("list.csv", f"借款人,{NAME}".encode("gb18030")),
        ("wide.txt", "".join(chr(ord(each) + 0xFEE0) for each in PHONE).encode()),
        ("wide.txt", f"统一社会信用代码 {CODE}".encode()),
        ("findings-v1.xlsx", book("", RESIDENT_ID)),
        ("findings-v1.xlsx", book("x")),
        ("1.eml", mail(body=f"证件 {RESIDENT_ID}")),
        ("1.eml", mail(book(NAME))),
        ("1.eml", mail(zipped(zipped(PHONE.encode())))),
        (f"{PHONE}.txt", b""),
        ("warehouse/data/log", f"DETAIL: Key (id)=({RESIDENT_ID})".encode()),
    ],
)
def test_a_planted_value_is_found_in_files(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if path.name == "log":
        (path.parent / "PG_VERSION").write_text("18")
    walk = walk_installation(SOUGHT, [], tmp_path)
    assert [leak for leak in walk.leaks if path.name in leak.place] != []


def test_what_may_stand_is_not_found(tmp_path: Path) -> None:
    masked = "4417**********0017 ****0123 138****5678 欧* 2019-06-30 10:00:00.000000 120,000.00 贷款经理欧阳大文化"
    (tmp_path / "receipt.html").write_text(masked)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "loans.csv").write_text(RESIDENT_ID)
    assert walk_installation(SOUGHT, [], tmp_path, tmp_path / "inbox").leaks == []


def test_a_planted_value_is_found_in_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("create schema airflow_like"))
        connection.execute(text("create table airflow_like.xcom (value jsonb, content bytea, at timestamptz)"))
        for value, content in ((RESIDENT_ID, b""), ("x", book(ACCOUNT)), (NAME, b"")):
            connection.execute(
                text("insert into airflow_like.xcom values (cast(:value as jsonb), :content, now())"),
                {"value": json.dumps({"return_value": [value]}), "content": content},
            )
    walker = Walker(SOUGHT)
    walker.database(engine.url)
    assert {(leak.place.rpartition(":")[2].partition("!")[0], leak.shown) for leak in walker.walk.leaks} == {
        ("airflow_like.xcom.value", "44…17 (18)"),
        ("airflow_like.xcom.value", "欧… (name)"),
        ("airflow_like.xcom.content", "62…23 (19)"),
        ("airflow_like.xcom.content", "13…78 (11)"),
    }
    assert walker.walk.looked_at["table"] > 30


def test_what_is_sought_comes_from_the_packages(tmp_path: Path) -> None:
    loans = [sound("loans"), sound("loans", contract_no="HT-2", borrower_name="王五")]
    put(tmp_path / str(JUNE) / "B01" / "v1", package(loans=loans, grid=[sound("grid", hotline=PHONE, head="王五")]))
    sought = sought_in(tmp_path)
    assert sought.numbers == {RESIDENT_ID, ACCOUNT, PHONE, "06621234567"}
    assert sought.names == {"陈大文", "王五"}
    # The hotline and the staff name are delivered to be shown.
    left = sought.without_public()
    assert left.numbers == {RESIDENT_ID, ACCOUNT, "06621234567"}
    assert left.names == {"陈大文"}
