"""What every page of the desk works with: the request, its user, the warehouse, and the way to an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from fastapi import Depends, Request, Response, status
from fastapi import Form as FormField
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection, Engine, text

from five_precisions.errors import UsageError
from five_precisions.period import Period
from five_precisions.settings import Settings
from five_precisions.web.access import User, may_act
from five_precisions.web.actions import (
    ActedBeforeError,
    Action,
    ActionKind,
    FilledForm,
    acting,
    form_key,
    read_outcome,
    record_download,
    require_key,
)
from five_precisions.web.opened import opened_installation
from five_precisions.web.page import (
    SECURITY_HEADERS,
    SHEET,
    Choice,
    FollowedFromElsewhereError,
    NotThereError,
    file_answer,
    html,
)
from five_precisions.web.tables import Table, table_as_file
from five_precisions.web.warm_up import warm_up

PAGES: Final = {
    "today": "今日",
    "reporting": "报送情况",
    "ranking": "考核排名",
    "figures": "指标",
    "cases": "督查台账",
    "bulletins": "通报",
    "quality": "数据质量",
    "institutions": "机构",
    "actions": "操作记录",
}
"""The entries of the navigation: where they lie, and what they are called."""
MONTHS: Final = 12
"""How far back the pages look, the shown month among them; and how many are named where another is asked for."""
NOTHING_OPENED: Final = "还没有打开过任何月份。“月度收集”任务每月1日打开上一个月；也可以在 Airflow 中手工触发。"
"""What a page of deliveries says where there is no month yet."""
NOTHING_ASSESSED: Final = "还没有考核过的月份。月份关闭后，“月度考核”任务自动考核，结果显示在这里。"
"""What a page of results says where there is none yet."""
_OPENED = text("select period from registry.period order by period desc")
_ASSESSED = text("select period from mart.current_run order by period desc")


@dataclass(frozen=True, slots=True)
class Desk:
    """One request to a page of ours."""

    request: Request
    user: User
    engine: Engine
    settings: Settings

    @property
    def root(self) -> str:
        """The path of our pages on the server: /five-precisions, below Airflow's own."""
        return str(self.request.scope["root_path"])

    @property
    def airflow(self) -> str:
        """The path of Airflow on the server, with a slash at its end."""
        return self.request.base_url.path

    @property
    def may_act(self) -> bool:
        """Whether the user is of ops."""
        return may_act(self.user)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection to read by; nothing of it is kept."""
        with self.engine.connect() as connection:
            yield connection

    def href(self, path: str, **query: object) -> str:
        """The address of a page of ours.

        Args:
            path: Below our root; its parts are quoted here.
            query: What follows the question mark; None is left out.
        """
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        return f"{self.root}/{quote(path)}{'?' if asked else ''}{asked}"

    @property
    def asked_period(self) -> str | None:
        """The month that the address names; None where it names none."""
        return self.request.query_params.get("period")

    def here(self, **changed: object) -> str:
        """The address of this page with other values in its query; None takes one out."""
        return self.request.url.path + self._query(changed)

    def keeping(self, path: str, **changed: object) -> str:
        """The address of another page of ours, or of a form, that keeps the query of this one.

        Args:
            path: Below our root; its parts are quoted here.
            changed: Other values in the query; None takes one out.
        """
        return f"{self.root}/{quote(path)}{self._query(changed)}"

    def _query(self, changed: Mapping[str, object]) -> str:
        query = {**self.request.query_params, **changed}
        asked = urlencode(
            {name: value for name, value in query.items() if value is not None and name not in ("download", "done")}
        )
        return f"{'?' if asked else ''}{asked}"

    def opened_periods(self, connection: Connection) -> list[str]:
        """Every month that was opened, the newest first."""
        return list(connection.execute(_OPENED).scalars())

    def assessed_periods(self, connection: Connection) -> list[str]:
        """Every month that has been assessed, the newest first."""
        return list(connection.execute(_ASSESSED).scalars())

    def opened_month(self, connection: Connection) -> tuple[Period | None, list[str]]:
        """The month that the address asks for, else the newest; and every month that was opened, the newest first.

        None where there is no month at all (`NOTHING_OPENED`).

        Raises:
            NotThereError: the address asks for one that was not opened.
        """
        periods = self.opened_periods(connection)
        return self._period(periods), periods

    def assessed_month(self, connection: Connection) -> tuple[Period | None, list[str]]:
        """The month that the address asks for, else the newest; and every assessed month, the newest first.

        None where there is no month at all (`NOTHING_ASSESSED`).

        Raises:
            NotThereError: the address asks for one that has not been assessed.
        """
        periods = self.assessed_periods(connection)
        return self._period(periods), periods

    def _period(self, periods: Sequence[str]) -> Period | None:
        asked = self.request.query_params.get("period")
        if not asked:
            return Period.parse(periods[0]) if periods else None
        if asked in periods:
            return Period.parse(asked)
        try:
            words = f"没有{Period.parse(asked).words}的数据。"
        except UsageError:
            words = "网址中的月份不对，应写作2019-06。"
        raise NotThereError(
            words, [Choice(Period.parse(each).words, self.here(period=each)) for each in periods[:MONTHS]]
        )

    def form(
        self,
        kind: ActionKind,
        subject: str,
        values: Mapping[str, str] | None = None,
        errors: Mapping[str, str] | None = None,
    ) -> FilledForm:
        """A form for this user, with what was entered and what is wrong with it."""
        return FilledForm(form_key(self.user, kind, subject), dict(values or {}), dict(errors or {}))

    def answer(
        self,
        template: str,
        *,
        page: str,
        title: str,
        tables: Sequence[Table] = (),
        period: Period | None = None,
        periods: Sequence[str] = (),
        errors: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """The page, or one of its tables as a file where the address asks for that (`download=name.csv`).

        Args:
            template: Of include/templates/web.
            page: The entry of the navigation that it belongs to.
            title: What it is called.
            tables: Those that can be saved; the template gets them by their names.
            period: The month that it shows.
            periods: Those that it can show, the newest first; without them it has no picker.
            errors: What is wrong with the form that the page answers; with any, its status is 422.
            values: What else the template asks for.

        Raises:
            NotThereError: the address asks for a file that there is not.
        """
        asked = self.request.query_params.get("download")
        if asked is not None:
            return self._file(asked, tables, title, period)
        return html(
            template,
            status.HTTP_422_UNPROCESSABLE_CONTENT if errors else status.HTTP_200_OK,
            desk=self,
            page=page,
            pages=PAGES,
            title=title,
            tables={table.name: table for table in tables},
            period=period,
            periods=periods,
            is_demo=self.settings.is_demo,
            done=self._outcome(),
            **values,
        )

    def act(
        self, key: str, action: Action, outcome: str, back: str, do: Callable[[Connection], object] | None = None
    ) -> Response:
        """Do what a form asks for, once; then the page where it was asked for, which says what came of it.

        Args:
            key: Of the form.
            action: What is done.
            outcome: What comes of it, in Chinese.
            back: The address of that page.
            do: Does it. What it does by the connection stands or falls with the record.

        Raises:
            FormError: the form is not one of ours, or too old.
        """
        require_key(key, self.user, action.kind, action.subject)
        try:
            with acting(self.engine, self.user, key, action, outcome) as claimed:
                if do is not None:
                    do(claimed.connection)
            number = claimed.action_number
        except ActedBeforeError as before:
            number = before.action_number
        page, _, place = back.partition("#")
        address = f"{page}{'&' if '?' in page else '?'}done={number}{'#' if place else ''}{place}"
        return RedirectResponse(address, status.HTTP_303_SEE_OTHER, headers=dict(SECURITY_HEADERS))

    def _outcome(self) -> str | None:
        number = self.request.query_params.get("done")
        if number is None:
            return None
        with self.connect() as connection:
            return read_outcome(connection, number)

    def download(self, content: bytes, name: str, media_type: str = SHEET, period: str | None = None) -> Response:
        """A file to be saved; who takes it is kept.

        Raises:
            FollowedFromElsewhereError: another site's page leads to it.
        """
        self.require_own_link()
        record_download(self.engine, self.user, name, period)
        return file_answer(content, name, media_type)

    def require_own_link(self) -> None:
        """Have nothing put on record in the name of whoever only follows another site's link.

        Raises:
            FollowedFromElsewhereError: so it is. An address that was typed or pasted is the person's own wish.
        """
        if self.request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            raise FollowedFromElsewhereError

    def _file(self, asked: str, tables: Sequence[Table], title: str, period: Period | None) -> Response:
        name, _, ending = asked.rpartition(".")
        table = next((each for each in tables if each.name == name), None)
        if table is None or ending not in ("csv", "xlsx"):
            raise NotThereError("本页没有这个文件。", [Choice("返回", self.here())])
        stem = "-".join(filter(None, (table.title, None if period is None else str(period))))
        month = None if period is None else str(period)
        content, media_type = table_as_file(table, ending, f"{title}：{table.title}")
        return self.download(content, f"{stem}.{ending}", media_type, month)


def open_desk(request: Request, user: User) -> Desk:
    """The desk of a request.

    Raises:
        SetupError: the installation is not usable.
        UnreachableError: nobody answers there.
    """
    installation = opened_installation()
    warm_up()
    return Desk(request, user, installation.engine, installation.settings)


def months_until(period: Period, months: int = MONTHS) -> dict[str, object]:
    """What a statement over months asks for: the month, and the first of so many that end with it."""
    return {"period": str(period), "first": str(period.back(months - 1))}


AtDesk = Annotated[Desk, Depends(open_desk)]
FormText = Annotated[str, FormField()]
"""A field of a form as it was entered."""
