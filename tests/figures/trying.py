"""What the tests of the trial share: schemes to try, trials beside what runs have stored, and everything at rest."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from psycopg import sql
from sqlalchemy import Engine, text

from five_precisions.figures import JudgedIndicator, Scheme, Standing, Trial
from five_precisions.period import Period

Results = tuple[dict[str, Standing], dict[tuple[str, str], JudgedIndicator], dict[int, bool]]
"""How the banks stand, what they get in each indicator, and which rounds of visits are reached."""


def stored_results(engine: Engine, period: Period) -> Results:
    """What the current run of the month says."""
    with engine.connect() as connection:

        def read(query: str) -> list[Any]:
            return list(connection.execute(text(query + " where period = :period"), {"period": str(period)}))

        banks = read("select institution_code, score, deductions, grade, rank from mart.current_assessment")
        items = read("select institution_code, indicator, weight, raw, points from mart.current_assessment_item")
        rounds = read("select round, reached from mart.current_visit_round")
    return (
        {code: Standing(*standing) for code, *standing in banks},
        {(code, indicator): JudgedIndicator(*judged) for code, indicator, *judged in items},
        {row.round: row.reached for row in rounds},
    )


def results_before(trial: Trial) -> Results:
    """What the trial says of the run that stands."""
    return (
        {bank.code: bank.before for bank in trial.banks},
        {(bank.code, each.indicator): each.before for bank in trial.banks for each in bank.indicators},
        {each.round: each.reached_before for each in trial.visit_rounds},
    )


def results_after(trial: Trial) -> Results:
    """What the trial says that would be."""
    return (
        {bank.code: bank.after for bank in trial.banks},
        {(bank.code, each.indicator): each.after for bank in trial.banks for each in bank.indicators},
        {each.round: each.reached_after for each in trial.visit_rounds},
    )


def in_digits(results: Results) -> str:
    """To the digit: decimals are equal also where one has zeros at the end that the other lacks."""
    standings, judged, rounds = results
    return "\n".join(
        [
            *(f"{code} {standings[code]}" for code in sorted(standings)),
            *(f"{code} {indicator} {judged[code, indicator]}" for code, indicator in sorted(judged)),
            *(f"{number} {reached}" for number, reached in sorted(rounds.items())),
        ]
    )


def write_scheme(folder: Path, scheme: Scheme) -> None:
    """Lay the scheme into a folder of reference files, as the only version."""
    content = {"versions": [_plain(scheme.model_dump(by_alias=True)) | {"from": str(scheme.valid_from)}]}
    (folder / "scheme.yaml").write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _plain(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _plain(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    if isinstance(content, Decimal):
        return int(content) if content == int(content) else float(content)
    return str(content)


def everything(engine: Engine) -> dict[str, bytes]:
    """Every table of every schema of the database as COPY writes it, sequences and names of relations included."""
    found: dict[str, bytes] = {}
    with engine.connect() as connection:
        tables = connection.execute(
            text(
                "select schemaname, tablename from pg_tables "
                "where schemaname not in ('pg_catalog', 'information_schema') order by 1, 2"
            )
        ).all()
        queries = {
            f"{schema}.{table}": sql.SQL("select * from {}").format(sql.Identifier(schema, table))
            for schema, table in tables
        }
        queries["relations"] = sql.SQL("select oid, relnamespace, relname from pg_class order by oid")
        queries["sequences"] = sql.SQL("select * from pg_sequences order by schemaname, sequencename")
        driver: Any = connection.connection.driver_connection
        for name, query in queries.items():
            with driver.cursor().copy(sql.SQL("copy ({}) to stdout").format(query)) as rows:
                found[name] = b"".join(bytes(row) for row in rows)
    return found
