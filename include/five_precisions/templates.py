"""Templates of mails and pages: Jinja2, escaped throughout (include/templates, or what replaces a file of it)."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.loaders import split_template_path

from five_precisions.display import Form, shown
from five_precisions.errors import SetupError
from five_precisions.own_files import all_files_of, edition_of, found, own_folder
from five_precisions.period import SHANGHAI
from five_precisions.settings import INCLUDE

TEMPLATE_FOLDER = INCLUDE / "templates"


class TemplateLoader(BaseLoader):
    """The templates of include/templates, and the installation's own in the place of some of them.

    A process that lives long reads a file anew once another one has its place, or it says something else.
    """

    def get_source(
        self,
        environment: Environment,  # noqa: ARG002 - Jinja hands it over
        template: str,
    ) -> tuple[str, str, Callable[[], bool]]:
        """What a template says, its file, and whether that is still so.

        Raises:
            TemplateNotFound: there is none of that name.
            SetupError: its file cannot be read.
        """
        shipped = TEMPLATE_FOLDER.joinpath(*split_template_path(template))
        path = found(shipped)
        edition = edition_of(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            if path == shipped:
                raise TemplateNotFound(template) from None
            raise SetupError(f"{path} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise SetupError(f"{path} is not UTF-8; save it as UTF-8.") from None
        return text, str(path), lambda: found(shipped) == path and edition_of(path) == edition

    def list_templates(self) -> list[str]:
        """The names of all templates."""
        return sorted(name for name, path in all_files_of(TEMPLATE_FOLDER, "").items() if path.is_file())


@cache
def environment() -> Environment:
    """The one environment. A name that a template asks for and does not get is an error, not an empty place."""
    made = Environment(
        loader=TemplateLoader(),
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
    """A template of include/templates, e.g. `mail/receipt.html`, filled in.

    Raises:
        SetupError: the installation's own template, in its place, cannot be filled in.
    """
    with own_template_errors():
        return environment().get_template(name).render(**values)


def compile_templates(folder: str) -> None:
    """Compile the templates of a folder of include/templates, for all that this process and those it forks render.

    Raises:
        SetupError: the installation's own template, in the place of one, is wrong.
    """
    for name in environment().list_templates(filter_func=lambda each: each.startswith(f"{folder}/")):
        with own_template_errors():
            environment().get_template(name)


def template_faults(made: Environment, folder: str) -> Iterator[str]:
    """What is wrong with the installation's own templates of a folder, a sentence each, as far as reading them shows.

    Args:
        made: The environment that fills them in.
        folder: Of include/templates.
    """
    for name in made.list_templates(filter_func=lambda each: each.startswith(f"{folder}/") and "." in each):
        if name.endswith(".typ"):
            continue
        try:
            with own_template_errors():
                made.get_template(name)
        except SetupError as error:
            yield str(error)


@contextmanager
def own_template_errors() -> Iterator[None]:
    """Say what is wrong with a template that the installation has written; an error of ours stays what it is.

    Raises:
        SetupError: an own template is wrong, or asks for what it does not get; the sentence names file and line.
    """
    try:
        yield
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        place = _place_in_own(error)
        if place is None:
            raise
        path, line = place
        reason = " ".join(str(error.message if isinstance(error, TemplateError) else error).split()).rstrip(".")
        raise SetupError(f"{path} cannot be used, line {line}: {reason}.") from error


def _place_in_own(error: Exception) -> tuple[str, int] | None:
    """The own template in which the error has come up, and the line of it."""
    folder = own_folder()
    if folder is None:
        return None
    if isinstance(error, TemplateSyntaxError) and error.filename and folder in Path(error.filename).parents:
        return error.filename, error.lineno
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return next(((each.filename, each.lineno or 0) for each in frames if folder in Path(each.filename).parents), None)


def moment_words(value: datetime) -> str:
    """A point in time as people in Shanghai write it: 2019年7月10日 16:05."""
    local = value.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"
