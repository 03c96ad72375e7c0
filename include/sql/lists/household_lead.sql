-- Which households able to work should their bank see, and why (docs/figures.md#lists-for-banks)? One row per household
-- with a reason. It was not visited in the current round. Or it wants a loan and has none, as the metric
-- households_wanting counts it: nobody wants while no ledger is in. Or it is scored high and has no microcredit, where
-- the bank's own ledger is in.
-- In each bank and town those come first who asked for a loan, then those whom nobody ever visited. Those scored high
-- follow, then those who have waited longest. A county whose register is missing has no rows.
with ledger as (
    select present.institution_code
    from present
    where present.report = 'loans'
),

lead as (
    select
        households.household_no,
        households.bank_code,
        households.town_code,
        households.village,
        households.head_name,
        not coalesce(visited.in_current_round, false) as not_visited,
        coalesce(visited.wants_loan, false)
        and borrowing.is_served is not true
        and exists (select 1 from ledger) as wants_loan,
        household_score.credit_limit >= cast(:high_from_limit as numeric)
        and borrowing.is_served is not true
        and exists (select 1 from ledger where ledger.institution_code = households.bank_code) as scored_high,
        visited.last_visited_on,
        visited.wanted_amount,
        household_score.score,
        household_score.tier,
        household_score.credit_limit
    from households
    inner join mart.household_score
        on
            household_score.run_id = :run_id
            and households.household_no = household_score.household_no
    left join visited_household as visited on households.household_no = visited.household_no
    left join borrowing_household as borrowing on households.household_no = borrowing.household_no
    where households.workers > 0
),

placed as (
    select
        lead.*,
        row_number() over (
            partition by lead.bank_code, lead.town_code
            order by
                lead.wants_loan desc,
                lead.last_visited_on is null desc,
                lead.scored_high desc,
                lead.last_visited_on asc,
                lead.score desc,
                lead.household_no asc
        ) as place
    from lead
    where
        lead.not_visited
        or lead.wants_loan
        or lead.scored_high
)

insert into mart.household_lead
select
    :run_id as run_id,
    :period as period,
    placed.household_no,
    placed.bank_code,
    placed.town_code,
    placed.place,
    placed.village,
    placed.head_name,
    placed.not_visited,
    placed.wants_loan,
    placed.scored_high,
    placed.last_visited_on,
    case when placed.wants_loan then placed.wanted_amount end as wanted_amount,
    placed.score,
    placed.tier,
    placed.credit_limit,
    concat_ws(
        '；',
        case when placed.wants_loan then concat('有贷款需求', round(placed.wanted_amount / 10000, 2) || '万元') end,
        case
            when placed.last_visited_on is null then '从未走访'
            when placed.not_visited then concat('第', cast(:current_round as integer), '轮未走访')
        end,
        case
            when placed.scored_high
                then concat('评级', placed.tier, '，可授信', round(placed.credit_limit / 10000, 2), '万元')
        end,
        case when placed.wants_loan or placed.scored_high then '尚无扶贫小额信贷' end
    ) as reason
from placed
order by placed.bank_code, placed.town_code, placed.place
