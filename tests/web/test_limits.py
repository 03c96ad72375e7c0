"""Forms larger than ours are refused unread, shared work has its turns, and no address of a form is a dead end."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient

from five_precisions.web.limits import LARGEST_FORM, BusyError, SharedWork
from tests.web.conftest import PREFIX, Login

REMIND = f"{PREFIX}/reporting/remind"


def test_a_form_that_is_too_large_is_refused_whoever_sends_it(stranger: TestClient, login: Login) -> None:
    form = b"key=" + b"x" * LARGEST_FORM
    for client in (stranger, login("admin")):
        answer = client.post(REMIND, content=form, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code == 413
        assert "表单太大，没有执行。" in answer.text
    # One of our size gets as far as the login.
    assert stranger.post(REMIND, data={"key": "x"}).status_code == 303


def test_a_form_that_does_not_say_its_size_is_refused(stranger: TestClient) -> None:

    def parts() -> Iterator[bytes]:
        for _ in range(3):
            yield b"x" * 1000

    answer = stranger.post(REMIND, content=parts())
    assert answer.status_code == 411
    assert "没有写明表单有多大" in answer.text


def test_shared_work_has_its_turns() -> None:
    work = SharedWork(1, 0.01, "请稍后再试。")
    with work.turn(), pytest.raises(BusyError, match="请稍后再试"), work.turn():
        pytest.fail("two at once")
    with pytest.raises(ValueError, match="broken"), work.turn():
        raise ValueError("broken")
    with work.turn():
        pass


@pytest.mark.parametrize(
    ("posted", "page"),
    [
        ("reporting/remind?period=2019-06&kind=bank", "reporting?period=2019-06&kind=bank"),
        ("reporting/B01/remind", "reporting/B01"),
        ("cases/A01-B01-0/set-aside", "cases/A01-B01-0"),
        ("bulletins/messages/resend", "bulletins/messages"),
        ("institutions/deadline", "institutions"),
    ],
)
def test_the_address_of_a_form_leads_to_its_page(login: Login, posted: str, page: str) -> None:
    answer = login("viewer").get(f"{PREFIX}/{posted}")
    assert (answer.status_code, answer.headers["location"].partition("/five-precisions/")[2]) == (307, page)


def test_the_login_leads_back_to_what_was_asked_for(stranger: TestClient) -> None:
    answer = stranger.get(f"{PREFIX}/reporting?period=2019-03&kind=bank")
    assert unquote(answer.headers["location"]).endswith(f"next={PREFIX}/reporting?period=2019-03&kind=bank")
