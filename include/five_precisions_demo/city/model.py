"""The golden city as a whole: everything that happened, and each institution's reports of a month (docs/figures.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from five_precisions.period import Period
from five_precisions.register import Institution
from five_precisions_demo.city import published
from five_precisions_demo.city.centre import inspections_by, rank_league
from five_precisions_demo.city.draws import stream
from five_precisions_demo.city.events import EXTRA_COLUMN_BANK, SHARED_HEAD_ID, UNKNOWN_PROJECT
from five_precisions_demo.city.government import Fund, funds_in, promise_funds
from five_precisions_demo.city.grid import GridRow, grid_in, spread_grid
from five_precisions_demo.city.identity import IdentityRegistry
from five_precisions_demo.city.industry import lend_to_industry
from five_precisions_demo.city.ledgers import Ledgers, keep_ledgers
from five_precisions_demo.city.microcredit import lend_microcredit
from five_precisions_demo.city.outreach import Activity, hold_activities
from five_precisions_demo.city.personal import lend_to_persons
from five_precisions_demo.city.population import Household, replace_head_id, settle_households
from five_precisions_demo.city.positions import take_positions
from five_precisions_demo.city.profiles import BANK
from five_precisions_demo.city.projects import Match, Project, answer_projects, draw_projects, with_demand
from five_precisions_demo.city.tables import (
    FilledReport,
    fund_rows,
    grid_rows,
    household_rows,
    inspection_rows,
    league_rows,
    loan_rows,
    match_rows,
    outreach_rows,
    position_rows,
    project_rows,
    visit_rows,
)
from five_precisions_demo.city.visits import Visit, delivered_visits, make_visits


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """Six months of the city, as they were; what is reported of them is `report`."""

    seed: int
    households: tuple[Household, ...]
    ledgers: Ledgers
    projects: tuple[Project, ...]
    matches: tuple[Match, ...]
    visits: tuple[Visit, ...]
    activities: tuple[Activity, ...]
    grid: tuple[GridRow, ...]
    funds: tuple[Fund, ...]


def found_city(seed: int) -> City:
    """The city of that seed; its figures of June are the published ones for every seed."""
    identities = IdentityRegistry(stream(seed, "identities"))
    households = settle_households(seed, identities)
    projects = draw_projects(seed, identities)
    industry = lend_to_industry(seed, projects, identities)
    microcredit = lend_microcredit(seed, households)
    owed = sum(loan.balances[-1] for loan in microcredit)
    personal = lend_to_persons(seed, households, published.PERSONAL_BALANCE - owed)
    ledgers = keep_ledgers(seed, [*microcredit, *industry, *personal], households, identities)
    projects = with_demand(projects, industry)
    return City(
        seed=seed,
        households=households,
        ledgers=ledgers,
        projects=projects,
        matches=answer_projects(seed, projects, industry),
        visits=make_visits(seed, households, ledgers),
        activities=hold_activities(seed),
        grid=spread_grid(seed),
        funds=promise_funds(seed),
    )


def report(city: City, institution: Institution, report_code: str, period: Period) -> FilledReport:
    """One institution's report of one month, as it should be; without rows where there is nothing to report."""
    match report_code:
        case "loans":
            loans = city.ledgers.of(institution.code, period)
            rows = loan_rows(loans, period)
        case "position":
            loans = city.ledgers.of(institution.code, period)
            rows = position_rows(take_positions(city.seed, BANK[institution.code], period, loans))
        case "visits":
            rows = visit_rows(delivered_visits(city.visits, institution.code, period))
        case "outreach":
            rows = outreach_rows(
                activity
                for activity in city.activities
                if activity.institution == institution.code and Period.of(activity.held_on) == period
            )
        case "grid":
            rows = grid_rows(grid_in(city.grid, institution.code, period))
        case "matches":
            rows = match_rows(_matches_in(city, institution.code, period), period)
        case "households":
            rows = household_rows(_register_in(city, institution, period), period)
        case "projects":
            rows = project_rows(
                (
                    project
                    for project in city.projects
                    if project.county == institution.division_code and project.entered_on <= period.end
                ),
                period,
                _projects_lent_by(city, period),
            )
        case "guarantee_funds":
            rows = fund_rows(funds_in(city.funds, institution.code, period), period)
        case "league":
            rows = league_rows(rank_league(city.seed, period, city.ledgers.loans))
        case _:
            rows = inspection_rows(inspections_by(period), period)
    remarks = report_code == "loans" and institution.code == EXTRA_COLUMN_BANK
    return FilledReport(report_code, tuple(rows), remarks=remarks)


def _matches_in(city: City, bank: str, period: Period) -> list[Match]:
    matches = [match for match in city.matches if match.bank == bank and match.matched_on <= period.end]
    if (bank, period) == UNKNOWN_PROJECT[:2]:
        mistyped = min(range(len(matches)), key=lambda i: (matches[i].credit_line > 0, matches[i].project_no))
        matches[mistyped] = replace(matches[mistyped], project_no=UNKNOWN_PROJECT[2])
    return matches


def _register_in(city: City, office: Institution, period: Period) -> tuple[Household, ...]:
    register = tuple(household for household in city.households if household.county == office.division_code)
    code, first, last = SHARED_HEAD_ID
    if office.code != code or not first <= period <= last:
        return register
    borrowing = {loan.borrower.household_no for loan in city.ledgers.loans}
    quiet = [household for household in register if household.household_no not in borrowing]
    return replace_head_id(register, quiet[0].household_no, quiet[1].head_id)


def _projects_lent_by(city: City, period: Period) -> frozenset[str]:
    return frozenset(
        loan.project_no for loan in city.ledgers.loans if loan.project_no is not None and loan.issued_on <= period.end
    )
