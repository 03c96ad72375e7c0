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
    """What a person reads of a page."""
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))


def links_of(page: str) -> list[str]:
    """Where a page leads by its links, in their order."""
    return [html.unescape(each) for each in re.findall(r'<a [^>]*href="([^"]+)"', page)]


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
    answer = client.get(f"{PREFIX}/{path}", params={**asked, "download": f"{table}.csv"})
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def workbook_of(answer: Response) -> openpyxl.Workbook:
    """The workbook that an answer holds."""
    assert answer.status_code == 200
    return openpyxl.load_workbook(BytesIO(answer.content))
