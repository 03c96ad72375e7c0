-- Is a month's table to be counted, for it was never counted or has doubled since? One row.
-- Where a count was taken back, the size at that count stays in `pg_class`, and what was counted does not.
select
    pg_relation_size(pg_class.oid) >= 2 * pg_class.relpages * current_setting('block_size')::bigint
    or not exists (
        select from pg_stats
        where
            pg_stats.schemaname = 'core'
            and pg_stats.tablename = pg_class.relname
    ) as is_to_count
from pg_class
where pg_class.oid = cast(:partition as regclass)
