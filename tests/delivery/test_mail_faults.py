"""What a mail server can say or fail to say, step by step: the state of the message, and when it is tried again."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Engine

from five_precisions.delivery import RETRY_DELAYS, Attachment, Dispatched, Status, dispatch
from five_precisions.settings import Settings
from tests.delivery.conftest import add_contacts, attempts, message, put, state, with_mail
from tests.delivery.scripted_server import GONE, SILENT, ScriptedServer

LATER, FAILED, DOUBT = Status.PENDING, Status.FAILED, Status.IN_DOUBT
PASSWORD = "the-password-of-the-mail-server"
LOGIN = f"clerk:{PASSWORD}@"


# Nobody is let in, whatever the number: a matter of the server or of the set-up, by which nothing is lost.
NOT_LET_IN = dict.fromkeys(("421 4.3.2 Too many", "554 5.7.1 No", GONE, SILENT), (LATER, "let nobody in"))
# Where there is a number, it decides; what is no SMTP is not known.
BY_NUMBER = {
    **{f"{code} Why not": (LATER, f"{code} Why not") for code in ("421 4.3.2", "450 4.2.0", "451 4.7.1", "452 4.3.1")},
    **{
        f"{code} Why not": (FAILED, f"{code} Why not")
        for code in ("501 5.1.3", "550 5.1.1", "552 5.3.4", "553 5.1.3", "554 5.7.1")
    },
    "Guru meditation": (DOUBT, "No answer"),
}
# Without a reply it depends on whether the contents may have got there.
BEFORE_DATA = BY_NUMBER | dict.fromkeys((GONE, SILENT), (LATER, "lost before DATA"))
FROM_DATA_ON = BY_NUMBER | dict.fromkeys((GONE, SILENT, "550-a reply that does not end"), (DOUBT, "No answer"))


@pytest.mark.parametrize(
    ("step", "meanings"),
    [
        ("banner", NOT_LET_IN),
        ("ehlo", NOT_LET_IN),
        ("mail", BEFORE_DATA | {"530 5.7.0 Log in first": (LATER, "let nobody in: 530")}),
        ("rcpt", BEFORE_DATA),
        ("data", FROM_DATA_ON),
        ("contents", FROM_DATA_ON),
    ],
)
def test_at_every_step_the_reply_decides(
    register_saved_engine: Engine, settings: Settings, step: str, meanings: dict[str, tuple[Status, str]]
) -> None:
    keys = put(register_saved_engine, *[message(edition=f"v{number}") for number, _ in enumerate(meanings)])
    for key, (says, (status, reply)) in zip(keys, meanings.items(), strict=True):
        # A server that does not know EHLO may know HELO; this one knows neither.
        with ScriptedServer({step: says, "helo": says}) as server:
            dispatched = dispatch(register_saved_engine, with_mail(settings, server.url()), keys=[key])
        found = state(register_saved_engine, key)
        assert (says, found.status, found.attempts) == (says, status, 1)
        assert found.reply is not None
        assert reply in found.reply
        assert len(server.kept) == (step == "contents")
        assert dispatched == Dispatched(
            sent=0,
            postponed=status is LATER,
            failed=status is FAILED,
            in_doubt=status is DOUBT,
            waiting=status is LATER,
        )
        if status is LATER:
            [attempt] = attempts(register_saved_engine, key)
            assert abs(found.due_at - attempt.ended_at - RETRY_DELAYS[0]) < timedelta(seconds=1)


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """What a server shows whose certificate nobody has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


STARTTLS = {"ehlo": "250-mail.example.test\r\n250 STARTTLS"}


@pytest.mark.parametrize(
    ("replies", "is_encrypted", "scheme", "login", "more", "reply"),
    [
        ({}, True, "mailtos", "", "&mode=ssl", "CERTIFICATE_VERIFY_FAILED"),
        (STARTTLS, True, "mailtos", "", "&mode=starttls", "CERTIFICATE_VERIFY_FAILED"),
        ({}, False, "mailtos", "", "&mode=ssl", "SSL"),
        ({}, False, "mailtos", "", "&mode=starttls", "STARTTLS extension not supported"),
        (STARTTLS | {"starttls": "454 4.7.0 Not now"}, False, "mailtos", "", "&mode=starttls", "454 4.7.0 Not now"),
        ({"auth": "535 5.7.8 Wrong"}, False, "mailto", LOGIN, "&mode=insecure", "535 5.7.8 Wrong"),
        ({"auth": "454 4.7.0 Not now"}, False, "mailto", LOGIN, "&mode=insecure", "454 4.7.0 Not now"),
        ({"ehlo": "250 mail.example.test"}, False, "mailto", LOGIN, "&mode=insecure", "AUTH extension not supported"),
        pytest.param(
            *({}, False, "mailto", "clerk:%E5%AF%86x@", "&mode=insecure", "a character that is not ASCII"),
            # Apprise does not close its connection then.
            marks=pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
        ),
    ],
)
def test_what_keeps_us_out_loses_nothing_and_shows_no_secret(
    register_saved_engine: Engine,
    settings: Settings,
    certificate: ssl.SSLContext,
    caplog: pytest.LogCaptureFixture,
    replies: dict[str, str],
    is_encrypted: bool,
    scheme: str,
    login: str,
    more: str,
    reply: str,
) -> None:
    caplog.set_level("DEBUG")
    add_contacts(register_saved_engine, "b02@example.test")
    keys = put(register_saved_engine, message(), message("b02@example.test"))
    with ScriptedServer(replies, tls=certificate if is_encrypted else None) as server:
        mailing = with_mail(settings, server.url(scheme=scheme, login=login, more=more))
        assert dispatch(register_saved_engine, mailing).waiting == 2
    # Asked once, and not for each mail anew.
    assert [state(register_saved_engine, key).attempts for key in keys] == [1, 0]
    found = state(register_saved_engine, keys[0]).reply
    assert found is not None
    assert reply in found
    shown = found + caplog.text
    assert PASSWORD not in shown
    assert "密" not in shown
    assert "\\u5bc6" not in shown


def test_with_tls_that_holds_the_mail_arrives(
    register_saved_engine: Engine, settings: Settings, certificate: ssl.SSLContext
) -> None:
    for replies, mode in ({}, "ssl"), (STARTTLS, "starttls"):
        put(register_saved_engine, message(edition=mode))
        with ScriptedServer(replies, tls=certificate) as server:
            # The only case in which the certificate is not looked at: it proves that the others fail by it alone.
            url = server.url(scheme="mailtos", more=f"&mode={mode}&verify=no")
            assert dispatch(register_saved_engine, with_mail(settings, url)).sent == 1
        assert len(server.kept) == 1


@pytest.mark.parametrize("host", ["no-such-host.invalid", "127.0.0.1:1"])
def test_a_server_that_is_not_there_is_tried_again(
    register_saved_engine: Engine, settings: Settings, host: str
) -> None:
    [key] = put(register_saved_engine, message())
    url = f"mailto://{host}?from=a@example.test&mode=insecure&cto=1"
    assert dispatch(register_saved_engine, with_mail(settings, url)).postponed == 1
    found = state(register_saved_engine, key)
    assert found.reply is not None
    assert "let nobody in" in found.reply


@pytest.mark.parametrize(
    ("address", "recipient"),
    [
        # Apprise's own reading of addresses would send these to brien@example.test and to b01@example.xn.
        ("o'brien@example.test", "o'brien@example.test"),
        ("b01@example.xn--fiqs8s", "b01@example.xn--fiqs8s"),
        ("b01+loans@example.test", "b01+loans@example.test"),
        ('"张三, 行长" <b01@example.test>', "b01@example.test"),
    ],
)
def test_a_mail_goes_to_the_address_and_to_no_other(
    register_saved_engine: Engine, settings: Settings, address: str, recipient: str
) -> None:
    add_contacts(register_saved_engine, address)
    put(register_saved_engine, message(address))
    with ScriptedServer() as server:
        assert dispatch(register_saved_engine, with_mail(settings, server.url())).sent == 1
    assert [line for line in server.commands if line.startswith("rcpt")] == [f"rcpt TO:<{recipient}>"]


@pytest.mark.parametrize(
    "address",
    [
        "not an address",
        "陈@example.test",
        "b01@例子.测试",
        "b01@example.test.中国",
        "a@example.test,b@example.test",
        "a@example.test; b@example.test",
        "b01@example.test trailing",
        "x y@example.test",
        "b01@example.test\r\nRCPT TO:<someone@example.test>",
        "alice@example.test)bob@example.test",
    ],
)
def test_what_is_no_address_gets_nothing(register_saved_engine: Engine, settings: Settings, address: str) -> None:
    add_contacts(register_saved_engine, address)
    [key] = put(register_saved_engine, message(address))
    with ScriptedServer() as server:
        assert dispatch(register_saved_engine, with_mail(settings, server.url())).failed == 1
    assert server.commands == []
    assert state(register_saved_engine, key).reply == "The register's address is none that Apprise can send to."


def test_a_subject_is_one_line(register_saved_engine: Engine, settings: Settings) -> None:
    put(register_saved_engine, message(subject="2019年6月\r\nBcc: someone@example.test\r\n\r\n<script>"))
    with ScriptedServer() as server:
        assert dispatch(register_saved_engine, with_mail(settings, server.url())).sent == 1
    head, _, _ = server.kept[0].partition(b"\r\n\r\n")
    assert not [line for line in head.splitlines() if line.lower().startswith((b"bcc", b"<script"))]
    assert [line for line in server.commands if line.startswith("rcpt")] == ["rcpt TO:<b01@example.test>"]


@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1.xlsx", "附表\r\nX-Evil: 1.xlsx"])
def test_the_name_of_a_file_makes_no_header(register_saved_engine: Engine, settings: Settings, name: str) -> None:
    put(register_saved_engine, message(attachments=(Attachment(name, b"PK"),)))
    with ScriptedServer() as server:
        dispatch(register_saved_engine, with_mail(settings, server.url()))
    assert not [line for kept in server.kept for line in kept.splitlines() if line.startswith(b"X-Evil")]


def test_a_mail_beyond_the_servers_size_has_failed_before_it_is_sent(
    register_saved_engine: Engine, settings: Settings
) -> None:
    [key] = put(register_saved_engine, message(attachments=(Attachment("big.pdf", b"%PDF" + bytes(30_000_000)),)))
    with ScriptedServer({"mail": "552 5.3.4 Message size exceeds fixed limit"}) as server:
        assert dispatch(register_saved_engine, with_mail(settings, server.url())).failed == 1
    # It was told how much comes, so nothing was sent in vain.
    [said] = [line for line in server.commands if line.startswith("mail")]
    assert int(said.partition("size=")[2]) > 40_000_000
    assert state(register_saved_engine, key).reply == "552 5.3.4 Message size exceeds fixed limit"
