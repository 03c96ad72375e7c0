"""The page of a restatement: every figure that it changed, with its proofs before and after (docs/desk.md#pages)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Response
from sqlalchemy import Row, text

from five_precisions.display import Form, form_of
from five_precisions.figures.restated_words import RESTATED_TABLE_WORDS, restated_figure_words
from five_precisions.period import Period
from five_precisions.reference import Metric, Scope, load_catalogue
from five_precisions.register.decision import storable
from five_precisions.warehouse import load_statement
from five_precisions.web.access import ASSESSMENT, sees_runs
from five_precisions.web.assessed import proof_href
from five_precisions.web.desk import AtDesk, Desk
from five_precisions.web.figure_words import LEFT_OUT_WORDS, SCOPE_WORDS, change_of, shown_figure, value_cell
from five_precisions.web.page import Choice, NotThereError
from five_precisions.web.ranking import board_names
from five_precisions.web.tables import Cell, Column, Table

MOST_FIGURES: Final = 300
"""Of a table on the page; its files hold all."""
_RESTATEMENT = text("""
select restatement.run_id, restatement.replaced_run_id, restatement.reason, restatement.decided_by, run.period,
    run.closed_at
from mart.restatement inner join mart.run on restatement.run_id = run.run_id
where restatement.run_id = :run_id
""")
_NEWEST = text("""
select restatement.run_id
from mart.restatement inner join mart.run on restatement.run_id = run.run_id
order by run.closed_at desc limit 12
""")

router = APIRouter(prefix="/figures/restated", dependencies=[sees_runs(ASSESSMENT)])
"""Goes before the router of figures, to which `restated` would be a metric."""


@router.get("")
def show_restatement(desk: AtDesk, run: str = "") -> Response:
    """What a restatement changed."""
    with desk.connect() as connection:
        asked = {"run_id": storable(run)}
        found = connection.execute(_RESTATEMENT, asked).first()
        if found is None:
            there = connection.execute(_NEWEST).scalars()
            choices = [Choice(each, desk.here(run=each)) for each in there]
            raise NotThereError("没有这次数据重述。", [*choices, Choice("看通报", desk.href("bulletins"))])
        metrics = connection.execute(load_statement("web/restated_metrics"), asked).all()
        results = connection.execute(load_statement("web/restated_results"), asked).all()
    # A file holds all that the page cuts off.
    most = None if "download" in desk.request.query_params else MOST_FIGURES
    period = Period.parse(found.period)
    return desk.answer(
        "restated.html",
        page="figures",
        title=f"{period.words}数据重述",
        tables=[_metrics_table(desk, found, metrics[:most]), _results_table(desk, results[:most])],
        period=period,
        restatement=found,
        note=LEFT_OUT_WORDS if any(row.scope == Scope.TOWN for row in metrics) else "",
        most=MOST_FIGURES,
        cut_metrics=len(metrics) > MOST_FIGURES,
        cut_results=len(results) > MOST_FIGURES,
    )


def _metrics_table(desk: Desk, restatement: Row[Any], rows: Sequence[Row[Any]]) -> Table:
    catalogue = load_catalogue(desk.settings).metrics
    return Table(
        name="metrics",
        title="变化的指标",
        columns=[
            Column("metric", "指标"),
            Column("scope", "层级"),
            Column("subject", "对象"),
            Column("before", "重述前", Form.AMOUNT),
            Column("after", "重述后", Form.AMOUNT),
            Column("change", "相差", Form.AMOUNT),
            Column("unit", "单位"),
        ],
        rows=[_metric_cells(desk, restatement, row, catalogue) for row in rows],
        empty="没有指标变化。",
    )


def _metric_cells(desk: Desk, restatement: Row[Any], row: Row[Any], catalogue: Mapping[str, Metric]) -> list[Cell]:
    scope = Scope(row.scope)
    metric = catalogue.get(row.metric)
    if metric is None:
        # It is in the catalogue no more, so nobody knows what its value counts.
        gone = Cell(value=f"{row.metric}（指标目录里已没有）", is_head=True)
        return [gone, Cell(value=SCOPE_WORDS[scope]), Cell(value=row.subject), *(Cell(value=None) for _ in range(4))]

    def proof(run_id: str) -> str:
        return proof_href(desk, row.metric, scope, row.scope_code, restatement.period, run_id)

    before = shown_figure(metric, scope, row.value_before, row.numerator_before, row.denominator_before)
    after = shown_figure(metric, scope, row.value, row.numerator, row.denominator)
    return [
        Cell(value=metric.name, is_head=True, href=desk.href(f"figures/{row.metric}", period=restatement.period)),
        *(Cell(value=SCOPE_WORDS[scope]), Cell(value=row.subject)),
        value_cell(metric, before.value, proof(restatement.replaced_run_id)),
        value_cell(metric, after.value, proof(restatement.run_id)),
        Cell(value=change_of(after, before), form=form_of(metric.unit)),
        Cell(value=metric.unit),
    ]


def _results_table(desk: Desk, rows: Sequence[Row[Any]]) -> Table:
    boards = board_names(desk)
    return Table(
        name="results",
        title="其他变化",
        columns=[
            Column("table", "结果"),
            Column("subject", "对象"),
            Column("figure", "项目"),
            Column("before", "重述前"),
            Column("after", "重述后"),
        ],
        rows=[
            (
                Cell(value=RESTATED_TABLE_WORDS.get(row.mart, row.mart), is_head=True),
                *(row.subject, restated_figure_words(row.mart, row.figure, boards), row.before, row.after),
            )
            for row in rows
        ],
        empty="没有其他变化。",
    )
