"""The empty workbook that an institution fills in (docs/intake.md#self-check)."""

from five_precisions.forms.template import write_template

__all__ = ["write_template"]
