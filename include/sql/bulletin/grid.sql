-- How many outlets of each bank stand in the grid of responsibility, and at how many of them are all letters signed?
-- One row per bank whose grid the month's run knows.
with outlet as (
    select
        used.institution_code,
        grid.outlet_code,
        bool_and(grid.letter_signed_on is not null and grid.letter_signed_on <= :period_end) as signed
    from mart.run_input as used
    inner join core.delivered_grid as grid
        on
            used.submission_id = grid.submission_id
            and used.period = grid.period
    where
        used.run_id = :run_id
        and used.period = :period
        and used.report = 'grid'
    group by used.institution_code, grid.outlet_code
)

select
    outlet.institution_code,
    count(*) as outlets,
    count(*) filter (where outlet.signed) as signed
from outlet
group by outlet.institution_code
order by outlet.institution_code
