"""Writes the pages of docs/reference and the picture of the layers, from what the program itself declares.

`make docs` runs it; the product imports nothing of it.
"""

from __future__ import annotations

from typing import Final

from five_precisions.cli import make_app
from five_precisions.settings import ROOT, Settings
from five_precisions_docs.alerts import alerts_page
from five_precisions_docs.commands import commands_page
from five_precisions_docs.metrics import metrics_page
from five_precisions_docs.rules import rules_page
from five_precisions_docs.settings import settings_page

REFERENCE: Final = ROOT / "docs" / "reference"
ARCHITECTURE: Final = ROOT / "docs" / "architecture.md"


def described_by_files(settings: Settings) -> dict[str, str]:
    """The pages that take neither a database nor Airflow, by the names of their files."""
    return {
        "alerts.md": alerts_page(),
        "cli.md": commands_page(make_app()),
        "metrics.md": metrics_page(settings),
        "rules.md": rules_page(),
        "settings.md": settings_page(),
    }
