-- What does the quality of reporting rest on? One row per judged version and report that counts.
select
    judged.institution_code,
    judged.report,
    judged.version,
    extract(epoch from judged.received_at) as received_at,
    judged.verdict,
    judged.errors,
    judged.warnings
from judged
order by judged.institution_code, judged.report, judged.version
