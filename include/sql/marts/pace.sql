-- How fast must each bank lend to reach its target of the year, and where does its pace lead
-- (docs/figures.md#assessment)? One row per open bank with a target above 0, ranked or not; what follows from a ledger
-- that is missing is NULL.
insert into mart.pace
select
    :run_id as run_id,
    :period as period,
    bank.scope_code,
    target.households,
    lent.value as reached,
    trim_scale(target.households * cast(:month as numeric) / 12) as due,
    trim_scale(
        -- greatest() passes over NULL: without the ledger it is not known what is missing.
        case when lent.value is not null then greatest(target.households - lent.value, 0) end
        / nullif(12 - :month, 0)
    ) as needed_per_month,
    trim_scale(lent.value * 12 / :month) as forecast
from subject as bank
inner join target on bank.scope_code = target.institution_code
left join mart.metric as lent
    on
        lent.run_id = :run_id
        and lent.metric = 'microcredit_ytd_households'
        and bank.scope = lent.scope
        and bank.scope_code = lent.scope_code
where
    bank.scope = 'bank'
    and target.households > 0
order by bank.scope_code
