"""`make docs`: write every generated page, and say which of them has changed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from sqlalchemy import create_engine

from five_precisions.settings import ROOT, Settings
from five_precisions.warehouse import migrate
from five_precisions.warehouse.embedded import EmbeddedServer
from five_precisions_docs import ARCHITECTURE, REFERENCE, described_by_files
from five_precisions_docs.dags import dags_page, read_dags
from five_precisions_docs.layers import with_picture
from five_precisions_docs.warehouse import warehouse_page


def main() -> None:
    """Write the pages. The warehouse is migrated in a server of its own; no installation is touched."""
    with tempfile.TemporaryDirectory(prefix="five-precisions-docs-") as folder:
        settings = Settings(_env_file=None, var=Path(folder))  # type: ignore[call-arg]
        pages = {REFERENCE / name: content for name, content in described_by_files(settings).items()}
        described = read_dags(Path(folder))
        if described["import_errors"]:
            raise SystemExit(f"A DAG file cannot be read: {described['import_errors']}")
        pages[REFERENCE / "dags.md"] = dags_page(described["dags"])
        with EmbeddedServer(Path(folder)).borrowed() as url:
            engine = create_engine(url)
            migrate(engine)
            with engine.connect() as connection:
                pages[REFERENCE / "warehouse.md"] = warehouse_page(connection)
            engine.dispose()
    pages[ARCHITECTURE] = with_picture(ARCHITECTURE.read_text(encoding="utf-8"), ROOT / "pyproject.toml")
    REFERENCE.mkdir(exist_ok=True)
    for path, content in pages.items():
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
