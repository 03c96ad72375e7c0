"""Whole mails, as their readers get them: what a plain mail client needs of each, and what of it is kept in files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from apprise.common import NotifyFormat
from apprise.conversion import convert_between
from jinja2 import Environment, meta

from five_precisions.templates import TEMPLATE_FOLDER, environment
from tests.stored import assert_as_stored

LARGEST: Final = 100_000
"""Bytes; mail clients cut off what is longer."""
_WHITE, _NEARLY_BLACK, _BLACK = (255, 255, 255), (0x12, 0x12, 0x12), (0, 0, 0)
_GROUNDS: Final = {"light": (_WHITE, _BLACK), "dark": (_NEARLY_BLACK, _WHITE)}
"""What a client's own ground and text are: in light and in dark mode."""
_VOID: Final = {"meta", "br", "hr", "img", "link", "input", "col"}
_REMOTE = re.compile(r"\ssrc\s*=|\sbackground\s*=|url\(|@import|href\s*=\s*[\"']?\s*(?:https?:)?//", re.IGNORECASE)
_HIDDEN = re.compile(r"display:\s*none")

Colour = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail of a fixed sample."""

    subject: str
    html: str
    templates: frozenset[str]
    """The templates that the sample was rendered from, those apart that only serve others."""

    @property
    def text(self) -> str:
        """The text part that Apprise makes of it."""
        return convert_between(NotifyFormat.HTML, NotifyFormat.TEXT, self.html)


def mail_templates() -> set[str]:
    """The templates that are mails of their own: no other one extends, includes or imports them."""
    sources = {f"mail/{path.name}": path.read_text(encoding="utf-8") for path in (TEMPLATE_FOLDER / "mail").iterdir()}
    served = {
        name for source in sources.values() for name in meta.find_referenced_templates(environment().parse(source))
    }
    return {name.removeprefix("mail/") for name in sources if name not in served}


@contextmanager
def rendered_from() -> Iterator[set[str]]:
    """The mails' templates that are asked for within."""
    used: set[str] = set()
    get_template = Environment.get_template

    def note(self: Environment, name: str, *rest: Any, **more: Any) -> Any:
        used.add(name.removeprefix("mail/"))
        return get_template(self, name, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Environment, "get_template", note)
        yield used
    used &= mail_templates()


def assert_mail_as_stored(folder: Path, name: str, mail: Mail) -> None:
    """Hold subject and text part, and the HTML, against the files that keep them."""
    assert_as_stored(folder / f"{name}.txt", _tidy(f"主题：{mail.subject}\n\n{mail.text}"))
    # Rows of tables follow one another without a break; in the file each has a line of its own.
    assert_as_stored(folder / f"{name}.html", _tidy(re.sub(r"(?<=>)(?=<tr)", "\n", mail.html)))


def _tidy(words: str) -> str:
    """Without the spaces at the ends of lines, which nobody sees and editors take away."""
    return "\n".join(line.rstrip() for line in words.strip().splitlines()) + "\n"


def assert_made_for_plain_clients(mail: Mail) -> None:
    """Small, its styles in place, nothing that runs or is fetched, legible in light and dark mode."""
    assert 1_000 < len(mail.html.encode()) < LARGEST
    for forbidden in ("<script", "<style", " class=", "<link", "<img", "<svg", "<form", "<iframe"):
        assert forbidden not in mail.html.lower()
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", mail.html)
    assert _REMOTE.search(mail.html) is None
    assert illegible(mail.html) == []


def assert_reads_as_text(mail: Mail) -> None:
    """The text part holds what the mail says, and nothing of how it is set."""
    assert not re.search(r"</?[a-zA-Z][^>]*>", mail.text)
    assert not re.search(r"&(#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+);", mail.text)
    lines = [line.strip() for line in mail.text.splitlines()]
    assert len([line for line in lines if line]) > 5
    # A sentence a mail says twice, once for those who see it and once for those who do not, is a fault of the macros.
    assert not [line for line, following in pairwise(lines) if line and line == following]
    assert not [line for line in lines if line and not line.strip("| ")]


# Legible


def illegible(html: str) -> list[str]:
    """Texts that stand out too little from what is behind them, in light or dark mode, with the ratio found.

    On a ground that the mail sets itself 4.5 is asked for (WCAG 2.2, 1.4.3). On the client's own ground a colour has to
    be read on white and on nearly black. No colour reaches more than 4.3 on both: 3 is asked for there.
    """
    reader = _Reader()
    reader.feed(html)
    assert reader.seen, "there is no text at all"
    return reader.faint


def contrast(one: Colour, other: Colour) -> float:
    """The ratio of two colours' luminance, from 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    linear = [part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _parsed(colour: str) -> Colour:
    found = re.fullmatch(r"#([0-9a-f]{6})", colour.strip().lower())
    assert found, f"{colour} is not written as #rrggbb, which every client understands"
    return tuple(bytes.fromhex(found[1]))


@dataclass(frozen=True, slots=True)
class _Look:
    """How text is set inside an element."""

    tag: str = ""
    colour: Colour | None = None
    ground: Colour | None = None
    opacity: float = 1
    is_hidden: bool = False


class _Reader(HTMLParser):
    """Goes through the texts of a mail as they are seen."""

    def __init__(self) -> None:
        super().__init__()
        self.open = [_Look()]
        self.faint: list[str] = []
        self.seen = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        values = dict(attributes)
        style = dict(
            (part.strip() for part in declaration.split(":", 1))
            for declaration in (values.get("style") or "").split(";")
            if ":" in declaration
        )
        assert not {"color", "bgcolor"} & set(values), "colours stand in the style"
        outer = self.open[-1]
        ground = style.get("background-color", style.get("background"))
        self.open.append(
            _Look(
                tag,
                _parsed(style["color"]) if "color" in style else outer.colour,
                _parsed(ground) if ground else outer.ground,
                outer.opacity * float(style.get("opacity", 1)),
                outer.is_hidden or tag in ("head", "title") or bool(_HIDDEN.search(values.get("style") or "")),
            )
        )

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        look = self.open[-1]
        if not data.strip() or look.is_hidden:
            return
        self.seen += 1
        for mode, (usual_ground, usual_colour) in _GROUNDS.items():
            ground = look.ground or usual_ground
            colour = look.colour or usual_colour
            shown = tuple(
                look.opacity * own + (1 - look.opacity) * behind for own, behind in zip(colour, ground, strict=True)
            )
            found = contrast(shown, ground)
            if found < (4.5 if look.ground else 3):
                self.faint.append(f"{data.strip()[:40]}: {found:.2f} in {mode} mode")
