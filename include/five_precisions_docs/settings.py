"""docs/reference/settings.md: every name of the environment that an installation may set."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from five_precisions.period import Period
from five_precisions.settings import PREFIX, READ_FIRST, ROOT, Settings
from five_precisions_docs.page import code, page, table

_EXAMPLE: Final = ROOT / ".env.example"
_COMPOSE: Final = ROOT / "docker-compose.yaml"


def settings_page() -> str:
    """The page: what says where settings stand, the settings, and what docker-compose.yaml alone reads."""
    return page(
        "Settings",
        "`settings.py` and `.env.example`",
        "Read from the environment, then from the secrets file, then from the secrets folder; what comes first counts."
        " An empty value counts as unset. Of names that begin otherwise Airflow's own documentation tells.",
        table(["name", "means", "default"], [[code(PREFIX + name), means, ""] for name, means in READ_FIRST.items()]),
        "## Settings of the program",
        "A secret never shows in logs or tasks ([secrets.md](../secrets.md)).",
        table(
            ["name", "means", "default", "secret"],
            [_row(name, field) for name, field in Settings.model_fields.items()],
        ),
        "## Settings of docker-compose.yaml alone",
        "Beside those of the program, in the file `.env`.",
        table(
            ["name", "means", "default"],
            [[code(name), means, code(default)] for name, (means, default) in compose_settings().items()],
        ),
    )


def setting_names() -> list[str]:
    """Every name that the page must explain."""
    own = [_name(name, field) for name, field in Settings.model_fields.items()]
    return [*(PREFIX + name for name in READ_FIRST), *own, *compose_settings()]


def compose_settings() -> dict[str, tuple[str, str]]:
    """Meaning and default of what docker-compose.yaml reads and the program does not.

    Raises:
        LookupError: .env.example does not say what one means.
    """
    defaults = dict(re.findall(rf"\$\{{({PREFIX}\w+):-(\w+)\}}", _COMPOSE.read_text(encoding="utf-8")))
    own = {_name(name, field) for name, field in Settings.model_fields.items()}
    meanings = _meanings(_EXAMPLE)
    return {name: (meanings[name], default) for name, default in sorted(defaults.items()) if name not in own}


def _meanings(example: Path) -> dict[str, str]:
    """Name → the comment above it; without the default, which ends the sentence in parentheses."""
    meanings: dict[str, str] = {}
    comment: list[str] = []
    for line in example.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
            continue
        name, is_set, _ = line.partition("=")
        if is_set:
            meanings[name] = re.sub(r" \(\w+\)(?=[.,])", "", " ".join(comment))
        else:
            comment = []
    return meanings


def _name(name: str, field: FieldInfo) -> str:
    return str(field.validation_alias or PREFIX + name.upper())


def _row(name: str, field: FieldInfo) -> list[str]:
    if not field.description:
        raise LookupError(f"The setting {name} has no description below it in settings.py.")
    is_secret = SecretStr in getattr(field.annotation, "__args__", ())
    return [code(_name(name, field)), field.description, _default(field.default), "yes" if is_secret else ""]


def _default(value: object) -> str:
    match value:
        case None:
            return ""
        case Path():
            return code(str(value.relative_to(ROOT)))
        case bool():
            return code("1" if value else "0")
        case float():
            return code(f"{value:g}")
        case int() | str() | Period():
            return code(str(value))
    raise TypeError(f"A default of {type(value).__name__} has no words yet.")
