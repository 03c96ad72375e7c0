-- What would one step better in one indicator give each bank?
-- One row per bank and indicator, those that win most places first, then those that raise the score most.
select
    institution_code,
    indicator,
    score_before,
    score_after,
    grade_before,
    grade_after,
    rank_before,
    rank_after,
    action,
    sentence
from mart.current_next_step
where period = :period
order by
    institution_code asc,
    rank_after asc,
    score_after desc,
    indicator asc
