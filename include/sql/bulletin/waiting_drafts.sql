-- Which draft of each quarter waits for a decision? One row per quarter, with when it was shown first.
select distinct on (shown.quarter)
    shown.quarter,
    shown.draft,
    shown.shown_at
from notify.shown_draft as shown
where
    not exists (
        select 1
        from notify.approval
        where
            approval.quarter = shown.quarter
            and approval.draft >= shown.draft
    )
order by shown.quarter asc, shown.draft desc, shown.shown_at asc
