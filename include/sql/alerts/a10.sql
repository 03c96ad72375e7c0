-- Which contracts have gone from their bank's ledger, or come with another issue date or principal (X01, X02)?
-- One row per contract; the measure is its balance in the last ledger before that, in yuan.
-- A finding counts from the first close after it was reported, in whichever version. It is settled when the run's
-- ledger has the contract as it was, and when an explanation stands for what was found. What settled a case once stays
-- settled: of what earlier months found only the cases that are still open are looked at again. X02 rejects its
-- version, so a month may have no ledger: its own findings hold then, and those of before stay as they were.
-- Sets are asked whether they have a key (`in`) and are not joined: thousands of contracts may be gone at once, which
-- no estimate foresees.
--
-- rule: A10
-- aspect: 贷款质量和用途真实性
-- level: high
-- needs: {}
-- needs_to_close: {loans: own}
with moment as (
    select
        close.closed_at,
        (
            select max(earlier.closed_at)
            from intake.close as earlier
            where earlier.period < close.period
        ) as previous_closed_at
    from intake.close
    where close.period = :period
),

delivery as (
    select
        submission.submission_id,
        submission.institution_code,
        submission.period,
        submission.version,
        submission.recorded_at,
        submission.period = :period
        or coalesce(submission.recorded_at > moment.previous_closed_at, false) as is_new
    from intake.submission
    cross join moment
    where
        submission.period <= :period
        and (
            submission.recorded_at <= moment.closed_at
            or submission.submission_id in (select run_version.submission_id from run_version)
        )
),

open_case as (
    select
        known.institution_code,
        known.subject as contract_no,
        known.since_period,
        (
            select max(earlier.closed_at)
            from intake.close as earlier
            where earlier.period < known.since_period
        ) as reported_after
    from (
        select distinct on (state.institution_code, state.subject) state.*
        from mart.current_case_state as state
        where
            state.rule = 'A10'
            and state.period < :period
        order by state.institution_code asc, state.subject asc, state.period desc
    ) as known
    where known.state <> 'closed'
),

-- Which deliveries an open case can rest on.
of_case as (
    select
        open_case.institution_code,
        open_case.contract_no,
        delivery.submission_id
    from open_case
    inner join delivery
        on
            open_case.institution_code = delivery.institution_code
            and (
                open_case.since_period <= delivery.period
                or open_case.reported_after < delivery.recorded_at
            )
),

-- Of a rule and contract only what the newest version said: it took the place of what those before it said.
reported as (
    select
        delivery.institution_code,
        delivery.period,
        delivery.version,
        delivery.is_new,
        finding.ordinal,
        finding.rule,
        finding.key as contract_no,
        finding.header,
        finding.value,
        finding.expected,
        finding.explanation,
        to_char(to_date(delivery.period, 'YYYY-MM') - interval '1 month', 'YYYY-MM') as period_before,
        rank() over (
            partition by delivery.institution_code, finding.key, finding.rule
            order by delivery.period desc, delivery.version desc
        ) as age
    from delivery
    inner join intake.finding on delivery.submission_id = finding.submission_id
    where
        finding.report = 'loans'
        and finding.rule in ('X01', 'X02')
        and finding.key is not null
        and (
            delivery.is_new
            or (delivery.institution_code, finding.key, delivery.submission_id) in (
                select
                    of_case.institution_code,
                    of_case.contract_no,
                    of_case.submission_id
                from of_case
            )
        )
),

said as (
    select
        delivery.institution_code,
        delivery.period,
        explanation.rule,
        explanation.key as contract_no,
        explanation.is_bound,
        coalesce('=' || explanation.value, '') as value
    from intake.explanation
    inner join delivery on explanation.submission_id = delivery.submission_id
    where explanation.report = 'loans'
),

unexplained as (
    select reported.*
    from reported
    where
        reported.age = 1
        and reported.explanation is null
        and (
            reported.institution_code,
            reported.rule,
            reported.contract_no,
            coalesce('=' || reported.value, '')
        ) not in (
            select
                said.institution_code,
                said.rule,
                said.contract_no,
                said.value
            from said
            where said.is_bound
        )
        and (reported.institution_code, reported.rule, reported.contract_no, reported.period) not in (
            select
                said.institution_code,
                said.rule,
                said.contract_no,
                said.period
            from said
            where not said.is_bound
        )
),

-- The contract in the month before it was gone or changed; month by month, so that no other partition is read.
ledger_before as materialized (
    select distinct on (found.period, found.delivered_by, found.contract_no) found.*
    from (select distinct unexplained.period_before from unexplained) as asked
    cross join
        lateral (
            select
                loan.period,
                loan.delivered_by,
                loan.contract_no,
                loan.town_code,
                loan.issued_on,
                loan.principal,
                loan.balance,
                delivery.version
            from core.delivered_loans as loan
            inner join delivery on loan.submission_id = delivery.submission_id
            where
                loan.period = asked.period_before
                and (loan.delivered_by, loan.contract_no) in (
                    select
                        unexplained.institution_code,
                        unexplained.contract_no
                    from unexplained
                )
        ) as found
    order by found.period asc, found.delivered_by asc, found.contract_no asc, found.version desc
),

differing as (
    select
        ledger_before.period,
        ledger_before.delivered_by,
        ledger_before.contract_no
    from ledger_before
    where (
        ledger_before.delivered_by,
        ledger_before.contract_no,
        ledger_before.issued_on,
        ledger_before.principal
    ) not in (
        select
            loans.delivered_by,
            loans.contract_no,
            loans.issued_on,
            loans.principal
        from loans
    )
),

compared as (
    select
        unexplained.*,
        (unexplained.institution_code, unexplained.contract_no) not in (
            select
                loans.delivered_by,
                loans.contract_no
            from loans
        ) as is_gone,
        (unexplained.period_before, unexplained.institution_code, unexplained.contract_no) in (
            select
                differing.period,
                differing.delivered_by,
                differing.contract_no
            from differing
        ) as is_different,
        (unexplained.institution_code, unexplained.contract_no) in (
            select
                loans.delivered_by,
                loans.contract_no
            from loans
            where loans.balance = 0
        ) as is_paid_off,
        (unexplained.period_before, unexplained.institution_code, unexplained.contract_no) in (
            select
                ledger_before.period,
                ledger_before.delivered_by,
                ledger_before.contract_no
            from ledger_before
            where ledger_before.balance = 0
        ) as was_paid_off,
        unexplained.institution_code in (
            select present.institution_code
            from present
            where present.report = 'loans'
        ) as has_ledger
    from unexplained
),

-- What is unsettled, and beside it what is known of the contract: grouped together below.
gathered as (
    select
        compared.institution_code,
        compared.contract_no,
        compared.rule,
        compared.period,
        compared.version,
        compared.ordinal,
        concat(
            to_char(to_date(compared.period, 'YYYY-MM'), 'FMYYYY"年"FMMM"月"'),
            case compared.rule
                when 'X01' then '起不在台账中'
                else concat('报送的', compared.header, '由', compared.expected, '改为', compared.value)
            end
        ) as sentence,
        null as town_code,
        cast(null as numeric) as balance
    from compared
    where
        (compared.is_gone or compared.is_different)
        and not compared.is_paid_off
        and not (compared.is_gone and compared.was_paid_off)
        and (compared.is_new or compared.has_ledger)
    union all
    select
        ledger_before.delivered_by as institution_code,
        ledger_before.contract_no,
        null as rule,
        ledger_before.period,
        ledger_before.version,
        null as ordinal,
        null as sentence,
        ledger_before.town_code,
        ledger_before.balance
    from ledger_before
)

select
    gathered.institution_code,
    min(gathered.town_code) as division_code,
    gathered.contract_no as subject,
    array[gathered.contract_no] as contract_nos,
    max(gathered.balance) as measure,
    cast(null as numeric) as threshold,
    concat(
        '合同', gathered.contract_no, '，',
        string_agg(gathered.sentence, '，' order by gathered.period, gathered.version, gathered.ordinal),
        '，至今没有恢复原样，也没有说明',
        '；此前余额' || to_char(round(max(gathered.balance) / 10000, 2), 'FM999,999,999,990.00') || '万元',
        '。'
    ) as detail
from gathered
group by gathered.institution_code, gathered.contract_no
having count(gathered.rule) > 0
