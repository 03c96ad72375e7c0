-- Which households and visits make a figure of the scores (docs/figures.md#restatement-and-proof)?
-- One row per household able to work, and one per visit whose mark of conduct its score takes in.
with scored as (
    select
        households.household_no,
        households.submission_id,
        households.row_number,
        result.score,
        result.tier
    from households
    left join mart.household_score as result
        on
            result.run_id = :run_id
            and households.household_no = result.household_no
    where
        households.workers > 0
        and case :scope
            when 'city' then true
            when 'county' then left(households.town_code, 6) = :code
            when 'town' then households.town_code = :code
            when 'bank' then households.bank_code = :code
        end
),

chosen as (
    select
        scored.*,
        figure.above,
        figure.below,
        figure.points
    from scored
    cross join
        lateral (
            values
            ('households_scored', scored.score is not null, false, null),
            ('score_coverage', scored.score is not null, true, null),
            ('score_average', scored.score is not null, scored.score is not null, scored.score),
            ('households_tier_AAA', scored.tier = 'AAA', false, null),
            ('households_tier_AA', scored.tier = 'AA', false, null),
            ('households_tier_A', scored.tier = 'A', false, null),
            ('households_tier_B', scored.tier = 'B', false, null)
        ) as figure (metric, above, below, points)
    where
        figure.metric = :metric
        and (figure.above or figure.below)
)

select
    'households' as report,
    chosen.submission_id,
    chosen.row_number,
    case when not chosen.below then 'numerator' when not chosen.above then 'denominator' else 'both' end as part,
    chosen.household_no as counted,
    chosen.points as numerator,
    cast(null as numeric) as denominator,
    cast(null as jsonb) as content
from chosen
union all
select
    'visits' as report,
    visits.submission_id,
    visits.row_number,
    'numerator' as part,
    visits.household_no as counted,
    null as numerator,
    null as denominator,
    null as content
from visits
inner join chosen on visits.household_no = chosen.household_no
where
    chosen.above
    and visits.conduct is not null
