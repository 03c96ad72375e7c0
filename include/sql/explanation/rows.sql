-- Which rows of delivered files are the evidence of a figure? One row per row of evidence: those of both parts first.
select
    evidence.part,
    evidence.counted,
    trim_scale(evidence.numerator) as numerator,
    trim_scale(evidence.denominator) as denominator,
    evidence.report,
    evidence.submission_id,
    evidence.row_number,
    evidence.content,
    submission.institution_code,
    submission.period as delivered_for,
    submission.version,
    judged.file,
    judged.sheet,
    file.sha256
from evidence
left join intake.submission on evidence.submission_id = submission.submission_id
left join intake.report as judged
    on evidence.submission_id = judged.submission_id and evidence.report = judged.report
left join intake.file on judged.submission_id = file.submission_id and split_part(judged.file, '/', 1) = file.name
order by
    array_position(array['both', 'numerator', 'denominator'], evidence.part),
    evidence.counted nulls first, evidence.report, evidence.submission_id, evidence.row_number,
    -- Of what nobody delivers: no two rows are left in an order of chance, or pages of them would overlap.
    evidence.content, evidence.numerator, evidence.denominator, file.sha256
limit
    :first
    offset :offset
