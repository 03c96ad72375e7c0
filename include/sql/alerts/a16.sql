-- Which findings of on-site inspections were not mended by their date? One row per finding, under its own aspect; the
-- measure is the days since that date.
--
-- rule: A16
-- level: medium
-- needs: {inspections: all}
select
    inspections.institution_code,
    case institution.kind when 'county_office' then institution.division_code end as division_code,
    inspections.finding_no as subject,
    inspections.aspect,
    cast(:period_end as date) - inspections.due_on as measure,
    0 as threshold,
    concat(
        '督查问题', inspections.finding_no, '（', inspections.severity, '）应于',
        to_char(inspections.due_on, 'FMYYYY"年"FMMM"月"FMDD"日"'), '前完成整改，已逾期',
        cast(:period_end as date) - inspections.due_on, '天。'
    ) as detail
from inspections
inner join registry.institution on inspections.institution_code = institution.code
where
    inspections.due_on < :period_end
    and (inspections.mended_on is null or inspections.mended_on > :period_end)
