-- Where does a receipt belong, and does it have findings? One row, of a version or of a cross check.
select
    place.period,
    place.institution_code,
    place.edition,
    place.made_at,
    place.is_cross,
    exists(select from intake.finding where finding.submission_id = :submission_id) as has_findings
from (
    select
        period,
        institution_code,
        'v' || version as edition,
        received_at as made_at,
        false as is_cross
    from intake.submission
    where submission_id = :submission_id
    union all
    select
        period,
        institution_code,
        edition,
        checked_at as made_at,
        true as is_cross
    from intake.cross_check
    where submission_id = :submission_id
) as place
