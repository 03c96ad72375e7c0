-- Which runs hold for a month and for the months before it that a reader compares it with?
-- One row per period from :first to :last, its newest revision.
select
    run_id,
    period,
    revision,
    closed_at,
    input_digest,
    scheme_version,
    scorecard_version,
    code_version
from mart.current_run
where period between :first and :last
order by period
