"""The empty workbook that an institution fills in (docs/intake.md#self-check)."""
