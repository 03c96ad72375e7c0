-- Which figures differ between a restated run and the one that it replaces (docs/figures.md#restatement-and-proof)?
-- One row per figure: the table that holds it, whom it is about, its name; words that go with figures are left out.
-- Of a household its score with its items, its tier and its limit; of a step that would better a bank what it gives.
with scored as (
    select
        household_score.*,
        -- Both runs at once, and no join: the statistics know nothing yet of the run that is being made.
        count(*) over (
            partition by
                household_score.household_no,
                household_score.workers_points,
                household_score.income_points,
                household_score.debts_points,
                household_score.business_points,
                household_score.training_points,
                household_score.conduct_points,
                household_score.score,
                household_score.tier,
                household_score.credit_limit
        ) as runs_alike
    from mart.household_score
    where household_score.run_id in (:run_id, :replaced_run_id)
),

result as (
    select
        metric.run_id,
        'metric' as mart,
        metric.scope,
        metric.scope_code,
        '' as part,
        jsonb_build_object(metric.metric, metric.value) as figures
    from mart.metric
    where metric.run_id in (:run_id, :replaced_run_id)
    union all
    select
        assessment.run_id,
        'assessment' as mart,
        'bank' as scope,
        assessment.institution_code as scope_code,
        '' as part,
        to_jsonb(assessment) as figures
    from mart.assessment
    where assessment.run_id in (:run_id, :replaced_run_id)
    union all
    select
        item.run_id,
        'assessment_item' as mart,
        'bank' as scope,
        item.institution_code as scope_code,
        concat(item.indicator, '/') as part,
        to_jsonb(item) as figures
    from mart.assessment_item as item
    where item.run_id in (:run_id, :replaced_run_id)
    union all
    select
        pace.run_id,
        'pace' as mart,
        'bank' as scope,
        pace.institution_code as scope_code,
        '' as part,
        to_jsonb(pace) as figures
    from mart.pace
    where pace.run_id in (:run_id, :replaced_run_id)
    union all
    select
        ranking.run_id,
        'ranking' as mart,
        coalesce(board.scope, 'city') as scope,
        ranking.subject_code as scope_code,
        concat(ranking.board, '/') as part,
        to_jsonb(ranking) as figures
    from mart.ranking
    left join
        (values ('bank'), ('county')) as board (scope)
        on starts_with(ranking.board, concat(board.scope, '_'))
    where ranking.run_id in (:run_id, :replaced_run_id)
    union all
    select
        advice.run_id,
        'relending_advice' as mart,
        'bank' as scope,
        advice.institution_code as scope_code,
        '' as part,
        to_jsonb(advice) as figures
    from mart.relending_advice as advice
    where advice.run_id in (:run_id, :replaced_run_id)
    union all
    select
        reporting.run_id,
        'reporting' as mart,
        institution.kind as scope,
        reporting.institution_code as scope_code,
        concat(reporting.report, '/') as part,
        to_jsonb(reporting) as figures
    from mart.reporting
    inner join registry.institution on reporting.institution_code = institution.code
    where reporting.run_id in (:run_id, :replaced_run_id)
    union all
    select
        alert.run_id,
        'alert' as mart,
        institution.kind as scope,
        alert.institution_code as scope_code,
        concat(alert.rule, '/', alert.subject, '/') as part,
        to_jsonb(alert) as figures
    from mart.alert
    inner join registry.institution on alert.institution_code = institution.code
    where alert.run_id in (:run_id, :replaced_run_id)
    union all
    select
        league.run_id,
        'league_reconciliation' as mart,
        'city' as scope,
        :city as scope_code,
        concat(league.figure, '/') as part,
        to_jsonb(league) as figures
    from mart.league_reconciliation as league
    where league.run_id in (:run_id, :replaced_run_id)
    union all
    select
        next_step.run_id,
        'next_step' as mart,
        'bank' as scope,
        next_step.institution_code as scope_code,
        concat(next_step.indicator, '/') as part,
        jsonb_build_object(
            'step', next_step.step,
            'raw_after', next_step.raw_after,
            'score_after', next_step.score_after,
            'grade_after', next_step.grade_after,
            'rank_after', next_step.rank_after
        ) as figures
    from mart.next_step
    where next_step.run_id in (:run_id, :replaced_run_id)
    union all
    select
        scored.run_id,
        'household_score' as mart,
        'household' as scope,
        scored.household_no as scope_code,
        '' as part,
        to_jsonb(scored) - 'runs_alike' as figures
    from scored
    where scored.runs_alike = 1
),

figure as (
    select
        result.run_id,
        result.mart,
        result.scope,
        result.scope_code,
        concat(result.part, held.name) as figure,
        -- 47.9 and 47.90 are the same figure, and who reads them wants neither's row of noughts.
        case jsonb_typeof(held.value)
            when 'number' then cast(trim_scale(cast(held.value as numeric)) as text)
            else jsonb_build_array(held.value) ->> 0
        end as written
    from result
    cross join jsonb_each(result.figures) as held (name, value)
    where
        held.name <> all(
            array[
                'run_id', 'period', 'institution_code', 'division_code', 'indicator', 'board', 'subject_code',
                'subject_name', 'report', 'rule', 'subject', 'aspect', 'case_id', 'threshold', 'figure',
                'note', 'reason', 'detail', 'household_no', 'town_code', 'bank_code'
            ]
        )
),

before as (
    select figure.*
    from figure
    where figure.run_id = :replaced_run_id
),

after as (
    select figure.*
    from figure
    where figure.run_id = :run_id
)

insert into mart.restated_figure
select
    :run_id as run_id,
    :period as period,
    coalesce(before.mart, after.mart) as mart,
    coalesce(before.scope, after.scope) as scope,
    coalesce(before.scope_code, after.scope_code) as scope_code,
    coalesce(before.figure, after.figure) as figure,
    before.written as before,
    after.written as after
from before
full outer join after
    on
        before.mart = after.mart
        and before.scope = after.scope
        and before.scope_code = after.scope_code
        and before.figure = after.figure
where before.written is distinct from after.written
order by mart, scope, scope_code, figure
