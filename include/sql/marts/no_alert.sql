-- What of that which the rules yield is no alert (docs/figures.md#alerts)? One row per such row, with what is wrong
-- with it.
with counted as (
    select
        raised.rule,
        raised.institution_code,
        raised.subject,
        raised.detail,
        raised.level,
        raised.aspect,
        institution.code as known_code,
        count(*) over (partition by raised.rule, raised.institution_code, raised.subject) as rows_of_identity
    from raised
    left join registry.institution on raised.institution_code = institution.code
),

judged as (
    select
        counted.rule,
        counted.institution_code,
        counted.subject,
        case
            when counted.known_code is null
                then concat('institution ', coalesce(counted.institution_code, 'null'), ' is not in the register')
            when coalesce(counted.subject, '') = '' then 'it has no subject'
            when coalesce(counted.detail, '') = '' then 'it has no detail'
            when counted.aspect is null then 'it has no aspect'
            when counted.aspect <> all(cast(:aspects as text[])) then concat('there is no aspect ', counted.aspect)
            when counted.level <> all(cast(:levels as text[])) then concat('there is no level ', counted.level)
            when counted.rows_of_identity > 1
                then concat(counted.institution_code, ', ', counted.subject, ' comes more than once')
        end as fault
    from counted
)

select
    judged.rule,
    judged.fault
from judged
where judged.fault is not null
order by
    judged.rule,
    judged.institution_code,
    judged.subject,
    judged.fault
