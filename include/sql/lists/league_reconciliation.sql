-- What does the league say of the own city, beside what the ledgers give (docs/reports.md#league; X10)? One row per
-- figure; none where the league is missing, `reported` NULL where it has no row of the city. The difference is to the
-- computed figure as the league gives it, with two decimals; amounts in 万元.
with own as (
    select
        figure.place,
        figure.figure,
        figure.metric,
        figure.reported
    from (select exists(select 1 from present where present.report = 'league') as delivered) as league_report
    left join league on league.city_code = :city
    cross join
        lateral (
            values
            (1, 'ytd_households', 'microcredit_ytd_households', cast(league.ytd_households as numeric)),
            (2, 'ytd_amount', 'microcredit_ytd_amount', league.ytd_amount),
            (3, 'balance', 'microcredit_balance', league.balance)
        ) as figure (place, figure, metric, reported)
    where league_report.delivered
)

insert into mart.league_reconciliation
select
    :run_id as run_id,
    :period as period,
    own.figure,
    metric.value as computed,
    own.reported,
    own.reported - round(metric.value, 2) as difference
from own
left join mart.metric
    on
        metric.run_id = :run_id
        and metric.scope = 'city'
        and own.metric = metric.metric
order by own.place
