-- Which outlets have not signed their responsibility letter? One row per outlet; the measure is how many rows of
-- the grid.
--
-- rule: A04
-- aspect: 主体责任落实
-- level: low
-- needs: {grid: own}
select
    grid.delivered_by as institution_code,
    case
        when min(grid.town_code) = max(grid.town_code) then min(grid.town_code)
        when min(left(grid.town_code, 6)) = max(left(grid.town_code, 6)) then min(left(grid.town_code, 6))
    end as division_code,
    grid.outlet_code as subject,
    count(*) as measure,
    cast(null as numeric) as threshold,
    concat(
        '网点', min(grid.outlet_name), '（', grid.outlet_code, '）尚未签订责任书，涉及责任表', count(*), '行。'
    ) as detail
from grid
where grid.letter_signed_on is null
group by grid.delivered_by, grid.outlet_code
