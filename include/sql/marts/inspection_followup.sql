-- What became of each finding of on-site inspections, and do the data bear out that it is mended
-- (docs/field.md#the-job)? One row per finding of the month's report, and per finding that was listed before, not
-- mended, and is not any more. Without the month's report there are none: nothing is carried forward.
with listed as (
    select
        inspections.finding_no,
        inspections.institution_code,
        inspections.aspect,
        inspections.severity,
        inspections.inspected_on,
        inspections.due_on,
        inspections.mended_on,
        case when inspections.mended_on <= :period_end then inspections.mended_on end as said_mended_on,
        true as is_listed
    from inspections
),

-- As the newest month before knew them that had the report; it also has those that were already gone.
before as (
    select current_inspection_followup.*
    from mart.current_inspection_followup
    where current_inspection_followup.period = (
        select max(run_input.period)
        from mart.run_input
        inner join mart.current_run on run_input.run_id = current_run.run_id
        where
            run_input.report = 'inspections'
            and run_input.period = current_run.period
            and run_input.period < :period
    )
),

-- Findings of an institution that is not open any more may not be listed (R01).
gone as (
    select
        before.finding_no,
        before.institution_code,
        before.aspect,
        before.severity,
        before.inspected_on,
        before.due_on,
        before.mended_on,
        cast(null as date) as said_mended_on,
        false as is_listed
    from before
    inner join open_institution on before.institution_code = open_institution.code
    where
        before.state in ('running', 'overdue', 'gone')
        and (before.mended_on is null or before.mended_on > :period_end)
        and exists (select 1 from present where present.report = 'inspections')
        and not exists (
            select 1
            from listed
            where listed.finding_no = before.finding_no
        )
),

-- The alert of an overdue finding (A16) is the inspectors' word, not the data's.
followed as (
    select
        finding.*,
        count(alert.case_id) as open_alerts,
        min(alert.since_period) as alerts_since
    from (
        select listed.*
        from listed
        union all
        select gone.*
        from gone
    ) as finding
    left join mart.case_state as alert
        on
            alert.run_id = :run_id
            and alert.state = 'open'
            and alert.rule <> 'A16'
            and finding.institution_code = alert.institution_code
            and finding.aspect = alert.aspect
            and alert.since_period <= to_char(coalesce(finding.said_mended_on, :period_end), 'YYYY-MM')
    group by
        finding.finding_no,
        finding.institution_code,
        finding.aspect,
        finding.severity,
        finding.inspected_on,
        finding.due_on,
        finding.mended_on,
        finding.said_mended_on,
        finding.is_listed
),

judged as (
    select
        followed.*,
        case
            when not followed.is_listed then 'gone'
            when followed.said_mended_on is null and followed.due_on < :period_end then 'overdue'
            when followed.said_mended_on is null then 'running'
            when followed.open_alerts > 0 then 'doubtful'
            when followed.said_mended_on > followed.due_on then 'mended_late'
            else 'mended'
        end as state,
        (
            select max(earlier.period)
            from mart.current_inspection_followup as earlier
            where
                earlier.finding_no = followed.finding_no
                and earlier.state <> 'gone'
                and earlier.period < :period
        ) as last_listed,
        to_char(followed.due_on, 'FMYYYY年FMMM月FMDD日') as due_day,
        to_char(followed.said_mended_on, 'FMYYYY年FMMM月FMDD日') as mended_day
    from followed
)

insert into mart.inspection_followup
select
    :run_id as run_id,
    :period as period,
    judged.finding_no,
    judged.institution_code,
    judged.aspect,
    judged.severity,
    judged.inspected_on,
    judged.due_on,
    judged.mended_on,
    judged.state,
    judged.open_alerts,
    case judged.state
        when 'running' then concat('整改期限', judged.due_day, '，尚未到期。')
        when 'overdue'
            then concat('整改期限', judged.due_day, '，已逾期', :period_end - judged.due_on, '天，尚未整改完成。')
        when 'mended' then concat('已于', judged.mended_day, '按期整改完成。')
        when 'mended_late'
            then concat(
                '已于', judged.mended_day, '整改完成，比整改期限晚', judged.said_mended_on - judged.due_on, '天。'
            )
        when 'doubtful'
            then concat(
                '台账称已于', judged.mended_day, '整改完成，但同一方面仍有', judged.open_alerts, '项预警未消除（最早自',
                judged.alerts_since, '起），请核实。'
            )
        else concat(judged.last_listed, '台账中尚未整改完成，此后台账不再列出，请核实。')
    end as remark
from judged
order by judged.finding_no
