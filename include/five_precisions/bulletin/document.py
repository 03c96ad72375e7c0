"""The bulletin as a document: sections of paragraphs, tables and charts, before it becomes PDF, workbook or mail.

Text and tables hold the same `Figure` values, so one check can hold the numbers in sentences against those in tables
(docs/outputs.md#bulletin).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

from five_precisions.display import Form, shown


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure stands in the warehouse: a metric of a subject in a period."""

    metric: str
    scope: str
    code: str
    period: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its form and its place in the warehouse; `source` is None for what is counted from a table."""

    value: Decimal | int | None
    form: Form
    source: Source | None = None
    restated: bool = False
    """Whether an earlier revision of its month had it otherwise; shown with a mark."""

    def __str__(self) -> str:
        return shown(self.value, self.form) + ("*" if self.restated else "")


Cell = Figure | str | None
"""A cell of a table: a figure, a text, or nothing."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column; `group` is the heading that it shares with its neighbours, if any."""

    header: str
    form: Form = Form.TEXT
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with a title and a unit line."""

    code: str
    """Its name in files and sheets, e.g. `scores`."""
    title: str
    unit: str
    """Without the word: `万元、户`; empty where it needs none."""
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    has_total: bool = False
    """Whether the last row is a total."""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart, drawn when it is first looked at: a letter or a workbook shows none."""

    code: str
    title: str
    description: str
    """What it shows, in words, for who cannot see it."""
    draw: Callable[[], str] = field(repr=False, compare=False)
    is_narrow: bool = False
    """Whether it is drawn to stand beside the table before it."""

    @cached_property
    def svg(self) -> str:
        """The drawing."""
        return self.draw()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or several, with the figures that its text shows, and the words in it that are not ours."""

    text: str
    figures: tuple[Figure, ...] = ()
    quotes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a section: （一）精准宣传."""

    text: str


Block = Paragraph | Heading | Table | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """One of the five: 一、总体情况."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulletin:
    """The whole document of one quarter."""

    quarter: str
    """`2019-Q2`."""
    issuer: str
    """Who issues it: the red head names it."""
    number: str
    """〔2019〕第2期."""
    title: str
    addressees: str
    introduction: Paragraph
    sections: tuple[Section, ...]
    appendices: tuple[Table, ...]
    issued_on: date
    footnotes: tuple[str, ...]
    """Run, revision, input digest; institutions missing; what a mark means."""
    is_demo: bool
    """Made of invented data: everything shown says 演示数据."""

    @property
    def tables(self) -> list[Table]:
        """All tables: those of the sections, then the appendices."""
        inside = [block for section in self.sections for block in section.blocks if isinstance(block, Table)]
        return [*inside, *self.appendices]

    @property
    def charts(self) -> list[Chart]:
        """All charts, in their order."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Chart)]

    @property
    def paragraphs(self) -> list[Paragraph]:
        """All paragraphs, in their order."""
        inside = [block for section in self.sections for block in section.blocks if isinstance(block, Paragraph)]
        return [self.introduction, *inside]
