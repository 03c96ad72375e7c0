-- Which projects has nobody taken up, and which banks fit them best? One row per project and bank, or per project where
-- no bank fits.
select
    project.county_code,
    project.project_no,
    project.name,
    project.town_code,
    division.name as town,
    project.industry,
    project.operator,
    project.demand,
    project.entered_on,
    fit.institution_code as bank_code,
    institution.short_name as bank,
    fit.place,
    fit.fit,
    fit.offered,
    fit.answer,
    fit.reason
from mart.open_project as project
left join
    mart.project_fit as fit
    on project.run_id = fit.run_id and project.county_code = fit.county_code and project.project_no = fit.project_no
left join registry.institution on fit.institution_code = institution.code
left join registry.division on project.town_code = division.code
where
    project.run_id = :run_id
    and project.town_code = coalesce(:town, project.town_code)
    and (cast(:institution as text) is null or fit.institution_code = :institution)
order by project.county_code, project.project_no, fit.place nulls last, fit.institution_code
