-- In which order are outlets inspected next, of one bank or county or of all? One row per outlet, the riskiest first,
-- with how many of its loans are drawn.
select
    outlet.place,
    outlet.institution_code as bank_code,
    institution.short_name as bank,
    outlet.town_code,
    town.name as town,
    county.code as county_code,
    county.name as county,
    outlet.outlet_name,
    outlet.risk,
    outlet.open_alerts,
    outlet.shared_alerts,
    outlet.balance,
    outlet.last_inspected_on,
    outlet.reason,
    (
        select count(*)
        from mart.inspection_sample as sample
        where
            sample.run_id = outlet.run_id
            and sample.institution_code = outlet.institution_code
            and sample.town_code = outlet.town_code
    ) as loans
from mart.inspection_outlet as outlet
inner join mart.current_run on outlet.run_id = current_run.run_id
inner join registry.institution on outlet.institution_code = institution.code
left join registry.division as town on outlet.town_code = town.code
left join registry.division as county on town.parent_code = county.code
where
    current_run.period = :period
    and (cast(:institution as text) is null or outlet.institution_code = :institution)
    and (cast(:county as text) is null or county.code = :county)
order by outlet.place
limit :first
