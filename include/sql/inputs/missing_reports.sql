-- Which reports of the month are missing: owed by an institution that counts, and not in? One row per report and
-- institution.
insert into missing_report
select
    obligation.report,
    institution.code as institution_code
from open_institution as institution
inner join registry.obligation on institution.kind = obligation.kind
where not exists (
    select 1
    from present
    where
        present.report = obligation.report
        and present.institution_code = institution.code
)
