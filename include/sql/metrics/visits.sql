-- Who has been visited, in which round, and who wants a loan and has none (docs/figures.md#visits-and-scoring)?
-- One row per metric and city, county, town or responsible bank; coverage in percent of households able to work.
with able as (
    select
        households.town_code,
        households.bank_code,
        count(*) as households,
        count(visited.household_no) as visited,
        count(*) filter (where visited.in_round_1) as in_round_1,
        count(*) filter (where visited.in_current_round) as in_current_round,
        count(*) filter (where visited.in_round_before) as in_round_before,
        count(*) filter (where visited.wants_loan and borrowing.is_served is not true) as wanting
    from households
    left join visited_household as visited on households.household_no = visited.household_no
    left join borrowing_household as borrowing on households.household_no = borrowing.household_no
    where households.workers > 0
    group by households.town_code, households.bank_code
),

summed as (
    select
        place.scope,
        place.scope_code,
        sum(able.households) as households,
        sum(able.visited) as visited,
        sum(able.in_round_1) as in_round_1,
        sum(able.in_current_round) as in_current_round,
        sum(able.in_round_before) as in_round_before,
        sum(able.wanting) as wanting
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

counted as (
    select
        subject.scope,
        subject.scope_code,
        coalesce(summed.households, 0) as households,
        coalesce(summed.visited, 0) as visited,
        coalesce(summed.in_round_1, 0) as in_round_1,
        coalesce(summed.in_current_round, 0) as in_current_round,
        greatest(coalesce(summed.in_current_round, 0), coalesce(summed.in_round_before, 0)) as in_better_round,
        case
            when exists (select 1 from present where present.report = 'loans')
                then coalesce(summed.wanting, 0)
        end as wanting
    from reported_subject as subject
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
    ('households_able', counted.households, null, null),
    ('households_visited_cumulative', counted.visited, null, null),
    (
        'visit_coverage',
        counted.in_current_round / nullif(cast(counted.households as numeric), 0) * 100,
        counted.in_current_round,
        counted.households
    ),
    (
        'visit_coverage_standing',
        counted.in_better_round / nullif(cast(counted.households as numeric), 0) * 100,
        counted.in_better_round,
        counted.households
    ),
    (
        'visit_coverage_round_1',
        counted.in_round_1 / nullif(cast(counted.households as numeric), 0) * 100,
        counted.in_round_1,
        counted.households
    ),
    ('households_wanting', counted.wanting, null, null)
) as figure (metric, value, numerator, denominator)
