"""The empty workbook that an institution fills in (spec/03, Self-check)."""
