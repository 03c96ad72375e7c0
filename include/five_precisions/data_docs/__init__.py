"""Data Docs: which expectation held in which version of a month (docs/reports.md#rules)."""

from five_precisions.data_docs.months import build_data_docs

__all__ = ["build_data_docs"]
