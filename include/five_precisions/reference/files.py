"""Reading the reference files that say how figures are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from five_precisions.errors import SetupError
from five_precisions.settings import Settings

Content = TypeVar("Content")


class _OnceLoader(yaml.CSafeLoader):
    """A loader that refuses a key that stands twice: of two entries the file would silently hold only the second.

    It is libyaml's: in Python alone, the catalogue took longer to read than a small month to compute.
    """


def _construct_mapping(loader: _OnceLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            line = key_node.start_mark.line + 1
            raise yaml.constructor.ConstructorError(problem=f"{key} stands there twice, again in line {line}")
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_OnceLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def load_reference(settings: Settings, name: str, validate: Callable[[Any], Content]) -> Content:
    """A YAML reference file, validated.

    Raises:
        SetupError: the file is missing, is no YAML, or does not say what it should; the sentence names the place.
    """
    path = settings.reference_file(name)
    try:
        # The loader is a safe one, which the linter cannot see.
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_OnceLoader)  # noqa: S506
        if not isinstance(content, dict):
            raise SetupError(f"{path} holds no names with values; compare it with the one in include/reference.")
        return validate(content)
    except yaml.MarkedYAMLError as error:
        place = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SetupError(f"{path} cannot be read: {error.problem}{place}.") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SetupError(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ").removesuffix(".")
        raise SetupError(f"{path} is wrong at {place or 'the top'}: {reason}.") from error
    except (TypeError, AttributeError) as error:
        raise SetupError(f"{path} is not laid out as it should be: {error}") from error
