"""The warehouse: PostgreSQL, embedded or a server (design: one dialect)."""

from five_precisions.warehouse.clock import read_clock
from five_precisions.warehouse.connection import open_warehouse, transaction
from five_precisions.warehouse.schema import create_period_partitions, migrate
from five_precisions.warehouse.statements import load_statement

__all__ = [
    "create_period_partitions",
    "load_statement",
    "migrate",
    "open_warehouse",
    "read_clock",
    "transaction",
]
