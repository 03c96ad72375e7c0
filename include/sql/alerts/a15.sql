-- In which towns was there no outreach in a calendar quarter? One row per county office and town, in the quarter's last
-- month only. Where a report of the quarter is missing nobody knows: it may hold the activity.
--
-- rule: A15
-- aspect: 主体责任落实
-- level: low
-- needs: {outreach: all}
-- metric: outreach_towns_quarter
with missing_before as (
    select institution.code
    from intake.close
    inner join registry.obligation on obligation.report = 'outreach'
    inner join registry.institution
        on
            obligation.kind = institution.kind
            and institution.opened_on < to_date(close.period, 'YYYY-MM') + interval '1 month'
            and (
                institution.closed_on is null
                or institution.closed_on >= to_date(close.period, 'YYYY-MM') + interval '1 month'
            )
    where
        close.period >= to_char(cast(:quarter_begin as date), 'YYYY-MM')
        and close.period < :period
        and not exists (
            select 1
            from run_version
            where
                run_version.period = close.period
                and run_version.report = 'outreach'
                and run_version.institution_code = institution.code
        )
)

select
    office.code as institution_code,
    town.scope_code as division_code,
    town.scope_code as subject,
    0 as measure,
    1 as threshold,
    concat(
        town.subject_name, '在', to_char(cast(:quarter_begin as date), 'FMYYYY"年第"Q'), '季度没有开展宣传培训活动。'
    ) as detail
from subject as town
inner join open_institution as office
    on
        office.kind = 'county_office'
        and town.county_code = office.division_code
where
    :month in (3, 6, 9, 12)
    and town.scope = 'town'
    and not exists (
        select 1
        from outreach
        where
            outreach.town_code = town.scope_code
            and outreach.held_on between :quarter_begin and :period_end
    )
    and not exists (select 1 from missing_before)
