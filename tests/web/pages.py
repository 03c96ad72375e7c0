"""What the tests of pages read: words, forms and files of an answer."""

from __future__ import annotations

import csv
import html
import io
import re
from io import BytesIO

import openpyxl
from fastapi.testclient import TestClient
from httpx import Response

from tests.web.conftest import PREFIX


def words_of(page: str) -> str:
    """What a person reads of a page, or of a part of it."""
    without_styles = re.sub(r"<style.*?</style>", "", page, flags=re.DOTALL)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", without_styles).split()))


def content_of(page: str) -> str:
    """A page without its head and its navigation."""
    return page[page.index("<main") :]


def links_of(page: str) -> list[str]:
    """Where a page leads by its links, in their order."""
    return [html.unescape(each) for each in re.findall(r'<a [^>]*href="([^"]+)"', page)]


def tables_of(page: str) -> list[str]:
    """The names of a page's tables, in their order."""
    return re.findall(r'<section class="table" id="([^"]+)"', page)


def table_of(page: str, table: str) -> list[list[str]]:
    """The words of a table's cells, its head first; a table that says only that it is empty has no rows."""
    [section] = re.findall(rf'<section class="table" id="{table}".*?</section>', page, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", section, re.DOTALL)
    return [[words_of(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]


def rows_of(page: str, table: str) -> list[list[str]]:
    """The words of a table's cells, without its head."""
    return table_of(page, table)[1:]


def by_head(table: list[list[str]]) -> list[dict[str, str]]:
    """The rows of a table whose head comes first, each cell by the head of its column."""
    return [dict(zip(table[0], row, strict=True)) for row in table[1:]]


def forms_of(page: str) -> dict[str, dict[str, str]]:
    """The hidden fields of each form that acts, by the address that it is sent to."""
    forms = re.findall(r'<form method="post" action="([^"]+)"(.*?)</form>', page, re.DOTALL)
    return {
        html.unescape(action): {name: html.unescape(value) for name, value in _hidden(form)} for action, form in forms
    }


def key_of(page: str, action: str) -> str:
    """The key of the form that is sent to an address which ends so."""
    form = form_of(page, action)
    assert form is not None, action
    return form["key"]


def form_of(page: str, action: str) -> dict[str, str] | None:
    """The hidden fields of the form that is sent to an address which ends so; None where the page has no such form."""
    found = re.search(rf'<form method="post" action="[^"]*{re.escape(action)}[^"]*".*?</form>', page, re.DOTALL)
    if found is None:
        return None
    return {name: html.unescape(value) for name, value in _hidden(found[0])}


def _hidden(form: str) -> list[tuple[str, str]]:
    return re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)


def outcome_of(client: TestClient, answer: Response) -> str:
    """What the page says after an action that it leads back from."""
    assert answer.status_code == 303, answer.text
    shown = client.get(answer.headers["location"])
    assert shown.status_code == 200
    found = re.search(r'<p class="done" role="status">(.*?)</p>', shown.text)
    assert found is not None
    return html.unescape(found[1])


def csv_of(client: TestClient, path: str, table: str, **asked: str) -> list[list[str]]:
    """The rows of a page's table as its CSV has them, its head first."""
    return read_csv(client.get(f"{PREFIX}/{path}", params={**asked, "download": f"{table}.csv"}))


def read_csv(answer: Response) -> list[list[str]]:
    """The rows of the CSV that an answer holds, its head first."""
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def workbook_of(answer: Response) -> openpyxl.Workbook:
    """The workbook that an answer holds."""
    assert answer.status_code == 200
    return openpyxl.load_workbook(BytesIO(answer.content))
