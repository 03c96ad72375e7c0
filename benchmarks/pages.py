"""How long the pages of the desk take, through Airflow's API server and without a browser (`make bench-pages`).

Two installations are made, each with an API server of its own: the demo city with six months, and an area of 300
institutions with 36 (`INSTITUTIONS=100 MONTHS=12` for less). Every page is asked for in turn, many times; what counts
is the time until the last byte, of which 95 % of the visits stay below the limit (docs/desk.md#speed).
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from many_months import copy_months
from report import Report
from sqlalchemy import Engine, text

from five_precisions.collection import close, collect
from five_precisions.figures import assess
from five_precisions.period import Period
from five_precisions.register import load_register, save_register
from five_precisions.settings import PREFIX, Settings
from five_precisions.warehouse import open_warehouse
from five_precisions_demo.city.inbox import write_inbox
from five_precisions_demo.large_area import AreaSize, invent_area, write_area
from five_precisions_demo.stack import OPS, Interruption, Site, Stack

VISITS: Final = 40
LIMIT_OF_CITY: Final = 300
LIMIT_OF_AREA: Final = 800
"""Milliseconds."""
JUNE: Final = Period(2019, 6)
PORT: Final = 8093
PATHS: Final = (
    "today",
    "reporting",
    "reporting?only=missing&kind=bank",
    "reporting/{bank}",
    "ranking",
    "ranking/banks/{bank}",
    "ranking/compare?first={bank}&second={other}",
    "ranking/boards",
    "ranking/scheme",
    "ranking/trial",
    "figures",
    "figures/loan_balance?scope=county",
    "cases",
    "cases/{case}",
    "cases/inspections",
    "bulletins",
    "bulletins/messages",
    "quality",
    "quality/rules/{rule}",
    "quality/docs",
    "institutions",
    "institutions/{bank}",
    "actions",
)
"""Pages that show what is on record."""
COMPUTING: Final = (
    "figures/proof?metric=loan_balance&scope=bank&code={bank}",
    "ranking/trial?{heavier}",
)
"""A figure whose rows are looked for anew, and a month that is computed anew by a scheme with other weights."""
_HEAVIER: Final = {"weights.growth": "10", "weights.completion": "50"}
_NAMES = text("""
select
    min(code) filter (where kind = 'bank') as bank,
    max(code) filter (where kind = 'bank') as other,
    (select min(case_id) from mart.case_state) as "case",
    (select min(rule) from intake.finding_count) as rule
from registry.institution
""")


def main() -> None:
    parser = argparse.ArgumentParser(description="How long the pages take.")
    parser.add_argument("--institutions", type=int, default=300)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--loans", type=int, default=20_000)
    parser.add_argument("--visits", type=int, default=VISITS)
    asked = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="five-precisions-bench-") as folder:
        Path(folder).chmod(0o755)
        city, area = Path(folder) / "city", Path(folder) / "area"
        with serving(city, {}) as (site, settings, engine):
            fill_city(settings, engine)
            measure(report, site, engine, "city", asked.visits, LIMIT_OF_CITY)
        places = {PREFIX + name.upper(): str(area / name) for name in ("register", "reference")}
        with serving(area, places) as (site, settings, engine):
            fill_area(settings, engine, asked)
            named = f"{asked.institutions} institutions, {asked.months} months"
            measure(report, site, engine, named, asked.visits, LIMIT_OF_AREA)
    report.keep("pages", f"{asked.institutions} institutions, {asked.months} months, {asked.visits} visits")


@contextmanager
def serving(folder: Path, places: Mapping[str, str]) -> Iterator[tuple[Site, Settings, Engine]]:
    """A database and, once the block's first part is done, an API server on it; both end with the block."""
    folder.mkdir()
    site = Site(var=folder / "var", port=PORT, variables={PREFIX + "REPLAY": "true", **places})
    stack = Stack(site, Interruption())
    with stack.supervised():
        url = stack.start_servers()
        stack.start_migration()
        stack.finish("migrate")
        given = {name.removeprefix(PREFIX).lower(): value for name, value in places.items()}
        settings = Settings(  # type: ignore[call-arg]
            _env_file=site.var / "secrets.env",
            var=site.var,
            warehouse=url.render_as_string(hide_password=False),
            inbox=str(site.inbox),
            replay=True,
            **({PREFIX + "REGISTER": given["register"], "reference": given["reference"]} if given else {}),
        )
        with open_warehouse(settings) as engine:
            with engine.begin() as connection:
                if settings.register_folder.exists():
                    save_register(connection, load_register(settings.register_folder))
            stack.start_components("api-server")
            yield site, settings, engine


def fill_city(settings: Settings, engine: Engine) -> None:
    """Six months of the demo city."""
    write_inbox(Path(settings.inbox_address))
    for month in (Period(2019, number) for number in range(1, 7)):
        collect(engine, settings, month, replay=True)
        close(engine, settings, month, replay=True)
        assess(engine, settings, month)


def fill_area(settings: Settings, engine: Engine, asked: argparse.Namespace) -> None:
    """One month of a large area, and the months before copied from it."""
    invented = invent_area(AreaSize.usual(asked.institutions, asked.loans))
    assert settings.reference is not None
    write_area(
        invented,
        inbox=Path(settings.inbox_address),
        register=settings.register_folder,
        reference=settings.reference,
    )
    with engine.begin() as connection:
        save_register(connection, load_register(settings.register_folder))
    collect(engine, settings, JUNE, replay=True, processes=settings.process_count)
    close(engine, settings, JUNE, replay=True)
    assess(engine, settings, JUNE)
    copy_months(engine, JUNE, asked.months - 1)


def measure(report: Report, site: Site, engine: Engine, named: str, visits: int, limit: float) -> None:
    """Ask for every page in turn, and keep of each the time below which 95 % of the visits stay."""
    with engine.connect() as connection:
        names = {**connection.execute(_NAMES).mappings().one(), "heavier": urlencode(_HEAVIER)}
    with logged_in(site) as browser:
        paths = [path.format(**names) for path in (*PATHS, *COMPUTING)]
        times: dict[str, list[float]] = {path: [] for path in paths}
        # The first visit pays for what the server does once.
        for _ in range(visits + 1):
            for path, taken in times.items():
                begin = time.perf_counter()
                answer = browser.get(f"/five-precisions/{path}")
                answer.raise_for_status()
                taken.append((time.perf_counter() - begin) * 1000)
    for path, (first, *others) in times.items():
        slowest = sorted(others)[math.ceil(len(others) * 0.95) - 1]
        report.add(f"{named}: /{path}, 95 % of visits below", slowest, "ms", limit=limit)
        report.add(f"{named}: /{path}, median", statistics.median(others), "ms")
        report.add(f"{named}: /{path}, first visit", first, "ms")


@contextmanager
def logged_in(site: Site) -> Iterator[httpx.Client]:
    """A program that is logged in as ops, once the API server answers."""
    deadline = time.monotonic() + 180
    with httpx.Client(base_url=site.url, trust_env=False, timeout=60) as browser:
        while True:
            try:
                login: dict[str, Any] = {"username": OPS, "password": site.password(OPS)}
                answer = browser.post("/auth/token", json=login).raise_for_status()
                break
            except httpx.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)
        browser.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield browser


if __name__ == "__main__":
    main()
