-- From which figures would a bank be judged, had it done so much more in one indicator? One row per wanted step: the
-- bank's figures as they are, those of the indicator moved by the step, and every rate taken anew as its metric is.
with moved as (
    select
        wanted_step.code,
        wanted_step.indicator as scenario,
        wanted_step.step,
        wanted_step.round,
        actual.city_growth,
        actual.year_begin,
        actual.balance + more.growth as balance,
        actual.target,
        actual.reached + more.completion as reached,
        actual.offered,
        -- A bank whose answers are not in has answered nothing yet.
        coalesce(actual.answered, 0) + more.matching as answered,
        actual.visit_round,
        actual.households,
        actual.visited + more.visits as visited,
        -- What is collected lowers what is overdue and what is owed in all.
        actual.overdue_of - least(more.quality, actual.overdue) as overdue_of,
        actual.overdue - least(more.quality, actual.overdue) as overdue,
        actual.expected,
        -- What is on time or passed at once has been received.
        greatest(
            actual.received,
            least(actual.on_time + more.reporting, actual.expected),
            least(actual.first_pass + more.reporting, actual.expected)
        ) as received,
        least(actual.on_time + more.reporting, actual.expected) as on_time,
        least(actual.first_pass + more.reporting, actual.expected) as first_pass,
        actual.deductions
    from wanted_step
    inner join scenario as actual
        on
            actual.scenario = 'actual'
            and wanted_step.code = actual.code
    cross join
        lateral (
            values (
                case wanted_step.indicator when 'growth' then wanted_step.step else 0 end,
                case wanted_step.indicator when 'completion' then wanted_step.step else 0 end,
                case wanted_step.indicator when 'matching' then wanted_step.step else 0 end,
                case wanted_step.indicator when 'visits' then wanted_step.step else 0 end,
                case wanted_step.indicator when 'quality' then wanted_step.step else 0 end,
                case wanted_step.indicator when 'reporting' then wanted_step.step else 0 end
            )
        ) as more (growth, completion, matching, visits, quality, reporting)
    where wanted_step.round = :round
)

insert into scenario
select
    moved.code,
    moved.scenario,
    moved.step,
    moved.round,
    moved.city_growth,
    moved.year_begin,
    moved.balance,
    (moved.balance / nullif(moved.year_begin, 0) - 1) * 100 as growth,
    moved.target,
    moved.reached,
    moved.reached * 1200 / nullif(moved.target * :month, 0) as completion,
    moved.offered,
    moved.answered,
    moved.answered / nullif(moved.offered, 0) * 100 as match_rate,
    moved.visit_round,
    moved.households,
    moved.visited,
    moved.visited / nullif(moved.households, 0) * 100 as coverage,
    moved.overdue_of,
    moved.overdue,
    moved.overdue / nullif(moved.overdue_of, 0) * 100 as overdue_ratio,
    moved.expected,
    moved.received,
    moved.on_time,
    moved.first_pass,
    moved.deductions
from moved
