"""Own statements of metrics: each is named by the catalogue, or it would silently not count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from five_precisions.errors import SetupError
from five_precisions.own_files import counting_files, own_folder
from five_precisions.reference.files import load_yaml
from five_precisions.settings import Settings

_FOLDERS: Final = ("sql/metrics/", "sql/evidence/", "sql/facts/")


def refuse_unnamed_statements(settings: Settings) -> None:
    """Refuse an own statement of a metric that the catalogue does not name.

    Raises:
        SetupError: there is one.
    """
    for sentence in unnamed_statements(settings):
        raise SetupError(sentence)


def unnamed_statements(settings: Settings) -> Iterator[str]:
    """The own statements that no metric names, a sentence each.

    Raises:
        SetupError: the catalogue cannot be read.
    """
    folder = settings.reference or own_folder()
    own = [] if folder is None else [each for each in counting_files(folder) if each.name.startswith(_FOLDERS)]
    if not own:
        return
    path = settings.reference_file("metrics.yaml")
    named = set(_texts(load_yaml(path, lambda content: content)))
    for each in own:
        name = each.name.removeprefix("sql/").removesuffix(".sql")
        if name not in named:
            yield f"{each.path} is the statement of no metric of {path}; name it there, or take it out."


def _texts(content: object) -> Iterator[str]:
    """Every text that stands in what a file says."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for name, value in content.items():
            yield str(name)
            yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)
