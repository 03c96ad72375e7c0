"""docs/reference/metrics.md: every figure of the catalogue, and the boards."""

from __future__ import annotations

from five_precisions.reference import load_boards, load_catalogue
from five_precisions.settings import Settings
from five_precisions_docs.page import code, page, table

_DIRECTIONS = {"up": "more", "down": "less", None: ""}


def metrics_page(settings: Settings) -> str:
    """The page: metrics in the order of their file, then the boards that rank some of them."""
    catalogue = load_catalogue(settings)
    return page(
        "Metrics",
        "`include/reference/metrics.yaml` and `boards.yaml`",
        "Definitions in full: [figures.md](../figures.md). *Additive*: the parts add up to the city. *Share*: it lies"
        " between 0 and 100.",
        table(
            ["metric", "name", "unit", "formula", "scopes", "better", "checked as", "made from, under include/sql"],
            [
                [
                    code(name),
                    metric.name,
                    metric.unit,
                    metric.formula,
                    ", ".join(metric.scopes),
                    _DIRECTIONS[metric.good],
                    "additive" if metric.additive else "share" if metric.share else "",
                    ", ".join(map(code, metric.statements)),
                ]
                for name, metric in catalogue.metrics.items()
            ],
        ),
        "## Boards",
        table(
            ["board", "ranks", "scope"],
            [[code(name), code(board.metric), board.scope] for name, board in load_boards(settings, catalogue).items()],
        ),
    )
