-- By which statements does whoever has nothing but the role five_precisions_reader lose what it could make in this
-- database: temporary tables, tables of its own, large objects? One row a statement, in the order in which they run;
-- is_ours: whether this session's role may run it. None where nothing is left to take.
with open_to_temporary_tables as (
    select
        pg_database.datname,
        pg_has_role(pg_database.datdba, 'usage') as is_ours
    from pg_database
    where
        pg_database.datname = current_database()
        and has_database_privilege('five_precisions_reader', pg_database.oid, 'temporary')
),

step as (
    select
        1 as place,
        -- Who works with temporary tables keeps the right. An owner has it by itself until it is granted to somebody.
        format('grant temporary on database %I to %I', open_to_temporary_tables.datname, current_user) as statement,
        open_to_temporary_tables.is_ours
    from open_to_temporary_tables
    union all
    select
        2 as place,
        format(
            'revoke temporary on database %I from public, five_precisions_reader', open_to_temporary_tables.datname
        ) as statement,
        open_to_temporary_tables.is_ours
    from open_to_temporary_tables
    union all
    select
        3 as place,
        'revoke create on schema public from public, five_precisions_reader' as statement,
        pg_has_role(pg_namespace.nspowner, 'usage') as is_ours
    from pg_namespace
    where
        pg_namespace.nspname = 'public'
        and has_schema_privilege('five_precisions_reader', pg_namespace.oid, 'create')
    union all
    select
        4 as place,
        concat(
            'revoke execute on function pg_catalog.',
            cast(pg_proc.oid as regprocedure),
            ' from public, five_precisions_reader'
        ) as statement,
        pg_has_role(pg_proc.proowner, 'usage') as is_ours
    from pg_proc
    where
        pg_proc.pronamespace = cast('pg_catalog' as regnamespace)
        and pg_proc.proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_put', 'lowrite')
        and has_function_privilege('five_precisions_reader', pg_proc.oid, 'execute')
)

select
    step.statement,
    step.is_ours
from step
order by
    step.place,
    step.statement
