"""What a ledger of 100,000 loans takes from its bytes to loaded rows and findings, beside two peers (`make bench`).

The peers read the very same file. Fastexcel reads it as text and looks at nothing. Frictionless validates it against
an equal schema (types, required cells, lists, bounds, longest texts, unique key) and loads nothing. Each runs in a
process of its own; timed is the work, after the imports, in CPU seconds: its own, and of ours the server's as well.
The peers live in an environment that this file makes from requirements/bench.txt in the temporary folder: their pins
are no business of the product.
"""

from __future__ import annotations

import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from report import Report

ROOT: Final = Path(__file__).resolve().parents[1]
ROWS: Final = 100_000
SMALL_ROWS: Final = 1_000
RUNS: Final = 5
"""Of what is quickly done; their median counts."""
TIMES_THE_BARE_READ: Final = 3
TIMES_FASTER_THAN_FRICTIONLESS: Final = 6
MOST_MEGABYTES: Final = 700
SECONDS_OF_A_SMALL_PACKAGE: Final = 0.25
SEED: Final = 2019
WORKBOOK_BANK: Final = "B02"
"""Writes one workbook with sheets named by code and the header in the first row, as Frictionless wants it."""
CSV_BANK: Final = "B06"
USUAL_BANK: Final = "B01"
SHEET: Final = "loans"


def main() -> None:
    """Print the table, and keep what counts."""
    from rich.console import Console
    from rich.table import Table

    with tempfile.TemporaryDirectory(prefix="five-precisions-bench-") as folder:
        Path(folder).chmod(0o755)
        _prepare_environment(Path(folder))
        packages = _run("write", folder, str(ROWS))
        small = _run("write", str(Path(folder) / "small"), str(SMALL_ROWS))[WORKBOOK_BANK]
        workbook = packages[WORKBOOK_BANK]
        schema = _run("schema", folder)["path"]
        peers = _python_of_peers(Path(folder))
        bare = _run("read", workbook, python=peers)
        frictionless = _run("validate", workbook, schema, python=peers)
        # One server for all, so that no run pays for its start.
        runs = _run("take-in-all", json.dumps(packages), small)
        megabytes = sum(path.stat().st_size for path in Path(workbook).iterdir()) / 1e6
    ours = runs[WORKBOOK_BANK]
    table = Table(f"{ROWS:,} loans in {megabytes:.1f} MB of xlsx", box=None)
    for header in ("CPU s", "seconds", "judging", "recording", "peak MB", "rows loaded", "findings"):
        table.add_column(header, justify="right")
    table.add_row(f"bare read, fastexcel, as text, median of {RUNS}", *_cells(bare))
    table.add_row("Frictionless, equal schema", *_cells(frictionless))
    table.add_row("five-precisions, from bytes to rows and findings", *_cells(ours))
    table.add_row(f"{ROWS:,} loans as CSV", *_cells(runs[CSV_BANK]))
    table.add_row("the usual package of a bank", *_cells(runs[USUAL_BANK]))
    table.add_row(f"{SMALL_ROWS:,} loans in a warm process, median of {RUNS}", *_cells(runs["small"]))
    console = Console(width=150)
    console.print(table)
    report = Report()
    large = f"{ROWS:,} loans, xlsx to rows, CPU"
    report.add(large, ours["cpu"], "s", "bare fastexcel", bare["cpu"], TIMES_THE_BARE_READ)
    report.add(
        f"{large}, beside a validator",
        ours["cpu"],
        "s",
        "Frictionless",
        frictionless["cpu"],
        1 / TIMES_FASTER_THAN_FRICTIONLESS,
    )
    report.add(f"{ROWS:,} loans, peak memory of the process", ours["peak_mb"], "MB", limit=MOST_MEGABYTES)
    report.add(f"{SMALL_ROWS:,} loans, warm process, CPU", runs["small"]["cpu"], "s", limit=SECONDS_OF_A_SMALL_PACKAGE)
    report.keep("intake", f"{ROWS:,} loans and {SMALL_ROWS:,} loans")


def _cells(run: dict[str, Any]) -> list[str]:
    forms = {
        "cpu": ".2f",
        "seconds": ".2f",
        "judging": ".2f",
        "recording": ".2f",
        "peak_mb": ".0f",
        "rows": ",",
        "findings": ",",
    }
    return [format(run[name], form) if name in run else "" for name, form in forms.items()]


def _run(work: str, *arguments: str, python: str = sys.executable) -> Any:
    """Do one of this file's works in a fresh process; what it found out."""
    done = subprocess.run([python, __file__, work, *arguments], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout.splitlines()[-1])


def _prepare_environment(folder: Path) -> None:
    from five_precisions.settings import PREFIX

    for name in list(os.environ):
        if name.startswith(PREFIX):
            del os.environ[name]
    os.environ[PREFIX + "VAR"] = str(folder / "var")
    os.environ[PREFIX + "PII_KEY"] = secrets.token_urlsafe(48)
    os.environ[PREFIX + "ARCHIVE_KEY"] = secrets.token_urlsafe(48)


def _python_of_peers(folder: Path) -> str:
    """Make the peers' environment; its interpreter."""
    uv = str(Path(sys.executable).with_name("uv"))
    environment = folder / "peers"
    python = str(environment / "bin" / "python")
    locked = str(ROOT / "requirements" / "bench.txt")
    for command in (
        [uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(environment)],
        [uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", locked],
    ):
        subprocess.run(command, check=True)
    return python


def _measured(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    begin, begun = time.perf_counter(), time.process_time()
    found = work()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - begun
    # The high-water mark of this program alone; that of getrusage begins with the parent's.
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    cpu += found.pop("server_cpu", 0)
    return {"cpu": cpu, "seconds": seconds, "peak_mb": int(peak.split()[1]) / 1024, **found}


def _write(folder: str, wanted: str) -> dict[str, str]:
    """Three packages: the city's ledgers many times over as a workbook and as CSV, and one bank's usual package."""
    from five_precisions.period import Period
    from five_precisions_demo.city.deliveries import CoverRow, deliver
    from five_precisions_demo.city.draws import stream
    from five_precisions_demo.city.identity import IdentityRegistry, draw_account, draw_name
    from five_precisions_demo.city.model import City, found_city, report
    from five_precisions_demo.city.packages import write_delivery
    from five_precisions_demo.city.tables import FilledReport, Row
    from five_precisions_demo.city.territory import load_institutions

    june, rows = Period(2019, 6), int(wanted)
    city = found_city(SEED)
    institutions = load_institutions()

    def many_loans(city: City) -> FilledReport:
        banks = [bank for code, bank in institutions.items() if code.startswith("B")]
        known = [row for bank in banks for row in report(city, bank, "loans", june).rows]
        rng = stream(SEED, "benchmark")
        identities = IdentityRegistry(rng)

        def invented(number: int) -> Row:
            """One of the city's loans, incidents included, to somebody else."""
            row = known[number % len(known)]
            again = number // len(known)
            if not again:
                return row
            is_household = row["borrower_kind"] == "农户"
            return {
                **row,
                "contract_no": f"{row['contract_no']}-{again}",
                "borrower_name": draw_name(rng) if is_household else f"{row['borrower_name']}{again}",
                "borrower_id": identities.resident_id() if is_household else row["borrower_id"],
                "household_no": f"{row['household_no']}-{again}" if is_household else None,
                "payee_account": draw_account(rng) if row["payee_account"] else None,
            }

        return FilledReport("loans", tuple(invented(number) for number in range(rows)))

    table = many_loans(city)
    cover = (CoverRow("loans", len(table.rows), table.control_total, is_nil=False),)
    folders: dict[str, str] = {}
    # The usual one first: checks across institutions look at what lies there.
    for code in (USUAL_BANK, WORKBOOK_BANK, CSV_BANK):
        delivery = list(deliver(city, institutions[code], june))[-1]
        if code != USUAL_BANK:
            delivery = replace(delivery, tables=(table,), cover=cover, explanations=())
        own = Path(folder) / code
        write_delivery(SEED, replace(delivery, version=None), own)
        folders[code] = str(own)
    return folders


def _write_schema(folder: str) -> dict[str, str]:
    """What the report declares, as a Table Schema of Frictionless."""
    from five_precisions.reports import Column, ColumnType, load_reports

    report = load_reports()["loans"]
    kinds = {ColumnType.TEXT: "string", ColumnType.CHOICE: "string", ColumnType.DATE: "date", ColumnType.INT: "integer"}

    def field(column: Column) -> dict[str, Any]:
        constraints: dict[str, Any] = {"required": not column.optional}
        declared: dict[str, Any] = {"name": column.header, "type": kinds.get(column.type, "number")}
        match column.type:
            case ColumnType.TEXT:
                constraints["maxLength"] = column.max
            case ColumnType.CHOICE:
                constraints["enum"] = list(column.of)
            case ColumnType.YESNO:
                declared |= {"type": "boolean", "trueValues": ["是"], "falseValues": ["否"]}
            case ColumnType.INT | ColumnType.YUAN | ColumnType.WAN:
                constraints["minimum"] = column.min
            case ColumnType.PCT:
                constraints |= {"minimum": 0, "maximum": 100}
            case ColumnType.DATE:
                pass
        return {**declared, "constraints": constraints}

    key = [report.column(name).header for name in report.key]
    schema = {"fields": [field(column) for column in report.columns], "primaryKey": key}
    path = Path(folder) / "schema.json"
    path.write_text(json.dumps(schema, ensure_ascii=False), encoding="utf-8")
    return {"path": str(path)}


def _read(folder: str) -> dict[str, Any]:
    import fastexcel  # type: ignore[import-not-found]
    import pyarrow as pa  # noqa: F401 - imported before the clock starts

    (path,) = Path(folder).iterdir()

    def read() -> dict[str, Any]:
        sheet = fastexcel.read_excel(path).load_sheet(SHEET, header_row=None, dtypes="string")
        assert sheet.to_arrow().num_rows == ROWS + 1
        return {}

    return _median([_measured(read) for _ in range(RUNS)])


def _median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run whose CPU seconds are the median."""
    return next(run for run in runs if run["cpu"] == statistics.median_low(each["cpu"] for each in runs))


def _validate(folder: str, schema: str) -> dict[str, Any]:
    import openpyxl  # type: ignore[import-untyped] # noqa: F401 - imported before the clock starts
    from frictionless import Resource, Schema, formats, system  # type: ignore[import-not-found]

    (path,) = Path(folder).iterdir()

    def validate() -> dict[str, Any]:
        # No size is too large, and no path outside the current folder is a danger here.
        with system.use_context(trusted=True):
            control = formats.ExcelControl(sheet=SHEET)
            resource = Resource(path=str(path), schema=Schema.from_descriptor(schema), control=control)
            report = resource.validate(limit_errors=10**6)
        task = report.tasks[0]
        assert task.stats["rows"] == ROWS, report.to_summary()
        return {"findings": task.stats["errors"]}

    return _measured(validate)


def _take_in_all(packages: str, small: str) -> dict[str, Any]:
    """Every package into one warehouse, each in a process of its own; the small one leaves nothing there."""
    from five_precisions.period import Period
    from five_precisions.register import load_register, open_period, save_register
    from five_precisions.settings import Settings
    from five_precisions.warehouse import migrate, open_warehouse

    settings = Settings.load()
    with open_warehouse(settings) as engine:
        migrate(engine)
        with engine.begin() as connection:
            save_register(connection, load_register(settings.register_folder))
            open_period(connection, settings, Period(2019, 6))
        runs = {"small": _run("take-in", WORKBOOK_BANK, small, str(RUNS))}
        return runs | {code: _run("take-in", code, folder, "0") for code, folder in json.loads(packages).items()}


def _take_in(code: str, folder: str, warm_runs: str) -> dict[str, Any]:
    """From a package's bytes to its rows and findings in the warehouse, as `collect` does it.

    With warm runs, the first one warms the process, the median of these follows it, and all of them are rolled back.
    """
    from datetime import datetime

    import great_expectations  # noqa: F401 - imported before the clock starts
    import python_calamine  # noqa: F401

    from five_precisions.intake.inbox import digest_of
    from five_precisions.intake.judging import judge_package
    from five_precisions.intake.ledger import Submission
    from five_precisions.intake.package import DeliveredFile
    from five_precisions.intake.recording import record, stage
    from five_precisions.intake.ruleset import ruleset_of
    from five_precisions.period import SHANGHAI, Period
    from five_precisions.register import read_register
    from five_precisions.settings import Settings
    from five_precisions.warehouse import open_warehouse

    june, now = Period(2019, 6), datetime.now(SHANGHAI)
    settings = Settings.load()
    pii_key = settings.require_pii_key()
    with open_warehouse(settings) as engine:
        with engine.connect() as connection:
            register = read_register(connection)
        ruleset = ruleset_of(settings, register, june)
        institution = next(each for each in register.open_in(june) if each.code == code)

        def take_in() -> dict[str, Any]:
            begin = time.perf_counter()
            files = [DeliveredFile(path.name, path.read_bytes()) for path in sorted(Path(folder).iterdir())]
            judged = judge_package(files, institution, ruleset)
            judging = time.perf_counter() - begin
            submission = Submission(
                period=june,
                institution_code=code,
                received_at=now,
                delivered_at=now,
                replayed=False,
                digest=digest_of(files),
                files=files,
            )
            with engine.connect() as connection, connection.begin() as transaction:
                backend = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
                before = _cpu_of(backend)
                staged = stage(connection, judged, pii_key)
                record(connection, submission, judged, staged, register, pii_key)
                server_cpu = _cpu_of(backend) - before
                if int(warm_runs):
                    transaction.rollback()
            return {
                "server_cpu": server_cpu,
                "judging": judging,
                "recording": time.perf_counter() - begin - judging,
                "findings": len(judged.findings),
                "rows": sum(report.rows for report in judged.reports if report.verdict == "accepted"),
            }

        runs = [_measured(take_in) for _ in range(1 + int(warm_runs))]
        return _median(runs[1:] or runs)


def _cpu_of(process: int) -> float:
    """CPU seconds of another process, as the kernel counts them."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


_WORKS: Final[dict[str, Callable[..., Any]]] = {
    "write": _write,
    "schema": _write_schema,
    "read": _read,
    "validate": _validate,
    "take-in-all": _take_in_all,
    "take-in": _take_in,
}

if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(_WORKS[sys.argv[1]](*sys.argv[2:])))
    else:
        main()
