"""Commands of the register: who is in it, who is no longer in its files, and what ops decide on them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from five_precisions.cli.console import JsonOption, ReasonOption, check_name, err, out, print_json, print_table
from five_precisions.cli.session import current_user
from five_precisions.installation import open_installation
from five_precisions.period import SHANGHAI, parse_day

if TYPE_CHECKING:
    from five_precisions.register import RegisteredInstitution

app = typer.Typer()
register_app = typer.Typer(
    help="The institutions of the warehouse, and those that left its files.", no_args_is_help=True
)
app.add_typer(register_app, name="register")


@register_app.command("list")
def list_register(as_json: JsonOption = False) -> None:
    """Every institution and how it stands: open, closed on a day, or no longer in the files; and who decided so."""
    from five_precisions.register import list_institutions

    with open_installation() as (engine, _):
        institutions = list_institutions(engine)
    if as_json:
        print_json(institutions)
        return
    print_table(
        ("institution", "", "kind", "division", "opened on", "state"),
        [
            (each.code, each.short_name, each.kind, each.division_code, each.opened_on, _state(each))
            for each in institutions
        ],
        whole="institution",
    )
    if closings := [closing for each in institutions for closing in each.closings]:
        print_table(
            ("institution", "closed on", "decided", "by", "reason"),
            [
                (
                    *(each.institution_code, each.closed_on),
                    f"{each.decided_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
                    *(each.decided_by, each.reason),
                )
                for each in closings
            ],
        )


@register_app.command()
def close(
    institution: Annotated[
        str, typer.Argument(metavar="CODE", callback=check_name, help="As `register list` shows it.")
    ],
    day: Annotated[
        date,
        typer.Option("--on", parser=parse_day, metavar="YYYY-MM-DD", help="The first day on which it is closed."),
    ],
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Close an institution that is no longer in the files. Once more: the newest decision holds.

    It owes nothing for the month of that day and the later ones; what is computed already changes when it is restated.
    Where the files name it again, they hold.
    """
    from five_precisions.register import close_institution, list_institutions

    with open_installation() as (engine, _):
        no_longer = close_institution(engine, institution, closed_on=day, reason=reason, decided_by=current_user())
        closed = next(each for each in list_institutions(engine) if each.code == institution)
    if no_longer:
        err.print(
            f"{closed.code} {closed.short_name} has delivered for {', '.join(map(str, no_longer))}, where it no longer "
            "counts.",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )
    if as_json:
        print_json(closed)
        return
    out.print(f"{closed.code} {closed.short_name} is closed on {closed.closed_on}.", markup=False, soft_wrap=True)


def _state(institution: RegisteredInstitution) -> str:
    """How it stands, in words."""
    if institution.closed_on is None:
        return institution.state
    how = ", by decision" if institution.is_closed_by_decision else ""
    return f"{institution.state} on {institution.closed_on}{how}"
