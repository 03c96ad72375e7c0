-- What is the city, or the county or bank of that code, called? One row, or none where there is no such subject.
select
    division.code,
    division.name
from registry.division
where
    division.level = :scope
    and (division.code = :code or division.level = 'city')
union all
select
    institution.code,
    institution.short_name
from registry.institution
where
    institution.kind = :scope
    and institution.code = :code
