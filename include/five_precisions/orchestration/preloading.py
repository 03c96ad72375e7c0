"""What every process that Airflow forks would load anew, loaded once beforehand (docs/decisions/airflow.md).

`config/airflow_local_settings.py` calls it. Nothing here opens a connection or starts a thread: none survives a fork.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
from typing import Final

from five_precisions import orchestration
from five_precisions.errors import FivePrecisionsError
from five_precisions.intake import validate_reference
from five_precisions.intake.rehearsal import rehearse
from five_precisions.settings import Settings
from five_precisions.templates import compile_templates

logger = logging.getLogger(__name__)

_OF_EACH_TASK: Final = (
    "airflow.sdk.definitions.decorators",
    "chinese_calendar",
    "cryptography.hazmat.primitives.ciphers.aead",
    "five_precisions.delivery.transport",
    "great_expectations",
    "jinja2.ext",
    "python_calamine",
    "xlsxwriter",
)
"""What DAG files, Airflow and our functions import when they need it. Charts are not drawn here: that engine starts
threads."""


def load_for_dag_files() -> None:
    """Load what DAG files import: each process that parses one, or runs a callback of one, has it then."""
    for module in pkgutil.iter_modules(orchestration.__path__, f"{orchestration.__name__}."):
        importlib.import_module(module.name)


def load_for_tasks() -> None:
    """Load what DAG files and tasks import and what tasks make first of all: it takes each of them half a second.

    What the settings say wrong is no reason to start no scheduler: each task says it.
    """
    from five_precisions.delivery.folded_mail import use_folded_mail

    load_for_dag_files()
    # It says hundreds of lines while it is imported.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    for name in _OF_EACH_TASK:
        importlib.import_module(name)
    use_folded_mail()
    try:
        compile_templates("mail")
        settings = Settings.load()
        validate_reference(settings)
        rehearse(settings)
    except (FivePrecisionsError, OSError) as error:
        logger.warning("Tasks will load the reference files themselves: %s", error)
