-- Which drafts of a quarter's bulletin were shown, and what was decided on each? One row per draft, the newest first.
with shown as (
    select distinct on (shown_draft.draft)
        shown_draft.draft,
        shown_draft.title,
        shown_draft.run_id,
        shown_draft.shown_at
    from notify.shown_draft
    where shown_draft.quarter = :quarter
    order by shown_draft.draft asc, shown_draft.shown_at desc
)

select
    shown.draft,
    shown.title,
    shown.run_id,
    shown.shown_at,
    approval.kind,
    approval.decision,
    approval.decided_by,
    approval.decided_at,
    approval.remark
from shown
left join notify.approval on approval.quarter = :quarter and shown.draft = approval.draft
order by shown.draft desc
