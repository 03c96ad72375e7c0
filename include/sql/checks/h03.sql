-- Which heads of household stand on two counties' registers?
-- One row per household; two within one register are found with it, by its suite.
--
-- rule: H03
-- level: warning
-- across: institutions
-- moment: standing
-- also_in_suite: true
-- report: households
-- column: head_id
-- links: {households: head_id_hash}
-- message: 同一户主证件号码在{others}的名册中也有一户，请与对方核对该户归属；属实的请在情况说明中说明。
-- expected: 一个户主只对应一户
select
    own.delivered_by as institution_code,
    own.row_number,
    own.household_no as key,
    own.head_id as value,
    string_agg(distinct institution.short_name, '、' order by institution.short_name) as others
from core.households as own
inner join core.households as elsewhere
    on
        own.head_id_hash = elsewhere.head_id_hash
        and elsewhere.period = :period
        and own.delivered_by <> elsewhere.delivered_by
inner join registry.institution on elsewhere.delivered_by = institution.code
where own.period = :period
group by own.delivered_by, own.row_number, own.household_no, own.head_id
order by own.delivered_by, own.row_number
