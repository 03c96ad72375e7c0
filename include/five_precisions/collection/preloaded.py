"""Imported by the process from which those of `collection.processes` are forked: each of them has loaded it all then.

Nothing here opens a connection or starts a thread: none survives a fork.
"""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Final

from five_precisions.collection import deliveries  # noqa: F401 - what they work with
from five_precisions.errors import FivePrecisionsError
from five_precisions.intake.rehearsal import rehearse
from five_precisions.intake.rules.library import batch_definition
from five_precisions.intake.rules.suites import load_suite
from five_precisions.reports import load_reports
from five_precisions.settings import Settings
from five_precisions.templates import compile_templates

_OF_EACH_PACKAGE: Final = ("cryptography.hazmat.primitives.ciphers.aead", "python_calamine", "xlsxwriter")
"""What the functions that need it import."""

for _name in _OF_EACH_PACKAGE:
    importlib.import_module(_name)
batch_definition()
# What the settings and the installation's own files say wrong whoever has asked for the processes finds, too.
with suppress(FivePrecisionsError, OSError):
    compile_templates("mail")
    for _report in load_reports().values():
        load_suite(_report)
    rehearse(Settings.load())
