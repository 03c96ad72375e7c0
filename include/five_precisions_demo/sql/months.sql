-- How far has each month of the demo come? One row a month, in their order.
select
    months.period,
    (
        select count(distinct submission.institution_code)
        from intake.submission
        where submission.period = months.period
    ) as delivered,
    exists(
        select 1
        from intake.close
        where close.period = months.period
    ) as closed,
    exists(
        select 1
        from mart.run
        where run.period = months.period
    ) as assessed
from unnest(cast(:periods as text[])) as months (period)
order by months.period
