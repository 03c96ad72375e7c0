-- Where does the bulletin of each quarter stand? One row per quarter of which a month was opened, the newest first.
-- `changed`: a run that the newest bulletin was made from is no longer the one that stands.
with month as (
    select
        concat(left(period.period, 4), '-Q', (cast(right(period.period, 2) as integer) + 2) / 3) as quarter,
        current_run.run_id
    from registry.period
    left join mart.current_run on period.period = current_run.period
),

quarter as (
    select
        month.quarter,
        count(month.run_id) as assessed
    from month
    group by month.quarter
),

shown as (
    select
        shown_draft.quarter,
        max(shown_draft.draft) as draft
    from notify.shown_draft
    group by shown_draft.quarter
),

decided as (
    select
        approval.quarter,
        max(approval.draft) as draft,
        count(*) filter (where approval.decision = 'approved' and approval.kind = 'bulletin') as bulletins,
        count(*) filter (where approval.decision = 'approved' and approval.kind = 'correction') as corrections,
        max(approval.draft) filter (where approval.decision = 'approved') as approved_draft
    from notify.approval
    group by approval.quarter
),

posted as (
    select
        message.period as quarter,
        count(*) filter (where message.status = 'sent') as sent,
        count(*) filter (where message.status in ('pending', 'sending')) as waiting,
        count(*) filter (where message.status = 'failed' and fallback.message_key is null) as failed,
        count(*) filter (where message.status = 'in_doubt') as in_doubt
    from notify.message
    left join notify.message as fallback on message.message_key = fallback.fallback_of
    where message.kind in ('bulletin', 'correction')
    group by message.period
)

select
    quarter.quarter,
    quarter.assessed,
    shown.draft as shown_draft,
    decided.draft as decided_draft,
    newest.decision as newest_decision,
    coalesce(decided.bulletins, 0) as bulletins,
    coalesce(decided.corrections, 0) as corrections,
    approved.decided_at as approved_at,
    approved.run_ids as approved_run_ids,
    coalesce(posted.sent, 0) as sent,
    coalesce(posted.waiting, 0) as waiting,
    coalesce(posted.failed, 0) as failed,
    coalesce(posted.in_doubt, 0) as in_doubt,
    exists(
        select from mart.run
        where
            run.run_id = any(approved.run_ids)
            and not run.current
    ) as changed
from quarter
left join shown on quarter.quarter = shown.quarter
left join decided on quarter.quarter = decided.quarter
left join
    notify.approval as newest
    on decided.quarter = newest.quarter and decided.draft = newest.draft
left join
    notify.approval as approved
    on decided.quarter = approved.quarter and decided.approved_draft = approved.draft
left join posted on quarter.quarter = posted.quarter
order by quarter.quarter desc
