-- What became of each case (spec/04, Alerts)? A case is what holds for one rule, institution and subject.
-- One row per case that is open or set aside after the run, and per case that the run closed. A rule that lacks a
-- report neither opens nor closes: the case stays as it was.
with rule as (
    select
        declared.rule,
        declared.needs,
        declared.needs_to_close
    from jsonb_to_recordset(cast(:rules as jsonb)) as declared (rule text, needs jsonb, needs_to_close jsonb)
),

missing as (
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
),

-- A null institution stands for everyone: the rule needs the report of all of them.
unable_to_raise as (
    select distinct
        rule.rule,
        case needed.whose when 'own' then missing.institution_code end as institution_code
    from rule
    cross join jsonb_each_text(rule.needs) as needed (report, whose)
    inner join missing on needed.report = missing.report
),

unable_to_close as (
    select distinct
        rule.rule,
        case needed.whose when 'own' then missing.institution_code end as institution_code
    from rule
    cross join jsonb_each_text(rule.needs_to_close) as needed (report, whose)
    inner join missing on needed.report = missing.report
),

standing as (
    select
        concat_ws(
            '-', raised.rule, raised.institution_code,
            left(encode(sha256(convert_to(raised.subject, 'UTF8')), 'hex'), 8)
        ) as case_id,
        raised.*
    from raised
    where not exists (
        select 1
        from unable_to_raise
        where
            unable_to_raise.rule = raised.rule
            and coalesce(unable_to_raise.institution_code, raised.institution_code) = raised.institution_code
    )
),

known as (
    select distinct on (current_case_state.case_id) current_case_state.*
    from mart.current_case_state
    where current_case_state.period < :period
    order by current_case_state.case_id asc, current_case_state.period desc
),

-- Of a rule whose file is gone nothing holds any more.
unjudged as (
    select known.*
    from known
    where
        known.state <> 'closed'
        and known.case_id not in (select standing.case_id from standing)
        and exists (
            select 1
            from unable_to_close
            where
                unable_to_close.rule = known.rule
                and coalesce(unable_to_close.institution_code, known.institution_code) = known.institution_code
        )
),

set_aside as (
    select distinct on (decision.case_id)
        decision.case_id,
        decision.until
    from registry.case_set_aside as decision
    order by decision.case_id asc, decision.decision_number desc
),

judged as (
    select
        standing.case_id,
        standing.rule,
        standing.aspect,
        standing.level,
        standing.institution_code,
        standing.division_code,
        standing.subject,
        standing.measure,
        standing.threshold,
        standing.detail,
        true as holds,
        case
            when known.case_id is null then 'new'
            when known.state = 'closed' then 'reopened'
            when standing.level = 'high' and (known.level <> 'high' or standing.measure > known.measure) then 'worsened'
            else 'lasting'
        end as change,
        coalesce(known.first_period, :period) as first_period,
        case when known.state in ('open', 'set_aside') then known.since_period else :period end as since_period,
        coalesce(known.times, 0) + case when known.state in ('open', 'set_aside') then 0 else 1 end as times
    from standing
    left join known on standing.case_id = known.case_id
    union all
    select
        known.case_id,
        known.rule,
        known.aspect,
        known.level,
        known.institution_code,
        known.division_code,
        known.subject,
        known.measure,
        known.threshold,
        known.detail,
        unjudged.case_id is not null as holds,
        case when unjudged.case_id is null then 'closed' else 'unjudged' end as change,
        known.first_period,
        known.since_period,
        known.times
    from known
    left join unjudged on known.case_id = unjudged.case_id
    where
        known.state <> 'closed'
        and known.case_id not in (select standing.case_id from standing)
)

insert into mart.case_state
select
    :run_id as run_id,
    :period as period,
    judged.case_id,
    judged.rule,
    judged.aspect,
    judged.level,
    judged.institution_code,
    judged.division_code,
    judged.subject,
    judged.measure,
    judged.threshold,
    judged.detail,
    case
        when not judged.holds then 'closed'
        when set_aside.until >= :period_end then 'set_aside'
        else 'open'
    end as state,
    judged.change,
    judged.first_period,
    judged.since_period,
    judged.times
from judged
left join set_aside on judged.case_id = set_aside.case_id
order by judged.case_id
