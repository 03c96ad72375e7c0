-- Where do receipts belong, and do they have findings? One row a receipt, of a version or of a cross check.
select
    place.submission_id,
    place.period,
    place.institution_code,
    place.edition,
    place.made_at,
    place.is_cross,
    exists(select from intake.finding where finding.submission_id = place.submission_id) as has_findings
from (
    select
        submission_id,
        period,
        institution_code,
        'v' || version as edition,
        received_at as made_at,
        false as is_cross
    from intake.submission
    where submission_id = any(:submission_ids)
    union all
    select
        submission_id,
        period,
        institution_code,
        edition,
        checked_at as made_at,
        true as is_cross
    from intake.cross_check
    where submission_id = any(:submission_ids)
) as place
