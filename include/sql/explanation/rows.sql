-- Which rows of delivered files are the evidence of a figure? One row per row of evidence: those of both parts first.
with listed as (
    select
        evidence.*,
        case evidence.part when 'both' then 1 when 'numerator' then 2 else 3 end as place
    from evidence
    order by
        place, evidence.counted nulls first, evidence.report, evidence.submission_id, evidence.row_number,
        -- Of what nobody delivers: no two rows are left in an order of chance, or pages of them would overlap.
        evidence.content, evidence.numerator, evidence.denominator
    limit
        :first
        offset :offset
)

select
    listed.part,
    listed.counted,
    trim_scale(listed.numerator) as numerator,
    trim_scale(listed.denominator) as denominator,
    listed.report,
    listed.submission_id,
    listed.row_number,
    listed.content,
    submission.institution_code,
    submission.period as delivered_for,
    submission.version,
    judged.file,
    judged.sheet,
    file.sha256
from listed
left join intake.submission on listed.submission_id = submission.submission_id
left join intake.report as judged
    on listed.submission_id = judged.submission_id and listed.report = judged.report
left join intake.file on judged.submission_id = file.submission_id and split_part(judged.file, '/', 1) = file.name
order by
    listed.place, listed.counted nulls first, listed.report, listed.submission_id, listed.row_number,
    listed.content, listed.numerator, listed.denominator, file.sha256
