-- How many files does the delivery record name that are not among those given? One row.
select count(distinct file.sha256) as files
from intake.file
where
    file.sha256 <> all(cast(:stored as text[]))
    and not exists (select from intake.removed_file as removed where file.sha256 = removed.sha256)
