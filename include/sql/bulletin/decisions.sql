-- What was decided on the drafts of a quarter? One row per draft, the oldest first.
select
    draft,
    decision,
    shown_digest,
    decided_by,
    decided_at,
    remark,
    kind,
    run_ids,
    published
from notify.approval
where quarter = :quarter
order by draft
