-- Which tables hold rows of ours? One row per table, a partition being one, by name.
select concat(quote_ident(pg_namespace.nspname), '.', quote_ident(pg_class.relname)) as table_name
from pg_class
inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
where
    pg_class.relkind = 'r'
    and (
        pg_namespace.nspname in ('registry', 'intake', 'core', 'mart', 'notify')
        or (
            pg_namespace.nspname = 'public'
            and pg_class.relname = 'alembic_version'
        )
    )
order by table_name
