-- Of which reports of the month does nobody know what they would say? One row per report and institution that counts:
-- it owes the report, or its kind owes it from a later month on only, and the report is not in. Who has just opened,
-- and does not owe yet what others of its kind do, is not waited for.
with owed as (
    select
        expected_report.report,
        expected_report.institution_code
    from registry.expected_report
    where expected_report.period = :period
    union
    select
        obligation.report,
        institution.code as institution_code
    from open_institution as institution
    inner join registry.obligation on institution.kind = obligation.kind
    group by obligation.report, institution.code
    having min(coalesce(obligation.from_period, '')) > :period
)

insert into missing_report
select
    owed.report,
    owed.institution_code
from owed
inner join open_institution as institution on owed.institution_code = institution.code
where not exists (
    select 1
    from present
    where
        present.report = owed.report
        and present.institution_code = owed.institution_code
)
