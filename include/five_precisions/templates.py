"""Templates of mails and pages: Jinja2, escaped throughout (include/templates)."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from five_precisions.display import Form, shown
from five_precisions.period import SHANGHAI
from five_precisions.settings import INCLUDE

TEMPLATE_FOLDER = INCLUDE / "templates"


@cache
def environment() -> Environment:
    """The one environment. A name that a template asks for and does not get is an error, not an empty place."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATE_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    made.filters["shown"] = lambda value, form="amount": shown(value, Form(form))
    made.filters["moment"] = moment_words
    return made


def render(name: str, **values: Any) -> str:
    """A template of include/templates, e.g. `mail/receipt.html`, filled in."""
    return environment().get_template(name).render(**values)


def compile_templates(folder: str) -> None:
    """Compile the templates of a folder of include/templates, for all that this process and those it forks render."""
    for name in environment().list_templates(filter_func=lambda each: each.startswith(f"{folder}/")):
        environment().get_template(name)


def moment_words(value: datetime) -> str:
    """A point in time as people in Shanghai write it: 2019年7月10日 16:05."""
    local = value.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"
