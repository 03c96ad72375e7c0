-- Which banks have another grade than the best that their score reaches, which households another tier, or a limit
-- above their tier's? One row per bank or household.
--
-- invariant: grades and tiers are those that the scores reach
with graded as (
    select
        assessment.institution_code as code,
        assessment.score,
        assessment.grade as given,
        (
            select step.grade
            from jsonb_to_recordset(cast(:grades as jsonb)) as step (grade text, at_least numeric)
            where step.at_least <= assessment.score
            order by step.at_least desc
            limit 1
        ) as reached
    from mart.assessment
    where assessment.run_id = :run_id
),

tier as (
    select
        step.tier,
        step.credit_limit,
        step.at_least,
        lead(step.at_least) over (order by step.at_least) as below
    from jsonb_to_recordset(cast(:tiers as jsonb)) as step (tier text, at_least numeric, credit_limit numeric)
)

select
    graded.code as subject,
    concat('grade ', graded.given, ' with score ', graded.score) as detail
from graded
where graded.given is distinct from graded.reached
union all
select
    household_score.household_no as subject,
    concat(
        'tier ', household_score.tier, ', limit ', household_score.credit_limit, ' with score ', household_score.score
    ) as detail
from mart.household_score
left join tier on household_score.tier = tier.tier
where
    household_score.run_id = :run_id
    and (
        tier.tier is null
        or household_score.score < tier.at_least
        or household_score.score >= tier.below
        or household_score.credit_limit > tier.credit_limit
    )
order by subject, detail
