-- Which banks fit a project that nobody has taken up, and which have not answered one that was offered to them?
-- One row per project and bank: the best, with a place; and every other bank to which it was offered and that has not
-- answered it, without one. A bank is a candidate where it works in the county (a row of its position) and has not
-- answered 不予支持. Of a bank whose position or matches are missing nobody knows: it has no rows.
-- Fit, out of 100, weighs three shares: the bank's balance of loans to projects of the same industry; its balance of
-- precise poverty loans in the county; its relending room. The first two are of the highest among the candidates, the
-- room of the demand.
-- Relending room, for local legal persons only = relending in use less the balances of microcredit and of industry
-- loans with a project, at least 0. It is money drawn that does not show in these loans yet. Amounts in 万元.
with bank as (
    select
        open_institution.code,
        open_institution.local_legal_person,
        exists(
            select 1
            from present
            where
                present.report = 'loans'
                and present.institution_code = open_institution.code
        ) as has_ledger
    from open_institution
    where
        open_institution.kind = 'bank'
        and exists (
            select 1
            from present
            where
                present.report = 'position'
                and present.institution_code = open_institution.code
        )
        and exists (
            select 1
            from present
            where
                present.report = 'matches'
                and present.institution_code = open_institution.code
        )
),

library as (
    select distinct on (projects.project_no)
        projects.project_no,
        projects.industry
    from projects
    order by projects.project_no, projects.delivered_by
),

-- One pass over the ledger. The rows of a bank's counties add up to the bank.
lent as (
    select
        loans.delivered_by as code,
        left(loans.town_code, 6) as county_code,
        library.industry,
        grouping(library.industry) = 1 as is_of_county,
        sum(loans.balance) as balance,
        sum(loans.balance) filter (
            where
            loans.microcredit
            or (loans.category = '产业' and loans.project_no is not null)
        ) as microcredit_and_projects
    from loans
    left join library
        on
            loans.project_no = library.project_no
            and loans.category = '产业'
    group by grouping sets ((loans.delivered_by, left(loans.town_code, 6)), (loans.delivered_by, library.industry))
),

lent_on as (
    select
        lent.code,
        sum(lent.microcredit_and_projects) / 10000 as balance
    from lent
    where lent.is_of_county
    group by lent.code
),

relending as (
    select
        position.delivered_by as code,
        sum(position.relending) as balance
    from position
    group by position.delivered_by
),

facing as (
    select
        project.county_code,
        project.project_no,
        project.industry,
        project.demand,
        bank.code,
        bank.has_ledger,
        works.county_code is not null as works_in_county,
        works.county_code is not null and coalesce(matches.status <> '不予支持', true) as is_candidate,
        project.pushed_to is null or project.pushed_to = bank.code as offered,
        matches.status as answer,
        case when bank.has_ledger then coalesce(lent_to_industry.balance / 10000, 0) end as industry_balance,
        case when bank.has_ledger then coalesce(lent_in_county.balance / 10000, 0) end as county_balance,
        relending.balance as relending_balance,
        coalesce(lent_on.balance, 0) as lent_on,
        case
            when bank.local_legal_person and bank.has_ledger
                then greatest(relending.balance - coalesce(lent_on.balance, 0), 0)
        end as relending_room
    from mart.open_project as project
    cross join bank
    left join position as works
        on
            bank.code = works.delivered_by
            and project.county_code = works.county_code
    left join matches
        on
            bank.code = matches.delivered_by
            and project.project_no = matches.project_no
    left join lent as lent_to_industry
        on
            bank.code = lent_to_industry.code
            and project.industry = lent_to_industry.industry
    left join lent as lent_in_county
        on
            bank.code = lent_in_county.code
            and project.county_code = lent_in_county.county_code
    left join lent_on on bank.code = lent_on.code
    left join relending on bank.code = relending.code
    where
        project.run_id = :run_id
        and (
            works.county_code is not null
            or project.pushed_to = bank.code
        )
),

highest as (
    select
        facing.*,
        max(facing.industry_balance) over (project) as highest_industry_balance,
        max(facing.county_balance) over (project) as highest_county_balance
    from facing
    window project as (partition by facing.county_code, facing.project_no, facing.is_candidate)
),

fitting as (
    select
        highest.*,
        round(
            100 * (
                cast(:industry_weight as numeric)
                * coalesce(highest.industry_balance / nullif(highest.highest_industry_balance, 0), 0)
                + cast(:county_weight as numeric)
                * coalesce(highest.county_balance / nullif(highest.highest_county_balance, 0), 0)
                + cast(:relending_weight as numeric)
                * case
                    when highest.relending_room > 0
                        then highest.relending_room / greatest(highest.demand, highest.relending_room)
                    else 0
                end
            )
            / (
                cast(:industry_weight as numeric)
                + cast(:county_weight as numeric)
                + cast(:relending_weight as numeric)
            ),
            2
        ) as fit
    from highest
),

placed as (
    select
        fitting.*,
        row_number() over (
            partition by fitting.county_code, fitting.project_no, fitting.is_candidate
            order by fitting.fit desc, fitting.code asc
        ) as row_place
    from fitting
),

listed as (
    select
        placed.*,
        case when placed.is_candidate and placed.row_place <= cast(:banks as integer) then placed.row_place end as place
    from placed
)

insert into mart.project_fit
select
    :run_id as run_id,
    :period as period,
    listed.county_code,
    listed.project_no,
    listed.code,
    listed.place,
    case when listed.is_candidate then listed.fit end as fit,
    listed.offered,
    listed.answer,
    listed.industry_balance,
    listed.county_balance,
    listed.relending_room,
    concat_ws(
        '；',
        case
            when not listed.works_in_county then '未在该县区填报贷款月报'
            when listed.has_ledger
                then concat('在该县区有业务，金融精准扶贫贷款余额', round(listed.county_balance, 2), '万元')
            else '在该县区有业务，贷款台账未报送'
        end,
        case
            when listed.industry_balance > 0
                then concat(listed.industry, '类项目贷款余额', round(listed.industry_balance, 2), '万元')
            when listed.has_ledger then concat('尚无', listed.industry, '类项目贷款')
        end,
        case
            when listed.relending_room > 0
                then concat(
                    '支农再贷款余额', round(listed.relending_balance, 2), '万元，扶贫小额信贷和项目贷款余额',
                    round(listed.lent_on, 2), '万元，尚有', round(listed.relending_room, 2), '万元可用'
                )
        end,
        case
            when listed.answer is not null then concat('本行', listed.answer)
            when listed.offered then '已推送，尚未答复'
            else '未向本行推送'
        end
    ) as reason
from listed
where
    listed.place is not null
    or (listed.offered and listed.answer is null)
order by listed.county_code, listed.project_no, listed.place nulls last, listed.code
