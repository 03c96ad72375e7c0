-- Whose newest package was rejected, in whole or in part, with nothing accepted since? One row per institution and
-- month; of a closed month only what came too late, and not long ago.
with concerned as (
    select
        submission.submission_id,
        submission.period,
        submission.institution_code,
        submission.version,
        submission.received_at,
        submission.verdict,
        closed.closed_at
    from registry.period
    left join intake.close as closed on period.period = closed.period
    inner join intake.submission on period.period = submission.period
    where
        closed.closed_at is null
        or (
            submission.recorded_at > closed.closed_at
            and submission.recorded_at > now() - cast(:recently as interval)
        )
),

newest as (
    select distinct on (concerned.period, concerned.institution_code) concerned.*
    from concerned
    order by concerned.period asc, concerned.institution_code asc, concerned.version desc
)

select
    newest.period,
    newest.institution_code,
    institution.short_name,
    newest.version,
    newest.received_at,
    newest.verdict,
    newest.closed_at,
    deadline.deadline_at,
    count(report.report) filter (where report.verdict = 'rejected') as reports
from newest
inner join registry.institution on newest.institution_code = institution.code
inner join
    registry.deadline
    on
        newest.period = deadline.period
        and newest.institution_code = deadline.institution_code
left join intake.report on newest.submission_id = report.submission_id
where newest.verdict <> 'accepted'
group by
    newest.period,
    newest.institution_code,
    institution.short_name,
    newest.version,
    newest.received_at,
    newest.verdict,
    newest.closed_at,
    deadline.deadline_at
order by newest.received_at, newest.institution_code
