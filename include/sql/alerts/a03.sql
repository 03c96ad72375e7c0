-- Which outlets have no supervision hotline, or one of no accepted form? One row per outlet; the measure is how many
-- rows of the grid. What is accepted was judged with the version that the run uses (G01).
--
-- rule: A03
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
        '网点', min(grid.outlet_name), '（', grid.outlet_code, '）',
        concat_ws(
            '、',
            case when bool_or(grid.hotline is null) then '未填写监督电话' end,
            case when bool_or(grid.hotline is not null) then '监督电话不是可以拨打的号码' end
        ),
        '，涉及责任表', count(*), '行。'
    ) as detail
from grid
where
    exists (
        select 1
        from intake.finding
        where
            finding.report = 'grid'
            and finding.rule = 'G01'
            and grid.submission_id = finding.submission_id
            and grid.row_number = finding.row_number
    )
group by grid.delivered_by, grid.outlet_code
