-- Which projects have stood in the library for more than 90 days with neither a loan nor a credit line? One row per
-- project, as the metric projects_stale counts them; the measure is the days since it was entered.
-- While a bank's matches are missing, it may be that bank which took the project up: what is known of it stays. That
-- another took it up, or that it is done, needs no other report.
--
-- rule: A13
-- aspect: 产业贷款推进
-- level: low
-- needs: {projects: own}
-- metric: projects_stale
select
    projects.delivered_by as institution_code,
    projects.town_code as division_code,
    projects.project_no as subject,
    exists(select 1 from missing_report where missing_report.report = 'matches') as is_unjudged,
    cast(:period_end as date) - projects.entered_on as measure,
    90 as threshold,
    concat(
        '项目', projects.project_no, '于', to_char(projects.entered_on, 'FMYYYY"年"FMMM"月"FMDD"日"'),
        '入库，已', cast(:period_end as date) - projects.entered_on, '天，没有银行授信或放款；资金需求',
        to_char(projects.demand, 'FM999,999,999,990.00'), '万元。'
    ) as detail
from projects
where
    projects.status in ('在库', '实施中')
    and cast(:period_end as date) - projects.entered_on > 90
    and not exists (
        select 1
        from matches
        where
            matches.project_no = projects.project_no
            and matches.status in ('已授信', '已放款')
    )
