-- Who stands where on each board (docs/figures.md#boards)? One row per board and subject that has a value;
-- highest first, ties share the better place. Quotients that do not end are kept to more digits or fewer, as their
-- numerators are small or large: what is equal shall not differ by that.
with entry as (
    select
        board.board,
        metric.scope_code as subject_code,
        subject.subject_name,
        metric.value
    from jsonb_to_recordset(cast(:boards as jsonb)) as board (board text, scope text, metric text)
    inner join mart.metric
        on
            metric.run_id = :run_id
            and board.scope = metric.scope
            and board.metric = metric.metric
    inner join subject
        on
            metric.scope = subject.scope
            and metric.scope_code = subject.scope_code
    union all
    select
        'bank_score' as board,
        assessment.institution_code as subject_code,
        subject.subject_name,
        assessment.score as value
    from mart.assessment
    inner join subject
        on
            subject.scope = 'bank'
            and assessment.institution_code = subject.scope_code
    where assessment.run_id = :run_id
    union all
    select
        'league_ytd_amount' as board,
        league.city_code as subject_code,
        league.city as subject_name,
        league.ytd_amount as value
    from league
),

placed as (
    select
        entry.*,
        rank() over (partition by entry.board order by round(entry.value, 12) desc) as place
    from entry
    where entry.value is not null
)

insert into mart.ranking
select
    :run_id as run_id,
    :period as period,
    placed.board,
    placed.subject_code,
    placed.subject_name,
    placed.value,
    placed.place as rank,
    before.rank as previous_rank
from placed
left join mart.current_ranking as before
    on
        before.period = :previous_period
        and placed.board = before.board
        and placed.subject_code = before.subject_code
order by placed.board, placed.place, placed.subject_code
