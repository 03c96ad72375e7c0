-- Which banks have reported no new product of the year in any county? One row per bank, from June on.
--
-- rule: A14
-- aspect: 产品创新
-- level: low
-- needs: {position: own}
with launched as (
    select
        present.institution_code,
        coalesce(sum(position.new_products), 0) as products
    from present
    left join position on present.institution_code = position.delivered_by
    where present.report = 'position'
    group by present.institution_code
)

select
    launched.institution_code,
    null as division_code,
    launched.institution_code as subject,
    launched.products as measure,
    1 as threshold,
    concat(:year, '年1月至', :month, '月，各县区都没有推出面向贫困户的新产品。') as detail
from launched
where
    :month >= 6
    and launched.products = 0
