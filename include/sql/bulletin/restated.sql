-- Which figures of these months were announced otherwise before, in whatever earlier revision of the month?
-- One row per period, scope, subject and figure, named as the bulletin names its sources.
select distinct
    restated_figure.period,
    case restated_figure.mart when 'ranking' then 'board' else restated_figure.scope end as scope,
    restated_figure.scope_code,
    case restated_figure.mart
        when 'assessment_item' then split_part(restated_figure.figure, '/', 1)
        when 'ranking' then replace(restated_figure.figure, '/', ' ')
        else restated_figure.figure
    end as figure
from mart.restated_figure
inner join mart.run on restated_figure.run_id = run.run_id
where
    run.period between :first and :last
    and (
        restated_figure.mart in ('metric', 'assessment', 'ranking')
        or (restated_figure.mart = 'assessment_item' and restated_figure.figure !~ '/raw$')
    )
order by restated_figure.period, scope, restated_figure.scope_code, figure
