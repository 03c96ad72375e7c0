-- Which households should the banks see, of one bank or town or of all (docs/figures.md#lists-for-banks)?
-- One row per household, by bank and town.
select
    lead.bank_code,
    institution.short_name as bank,
    lead.town_code,
    division.name as town,
    lead.place,
    lead.household_no,
    lead.village,
    lead.head_name,
    lead.not_visited,
    lead.wants_loan,
    lead.scored_high,
    lead.last_visited_on,
    lead.wanted_amount,
    lead.score,
    lead.tier,
    lead.credit_limit,
    lead.reason
from mart.household_lead as lead
left join registry.institution on lead.bank_code = institution.code
left join registry.division on lead.town_code = division.code
where
    lead.run_id = :run_id
    and lead.bank_code = coalesce(:institution, lead.bank_code)
    and lead.town_code = coalesce(:town, lead.town_code)
order by lead.bank_code, lead.town_code, lead.place
