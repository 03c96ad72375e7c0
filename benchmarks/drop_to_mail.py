"""How long a bank waits for its receipt: from the last file in the inbox to the mail, under a real, idle scheduler.

`make bench-receipt` runs it, twice: with the default settle time and with a short one. Ten banks deliver one after
another, each when the one before has its mail and everybody waits again.
"""

from __future__ import annotations

import email
import email.policy
import itertools
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, create_engine, text

from five_precisions.errors import FivePrecisionsError
from five_precisions.intake import move_deadline
from five_precisions.period import SHANGHAI, Period
from five_precisions.register import load_register, save_register
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import migrate
from five_precisions_demo.city.deliveries import deliver
from five_precisions_demo.city.model import City, found_city
from five_precisions_demo.city.packages import write_delivery
from five_precisions_demo.city.territory import load_institutions
from five_precisions_demo.stack import HOST, Interruption, Site, Stack, forget_foreign_environment

Found = TypeVar("Found")
SEED: Final = 2019
DELIVERIES: Final = 10
SHORT_SETTLE: Final = 2.0
STOCKS: Final = frozenset({"loans", "position", "grid", "matches"})
"""What the demo's city says of June 2019, and what is as good in any later month: its flows are of that month only."""
AIM: Final = 5.0
_PATIENCE: Final = 120.0
_LOOK: Final = 0.05

_COUNT_WAITING = text(
    "select count(*) from task_instance where dag_id = 'monthly_collection' and task_id = 'collect' "
    "and state = 'deferred'"
)
_READ_QUEUED = text(
    "select max(queued_dttm) from task_instance where dag_id = 'monthly_collection' and task_id = 'collect' "
    "and queued_dttm >= :since"
)
_READ_RECEIVED = text("select received_at from intake.submission where period = :period and institution_code = :code")
_READ_SENDING = text(
    "select min(attempt.began_at) from notify.attempt inner join notify.message using (message_key) "
    "where message.period = :period and message.institution_code = :code and message.created_at >= :since"
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The seconds of one delivery, from its last file to its mail, and what they consist of."""

    settling: float
    noticing: float
    """From settled to the worker's queue: the trigger's poll, the triggerer, the scheduler."""
    starting: float
    """From the queue to the look at the inbox: a new process, its imports."""
    judging: float
    """Checks, rows committed, the receipt's files written."""
    sending: float

    @property
    def whole(self) -> float:
        """All of them."""
        return sum(self.parts)

    @property
    def parts(self) -> tuple[float, ...]:
        """In their order."""
        return self.settling, self.noticing, self.starting, self.judging, self.sending


def main() -> None:
    """Print both tables."""
    forget_foreign_environment()
    interruption = Interruption().listen()
    city = found_city(SEED)
    default = Settings(_env_file=None).settle_seconds
    for settle_seconds in (default, SHORT_SETTLE):
        with tempfile.TemporaryDirectory(prefix="five-precisions-bench-") as folder:
            # The embedded server's own user passes through it.
            Path(folder).chmod(0o755)
            receipts = _deliver_all(Path(folder), city, settle_seconds, interruption)
        _print(receipts, settle_seconds, is_default=settle_seconds == default)


def _deliver_all(folder: Path, city: City, settle_seconds: float, interruption: Interruption) -> list[Receipt]:
    month = Period.current().previous()
    variables = {
        PREFIX + "FIRST_PERIOD": str(month),
        PREFIX + "LAST_PERIOD": str(month),
        PREFIX + "SETTLE_SECONDS": str(settle_seconds),
    }
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    stack = Stack(Site(var=folder / "var", port=port, variables=variables), interruption)
    with stack.supervised(patience=5):
        url = stack.start_servers()
        warehouse = create_engine(url)
        airflow = create_engine(url.set(drivername="postgresql+psycopg", database="airflow"))
        institutions = _prepare(warehouse, stack.site, month)
        stack.start_migration()
        stack.finish("migrate")
        stack.start_components()
        stack.wait_until_ready()
        receipts = []
        for bank in [code for code in load_institutions() if code.startswith("B")][:DELIVERIES]:
            _wait(stack, "everybody's waiting", lambda: _count_waiting(airflow) == institutions)
            # A while without anything to do: idle is what the aim speaks of.
            stack.pause(5)
            receipts.append(_deliver(stack, city, bank, month, settle_seconds, warehouse, airflow))
        warehouse.dispose()
        airflow.dispose()
    return receipts


def _prepare(engine: Engine, site: Site, month: Period) -> int:
    """A register, and a deadline that lies ahead; how many institutions are open in the month."""
    settings = Settings(_env_file=site.var / "secrets.env", var=site.var)
    migrate(engine)
    register = load_register(settings.register_folder)
    with engine.begin() as connection:
        save_register(connection, register)
    ahead = datetime.now(SHANGHAI).date() + timedelta(days=30)
    move_deadline(engine, settings, month, ahead, "benchmark")
    return len(register.open_in(month))


def _deliver(
    stack: Stack, city: City, bank: str, month: Period, settle_seconds: float, warehouse: Engine, airflow: Engine
) -> Receipt:
    delivery = list(deliver(city, load_institutions()[bank], Period(2019, 6)))[-1]
    delivery = replace(
        delivery,
        version=None,
        tables=tuple(table for table in delivery.tables if table.report in STOCKS),
        cover=tuple(line for line in delivery.cover if line.report in STOCKS),
        explanations=(),
    )
    draft = stack.site.var / "draft" / bank
    files = write_delivery(SEED, delivery, draft)
    folder = stack.site.var / "inbox" / str(month) / bank
    folder.mkdir(parents=True)
    known = set(stack.site.mails.glob("*.eml"))
    for file in files:
        os.utime(file)
        file.rename(folder / file.name)
    dropped_at = datetime.now(SHANGHAI)
    number = f"{month}-{bank}-1"
    mail = _wait(stack, f"the receipt {number}", lambda: _find_mail(stack.site.mails, known, number))
    arrived_at = datetime.fromtimestamp(mail.stat().st_mtime, SHANGHAI)
    names = {"period": str(month), "code": bank, "since": dropped_at}
    with airflow.connect() as connection:
        queued_at: datetime = connection.execute(_READ_QUEUED, names).scalar_one()
    with warehouse.connect() as connection:
        received_at: datetime = connection.execute(_READ_RECEIVED, names).scalar_one()
        sending_at: datetime = connection.execute(_READ_SENDING, names).scalar_one()
    settled_at = dropped_at + timedelta(seconds=settle_seconds)
    instants = [dropped_at, settled_at, queued_at, received_at, sending_at, arrived_at]
    return Receipt(*((later - earlier).total_seconds() for earlier, later in itertools.pairwise(instants)))


def _find_mail(folder: Path, known: set[Path], number: str) -> Path | None:
    for path in sorted(set(folder.glob("*.eml")) - known):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        if number in str(mail["Subject"]) or number in mail.as_string():
            return path
    return None


def _count_waiting(airflow: Engine) -> int:
    with airflow.connect() as connection:
        return int(connection.execute(_COUNT_WAITING).scalar_one())


def _wait(stack: Stack, what: str, look: Callable[[], Found]) -> Found:
    deadline = time.monotonic() + _PATIENCE
    while not (found := look()):
        if time.monotonic() > deadline:
            raise FivePrecisionsError(f"{what} did not come within {_PATIENCE:.0f} s.")
        stack.pause(_LOOK)
    return found


def _print(receipts: list[Receipt], settle_seconds: float, *, is_default: bool) -> None:
    table = Table(
        f"seconds from drop to mail, {len(receipts)} banks", "median", "worst", title_justify="left", box=None
    )
    names = ("settle time", "noticed and queued", "worker started", "judged, rows and receipt written", "mailed")
    for name, *seconds in zip(names, *(receipt.parts for receipt in receipts), strict=True):
        table.add_row(name, f"{statistics.median(seconds):.1f}", f"{max(seconds):.1f}")
    whole = [receipt.whole for receipt in receipts]
    rest = [receipt.whole - receipt.settling for receipt in receipts]
    table.add_row("from settled to mail", f"{statistics.median(rest):.1f}", f"{max(rest):.1f}")
    table.add_row("all", f"{statistics.median(whole):.1f}", f"{max(whole):.1f}")
    console = Console()
    console.print(table)
    console.print(
        f"settle time {settle_seconds:g} s{' (the default)' if is_default else ''}; "
        f"aim: median under {AIM:g} s after it, scheduler idle"
    )


if __name__ == "__main__":
    main()
