-- In which towns was there no outreach in a calendar quarter? One row per county office and town, in the quarter's last
-- month only. Where a report of the quarter is missing nobody knows: it may hold the activity. Nor does anybody where
-- the office, though open, did not owe the report in a month of the quarter.
--
-- rule: A15
-- aspect: 主体责任落实
-- level: low
-- needs: {outreach: all}
-- metric: outreach_towns_quarter
with missing_before as (
    select expected_report.institution_code
    from intake.close
    inner join registry.expected_report on close.period = expected_report.period
    where
        close.period >= to_char(cast(:quarter_begin as date), 'YYYY-MM')
        and close.period < :period
        and expected_report.report = 'outreach'
        and not exists (
            select 1
            from run_version
            where
                run_version.period = close.period
                and run_version.report = 'outreach'
                and run_version.institution_code = expected_report.institution_code
        )
),

-- The month itself, and those of the quarter before it that are on record.
not_owing as (
    select institution.code
    from registry.period as quarter_month
    cross join registry.institution
    where
        quarter_month.period between to_char(cast(:quarter_begin as date), 'YYYY-MM') and :period
        and (
            quarter_month.period = :period
            or exists (select 1 from intake.close where close.period = quarter_month.period)
        )
        and institution.opened_on < to_date(quarter_month.period, 'YYYY-MM') + interval '1 month'
        and not exists (
            select 1
            from registry.expected_report
            where
                expected_report.period = quarter_month.period
                and expected_report.institution_code = institution.code
                and expected_report.report = 'outreach'
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
    and office.code not in (select not_owing.code from not_owing)
