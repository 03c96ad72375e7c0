-- How many visits did the month bring (docs/figures.md#visits-and-scoring)?
-- visits_month: rows to registered households, by the household's place and responsible bank; the city counts all rows.
-- visits_made_month: rows that the bank itself delivered.
-- No row where no bank's, or not that bank's, report is in.
with month as (
    select
        visits.household_no,
        visits.delivered_by
    from visits
    where visits.period = :period
),

registered as (
    select
        place.scope,
        place.scope_code,
        count(*) as visits
    from month
    inner join households on month.household_no = households.household_no
    cross join
        lateral (
            values
            ('county', left(households.town_code, 6)),
            ('town', households.town_code),
            ('bank', households.bank_code)
        ) as place (scope, scope_code)
    group by place.scope, place.scope_code
)

select
    'city' as scope,
    :city as scope_code,
    'visits_month' as metric,
    count(*) as value,
    cast(null as numeric) as numerator,
    cast(null as numeric) as denominator
from month
having exists (select 1 from present where present.report = 'visits')
union all
select
    subject.scope,
    subject.scope_code,
    'visits_month' as metric,
    coalesce(registered.visits, 0) as value,
    null as numerator,
    null as denominator
from reported_subject as subject
left join registered
    on
        subject.scope = registered.scope
        and subject.scope_code = registered.scope_code
where
    subject.report = 'households'
    and subject.scope <> 'city'
    and exists (select 1 from present where present.report = 'visits')
union all
select
    subject.scope,
    subject.scope_code,
    'visits_made_month' as metric,
    count(month.delivered_by) as value,
    null as numerator,
    null as denominator
from reported_subject as subject
left join month on subject.scope_code = month.delivered_by
where
    subject.report = 'visits'
    and subject.scope = 'bank'
group by subject.scope, subject.scope_code
