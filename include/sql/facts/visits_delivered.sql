-- Which visits of the month did each bank deliver (docs/figures.md#visits-and-scoring)? One row per visit.
--
-- holds_for: visits
-- bank: delivered_by
select
    visits.*,
    'visits' as report,
    true as counts,
    cast(null as jsonb) as content
from visits
where visits.period = :period
