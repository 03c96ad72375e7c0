-- What does every household able to work score, which tier and credit limit does that give (docs/figures.md#scorecard)?
-- One row per household; each item of the score is kept; the limit is in yuan, less the microcredit still owed.
with conduct as (
    select
        visits.household_no,
        avg(visits.conduct) as conduct_mean
    from visits
    where visits.conduct is not null
    group by visits.household_no
),

owed as (
    select
        loans.household_no,
        sum(loans.balance) as microcredit_owed
    from loans
    where loans.microcredit
    group by loans.household_no
),

measured as (
    select
        households.household_no,
        households.town_code,
        households.bank_code,
        households.has_business,
        households.trained,
        conduct.conduct_mean,
        households.workers,
        households.income_per_head,
        case
            when households.debts = 0 then 0
            else households.debts / nullif(households.income_per_head * households.members, 0)
        end as debts_to_income,
        coalesce(owed.microcredit_owed, 0) as microcredit_owed
    from households
    left join conduct on households.household_no = conduct.household_no
    left join owed on households.household_no = owed.household_no
    where households.workers > 0
),

pointed as (
    select
        measured.*,
        (
            select max(band.points)
            from jsonb_to_recordset(cast(:workers as jsonb)) as band (at_least numeric, points numeric)
            where measured.workers >= band.at_least
        ) as workers_points,
        (
            select max(band.points)
            from jsonb_to_recordset(cast(:income_per_head as jsonb)) as band (at_least numeric, points numeric)
            where measured.income_per_head >= band.at_least
        ) as income_points,
        coalesce(
            (
                select max(band.points)
                from jsonb_to_recordset(cast(:debts_to_income as jsonb)) as band (at_most numeric, points numeric)
                where measured.debts_to_income <= band.at_most
            ),
            0
        ) as debts_points,
        case when measured.has_business then cast(:has_business as numeric) else 0 end as business_points,
        case when measured.trained then cast(:trained as numeric) else 0 end as training_points,
        coalesce(
            measured.conduct_mean * cast(:conduct_factor as numeric),
            cast(:conduct_without as numeric)
        ) as conduct_points
    from measured
),

scored as (
    select
        pointed.*,
        round(
            pointed.workers_points + pointed.income_points + pointed.debts_points
            + pointed.business_points + pointed.training_points + pointed.conduct_points,
            2
        ) as score
    from pointed
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
    tier.tier,
    greatest(tier.credit_limit - scored.microcredit_owed, 0) as credit_limit
from scored
cross join
    lateral (
        select
            band.tier,
            band.credit_limit
        from jsonb_to_recordset(cast(:tiers as jsonb)) as band (tier text, at_least numeric, credit_limit numeric)
        where scored.score >= band.at_least
        order by band.at_least desc
        limit 1
    ) as tier
order by scored.household_no
