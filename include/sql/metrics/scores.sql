-- How do the scored households stand (docs/figures.md#visits-and-scoring)?
-- One row per metric and city, county, town or responsible bank.
with placed as (
    select
        place.scope,
        place.scope_code,
        household_score.score,
        household_score.tier
    from mart.household_score
    cross join
        lateral (
            values
            ('city', :city),
            ('county', left(household_score.town_code, 6)),
            ('town', household_score.town_code),
            ('bank', household_score.bank_code)
        ) as place (scope, scope_code)
    where household_score.run_id = :run_id
),

able as (
    select
        place.scope,
        place.scope_code,
        count(*) as households
    from households
    cross join
        lateral (
            values
            ('city', :city),
            ('county', left(households.town_code, 6)),
            ('town', households.town_code),
            ('bank', households.bank_code)
        ) as place (scope, scope_code)
    where households.workers > 0
    group by place.scope, place.scope_code
),

summed as (
    select
        placed.scope,
        placed.scope_code,
        count(*) as scored,
        sum(placed.score) as score,
        count(*) filter (where placed.tier = 'AAA') as tier_aaa,
        count(*) filter (where placed.tier = 'AA') as tier_aa,
        count(*) filter (where placed.tier = 'A') as tier_a,
        count(*) filter (where placed.tier = 'B') as tier_b
    from placed
    group by placed.scope, placed.scope_code
),

counted as (
    select
        subject.scope,
        subject.scope_code,
        coalesce(able.households, 0) as households,
        coalesce(summed.scored, 0) as scored,
        coalesce(summed.score, 0) as score,
        coalesce(summed.tier_aaa, 0) as tier_aaa,
        coalesce(summed.tier_aa, 0) as tier_aa,
        coalesce(summed.tier_a, 0) as tier_a,
        coalesce(summed.tier_b, 0) as tier_b
    from reported_subject as subject
    left join able
        on
            subject.scope = able.scope
            and subject.scope_code = able.scope_code
    left join summed
        on
            subject.scope = summed.scope
            and subject.scope_code = summed.scope_code
    where subject.report = 'households'
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
    ('households_scored', counted.scored, null, null),
    (
        'score_coverage',
        counted.scored / nullif(cast(counted.households as numeric), 0) * 100,
        counted.scored,
        counted.households
    ),
    ('score_average', counted.score / nullif(counted.scored, 0), counted.score, counted.scored),
    ('households_tier_AAA', counted.tier_aaa, null, null),
    ('households_tier_AA', counted.tier_aa, null, null),
    ('households_tier_A', counted.tier_a, null, null),
    ('households_tier_B', counted.tier_b, null, null)
) as figure (metric, value, numerator, denominator)
