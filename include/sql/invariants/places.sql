-- Which figures of towns do not add up to their county's, or of counties to the city's? One row per metric and whole.
-- A county whose office has not reported has no figure, nor have its towns. What another office wrongly lists there
-- still counts in the whole: the others then come to no more than it.
--
-- invariant: counties add up to the city, and towns to their county
with additive as (
    select
        declared.metric,
        declared.scopes ? 'county' as of_counties,
        declared.scopes ? 'town' as of_towns
    from jsonb_to_recordset(cast(:additive as jsonb)) as declared (metric text, scopes jsonb)
),

part as (
    select
        additive.metric,
        'city' as whole_scope,
        cast(:city as text) as whole_code,
        sum(figure.value) as total,
        count(*) filter (where figure.value is null) as unsaid
    from additive
    cross join subject as county
    left join mart.metric as figure
        on
            figure.run_id = :run_id
            and figure.scope = 'county'
            and additive.metric = figure.metric
            and county.scope_code = figure.scope_code
    where
        additive.of_counties
        and county.scope = 'county'
    group by additive.metric
    union all
    select
        additive.metric,
        'county' as whole_scope,
        county.scope_code as whole_code,
        sum(figure.value) as total,
        count(*) filter (where figure.value is null) as unsaid
    from additive
    cross join subject as county
    left join subject as town
        on
            town.scope = 'town'
            and county.scope_code = town.county_code
    left join mart.metric as figure
        on
            figure.run_id = :run_id
            and figure.scope = 'town'
            and additive.metric = figure.metric
            and town.scope_code = figure.scope_code
    where
        additive.of_towns
        and additive.of_counties
        and county.scope = 'county'
    group by additive.metric, county.scope_code
)

select
    part.metric as subject,
    concat(part.whole_scope, ' ', part.whole_code, ' ', whole.value, ', its parts ', part.total) as detail
from part
left join mart.metric as whole
    on
        whole.run_id = :run_id
        and part.metric = whole.metric
        and part.whole_scope = whole.scope
        and part.whole_code = whole.scope_code
where
    coalesce(part.total, 0) > coalesce(whole.value, 0)
    or (
        coalesce(part.total, 0) < coalesce(whole.value, 0)
        and part.unsaid = 0
    )
order by subject, detail
