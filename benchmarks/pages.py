"""How long a page of ours takes in a browser, from the request to the last byte and to everything shown.

`make bench-pages` opens the drafts of what the demo left, under the Airflow of `make up`, logged in, twenty times each.
The limit is half a second at city size (docs/desk.md#pages). Needs Debian's chromium.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from typing import Final

import httpx
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from five_precisions_demo.stack import OPS, Site

VISITS: Final = 20
LIMIT: Final = 500
"""Milliseconds."""
PAGES: Final = ("drafts/2019-Q1/1", "drafts/2019-Q2/1")
_TIMES: Final = """
(({responseEnd, loadEventEnd}) => [responseEnd, loadEventEnd])(performance.getEntriesByType("navigation")[0])
"""


def measure(page: Page, url: str) -> list[tuple[float, float]]:
    times = []
    for _ in range(VISITS):
        answer = page.goto(url)
        if answer is None or not answer.ok:
            raise SystemExit(f"{url} cannot be shown: {page.inner_text('body')}")
        page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
        answered, shown = page.evaluate(_TIMES)
        times.append((answered, shown))
    return times


def main() -> int:
    site = Site()
    chromium = shutil.which("chromium")
    if chromium is None:
        print("Chromium is not installed: apt-get install chromium", file=sys.stderr)
        return 2
    try:
        httpx.get(site.url, trust_env=False).raise_for_status()
    except httpx.HTTPError:
        print(f"Nothing answers at {site.url}; run: make demo, then make up", file=sys.stderr)
        return 2
    table = Table("page", "answered, ms", "shown, ms", "slowest shown", "limit", title=f"{VISITS} visits each, medians")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(f"{site.url}/five-precisions/{PAGES[0]}")
        page.fill("input[name=username]", OPS)
        page.fill("input[name=password]", site.password(OPS))
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{PAGES[0]}")
        for name in PAGES:
            times = measure(page, f"{site.url}/five-precisions/{name}")
            answered, shown = (statistics.median(each) for each in zip(*times, strict=True))
            slowest = max(each for _, each in times)
            table.add_row(name, f"{answered:.0f}", f"{shown:.0f}", f"{slowest:.0f}", str(LIMIT))
        browser.close()
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
