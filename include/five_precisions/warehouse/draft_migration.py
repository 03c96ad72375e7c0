"""Writes the migration for a new report or column: what reports.yaml declares and core lacks (CONTRIBUTING.md#recipes).

`make migration NAME=insured_loans` runs it. A migration stays as it was written, whatever reports.yaml declares later.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine

from five_precisions.errors import RefusedError, SetupError, UsageError
from five_precisions.own_files import MIGRATIONS as MIGRATIONS_OF_ITS_OWN
from five_precisions.own_files import VARIABLE, own_folder
from five_precisions.reports import Column, ColumnType, Report, load_reports
from five_precisions.warehouse.core_views import columns_of, comment_on
from five_precisions.warehouse.declared_columns import is_required, names_freed, names_of
from five_precisions.warehouse.embedded import EmbeddedServer
from five_precisions.warehouse.own_migrations import newest_own_revision, next_own_revision
from five_precisions.warehouse.schema import MIGRATIONS, alembic_config, migrate

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_TYPES: Final = {
    ColumnType.TEXT: "text",
    ColumnType.DATE: "date",
    ColumnType.INT: "integer",
    ColumnType.YUAN: "numeric(18, 2)",
    ColumnType.WAN: "numeric(18, 2)",
    ColumnType.PCT: "numeric(9, 4)",
    ColumnType.YESNO: "boolean",
    ColumnType.CHOICE: "text",
}
_OF_EVERY_REPORT: Final = {
    "period": "month that the row is about, YYYY-MM",
    "submission_id": "receipt number of the version that brought the row",
    "delivered_by": "code of the institution that delivered the row",
    "row_number": "row of the delivered sheet, from 1",
}
_MIGRATION: Final = '''"""{title}: what reports.yaml declares of it (docs/reports.md)."""

from alembic import op

from five_precisions.warehouse.core_views import drop_view, make_view

revision = "{revision}"
down_revision = {before}
branch_labels = None
depends_on = None

TABLES = """
{tables}
"""

UNDO = """
{undo}
"""

REPORTS = {reports}
NEW = {new}


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(TABLES)
    for report in REPORTS:
        drop_view(connection, report)
        make_view(connection, report)


def downgrade() -> None:
    connection = op.get_bind()
    for report in REPORTS:
        drop_view(connection, report)
    connection.exec_driver_sql(UNDO)
    for report in REPORTS:
        if report not in NEW:
            make_view(connection, report)
'''


def draft_migration(engine: Engine, name: str, folder: Path = MIGRATIONS / "versions", *, is_own: bool = False) -> Path:
    """Write the migration from what a migrated warehouse holds to what reports.yaml declares; its file.

    Args:
        engine: Of a migrated warehouse, most often of one without rows.
        name: What it brings, as the name of its file says.
        folder: Where it is written.
        is_own: Whether it is the installation's own, numbered by itself.

    A column that comes to a table with rows may be empty there, whatever reports.yaml says: earlier months lack it.
    One that ends, or need not be filled in any more, may be empty from then on.

    Raises:
        RefusedError: the warehouse holds everything that is declared.
    """
    new: list[Report] = []
    tables: list[str] = []
    undo: list[str] = []
    touched: list[str] = []
    with engine.connect() as connection:
        for report in load_reports().values():
            held = columns_of(connection, f"core.delivered_{report.code}").keys()
            added = [column for column in report.columns if column.name not in held]
            freed = [] if not held else names_freed(connection, report)
            if not added and not freed:
                continue
            touched.append(report.code)
            if not held:
                new.append(report)
                tables.append(_create(report))
                undo.append(f"drop table core.delivered_{report.code};")
                continue
            tables += [_add(report, column) for column in added]
            undo += [f"alter table core.delivered_{report.code} drop column {each};" for each in names_of(added)]
            column_of = f"alter table core.delivered_{report.code} alter column"
            tables += [f"{column_of} {each} drop not null;" for each in freed]
            undo += [f"{column_of} {each} set not null;" for each in freed]
    if not touched:
        raise RefusedError("core holds every report and column that reports.yaml declares.")
    if is_own:
        newest = newest_own_revision(MIGRATIONS)
        revision = next_own_revision(newest)
    else:
        newest = str(ScriptDirectory.from_config(alembic_config()).get_current_head())
        revision = f"{int(newest) + 1:04d}"
    path = folder / f"{revision}_{name}.py"
    path.write_text(
        _MIGRATION.format(
            title=name.replace("_", " ").capitalize(),
            revision=revision,
            before="None" if newest is None else f'"{newest}"',
            tables="\n\n".join(tables),
            undo="\n".join(undo),
            reports=_listed(touched),
            new=_listed([report.code for report in new]),
        ),
        encoding="utf-8",
    )
    return path


def _listed(codes: list[str]) -> str:
    """A tuple of texts as Python writes it."""
    quoted = ", ".join(f'"{code}"' for code in codes)
    return f"({quoted},)" if len(codes) == 1 else f"({quoted})"


def _create(report: Report) -> str:
    columns = [
        "period text not null",
        "submission_id text not null references intake.submission (submission_id)",
        "delivered_by text not null",
        "row_number integer not null",
        *(line for column in report.columns for line in _lines(column, required=is_required(report, column))),
        "primary key (period, submission_id, row_number)",
    ]
    table = f"core.delivered_{report.code}"
    comments = _OF_EVERY_REPORT | {
        name: comment for column in report.columns for name, comment in _described(column).items()
    }
    return "\n".join(
        [
            f"create table {table} (",
            ",\n".join(f"    {line}" for line in columns),
            ") partition by list (period);",
            f"comment on table {table} is 'rows of the report {report.code} in every accepted version';",
            *(comment_on(f"{table}.{name}", comment) + ";" for name, comment in comments.items()),
        ]
    )


def _add(report: Report, column: Column) -> str:
    table = f"core.delivered_{report.code}"
    return "\n".join(
        [
            *(f"alter table {table} add column {line};" for line in _lines(column, required=False)),
            *(comment_on(f"{table}.{name}", comment) + ";" for name, comment in _described(column).items()),
        ]
    )


def _lines(column: Column, *, required: bool) -> list[str]:
    """The column, and its keyed hash where it has one, as a statement defines them."""
    end = " not null" if required else ""
    lines = [f"{column.name} {_TYPES[column.type]}{end}"]
    return lines if column.hash_name is None else [*lines, f"{column.hash_name} text{end}"]


def _described(column: Column) -> dict[str, str]:
    """Comments of the column and its hash: its header, for who writes the migration to put into words."""
    masked = f"{column.header}, masked" if column.sensitive else column.header
    described = {column.name: masked}
    return described if column.hash_name is None else described | {column.hash_name: f"keyed hash of {column.header}"}


def draft_own(name: str) -> Path:
    """Write the installation's own migration, by a warehouse of nothing that is made for it; its file.

    Raises:
        UsageError: the name is no name of a file.
        SetupError: the environment names no own folder, or the migrations in it are wrong.
        RefusedError: what is declared needs no migration.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} names no migration: small letters, digits and _ only, a letter first.")
    own = own_folder()
    if own is None:
        raise SetupError(f"{VARIABLE} names no folder, so nothing is declared beyond ours.")
    # The declaration is read before a server is made for it.
    load_reports()
    with empty_warehouse() as engine:
        migrate(engine, is_draft=True)
        folder = own / MIGRATIONS_OF_ITS_OWN
        folder.mkdir(exist_ok=True)
        return draft_migration(engine, name, folder, is_own=True)


@contextmanager
def empty_warehouse() -> Iterator[Engine]:
    """An engine on a warehouse of nothing, not migrated, that goes with the block."""
    with ExitStack() as until_done:
        folder = Path(until_done.enter_context(tempfile.TemporaryDirectory()))
        engine = create_engine(until_done.enter_context(EmbeddedServer(folder).borrowed()))
        until_done.callback(engine.dispose)
        yield engine


def main() -> None:
    """Write the migration by a warehouse of nothing, made for it, or in the empty database whose address is given."""
    name, *addresses = sys.argv[1:]
    with ExitStack() as until_written:
        if addresses:
            engine = create_engine(addresses[0])
            until_written.callback(engine.dispose)
        else:
            engine = until_written.enter_context(empty_warehouse())
        migrate(engine, is_draft=True)
        print(draft_migration(engine, name))  # noqa: T201 - a command of the developer's


if __name__ == "__main__":
    main()
