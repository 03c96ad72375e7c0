-- How much more would surely bring an indicator of a ranked bank to full points? One row per bank and indicator that is
-- assessed and has not got them; units: 户, 万元, 个 of projects, 份 of reports. Growth over a city without any figure of
-- its own gets no points whatever the bank does: no row.
insert into wanted_step
select
    actual.code,
    farthest.indicator,
    farthest.step,
    :round as round
from scenario as actual
cross join
    lateral (
        values
        (
            'growth',
            -- Two more than the whole part: it must pass the city's, and that is known to some sixteen digits.
            case
                when actual.year_begin = 0 then 1
                else floor(actual.year_begin * (1 + actual.city_growth / 100) - actual.balance) + 2
            end
        ),
        ('completion', ceil(actual.target * cast(:month as numeric) / 12) - actual.reached),
        ('matching', actual.offered - coalesce(actual.answered, 0)),
        ('visits', actual.households - actual.visited),
        ('quality', ceil(actual.overdue)),
        ('reporting', actual.expected - least(actual.on_time, actual.first_pass))
    ) as farthest (indicator, step)
inner join scenario_item as item
    on
        item.scenario = 'actual'
        and actual.code = item.code
        and farthest.indicator = item.indicator
where
    actual.scenario = 'actual'
    and item.points < 1
    and farthest.step > 0
