"""How long three hundred recipients take: a bulletin with its attachments, to a mail server on loopback (`make bench`).

Two processes deliver, as two workers do. The peer is Apprise alone in two processes, one call for each recipient with
the same mail: no outbox, no keys, nothing recorded.
"""

from __future__ import annotations

import importlib
import itertools
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from apprise import Apprise, NotifyFormat
from apprise.attachment.memory import AttachMemory
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from five_precisions.delivery import Attachment, Kind, Message, dispatch, post
from five_precisions.register import load_register, save_register
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import migrate, open_warehouse

RECIPIENTS = 300
PROCESSES = 2
HOST = "127.0.0.1"
LETTER = "<p>各单位：</p>" + "<p>现将2019年第二季度全市金融精准扶贫工作情况通报如下。</p>" * 500
"""Some 40 kB, as a bulletin's mail has."""
ATTACHMENTS = (
    Attachment("金融精准扶贫工作通报2019年第2期.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 1_000),
    Attachment("金融精准扶贫工作通报2019年第2期附表.xlsx", b"PK\x03\x04" + bytes(range(256)) * 200),
)


def main() -> None:
    """Print seconds for all recipients, by the outbox and by Apprise alone."""
    addresses = [f"clerk-{number}@example.test" for number in range(RECIPIENTS)]
    with tempfile.TemporaryDirectory() as folder, _mail_server() as mail, ProcessPoolExecutor(PROCESSES) as workers:
        settings = _settings(Path(folder), mail)
        with open_warehouse(settings) as engine:
            migrate(engine)
            with engine.begin() as connection:
                save_register(connection, load_register(settings.register_folder))
                connection.execute(
                    text("insert into registry.contact values ('B01', :address, 'contact')"),
                    [{"address": address} for address in addresses],
                )
            # What a worker pays once, whatever it sends.
            list(workers.map(_warm_up, range(PROCESSES)))
            began = time.perf_counter()
            with engine.begin() as connection:
                post(connection, map(_message, addresses))
            posted = time.perf_counter() - began
            began = time.perf_counter()
            sent = sum(workers.map(_dispatch, [settings] * PROCESSES))
            delivered = time.perf_counter() - began
        if sent != RECIPIENTS:
            raise SystemExit(f"{sent} mails were sent; the figures would mean nothing.")
        began = time.perf_counter()
        list(workers.map(_send_barely, itertools.repeat(mail), addresses, chunksize=5))
        bare = time.perf_counter() - began
    table = Table(f"{RECIPIENTS} recipients, 300 kB attached, {PROCESSES} processes", "seconds", box=None)
    table.add_row("laid into the outbox", f"{posted:.1f}")
    table.add_row("delivered and recorded (aim: under 60)", f"{delivered:.1f}")
    table.add_row("peer: Apprise alone", f"{bare:.1f}")
    Console().print(table)


@contextmanager
def _mail_server() -> Iterator[str]:
    """A mail server in a process of its own that takes everything and keeps nothing; the setting MAIL for it."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-c", "aiosmtpd.handlers.Sink", "-l", f"{HOST}:{port}"]
    with subprocess.Popen(command) as server:
        try:
            for _ in range(100):
                with socket.socket() as probe:
                    if probe.connect_ex((HOST, port)) == 0:
                        break
                time.sleep(0.1)
            yield f"mailto://{HOST}:{port}?mode=insecure&from=five-precisions@example.test"
        finally:
            server.terminate()


def _warm_up(_: int) -> None:
    importlib.import_module("five_precisions.delivery.transport")
    time.sleep(0.5)


def _dispatch(settings: Settings) -> int:
    with open_warehouse(settings) as engine:
        return dispatch(engine, settings).sent


def _settings(folder: Path, mail: str) -> Settings:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            del os.environ[name]
    os.environ[PREFIX + "VAR"] = str(folder / "var")
    return Settings.load().model_copy(update={"mail": SecretStr(mail)})


def _message(address: str) -> Message:
    return Message(
        kind=Kind.BULLETIN,
        period="2019-Q2",
        institution_code="B01",
        address=address,
        edition="draft-1",
        subject="关于2019年第二季度金融精准扶贫工作情况的通报",
        html=LETTER,
        attachments=ATTACHMENTS,
    )


def _send_barely(url: str, address: str) -> None:
    service = Apprise()
    service.add(f"{url}&to={address}")
    files = [AttachMemory(content=file.content, name=file.name) for file in ATTACHMENTS]  # type: ignore[no-untyped-call]
    service.notify(title="通报", body=LETTER, body_format=NotifyFormat.HTML, attach=files)


if __name__ == "__main__":
    main()
