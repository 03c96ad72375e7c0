-- Of which values did the newest receipt report a finding, whether of a version or of a cross check? One row a value.
select distinct value
from (
    select
        value,
        rank() over (order by period desc, told_at desc) as age
    from intake.told_finding
    where
        institution_code = :institution_code
        and period <= :period
        and report = :report
        and rule = :rule
        and coalesce(key, '') = :key
) as reported
where age = 1
