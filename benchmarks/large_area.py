"""A month of a large area, from packages to figures, and how its cost grows (`make bench-large`).

`LOANS=20000 make bench-large` and `INSTITUTIONS=100` ask for less. Every work runs in a process of its own, on one
embedded server. Collect and close use as many processes as the command would. CPU seconds are those of the processes
and of the server together. Peers, each in the same run:

- of a delivery among all others, the same delivery with nobody else's,
- of the close, the code of an earlier commit on a copy of the same warehouse,
- of the statements, the same SQL in DuckDB on Parquet, where DuckDB can run it,
- of an assessment with 24 months of history, the same with one,
- of an assessment with twice as many metrics declared, the same with ours.

The plan of every statement and all results lie in benchmarks/results.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from report import EARLIER, RESULTS, ROOT, Report, unpack_earlier

LOANS: Final = 1_000_000
MONTH: Final = "2019-06"
DATABASE: Final = "five_precisions"
WARMING: Final = "B001"
"""The bank that delivers first in a process: it pays for what a process does once."""
DELIVERING: Final = ("B002", "B003", "B004", "B005", "B006")
"""Banks that deliver alone, and once more among all others; the median of what the others make of it counts."""
HISTORIES: Final = (1, 24)
SHARES: Final = (1000, 100, 10, 1)
"""Of a thousand loans, how many are left for a slope."""
SMALLER: Final = (10, 60)
"""Institutions of the areas beside which the asked number stands, at so many loans or fewer."""
SMALLER_LOANS: Final = 20_000
WORST: Final = 5
PEERS: Final = 12
"""Statements that DuckDB is given."""
_OPTIONS: Final = "-c statement_timeout=15min"
"""Of each session: a statement that does not end is an error."""

Cost = dict[str, Any]


# Limits
CLOSE_BESIDE_EARLIER: Final = 1 / 3
STATEMENT_BESIDE_DUCKDB: Final = 1.5
HISTORY: Final = 1.1
SLOPE: Final = 1.05
MOST_MEGABYTES: Final = 1_500
SECONDS_OF_CHECKS: Final = 0.3
SECONDS_OF_TRIAL: Final = 1
"""Somebody waits for the page."""
SECONDS_OF_PROOF: Final = 2
TWICE_THE_METRICS: Final = 1.1
SECONDS_OF_ASSESS: Final = 46.4
"""0.4 of what a first rewrite of two statements took, of 1,000,000 loans."""


def add_cost(
    report: Report,
    name: str,
    cost: Cost,
    peer: str | None = None,
    peer_cost: Cost | None = None,
    limit: float | None = None,
    *,
    limited: str = "cpu",
) -> None:
    """Keep what a work took: CPU and seconds beside its peer's, one of them limited, and memory."""
    limits = {limited: limit}
    their = peer_cost or {}
    report.add(f"{name}, CPU", cost["cpu"], "s", peer, their.get("cpu"), limits.get("cpu"))
    report.add(f"{name}, CPU of the server", cost["server_cpu"], "s")
    report.add(f"{name}, seconds", cost["seconds"], "s", peer, their.get("seconds"), limits.get("seconds"))
    report.add(f"{name}, peak memory of the process", cost["peak_mb"], "MB", limit=MOST_MEGABYTES)


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description="A month of a large area, and how its cost grows.")
    parser.add_argument("--loans", type=int, default=LOANS)
    parser.add_argument("--institutions", type=int, default=300)
    parser.add_argument("--plain", action="store_true", help="no earlier commit, no history, no slopes")
    asked = parser.parse_args()
    report = Report()
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="five-precisions-bench-") as folder:
        Path(folder).chmod(0o755)
        area = _prepare(Path(folder) / "area")
        named = f"{asked.institutions} institutions, {asked.loans:,} loans"
        with _server(area) as addresses:
            month = _measure_month(report, area, addresses, asked, named)
            _report_statements(report, area, addresses, month["assess"])
            _measure_metrics(report, area, addresses(DATABASE), named)
            if not asked.plain:
                _measure_history(report, area, addresses, named)
                _measure_slope_of_loans(report, area, addresses, asked.loans)
        if not asked.plain:
            shutil.rmtree(area)
            _measure_slope_of_institutions(report, Path(folder), asked, month)
    report.add("all of this benchmark", (time.perf_counter() - begin) / 60, "min")
    report.keep("large-area", named)


def _measure_month(
    report: Report, area: Path, addresses: Callable[..., str], asked: argparse.Namespace, named: str
) -> dict[str, Cost]:
    """Collect, one delivery more, close beside the earlier commit's, assess."""
    add_cost(report, "packages written", _run("write", area, asked.institutions, asked.loans))
    main = addresses(DATABASE)
    month = {"collect": _run("collect", area, warehouse=main)}
    add_cost(report, f"collect, {named}", month["collect"])
    pairs = [
        (
            _run("deliver", area, bank, 1, warehouse=addresses(bank.lower())),
            _run("deliver", area, bank, 2, warehouse=main),
        )
        for bank in DELIVERING
    ]
    alone, among_all = sorted(pairs, key=_difference)[len(pairs) // 2]
    named_delivery = f"one delivery among all, median of {len(pairs)}"
    add_cost(report, named_delivery, among_all, "the same delivery alone", alone)
    difference = _difference((alone, among_all))
    report.add("what one delivery's checks cost for the others, CPU", difference, "s", limit=SECONDS_OF_CHECKS)
    earlier = None if asked.plain else _close_by_earlier_code(area, addresses)
    month["close"] = _run("close", area, warehouse=main)
    close_limit = CLOSE_BESIDE_EARLIER if earlier else None
    add_cost(report, f"close, {named}", month["close"], EARLIER, earlier, close_limit, limited="seconds")
    month["assess"] = _run("assess", area, warehouse=main)
    add_cost(report, f"assess, {named}", month["assess"])
    if asked.loans == LOANS:
        report.add("assess, all of it, CPU", month["assess"]["cpu"], "s", limit=SECONDS_OF_ASSESS)
    tried = _run("try", area, warehouse=main)
    add_cost(report, f"trial of a scheme, {named}", tried, limit=SECONDS_OF_TRIAL)
    return month


def _measure_metrics(report: Report, area: Path, main: str, named: str) -> None:
    """The proof of every figure; and the assessment with each declared metric twice."""
    proofs = sorted(_run("prove", area, warehouse=main)["proofs"], key=lambda proof: proof["seconds"])
    report.add(f"proof of a figure, median of {len(proofs)}, {named}", proofs[len(proofs) // 2]["seconds"], "s")
    for proof in proofs[: -WORST - 1 : -1]:
        title = f"proof of {proof['metric']}, {proof['scope']}, {proof['rows']:,} rows"
        report.add(title, proof["seconds"], "s", limit=SECONDS_OF_PROOF)
    pairs = [(_run("assess-again", area, warehouse=main), _run("assess-twice", area, warehouse=main)) for _ in range(3)]
    once, twice = sorted(pairs, key=lambda pair: pair[1]["cpu"] / pair[0]["cpu"])[1]
    name = f"assess, {twice['metrics']} metrics, median of 3 pairs, {named}"
    add_cost(report, name, twice, "the metrics that there are", once, TWICE_THE_METRICS)


def _difference(pair: tuple[Cost, Cost]) -> float:
    """CPU seconds by which the second work took longer than the first."""
    seconds: float = pair[1]["cpu"] - pair[0]["cpu"]
    return seconds


def _report_statements(report: Report, area: Path, addresses: Callable[..., str], assessed: Cost) -> None:
    """The plans, and the costliest statements beside DuckDB."""
    explained = _run("explain", area, warehouse=addresses(DATABASE))
    RESULTS.mkdir(exist_ok=True)
    costs = sorted(assessed["statements"], key=lambda cost: -cost["cpu"])
    plans = {cost["name"]: cost["plan"] for cost in explained["statements"]}
    parts = [
        f"{cost['name']}: {cost['cpu']:.2f} CPU s, {cost['seconds']:.2f} s, {cost['times']} times\n"
        f"{plans.get(cost['name'], '')}\n"
        for cost in costs
    ]
    (RESULTS / "large-area-plans.txt").write_text("\n".join(parts), encoding="utf-8")
    found = _run_peer(area)
    for cost in [cost for cost in costs if "/" in cost["name"]][:PEERS]:
        peer = found.get(cost["name"], {})
        name = f"statement {cost['name']}, CPU"
        if peer.get("cpu"):
            report.add(name, cost["cpu"], "s", "DuckDB", peer["cpu"], STATEMENT_BESIDE_DUCKDB)
        else:
            report.add(name, cost["cpu"], "s")
        if "reason" in peer:
            print(f"    DuckDB does not run it: {peer['reason']}")
    for part in parts[:WORST]:
        print(part)


def _measure_history(report: Report, area: Path, addresses: Callable[..., str], named: str) -> None:
    """The same month assessed again, with the months before copied from it: many beside one."""
    main = addresses(DATABASE)
    costs: list[Cost] = []
    for months in HISTORIES:
        _run("add-history", area, months, warehouse=main)
        costs.append(_run("assess-again", area, warehouse=main))
    one, many = costs
    add_cost(report, f"assess, {HISTORIES[1]} months of history, {named}", many, "one month of history", one, HISTORY)


def _measure_slope_of_loans(report: Report, area: Path, addresses: Callable[..., str], loans: int) -> None:
    """How the assessment grows where a tenth, a hundredth, a thousandth of households and loans are left."""
    costs = {
        loans * share // 1000: _run("assess-again", area, share, warehouse=addresses(DATABASE)) for share in SHARES
    }
    for number, cost in costs.items():
        report.add(f"figures of {number:,} loans, CPU", cost["cpu"], "s")
    _add_slopes(report, "figures by loans", costs)
    statements = {number: {each["name"]: each for each in cost["statements"]} for number, cost in costs.items()}
    most = statements[max(statements)]
    for name in sorted(most, key=lambda name: -most[name]["cpu"])[:WORST]:
        own = {number: found[name] for number, found in statements.items() if name in found}
        _add_slopes(report, f"statement {name} by loans", own)


def _measure_slope_of_institutions(
    report: Report, folder: Path, asked: argparse.Namespace, month: dict[str, Cost]
) -> None:
    """How collect, close and assess grow with the institutions, at the same number of loans."""
    loans = min(SMALLER_LOANS, asked.loans)
    costs: dict[str, dict[int, Cost]] = {work: {} for work in month}
    if loans == asked.loans:
        costs = {work: {asked.institutions: cost} for work, cost in month.items()}
    wanted = sorted({*(each for each in SMALLER if each < asked.institutions), asked.institutions})
    for institutions in [each for each in wanted if each not in costs["collect"]]:
        area = _prepare(folder / f"area-{institutions}")
        _run("write", area, institutions, loans)
        with _server(area) as addresses:
            for work, own in costs.items():
                own[institutions] = _run(work, area, warehouse=addresses(DATABASE))
                title = f"{work}, {institutions} institutions, {loans:,} loans, CPU"
                report.add(title, own[institutions]["cpu"], "s")
        shutil.rmtree(area)
    for work, own in costs.items():
        _add_slopes(report, f"{work} by institutions", own)


def _add_slopes(report: Report, name: str, costs: dict[int, Cost]) -> None:
    """The slope of the logarithms between neighbours: 1 where twice as much costs twice as much."""
    numbers = sorted(costs)
    for fewer, more in pairwise(numbers):
        low, high = (max(costs[number]["cpu"], 0.01) for number in (fewer, more))
        report.add(
            f"slope of {name}, {fewer:,} to {more:,}", math.log(high / low) / math.log(more / fewer), "", limit=SLOPE
        )


# What the works stand on


def _prepare(area: Path) -> Path:
    """A folder for one area's files and server, and its settings in the environment."""
    from five_precisions.settings import PREFIX

    for name in list(os.environ):
        if name.startswith(PREFIX):
            del os.environ[name]
    area.mkdir()
    os.environ[PREFIX + "VAR"] = str(area / "var")
    os.environ[PREFIX + "SETTLE_SECONDS"] = "0"
    for name in ("PII_KEY", "ARCHIVE_KEY"):
        os.environ[PREFIX + name] = secrets.token_urlsafe(48)
    for name in ("inbox", "register", "reference"):
        os.environ[PREFIX + name.upper()] = str(area / name)
    return area


@contextmanager
def _server(area: Path) -> Iterator[Callable[..., str]]:
    """The addresses of databases on one server, made where they are missing: empty, or copies of another."""
    import psycopg
    from psycopg import sql

    from five_precisions.warehouse.embedded import EmbeddedServer

    made = {DATABASE}
    with ExitStack() as stack:
        url = stack.enter_context(EmbeddedServer(area / "var").borrowed())
        names = {"host": url.query["host"], "user": url.username, "dbname": "postgres"}
        session = stack.enter_context(psycopg.connect(**names, autocommit=True))

        def address(name: str, of: str | None = None) -> str:
            if name not in made:
                template = sql.SQL("template {} strategy file_copy").format(sql.Identifier(of or "template0"))
                locale = sql.SQL("") if of else sql.SQL(" encoding 'UTF8' locale 'C'")
                session.execute(sql.SQL("create database {} {}{}").format(sql.Identifier(name), template, locale))
                made.add(name)
            return url.set(database=name).render_as_string(hide_password=False)

        yield address


def _run(
    work: str,
    area: Path,
    *arguments: object,
    warehouse: str | None = None,
    outbox: str = "outbox",
) -> Cost:
    """Do one of this file's works in a fresh process; what it found out."""
    return _run_script([__file__, "--work", work, str(area), *map(str, arguments)], area, warehouse, outbox)


def _run_script(arguments: list[str], area: Path, warehouse: str | None, outbox: str, code: Path | None = None) -> Cost:
    """Run a script in a fresh process, by default with the present code; what it found out."""
    environment = os.environ | {"FIVE_PRECISIONS_OUTBOX": str(area / outbox), "PGOPTIONS": _OPTIONS}
    if warehouse is not None:
        environment["FIVE_PRECISIONS_WAREHOUSE"] = warehouse
    if code is not None:
        environment["PYTHONPATH"] = str(code)
        environment["FIVE_PRECISIONS_ARCHIVE"] = str(area / "archive-earlier")
    found = area / "found.json"
    done = subprocess.run([sys.executable, *arguments], check=False, env=environment, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stderr[-4000:]}")
    result: Cost = json.loads(found.read_text(encoding="utf-8"))
    found.unlink()
    return result


def _close_by_earlier_code(area: Path, addresses: Callable[..., str]) -> Cost:
    """The close by the earlier commit's code, of the same rows in a warehouse of its own."""
    earlier = unpack_earlier(area)
    script = str(Path(__file__).with_name("earlier_close.py"))
    names = (area, addresses("earlier"), "outbox-earlier", earlier / "include")
    _run_script([script, "open", str(area), MONTH], *names)
    _run("copy-rows", area, addresses("earlier"), warehouse=addresses(DATABASE))
    return _run_script([script, "close", str(area), MONTH], *names)


def _run_peer(area: Path) -> Cost:
    """What DuckDB takes for the statements that were laid out for it, in the peers' own environment."""
    uv = str(Path(sys.executable).with_name("uv"))
    python = area / "peers" / "bin" / "python"
    locked = str(ROOT / "requirements" / "bench.txt")
    for command in (
        [uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(area / "peers")],
        [uv, "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", locked],
        [str(python), str(Path(__file__).with_name("duckdb_peer.py")), str(area / "exported")],
    ):
        subprocess.run(command, check=True)
    found: Cost = json.loads((area / "exported" / "found.json").read_text(encoding="utf-8"))
    return found


# The works


def _work(work: str, area: Path, arguments: list[str]) -> Cost:
    """Do the work on the area's warehouse."""
    if work == "write":
        return _write(area, int(arguments[0]), int(arguments[1]))
    from warehouse_cost import measured

    from five_precisions.register import load_register, save_register
    from five_precisions.settings import Settings
    from five_precisions.warehouse import migrate, open_warehouse

    settings = Settings.load()
    with open_warehouse(settings) as engine:
        if work in {"collect", "deliver"}:
            migrate(engine)
            with engine.begin() as connection:
                save_register(connection, load_register(settings.register_folder))
        cost = _WORKS[work](engine, settings, area, arguments)
        return measured(area / "var" / "warehouse" / "data", cost)


def _write(area: Path, institutions: int, loans: int) -> Cost:
    from warehouse_cost import measured

    from five_precisions_demo.large_area import AreaSize, invent_area, write_area

    def write() -> Cost:
        invented = invent_area(AreaSize.usual(institutions, loans))
        folders = write_area(invented, inbox=area / "inbox", register=area / "register", reference=area / "reference")
        return {"packages": len(folders)}

    return measured(area, write)


def _collect(engine: Any, settings: Any, _area: Path, _arguments: list[str]) -> Callable[[], Cost]:
    import great_expectations  # noqa: F401 - imported before the clock starts

    from five_precisions.collection import collect
    from five_precisions.period import Period

    def work() -> Cost:
        judgements = collect(engine, settings, Period.parse(MONTH), replay=True, processes=settings.process_count)
        assert {str(judgement.verdict) for judgement in judgements} == {"accepted"}
        return {"packages": len(judgements)}

    return work


def _deliver(engine: Any, settings: Any, area: Path, arguments: list[str]) -> Callable[[], Cost]:
    """One bank delivers again, as it does in a month that is under way; another one has done so before."""
    import great_expectations  # noqa: F401 - a worker has it

    from five_precisions.collection import collect
    from five_precisions.period import Period

    month, delivering, version = Period.parse(MONTH), arguments[0], int(arguments[1])
    for code in (WARMING, delivering):
        package = area / "inbox" / MONTH / code
        kept = area / "kept" / code
        if not kept.exists():
            shutil.copytree(package, kept)
        # Taken out of the inbox by the delivery before; empty lines that none had before make it a new version.
        shutil.copytree(kept, package, dirs_exist_ok=True)
        with (package / "loans.csv").open("a", encoding="utf-8") as file:
            file.write("\n" * (1 + DELIVERING.index(delivering)))
        if code == WARMING:
            collect(engine, settings, month, institution=code, notify_missing_cover=False)

    def work() -> Cost:
        (judgement,) = collect(engine, settings, month, institution=delivering, notify_missing_cover=False)
        assert judgement.version == version
        for code in (WARMING, delivering):
            shutil.copytree(area / "kept" / code, area / "inbox" / MONTH / code, dirs_exist_ok=True)
        return {"rows": sum(report.rows for report in judgement.reports)}

    return work


def _close(engine: Any, settings: Any, _area: Path, _arguments: list[str]) -> Callable[[], Cost]:
    from five_precisions.collection import Force, close
    from five_precisions.period import Period

    # Looking into the inbox again is no part of what is compared.
    force = Force("benchmark", "measured without a look into the inbox")

    def work() -> Cost:
        month, processes = Period.parse(MONTH), settings.process_count
        closed = close(engine, settings, month, replay=True, force=force, processes=processes)
        return {"reports": closed.frozen_reports, "receipts": len(closed.cross_checks)}

    return work


def _copy_rows(engine: Any, _settings: Any, _area: Path, arguments: list[str]) -> Callable[[], Cost]:
    """Copy what was delivered into another warehouse, which may lack columns."""
    from sqlalchemy import create_engine

    def work() -> Cost:
        other = create_engine(arguments[0])
        with engine.connect() as source, other.begin() as target:
            target.exec_driver_sql("set local session_replication_role = replica")
            here, there = (_columns(connection, _DELIVERED) for connection in (source, target))
            reads, writes = (each.connection.driver_connection.cursor() for each in (source, target))
            for table in sorted(here.keys() & there.keys()):
                shared = ", ".join(column for column in here[table] if column in there[table])
                with (
                    reads.copy(f"copy (select {shared} from {table}) to stdout") as rows,
                    writes.copy(f"copy {table} ({shared}) from stdin") as into,
                ):
                    for block in rows:
                        into.write(block)
            target.exec_driver_sql("analyze")
        return {"tables": len(here)}

    return work


_DELIVERED: Final = "table_schema in ('intake', 'core')"


def _assess(engine: Any, settings: Any, _area: Path, _arguments: list[str]) -> Callable[[], Cost]:
    from warehouse_cost import StatementWatch

    from five_precisions.figures import assess
    from five_precisions.period import Period

    def work() -> Cost:
        watch = StatementWatch()
        with watch.over(engine):
            assert assess(engine, settings, Period.parse(MONTH)).is_new
        return {"statements": _listed(watch)}

    return work


def _try(engine: Any, settings: Any, _area: Path, _arguments: list[str]) -> Callable[[], Cost]:
    """The month by another scheme; once before the clock starts, as pages are shown by a process that has run."""
    from five_precisions.figures import change_scheme, load_scheme, try_scheme
    from five_precisions.period import Period

    month = Period.parse(MONTH)
    values = {"weights.growth": "10", "weights.visits": "20", "overdue_ratio.no_points_from": "3"}
    scheme = change_scheme(load_scheme(settings, month), values)
    try_scheme(engine, settings, month, scheme)

    def work() -> Cost:
        return {"banks": len(try_scheme(engine, settings, month, scheme).banks)}

    return work


def _assess_again(engine: Any, settings: Any, _area: Path, arguments: list[str]) -> Callable[[], Cost]:
    """The run once more and taken back; of some of a thousand households and their loans, where asked so."""
    from warehouse_cost import StatementWatch, measured

    from five_precisions.figures.assess import make_run, take_inputs
    from five_precisions.period import Period

    share = int(arguments[0]) if arguments else None
    data = Path(_area) / "var" / "warehouse" / "data"

    def work() -> Cost:
        watch = StatementWatch()
        with engine.connect() as connection, connection.begin() as transaction:
            taken = take_inputs(connection, settings, Period.parse(MONTH))
            if share is not None:
                _leave(connection, share)

            def run() -> Cost:
                with watch.over(engine):
                    make_run(connection, taken, revision=2, report_step=lambda _: None)
                return {}

            # Of a share only the figures count: everything was loaded.
            cost = measured(data, run) if share is not None else run()
            transaction.rollback()
        return {**cost, "statements": _listed(watch)}

    return work


def _prove(engine: Any, settings: Any, _area: Path, _arguments: list[str]) -> Callable[[], Cost]:
    """Every figure of the largest subject of each scope, with the first rows behind it."""
    from sqlalchemy import text

    from five_precisions.figures import explain
    from five_precisions.period import Period
    from five_precisions.reference import load_catalogue

    month = Period.parse(MONTH)
    with engine.connect() as connection:
        largest = connection.execute(
            text(
                "select distinct on (scope) scope, scope_code from mart.current_metric "
                "where metric = 'loan_balance' and period = :period order by scope, value desc nulls last"
            ),
            {"period": MONTH},
        )
        codes = {row.scope: row.scope_code for row in largest}

    def work() -> Cost:
        proofs = []
        for code, metric in load_catalogue(settings).metrics.items():
            for scope in metric.scopes:
                begin = time.perf_counter()
                found = explain(engine, settings, code, scope=scope, code=codes[scope], period=month)
                seconds = time.perf_counter() - begin
                assert found.proof is not None
                assert found.is_proved is not False
                proofs.append({"metric": code, "scope": scope, "rows": found.proof.rows, "seconds": seconds})
        return {"proofs": proofs}

    return work


def _assess_twice(engine: Any, settings: Any, _area: Path, _arguments: list[str]) -> Callable[[], Cost]:
    """The run once more and taken back, with each declared metric once more of every second row."""
    from dataclasses import replace

    from five_precisions.figures.assess import make_run, take_inputs
    from five_precisions.period import Period
    from five_precisions.reference import Catalogue

    def of_every_second_row(declared: Any) -> Any:
        if not declared.is_declared:
            return declared
        changed = {
            name: _halved(getattr(declared, name))
            for name in ("value", "numerator", "denominator")
            if getattr(declared, name) is not None
        }
        return declared.model_copy(update=changed)

    def work() -> Cost:
        with engine.connect() as connection, connection.begin() as transaction:
            taken = take_inputs(connection, settings, Period.parse(MONTH))
            metrics = dict(taken.catalogue.metrics)
            for code, metric in taken.catalogue.metrics.items():
                if metric.is_declared:
                    of_banks = metric.of_banks and of_every_second_row(metric.of_banks)
                    metrics[f"{code}_halved"] = of_every_second_row(metric).model_copy(update={"of_banks": of_banks})
            taken = replace(taken, catalogue=Catalogue(metrics=metrics))
            make_run(connection, taken, revision=2, report_step=lambda _: None)
            transaction.rollback()
        return {"metrics": len(metrics)}

    return work


def _halved(measure: Any) -> Any:
    """The same number, of every second row: another one, so that the statement has it to make."""
    halves = tuple(_halved(each) for each in measure.larger_of)
    where = None if halves else f"({measure.where or 'true'}) and mod(row_number, 2) = 0"
    return measure.model_copy(update={"larger_of": halves, "where": where})


def _leave(connection: Any, share: int) -> None:
    """Of the run's households leave some of a thousand, with their loans and visits, and as many other loans."""
    keys = {"loans": "coalesce(household_no, contract_no)", "households": "household_no", "visits": "household_no"}
    for table, key in keys.items():
        connection.exec_driver_sql(
            f"create temporary table kept as select * from {table} where abs(hashtext({key})) %% 1000 < {share}"
        )
        connection.exec_driver_sql(f"truncate {table}")
        connection.exec_driver_sql(f"insert into {table} select * from kept")
        connection.exec_driver_sql("drop table kept")
        connection.exec_driver_sql(f"analyze {table}")


def _explain(engine: Any, settings: Any, area: Path, _arguments: list[str]) -> Callable[[], Cost]:
    """The run once more, each statement with its plan; what the costliest read is laid out for DuckDB."""
    from warehouse_cost import StatementWatch

    from five_precisions.figures.assess import make_run, take_inputs
    from five_precisions.period import Period

    def work() -> Cost:
        watch = StatementWatch(explains=True)
        with engine.connect() as connection, connection.begin() as transaction:
            with watch.over(engine):
                taken = take_inputs(connection, settings, Period.parse(MONTH))
                make_run(connection, taken, revision=2, report_step=lambda _: None)
            explained = [cost for cost in watch.costs.values() if cost.plan]
            explained.sort(key=lambda cost: -cost.cpu)
            _lay_out(connection, area / "exported", {cost.name: cost.text for cost in explained[:PEERS]})
            transaction.rollback()
        return {"statements": _listed(watch)}

    return work


def _listed(watch: Any) -> list[Cost]:
    return [{name: value for name, value in asdict(cost).items() if name != "text"} for cost in watch.costs.values()]


def _lay_out(connection: Any, folder: Path, statements: dict[str, str]) -> None:
    """The statements, and every relation that one of them names, as CSV with its columns' types."""
    folder.mkdir(exist_ok=True)
    (folder / "statements.json").write_text(json.dumps(statements), encoding="utf-8")
    relations = connection.exec_driver_sql(_RELATIONS).all()
    named = [name for (name,) in relations if any(f" {name}" in " ".join(text.split()) for text in statements.values())]
    tables: dict[str, dict[str, str]] = {}
    with connection.connection.driver_connection.cursor() as cursor:
        for name in named:
            columns = connection.exec_driver_sql(_COLUMNS, (name,)).all()
            tables[name] = {
                column: "varchar" if kind.endswith("[]") else _DUCKDB_TYPES.get(kind, kind) for column, kind in columns
            }
            copied = f"copy (select * from {name}) to stdout (format csv, header, null '\\N')"
            with cursor.copy(copied) as rows, (folder / f"{name}.csv").open("wb") as file:
                for block in rows:
                    file.write(block)
    (folder / "tables.json").write_text(json.dumps(tables), encoding="utf-8")


_DUCKDB_TYPES: Final = {"numeric": "double", "jsonb": "json"}
"""Of columns whose type is called otherwise there."""
_RELATIONS: Final = """
select case when nspname like 'pg_temp%%' then relname else nspname || '.' || relname end
from pg_class join pg_namespace on relnamespace = pg_namespace.oid
where relkind in ('r', 'v', 'p') and (relpersistence = 't' or nspname in ('mart', 'core', 'intake', 'registry'))
"""
_COLUMNS: Final = """
select attname, format_type(atttypid, atttypmod) from pg_attribute
where attrelid = cast(%s as regclass) and attnum > 0 and not attisdropped order by attnum
"""


def _add_history(engine: Any, settings: Any, _area: Path, arguments: list[str]) -> Callable[[], Cost]:
    """Months before, copied from the assessed one with its rows: flows in `core`, the ledger, the run's results."""
    from five_precisions.period import Period
    from five_precisions.register import open_period

    def work() -> Cost:
        rows, month = 0, Period.parse(MONTH)
        for back in range(1, int(arguments[0]) + 1):
            month = month.previous()
            with engine.begin() as connection:
                if connection.exec_driver_sql("select 1 from intake.close where period = %s", (str(month),)).first():
                    continue
                open_period(connection, settings, month)
                # Nobody holds what is copied against what it refers to: all of it comes along.
                connection.exec_driver_sql("set local session_replication_role = replica")
                tables = _columns(connection, _MONTHLY)
                for table, columns in tables.items():
                    if columns.keys() & set(_MONTH_KEYS):
                        rows += connection.exec_driver_sql(_copied(table, columns, str(month), back)).rowcount
                connection.exec_driver_sql(_VISITS_BEFORE_LOANS, {"period": str(month), "begin": month.begin})
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("vacuum analyze")
        return {"rows": rows}

    return work


def _columns(connection: Any, of: str) -> dict[str, dict[str, str]]:
    """The columns of the tables of those schemas, with their types; a partition is a part of its table."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.exec_driver_sql(_COLUMNS_OF_TABLES.format(of=of)):
        found.setdefault(table, {})[column] = kind
    return found


_COLUMNS_OF_TABLES: Final = """
select table_schema || '.' || table_name, column_name, data_type
from information_schema.columns join information_schema.tables using (table_schema, table_name)
where table_type = 'BASE TABLE' and is_generated = 'NEVER' and is_identity = 'NO' and {of}
    and not (select relispartition from pg_class where oid = to_regclass(table_schema || '.' || table_name))
order by table_schema, table_name, ordinal_position
"""
_MONTHLY: Final = """
(table_schema in ('intake', 'mart') or table_schema = 'core'
    and table_name in ('delivered_visits', 'delivered_outreach'))
"""
"""Of `core` the flows alone: later runs read no other rows of months before."""
_MONTH_KEYS: Final = ("run_id", "submission_id", "period")
_HAPPENED: Final = frozenset({"visited_on", "held_on"})
_VISITS_BEFORE_LOANS: Final = """
with borrower as (
    select household_no, row_number() over (order by household_no) as place
    from core.delivered_loans
    where microcredit and household_no is not null and date_trunc('month', issued_on) = %(begin)s
    group by household_no
),
visit as (
    select submission_id, row_number, row_number() over (order by submission_id, row_number) as place
    from core.delivered_visits
    where period = %(period)s
)
update core.delivered_visits as delivered set household_no = borrower.household_no, visited_on = %(begin)s
from visit join borrower using (place)
where delivered.period = %(period)s
    and (delivered.submission_id, delivered.row_number) = (visit.submission_id, visit.row_number)
"""
"""Whoever borrowed in a copied month had been visited, as in the month's own: else most loans of its ledger would raise
an alert, and what is measured would be the alerts."""


def _copied(table: str, columns: dict[str, str], month: str, back: int) -> str:
    """Copies a table's rows of the month into an earlier one: codes of the month in texts, days and moments."""

    def cell(column: str, kind: str) -> str:
        if kind == "text":
            return f"replace({column}, '{MONTH}', '{month}')"
        if kind.startswith("timestamp") or column in _HAPPENED:
            return f"cast({column} - make_interval(months => {back}) as {kind})"
        return column

    key = next(name for name in _MONTH_KEYS if name in columns)
    chosen = f"{key} like '{MONTH}%%'" if key != "run_id" else f"run_id = '{MONTH}-r1'"
    if "period" in columns and key == "run_id":
        # A run names the versions of earlier months too; those have runs of their own.
        chosen += f" and period = '{MONTH}'"
    cells = ", ".join(cell(*each) for each in columns.items())
    return f"insert into {table} ({', '.join(columns)}) select {cells} from {table} where {chosen}"


_WORKS: Final[dict[str, Callable[..., Callable[[], Cost]]]] = {
    "collect": _collect,
    "deliver": _deliver,
    "close": _close,
    "assess": _assess,
    "try": _try,
    "assess-again": _assess_again,
    "assess-twice": _assess_twice,
    "prove": _prove,
    "explain": _explain,
    "copy-rows": _copy_rows,
    "add-history": _add_history,
}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        chosen, folder = sys.argv[2], Path(sys.argv[3])
        (folder / "found.json").write_text(json.dumps(_work(chosen, folder, sys.argv[4:])), encoding="utf-8")
    else:
        main()
