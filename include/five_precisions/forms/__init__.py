"""The empty workbook that an institution fills in (docs/intake.md#the-package)."""

from five_precisions.forms.template import write_template

__all__ = ["write_template"]
