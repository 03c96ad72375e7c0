-- Which matches and loans name a project that is in no county's library?
-- One row per match or loan.
--
-- rule: X06
-- level: warning
-- across: reports
-- moment: standing
-- report: matches
-- column: project_no
-- needs: [projects]
-- absence: true
-- links: {matches: project_no, loans: project_no, projects: project_no}
-- message: 项目编号不在任何县区的产业扶贫项目库中，请向县区扶贫办核对项目编号；属实的请在情况说明中说明。
-- expected: 项目库中的项目编号
with named as (
    select
        pair.delivered_by as institution_code,
        'matches' as report,
        pair.row_number,
        pair.project_no as key,
        pair.project_no as value
    from core.matches as pair
    where pair.period = :period
    union all
    select
        loan.delivered_by as institution_code,
        'loans' as report,
        loan.row_number,
        loan.contract_no as key,
        loan.project_no as value
    from core.loans as loan
    where
        loan.period = :period
        and loan.project_no is not null
)

select
    named.institution_code,
    named.report,
    named.row_number,
    named.key,
    named.value
from named
where
    not exists (
        select from core.projects as project
        where
            project.period = :period
            and named.value = project.project_no
    )
order by named.institution_code, named.report, named.row_number
