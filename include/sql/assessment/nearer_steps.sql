-- Which steps are to be judged next to find the smallest that is enough? At the most 32 per bank and indicator, evenly
-- between the largest known that is not enough and the smallest that is; none where these are neighbours.
with known as (
    select
        judged_step.code,
        judged_step.indicator,
        coalesce(max(judged_step.step) filter (where not judged_step.is_enough), 0) as low,
        min(judged_step.step) filter (where judged_step.is_enough) as high
    from judged_step
    group by judged_step.code, judged_step.indicator
)

insert into wanted_step
select distinct
    known.indicator,
    known.code,
    known.low + ceil((known.high - known.low) * part.number / 33) as step,
    :round as round
from known
cross join generate_series(cast(1 as numeric), 32) as part (number)
where known.low + ceil((known.high - known.low) * part.number / 33) < known.high
