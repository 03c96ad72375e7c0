-- Which checks across reports told an institution something of a month? One row per check, the newest first.
select
    cross_check.submission_id,
    cross_check.edition,
    cross_check.checked_at,
    (
        select count(*)
        from intake.finding
        where finding.submission_id = cross_check.submission_id
    ) as findings
from intake.cross_check
where
    cross_check.period = :period
    and cross_check.institution_code = :institution_code
order by cross_check.checked_at desc
