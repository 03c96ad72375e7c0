-- What became of each case (docs/figures.md#alerts)? A case is what holds for one rule, institution and subject.
-- One row per case that is open or set aside after the run, and per case that the run closed. A rule that lacks a
-- report neither opens nor closes: the case stays as it was. Institutions that are not open have no cases.
with needed as (
    select
        declared.rule,
        declared.act,
        declared.report,
        declared.whose
    from jsonb_to_recordset(cast(:needs as jsonb)) as declared (rule text, act text, report text, whose text)
),

-- A null institution stands for everyone: the rule needs the report of all of them.
unable as (
    select distinct
        needed.rule,
        needed.act,
        case needed.whose when 'own' then missing.institution_code end as institution_code
    from needed
    inner join missing_report as missing on needed.report = missing.report
),

holding as (
    select
        -- Of the subject a digest: subjects are of any length. 48 bits keep a hundred thousand of one rule apart.
        concat_ws(
            '-', raised.rule, raised.institution_code,
            left(encode(sha256(convert_to(raised.subject, 'UTF8')), 'hex'), 12)
        ) as case_id,
        raised.*
    from raised
    inner join open_institution on raised.institution_code = open_institution.code
    where
        not raised.is_unjudged
        and not exists (
            select 1
            from unable
            where
                unable.rule = raised.rule
                and unable.act = 'raise'
                and coalesce(unable.institution_code, raised.institution_code) = raised.institution_code
        )
),

-- Restated months count as their newest runs left them.
newest as (
    select
        current_case_state.case_id,
        max(current_case_state.period) as period
    from mart.current_case_state
    where current_case_state.period < :period
    group by current_case_state.case_id
),

known as (
    select current_case_state.*
    from mart.current_case_state
    inner join newest
        on
            current_case_state.case_id = newest.case_id
            and current_case_state.period = newest.period
),

-- Of a rule whose file is gone nothing holds any more: nothing is missing for it.
not_holding as (
    select
        known.*,
        open_institution.code is not null
        and (
            exists (
                select 1
                from unable
                where
                    unable.rule = known.rule
                    and unable.act = 'close'
                    and coalesce(unable.institution_code, known.institution_code) = known.institution_code
            )
            or exists (
                select 1
                from raised
                where
                    raised.is_unjudged
                    and raised.rule = known.rule
                    and raised.institution_code = known.institution_code
                    and raised.subject = known.subject
            )
        ) as is_unjudged
    from known
    left join open_institution on known.institution_code = open_institution.code
    where
        known.state <> 'closed'
        and not exists (
            select 1
            from holding
            where holding.case_id = known.case_id
        )
),

judged as (
    select
        holding.case_id,
        holding.rule,
        holding.aspect,
        holding.level,
        holding.institution_code,
        holding.division_code,
        holding.subject,
        holding.measure,
        holding.threshold,
        holding.detail,
        true as holds,
        case
            when known.case_id is null then 'new'
            when known.state = 'closed' then 'reopened'
            when
                array_position(array['low', 'medium', 'high'], holding.level)
                > array_position(array['low', 'medium', 'high'], known.level)
                then 'worsened'
            when
                holding.level = 'high'
                and case
                    when holding.measure < holding.threshold then holding.measure < known.measure
                    else holding.measure > known.measure
                end
                then 'worsened'
            when known.state = 'set_aside' and set_aside.case_id is null then 'returned'
            else 'lasting'
        end as change,
        coalesce(known.first_period, :period) as first_period,
        case when known.state in ('open', 'set_aside') then known.since_period else :period end as since_period,
        coalesce(known.times, 0) + case when known.state in ('open', 'set_aside') then 0 else 1 end as times
    from holding
    left join known on holding.case_id = known.case_id
    left join set_aside on holding.case_id = set_aside.case_id
    union all
    select
        not_holding.case_id,
        not_holding.rule,
        not_holding.aspect,
        not_holding.level,
        not_holding.institution_code,
        not_holding.division_code,
        not_holding.subject,
        not_holding.measure,
        not_holding.threshold,
        not_holding.detail,
        not_holding.is_unjudged as holds,
        case when not_holding.is_unjudged then 'unjudged' else 'closed' end as change,
        not_holding.first_period,
        not_holding.since_period,
        not_holding.times
    from not_holding
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
        when set_aside.case_id is not null then 'set_aside'
        else 'open'
    end as state,
    judged.change,
    judged.first_period,
    judged.since_period,
    judged.times
from judged
left join set_aside on judged.case_id = set_aside.case_id
order by judged.case_id
