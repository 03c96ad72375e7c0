-- Where do the categories of loans not add up to their total? One row per subject and total.
--
-- invariant: categories add up to their total
with figure as (
    select
        metric.scope,
        metric.scope_code,
        max(metric.value) filter (where metric.metric = 'loan_balance') as balance,
        max(metric.value) filter (where metric.metric = 'loan_balance_industry') as industry,
        max(metric.value) filter (where metric.metric = 'loan_balance_personal') as personal,
        max(metric.value) filter (where metric.metric = 'loan_balance_operating') as operating,
        max(metric.value) filter (where metric.metric = 'loan_balance_education') as education,
        max(metric.value) filter (where metric.metric = 'loan_balance_consumption') as consumption
    from mart.metric
    where metric.run_id = :run_id
    group by metric.scope, metric.scope_code
)

select
    concat(figure.scope, ' ', figure.scope_code) as subject,
    concat('loan_balance ', figure.balance, ', its categories ', figure.industry + figure.personal) as detail
from figure
where figure.balance is distinct from figure.industry + figure.personal
union all
select
    concat(figure.scope, ' ', figure.scope_code) as subject,
    concat(
        'loan_balance_personal ', figure.personal, ', its categories ',
        figure.operating + figure.education + figure.consumption
    ) as detail
from figure
where figure.personal is distinct from figure.operating + figure.education + figure.consumption
order by subject, detail
