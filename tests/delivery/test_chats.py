"""Chats that say no with HTTP 200, as DingTalk, WeCom and Feishu do: it goes by mail (docs/outputs.md#messages)."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from apprise.plugins.base import NotifyBase
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.lark import NotifyLark
from apprise.plugins.telegram import NotifyTelegram
from apprise.plugins.wechat import NotifyWeChat
from apprise.plugins.wecombot import NotifyWeComBot
from sqlalchemy import Engine

from five_precisions.delivery import RETRY_DELAYS, Attachment, Status, dispatch
from five_precisions.settings import Settings
from tests.delivery.conftest import attempts, make_due, message, put, state
from tests.delivery.test_fallback import FALLBACK, add_contact
from tests.mail_server import MailServer

MAIL_KEY = f"receipt/2019-06/B01/{FALLBACK}/v1"
TOO_MANY = {"errcode": 45009, "errmsg": "api freq out of limit, hint: [1561436]"}
TAKEN = {"errcode": 0, "errmsg": "ok"}
ADDRESSES = {
    NotifyWeComBot: "wecombot://a-bots-key",
    NotifyWeChat: "wechat://a-corp:a-secret@1000002/@a-clerk",
    NotifyDingTalk: "dingtalk://a12345",
    NotifyFeishu: "feishu://a12345",
    NotifyLark: "lark://a12345",
}


@contextmanager
def chat(
    monkeypatch: pytest.MonkeyPatch, *answers: dict[str, Any] | bytes, statuses: Sequence[int] = (200,)
) -> Iterator[list[bytes]]:
    """All the chats, on a port of this machine: each request gets the next answer; gives what they were told.

    Args:
        monkeypatch: leads Apprise there.
        answers: the last one stands for all that follow.
        statuses: of HTTP, likewise.
    """
    told: list[bytes] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(self.rfile.read(int(self.headers["Content-Length"])))
            answer = left.pop(0) if len(left) > 1 else left[0]
            body = answer if isinstance(answer, bytes) else json.dumps(answer, ensure_ascii=False).encode()
            self.send_response(statuses[min(len(told), len(statuses)) - 1])
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            body = json.dumps(TAKEN | {"access_token": "a-token", "expires_in": 7200}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(NotifyWeComBot, "notify_url", address + "/cgi-bin/webhook/send?key={key}")
        monkeypatch.setattr(NotifyWeChat, "notify_url", address + "/cgi-bin/message/send")
        monkeypatch.setattr(NotifyWeChat, "token_url", address + "/cgi-bin/gettoken")
        monkeypatch.setattr(NotifyDingTalk, "notify_url", address + "/robot/send?access_token={token}")
        monkeypatch.setattr(NotifyFeishu, "notify_url", address + "/open-apis/bot/v2/hook/{token}/")
        monkeypatch.setattr(NotifyTelegram, "notify_url", address + "/bot")
        monkeypatch.setattr(NotifyLark, "notify_url", address + "/open-apis/bot/v2/hook/")
        # Apprise rests between two requests of one message; these chats do not mind.
        monkeypatch.setattr(NotifyBase, "request_rate_per_sec", 0)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join(10)


@pytest.mark.parametrize(
    ("plugin", "answer", "reply"),
    [
        (NotifyDingTalk, {"errcode": 310000, "errmsg": "keywords not in content"}, "310000: keywords not in content"),
        (NotifyDingTalk, {"errcode": 300001, "errmsg": "token is not exist"}, "300001: token is not exist"),
        (NotifyWeComBot, {"errcode": 93000, "errmsg": "invalid webhook url"}, "errcode 93000: invalid webhook url"),
        (NotifyWeComBot, {"errcode": 40058, "errmsg": "参数错误"}, "errcode 40058: 参数错误"),
        (NotifyWeChat, {"errcode": 81013, "errmsg": "user & party & tag all invalid"}, "errcode 81013: user & party"),
        (NotifyFeishu, {"code": 19024, "data": {}, "msg": "Key Words Not Found"}, "code 19024: Key Words Not Found"),
        (NotifyLark, {"code": 19001, "data": {}, "msg": "param invalid"}, "code 19001: param invalid"),
    ],
)
def test_what_a_chat_refuses_goes_by_mail(
    register_saved_engine: Engine,
    mailing: Settings,
    mail_server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    plugin: type[NotifyBase],
    answer: dict[str, Any],
    reply: str,
) -> None:
    caplog.set_level("DEBUG")
    add_contact(register_saved_engine, ADDRESSES[plugin])
    [key] = put(register_saved_engine, message(ADDRESSES[plugin]))
    with chat(monkeypatch, answer) as told:
        dispatched = dispatch(register_saved_engine, mailing)
    assert len(told) == 1
    assert (dispatched.failed, dispatched.sent) == (1, 1)
    found = state(register_saved_engine, key)
    assert found.status is Status.FAILED
    assert found.reply is not None
    assert reply in found.reply
    assert mail_server.keys() == [MAIL_KEY]
    for secret in ("a-bots-key", "a12345", "a-secret"):
        assert secret not in caplog.text


@pytest.mark.parametrize(
    ("plugin", "answer"),
    [
        (NotifyDingTalk, {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}),
        (NotifyDingTalk, {"errcode": -1, "errmsg": "系统繁忙"}),
        (NotifyWeComBot, TOO_MANY),
        (NotifyWeChat, TOO_MANY),
        (NotifyFeishu, {"code": 11232, "msg": "frequency limited psm[lark.oapi.app_platform_runtime]"}),
    ],
)
def test_a_chat_that_asks_to_come_again_is_asked_again(
    register_saved_engine: Engine,
    mailing: Settings,
    mail_server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    plugin: type[NotifyBase],
    answer: dict[str, Any],
) -> None:
    add_contact(register_saved_engine, ADDRESSES[plugin])
    [key] = put(register_saved_engine, message(ADDRESSES[plugin]))
    with chat(monkeypatch, answer, TAKEN | {"code": 0}) as told:
        assert dispatch(register_saved_engine, mailing).postponed == 1
        make_due(register_saved_engine)
        assert dispatch(register_saved_engine, mailing).sent == 1
    assert len(told) == 2
    assert state(register_saved_engine, key).status is Status.SENT
    assert mail_server.mails() == []


def test_a_chat_that_is_too_busy_for_days_is_left_for_the_mail(
    register_saved_engine: Engine, mailing: Settings, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_contact(register_saved_engine, ADDRESSES[NotifyWeComBot])
    [key] = put(register_saved_engine, message(ADDRESSES[NotifyWeComBot]))
    with chat(monkeypatch, TOO_MANY):
        for _ in RETRY_DELAYS:
            assert dispatch(register_saved_engine, mailing).postponed == 1
            make_due(register_saved_engine)
        dispatched = dispatch(register_saved_engine, mailing)
    assert (dispatched.failed, dispatched.sent) == (1, 1)
    assert len(attempts(register_saved_engine, key)) == len(RETRY_DELAYS) + 1
    assert mail_server.keys() == [MAIL_KEY]


@pytest.mark.parametrize("answer", [TAKEN | {"code": 0, "msg": "success"}, b"<html>ok</html>", b"[1]", b""])
def test_what_a_chat_takes_or_says_nothing_of_is_sent(
    register_saved_engine: Engine, mailing: Settings, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any] | bytes
) -> None:
    # Of the application of WeCom Apprise itself looks for the number, and does not take silence for a yes.
    plugins = [plugin for plugin in ADDRESSES if isinstance(answer, dict) or plugin is not NotifyWeChat]
    for plugin in plugins:
        add_contact(register_saved_engine, ADDRESSES[plugin])
    keys = put(register_saved_engine, *[message(ADDRESSES[plugin]) for plugin in plugins])
    with chat(monkeypatch, answer) as told:
        dispatch(register_saved_engine, mailing)
    assert len(told) == len(plugins) >= 4
    assert {state(register_saved_engine, key).reply for key in keys} == {"taken"}


def test_a_long_chinese_notice_is_cut_to_what_a_chat_takes_in_bytes(
    register_saved_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    html = "<p>2019年6月动态考核：第三名。</p>" + "<p>其余内容详见邮件。</p>" * 2_000
    for plugin, address in ADDRESSES.items():
        add_contact(register_saved_engine, address)
        [key] = put(register_saved_engine, message(address, html=html, subject="动态考核" * 20))
        with chat(monkeypatch, TAKEN | {"code": 0}) as told:
            assert dispatch(register_saved_engine, settings, keys=[key]).sent == 1
        [request] = told
        payload = json.loads(request)
        text = (payload.get("text") or payload["content"]).get("content") or payload["content"]["text"]
        assert "第三名" in text
        if plugin in (NotifyWeComBot, NotifyWeChat):
            assert 1_500 < len(text.encode()) <= 2_048
        else:
            assert 15_000 < len(request) <= 20_000


@pytest.mark.parametrize(("is_closed", "reply"), [(True, "ConnectionError"), (False, "ReadTimeout")])
def test_a_service_that_was_told_and_does_not_answer_is_in_doubt(
    register_saved_engine: Engine, mailing: Settings, mail_server: MailServer, is_closed: bool, reply: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        is_over = threading.Event()

        def listen_only() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(100_000)
                if not is_closed:
                    is_over.wait(30)

        thread = threading.Thread(target=listen_only)
        thread.start()
        address = f"json://a-robot:a-token@127.0.0.1:{listening.getsockname()[1]}/a-path?rto=1"
        add_contact(register_saved_engine, address)
        [key] = put(register_saved_engine, message(address))
        assert dispatch(register_saved_engine, mailing).in_doubt == 1
        is_over.set()
        thread.join()
    assert state(register_saved_engine, key).reply == f"No answer from the service: {reply}"
    # It may have arrived: only a person decides to send it once more.
    assert dispatch(register_saved_engine, mailing).sent == 0
    assert mail_server.mails() == []


@pytest.mark.parametrize("fault", ["nobody listens", "no such host", "no TLS"])
def test_a_service_that_was_told_nothing_is_told_later(
    register_saved_engine: Engine, settings: Settings, fault: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def answer_in_plain() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1_000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        address = f"jsons://127.0.0.1:{port}/"
        thread = threading.Thread(target=answer_in_plain)
        if fault == "nobody listens":
            listening.close()
        elif fault == "no such host":
            address = "jsons://no-such-host.invalid/"
        else:
            thread.start()
        add_contact(register_saved_engine, address)
        [key] = put(register_saved_engine, message(address))
        assert dispatch(register_saved_engine, settings).postponed == 1
        if thread.ident is not None:
            thread.join()
    assert state(register_saved_engine, key).reply == "No connection to the service."


def test_a_message_of_which_a_part_was_taken_is_in_doubt(
    register_saved_engine: Engine, mailing: Settings, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Telegram is told the text and the file by two requests; the second is refused for now.
    address = "tgram://123456789:a-token-of-a-robot/1234567/"
    add_contact(register_saved_engine, address)
    long = "<p>其余内容详见附件。</p>" * 200
    [key] = put(register_saved_engine, message(address, html=long, attachments=(Attachment("通报.pdf", b"%PDF-1.7"),)))
    taken = {"ok": True, "result": {"message_id": 1, "chat": {"id": 1234567}}}
    with chat(monkeypatch, taken, taken, statuses=[200, 503]) as told:
        assert dispatch(register_saved_engine, mailing).in_doubt == 1
    assert len(told) == 2
    assert state(register_saved_engine, key).reply == "A part was taken, and then: HTTP status 503"
    assert mail_server.mails() == []
