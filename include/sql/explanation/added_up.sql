-- What do the rows of evidence of a figure come to? One row. Where none of a part adds anything, the part is how many
-- different things are counted.
with once as (
    select
        evidence.counted,
        count(*) as rows,
        count(*) filter (where evidence.part <> 'denominator') as above,
        count(*) filter (where evidence.part <> 'numerator') as below,
        sum(evidence.numerator) as numerator,
        sum(evidence.denominator) as denominator
    from evidence
    group by evidence.counted
)

select
    cast(coalesce(sum(once.rows), 0) as bigint) as rows,
    cast(coalesce(sum(once.above), 0) as bigint) as above,
    cast(coalesce(sum(once.below), 0) as bigint) as below,
    coalesce(trim_scale(sum(once.numerator)), count(once.counted) filter (where once.above > 0)) as numerator,
    coalesce(trim_scale(sum(once.denominator)), count(once.counted) filter (where once.below > 0)) as denominator
from once
