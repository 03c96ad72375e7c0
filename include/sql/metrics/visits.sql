-- Who has been visited, in which round, and who wants a loan and has none (docs/figures.md#visits-and-scoring)?
-- One row per metric and city, county, town or responsible bank; coverage in percent of households able to work.
with visited as (
    select
        visits.household_no,
        bool_or(visits.round = 1) as in_round_1,
        bool_or(visits.round = :current_round) as in_current_round,
        bool_or(visits.round = :current_round - 1) as in_round_before
    from visits
    group by visits.household_no
),

latest as (
    select distinct on (visits.household_no)
        visits.household_no,
        visits.wants_loan
    from visits
    inner join intake.submission on visits.submission_id = submission.submission_id
    order by visits.household_no asc, visits.visited_on desc, submission.received_at desc, visits.wants_loan desc
),

served as (
    select distinct loans.household_no
    from loans
    where
        loans.microcredit
        and loans.balance > 0
        and loans.household_no is not null
),

able as (
    select
        place.scope,
        place.scope_code,
        visited.household_no is not null as visited,
        coalesce(visited.in_round_1, false) as in_round_1,
        coalesce(visited.in_current_round, false) as in_current_round,
        coalesce(visited.in_round_before, false) as in_round_before,
        coalesce(latest.wants_loan, false) and served.household_no is null as wanting
    from households
    left join visited on households.household_no = visited.household_no
    left join latest on households.household_no = latest.household_no
    left join served on households.household_no = served.household_no
    cross join
        lateral (
            values
            ('city', :city),
            ('county', left(households.town_code, 6)),
            ('town', households.town_code),
            ('bank', households.bank_code)
        ) as place (scope, scope_code)
    where households.workers > 0
),

summed as (
    select
        able.scope,
        able.scope_code,
        count(*) as households,
        count(*) filter (where able.visited) as visited,
        count(*) filter (where able.in_round_1) as in_round_1,
        count(*) filter (where able.in_current_round) as in_current_round,
        count(*) filter (where able.in_round_before) as in_round_before,
        count(*) filter (where able.wanting) as wanting
    from able
    group by able.scope, able.scope_code
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
