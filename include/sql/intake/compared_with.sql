-- What is a version held against, beside its own rows? One row, another one as soon as any of that has changed.
-- Versions are only ever added, and findings name institutions. Of a closed month others hear nothing.
with recorded as (
    select count(*) as versions
    from intake.submission
    where submission.period in (:period, :previous_period, :december)
),

named as (
    select md5(string_agg(institution.code || ' ' || institution.short_name, ' ' order by institution.code)) as names
    from registry.institution
)

select
    concat_ws(
        ' ', recorded.versions, named.names, exists (select from intake.close where close.period = :period)
    ) as compared_with
from recorded
cross join named
