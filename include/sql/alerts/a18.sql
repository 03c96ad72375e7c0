-- Which warnings are older than one period, and neither explained nor gone? One row per report, rule and key; the
-- measure is how many findings of the month there are of it.
-- What was reported of the run's version counts, and what the close found across reports where that is the version it
-- froze. The same must have been reported, and left unexplained, of the newest month before of which the institution's
-- report was judged. A case whose report is missing, or one that the finding rests on, cannot be judged.
--
-- rule: A18
-- aspect: 小额信贷管理
-- level: low
-- needs: {}
with delivery as (
    select
        submission.submission_id,
        submission.institution_code,
        submission.period,
        submission.version
    from intake.submission
    inner join intake.close on close.period = :period
    where
        submission.period <= :period
        and (
            submission.recorded_at <= close.closed_at
            or submission.submission_id in (select run_version.submission_id from run_version)
        )
),

cross_rule as (
    select declared.*
    from
        jsonb_to_recordset(cast(:cross_rules as jsonb))
            as declared (rule text, rests_on jsonb, absence boolean, is_settled_at_close boolean)
),

-- Reports of other institutions on which findings across reports rest; without them a finding cannot be said to be
-- gone. Nor can one about what is on no list be said to be true.
rests_on as (
    select
        cross_rule.rule,
        other.report,
        cross_rule.absence as is_about_absence
    from cross_rule
    cross join jsonb_array_elements_text(cross_rule.rests_on) as other (report)
),

judged_before as (
    select
        delivery.period,
        delivery.institution_code,
        report.report,
        delivery.submission_id,
        delivery.version,
        report.verdict <> 'rejected' as is_received
    from delivery
    inner join intake.report on delivery.submission_id = report.submission_id
    where delivery.period < :period
),

month_before as (
    select
        judged_before.institution_code,
        judged_before.report,
        max(judged_before.period) as period
    from judged_before
    group by judged_before.institution_code, judged_before.report
),

-- Of its newest month alone the versions are put in order: there are many months.
version_before as (
    select distinct on (judged_before.institution_code, judged_before.report)
        judged_before.period,
        judged_before.institution_code,
        judged_before.report,
        judged_before.submission_id
    from judged_before
    inner join month_before
        on
            judged_before.institution_code = month_before.institution_code
            and judged_before.report = month_before.report
            and judged_before.period = month_before.period
    order by
        judged_before.institution_code asc,
        judged_before.report asc,
        judged_before.is_received desc,
        judged_before.version desc
),

version as (
    select
        run_version.*,
        false as is_before
    from run_version
    where run_version.period = :period
    union all
    select
        version_before.period,
        version_before.institution_code,
        version_before.report,
        version_before.submission_id,
        true as is_before
    from version_before
),

compared as (
    select
        version.*,
        frozen_report.submission_id is not null as is_frozen
    from version
    left join intake.frozen_report
        on
            version.period = frozen_report.period
            and version.institution_code = frozen_report.institution_code
            and version.report = frozen_report.report
            and version.submission_id = frozen_report.submission_id
),

at_close as (
    select distinct on (cross_check.period, cross_check.institution_code)
        cross_check.period,
        cross_check.institution_code,
        cross_check.submission_id
    from intake.cross_check
    where
        cross_check.edition like 'close%'
        and cross_check.period in (select compared.period from compared)
    order by cross_check.period asc, cross_check.institution_code asc, cross_check.checked_at desc
),

-- Of rules about what stands the close has the last word; others may mend what a version was warned of by them.
receipt as (
    select
        compared.*,
        compared.submission_id as receipt_number,
        false as is_close
    from compared
    union all
    select
        compared.*,
        at_close.submission_id as receipt_number,
        true as is_close
    from compared
    inner join at_close
        on
            compared.period = at_close.period
            and compared.institution_code = at_close.institution_code
    where compared.is_frozen
),

said as (
    select
        delivery.institution_code,
        delivery.period,
        explanation.report,
        explanation.rule,
        explanation.key,
        explanation.is_bound,
        coalesce('=' || explanation.value, '') as value
    from intake.explanation
    inner join delivery on explanation.submission_id = delivery.submission_id
),

reported as (
    select
        receipt.*,
        finding.rule,
        coalesce(finding.key, finding.header, '-') as finding_key,
        finding.row_number,
        finding.ordinal,
        finding.message
    from receipt
    inner join intake.finding
        on
            receipt.receipt_number = finding.submission_id
            and receipt.report = finding.report
    where
        finding.level = 'warning'
        and (
            receipt.is_close
            or not receipt.is_frozen
            or finding.rule not in (
                select cross_rule.rule
                from cross_rule
                where cross_rule.is_settled_at_close
            )
        )
        and finding.explanation is null
        and (
            receipt.institution_code,
            finding.report,
            finding.rule,
            coalesce(finding.key, ''),
            coalesce('=' || finding.value, '')
        ) not in (
            select
                said.institution_code,
                said.report,
                said.rule,
                said.key,
                said.value
            from said
            where said.is_bound
        )
        and (receipt.institution_code, finding.report, finding.rule, coalesce(finding.key, ''), receipt.period) not in (
            select
                said.institution_code,
                said.report,
                said.rule,
                said.key,
                said.period
            from said
            where not said.is_bound
        )
        and (
            receipt.is_before
            or finding.rule not in (
                select rests_on.rule
                from rests_on
                inner join missing_report as missing on rests_on.report = missing.report
                where rests_on.is_about_absence
            )
        )
),

place as (
    select
        'loans' as report,
        loans.submission_id,
        loans.row_number,
        loans.town_code as division_code
    from loans
    union all
    select
        'grid' as report,
        grid.submission_id,
        grid.row_number,
        grid.town_code as division_code
    from grid
    union all
    select
        'households' as report,
        households.submission_id,
        households.row_number,
        households.town_code as division_code
    from households
),

holding as (
    select
        reported.institution_code,
        case
            when min(place.division_code) = max(place.division_code) then min(place.division_code)
            else min(office.division_code)
        end as division_code,
        concat_ws('/', reported.report, reported.rule, reported.finding_key) as subject,
        reported.report,
        reported.finding_key,
        count(*) filter (where not reported.is_before) as measure,
        concat(
            '“', cast(:report_titles as jsonb) ->> reported.report, '”',
            reported.finding_key, '的预警（', reported.rule, '）',
            to_char(to_date(min(reported.period), 'YYYY-MM'), 'FMYYYY"年"FMMM"月"'),
            '已经告知，本月仍在，没有更正，也没有说明：',
            (array_agg(reported.message order by reported.is_before, reported.is_close, reported.ordinal))[1]
        ) as detail
    from reported
    left join place
        on
            reported.report = place.report
            and reported.submission_id = place.submission_id
            and reported.row_number = place.row_number
    left join open_institution as office
        on
            office.kind = 'county_office'
            and reported.institution_code = office.code
    group by reported.institution_code, reported.report, reported.rule, reported.finding_key
    having
        bool_or(reported.is_before)
        and bool_or(not reported.is_before)
),

known as (
    select distinct on (state.institution_code, state.subject)
        state.*,
        split_part(state.subject, '/', 1) as report,
        split_part(state.subject, '/', 2) as finding_rule,
        regexp_replace(state.subject, '^[^/]*/[^/]*/', '') as finding_key
    from mart.current_case_state as state
    where
        state.rule = 'A18'
        and state.period < :period
    order by state.institution_code asc, state.subject asc, state.period desc
)

select
    holding.institution_code,
    holding.division_code,
    holding.subject,
    case holding.report when 'loans' then array[holding.finding_key] end as contract_nos,
    holding.measure,
    cast(null as numeric) as threshold,
    holding.detail,
    false as is_unjudged
from holding
union all
select
    known.institution_code,
    known.division_code,
    known.subject,
    case known.report when 'loans' then array[known.finding_key] end as contract_nos,
    known.measure,
    known.threshold,
    known.detail,
    true as is_unjudged
from known
where
    known.state <> 'closed'
    and exists (
        select 1
        from missing_report as missing
        left join rests_on
            on
                missing.report = rests_on.report
                and known.finding_rule = rests_on.rule
        where
            rests_on.rule is not null
            or (known.report = missing.report and known.institution_code = missing.institution_code)
    )
    and not exists (
        select 1
        from holding
        where
            holding.institution_code = known.institution_code
            and holding.subject = known.subject
    )
