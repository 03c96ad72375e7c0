-- How far is each bank on the way to its target, measured against the months gone by (docs/figures.md#assessment)?
-- One row per bank whose ledger is in; percent, uncapped; NULL where the target is 0.
with reached as (
    select
        present.institution_code as code,
        count(distinct loans.household_no) as households
    from present
    left join loans
        on
            present.institution_code = loans.delivered_by
            and loans.microcredit
            and loans.issued_on between :year_begin and :period_end
    where present.report = 'loans'
    group by present.institution_code
)

select
    'bank' as scope,
    reached.code as scope_code,
    'microcredit_completion' as metric,
    -- The multiplication comes first so that a whole percentage stays whole.
    reached.households * 1200 / nullif(cast(target.households * :month as numeric), 0) as value,
    reached.households as numerator,
    target.households * cast(:month as numeric) / 12 as denominator
from reached
inner join subject
    on
        subject.scope = 'bank'
        and reached.code = subject.scope_code
inner join target on reached.code = target.institution_code
