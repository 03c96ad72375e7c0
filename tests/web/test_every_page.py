"""What no page and no file of a page may show, looked for on all of them: values in clear, few households of a town."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, Row, text

from five_precisions.reference import Metric, Scope, load_catalogue
from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from tests.e2e.nothing_in_clear import Walker, sought_in
from tests.web.conftest import PREFIX, Login
from tests.web.pages import by_head, csv_of, table_of, tables_of

MONTHS = [f"2019-0{number}" for number in range(1, 7)]
FEW = range(1, 5)


@pytest.fixture
def city(golden_copy: Settings) -> Iterator[Engine]:
    """The golden city, to be read and downloaded from."""
    with open_warehouse(golden_copy) as engine:
        yield engine


@pytest.fixture
def admin(city: Engine, login: Login) -> TestClient:
    """Somebody who may see everything."""
    assert city
    return login("admin")


# Sensitive values


def kind_of(address: str) -> tuple[str, ...]:
    """What an address has in common with those of its like: the page, what is asked of it, the file."""
    parts, query = urlsplit(address), parse_qs(urlsplit(address).query)
    page = re.sub(r"/\d{4}-[\w-]+", "/number", parts.path)
    page = re.sub(r"/[BCZ]\d\d(?=/|$)", "/code", page)
    # What a bank has delivered is the likeliest to hold a value: each month of each institution is a kind of its own.
    if page == f"{PREFIX}/reporting/code" and query.keys() <= {"period"}:
        page = parts.path + "".join(query.get("period", []))
    return page, *sorted(query), *query.get("scope", []), *query.get("download", [])


def proofs(settings: Settings) -> Iterator[str]:
    """The rows behind one metric of each fact or statement and each scope, on the page and as a file."""
    seen = set()
    subjects = {Scope.CITY: "441700", Scope.COUNTY: "441702", Scope.TOWN: "441702001", Scope.BANK: "B01"}
    for code, metric in load_catalogue(settings).metrics.items():
        for scope in metric.scopes:
            made = metric.made_from(scope)
            if (key := (made[0] if made else metric.evidence, scope)) not in seen:
                seen.add(key)
                asked = urlencode({"metric": code, "scope": scope, "code": subjects[scope], "period": "2019-06"})
                yield f"{PREFIX}/figures/proof?{asked}"
                yield f"{PREFIX}/figures/proof/evidence.csv?{asked}"


def test_no_page_and_no_file_shows_a_value_in_clear(
    admin: TestClient, golden_copy: Settings, golden_inbox: Path
) -> None:
    sought = sought_in(golden_inbox).without_public()
    assert len(sought.numbers) > 500
    assert len(sought.names) > 100
    walker = Walker(sought)
    waiting = [f"{PREFIX}/today", *(f"{PREFIX}/reporting?period={each}" for each in MONTHS), *proofs(golden_copy)]
    dead: list[str] = []
    seen, kinds = {kind_of(each) for each in waiting}, Counter[str]()
    while waiting:
        address = waiting.pop(0)
        answer = admin.get(address)
        if answer.status_code in (303, 307):
            continue
        if answer.status_code != 200 and "/figures/proof" not in address:
            dead.append(address)
        kind = answer.headers["content-type"].partition(";")[0]
        kinds[kind] += 1
        walker.content(address, answer.content)
        if kind != "text/html":
            continue
        for found in re.findall(r'(?:href|src)="([^"]+)"', answer.text):
            link = html.unescape(found).partition("#")[0]
            if not link.startswith(f"{PREFIX}/") or "/figures/proof" in link or "xlsx" in link:
                continue
            # Of pages that are alike one is enough.
            if kind_of(link) not in seen:
                seen.add(kind_of(link))
                waiting.append(link)
    assert kinds["text/html"] > 150
    assert kinds["text/csv"] > 30
    assert walker.walk.looked_at["workbook"] > 0
    assert walker.walk.leaks == []
    assert dead == []


# Few households


def of_households(settings: Settings) -> dict[str, Metric]:
    """Metrics of towns that are, or are made from, counts of households."""
    return {
        code: metric
        for code, metric in load_catalogue(settings).metrics.items()
        if Scope.TOWN in metric.scopes and (metric.unit == "户" or metric.of_households)
    }


def test_what_is_made_from_households_says_so(settings: Settings) -> None:
    catalogue = load_catalogue(settings).metrics
    counts = {metric.name for metric in catalogue.values() if metric.unit == "户"}
    made = re.compile("|".join(["户数", "走访覆盖率", *map(re.escape, counts)]))
    found = {
        code
        for code, metric in catalogue.items()
        if Scope.TOWN in metric.scopes and made.search(f"{metric.name} {metric.formula}")
    }
    assert {"visit_coverage", "visit_coverage_standing", "score_average", "households_able"} <= found
    assert {code for code in found if catalogue[code].unit != "户"} == {
        code for code in found if catalogue[code].of_households
    }
    assert found <= of_households(settings).keys()


def wrongly_shown(metric: Metric, row: Mapping[str, str]) -> bool:
    """Whether a line of a table tells a count of one to four households."""
    [value] = [words for head, words in row.items() if head.startswith("数值")]
    parts = [words for head, words in row.items() if head in ("分子", "分母")]
    if any(_is_few(each) for each in ([*parts, value] if metric.unit == "户" else parts)):
        return True
    is_told = "<5" in parts and row["分子"] not in ("0", "")
    return metric.unit != "户" and is_told and value not in ("不列", "—", "")


def _is_few(words: str) -> bool:
    return words not in ("", "<5", "不列", "—") and float(words.replace(",", "")) in FEW


def test_a_line_that_tells_a_few_is_found(settings: Settings) -> None:
    share, count = of_households(settings)["visit_coverage"], of_households(settings)["households_able"]
    for metric, row in (
        (count, {"数值（户）": "3"}),
        (share, {"数值（%）": "不列", "分子": "4", "分母": "10"}),
        (share, {"数值（%）": "不列", "分子": "0", "分母": "4.00"}),
        (share, {"数值（%）": "40.00", "分子": "<5", "分母": "10"}),
    ):
        assert wrongly_shown(metric, row), row
    for metric, row in (
        (count, {"数值（户）": "<5"}),
        (share, {"数值（%）": "4.00", "分子": "5", "分母": "125"}),
        (share, {"数值（%）": "0.00", "分子": "0", "分母": "<5"}),
    ):
        assert not wrongly_shown(metric, row), row


def is_few(row: Row[Any], metrics: Mapping[str, Metric]) -> bool:
    """Whether a figure of a town is, or is made from, one to four households."""
    return (metrics[row.metric].unit == "户" and row.value in FEW) or row.numerator in FEW or row.denominator in FEW


def test_no_town_shows_a_few_households(admin: TestClient, city: Engine, golden_copy: Settings) -> None:
    metrics = of_households(golden_copy)
    of_towns = (
        "select metric, scope_code, value, numerator, denominator from mart.current_metric "
        "where period = '2019-06' and scope = 'town'"
    )
    with city.connect() as connection:
        few = [row for row in connection.execute(text(of_towns)) if row.metric in metrics and is_few(row, metrics)]
    assert {"microcredit_month_households", "microcredit_ytd_households_yoy"} <= {row.metric for row in few}
    shown = Counter[str]()
    for code, metric in metrics.items():
        pages = [{"scope": "town"}]
        # One of its towns with a few, month by month.
        pages += [{"scope": "town", "code": row.scope_code} for row in few if row.metric == code][:1]
        for asked in pages:
            page = admin.get(f"{PREFIX}/figures/{code}", params={**asked, "period": "2019-06"})
            assert page.status_code == 200
            for name in tables_of(page.text):
                of_page = by_head(table_of(page.text, name))
                of_file = by_head(csv_of(admin, f"figures/{code}", name, **asked, period="2019-06"))
                assert len(of_page) == len(of_file) > 0
                for row in (*of_page, *of_file):
                    assert not wrongly_shown(metric, row), (code, asked, name, row)
                    shown["<5"] += "<5" in row.values()
    # On the page and in the file.
    assert shown["<5"] >= 2 * len(few)
