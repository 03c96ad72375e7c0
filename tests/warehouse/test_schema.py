"""Migrations up and down, partitions of a period, and who may read what (docs/outputs.md#warehouse)."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from five_precisions.errors import SetupError
from five_precisions.period import Period
from five_precisions.reports import load_reports
from five_precisions.warehouse import create_period_partitions, migrate
from five_precisions.warehouse.schema import alembic_config, require_migrated

SCHEMAS = {"registry", "intake", "core", "mart", "notify"}

# docs/outputs.md: the contract, tested from outside; more columns are welcome.
CONTRACT = {
    "intake.submission": "submission_id period institution_code version received_at replayed digest verdict",
    "intake.report": "submission_id report rows control_total verdict errors warnings",
    "intake.finding": "submission_id report rule level file sheet row_number header cell key value expected message",
    "mart.run": "run_id period revision closed_at input_digest scheme_version code_version current",
    "mart.metric": "run_id period scope scope_code metric value numerator denominator",
    "mart.assessment": "run_id period institution_code score deductions grade rank previous_rank status reason",
    "mart.assessment_item": "run_id period institution_code indicator weight raw points note",
    "mart.ranking": "run_id period board subject_code subject_name value rank previous_rank",
    "mart.target": "year revision from_period reason institution_code fund quota households",
    "mart.household_score": "run_id period household_no town_code bank_code score tier credit_limit",
    "mart.relending_advice": "run_id period institution_code issue extension reason",
    "mart.alert": "run_id period rule aspect level institution_code division_code subject measure threshold detail"
    " case_id",
    "mart.reporting": "run_id period institution_code report status version on_time first_pass errors warnings",
    "notify.message": "message_key kind period recipient status created_at sent_at attempts run_id",
    "notify.approval": "quarter draft run_id shown_digest decision decided_by decided_at remark",
}


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Engine]:
    """A database without our schema."""
    engine = create_engine(empty_database_url)
    yield engine
    engine.dispose()


def contents(engine: Engine) -> set[tuple[str, ...]]:
    """Every column, index, trigger, constraint, right and comment of our schemas, as text."""
    queries = (
        """
        select 'column', table_schema, table_name, column_name, data_type, is_nullable, coalesce(column_default, '')
        from information_schema.columns where table_schema = any(:schemas)
        """,
        "select 'index', schemaname, indexname, indexdef from pg_indexes where schemaname = any(:schemas)",
        """
        select 'trigger', event_object_schema, event_object_table, trigger_name, event_manipulation, action_statement
        from information_schema.triggers where trigger_schema = any(:schemas)
        """,
        """
        select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        from pg_constraint where connamespace::regnamespace::text = any(:schemas)
        """,
        """
        select 'right', oid::regclass::text, coalesce(relacl::text, '')
        from pg_class where relnamespace::regnamespace::text = any(:schemas)
        """,
        """
        select 'comment', objoid::regclass::text, objsubid::text, description
        from pg_description
        inner join pg_class on classoid = 'pg_class'::regclass and objoid = pg_class.oid
        where relnamespace::regnamespace::text = any(:schemas)
        """,
        "select 'view', schemaname, viewname, definition from pg_views where schemaname = any(:schemas)",
    )
    with engine.connect() as connection:
        return {
            tuple(row) for query in queries for row in connection.execute(text(query), {"schemas": sorted(SCHEMAS)})
        }


def test_there_is_one_line_of_revisions() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    revisions = [revision.revision for revision in script.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)
    assert len(revisions) >= 5
    assert script.get_heads() == [revisions[0]]


def test_every_revision_goes_up_and_down_and_up_again(empty: Engine) -> None:
    config = alembic_config()
    before = contents(empty)
    assert before == set()
    states = []
    revisions = [revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    for revision in revisions:
        with empty.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
        states.append(contents(empty))
    assert all(earlier != later for earlier, later in itertools.pairwise(states))
    for state in [*reversed(states[:-1]), before]:
        with empty.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "-1")
        assert contents(empty) == state
    migrate(empty)
    assert contents(empty) == states[-1]


def test_every_table_and_column_says_what_it_holds(engine: Engine) -> None:
    with engine.connect() as connection:
        found = connection.execute(
            text("""
            select concat_ws('.', relnamespace::regnamespace, relname, attname), col_description(pg_class.oid, attnum),
                obj_description(pg_class.oid, 'pg_class')
            from pg_class
            inner join pg_attribute on pg_class.oid = attrelid
            where relnamespace::regnamespace::text = any(:schemas) and relkind in ('r', 'p', 'v')
                and not relispartition and attnum > 0 and not attisdropped
            """),
            {"schemas": sorted(SCHEMAS)},
        ).all()
    assert len(found) > 800
    assert [name for name, column, table in found if not column or not table] == []


def test_what_is_only_added_to_refuses_every_change(engine: Engine) -> None:
    says_so = """
    select cast(cast(class.oid as regclass) as text) from pg_class as class
    where class.relkind = 'r' and obj_description(class.oid, 'pg_class') like '%only added to%'
    """
    with engine.connect() as connection:
        # An attempt to send gets its end later.
        tables = {*connection.execute(text(says_so)).scalars(), "notify.approval"} - {"notify.attempt"}
    assert {"registry.action", "registry.housekeeping", "intake.removed_file"} < tables
    for schema, _, name in sorted(table.partition(".") for table in tables):
        table, last = f"{schema}.{name}", inspect(engine).get_columns(name, schema)[-1]["name"]
        for change in (f"update {table} set {last} = {last}", f"delete from {table}", f"truncate {table}"):
            with pytest.raises(DBAPIError, match=f"{table} is only added to"), engine.begin() as connection:
                connection.execute(text(change))


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    before = contents(engine)
    assert len(before) > 200
    migrate(engine)
    assert contents(engine) == before


def test_a_month_of_another_age_that_was_closed_by_a_slip_is_taken_off_the_record(empty: Engine) -> None:
    """No command takes such a month any more, so none could reopen it; what hangs on a delivery stays."""
    config = alembic_config()
    with empty.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0014")
        connection.execute(text("insert into registry.division values ('441700', '市', 'city', null)"))
        connection.execute(
            text(
                "insert into registry.institution values "
                "('B01', '行', '行', 'bank', '441700', false, '2010-01-01', null)"
            )
        )
        for month in ("0201-06", "0001-01", "2018-12"):
            connection.execute(
                text("insert into registry.period (period, deadline_at) values (:month, now())"), {"month": month}
            )
            connection.execute(
                text("insert into intake.close (period, closed_at) values (:month, now())"), {"month": month}
            )
        connection.execute(
            text(
                "insert into intake.submission (submission_id, period, institution_code, version, received_at, "
                "replayed, digest, verdict) values ('0001-01-B01-1', '0001-01', 'B01', 1, now(), false, '', 'accepted')"
            )
        )
        command.upgrade(config, "0016")
        for table in ("registry.period", "intake.close"):
            left = connection.execute(text(f"select period from {table} order by 1")).scalars().all()
            assert left == ["0001-01", "2018-12"], table


def test_two_may_migrate_at_once(empty: Engine, engine: Engine) -> None:
    raised: list[BaseException] = []

    def work() -> None:
        try:
            migrate(empty)
        except BaseException as error:  # noqa: BLE001
            raised.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
    require_migrated(empty)


def test_a_failed_migration_leaves_nothing(empty: Engine) -> None:
    with empty.begin() as connection:
        connection.execute(text("create schema notify"))
    with pytest.raises(ProgrammingError, match='schema "notify" already exists'):
        migrate(empty)
    assert SCHEMAS & set(inspect(empty).get_schema_names()) == {"notify"}


def test_a_warehouse_that_is_not_up_to_date_is_refused(empty: Engine, engine: Engine) -> None:
    require_migrated(engine)
    with pytest.raises(SetupError, match=r"^The warehouse is empty; run: five-precisions init$"):
        require_migrated(empty)
    config = alembic_config()
    with empty.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with pytest.raises(SetupError, match="has an older schema; run: five-precisions init"):
        require_migrated(empty)


def test_a_warehouse_of_a_newer_program_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    for use in (require_migrated, migrate):
        with pytest.raises(
            SetupError, match=r"^The warehouse has the schema 9999 of a newer Five Precisions; use that"
        ):
            use(engine)


def test_a_role_without_the_right_to_set_up_is_told_which(empty: Engine, empty_database_url: str) -> None:
    with empty.begin() as connection:
        connection.execute(text("drop role if exists five_precisions_limited"))
        connection.execute(text("create role five_precisions_limited"))
    limited = create_engine(empty_database_url, connect_args={"options": "-c role=five_precisions_limited"})
    try:
        with pytest.raises(
            SetupError, match=r"^The warehouse cannot be set up: permission denied for .*; its role needs"
        ):
            migrate(limited)
    finally:
        limited.dispose()
        with empty.begin() as connection:
            connection.execute(text("drop role five_precisions_limited"))


@pytest.mark.parametrize("table", CONTRACT)
def test_the_contract_stands(engine: Engine, table: str) -> None:
    schema, name = table.split(".")
    found = {column["name"] for column in inspect(engine).get_columns(name, schema=schema)}
    assert set(CONTRACT[table].split()) - found == set()


def test_every_result_has_a_view_of_what_is_current(engine: Engine) -> None:
    views = set(inspect(engine).get_view_names(schema="mart"))
    results = {table.removeprefix("mart.") for table in CONTRACT if table.startswith("mart.")}
    assert {f"current_{result}" for result in results} - views == set()


def test_a_period_has_its_partitions(engine: Engine) -> None:
    june = Period(2019, 6)
    for _ in range(2):
        with engine.begin() as connection:
            create_period_partitions(connection, june)
    with engine.connect() as connection:
        # Their indexes are inherited, too.
        query = "select oid::regclass::text from pg_class where relispartition and relkind = 'r' order by 1"
        found = connection.execute(text(query)).scalars().all()
    assert found == sorted(f"core.delivered_{report}_2019_06" for report in load_reports())


def test_a_period_that_is_not_opened_takes_no_rows(engine: Engine) -> None:
    insert = text(
        "insert into core.delivered_league values ('2019-06', 's', 'C01', 1, '441700', '阳江', 1, 1.00, 1.00)"
    )
    with engine.connect() as connection, pytest.raises(IntegrityError, match="no partition of relation"):
        connection.execute(insert)


def test_the_reader_reads_mart_and_nothing_else(engine: Engine) -> None:
    inspector = inspect(engine)
    tables = {
        schema: [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]
        for schema in SCHEMAS
    }
    assert all(tables.values())

    def refused(statement: str) -> bool:
        with engine.connect() as connection:
            connection.execute(text("set role five_precisions_reader"))
            try:
                connection.execute(text(statement))
            except ProgrammingError as error:
                return "permission denied" in str(error)
        return False

    for table in tables["mart"]:
        assert not refused(f"select * from mart.{table}"), table
    for table in inspector.get_table_names(schema="mart"):
        assert refused(f"delete from mart.{table}"), table
    for schema in SCHEMAS - {"mart"}:
        for table in tables[schema]:
            assert refused(f"select * from {schema}.{table}"), f"{schema}.{table}"
    assert refused("create table mart.own (word text)")
    assert refused("create table public.own (word text)")
    assert refused("create schema own")


def test_a_table_that_mart_gets_later_is_readable_too(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("create table mart.later as select 1 as one"))
        connection.execute(text("set local role five_precisions_reader"))
        assert connection.execute(text("select one from mart.later")).scalar_one() == 1
