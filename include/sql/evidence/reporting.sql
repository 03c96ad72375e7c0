-- Which reports make a figure of the reporting (docs/figures.md#restatement-and-proof)? One row per report owed; it
-- stands for the version that was used, or that was judged last, where there is one.
with placed as (
    select
        reporting.*,
        reporting.status in ('accepted', 'nil') as received,
        submission.submission_id
    from mart.reporting
    inner join known_institution as institution on reporting.institution_code = institution.code
    left join intake.submission
        on
            reporting.period = submission.period
            and reporting.institution_code = submission.institution_code
            and reporting.version = submission.version
    where
        reporting.run_id = :run_id
        and case :scope
            when 'city' then true
            when 'county' then institution.kind = 'county_office' and institution.division_code = :code
            when 'bank' then institution.kind = 'bank' and institution.code = :code
        end
)

select
    placed.report,
    placed.submission_id,
    cast(null as integer) as row_number,
    case when not figure.below then 'numerator' when not figure.above then 'denominator' else 'both' end as part,
    placed.institution_code || '/' || placed.report as counted,
    cast(null as numeric) as numerator,
    cast(null as numeric) as denominator,
    jsonb_build_object(
        '机构代码', placed.institution_code,
        '报表', placed.report,
        '状态', placed.status,
        '按时', case when placed.on_time then '是' else '否' end,
        '一次通过', case when placed.first_pass then '是' else '否' end
    ) as content
from placed
cross join
    lateral (
        values
        ('reports_expected', true, false),
        ('reports_received', placed.received, false),
        ('reports_on_time', placed.on_time, false),
        ('reporting_rate', placed.received, true),
        ('on_time_rate', placed.on_time, true),
        ('first_pass_rate', placed.first_pass, placed.received)
    ) as figure (metric, above, below)
where
    figure.metric = :metric
    and (figure.above or figure.below)
