-- What do the comments on tables, views and columns of our schemas say? One row per column, in the order of the page:
-- the schemas as the migrations make them, then tables and views by name. Partitions hold what their tables do.
select
    space.nspname as schema,
    relation.relname as relation,
    relation.relkind = 'v' as is_view,
    obj_description(relation.oid, 'pg_class') as meaning,
    own.attname as name,
    format_type(own.atttypid, own.atttypmod) as type,
    own.attnotnull as is_required,
    col_description(relation.oid, own.attnum) as holds
from pg_class as relation
inner join pg_namespace as space on relation.relnamespace = space.oid
inner join pg_attribute as own on relation.oid = own.attrelid
where
    relation.relkind in ('r', 'p', 'v')
    and not relation.relispartition
    and space.nspname not in ('pg_catalog', 'information_schema', 'public')
    and space.nspname not like 'pg\_%'
    and own.attnum > 0
    and not own.attisdropped
order by space.oid, relation.relname, own.attnum
