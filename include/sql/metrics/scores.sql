-- How do the scored households stand (docs/figures.md#visits-and-scoring)?
-- One row per metric and city, county, town or responsible bank.
with scored as (
    select
        household_score.town_code,
        household_score.bank_code,
        count(*) as scored,
        sum(household_score.score) as score,
        count(*) filter (where household_score.tier = 'AAA') as tier_aaa,
        count(*) filter (where household_score.tier = 'AA') as tier_aa,
        count(*) filter (where household_score.tier = 'A') as tier_a,
        count(*) filter (where household_score.tier = 'B') as tier_b
    from mart.household_score
    where household_score.run_id = :run_id
    group by household_score.town_code, household_score.bank_code
),

able as (
    select
        households.town_code,
        households.bank_code,
        count(*) as households
    from households
    where households.workers > 0
    group by households.town_code, households.bank_code
),

placed as (
    select
        place.scope,
        place.scope_code,
        sum(able.households) as households
    from able
    cross join
        lateral (
            values
            ('city', :city),
            ('county', left(able.town_code, 6)),
            ('town', able.town_code),
            ('bank', able.bank_code)
        ) as place (scope, scope_code)
    group by place.scope, place.scope_code
),

summed as (
    select
        place.scope,
        place.scope_code,
        sum(scored.scored) as scored,
        sum(scored.score) as score,
        sum(scored.tier_aaa) as tier_aaa,
        sum(scored.tier_aa) as tier_aa,
        sum(scored.tier_a) as tier_a,
        sum(scored.tier_b) as tier_b
    from scored
    cross join
        lateral (
            values
            ('city', :city),
            ('county', left(scored.town_code, 6)),
            ('town', scored.town_code),
            ('bank', scored.bank_code)
        ) as place (scope, scope_code)
    group by place.scope, place.scope_code
),

counted as (
    select
        subject.scope,
        subject.scope_code,
        coalesce(placed.households, 0) as households,
        coalesce(summed.scored, 0) as scored,
        coalesce(summed.score, 0) as score,
        coalesce(summed.tier_aaa, 0) as tier_aaa,
        coalesce(summed.tier_aa, 0) as tier_aa,
        coalesce(summed.tier_a, 0) as tier_a,
        coalesce(summed.tier_b, 0) as tier_b
    from reported_subject as subject
    left join placed
        on
            subject.scope = placed.scope
            and subject.scope_code = placed.scope_code
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
