-- Which loans and which target make a bank's completion (docs/figures.md#restatement-and-proof)? One row per
-- microcredit loan of the year, whose households are counted once, and one for the target, in households, of the
-- months gone by.
select
    'loans' as report,
    loans.submission_id,
    loans.row_number,
    'numerator' as part,
    loans.household_no as counted,
    cast(null as numeric) as numerator,
    cast(null as numeric) as denominator,
    cast(null as jsonb) as content
from loans
where
    loans.delivered_by = :code
    and loans.microcredit
    and loans.issued_on between :year_begin and :period_end
union all
select
    'target' as report,
    null as submission_id,
    null as row_number,
    'denominator' as part,
    null as counted,
    null as numerator,
    target.households * cast(:month as numeric) / 12 as denominator,
    jsonb_build_object('机构代码', target.institution_code, '全年目标户数', target.households) as content
from target
where target.institution_code = :code
