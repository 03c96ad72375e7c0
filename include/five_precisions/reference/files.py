"""Reading the reference files that say how figures are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from five_precisions.errors import SetupError
from five_precisions.settings import Settings

Content = TypeVar("Content")


def load_reference(settings: Settings, name: str, validate: Callable[[Any], Content]) -> Content:
    """A YAML reference file, validated.

    Raises:
        SetupError: the file is missing, is no YAML, or does not say what it should; the sentence names the place.
    """
    path = settings.reference_file(name)
    try:
        return validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise SetupError(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SetupError(f"{path} is wrong at {place or 'the top'}: {first['msg']}.") from error
    except (TypeError, AttributeError) as error:
        raise SetupError(f"{path} is not laid out as it should be: {error}") from error
