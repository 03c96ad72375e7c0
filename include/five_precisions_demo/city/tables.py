"""From what the demo knows to rows of the declared reports: cells by column name (docs/reports.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from five_precisions.period import Period
from five_precisions.reports import load_reports
from five_precisions_demo.city.allotment import in_wan, yuan
from five_precisions_demo.city.centre import InspectionRecord, LeagueEntry
from five_precisions_demo.city.government import Fund
from five_precisions_demo.city.grid import GridRow
from five_precisions_demo.city.loans import Loan
from five_precisions_demo.city.outreach import Activity
from five_precisions_demo.city.population import Household
from five_precisions_demo.city.positions import Position
from five_precisions_demo.city.projects import Match, Project
from five_precisions_demo.city.visits import Visit

Cell = str | int | Decimal | date | None
Row = dict[str, Cell]


@dataclass(frozen=True, slots=True)
class FilledReport:
    """One report of one delivery, as the institution fills it in."""

    report: str
    rows: tuple[Row, ...]
    misspelt: Mapping[str, str] = field(default_factory=dict)
    """Headers that are not the declared ones, by column name."""
    remarks: bool = False
    """A column of its own besides the declared ones."""

    @property
    def control_total(self) -> Decimal | None:
        """The sum that the cover states; None for a report without one."""
        control = load_reports()[self.report].control
        if control is None:
            return None
        return sum((cell for row in self.rows if isinstance(cell := row[control], Decimal)), Decimal(0))


def _yesno(answer: bool) -> str:
    return "是" if answer else "否"


def loan_rows(loans: Iterable[Loan], period: Period) -> Iterable[Row]:
    """Report `loans`."""
    for loan in loans:
        yield {
            "contract_no": loan.contract_no,
            "borrower_kind": loan.borrower.kind,
            "borrower_name": loan.borrower.name,
            "borrower_id": loan.borrower.number,
            "household_no": loan.borrower.household_no,
            "category": loan.category,
            "microcredit": _yesno(loan.microcredit),
            "town_code": loan.borrower.town_code,
            "issued_on": loan.issued_on,
            "matures_on": loan.matures_on,
            "principal": yuan(loan.principal),
            "balance": yuan(loan.balance_in(period)),
            "annual_rate": loan.rate,
            "purpose": loan.purpose,
            "security": loan.security,
            "subsidised": _yesno(loan.subsidised),
            "risk_class": loan.risk_class_in(period),
            "overdue_days": loan.overdue_days_in(period),
            "extended": _yesno(loan.extended),
            "project_no": loan.project_no,
            "payee_account": loan.payee_account,
        }


def position_rows(positions: Iterable[Position]) -> Iterable[Row]:
    """Report `position`."""
    for position in positions:
        yield {
            "county_code": position.county,
            "all_loans": in_wan(position.all_loans),
            "all_loans_year_begin": in_wan(position.all_loans_year_begin),
            "microcredit_year_begin": in_wan(position.microcredit_year_begin),
            "relending": in_wan(position.relending),
            "relending_extended": in_wan(position.relending_extended),
            "new_products": position.new_products,
        }


def visit_rows(visits: Iterable[Visit]) -> Iterable[Row]:
    """Report `visits`."""
    for visit in visits:
        yield {
            "household_no": visit.household.household_no,
            "visited_on": visit.visited_on,
            "round": visit.round,
            "officer": visit.officer,
            "cadre": visit.cadre,
            "wants_loan": _yesno(visit.wants_loan),
            "wanted_amount": None if visit.wanted_amount is None else yuan(visit.wanted_amount),
            "filed": _yesno(visit.filed),
            "conduct": visit.conduct,
        }


def outreach_rows(activities: Iterable[Activity]) -> Iterable[Row]:
    """Report `outreach`."""
    for activity in activities:
        yield {
            "held_on": activity.held_on,
            "town_code": activity.town_code,
            "village": activity.village,
            "kind": activity.kind,
            "round": activity.round,
            "attendees": activity.attendees,
            "cadres": activity.cadres,
            "leaflets": activity.leaflets,
            "team_size": activity.team_size,
        }


def grid_rows(grid: Iterable[GridRow]) -> Iterable[Row]:
    """Report `grid`."""
    for row in grid:
        yield {
            "outlet_code": row.outlet_code,
            "outlet_name": row.outlet_name,
            "town_code": row.town_code,
            "village": row.village,
            "head": row.head,
            "head_phone": row.head_phone,
            "resident_cadre": row.resident_cadre,
            "letter_signed_on": row.letter_signed_on,
            "hotline": row.hotline,
        }


def match_rows(matches: Iterable[Match], period: Period) -> Iterable[Row]:
    """Report `matches`."""
    for match in matches:
        status = match.status_in(period)
        granted = status in ("已授信", "已放款")
        yield {
            "project_no": match.project_no,
            "status": status,
            "matched_on": match.matched_on,
            "credit_line": in_wan(match.credit_line) if granted else None,
            "paired": _yesno(match.paired),
            "reason": match.refusal,
        }


def household_rows(households: Iterable[Household], period: Period) -> Iterable[Row]:
    """Report `households`."""
    for household in households:
        yield {
            "household_no": household.household_no,
            "head_name": household.head_name,
            "head_id": household.head_id,
            "town_code": household.town_code,
            "village": household.village,
            "members": household.members,
            "workers": household.workers,
            "income_per_head": yuan(household.income_in(period)),
            "debts": yuan(household.debts),
            "has_business": _yesno(household.has_business),
            "trained": _yesno(household.trained_by(period)),
            "status": household.status_in(period),
            "bank_code": household.bank_code,
        }


def project_rows(projects: Iterable[Project], period: Period, lent: frozenset[str]) -> Iterable[Row]:
    """Report `projects`; lent: numbers of the projects with a loan by the period's end."""
    for project in projects:
        yield {
            "project_no": project.project_no,
            "name": project.name,
            "town_code": project.town_code,
            "industry": project.industry,
            "operator": project.operator,
            "operator_id": project.operator_id if project.shows_operator_id else None,
            "demand": in_wan(project.demand),
            "entered_on": project.entered_on,
            "status": project.status_in(period, lent=project.project_no in lent),
            "households": project.households,
            "jobs": project.jobs,
            "pushed_to": project.pushed_to,
        }


def fund_rows(funds: Iterable[Fund], period: Period) -> Iterable[Row]:
    """Report `guarantee_funds`."""
    for fund in funds:
        yield {
            "bank_code": fund.bank,
            "kind": fund.kind,
            "year": fund.year,
            "due_amount": in_wan(fund.due),
            "due_on": fund.due_on,
            "arrived_amount": in_wan(fund.arrived_by(period)),
            "arrived_on": fund.arrived_on(period),
        }


def league_rows(league: Iterable[LeagueEntry]) -> Iterable[Row]:
    """Report `league`."""
    for row in league:
        yield {
            "city_code": row.city_code,
            "city": row.city,
            "ytd_households": row.ytd_households,
            "ytd_amount": in_wan(row.ytd_amount),
            "balance": in_wan(row.balance),
        }


def inspection_rows(inspections: Iterable[InspectionRecord], period: Period) -> Iterable[Row]:
    """Report `inspections`."""
    for inspection in inspections:
        mended = inspection.mended_by(period)
        yield {
            "finding_no": inspection.finding_no,
            "institution_code": inspection.institution,
            "inspected_on": inspection.inspected_on,
            "aspect": inspection.aspect,
            "finding": inspection.finding,
            "severity": inspection.severity,
            "due_on": inspection.due_on,
            "mended_on": inspection.mended_on if mended else None,
            "remedy": inspection.remedy if mended else None,
        }
