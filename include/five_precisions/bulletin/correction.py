"""The correction 更正通报 of a bulletin whose figures were restated after it went out (docs/outputs.md#correction).

What was published is kept cell by cell with its approval; the correction names each figure that now reads otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from five_precisions.bulletin.compose import Approval
from five_precisions.bulletin.document import Bulletin, Cell, Figure, Paragraph, Section, Table, TableColumn
from five_precisions.bulletin.wording import day_name, month_name, quarter_name
from five_precisions.display import NOTHING, Form, shown
from five_precisions.period import SHANGHAI

Published = Mapping[str, Any]
"""A bulletin's tables as JSON keeps them: `tables`, each with `code`, `title`, `columns` and `rows` of texts."""


@dataclass(frozen=True, slots=True)
class Restated:
    """A month that was restated since the bulletin went out."""

    period: str
    reason: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A cell that reads otherwise than published."""

    table: str
    subject: str
    figure: str
    before: str
    after: str


def published_tables(bulletin: Bulletin) -> dict[str, Any]:
    """A bulletin's tables as they are kept with its approval."""
    return {"tables": [_as_published(table) for table in bulletin.tables]}


def find_changes(published: Published, bulletin: Bulletin) -> tuple[list[Change], list[str]]:
    """What reads otherwise now: figures by table, subject and column; and titles of lists that have other entries.

    A table whose subjects are not unique (one of cases, of reports) is a list: entries come and go, and are no figures
    with a value before and after.
    """
    before = {table["code"]: table for table in published["tables"]}
    changes: list[Change] = []
    lists: list[str] = []
    for now in map(_as_published, bulletin.tables):
        then = before.pop(now["code"], None)
        if then is not None and _has_subjects(then) and _has_subjects(now):
            changes += _differences(then, now)
        elif then is None or then["rows"] != now["rows"]:
            lists.append(now["title"])
    return changes, [*lists, *(table["title"] for table in before.values())]


def compose_correction(
    full: Bulletin,
    changes: Sequence[Change],
    lists: Sequence[str],
    restated: Sequence[Restated],
    *,
    number: int,
    issued_on: date,
    remark: str = "",
    approval: Approval | None = None,
) -> Bulletin:
    """The correction's document.

    Args:
        full: The bulletin as it is now; it goes with the correction.
        changes: What reads otherwise.
        lists: Titles of lists that have other entries.
        restated: Why.
        number: Which correction of this bulletin it is, from 1.
        issued_on: Its date.
        remark: What the leaders entered at approval.
        approval: Who approved it; None while it is shown.
    """
    name = quarter_name(full.quarter)
    suffix = f"更正{number}" if number > 1 else "更正"
    scores = [table for table in full.tables if table.code == "scores"]
    count = Figure(len(changes), Form.COUNT)
    paragraphs = [Paragraph(f"与原通报相比，共更正{count}项数字，见下表。", (count,))] if changes else []
    if lists:
        names = "、".join(f"《{title}》" for title in lists)
        paragraphs.append(Paragraph(f"{names}的内容有增减，以所附更正后的全文为准。", (), (names,)))
    sections = [
        Section("一、更正事由", tuple(_reasons(restated, full.number))),
        Section("二、更正内容", (*paragraphs, *([_table(changes)] if changes else []))),
    ]
    if scores:
        sections.append(Section("三、更正后的考核排名", (*scores,)))
    wishes = [line.strip() for line in remark.splitlines() if line.strip()]
    sections.append(
        Section(
            f"{'四' if scores else '三'}、有关要求",
            (
                Paragraph("请各单位以本通报和所附更正后的全文为准，原通报中与此不一致的内容不再使用。"),
                *(Paragraph(line, (), (line,)) for line in wishes),
            ),
        )
    )
    return replace(
        full,
        number=f"{full.number}（{suffix}）",
        title=f"关于更正{name}金融精准扶贫工作情况通报的通报",
        introduction=Paragraph(f"现对{name}金融精准扶贫工作情况的通报（{full.number}）更正如下。", (), (full.number,)),
        sections=tuple(sections),
        appendices=(),
        issued_on=issued_on,
        footnotes=full.footnotes if approval is None else (*full.footnotes, str(approval)),
    )


def _reasons(restated: Sequence[Restated], number: str) -> Iterator[Paragraph]:
    for each in restated:
        day = day_name(each.decided_at.astimezone(SHANGHAI).date())
        reason = each.reason.strip().rstrip("。")
        yield Paragraph(f"{month_name(each.period)}数据于{day}重述，原因：{reason}。", (), (day, reason))
    if not restated:
        yield Paragraph(f"{number}印发后，所依据的数据经过重新计算。", (), (number,))


def _table(changes: Sequence[Change]) -> Table:
    return Table(
        code="changes",
        title="更正前后对照",
        unit="",
        columns=tuple(map(TableColumn, ("统计表", "对象", "项目", "更正前", "更正后"))),
        rows=tuple((each.table, each.subject, each.figure, each.before, each.after) for each in changes),
    )


def _as_published(table: Table) -> dict[str, Any]:
    key = next((place for place, column in enumerate(table.columns) if column.form is Form.TEXT), 0)
    return {
        "code": table.code,
        "title": table.title,
        "key": key,
        "columns": [f"{column.group}：{column.header}" if column.group else column.header for column in table.columns],
        "rows": [[_text(cell) for cell in row] for row in table.rows],
    }


def _text(cell: Cell) -> str:
    """A cell without the mark of restatement: that a figure was restated is no other figure."""
    return shown(cell.value, cell.form) if isinstance(cell, Figure) else shown(cell)


def _has_subjects(table: Mapping[str, Any]) -> bool:
    subjects = Counter(row[table["key"]] for row in table["rows"])
    return all(count == 1 for count in subjects.values())


def _differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    rows_then, rows_now = (
        {row[table["key"]]: dict(zip(table["columns"], row, strict=True)) for row in table["rows"]}
        for table in (then, now)
    )
    subjects = [*rows_now, *(subject for subject in rows_then if subject not in rows_now)]
    columns = [*now["columns"], *(column for column in then["columns"] if column not in now["columns"])]
    for subject in subjects:
        before, after = rows_then.get(subject, {}), rows_now.get(subject, {})
        for column in columns:
            texts = before.get(column, NOTHING), after.get(column, NOTHING)
            if texts[0] != texts[1]:
                yield Change(now["title"], subject, column, *texts)
