-- What became of each report owed (docs/figures.md#reporting)? One row per report; it stands for the version that was
-- used, or that was judged last, where there is one.
--
-- holds_for: rows
-- county: county_code
-- bank: bank_code
-- about: owed
select
    reporting.report,
    submission.submission_id,
    cast(null as integer) as row_number,
    true as counts,
    jsonb_build_object(
        '机构代码', reporting.institution_code,
        '报表', reporting.report,
        '状态', reporting.status,
        '按时', case when reporting.on_time then '是' else '否' end,
        '一次通过', case when reporting.first_pass then '是' else '否' end
    ) as content,
    case when institution.kind = 'county_office' then institution.division_code end as county_code,
    case when institution.kind = 'bank' then institution.code end as bank_code,
    reporting.institution_code || '/' || reporting.report as owed,
    reporting.status in ('accepted', 'nil') as received,
    reporting.on_time,
    reporting.first_pass
from mart.reporting
inner join known_institution as institution on reporting.institution_code = institution.code
left join intake.submission
    on
        reporting.period = submission.period
        and reporting.institution_code = submission.institution_code
        and reporting.version = submission.version
where reporting.run_id = :run_id
