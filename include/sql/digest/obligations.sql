-- Who owes what? One row per kind of institution and report.
select
    obligation.kind,
    obligation.report
from registry.obligation
order by obligation.kind, obligation.report
