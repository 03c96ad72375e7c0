-- Notes files that are on record. One row a file that nobody has noted before.
-- They come in one order everywhere: two who take the same files wait for one another, and do not block.
insert into intake.taken_file (period, institution_code, path, identity)
select
    :period as period,
    :institution_code as institution_code,
    file.path,
    file.identity
from unnest(cast(:paths as text[]), cast(:identities as text[])) as file (path, identity)
order by file.path
on conflict (period, institution_code, path) do update
    set identity = excluded.identity
    where taken_file.identity <> excluded.identity
returning path
