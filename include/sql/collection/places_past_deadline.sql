-- Which institutions can deliver for which periods only too late? One row a period and institution.
select
    deadline.period,
    deadline.institution_code
from registry.deadline
left join intake.close as closed on deadline.period = closed.period
where closed.period is not null or deadline.deadline_at <= :now
order by deadline.period, deadline.institution_code
