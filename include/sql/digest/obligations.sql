-- Who owes what, and from when on or until when? One row per kind of institution, report and months. Without dates none
-- are named. Where it matters when an institution opened, the openings are.
with opened as (
    select
        institution.kind,
        string_agg(
            concat_ws(' ', institution.code, to_char(institution.opened_on, 'YYYY-MM')),
            ' '
            order by institution.code
        ) as months
    from registry.institution
    group by institution.kind
)

select
    obligation.kind,
    concat_ws(
        ' ',
        obligation.report,
        'from ' || obligation.from_period,
        'until ' || obligation.until_period,
        case when obligation.from_month > 1 then 'from month ' || obligation.from_month end,
        case when obligation.from_month > 1 then opened.months end
    ) as report
from registry.obligation
left join opened on obligation.kind = opened.kind
order by obligation.kind, obligation.report, obligation.from_period
