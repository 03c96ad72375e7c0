-- Which rows of a fact stand behind a figure? One row per row of a fact that meets a condition of the figure.
select
    chosen.report,
    chosen.submission_id,
    chosen.row_number,
    case when not chosen.is_below then 'numerator' when not chosen.is_above then 'denominator' else 'both' end as part,
    chosen.counted,
    case when chosen.is_above then chosen.above end as numerator,
    case when chosen.is_below then chosen.below end as denominator,
    chosen.content
from chosen
where chosen.is_above or chosen.is_below
