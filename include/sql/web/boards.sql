-- Who stands where on the boards of a month? One row per board and subject, the best first; of each board the first
-- places only.
with placed as (
    select
        ranking.board,
        ranking.subject_code,
        ranking.subject_name,
        ranking.value,
        ranking.rank,
        ranking.previous_rank,
        count(*) over (partition by ranking.board) as subjects,
        row_number() over (partition by ranking.board order by ranking.rank, ranking.subject_code) as place
    from mart.current_run
    inner join mart.ranking on current_run.run_id = ranking.run_id
    where
        current_run.period = :period
        and (cast(:board as text) is null or ranking.board = :board)
)

select
    placed.board,
    placed.subject_code,
    placed.subject_name,
    placed.value,
    placed.rank,
    placed.previous_rank,
    placed.subjects
from placed
where placed.place <= :first
order by placed.board, placed.place
