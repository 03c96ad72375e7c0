-- Of whom do the month's reports say anything (docs/figures.md#scopes-and-rounding)? One row per report that is in,
-- and subject. Of a bank its own, where banks owe the report; of a county and its towns their office's, where offices
-- owe it. What they do not owe says something of them whoever delivered it, and so does every report of the city. Banks
-- and offices owe it where it is owed for the month by their kind, though not yet by one that has just opened.
with report as (
    select
        present.report as code,
        coalesce(bool_or(obligation.kind = 'bank'), false) as is_of_banks,
        coalesce(bool_or(obligation.kind = 'county_office'), false) as is_of_offices
    from present
    left join registry.obligation
        on
            present.report = obligation.report
            and coalesce(obligation.from_period, :period) <= :period
            and coalesce(obligation.until_period, :period) >= :period
    group by present.report
)

insert into reported_subject
select
    report.code as report,
    subject.scope,
    subject.scope_code
from report
cross join subject
where
    subject.scope = 'city'
    or (
        subject.scope = 'bank'
        and (
            not report.is_of_banks
            or (report.code, subject.scope_code) in (
                select
                    present.report,
                    present.institution_code
                from present
            )
        )
    )
    or (
        subject.scope in ('county', 'town')
        and (
            not report.is_of_offices
            or (report.code, subject.county_code) in (
                select
                    present.report,
                    present.county_code
                from present
            )
        )
    )
