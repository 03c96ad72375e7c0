-- In which periods can a reminder be due? One row a period with a deadline between two moments; older ones are left.
select
    deadline.period,
    bool_or(closed.period is not null) as is_closed
from registry.deadline
left join intake.close as closed on deadline.period = closed.period
where deadline.deadline_at between :earliest and :latest
group by deadline.period
order by deadline.period
