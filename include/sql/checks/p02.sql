-- Whose loans of a county are more than ten times, or less than a tenth, of what last month's report says?
-- One row per county and column: the sign of yuan given as 万元.
--
-- rule: P02
-- level: warning
-- across: months
-- moment: version
-- report: position
-- column: all_loans
-- message: 与上月（{before}万元）相差10倍以上，可能误以元为单位填报，请核对单位；属实的请在情况说明中说明。
-- expected: 上月的十分之一至十倍，单位为万元
select
    now.row_number,
    now.county_code as key,
    figure.column_name,
    figure.value::text as value,
    figure.before
from staged_position as now
inner join core.position as before
    on
        now.county_code = before.county_code
        and before.period = :previous_period
        and before.delivered_by = :institution_code
cross join
    lateral (
        values
        ('all_loans', now.all_loans, before.all_loans),
        ('all_loans_year_begin', now.all_loans_year_begin, before.all_loans_year_begin)
    ) as figure (column_name, value, before)
where
    figure.before > 0
    and (figure.value > figure.before * 10 or figure.value * 10 < figure.before)
order by now.row_number, figure.column_name
