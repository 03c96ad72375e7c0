-- Which is the first month of the records before this one that is still open? One row, of null where there is none.
-- What lies before the newest run has been done without already.
select min(month.period)
from (
    select period from intake.submission
    union
    select period from intake.reopening
) as month
where
    month.period < :period
    and month.period >= :first
    and month.period > (select coalesce(max(run.period), '') from mart.run where run.period < :period)
    and not exists (select from intake.close where close.period = month.period)
