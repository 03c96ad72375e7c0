"""Tables as mails show them: plain text in every cell, for the macros of include/templates/mail/tables.html."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from five_precisions.bulletin.document import Table
from five_precisions.display import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTable:
    """A table of a mail; without a title it stands under a heading of its own."""

    columns: tuple[tuple[str, bool], ...]
    """A header each, and whether its cells are numbers."""
    rows: tuple[tuple[str, ...], ...]
    strong: tuple[int, ...] = ()
    """Numbers, from 0, of rows that stand out."""
    title: str = ""
    unit: str = ""
    note: str = ""


def mail_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Collection[str] = (),
    strong: Iterable[int] = (),
    note: str = "",
) -> MailTable:
    """A table of these columns; `numbers` are the headers of those that stand to the right."""
    return MailTable(
        columns=tuple((header, header in numbers) for header in headers),
        rows=tuple(map(tuple, rows)),
        strong=tuple(strong),
        note=note,
    )


def from_document(table: Table) -> MailTable:
    """A table of the bulletin; columns that share a heading bear it in their own."""
    return MailTable(
        columns=tuple(
            (f"{column.group}：{column.header}" if column.group else column.header, column.form is not Form.TEXT)
            for column in table.columns
        ),
        rows=tuple(tuple("" if cell is None else str(cell) for cell in row) for row in table.rows),
        strong=(len(table.rows) - 1,) if table.has_total else (),
        title=table.title,
        unit=table.unit,
        note=table.note.removeprefix("注："),
    )
