"""Every number on a page leads to where it comes from: a proof, the page that lists what is counted, a delivery."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from five_precisions.settings import Settings
from five_precisions.warehouse import open_warehouse
from tests.web.conftest import PREFIX, Login
from tests.web.pages import links_of, words_of

PAGES = (
    "reporting?period=2019-02",
    "reporting/B10?period=2019-06",
    "ranking?period=2019-06",
    "ranking/banks/B10?period=2019-06",
    "ranking/compare?period=2019-06",
    "ranking/boards?period=2019-06",
    "figures?period=2019-06",
    "figures/loan_balance?period=2019-06&scope=county",
    "figures/overdue_ratio?period=2019-06&scope=town&code=441702001",
    "figures/proof?metric=overdue_ratio&scope=bank&code=B01&period=2019-06",
    "cases?period=2019-06",
    "cases/inspections?period=2019-06",
    "bulletins?quarter=2019-Q2",
    "quality?period=2019-06",
    "quality/rules/L14?period=2019-06",
    "institutions",
)
PLAIN = {
    # Places in an order that the numbers beside them make.
    *("名次", "位次", "上月位次", "上月名次", "顺序", "样本顺序", "次序"),
    # What a scheme or a rule lays down.
    *("权重", "按方案扣", "界限", "得分不低于"),
    # Made from numbers of the same row, or said in its words.
    *("得分", "失分", "得分将为", "名次将为", "风险分", "得分差"),
    *("应报", "已接收", "按时", "一次通过"),
    # Of a delivery that the row leads to, and what its rows say.
    *("版本", "行数", "文件", "行号", "本页行数", "计入分子", "计入分母"),
    "已考核",
}
"""Heads of columns whose numbers lead nowhere, without their units."""


@pytest.fixture
def viewer(golden_copy: Settings, login: Login) -> Iterator[TestClient]:
    with open_warehouse(golden_copy) as engine:
        assert isinstance(engine, Engine)
        yield login("viewer")


def numbers(page: str) -> Iterator[tuple[str, str, str | None]]:
    """Every number of a page's tables that is not nothing: table, head, and where it leads."""
    for name, section in re.findall(r'<section class="table" id="([^"]+)"(.*?)</section>', page, re.DOTALL):
        heads = [words_of(each) for each in re.findall(r'<th scope="col"[^>]*>(.*?)</th>', section, re.DOTALL)]
        for row in re.findall(r"<tr>(.*?)</tr>", section, re.DOTALL)[1:]:
            cells = re.findall(r"<t[hd]([^>]*)>(.*?)</t[hd]>", row, re.DOTALL)
            for head, (kind, cell) in zip(heads, cells, strict=True):
                words = words_of(cell)
                if "number" in kind and re.fullmatch(r"[-0-9.,]*[1-9][-0-9.,]*", words):
                    yield name, head, next(map(unescape, links_of(cell)), None)


def is_plain(table: str, head: str) -> bool:
    """Whether a column's numbers lead nowhere: beside `PLAIN` those of delivered rows, and differences of two cells."""
    name = head.partition("（")[0]
    is_difference = head.endswith(("领先", "名次")) or (table, name) == ("months", "比上月")
    return name in PLAIN or is_difference or table in ("rows", "sample")


def test_every_number_leads_to_where_it_comes_from(viewer: TestClient) -> None:
    unproved: list[str] = []
    leads: dict[tuple[str, str, str], str] = {}
    found = Counter[str]()
    for path in PAGES:
        answered = viewer.get(f"{PREFIX}/{path}")
        assert answered.status_code == 200, path
        for table, head, link in numbers(answered.text):
            found[path] += 1
            if link is not None:
                leads[path, table, head] = link
            elif not is_plain(table, head):
                unproved.append(f"{path} {table} {head}")
    assert not unproved
    assert all(found[path] for path in PAGES)
    assert len(leads) > 60
    for place, link in leads.items():
        parts = urlsplit(link)
        answered = viewer.get(parts.path + (f"?{parts.query}" if parts.query else "")) if parts.path else None
        assert answered is not None, place
        assert answered.status_code == 200, (place, link)
        assert not parts.fragment or f'id="{parts.fragment}"' in answered.text, (place, link)
