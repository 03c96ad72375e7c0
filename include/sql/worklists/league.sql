-- What does the own row of the league say beside the computed figures? One row per figure.
select
    figure,
    computed,
    reported,
    difference
from mart.league_reconciliation
where run_id = :run_id
order by array_position(array['ytd_households', 'ytd_amount', 'balance'], figure)
