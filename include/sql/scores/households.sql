-- What does every household able to work score, which tier and credit limit does that give (docs/figures.md#scorecard)?
-- One row per household; each item of the score is kept; the limit is in yuan, less the microcredit still owed.
with workers_band as (
    select
        array_agg(band.at_least order by band.at_least) as bounds,
        array_agg(band.points order by band.at_least) as points
    from (
        select
            declared.at_least,
            max(declared.points) over (order by declared.at_least) as points
        from jsonb_to_recordset(cast(:workers as jsonb)) as declared (at_least numeric, points numeric)
    ) as band
),

income_band as (
    select
        array_agg(band.at_least order by band.at_least) as bounds,
        array_agg(band.points order by band.at_least) as points
    from (
        select
            declared.at_least,
            max(declared.points) over (order by declared.at_least) as points
        from jsonb_to_recordset(cast(:income_per_head as jsonb)) as declared (at_least numeric, points numeric)
    ) as band
),

-- The bounds are upper ones: turned round, so that they rise and a value on one is still within it.
debts_band as (
    select
        array_agg(-band.at_most order by -band.at_most) as bounds,
        array_agg(band.points order by -band.at_most) as points
    from (
        select
            declared.at_most,
            max(declared.points) over (order by declared.at_most desc) as points
        from jsonb_to_recordset(cast(:debts_to_income as jsonb)) as declared (at_most numeric, points numeric)
    ) as band
),

tier_band as (
    select
        array_agg(declared.at_least order by declared.at_least) as bounds,
        array_agg(declared.tier order by declared.at_least) as tiers,
        array_agg(declared.credit_limit order by declared.at_least) as credit_limits
    from
        jsonb_to_recordset(cast(:tiers as jsonb))
            as declared (tier text, at_least numeric, credit_limit numeric)
),

measured as (
    select
        households.household_no,
        households.town_code,
        households.bank_code,
        households.has_business,
        households.trained,
        visited.conduct_mean,
        cast(households.workers as numeric) as workers,
        households.income_per_head,
        case
            when households.debts = 0 then 0
            else households.debts / nullif(households.income_per_head * households.members, 0)
        end as debts_to_income,
        coalesce(borrowing.owed, 0) as microcredit_owed
    from households
    left join visited_household as visited on households.household_no = visited.household_no
    left join borrowing_household as borrowing on households.household_no = borrowing.household_no
    where households.workers > 0
),

-- width_bucket() says how many of the bounds a value has reached; below the first there is no element, and no points.
pointed as (
    select
        measured.*,
        workers_band.points[width_bucket(measured.workers, workers_band.bounds)] as workers_points,
        income_band.points[width_bucket(measured.income_per_head, income_band.bounds)] as income_points,
        coalesce(debts_band.points[width_bucket(-measured.debts_to_income, debts_band.bounds)], 0) as debts_points,
        case when measured.has_business then cast(:has_business as numeric) else 0 end as business_points,
        case when measured.trained then cast(:trained as numeric) else 0 end as training_points,
        coalesce(
            measured.conduct_mean * cast(:conduct_factor as numeric),
            cast(:conduct_without as numeric)
        ) as conduct_points
    from measured
    cross join workers_band
    cross join income_band
    cross join debts_band
),

-- Counted once: the tier, the limit and the filter would each count all points once more.
summed as materialized (
    select
        pointed.*,
        round(
            pointed.workers_points + pointed.income_points + pointed.debts_points
            + pointed.business_points + pointed.training_points + pointed.conduct_points,
            2
        ) as score
    from pointed
),

scored as (
    select
        summed.*,
        width_bucket(summed.score, tier_band.bounds) as tier_number,
        tier_band.tiers,
        tier_band.credit_limits
    from summed
    cross join tier_band
)

insert into mart.household_score
select
    :run_id as run_id,
    :period as period,
    scored.household_no,
    scored.town_code,
    scored.bank_code,
    scored.workers_points,
    scored.income_points,
    scored.debts_points,
    scored.business_points,
    scored.training_points,
    scored.conduct_points,
    scored.score,
    scored.tiers[scored.tier_number] as tier,
    greatest(scored.credit_limits[scored.tier_number] - scored.microcredit_owed, 0) as credit_limit
from scored
where scored.tier_number > 0
order by scored.household_no
