"""Great Expectations as checks and Data Docs use it: imported late, quiet, with one context a process."""

from __future__ import annotations

import logging
import os
import warnings
from functools import cache
from typing import Any


@cache
def great_expectations_library() -> Any:
    """The library, imported by who checks and by nobody else: it takes seconds."""
    # Neither usage statistics nor hundreds of log lines nor warnings of its imports belong into a check.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    library_logger = logging.getLogger("great_expectations")
    library_logger.addHandler(logging.NullHandler())
    library_logger.propagate = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations
    return great_expectations


@cache
def great_expectations_context() -> Any:
    """The one ephemeral context of the process, without progress bars; much of the library asks for the active one."""
    gx = great_expectations_library()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from great_expectations.data_context.types.base import ProgressBarsConfig

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        return context


@cache
def batch_definition() -> Any:
    """Of the one asset of the process, whose batches are whole data frames."""
    context = great_expectations_context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = context.data_sources.add_pandas("delivery")
        return source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("whole")
