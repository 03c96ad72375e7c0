"""Makes the README's pictures of what the demo left: `make demo`, `make up`, `.venv/bin/python docs/make_pictures.py`.

Needs Debian's chromium and fonts-noto-cjk.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from urllib.parse import quote

import httpx
from playwright.sync_api import sync_playwright

from five_precisions.bulletin import render
from five_precisions.bulletin.pdf import render_pages
from five_precisions.period import Quarter
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from five_precisions_demo.stack import OPS, Site

DOCS = Path(__file__).parent
MONTH = "2019-02"
QUARTER = Quarter(2019, 2)


def main() -> int:
    """Write docs/grid.png and docs/bulletin.png; 1 where no demo is up."""
    site = Site()
    try:
        httpx.get(site.url).raise_for_status()
    except httpx.HTTPError:
        print(f"Nothing answers at {site.url}; run: make demo, then make up", file=sys.stderr)
        return 1
    _draw_bulletin(site)
    _draw_grid(site)
    return 0


def _draw_bulletin(site: Site) -> None:
    settings = Settings(_env_file=None, var=site.var)
    with open_warehouse(settings) as engine:
        rendered = render(engine, settings, QUARTER)
    (DOCS / "bulletin.png").write_bytes(render_pages(rendered.bulletin, ppi=75)[0])


def _draw_grid(site: Site) -> None:
    password = site.password(OPS)
    token = httpx.post(f"{site.url}/auth/token", json={"username": OPS, "password": password}).json()["access_token"]
    answer = httpx.get(
        f"{site.url}/api/v2/dags/monthly_collection/dagRuns", headers={"Authorization": f"Bearer {token}"}
    )
    [run] = [run["dag_run_id"] for run in answer.json()["dag_runs"] if run["partition_key"] == MONTH]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        # High enough for all institutions: the one that did not deliver is among them.
        page = browser.new_page(viewport={"width": 1366, "height": 1260}, timezone_id="Asia/Shanghai")
        page.goto(site.url)
        page.fill("input[name=username]", OPS)
        page.fill("input[name=password]", password)
        page.keyboard.press("Enter")
        page.get_by_text("Dags", exact=True).first.wait_for()
        page.goto(f"{site.url}/dags/monthly_collection/runs/{quote(run)}/tasks/collect/mapped")
        page.get_by_text("中心支行").first.wait_for()
        page.wait_for_timeout(1000)
        page.screenshot(path=DOCS / "grid.png")
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
