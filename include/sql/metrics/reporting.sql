-- How well do institutions report (docs/figures.md#reporting)?
-- One row per metric and city (all institutions), county (its office) or bank; rates in percent.
with placed as (
    select
        place.scope,
        place.scope_code,
        reporting.status in ('accepted', 'nil') as received,
        reporting.on_time,
        reporting.first_pass
    from mart.reporting
    inner join open_institution as institution on reporting.institution_code = institution.code
    cross join
        lateral (
            values
            ('city', :city),
            ('county', case when institution.kind = 'county_office' then institution.division_code end),
            ('bank', case when institution.kind = 'bank' then institution.code end)
        ) as place (scope, scope_code)
    where
        reporting.run_id = :run_id
        and place.scope_code is not null
),

counted as (
    select
        placed.scope,
        placed.scope_code,
        cast(count(*) as numeric) as expected,
        cast(count(*) filter (where placed.received) as numeric) as received,
        cast(count(*) filter (where placed.on_time) as numeric) as on_time,
        cast(count(*) filter (where placed.first_pass) as numeric) as first_pass
    from placed
    group by placed.scope, placed.scope_code
)

select
    counted.scope,
    counted.scope_code,
    figure.metric,
    figure.value,
    figure.numerator,
    figure.denominator
from counted
cross join lateral (
    values
    ('reports_expected', counted.expected, null, null),
    ('reports_received', counted.received, null, null),
    ('reports_on_time', counted.on_time, null, null),
    ('reporting_rate', counted.received / nullif(counted.expected, 0) * 100, counted.received, counted.expected),
    ('on_time_rate', counted.on_time / nullif(counted.expected, 0) * 100, counted.on_time, counted.expected),
    (
        'first_pass_rate',
        counted.first_pass / nullif(counted.received, 0) * 100,
        counted.first_pass,
        counted.received
    )
) as figure (metric, value, numerator, denominator)
