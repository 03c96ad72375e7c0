"""Data Docs: which expectation held in which version of a month (docs/desk.md#pages)."""

from five_precisions.data_docs.months import build_data_docs, read_page

__all__ = ["build_data_docs", "read_page"]
