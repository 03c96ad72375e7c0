"""Runs statements in DuckDB on Parquet: a script for the peers' environment, started by benchmarks/large_area.py.

Its only argument is a folder. There `tables.json` has the columns of each relation, whose rows lie beside it as CSV.
`statements.json` has the statements by name. What each took, or why it does not run there, is written to `found.json`.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from pathlib import Path
from typing import Any

import duckdb  # type: ignore[import-not-found]

_MACROS = (
    "trim_scale(number) as number",
    "to_char(anything, form) as cast(anything as varchar)",
    "to_jsonb(anything) as to_json(anything)",
    "to_date(month, form) as cast(substr(month, 1, 7) || '-01' as date)",
    "convert_to(letters, encoding) as letters",
)
"""Functions that it has under another name, or none of: what they cost is small beside the joins."""
_INSERT = re.compile(r"\binsert\s+into\s+[\w.]+\s*(\([^()]*\)\s*(?=select|with))?", re.IGNORECASE)


def main(folder: Path) -> None:
    """Make the Parquet files and run what can be run."""
    database = duckdb.connect()
    database.execute("set timezone = 'Asia/Shanghai'")
    for macro in _MACROS:
        database.execute(f"create macro {macro}")
    for name, columns in json.loads((folder / "tables.json").read_text(encoding="utf-8")).items():
        try:
            _lay_out(database, folder, name, columns)
        except duckdb.Error as error:
            # What reads it says so then; the others have their peer.
            print(f"DuckDB does not read {name}: {str(error).splitlines()[0]}")
    statements = json.loads((folder / "statements.json").read_text(encoding="utf-8"))
    found = {name: _run(database, text) for name, text in statements.items()}
    (folder / "found.json").write_text(json.dumps(found), encoding="utf-8")


def _lay_out(database: Any, folder: Path, name: str, columns: dict[str, str]) -> None:
    schema, _, _ = name.rpartition(".")
    if schema:
        database.execute(f"create schema if not exists {schema}")
    parquet = folder / f"{name}.parquet"
    types = ", ".join(f"'{column}': '{kind}'" for column, kind in columns.items())
    database.execute(
        f"copy (select * from read_csv('{folder / name}.csv', header = true, columns = {{{types}}}, quote = '\"', "
        f"escape = '\"', nullstr = '\\N', allow_quoted_nulls = false)) to '{parquet}' (format parquet)"
    )
    database.execute(f"create view {name} as select * from '{parquet}'")


def _run(database: Any, text: str) -> dict[str, Any]:
    query = _INSERT.sub("", text, count=1)
    used, begin = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    try:
        rows = database.execute(f"create or replace temporary table result as {query}").fetchone()
    except duckdb.Error as error:
        return {"reason": str(error).strip().splitlines()[0]}
    now = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "cpu": now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime,
        "seconds": time.perf_counter() - begin,
        "rows": rows[0] if rows else None,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
