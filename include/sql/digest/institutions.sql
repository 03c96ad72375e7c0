-- Which institutions count in the period, as the register has them? One row per institution.
select open_institution.*
from open_institution
order by open_institution.code
