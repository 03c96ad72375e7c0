"""The eleven reports as data (docs/reports.md): declaration, rules across them, cells, masking of sensitive values."""

from five_precisions.reports.declaration import (
    Column,
    ColumnType,
    DatedHeader,
    Report,
    ReportKind,
    Sensitivity,
    load_forms,
    load_reports,
)

__all__ = ["Column", "ColumnType", "DatedHeader", "Report", "ReportKind", "Sensitivity", "load_forms", "load_reports"]
