-- Which cross checks has a period had? One row a check, by institution and in the order of their numbers.
select
    institution_code,
    edition
from intake.cross_check
where period = :period
order by institution_code, length(edition), edition
