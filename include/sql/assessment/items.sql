-- How many points (0 to 1) does each indicator give in these scenarios (docs/figures.md#assessment)? NULL: not
-- assessed. One row per bank and indicator of what is, and per scenario that moves an indicator, of that indicator.
insert into scenario_item
select
    scenario.code,
    scenario.scenario,
    scenario.step,
    scenario.round,
    judged.indicator,
    judged.raw,
    judged.points
from scenario
cross join
    lateral (
        values
        (
            'growth',
            scenario.growth,
            case
                when scenario.year_begin = 0 then case when scenario.balance > 0 then 1 else 0 end
                when scenario.growth > scenario.city_growth then 1
                when scenario.city_growth > 0 then greatest(0, scenario.growth / scenario.city_growth)
                else 0
            end
        ),
        (
            'completion',
            scenario.completion,
            -- least() passes over NULL: without the condition a bank without a target would get full points.
            case when scenario.completion is not null then least(1, scenario.completion / 100) end
        ),
        (
            'matching',
            scenario.match_rate,
            -- Without a rate where something was offered, the bank's matches are missing.
            case when scenario.offered > 0 then coalesce(scenario.match_rate / 100, 0) end
        ),
        (
            'visits',
            scenario.coverage,
            scenario.coverage / 100
        ),
        (
            'quality',
            scenario.overdue_ratio,
            case
                when scenario.overdue_of = 0 or scenario.overdue_ratio <= :full_points_up_to then 1
                when scenario.overdue_ratio >= :no_points_from then 0
                else
                    (:no_points_from - scenario.overdue_ratio)
                    / (cast(:no_points_from as numeric) - cast(:full_points_up_to as numeric))
            end
        ),
        (
            'reporting',
            100 * (
                scenario.on_time / nullif(scenario.expected, 0) + scenario.first_pass / nullif(scenario.received, 0)
            ) / 2,
            coalesce(
                (
                    scenario.on_time / nullif(scenario.expected, 0) + scenario.first_pass / nullif(scenario.received, 0)
                ) / 2,
                0
            )
        )
    ) as judged (indicator, raw, points)
where
    scenario.round = :round
    and scenario.scenario in ('actual', judged.indicator)
