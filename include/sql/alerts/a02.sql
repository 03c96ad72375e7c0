-- Is this year's microcredit in too few hands: one bank or county with over half of it, or too unequal between the
-- banks that have a target? At most one row, of the city, for the centre; the measure is the largest share in percent,
-- or, where no share is too large, the Gini coefficient.
--
-- rule: A02
-- aspect: 小额信贷管理
-- level: medium
-- needs: {}
-- needs_to_close: {loans: all}
-- metric: microcredit_ytd_amount
with issued as (
    select
        figure.scope,
        figure.scope_code,
        figure.value
    from mart.metric as figure
    where
        figure.run_id = :run_id
        and figure.metric = 'microcredit_ytd_amount'
),

-- Where a ledger is missing everyone else's share of the city looks larger than it is. Not so the inequality between
-- banks: it is declared to be that of those whose ledger is in.
share as (
    select
        part.scope,
        part.scope_code,
        subject.subject_name,
        part.value / nullif(city.value, 0) * 100 as per_cent
    from issued as part
    inner join issued as city on city.scope = 'city'
    inner join subject
        on
            part.scope = subject.scope
            and part.scope_code = subject.scope_code
    where
        part.scope in ('bank', 'county')
        and not exists (select 1 from missing_report where missing_report.report = 'loans')
),

large as (
    select
        max(share.per_cent) as largest,
        string_agg(
            concat(share.subject_name, '占全市', round(share.per_cent, 2), '%，超过50%'),
            '；'
            order by share.scope desc, share.scope_code asc
        ) as sentence
    from share
    where share.per_cent > 50
),

targeted as (
    select
        issued.scope_code,
        issued.value
    from issued
    inner join target on issued.scope_code = target.institution_code
    where
        issued.scope = 'bank'
        and target.households > 0
),

summed as (
    select
        count(*) as banks,
        sum(targeted.value) as total
    from targeted
),

differing as (
    select sum(abs(one.value - other.value)) as total
    from targeted as one
    cross join targeted as other
),

-- Σ|xi − xj| / (2n²·mean), where n·mean is the sum.
inequality as (
    select
        summed.banks,
        differing.total / nullif(2 * summed.banks * summed.total, 0) as gini
    from summed
    cross join differing
),

centre as (
    select min(open_institution.code) as institution_code
    from open_institution
    where open_institution.kind = 'centre'
)

select
    centre.institution_code,
    null as division_code,
    :city as subject,
    trim_scale(coalesce(large.largest, inequality.gini)) as measure,
    case when large.largest is null then 0.6 else 50 end as threshold,
    concat(
        '本年扶贫小额信贷发放金额过于集中：',
        concat_ws(
            '；',
            large.sentence,
            case
                when inequality.gini > 0.6
                    then concat(inequality.banks, '家有任务银行的基尼系数为', round(inequality.gini, 4), '，超过0.6')
            end
        ),
        '。'
    ) as detail
from centre
cross join large
cross join inequality
where
    centre.institution_code is not null
    and (large.largest is not null or inequality.gini > 0.6)
