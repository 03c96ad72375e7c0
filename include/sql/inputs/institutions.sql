-- Which institutions does a run know, as the register has them? Those open on the period's last day, which count in it,
-- and those whose deliveries it uses. One row per institution.
with registered as (
    select
        institution.*,
        institution.opened_on <= :period_end
        and (institution.closed_on is null or institution.closed_on > :period_end) as is_open
    from registry.institution
)

insert into known_institution
select
    registered.code,
    registered.short_name,
    registered.kind,
    registered.division_code,
    registered.local_legal_person,
    registered.is_open
from registered
where
    registered.is_open
    or registered.code in (select run_version.institution_code from run_version)
