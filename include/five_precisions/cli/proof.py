"""The command that proves a figure: formula, run, and the delivered rows behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.padding import Padding

from five_precisions.cli.console import (
    MOST_ROWS,
    JsonOption,
    check_name,
    err,
    format_amount,
    format_cell,
    out,
    parse_path,
    print_facts,
    print_json,
    write_csv,
)
from five_precisions.errors import SetupError
from five_precisions.installation import open_installation
from five_precisions.period import Period
from five_precisions.settings import Settings

if TYPE_CHECKING:
    from five_precisions.figures.explain import EvidenceRow, FigureExplanation, Proof

app = typer.Typer()

_COLUMNS = (
    "part", "counted", "numerator", "denominator", "report", "institution", "delivered_for", "version", "file",
    "sha256", "sheet", "row",
)  # fmt: skip
"""Of the CSV; the columns of the reports follow, by their headers."""


@app.command()
def explain(
    metric: Annotated[str, typer.Argument(callback=check_name, help="A code of include/reference/metrics.yaml.")],
    period: Annotated[Period, typer.Option(parser=Period.parse, metavar="PERIOD", help="Which month.")],
    scope: Annotated[str, typer.Option(callback=check_name, help="city, county, town or bank.")] = "city",
    code: Annotated[
        str | None, typer.Option(callback=check_name, help="Which one; may be left out for the city.")
    ] = None,
    run: Annotated[
        str | None, typer.Option(metavar="RUN_ID", callback=check_name, help="An older run of a restated month.")
    ] = None,
    first: Annotated[int, typer.Option(min=0, max=MOST_ROWS, help="How many of the rows to show.")] = 5,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", parser=parse_path, metavar="FILE", help="Write all rows as CSV.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Where a figure comes from: value, formula, numerator, denominator, run, and the delivered rows behind it."""
    from five_precisions.figures import explain as explain_figure

    with open_installation() as (engine, settings):
        explained = explain_figure(
            engine,
            settings,
            metric,
            scope=scope,
            code=code,
            period=period,
            run_id=run,
            first=first if csv_file is None else None,
        )
    proof = explained.proof
    if proof is not None:
        if csv_file is not None:
            write_csv(csv_file, *_tabulate(proof.first))
        proof = replace(proof, first=_checked_against_archive(settings, proof.first[:first]))
        explained = replace(explained, proof=proof)
    if as_json:
        print_json(explained)
        return
    _print_figure(explained)
    if explained.proof is None:
        out.print(
            f"The catalogue declares no evidence for {metric}: add a statement under include/sql/evidence and name it "
            "in metrics.yaml, and its rows can be shown."
        )
        return
    where = "--csv FILE writes them all" if csv_file is None else f"all {explained.proof.rows:,} are in {csv_file}"
    _print_rows(explained.proof, where)


def _checked_against_archive(settings: Settings, rows: tuple[EvidenceRow, ...]) -> tuple[EvidenceRow, ...]:
    """The rows, with what the archived copies of their files are worth; as they are where nobody can look into it."""
    from five_precisions.intake import Archive

    cited = {row.sha256 for row in rows if row.sha256 is not None}
    if not cited:
        return rows
    try:
        archive = Archive.of(settings)
        copies = {sha256: archive.look(sha256) for sha256 in cited}
    except SetupError as error:
        # The figure is explained all the same.
        err.print(f"The files were not held against the archive: {error}", style="yellow", markup=False, soft_wrap=True)
        return rows
    return tuple(row if row.sha256 is None else replace(row, archived=copies[row.sha256].condition) for row in rows)


def _print_figure(explained: FigureExplanation) -> None:
    value = (
        "no value: a report that it needs is missing, or it would be divided by nothing"
        if explained.value is None
        else f"{format_amount(explained.value)} {explained.unit}"
    )
    note = "" if explained.is_current else " (not the current one)"
    facts: list[tuple[str, object]] = [
        ("figure", f"{explained.metric} {explained.name}"),
        ("of", f"{explained.scope} {explained.code} {explained.subject}, {explained.period}"),
        ("value", value),
        ("exact", explained.value),
        ("formula", explained.formula),
        ("numerator", explained.numerator),
        ("denominator", explained.denominator),
        ("run", f"{explained.run_id}{note}, input {explained.input_digest}"),
    ]
    if explained.own_files:
        facts.append(("own files", ", ".join(explained.own_files)))
    if explained.proof is not None:
        facts.append(("rows behind it", _counted(explained.proof)))
        doubt = ": not the figure, so what is on record was altered since" if explained.is_proved is False else ""
        facts.append(("they come to", f"{_come_to(explained.proof)}{doubt}"))
    print_facts(facts)


def _counted(proof: Proof) -> str:
    if proof.denominator is None:
        return f"{proof.rows:,}"
    return f"{proof.rows:,}: {proof.rows_of_numerator:,} of numerator, {proof.rows_of_denominator:,} of denominator"


def _come_to(proof: Proof) -> str:
    if proof.denominator is None:
        return format_cell(proof.numerator)
    return f"numerator {format_cell(proof.numerator)}, denominator {format_cell(proof.denominator)}"


def _print_rows(proof: Proof, where: str) -> None:
    """The first rows, each with its place, and in the end the files by their whole hash, with what is wrong of them."""
    files: dict[str, EvidenceRow] = {}
    for number, row in enumerate(proof.first, start=1):
        if row.file is not None:
            files[f"{row.institution_code} version {row.version}, {row.file}"] = row
        out.print()
        out.print(f"{number}. {_placed(row)}", markup=False, soft_wrap=True)
        said = " · ".join(f"{header} {value}" for header, value in row.content.items() if value is not None)
        out.print(Padding(format_cell(said), (0, 0, 0, 3), expand=False))
    out.print(f"\nShown: {len(proof.first):,} of {proof.rows:,} rows; {where}.", markup=False, soft_wrap=True)
    if files:
        out.print("\nfiles (SHA-256)")
    for file, row in files.items():
        out.print(f"{row.sha256}  {file}{_archived(row)}", markup=False, soft_wrap=True)


def _archived(row: EvidenceRow) -> str:
    """What is to be said of a file's archived copy: nothing, where it is whole."""
    match row.archived:
        case None:
            return " (not held against the archive)"
        case "whole":
            return ""
        case _:
            return f" (its archived copy is {row.archived})"


def _placed(row: EvidenceRow) -> str:
    """What the row is to the figure, and where it was delivered."""
    words = [row.part]
    if row.counted is not None:
        words.append(f"counts {row.counted}")
    if row.numerator is not None:
        words.append(f"adds {row.numerator:f}")
    if row.denominator is not None:
        words.append(f"adds {row.denominator:f} below")
    words.append(row.report)
    if row.institution_code is not None:
        words.append(f"{row.institution_code} version {row.version}")
    words += [each for each in (row.file, row.sheet) if each is not None]
    if row.row is not None:
        words.append(f"row {row.row}")
    return ", ".join(words)


def _tabulate(rows: tuple[EvidenceRow, ...]) -> tuple[tuple[str, ...], Iterator[tuple[object, ...]]]:
    """Headings and rows of the CSV."""
    headers = tuple(dict.fromkeys(header for row in rows for header in row.content))
    return (*_COLUMNS, *headers), (
        (
            *(row.part, row.counted, row.numerator, row.denominator, row.report, row.institution_code),
            *(row.delivered_for, row.version, row.file, row.sha256, row.sheet, row.row),
            *(row.content.get(header) for header in headers),
        )
        for row in rows
    )
