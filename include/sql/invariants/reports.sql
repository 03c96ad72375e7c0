-- Where are more reports received, on time or passed at once than were owed? One row per subject.
--
-- invariant: no more reports are received than are owed
select
    concat(reporting.scope, ' ', reporting.scope_code) as subject,
    concat('expected ', reporting.expected, ', received ', reporting.received, ', on time ', reporting.on_time)
        as detail
from (
    select
        metric.scope,
        metric.scope_code,
        max(metric.value) filter (where metric.metric = 'reports_expected') as expected,
        max(metric.value) filter (where metric.metric = 'reports_received') as received,
        max(metric.value) filter (where metric.metric = 'reports_on_time') as on_time
    from mart.metric
    where metric.run_id = :run_id
    group by metric.scope, metric.scope_code
) as reporting
where
    reporting.received > reporting.expected
    or reporting.on_time > reporting.expected
order by subject
