-- Which officers have visited more than 30 households in a day (V02), or the same household twice at most 7 days apart?
-- One row per bank, officer and day of the month, the later one of two; visits of the month before are looked back to.
-- The measure is the number of visits of the day, or, where they are not too many, the fewest days between two.
--
-- rule: A12
-- aspect: 小额信贷管理
-- level: low
-- needs: {visits: own}
-- metric: visits_made_month
with recent as (
    select
        visits.delivered_by,
        visits.officer,
        visits.visited_on,
        visits.household_no,
        count(*) over (partition by visits.delivered_by, visits.officer, visits.visited_on) as visits_of_day,
        lag(visits.visited_on) over (
            partition by visits.delivered_by, visits.officer, visits.household_no
            order by visits.visited_on
        ) as visited_before
    from visits
    where visits.visited_on >= cast(:period_begin as date) - 7
),

noted as (
    select
        recent.delivered_by,
        recent.officer,
        recent.visited_on,
        recent.household_no,
        recent.visits_of_day,
        case when recent.visited_on - recent.visited_before <= 7 then recent.visited_before end as visited_before,
        households.town_code
    from recent
    left join households on recent.household_no = households.household_no
    where
        recent.visited_on >= :period_begin
        and (recent.visits_of_day > 30 or recent.visited_on - recent.visited_before <= 7)
)

select
    noted.delivered_by as institution_code,
    case
        when min(noted.town_code) = max(noted.town_code) then min(noted.town_code)
        when min(left(noted.town_code, 6)) = max(left(noted.town_code, 6)) then min(left(noted.town_code, 6))
    end as division_code,
    concat_ws('/', noted.officer, to_char(noted.visited_on, 'YYYY-MM-DD')) as subject,
    case
        when max(noted.visits_of_day) > 30 then max(noted.visits_of_day)
        else min(noted.visited_on - noted.visited_before)
    end as measure,
    case when max(noted.visits_of_day) > 30 then 30 else 7 end as threshold,
    concat(
        '信贷员', noted.officer, '于', to_char(noted.visited_on, 'FMYYYY"年"FMMM"月"FMDD"日"'),
        concat_ws(
            '；',
            case
                when max(noted.visits_of_day) > 30
                    then concat('走访', max(noted.visits_of_day), '户，超过一天30户')
            end,
            '再次走访7天内走访过的户：' || string_agg(
                concat('户', noted.household_no, '，前一次为')
                || to_char(noted.visited_before, 'FMYYYY"年"FMMM"月"FMDD"日"'),
                '、'
                order by noted.household_no
            )
        ),
        '。'
    ) as detail
from noted
group by noted.delivered_by, noted.officer, noted.visited_on
