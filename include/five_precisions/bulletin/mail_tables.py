"""Tables as mails show them: plain text in every cell, for the macros of include/templates/mail/tables.html."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from five_precisions.bulletin.document import Table
from five_precisions.display import Form, text_width

_TELEPHONE = 358
"""Pixels of a line on a telephone: 390 less the margins of the mail."""
_LETTER, _PADDING = 7, 12
"""Pixels of a character of Latin width at the size of tables, and of what stands beside a cell's text."""
_UNBROKEN = 10
"""Width of five Chinese characters: shorter texts stay on one line (macros.html)."""


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

    @property
    def is_wide(self) -> bool:
        """Whether it needs more room than a telephone has: figures stay on one line, of other texts five characters."""
        widths = []
        for place, (header, is_number) in enumerate(self.columns):
            widest = max((text_width(row[place]) for row in self.rows), default=0)
            widths.append(max(min(text_width(header), _UNBROKEN), widest if is_number else min(widest, _UNBROKEN)))
        return sum(width * _LETTER + _PADDING for width in widths) > _TELEPHONE


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


def changes_from_document(table: Table) -> MailTable:
    """The table of a correction: what was corrected in one column, so that a telephone shows both figures beside it."""
    return MailTable(
        columns=(("更正项目", False), *((column.header, True) for column in table.columns[-2:])),
        rows=tuple(
            (f"《{name}》{subject}：{figure}", str(before), str(after))
            for name, subject, figure, before, after in table.rows
        ),
        title=table.title,
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
