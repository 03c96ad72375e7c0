"""What each table, view and column holds, where no earlier migration says it (docs/outputs.md#warehouse).

docs/reference/warehouse.md is made of these comments. A view that shows a table's columns takes over their comments.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = {
    "registry.contact": "who is told about an institution, and leaders who get the bulletin",
    "registry.division": "the city, its counties and their towns",
    "registry.institution": "banks, county offices and the centre, closed ones too",
    "registry.obligation": "reports that every institution of a kind owes each month",
    "registry.period": "months that have been opened",
    "intake.close": "months that are closed",
    "intake.explanation": "what institutions have said of warnings, by the version that said it",
    "intake.file": "delivered files of each version; the bytes lie in the archive",
    "intake.finding": "what a rule says of a delivered cell, row or file; sensitive values are masked",
    "intake.report": "how each report of a version was judged",
    "intake.submission": "versions: every delivery that was judged",
    "core.delivered_grid": "rows of the report grid in every accepted version",
    "core.delivered_guarantee_funds": "rows of the report guarantee_funds in every accepted version",
    "core.delivered_households": "rows of the report households in every accepted version",
    "core.delivered_inspections": "rows of the report inspections in every accepted version",
    "core.delivered_league": "rows of the report league in every accepted version",
    "core.delivered_loans": "rows of the report loans in every accepted version",
    "core.delivered_matches": "rows of the report matches in every accepted version",
    "core.delivered_outreach": "rows of the report outreach in every accepted version",
    "core.delivered_position": "rows of the report position in every accepted version",
    "core.delivered_projects": "rows of the report projects in every accepted version",
    "core.delivered_visits": "rows of the report visits in every accepted version",
    "mart.alert": "cases that are open after the run: only these count",
    "mart.assessment": "each open bank's score and place in the month",
    "mart.assessment_item": "points of each assessed bank for each indicator",
    "mart.household_score": "score, tier and credit limit of each household able to work",
    "mart.metric": "figures of the catalogue, exact and unrounded",
    "mart.ranking": "the boards: places by one value, highest first; ties share the better place",
    "mart.relending_advice": "what the assessment means for the relending of each local legal person",
    "mart.reporting": "what became of each report that an institution owed for the month",
    "mart.run": "every computation of a month; a run is never changed",
    "mart.target": "the city's target of a year, split over the banks; a new split is a new revision",
    "mart.current_run": "the newest run of each month",
    "mart.current_target": "the newest targets of each year",
    "notify.approval": "decisions on drafts of the bulletin",
    "notify.message": "the outbox: every message with what became of it",
    "notify.message_attachment": "which message carries which attachment, under which name",
}

CURRENT = "rows of the newest run of each month"

VIEWS_OF_THE_NEWEST_RUN = (
    "alert",
    "assessment",
    "assessment_item",
    "case_state",
    "household_lead",
    "household_score",
    "inspection_followup",
    "inspection_outlet",
    "inspection_sample",
    "league_reconciliation",
    "metric",
    "next_step",
    "open_project",
    "pace",
    "project_fit",
    "ranking",
    "relending_advice",
    "reporting",
    "visit_round",
)

MONTH = "month, YYYY-MM"
INSTITUTION = "code of the institution"
BANK = "code of the bank"
REPORT = "code of the report"
RULE = "code of the rule"
NUMBER = "counts up"
RUN = {"run_id": "period and revision, such as 2019-06-r1", "period": MONTH}
OF_VERSION = "receipt number of the version"
TOWN = "code of the town, nine digits"
COUNTY = "code of the county, six digits"
ASPECT = "one of the five aspects of an inspection"
ALERT_LEVEL = "high, medium or low"
HOUSEHOLD = "number of the household on the county's register"
PROJECT = "number of the project in the county's library"
CONTRACT = "number of the loan's contract"

DELIVERED = {
    "period": MONTH,
    "submission_id": OF_VERSION,
    "delivered_by": "code of the institution that delivered the row",
    "row_number": "row of the delivered sheet, from 1",
}

COLUMNS = {
    "registry.case_set_aside": {
        "decision_number": NUMBER,
        "case_id": "the case that is set aside or taken back",
        "reason": "why, as ops wrote it",
        "decided_by": "who decided",
        "decided_at": "when it was decided",
    },
    "registry.closing": {
        "closing_number": NUMBER,
        "institution_code": "code of the institution that is closed",
        "reason": "why, as ops wrote it",
        "decided_by": "who decided",
        "decided_at": "when it was decided",
    },
    "registry.contact": {
        "institution_code": INSTITUTION,
        "address": "mail address or Apprise URL",
        "role": "contact of the institution, or leader of the branch",
    },
    "registry.deadline": {
        "period": MONTH,
        "institution_code": INSTITUTION,
        "by_calendar_at": "first instant that is too late, had nobody moved it",
        "move_number": "the decision that holds; null: none, the calendar does",
        "reason": "why it was moved",
        "moved_at": "when it was moved",
    },
    "registry.deadline_move": {
        "move_number": NUMBER,
        "period": MONTH,
        "reason": "why, as ops wrote it",
        "moved_at": "when it was decided",
    },
    "registry.division": {
        "code": "six digits of a city or county, nine of a town",
        "name": "Chinese name",
        "level": "city, county or town",
        "parent_code": "division in which it lies; null: none is known",
    },
    "registry.institution": {
        "code": "what the institution is called in files and folders",
        "name": "full Chinese name",
        "short_name": "short Chinese name",
        "kind": "bank, county_office or centre",
        "division_code": "division that it belongs to",
        "local_legal_person": "whether it is a bank of the area that may use relending",
        "opened_on": "first day on which it is open",
        "closed_on": "first day on which it is closed; null: open",
    },
    "registry.key_fingerprint": {"since": "when the key was first used"},
    "registry.obligation": {
        "kind": "bank, county_office or centre",
        "report": REPORT,
        "nil_allowed": "whether a nil return is enough",
    },
    "registry.period": {"period": MONTH, "opened_at": "when the month was opened"},
    "registry.restatement_request": {"request": "Airflow's run that asks for it", "period": MONTH},
    "intake.close": {"period": MONTH, "closed_at": "when the month was closed"},
    "intake.cross_check": {
        "period": MONTH,
        "institution_code": "code of the institution that is told",
        "checked_at": "when it was checked",
    },
    "intake.explanation": {
        "submission_id": "receipt number of the version that brought it",
        "ordinal": "place among the explanations of the version, from 1",
        "report": "code of the report that it is about",
        "rule": "code of the rule that it answers",
        "key": "key of the row as the finding names it; empty: the finding names no row",
        "explanation": "what the institution says",
    },
    "intake.file": {
        "submission_id": OF_VERSION,
        "name": "name as delivered, masked where it holds long numbers",
        "sha256": "SHA-256 of the bytes; the file's name in the archive",
        "size": "bytes",
    },
    "intake.finding": {
        "ordinal": "place among the findings of the receipt, in reading order, from 1",
        "report": "code of the report; null: it is about the package",
        "rule": RULE,
        "level": "critical, warning or notice",
        "file": "name of the delivered file",
        "sheet": "name of the sheet; null in files without sheets",
        "row_number": "row of the delivered sheet, from 1",
        "header": "header of the column",
        "cell": "address of the cell, such as C7",
        "key": "key of the row, masked",
        "value": "value as delivered, masked",
        "expected": "what would be right, in Chinese",
        "message": "what is wrong and how to mend it, in Chinese",
    },
    "intake.frozen_report": {
        "period": MONTH,
        "institution_code": INSTITUTION,
        "report": REPORT,
        "submission_id": "receipt number of the version that counts",
    },
    "intake.reopening": {
        "reopening_number": NUMBER,
        "period": MONTH,
        "forced_by": "who had closed it by force; null: nobody",
        "forced_reason": "why it had been closed by force",
        "reason": "why it was reopened",
        "reopened_by": "who reopened it",
        "reopened_at": "when it was reopened",
    },
    "intake.report": {
        "submission_id": OF_VERSION,
        "report": REPORT,
        "rows": "rows of data, without total rows",
        "control_total": "sum of the control column, in that column's unit; null: it has none",
        "verdict": "accepted, rejected or nil",
        "errors": "critical findings",
        "warnings": "findings of level warning",
        "file": "name of the delivered file",
        "sheet": "name of the sheet; null in files without sheets",
    },
    "intake.seen_package": {"period": MONTH, "institution_code": INSTITUTION},
    "intake.standing_report": {
        "period": MONTH,
        "institution_code": INSTITUTION,
        "report": REPORT,
        "submission_id": OF_VERSION,
        "version": "number of the version within institution and month, from 1",
        "received_at": "when the settled package was first seen; in a replay its newest file time",
        "verdict": "accepted or nil",
    },
    "intake.submission": {
        "period": MONTH,
        "institution_code": "code of the institution that delivered",
        "version": "number of the version within institution and month, from 1",
        "received_at": "when the settled package was first seen; in a replay its newest file time",
        "replayed": "whether it was taken in with file times in place of the clock",
        "verdict": "accepted, partial or rejected",
        "submitted_by": "who sends it, as the cover says",
        "phone_masked": "telephone number on the cover, masked",
        "recorded_at": "when the version was recorded",
    },
    "intake.taken_file": {
        "period": MONTH,
        "institution_code": INSTITUTION,
        "path": "where it lies in the institution's folder",
    },
    "intake.told_finding": {
        "period": "month that the receipt is about, YYYY-MM",
        "institution_code": "code of the institution that was told",
        "told_at": "when the version was recorded, or the check made",
    },
    "core.delivered_grid": {
        **DELIVERED,
        "outlet_code": "code of the bank's outlet",
        "outlet_name": "name of the outlet",
        "town_code": TOWN,
        "village": "name of the village; null: the whole town",
        "head": "head of the outlet",
        "head_phone": "telephone number of the head, masked",
        "head_phone_hash": "keyed hash of the telephone number",
        "resident_cadre": "official who lives in the village",
        "letter_signed_on": "day on which the responsibility letter was signed; null: not signed",
        "hotline": "number that the public can call",
    },
    "core.delivered_guarantee_funds": {
        **DELIVERED,
        "bank_code": "code of the bank with which the money is placed",
        "kind": "风险补偿金 or 贷款贴息",
        "year": "calendar year",
        "due_amount": "amount agreed, in units of 10,000 yuan",
        "due_on": "day agreed",
        "arrived_amount": "amount placed with the bank, in units of 10,000 yuan",
        "arrived_on": "day on which it was placed",
    },
    "core.delivered_households": {
        **DELIVERED,
        "household_no": HOUSEHOLD,
        "head_name": "name of the head of the household, masked",
        "head_id": "resident ID of the head, masked",
        "head_id_hash": "keyed hash of the resident ID",
        "town_code": TOWN,
        "village": "name of the village",
        "members": "people in the household",
        "workers": "members who are able to work",
        "income_per_head": "yearly income for each member, in yuan",
        "debts": "what the household owes to anybody, in yuan",
        "has_business": "whether the household has a business of its own",
        "trained": "whether a member has had training in a skill",
        "status": "未脱贫, 已脱贫 or 边缘户",
        "bank_code": "code of the responsible bank",
    },
    "core.delivered_inspections": {
        **DELIVERED,
        "finding_no": "number of the finding",
        "institution_code": "code of the institution that was inspected",
        "inspected_on": "day of the inspection",
        "aspect": ASPECT,
        "finding": "what was found",
        "severity": "一般, 较重 or 严重",
        "due_on": "day by which it must be mended",
        "mended_on": "day on which it was mended; null: not yet",
        "remedy": "what was done",
    },
    "core.delivered_league": {
        **DELIVERED,
        "city_code": "code of the city, six digits",
        "city": "name of the city",
        "ytd_households": "households with microcredit issued this year",
        "ytd_amount": "microcredit issued this year, in units of 10,000 yuan",
        "balance": "balance of microcredit, in units of 10,000 yuan",
    },
    "core.delivered_loans": {
        **DELIVERED,
        "contract_no": CONTRACT,
        "borrower_kind": "农户, 企业 or 合作社",
        "borrower_name": "name of the borrower, masked",
        "borrower_id": "resident ID, or code of the enterprise, masked",
        "borrower_id_hash": "keyed hash of the borrower's ID",
        "household_no": "number of the household on the county's register; null: no household borrows",
        "category": "产业, 个人经营, 个人教育 or 个人消费",
        "microcredit": "whether it is microcredit",
        "town_code": TOWN,
        "issued_on": "day on which it was paid out",
        "matures_on": "day by which it is to be repaid",
        "principal": "amount lent, in yuan",
        "balance": "amount still owed, in yuan",
        "annual_rate": "interest a year, in percent",
        "purpose": "what the loan is for, one of nine",
        "security": "what the loan is secured by, one of five",
        "subsidised": "whether the state pays the interest",
        "risk_class": "one of the five classes of risk, 正常 to 损失",
        "overdue_days": "days overdue; 0: not overdue",
        "extended": "whether it was given longer to be repaid",
        "project_no": "number of the project in the county's library; null: for no project",
        "payee_account": "account that it was paid into, masked",
        "payee_account_hash": "keyed hash of the account",
    },
    "core.delivered_matches": {
        **DELIVERED,
        "project_no": PROJECT,
        "status": "已接触, 已授信, 已放款 or 不予支持",
        "matched_on": "day of the match",
        "credit_line": "amount promised, in units of 10,000 yuan",
        "paired": "whether a party-building pair ties bank and project",
        "reason": "why the bank does not support it",
    },
    "core.delivered_outreach": {
        **DELIVERED,
        "held_on": "day of the activity",
        "town_code": TOWN,
        "village": "name of the village; null: the whole town",
        "kind": "集中宣讲, 培训, 资料发放, 入户宣传 or 媒体",
        "round": "round of outreach",
        "attendees": "people who came, each time counted",
        "cadres": "officials among the attendees",
        "leaflets": "leaflets handed out",
        "team_size": "people in the town's standing team on that day",
    },
    "core.delivered_position": {
        **DELIVERED,
        "county_code": COUNTY,
        "all_loans": "balance of all loans, in units of 10,000 yuan",
        "all_loans_year_begin": "balance of all loans at the year's beginning, in units of 10,000 yuan",
        "microcredit_year_begin": "balance of microcredit at the year's beginning, in units of 10,000 yuan",
        "relending": "balance of relending, in units of 10,000 yuan",
        "relending_extended": "relending that was extended, in units of 10,000 yuan",
        "new_products": "loan products launched this year for the county",
    },
    "core.delivered_projects": {
        **DELIVERED,
        "project_no": PROJECT,
        "name": "name of the project",
        "town_code": TOWN,
        "industry": "种植, 养殖, 加工, 旅游, 光伏, 电商 or 其他",
        "operator": "enterprise behind the project",
        "operator_id": "code of that enterprise, 18 characters",
        "demand": "money that the project needs, in units of 10,000 yuan",
        "entered_on": "day on which it entered the library",
        "status": "在库, 实施中, 已完成 or 退出",
        "households": "poor households that gain by it",
        "jobs": "poor people whom it employs",
        "pushed_to": "code of the bank that it is offered to; null: all banks of the county",
    },
    "core.delivered_visits": {
        **DELIVERED,
        "household_no": HOUSEHOLD,
        "visited_on": "day of the visit",
        "round": "round of visits, from 1",
        "officer": "the bank's loan officer",
        "cadre": "the county's official",
        "wants_loan": "whether the household wants a loan",
        "wanted_amount": "amount that it wants, in yuan",
        "filed": "whether a record of the visit was filed",
        "conduct": "mark for conduct, 1 to 5",
    },
    "mart.alert": {
        **RUN,
        "rule": RULE,
        "aspect": ASPECT,
        "level": ALERT_LEVEL,
        "institution_code": "code of the institution that it is about",
        "division_code": "division that it is about; null: none",
        "subject": "what it is about within the institution, masked",
        "measure": "value found, in the rule's unit; null: the rule has none",
        "threshold": "bound that the value has passed; null: the rule has none",
        "detail": "what is wrong, in Chinese",
        "case_id": "the case that it belongs to",
    },
    "mart.assessment": {
        **RUN,
        "institution_code": BANK,
        "score": "0 to 100 after deductions, half up; null: unranked",
        "deductions": "points taken off, at most 10",
        "grade": "优秀, 良好, 一般 or 勉励",
        "rank": "place by score, from 1; ties share the better one",
        "previous_rank": "place in the newest run of the month before",
        "status": "ranked or unranked",
        "reason": "why it is unranked, in Chinese",
        "previous_score": "score in the newest run of the month before",
    },
    "mart.assessment_item": {
        **RUN,
        "institution_code": BANK,
        "indicator": "code of the indicator",
        "weight": "points out of 100 that the scheme gives it",
        "raw": "value that gives the points, in percent; null: there is none",
        "points": "0 to 1; null: not assessed",
        "note": "how it came about, in Chinese",
    },
    "mart.case_state": {
        **RUN,
        "case_id": "rule, institution and a short hash of the subject",
        "rule": RULE,
        "aspect": ASPECT,
        "level": ALERT_LEVEL,
        "institution_code": "code of the institution that it is about",
        "division_code": "division that it is about; null: none",
        "subject": "what it is about within the institution, masked",
        "measure": "value found last, in the rule's unit",
        "threshold": "bound that the value has passed",
        "detail": "what is wrong, in Chinese",
        "state": "open, set_aside or closed",
    },
    "mart.household_lead": {
        **RUN,
        "household_no": HOUSEHOLD,
        "bank_code": "code of the responsible bank",
        "town_code": TOWN,
        "village": "name of the village",
        "not_visited": "whether it was not visited in the current round",
        "wants_loan": "whether it wants a loan and has no microcredit",
        "scored_high": "whether it is scored high and has no microcredit",
        "score": "0 to 100",
        "tier": "AAA, AA, A or B",
        "reason": "why to see it, in Chinese",
    },
    "mart.household_score": {
        **RUN,
        "household_no": HOUSEHOLD,
        "town_code": TOWN,
        "bank_code": "code of the responsible bank",
        "workers_points": "points for members who are able to work",
        "income_points": "points for income per head",
        "debts_points": "points for debts relative to income",
        "business_points": "points for a business of its own",
        "training_points": "points for training",
        "conduct_points": "points for the mean mark of conduct",
        "score": "sum of the points, 0 to 100, half up",
        "tier": "AAA, AA, A or B",
    },
    "mart.inspection_followup": {
        **RUN,
        "finding_no": "number of the finding",
        "institution_code": "code of the institution that was inspected",
        "aspect": ASPECT,
        "severity": "一般, 较重 or 严重",
        "inspected_on": "day of the inspection",
        "due_on": "day by which it must be mended",
        "remark": "how it stands, in Chinese",
    },
    "mart.inspection_outlet": {
        **RUN,
        "institution_code": BANK,
        "town_code": TOWN,
        "place": "place in the list, from 1",
        "last_inspected_on": "day of the bank's last inspection; null: never",
        "reason": "why it stands there, in Chinese",
    },
    "mart.inspection_sample": {
        **RUN,
        "institution_code": BANK,
        "town_code": TOWN,
        "contract_no": CONTRACT,
        "place": "place among the loans of the outlet, from 1",
        "drawn": "risk or random",
        "household_no": "number of the household; null: no household borrows",
        "overdue_days": "days overdue",
        "risk_class": "one of the five classes of risk, 正常 to 损失",
        "reason": "why it was drawn, in Chinese",
    },
    "mart.league_reconciliation": {
        **RUN,
        "figure": "column of the league: ytd_households, ytd_amount or balance",
        "computed": "value that the banks' ledgers give; null: none",
        "reported": "value of the league; null: it has no row of the own city",
    },
    "mart.metric": {
        **RUN,
        "scope": "city, county, town or bank",
        "scope_code": "code of the division or bank",
        "metric": "code of the metric",
        "value": "exact and unrounded, in the metric's unit; null: there is none",
        "numerator": "of a ratio, in the unit of what it counts",
        "denominator": "of a ratio, in the unit of what it counts",
    },
    "mart.next_step": {
        **RUN,
        "institution_code": BANK,
        "indicator": "code of the indicator in which the bank does more",
        "step": "how much more, in the unit beside it",
        "unit": "unit of the step, in Chinese",
        "raw_before": "raw value of the indicator as it is",
        "raw_after": "raw value after the step",
        "score_before": "score as it is",
        "score_after": "score after the step",
        "grade_before": "grade as it is",
        "grade_after": "grade after the step",
        "rank_before": "place as it is",
        "rank_after": "place after the step",
        "sentence": "what the bank is told, in Chinese",
    },
    "mart.open_project": {
        **RUN,
        "county_code": COUNTY,
        "project_no": PROJECT,
        "name": "name of the project",
        "town_code": TOWN,
        "industry": "种植, 养殖, 加工, 旅游, 光伏, 电商 or 其他",
        "operator": "enterprise behind the project",
        "households": "poor households that gain by it",
        "jobs": "poor people whom it employs",
        "entered_on": "day on which it entered the library",
    },
    "mart.pace": {
        **RUN,
        "institution_code": BANK,
        "target": "households to be lent to in the year",
    },
    "mart.project_fit": {
        **RUN,
        "county_code": COUNTY,
        "project_no": PROJECT,
        "institution_code": BANK,
        "offered": "whether the county office has offered it to the bank",
        "reason": "why the bank fits, in Chinese",
    },
    "mart.ranking": {
        **RUN,
        "board": "code of the board",
        "subject_code": "code of the bank, county or city",
        "subject_name": "its short Chinese name",
        "value": "what is ranked, in the metric's unit",
        "rank": "place, from 1",
        "previous_rank": "place in the newest run of the month before; null: none",
    },
    "mart.relending_advice": {
        **RUN,
        "institution_code": "code of the bank, a local legal person",
        "issue": "whether new relending is given, in Chinese",
        "extension": "whether relending may be extended, in Chinese",
        "reason": "why, in Chinese",
    },
    "mart.reporting": {
        **RUN,
        "institution_code": INSTITUTION,
        "report": REPORT,
        "status": "accepted, nil, rejected or missing",
        "version": "number of the version that counts, else of the newest; null: none came",
        "on_time": "whether it was first accepted by the deadline",
        "first_pass": "whether it was accepted as first delivered",
        "errors": "critical findings of that version",
        "warnings": "warnings of that version",
    },
    "mart.restated_figure": {
        **RUN,
        "scope_code": "code of the division, institution, household or city",
        "figure": "what has changed: a metric, an indicator or a column",
        "before": "value in the run that is replaced, as text; null: none",
        "after": "value in the new run, as text; null: none",
    },
    "mart.restatement": {
        "run_id": "the new run",
        "replaced_run_id": "the run that was the newest before",
        "reason": "why, as ops wrote it",
        "decided_by": "who decided",
    },
    "mart.run": {
        **RUN,
        "revision": "1 for the first run of the month, then 2, 3, …",
        "input_digest": "SHA-256 over everything that the run depends on",
        "scheme_version": "version of the scheme that held",
        "scorecard_version": "version of the scorecard that held",
        "code_version": "version of the program",
        "current": "whether it is the newest run of its month",
    },
    "mart.run_division": {
        "run_id": RUN["run_id"],
        "code": "six digits of a city or county, nine of a town",
        "name": "Chinese name",
        "level": "city, county or town",
        "parent_code": "division in which it lies",
    },
    "mart.run_input": {
        "run_id": RUN["run_id"],
        "period": "month that the version is of, YYYY-MM",
        "institution_code": INSTITUTION,
        "report": REPORT,
        "submission_id": OF_VERSION,
    },
    "mart.run_institution": {
        "run_id": RUN["run_id"],
        "code": INSTITUTION,
        "short_name": "short Chinese name",
        "kind": "bank, county_office or centre",
        "division_code": "division that it belongs to",
        "local_legal_person": "whether it is a bank of the area that may use relending",
        "is_open": "whether it was open on the last day of the run's month",
    },
    "mart.target": {
        "year": "calendar year",
        "revision": "1 for the first split of the year, then 2, 3, …",
        "from_period": "first month in which it holds, YYYY-MM",
        "reason": "why it was made",
        "institution_code": BANK,
        "quota": "exact share of the city's target, in households",
        "households": "households to be lent to in the year",
    },
    "mart.visit_round": {
        **RUN,
        "round": "number of the round, from 1",
        "visited": "households able to work that were visited in it",
        "households_able": "all households able to work",
        "reached": "whether it was reached by the end of the month",
    },
    "notify.approval": {
        "quarter": "quarter, YYYY-Qn",
        "draft": "number of the draft within its quarter",
        "run_id": "run of the quarter's last month",
        "shown_digest": "SHA-256 of the draft that was shown",
        "decision": "approved or rejected",
        "decided_by": "who decided",
        "decided_at": "when it was decided",
        "remark": "what the leaders add, or why it is rejected",
        "kind": "bulletin or correction",
    },
    "notify.attachment": {"sha256": "SHA-256 of the content", "content": "bytes of the file"},
    "notify.attempt": {
        "message_key": "the message that was handed over",
        "attempt": "number of the attempt, from 1",
        "began_at": "when it was handed over",
        "ended_at": "when the answer came; null: the sender died",
        "outcome": "sent, refused_for_now, refused or in_doubt",
        "reply": "what the server said",
    },
    "notify.mail_slot": {
        "is_only": "keeps the table to one row",
        "free_at": "when the next mail may leave",
    },
    "notify.message": {
        "kind": "what the message is: receipt, reminder, bulletin, …",
        "period": "month or quarter that it is about",
        "status": "pending, sending, sent, failed or in_doubt",
        "created_at": "when it was posted",
        "sent_at": "when the server took it",
        "attempts": "how often it was handed over",
        "run_id": "run whose figures it tells; null: none",
        "institution_code": "code of the institution that is told",
        "subject": "subject of the mail",
        "html": "body of the mail",
    },
    "notify.message_attachment": {
        "message_key": "the message that carries it",
        "ordinal": "place among the attachments, from 1",
        "name": "name of the file",
        "sha256": "SHA-256 of the content",
    },
    "notify.shown_draft": {
        "quarter": "quarter, YYYY-Qn",
        "draft": "number of the draft within its quarter",
        "digest": "SHA-256 of what was shown",
        "shown_at": "when it was shown",
        "title": "title of the document",
    },
}

VIEWS_WITH_COLUMNS_OF_A_TABLE = """
select
    format('%%I.%%I.%%I', space.nspname, shown.relname, own.attname) as name,
    format('%%L', col_description(source.oid, kept.attnum)) as comment
from pg_class as shown
inner join pg_namespace as space on shown.relnamespace = space.oid
inner join pg_class as source
    on
        shown.relnamespace = source.relnamespace
        and source.relname = case
            when space.nspname = 'core' then 'delivered_' || shown.relname
            when shown.relname like 'current\\_%%' then substr(shown.relname, 9)
            when shown.relname = 'told_finding' then 'finding'
        end
inner join pg_attribute as own on shown.oid = own.attrelid
inner join pg_attribute as kept on source.oid = kept.attrelid and own.attname = kept.attname
where
    space.nspname in ('intake', 'core', 'mart')
    and shown.relkind = 'v'
    and own.attnum > 0
order by space.nspname, shown.relname, own.attnum
"""


def tables() -> dict[str, str]:
    """Comments of tables and views by name."""
    return TABLES | {f"mart.current_{name}": CURRENT for name in VIEWS_OF_THE_NEWEST_RUN}


def written(table: str) -> str:
    """The table's kind and name as a statement has them."""
    is_view = table.startswith("mart.current_")
    return f"{'view' if is_view else 'table'} {table}"


def literal(comment: str) -> str:
    """The comment between quotation marks."""
    return "'" + comment.replace("'", "''") + "'"


def upgrade() -> None:
    connection = op.get_bind()
    made = [f"comment on {written(table)} is {literal(comment)}" for table, comment in tables().items()]
    made += [
        f"comment on column {table}.{column} is {literal(comment)}"
        for table, columns in COLUMNS.items()
        for column, comment in columns.items()
    ]
    connection.exec_driver_sql(";\n".join(made))
    copied = connection.exec_driver_sql(VIEWS_WITH_COLUMNS_OF_A_TABLE).all()
    connection.exec_driver_sql(";\n".join(f"comment on column {name} is {comment}" for name, comment in copied))


def downgrade() -> None:
    connection = op.get_bind()
    made = [f"comment on {written(table)} is null" for table in tables()]
    made += [f"comment on column {table}.{column} is null" for table, columns in COLUMNS.items() for column in columns]
    made += [
        f"comment on column {name} is null"
        for name, _ in connection.exec_driver_sql(VIEWS_WITH_COLUMNS_OF_A_TABLE).all()
    ]
    connection.exec_driver_sql(";\n".join(made))
