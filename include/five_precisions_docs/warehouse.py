"""docs/reference/warehouse.md: every table, view and column of a migrated warehouse, by its comment."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text

from five_precisions.reference.sql_files import read_sql
from five_precisions_docs.page import code, page, table

_READ_COLUMNS: Final = text(read_sql(Path(__file__).parent / "sql" / "columns.sql"))


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    type: str
    is_required: bool
    holds: str

    def looks_like(self, other: _Column) -> bool:
        """Whether both hold the same; a view does not say what is required."""
        return (self.name, self.type, self.holds) == (other.name, other.type, other.holds)


@dataclass(frozen=True, slots=True)
class _Relation:
    name: str
    is_view: bool
    meaning: str
    columns: tuple[_Column, ...]

    def described(self) -> str:
        """Its columns as a table; a view does not say which of them may be null."""
        if self.is_view:
            return table(
                ["column", "type", "holds"], [[code(each.name), each.type, each.holds] for each in self.columns]
            )
        return table(
            ["column", "type", "may be null", "holds"],
            [[code(each.name), each.type, "" if each.is_required else "yes", each.holds] for each in self.columns],
        )

    def shows(self, other: _Relation) -> bool:
        """Whether it is a view with just the other one's columns."""
        return (
            self.is_view
            and not other.is_view
            and len(self.columns) == len(other.columns)
            and all(map(_Column.looks_like, self.columns, other.columns))
        )


def warehouse_page(connection: Connection) -> str:
    """The page: a heading for each schema and table; of a view that shows a table, the name of that table.

    Raises:
        LookupError: a table, view or column bears no comment.
    """
    found = connection.execute(_READ_COLUMNS).all()
    for row in found:
        if not row.meaning or not row.holds:
            raise LookupError(f"{row.schema}.{row.relation} or its column {row.name} bears no comment.")
    relations = [
        _Relation(
            name=f"{schema}.{relation}",
            is_view=is_view,
            meaning=meaning,
            columns=tuple(_Column(row.name, row.type, row.is_required, row.holds) for row in rows),
        )
        for (schema, relation, is_view, meaning), rows in groupby(
            found, lambda row: (row.schema, row.relation, row.is_view, row.meaning)
        )
    ]
    blocks: list[str] = []
    for schema, own in groupby(relations, lambda relation: relation.name.partition(".")[0]):
        blocks.append(f"## {schema}")
        for relation in own:
            shown = next((other for other in relations if relation.shows(other)), None)
            kind = "View" if relation.is_view else "Table"
            blocks += [
                f"### {relation.name}",
                f"{kind}: {relation.meaning}.",
                f"Columns as of {code(shown.name)}." if shown else relation.described(),
            ]
    return page(
        "Warehouse",
        "the comments on a migrated database",
        "What the schemas are for: [outputs.md](../outputs.md#warehouse). Names: [field.md](../field.md#words).",
        *blocks,
    )
