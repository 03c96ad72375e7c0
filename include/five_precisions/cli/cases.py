"""Commands of the alerts' cases: what is open, what became of one, and what ops decide on it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from five_precisions.cli.console import JsonOption, ReasonOption, check_name, out, print_json, print_table
from five_precisions.cli.session import current_user
from five_precisions.installation import open_installation
from five_precisions.period import SHANGHAI, Period, parse_day

if TYPE_CHECKING:
    from five_precisions.figures import Case, Decision

app = typer.Typer()
cases_app = typer.Typer(help="The cases of alerts, and what ops decide on them.", no_args_is_help=True)
app.add_typer(cases_app, name="cases")

CaseArgument = Annotated[str, typer.Argument(metavar="ID", callback=check_name, help="As `cases list` shows it.")]


@cases_app.command("list")
def list_month(
    period: Annotated[
        Period | None,
        typer.Option(parser=Period.parse, metavar="PERIOD", help="Of this month; default: the newest assessed."),
    ] = None,
    institution: Annotated[str | None, typer.Option(callback=check_name, help="Of this institution only.")] = None,
    rule: Annotated[str | None, typer.Option(callback=check_name, help="Of this rule only, A01 and so on.")] = None,
    level: Annotated[str | None, typer.Option(callback=check_name, help="high, medium or low.")] = None,
    state: Annotated[str | None, typer.Option(callback=check_name, help="open, set_aside or closed.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The cases of a month: open, set aside, closed by its data; with what ops have decided since."""
    from five_precisions.figures import list_cases

    with open_installation() as (engine, _):
        cases = list_cases(engine, period=period, institution_code=institution, rule=rule, level=level, state=state)
    if as_json:
        print_json(cases)
        return
    print_table(
        (
            *("case", "rule", "aspect", "level", "institution", "", "subject", "since", "times", "state", "decided"),
            "detail",
        ),
        [
            (
                *(case.case_id, case.rule, case.aspect, case.level, case.institution_code, case.short_name),
                *(case.subject, case.since_period, case.times, case.state, _decided(case), case.detail),
            )
            for case in cases
        ],
        whole="case",
    )


@cases_app.command()
def show(case_id: CaseArgument, as_json: JsonOption = False) -> None:
    """What became of a case: month by month, revision by revision, and what was decided on it."""
    from five_precisions.figures import read_case

    with open_installation() as (engine, _):
        history = read_case(engine, case_id)
    if as_json:
        print_json(history)
        return
    newest = history.states[-1]
    out.print(
        f"{newest.case_id}: {newest.rule} {newest.aspect}, {newest.institution_code} {newest.short_name}, "
        f"{newest.subject}",
        markup=False,
        soft_wrap=True,
    )
    print_table(
        ("run", "", "state", "change", "level", "measure", "threshold", "since", "times", "detail"),
        [
            (
                *(each.run_id, "" if each.is_current else "replaced", each.state, each.change, each.level),
                *(each.measure, each.threshold, each.since_period, each.times, each.detail),
            )
            for each in history.states
        ],
    )
    if history.decisions:
        print_table(("decided", "by", "", "from", "reason"), map(_decision_row, history.decisions))


@cases_app.command("set-aside")
def set_case_aside(
    case_id: CaseArgument,
    reason: ReasonOption,
    until: Annotated[
        date,
        typer.Option(parser=parse_day, metavar="YYYY-MM-DD", help="The last day on which it counts nowhere."),
    ],
    as_json: JsonOption = False,
) -> None:
    """Set a case aside: from the next run on it counts nowhere, up to a date. Once more: the newest decision holds.

    A month counts as its last day does. The newest assessed month itself only changes when it is restated.
    """
    from five_precisions.figures import set_aside

    with open_installation() as (engine, _):
        decision = set_aside(engine, case_id, reason=reason, until=until, decided_by=current_user())
    if as_json:
        print_json(decision)
        return
    if decision.last_period == decision.from_period:
        reach = f"if {decision.from_period} is restated; later months end after {decision.until}"
    else:
        reach = f"in the months after {decision.from_period}, up to {decision.last_period}"
    out.print(f"{case_id} counts nowhere {reach}.", markup=False, soft_wrap=True)


@cases_app.command("take-back")
def take_decision_back(case_id: CaseArgument, reason: ReasonOption, as_json: JsonOption = False) -> None:
    """Take back that a case was set aside: from the next run on it counts again, if it still holds."""
    from five_precisions.figures import take_back

    with open_installation() as (engine, _):
        decision = take_back(engine, case_id, reason=reason, decided_by=current_user())
    if as_json:
        print_json(decision)
        return
    out.print(f"{case_id} counts again in the months after {decision.from_period}.", markup=False, soft_wrap=True)


def _decided(case: Case) -> str:
    """What ops have decided for the month, and whether its run knows of it."""
    if case.decision is None or (case.decision.until is None and not case.is_decided_since):
        return ""
    said = "taken back" if case.decision.until is None else f"aside until {case.decision.until}"
    return f"{said}, from the next run on" if case.is_decided_since else said


def _decision_row(decision: Decision) -> tuple[object, ...]:
    """A row of the table of decisions."""
    what = "taken back" if decision.until is None else f"set aside until {decision.until}"
    when = f"{decision.decided_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    return when, decision.decided_by, what, decision.from_period, decision.reason
