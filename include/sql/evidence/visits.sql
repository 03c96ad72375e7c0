-- Which households and visits make a figure of the coverage (docs/figures.md#restatement-and-proof)?
-- One row per household able to work, and one per visit that makes it count; households are counted once.
with able as (
    select households.*
    from households
    where
        households.workers > 0
        and case :scope
            when 'city' then true
            when 'county' then left(households.town_code, 6) = :code
            when 'town' then households.town_code = :code
            when 'bank' then households.bank_code = :code
        end
),

-- The larger of the coverage of the current round and of the one before; of equals the current one.
better_round as (
    select
        case
            when
                count(distinct able.household_no) filter (where visits.round = :current_round - 1)
                > count(distinct able.household_no) filter (where visits.round = :current_round)
                then :current_round - 1
            else :current_round
        end as round
    from able
    inner join visits on able.household_no = visits.household_no
),

latest as (
    select distinct on (visits.household_no)
        visits.household_no,
        visits.wants_loan,
        visits.submission_id,
        visits.row_number
    from visits
    inner join intake.submission on visits.submission_id = submission.submission_id
    order by visits.household_no asc, visits.visited_on desc, submission.received_at desc, visits.wants_loan desc
),

counting as (
    select
        visits.household_no,
        visits.submission_id,
        visits.row_number
    from visits
    cross join better_round
    where
        case :metric
            when 'households_visited_cumulative' then true
            when 'visit_coverage' then visits.round = :current_round
            when 'visit_coverage_standing' then visits.round = better_round.round
            when 'visit_coverage_round_1' then visits.round = 1
        end
    union all
    select
        latest.household_no,
        latest.submission_id,
        latest.row_number
    from latest
    where
        :metric = 'households_wanting'
        and latest.wants_loan
        and not exists (
            select 1
            from loans
            where
                loans.household_no = latest.household_no
                and loans.microcredit
                and loans.balance > 0
        )
),

reached as (
    select distinct counting.household_no
    from counting
),

counted as (
    select
        able.*,
        figure.above,
        figure.below
    from able
    left join reached on able.household_no = reached.household_no
    cross join
        lateral (
            values
            ('households_able', true, false),
            ('households_visited_cumulative', reached.household_no is not null, false),
            ('visit_coverage', reached.household_no is not null, true),
            ('visit_coverage_standing', reached.household_no is not null, true),
            ('visit_coverage_round_1', reached.household_no is not null, true),
            ('households_wanting', reached.household_no is not null, false)
        ) as figure (metric, above, below)
    where
        figure.metric = :metric
        and (figure.above or figure.below)
)

select
    'households' as report,
    counted.submission_id,
    counted.row_number,
    case when not counted.below then 'numerator' when not counted.above then 'denominator' else 'both' end as part,
    counted.household_no as counted,
    cast(null as numeric) as numerator,
    cast(null as numeric) as denominator,
    cast(null as jsonb) as content
from counted
union all
select
    'visits' as report,
    counting.submission_id,
    counting.row_number,
    'numerator' as part,
    counting.household_no as counted,
    null as numerator,
    null as denominator,
    null as content
from counting
where counting.household_no in (select able.household_no from able)
