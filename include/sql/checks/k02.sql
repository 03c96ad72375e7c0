-- Which households does another county office's accepted register have too?
-- One row per household; the earlier delivery stands.
--
-- rule: K02
-- level: critical
-- across: institutions
-- moment: version
-- report: households
-- column: household_no
-- message: 户编号已在{other}本期已接收的名册中，户编号全市唯一，请与对方核对该户归属后更正。
-- expected: 全市唯一的户编号
select
    now.row_number,
    now.household_no as key,
    now.household_no as value,
    min(institution.short_name) as other
from staged_households as now
inner join core.households as elsewhere
    on
        now.household_no = elsewhere.household_no
        and elsewhere.period = :period
        and elsewhere.delivered_by <> :institution_code
inner join registry.institution on elsewhere.delivered_by = institution.code
group by now.row_number, now.household_no
order by now.row_number
