-- How many of its reports of the year so far did a bank deliver on time, and how many passed at once
-- (docs/figures.md#assessment)? Half each. A step: 份 of reports more that do both.
with reported as (
    select
        reporting.institution_code as code,
        cast(count(*) as numeric) as expected,
        cast(count(*) filter (where reporting.status in ('accepted', 'nil')) as numeric) as received,
        cast(count(*) filter (where reporting.on_time) as numeric) as on_time,
        cast(count(*) filter (where reporting.first_pass) as numeric) as first_pass
    from mart.reporting
    where reporting.run_id = any(:runs_of_year)
    group by reporting.institution_code
),

known as (
    select
        asked.code,
        asked.step,
        coalesce(reported.expected, 0) as expected,
        coalesce(reported.received, 0) as received,
        coalesce(reported.on_time, 0) as on_time,
        coalesce(reported.first_pass, 0) as first_pass
    from asked
    left join reported on asked.code = reported.code
),

moved as (
    select
        known.code,
        known.step,
        known.expected,
        -- What is on time or passed at once has been received.
        greatest(
            known.received,
            least(known.on_time + known.step, known.expected),
            least(known.first_pass + known.step, known.expected)
        ) as received,
        least(known.on_time + known.step, known.expected) as on_time,
        least(known.first_pass + known.step, known.expected) as first_pass
    from known
),

shared as (
    select
        moved.*,
        moved.on_time / nullif(moved.expected, 0) + moved.first_pass / nullif(moved.received, 0) as both_shares
    from moved
)

select
    shared.code,
    shared.step,
    shared.step as done,
    100 * shared.both_shares / 2 as raw,
    coalesce(shared.both_shares / 2, 0) as points,
    shared.expected - least(shared.on_time, shared.first_pass) as farthest,
    concat(
        '本年应报', shared.expected, '份，按时', shared.on_time, '份；收到', shared.received,
        '份，一次通过', shared.first_pass, '份'
    ) as note,
    concat('今年再有', shared.step, '份报表按时报送并一次通过') as deed
from shared
