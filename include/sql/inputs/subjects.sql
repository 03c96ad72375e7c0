-- What has figures of its own? The city, its counties and towns, and the banks open on the period's last day.
-- One row per scope and code; county_code is filled for counties and towns.
insert into subject
select
    division.level as scope,
    division.code as scope_code,
    division.name as subject_name,
    case division.level when 'county' then division.code when 'town' then division.parent_code end as county_code
from known_division as division
union all
select
    'bank' as scope,
    bank.code as scope_code,
    bank.short_name as subject_name,
    null as county_code
from open_institution as bank
where bank.kind = 'bank'
