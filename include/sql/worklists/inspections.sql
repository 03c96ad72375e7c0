-- In which order are outlets inspected next, and which loans are looked at? One row per outlet and sampled loan, or per
-- outlet where there is no loan.
select
    outlet.place,
    outlet.institution_code as bank_code,
    institution.short_name as bank,
    outlet.town_code,
    division.name as town,
    outlet.outlet_name,
    outlet.risk,
    outlet.weight,
    outlet.open_alerts,
    outlet.shared_alerts,
    outlet.balance,
    outlet.last_inspected_on,
    outlet.seed,
    outlet.reason,
    sample.place as loan_place,
    sample.contract_no,
    sample.household_no,
    sample.drawn,
    sample.draw,
    sample.balance as loan_balance,
    sample.overdue_days,
    sample.risk_class,
    sample.reason as loan_reason
from mart.inspection_outlet as outlet
left join
    mart.inspection_sample as sample
    on
        outlet.run_id = sample.run_id
        and outlet.institution_code = sample.institution_code
        and outlet.town_code = sample.town_code
left join registry.institution on outlet.institution_code = institution.code
left join registry.division on outlet.town_code = division.code
where
    outlet.run_id = :run_id
    and outlet.institution_code = coalesce(:institution, outlet.institution_code)
    and outlet.town_code = coalesce(:town, outlet.town_code)
order by outlet.place, sample.place
