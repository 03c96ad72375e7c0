-- Who stands where on the boards of the month?
-- One row per board and subject, in the order of the board.
select
    board,
    subject_code,
    subject_name,
    value,
    rank,
    previous_rank
from mart.current_ranking
where period = :period
order by board, rank, subject_code
