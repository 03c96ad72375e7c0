"""`five-precisions outbox`, and what other commands say of the messages they post.

See docs/operations.md#by-command-line.
"""

from __future__ import annotations

import json
import socket

from sqlalchemy import Engine

from five_precisions.settings import Settings
from tests.command_line import assert_one_sentence, run
from tests.delivery.conftest import message, put
from tests.mail_server import Fault, MailServer

GONE = "b02@example.test"
GONE_KEY = "receipt/2019-06/B02/b02@example.test/v1"


def test_messages_are_sent_listed_and_resent(
    register_saved_engine: Engine, settings: Settings, mail_server: MailServer
) -> None:
    mail_server.faults = {GONE: Fault.NO_SUCH_RECIPIENT}
    put(register_saved_engine, message(), message(GONE, institution_code="B02"))
    waiting = json.loads(run("outbox", "list", "--json").stdout)
    assert [(posted["message_key"], posted["status"]) for posted in waiting] == [
        ("receipt/2019-06/B01/b01@example.test/v1", "pending"),
        (GONE_KEY, "pending"),
    ]

    sent = run("outbox", "send", MAIL=mail_server.url)
    assert (sent.returncode, sent.stdout) == (1, "Messages: 1 sent, 1 failed, 0 in doubt, 0 waiting.\n")
    shown = run("outbox", "list", "--status", "failed", "--period", "2019-06")
    assert shown.returncode == 0
    assert GONE_KEY in shown.stdout
    assert "550 5.1.1" in shown.stdout
    assert "b01@" not in shown.stdout

    again = run("outbox", "resend", GONE_KEY, MAIL=mail_server.url)
    assert (again.returncode, again.stdout.split(":")[0]) == (1, "failed")
    mail_server.faults = {}
    again = run("outbox", "resend", GONE_KEY, MAIL=mail_server.url)
    assert (again.returncode, again.stdout, again.stderr) == (0, "sent: taken\n", "")
    assert_one_sentence(run("outbox", "resend", GONE_KEY, MAIL=mail_server.url), 1, "no message is sent twice")
    assert mail_server.keys().count(GONE_KEY) == 1


def test_wrong_words_and_set_up_end_with_one_sentence(register_saved_engine: Engine, settings: Settings) -> None:
    assert_one_sentence(run("outbox", "list", "--status", "gone"), 2, "'gone' is no status of a message")
    assert_one_sentence(run("outbox", "resend", "nothing"), 2, "The outbox has no message nothing")
    put(register_saved_engine, message())
    assert_one_sentence(run("outbox", "send"), 2, "FIVE_PRECISIONS_MAIL is not set, and 1 mails are due.")
    assert_one_sentence(run("outbox", "send", MAIL="mailto://a:secret@"), 2, "FIVE_PRECISIONS_MAIL is no mail server")


def test_collecting_sends_what_waits_and_never_fails_by_it(
    register_saved_engine: Engine, settings: Settings, mail_server: MailServer
) -> None:
    put(register_saved_engine, message())
    words = ("collect", "2019-06", "--json")

    unset = run(*words)
    assert (unset.returncode, json.loads(unset.stdout)) == (0, [])
    assert unset.stderr == "1 messages wait in the outbox; FIVE_PRECISIONS_MAIL is not set.\n"

    wrong = run(*words, MAIL="mailto://a:secret@")
    assert (wrong.returncode, json.loads(wrong.stdout)) == (0, [])
    assert "1 messages wait in the outbox: FIVE_PRECISIONS_MAIL is no mail server" in wrong.stderr
    assert "secret" not in wrong.stderr

    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        down = run(*words, MAIL=f"mailto://127.0.0.1:{nobody.getsockname()[1]}?mode=insecure&from=a@example.test")
    assert (down.returncode, json.loads(down.stdout)) == (0, [])
    assert "Connection refused" in down.stderr
    assert down.stderr.endswith("Messages: 0 sent, 0 failed, 0 in doubt, 1 waiting.\n")

    put(register_saved_engine, message(edition="v2"))
    up = run(*words, MAIL=mail_server.url)
    assert (up.returncode, json.loads(up.stdout)) == (0, [])
    assert up.stderr == "Messages: 1 sent, 0 failed, 0 in doubt, 1 waiting.\n"
    assert len(mail_server.mails()) == 1
