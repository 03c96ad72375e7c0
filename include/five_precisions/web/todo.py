"""What waits for a human: an item, how urgent it is, and where one click mends it (docs/desk.md#pages)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final
from urllib.parse import quote

from five_precisions.templates import moment_words

APPROVALS: Final = "airflow:required_actions?response_received=false"
"""Where Airflow asks for decisions."""
MOST_ITEMS: Final = 8
"""Of a group on the page; the page that a group leads to shows all."""


class Urgency(IntEnum):
    """How long it can wait; what comes first is more urgent."""

    NOW = 0
    SOON = 1
    LATER = 2

    @property
    def words(self) -> str:
        """What ops read."""
        return ("马上办", "待办", "留意")[self]

    @property
    def state(self) -> str:
        """The word for the style sheet."""
        return ("bad", "warn", "faint")[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A place where something of an item is mended."""

    words: str
    href: str
    """As `Cell.href`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingItem:
    """One thing that waits for a human."""

    words: str
    """One sentence."""
    href: str
    """Where it is mended: below our pages' root, or Airflow's where it begins with `airflow:`."""
    urgency: Urgency
    since: datetime | None = None
    links: Sequence[Link] = ()
    """Whom or what it is about, each with its own page."""

    @property
    def since_words(self) -> str:
        """Since when it waits, as ops read it: the day alone where it began with a day."""
        if self.since is None:
            return ""
        return f"自{moment_words(self.since).removesuffix(' 00:00')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Items of one kind, the most urgent first."""

    name: str
    """Part of the page's address."""
    title: str
    href: str
    """The page that shows all of them."""
    items: Sequence[WaitingItem]
    unread: Sequence[str] = ()
    """A sentence for each source that could not be read."""

    @property
    def urgency(self) -> Urgency:
        """Of its most urgent item; what cannot be read may hide anything."""
        worst = min((each.urgency for each in self.items), default=Urgency.LATER)
        return min(worst, Urgency.SOON) if self.unread else worst

    @property
    def shown(self) -> Sequence[WaitingItem]:
        """Those on the page."""
        return self.items[:MOST_ITEMS]

    @property
    def more(self) -> int:
        """How many are not on the page."""
        return len(self.items) - len(self.shown)


def group_of(name: str, title: str, href: str, items: Sequence[WaitingItem], unread: Sequence[str] = ()) -> Group:
    """The items in order: the most urgent first, then what has waited longest."""
    ordered = sorted(items, key=lambda item: (item.urgency, item.since is None, item.since and item.since.timestamp()))
    return Group(name=name, title=title, href=href, items=ordered, unread=unread)


def airflow_href(*parts: str) -> str:
    """The address of a page of Airflow; its parts are quoted here, for a run's id holds colons and plus signs."""
    return f"airflow:{'/'.join(quote(part, safe='') for part in parts)}"
