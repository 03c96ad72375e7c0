"""What the demo has to show: published figures beside the computed ones, the ranking, where things lie."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, Engine, text

from five_precisions.settings import Settings
from five_precisions_demo.city.published import PUBLISHED
from five_precisions_demo.replay.progress import PERIODS
from five_precisions_demo.replay.statements import load_demo_statement
from five_precisions_demo.stack import Site

_COUNT_RECEIPTS = text("select count(*) from intake.submission")


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """A published figure beside the computed one."""

    metric: str
    name: str
    unit: str
    published: Decimal
    computed: Decimal | None

    @property
    def agrees(self) -> bool:
        """Whether they are the same with the decimals that were printed."""
        return self.computed is not None and self.computed == self.published


@dataclass(frozen=True, slots=True)
class Summary:
    """What there is to show in the end."""

    figures: list[PublishedFigure]
    ranking: list[Any]
    mails: dict[str, int]
    receipts: int
    bulletins: list[Path]


def read_summary(engine: Engine, settings: Settings, site: Site) -> Summary:
    """Read it from the warehouse; the bulletins are laid where they are found."""
    with engine.connect() as connection:
        return Summary(
            figures=_read_figures(connection, settings),
            ranking=list(connection.execute(load_demo_statement("ranking"), {"period": str(PERIODS[-1])})),
            mails={row.kind: row.messages for row in connection.execute(load_demo_statement("sent_messages"))},
            receipts=connection.execute(_COUNT_RECEIPTS).scalar_one(),
            bulletins=_write_bulletins(connection, site),
        )


def _write_bulletins(connection: Connection, site: Site) -> list[Path]:
    """Lay the bulletins as they were sent, with the approver's remark, where they are found."""
    folder = site.var / "bulletins"
    folder.mkdir(exist_ok=True)
    paths = []
    for row in connection.execute(load_demo_statement("sent_bulletins")):
        paths.append(folder / f"bulletin-{row.period}.pdf")
        paths[-1].write_bytes(row.content)
    return paths


def _read_figures(connection: Connection, settings: Settings) -> list[PublishedFigure]:
    from five_precisions.reference import load_catalogue

    metrics = load_catalogue(settings).metrics
    found = connection.execute(load_demo_statement("city_figures"), {"period": str(PERIODS[-1])})
    values = {row.metric: row.value for row in found}
    figures = []
    for metric, printed in PUBLISHED.items():
        published, computed = Decimal(printed), values.get(metric)
        shown = None if computed is None else computed.quantize(published, ROUND_HALF_UP)
        figures.append(PublishedFigure(metric, metrics[metric].name, metrics[metric].unit, published, shown))
    return figures


def print_summary(out: Console, site: Site, summary: Summary) -> None:
    """Three tables: figures, ranking, places."""
    figures = Table(title="June 2019: published and computed", title_justify="left", box=None)
    for header in ("figure", "", "published", "computed", "unit", ""):
        figures.add_column(header, justify="right" if header in ("published", "computed") else "left")
    for figure in summary.figures:
        computed = "—" if figure.computed is None else f"{figure.computed:,f}"
        verdict = "✓" if figure.agrees else "differs"
        figures.add_row(figure.metric, figure.name, f"{figure.published:,f}", computed, figure.unit, verdict)
    ranking = Table(title="June 2019: ranking", title_justify="left", box=None)
    for header in ("rank", "bank", "", "score", "grade", "before", "reason"):
        ranking.add_column(header, justify="right" if header in ("rank", "score", "before") else "left")
    for row in summary.ranking:
        score = "—" if row.score is None else f"{row.score.quantize(Decimal('0.01'), ROUND_HALF_UP):f}"
        cells = (row.rank, row.institution_code, row.short_name, score, row.grade, row.previous_rank, row.reason)
        ranking.add_row(*("—" if cell is None else str(cell) for cell in cells))
    counts = ", ".join(f"{count} {kind}" for kind, count in summary.mails.items())
    places = Table(show_header=False, box=None)
    for path in summary.bulletins:
        places.add_row("bulletin", str(path))
    places.add_row("receipts", f"{summary.receipts}, as pages in {site.var / 'outbox'}")
    places.add_row("mails", f"{sum(summary.mails.values())} ({counts}), as .eml files in {site.mails}")
    for part in (figures, ranking, places):
        out.print()
        out.print(part)
