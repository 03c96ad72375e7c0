-- What happened with an institution's packages of a month? One row per event, the oldest first.
with events as (
    select
        seen_package.seen_at as happened_at,
        'seen' as event,
        null as subject,
        seen_package.failure as detail
    from intake.seen_package
    where
        seen_package.period = :period
        and seen_package.institution_code = :institution_code
    union all
    select
        submission.received_at as happened_at,
        'received' as event,
        submission.submission_id as subject,
        submission.submitted_by as detail
    from intake.submission
    where
        submission.period = :period
        and submission.institution_code = :institution_code
    union all
    select
        submission.recorded_at as happened_at,
        'judged' as event,
        submission.submission_id as subject,
        submission.verdict as detail
    from intake.submission
    where
        submission.period = :period
        and submission.institution_code = :institution_code
    union all
    select
        cross_check.checked_at as happened_at,
        'checked' as event,
        cross_check.submission_id as subject,
        cross_check.edition as detail
    from intake.cross_check
    where
        cross_check.period = :period
        and cross_check.institution_code = :institution_code
    union all
    select
        coalesce(message.sent_at, message.created_at) as happened_at,
        concat('message_', message.status) as event,
        message.subject,
        message.recipient as detail
    from notify.message
    where
        message.period = :period
        and message.institution_code = :institution_code
        and message.kind in ('receipt', 'reminder')
    union all
    select
        deadline_move.moved_at as happened_at,
        'deadline' as event,
        to_char(deadline_move.deadline_at - interval '1 microsecond', 'YYYY-MM-DD') as subject,
        deadline_move.reason as detail
    from registry.deadline_move
    where
        deadline_move.period = :period
        and (deadline_move.institution_code is null or deadline_move.institution_code = :institution_code)
    union all
    select
        closed.closed_at as happened_at,
        'closed' as event,
        closed.forced_by as subject,
        closed.forced_reason as detail
    from intake.close as closed
    where closed.period = :period
    union all
    select
        reopening.reopened_at as happened_at,
        'reopened' as event,
        reopening.reopened_by as subject,
        reopening.reason as detail
    from intake.reopening
    where reopening.period = :period
)

select
    events.happened_at,
    events.event,
    events.subject,
    events.detail
from events
order by events.happened_at, events.event
