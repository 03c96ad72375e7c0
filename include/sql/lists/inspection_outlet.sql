-- Where should the next on-site inspection go (docs/figures.md#inspection-list)? One row per bank and town, by risk.
-- An outlet is a town in which the bank's grid has one. It is also one in which its ledger has a loan with a balance,
-- or in which an open alert of the bank lies. An alert of a town (9 digits) weighs there; another one about loans
-- weighs, in equal parts, in the towns of these loans. What is left of a county (6 digits) is divided over the bank's
-- outlets in it. What is left of the city, of no division, or of a county without outlets is divided over all of them.
-- It sets the banks apart, not the outlets of one.
-- Risk, out of 100, weighs three shares: alerts and balance of the highest in the city, days since the bank's last
-- inspection of `full_after_days`. Balance in 万元; NULL where the bank's ledger is missing.
with bank as (
    select
        open_institution.code,
        exists(
            select 1
            from present
            where
                present.report = 'loans'
                and present.institution_code = open_institution.code
        ) as has_ledger,
        exists(
            select 1
            from present
            where
                present.report = 'grid'
                and present.institution_code = open_institution.code
        ) as has_grid
    from open_institution
    where open_institution.kind = 'bank'
),

named as (
    select
        grid.delivered_by as code,
        grid.town_code,
        string_agg(distinct grid.outlet_name, '、' order by grid.outlet_name) as outlet_name
    from grid
    group by grid.delivered_by, grid.town_code
),

owed as (
    select
        loans.delivered_by as code,
        loans.town_code,
        sum(loans.balance) / 10000 as balance
    from loans
    where loans.balance > 0
    group by loans.delivered_by, loans.town_code
),

alert as (
    select
        found.case_id,
        found.institution_code as code,
        found.rule,
        found.division_code,
        level.weight
    from mart.alert as found
    inner join bank on found.institution_code = bank.code
    inner join
        jsonb_to_recordset(cast(:levels as jsonb)) as level (level text, weight numeric)
        on found.level = level.level
    where found.run_id = :run_id
),

-- The towns of the loans that an alert of no town is about.
loan_town as (
    select distinct
        alert.case_id,
        alert.code,
        alert.rule,
        alert.weight,
        alerted_loan.town_code
    from alert
    inner join alerted_loan on alert.case_id = alerted_loan.case_id
    where coalesce(length(alert.division_code), 0) <> 9
),

-- Alerts that weigh the same in the same place are counted, and not taken one by one from here on.
struck as (
    select
        alert.code,
        alert.division_code as town_code,
        alert.rule,
        alert.weight,
        1 as parts,
        count(*) as alerts
    from alert
    where length(alert.division_code) = 9
    group by alert.code, alert.division_code, alert.rule, alert.weight
    union all
    select
        parted.code,
        parted.town_code,
        parted.rule,
        parted.weight,
        parted.parts,
        count(*) as alerts
    from (
        select
            loan_town.*,
            count(*) over (partition by loan_town.case_id) as parts
        from loan_town
    ) as parted
    group by parted.code, parted.town_code, parted.rule, parted.weight, parted.parts
),

outlet as (
    select
        named.code,
        named.town_code
    from named
    union
    select
        owed.code,
        owed.town_code
    from owed
    union
    select
        struck.code,
        struck.town_code
    from struck
),

outlets_of_bank as (
    select
        outlet.code,
        count(*) as outlets
    from outlet
    group by outlet.code
),

outlets_of_county as (
    select
        outlet.code,
        left(outlet.town_code, 6) as county_code,
        count(*) as outlets
    from outlet
    group by outlet.code, left(outlet.town_code, 6)
),

wide as (
    select
        alert.code,
        alert.division_code,
        alert.rule,
        alert.weight,
        count(*) as alerts
    from alert
    where
        coalesce(length(alert.division_code), 0) <> 9
        and not exists (select 1 from loan_town where loan_town.case_id = alert.case_id)
    group by alert.code, alert.division_code, alert.rule, alert.weight
),

reaching as (
    select
        wide.*,
        outlets_of_county.county_code,
        coalesce(outlets_of_county.outlets, outlets_of_bank.outlets) as parts
    from wide
    inner join outlets_of_bank on wide.code = outlets_of_bank.code
    left join outlets_of_county
        on
            wide.code = outlets_of_county.code
            and wide.division_code = outlets_of_county.county_code
),

spread as (
    select
        struck.code,
        struck.town_code,
        true as is_own,
        struck.rule,
        struck.alerts,
        struck.alerts * (struck.weight / struck.parts) as weight
    from struck
    union all
    select
        reaching.code,
        outlet.town_code,
        false as is_own,
        reaching.rule,
        reaching.alerts,
        reaching.alerts * (reaching.weight / reaching.parts) as weight
    from reaching
    inner join outlet
        on
            reaching.code = outlet.code
            and left(outlet.town_code, 6) = coalesce(reaching.county_code, left(outlet.town_code, 6))
),

weighed as (
    select
        spread.code,
        spread.town_code,
        sum(spread.weight) as weight,
        sum(spread.alerts) filter (where spread.is_own) as open_alerts,
        sum(spread.alerts) filter (where not spread.is_own) as shared_alerts,
        string_agg(distinct spread.rule, '、' order by spread.rule) filter (where spread.is_own) as own_rules,
        string_agg(distinct spread.rule, '、' order by spread.rule) filter (where not spread.is_own) as shared_rules
    from spread
    group by spread.code, spread.town_code
),

inspected as (
    select
        inspections.institution_code as code,
        max(inspections.inspected_on) as last_inspected_on
    from inspections
    where inspections.inspected_on <= :period_end
    group by inspections.institution_code
),

measured as (
    select
        bank.code,
        outlet.town_code,
        named.outlet_name,
        bank.has_grid,
        coalesce(weighed.weight, 0) as weight,
        coalesce(weighed.open_alerts, 0) as open_alerts,
        coalesce(weighed.shared_alerts, 0) as shared_alerts,
        weighed.own_rules,
        weighed.shared_rules,
        case when bank.has_ledger then coalesce(owed.balance, 0) end as balance,
        inspected.last_inspected_on,
        exists(select 1 from present where present.report = 'inspections') as inspections_known
    from outlet
    inner join bank on outlet.code = bank.code
    left join named
        on
            outlet.code = named.code
            and outlet.town_code = named.town_code
    left join owed
        on
            outlet.code = owed.code
            and outlet.town_code = owed.town_code
    left join weighed
        on
            outlet.code = weighed.code
            and outlet.town_code = weighed.town_code
    left join inspected on outlet.code = inspected.code
),

shared as (
    select
        measured.*,
        coalesce(measured.weight / nullif(max(measured.weight) over (), 0), 0) as weight_share,
        coalesce(measured.balance / nullif(max(measured.balance) over (), 0), 0) as balance_share,
        case
            when not measured.inspections_known then 0
            when measured.last_inspected_on is null then 1
            else
                least(
                    cast(:period_end - measured.last_inspected_on as numeric)
                    / cast(:full_after_days as integer), 1
                )
        end as time_share
    from measured
),

risked as (
    select
        shared.*,
        round(
            100 * (
                cast(:alerts_weight as numeric) * shared.weight_share
                + cast(:balance_weight as numeric) * shared.balance_share
                + cast(:time_weight as numeric) * shared.time_share
            )
            / (
                cast(:alerts_weight as numeric)
                + cast(:balance_weight as numeric)
                + cast(:time_weight as numeric)
            ),
            2
        ) as risk
    from shared
)

insert into mart.inspection_outlet
select
    :run_id as run_id,
    :period as period,
    risked.code,
    risked.town_code,
    row_number() over (
        order by
            risked.risk desc,
            risked.weight desc,
            risked.balance desc nulls last,
            risked.code asc,
            risked.town_code asc
    ) as place,
    risked.outlet_name,
    risked.risk,
    risked.weight,
    risked.open_alerts,
    risked.shared_alerts,
    risked.balance,
    risked.last_inspected_on,
    concat_ws('/', left(run.input_digest, 16), risked.code, risked.town_code) as seed,
    concat_ws(
        '；',
        '本镇未销号预警' || risked.open_alerts || '条（' || risked.own_rules || '）',
        '全行或全县区未销号预警' || risked.shared_alerts || '条（' || risked.shared_rules || '）',
        case
            when risked.balance is null then '贷款台账未报送'
            else concat('贷款余额', round(risked.balance, 2), '万元')
        end,
        case when risked.has_grid and risked.outlet_name is null then '网格化管理责任表中本镇无网点' end,
        case
            when not risked.inspections_known then '督查台账未报送'
            else coalesce('最近一次督查' || cast(risked.last_inspected_on as text), '台账中无督查记录')
        end
    ) as reason
from risked
inner join mart.run on run.run_id = :run_id
order by place
