-- How many different things do the rows of evidence of a figure count, where none of them adds anything? One row.
with once as (
    select
        evidence.counted,
        count(*) as rows,
        count(*) filter (where evidence.part <> 'denominator') as above,
        count(*) filter (where evidence.part <> 'numerator') as below
    from evidence
    group by evidence.counted
)

select
    cast(coalesce(sum(once.rows), 0) as bigint) as rows,
    cast(coalesce(sum(once.above), 0) as bigint) as above,
    cast(coalesce(sum(once.below), 0) as bigint) as below,
    count(once.counted) filter (where once.above > 0) as numerator,
    count(once.counted) filter (where once.below > 0) as denominator
from once
