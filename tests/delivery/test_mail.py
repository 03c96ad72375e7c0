"""A mail as its recipient gets it, and an Apprise service other than mail (docs/outputs.md#messages)."""

from __future__ import annotations

import email
import email.policy
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.header import decode_header, make_header
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from apprise.plugins.base import NotifyBase
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.wecombot import NotifyWeComBot
from sqlalchemy import Engine

from five_precisions.delivery import Attachment, Status, dispatch, recipient_of
from five_precisions.delivery.folded_mail import fold_headers
from five_precisions.settings import Settings
from five_precisions.templates import environment
from tests.delivery.conftest import add_contacts, message, pdf, put, state, with_mail
from tests.mail_server import SENDER, MailServer

SUBJECT = "关于2019年第二季度金融精准扶贫工作情况的通报 <“附表” & 说明>"


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    content = body.get_content()
    assert isinstance(content, str)
    return content


def test_a_mail_arrives_whole(register_saved_engine: Engine, mailing: Settings, mail_server: MailServer) -> None:
    attachments = (
        pdf("2019年第二季度通报（正文）.pdf", size=1_500_000),
        Attachment(
            "附表：各银行业金融机构与各县（市、区）主要指标完成情况一览表（2019年第二季度）.xlsx",
            b"PK\x03\x04" * 125_000,
        ),
        Attachment("findings v2.csv", b"a,b\r\n"),
    )
    rows = [[f"第{number}行", "1,234.50"] for number in range(400)]
    html = (
        environment()
        .from_string(
            '{% from "mail/macros.html" import data_table, facts %}'
            '<p>各单位：</p>{{ facts([("行号", "B01")]) }}'
            '{{ data_table([("机构", False), ("余额（万元）", True)], rows) }}'
        )
        .render(rows=rows)
    )
    assert 90_000 < len(html.encode()) < 200_000
    [key] = put(register_saved_engine, message(subject=SUBJECT, html=html, attachments=attachments))
    assert dispatch(register_saved_engine, mailing).sent == 1

    [mail] = mail_server.mails()
    assert (mail["To"], mail["From"], mail["Subject"]) == ("b01@example.test", SENDER, f"[演示] {SUBJECT}")
    assert mail.get_all("X-Message-Key") == [key]
    assert mail["X-Application"] == "Five Precisions"
    assert mail["Date"].datetime.utcoffset().total_seconds() == 8 * 3600
    assert mail["Message-ID"]
    assert part(mail, "html").splitlines() == html.splitlines()
    lines = part(mail, "plain").splitlines()
    assert "机构 | 余额（万元）" in lines
    assert "行号：B01" in lines
    assert [line for line in lines if line.startswith("第")] == [" | ".join(row) for row in rows]

    received = list(mail.iter_attachments())
    assert [(file.get_filename(), file.get_content_disposition()) for file in received] == [
        (file.name, "attachment") for file in attachments
    ]
    assert [file.get_payload(decode=True) for file in received] == [file.content for file in attachments]
    assert [file.get_content_type() for file in received] == [
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "text/csv",
    ]
    # A mail client finds the disposition without decoding anything.
    [raw] = mail_server.folder.glob("*.eml")
    assert raw.read_bytes().count(b"Content-Disposition: attachment; filename=") == 3


LONG_SUBJECT = "关于2019年第二季度金融精准扶贫工作情况的通报 <“附表” & 说明>，𠮷林县报送 " * 9 + "The end"


def raw_headers(raw: bytes) -> list[bytes]:
    """The lines of every header, of the mail's parts too."""
    blocks = raw.split(b"\r\n\r\n")
    return [line for block in blocks if b": " in block for line in block.split(b"\r\n")]


def test_a_long_chinese_subject_is_folded_into_words_that_every_server_takes(
    register_saved_engine: Engine, settings: Settings, mail_server: MailServer
) -> None:
    address = f"{'岭海通商银行阳江分行普惠金融部（扶贫办）' * 3} <b01@example.test>"
    add_contacts(register_saved_engine, address)
    attachments = (pdf("附表：各银行业金融机构与各县（市、区）主要指标完成情况一览表（2019年第二季度）.pdf"),)
    html = f"<p>{'长' * 3_000}</p><p>{'long' * 1_000}</p>"
    put(register_saved_engine, message(address, subject=LONG_SUBJECT, html=html, attachments=attachments))
    assert dispatch(register_saved_engine, with_mail(settings, mail_server.url)).sent == 1

    [file] = mail_server.folder.glob("*.eml")
    raw = file.read_bytes()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\r" not in raw.replace(b"\r\n", b"")
    lines = raw_headers(raw)
    words = [word for line in lines for word in re.findall(rb"=\?[^?\s]+\?[bq]\?[^?\s]*\?=", line)]
    assert len(words) > 40
    assert max(map(len, words)) <= 75
    assert max(len(line) for line in lines if b"=?" in line) <= 76
    # Each word is whole characters: decoded by itself, as RFC 2047 has it.
    assert all(decoded.decode(charset) for word in words for decoded, charset in decode_header(word.decode()))
    head = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert all(line.strip() for line in head)
    # A key has no place to be folded at.
    assert [line.partition(b":")[0] for line in head if len(line) > 78] == [b"X-Message-Key"]

    [mail] = mail_server.mails()
    assert mail["Subject"] == f"[演示] {LONG_SUBJECT}"
    # Python's newer parser puts blanks between the encoded words of a name, against RFC 2047.
    to = email.message_from_bytes(raw, policy=email.policy.compat32)["To"]
    assert str(make_header(decode_header(to))) == address
    assert part(mail, "html").strip() == html


def test_a_mail_says_that_no_person_has_written_it(
    register_saved_engine: Engine, settings: Settings, mail_server: MailServer
) -> None:
    """Else an out-of-office notice answers it. Also where a contact brings a mail server of its own."""
    own = f"{mail_server.url}&to=own@example.test"
    add_contacts(register_saved_engine, own)
    put(register_saved_engine, message(), message(own))
    assert dispatch(register_saved_engine, with_mail(settings, mail_server.url)).sent == 2
    assert sorted(str(mail["To"]) for mail in mail_server.mails()) == ["b01@example.test", "own@example.test"]
    assert [mail.get_all("Auto-Submitted") for mail in mail_server.mails()] == [["auto-generated"]] * 2


@pytest.mark.parametrize(
    "head",
    [
        "Subject: 2019-06",
        "X-Message-Key: " + "k" * 300,
        "Subject: two  blanks  stay " + "and so on  " * 20 + "to the end",
        "Content-Type: multipart/mixed;\n boundary=x",
    ],
)
def test_headers_without_long_encoded_words_read_as_before(head: str) -> None:
    before = f"{head}\nTo: a@example.test\n\nSubject: {'a body line ' * 20}\n\n.\n"
    after = fold_headers(before)
    assert after.partition("\n\n")[2] == before.partition("\n\n")[2]
    assert after.partition("\n\n")[0].replace("\n ", " ") == before.partition("\n\n")[0].replace("\n ", " ")


def test_what_the_setting_says_of_length_and_format_cuts_nothing(
    register_saved_engine: Engine, settings: Settings, mail_server: MailServer
) -> None:
    html = "<p>" + "长" * 50_000 + "</p>"
    put(register_saved_engine, message(html=html))
    mailing = with_mail(settings, f"{mail_server.url}&overflow=split&format=text&retry=3&optional=yes")
    assert dispatch(register_saved_engine, mailing).sent == 1
    [mail] = mail_server.mails()
    assert part(mail, "html").strip() == html


@pytest.mark.parametrize(
    ("edition", "header"),
    [
        ("v1", "v1"),
        ("100% of + & ; , = done", "100% of + & ; , = done"),
        ("草稿1", "%E8%8D%89%E7%A8%BF1"),
        ("v1\r\nBcc: someone@example.test", "v1%0D%0ABcc: someone@example.test"),
    ],
)
def test_the_key_is_a_header_of_plain_ascii(
    register_saved_engine: Engine, mailing: Settings, mail_server: MailServer, edition: str, header: str
) -> None:
    put(register_saved_engine, message(edition=edition))
    assert dispatch(register_saved_engine, mailing).sent == 1
    [mail] = mail_server.mails()
    assert mail["X-Message-Key"] == f"receipt/2019-06/B01/b01@example.test/{header}"
    assert mail["Bcc"] is None


@pytest.mark.parametrize(
    ("address", "reply"),
    [
        ("not an address", "none that Apprise can send to"),
        ("nosuchservice://token", "none that Apprise can send to"),
        ("mailto://127.0.0.1/a@example.test/b@example.test?from=c@example.test", "several recipients"),
    ],
)
def test_an_address_of_no_use_has_failed(
    register_saved_engine: Engine, mailing: Settings, address: str, reply: str, caplog: pytest.LogCaptureFixture
) -> None:
    add_contacts(register_saved_engine, address)
    [key] = put(register_saved_engine, message(address))
    assert dispatch(register_saved_engine, mailing).failed == 1
    found = state(register_saved_engine, key)
    assert found.reply is not None
    assert reply in found.reply


def test_what_cannot_be_made_into_a_mail_has_failed(register_saved_engine: Engine, mailing: Settings) -> None:
    [key] = put(register_saved_engine, message(attachments=(Attachment("empty.csv", b""),)))
    assert dispatch(register_saved_engine, mailing).failed == 1
    found = state(register_saved_engine, key)
    assert found.reply is not None
    assert found.reply.startswith("It cannot be made into a mail: Could not access attachment")


@contextmanager
def json_service(status: int) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """A service that takes JSON and answers with a status; gives its port and what it was told."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, told
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("http_status", "status", "reply"),
    [
        (200, Status.SENT, "taken"),
        (404, Status.FAILED, "HTTP status 404"),
        (429, Status.PENDING, "HTTP status 429"),
        (503, Status.PENDING, "HTTP status 503"),
        (500, Status.IN_DOUBT, "HTTP status 500"),
    ],
)
def test_a_contact_may_be_an_apprise_service(
    register_saved_engine: Engine,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    http_status: int,
    status: Status,
    reply: str,
) -> None:
    caplog.set_level("DEBUG")
    with json_service(http_status) as (port, told):
        # Retries and "optional" in the address would send twice, and call a failure a success.
        address = f"json://robot:a-token@127.0.0.1:{port}/?retry=2&wait=0&optional=yes"
        add_contacts(register_saved_engine, address)
        [key] = put(register_saved_engine, message(address, attachments=(pdf("通报.pdf"),)))
        dispatch(register_saved_engine, settings)
    [payload] = told
    assert (payload["title"], payload["attachments"][0]["filename"]) == ("[演示] 2019年6月报送回执", "通报.pdf")
    assert "已收到。" in payload["message"]
    found = state(register_saved_engine, key)
    assert (found.recipient, found.status, found.reply) == (recipient_of(address), status, reply)
    assert "a-token" not in key + caplog.text


def test_a_service_that_nobody_answers_for_is_tried_again(register_saved_engine: Engine, settings: Settings) -> None:
    with json_service(200) as (port, _):
        pass
    address = f"json://127.0.0.1:{port}/"
    add_contacts(register_saved_engine, address)
    put(register_saved_engine, message(address))
    assert dispatch(register_saved_engine, settings).postponed == 1


@pytest.mark.parametrize(
    ("environment", "is_real_register", "prefix"),
    [(None, False, "[演示] "), ("测试", False, "[测试] "), ("测试", True, "[测试] "), (None, True, "")],
)
def test_outside_production_the_subject_says_so(
    register_saved_engine: Engine,
    mailing: Settings,
    mail_server: MailServer,
    tmp_path: Path,
    environment: str | None,
    is_real_register: bool,
    prefix: str,
) -> None:
    changes = {"environment": environment} | ({"register_folder": tmp_path} if is_real_register else {})
    put(register_saved_engine, message())
    dispatch(register_saved_engine, mailing.model_copy(update=changes))
    [mail] = mail_server.mails()
    assert mail["Subject"] == f"{prefix}2019年6月报送回执"


@pytest.mark.parametrize(
    ("plugin", "endpoint", "address", "text_of"),
    [
        (NotifyWeComBot, "/{key}", "wecombot://a-bots-key", lambda told: told["text"]["content"]),
        (NotifyDingTalk, "/{token}", "dingtalk://a12345", lambda told: told["text"]["content"]),
    ],
)
def test_a_chat_gets_the_beginning_of_a_long_message_and_no_files(
    register_saved_engine: Engine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    plugin: type[NotifyBase],
    endpoint: str,
    address: str,
    text_of: Callable[[dict[str, Any]], str],
) -> None:
    long = "<p>2019年6月动态考核：第3名。</p>" + "<p>其余内容详见邮件。</p>" * 2_000
    with json_service(200) as (port, told):
        monkeypatch.setattr(plugin, "notify_url", f"http://127.0.0.1:{port}{endpoint}")
        add_contacts(register_saved_engine, address)
        [key] = put(register_saved_engine, message(address, html=long, attachments=(pdf("通报.pdf"),)))
        dispatch(register_saved_engine, settings)
    assert state(register_saved_engine, key).status is Status.SENT
    [payload] = told
    assert text_of(payload).startswith("[演示] 2019年6月报送回执")
    assert "第3名" in text_of(payload)
    assert len(text_of(payload)) <= plugin.body_maxlen
