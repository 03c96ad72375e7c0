-- What is on record of a draft: how it was shown last, and what was decided on it?
-- One row, or none where no such draft was shown.
select
    shown_draft.title,
    shown_draft.run_id,
    shown_draft.digest,
    shown_draft.checks,
    shown_draft.shown_at,
    approval.decision,
    approval.decided_by,
    approval.decided_at,
    approval.remark
from notify.shown_draft
left join notify.approval
    on
        shown_draft.quarter = approval.quarter
        and shown_draft.draft = approval.draft
where
    shown_draft.quarter = :quarter
    and shown_draft.draft = :draft
order by shown_draft.shown_at desc
limit 1
