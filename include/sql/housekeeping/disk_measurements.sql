-- How much was free on each disk, at each look since the moment given? One row per look and folder, oldest first.
select
    disk.folder,
    housekeeping.done_at,
    cast(disk.free as bigint) as free
from registry.housekeeping
cross join
    lateral jsonb_to_recordset(housekeeping.detail -> 'disks') as disk (folder text, free numeric)
where
    housekeeping.task = 'disk'
    and housekeeping.outcome = 'done'
    and housekeeping.done_at >= :since
order by disk.folder, housekeeping.done_at
