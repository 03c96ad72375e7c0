"""The migration that is written for a report or a column that reports.yaml declares anew."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, text
from tests.rows import rows
from tests.warehouse.test_schema import contents

from five_precisions.errors import RefusedError
from five_precisions.period import Period
from five_precisions.reports import Column, ColumnType, Report, ReportKind, Sensitivity, load_reports
from five_precisions.warehouse import draft_migration as drafting
from five_precisions.warehouse import migrate, schema
from five_precisions.warehouse.draft_migration import draft_migration

JUNE = Period(2019, 6)
INSURED = Column(header="是否投保", name="insured", type=ColumnType.YESNO)
POLICY = Column(header="保单100%证件", name="policy", type=ColumnType.TEXT, max=20, sensitive=Sensitivity.ID)
TRAINING = Report(
    code="training",
    title="就业培训台账",
    owners=("county_office",),
    kind=ReportKind.FLOW,
    key=("household_no",),
    columns=(
        Column(header="户编号", name="household_no", type=ColumnType.TEXT, max=30),
        Column(header="补贴", name="subsidy", type=ColumnType.WAN, optional=True),
    ),
)


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Engine]:
    """A database without our schema."""
    engine = create_engine(empty_database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the migrations, to write one more into; the folder of the versions."""
    folder = shutil.copytree(schema.MIGRATIONS, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(schema, "MIGRATIONS", folder)
    return folder / "versions"


def declare(monkeypatch: pytest.MonkeyPatch, *reports: Report) -> None:
    """These reports beside the shipped ones, or in their place."""
    declared = load_reports() | {report.code: report for report in reports}
    for module in (drafting, schema):
        monkeypatch.setattr(module, "load_reports", lambda: declared)


def with_columns(code: str, *columns: Column) -> Report:
    report = load_reports()[code]
    return report.model_copy(update={"columns": (*report.columns, *columns)})


def named(engine: Engine) -> set[tuple[str, ...]]:
    """What the database holds, without the numbers of columns: those are never given twice."""
    return {(*row[:2], row[-1]) if row[0] == "comment" else row for row in contents(engine)}


def test_core_holds_what_is_declared(engine: Engine) -> None:
    with pytest.raises(RefusedError, match="core holds every report and column"):
        draft_migration(engine, "nothing")


def test_it_goes_up_and_down_and_up_again(empty: Engine, migrations: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(empty)
    before = contents(empty)
    newest = max(path.name for path in migrations.glob("*.py"))
    declare(monkeypatch, with_columns("loans", INSURED, POLICY), TRAINING)

    path = draft_migration(empty, "insured_loans", migrations)
    assert path == migrations / f"{int(newest[:4]) + 1:04d}_insured_loans.py"
    migrate(empty)
    after, held = contents(empty), named(empty)
    new = {row for row in after - before if row[0] == "column"}
    added = {(row[1], row[2], row[3], row[4], row[5]) for row in new if not row[2].startswith("delivered_training")}
    assert added == {
        ("core", table, name, kind, "YES")
        for table in ("delivered_loans", "loans")
        for name, kind in (("insured", "boolean"), ("policy", "text"), ("policy_hash", "text"))
    } | {
        ("core", "training", name, kind, "YES")
        for name, kind in (
            *((name, "text") for name in ("period", "submission_id", "delivered_by", "household_no")),
            ("row_number", "integer"),
            ("subsidy", "numeric"),
        )
    }
    assert ("core", "delivered_training", "subsidy", "YES") in {(*row[1:4], row[5]) for row in new}
    assert ("core", "delivered_training", "household_no", "NO") in {(*row[1:4], row[5]) for row in new}
    comments = "select col_description('core.loans'::regclass, attnum) from pg_attribute where attname = 'policy'"
    assert ("保单100%证件, masked",) in rows(empty, f"{comments} and attrelid = 'core.loans'::regclass")

    config = schema.alembic_config()
    with empty.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "-1")
    assert contents(empty) == before
    migrate(empty)
    assert named(empty) == held


def test_a_month_that_is_open_takes_a_report_that_comes_later(
    empty: Engine, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty)
    with empty.begin() as connection:
        connection.execute(text("insert into registry.period (period, deadline_at) values ('2019-06', now())"))
        schema.create_period_partitions(connection, JUNE)
    declare(monkeypatch, TRAINING)
    draft_migration(empty, "training", migrations)
    migrate(empty)
    partition = "select to_regclass('core.delivered_training_2019_06') is not null"
    assert rows(empty, partition) == [(True,)]


def test_a_column_that_ends_may_be_empty_from_then_on(
    empty: Engine, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So may one that need not be filled in any more, and the hash of one that has one."""
    migrate(empty)
    before = contents(empty)
    grid = load_reports()["grid"]
    changed = {"head": {"until": "2019-12"}, "head_phone": {"optional": True}}
    columns = tuple(
        Column.model_validate(column.model_dump(by_alias=True, exclude_unset=True) | changed.get(column.name, {}))
        for column in grid.columns
    )
    declare(monkeypatch, grid.model_copy(update={"columns": columns}))

    written = draft_migration(empty, "grid", migrations).read_text(encoding="utf-8")
    assert "add column" not in written
    migrate(empty)
    freed = {(row[2], row[3]) for row in contents(empty) - before if row[0] == "column"}
    assert freed == {("delivered_grid", name) for name in ("head", "head_phone", "head_phone_hash")}
    with pytest.raises(RefusedError, match="core holds every report and column"):
        draft_migration(empty, "again", migrations)
    config = schema.alembic_config()
    with empty.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "-1")
    assert contents(empty) == before


def test_core_holds_columns_as_they_would_be_made(engine: Engine) -> None:
    held = dict(
        rows(
            engine,
            "select concat_ws('.', relname, attname), concat(format_type(atttypid, atttypmod), "
            "case when attnotnull then ' not null' end) from pg_attribute "
            "inner join pg_class on attrelid = pg_class.oid "
            "where relnamespace = 'core'::regnamespace and relkind = 'p'",
        )
    )
    lines = {
        f"delivered_{report.code}.{line.split()[0]}": line.partition(" ")[2].replace(", ", ",")
        for report in load_reports().values()
        for column in report.columns
        for line in drafting._lines(column, required=not column.optional)
    }
    assert len(lines) > 100
    assert {name: held[name] for name in lines} == lines
