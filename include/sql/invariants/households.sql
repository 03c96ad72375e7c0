-- Which households have a score outside 0 to 100, a score that its items do not give, or a negative limit?
-- One row per household.
--
-- invariant: scores of households are the sum of their items, and limits are not negative
select
    household_score.household_no as subject,
    concat('score ', household_score.score, ', limit ', household_score.credit_limit) as detail
from mart.household_score
where
    household_score.run_id = :run_id
    and (
        household_score.score not between 0 and 100
        or household_score.credit_limit < 0
        or household_score.score <> round(
            household_score.workers_points + household_score.income_points + household_score.debts_points
            + household_score.business_points + household_score.training_points + household_score.conduct_points,
            2
        )
    )
order by subject
