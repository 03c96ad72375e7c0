"""The installation that the pages read: opened once, and kept while the settings stay the same.

To open it for each page costs 40 ms. Other settings open it anew. Nothing is kept of an attempt that failed, so a
server that was away is asked again.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from threading import Lock

from five_precisions.installation import Installation, open_installation
from five_precisions.settings import Settings


@dataclass(slots=True)
class _Kept:
    settings: Settings
    installation: Installation
    opened: ExitStack


_lock = Lock()
_kept: list[_Kept] = []
"""At most one."""


def opened_installation() -> Installation:
    """The installation that the environment names.

    Raises:
        SetupError: a setting is wrong, the warehouse is not migrated, or a key is not the one that it was made with.
        UnreachableError: nobody answers there.
    """
    settings = Settings.load()
    with _lock:
        if _kept and _kept[0].settings != settings:
            _kept.pop().opened.close()
        if not _kept:
            with ExitStack() as opening:
                installation = opening.enter_context(open_installation(settings))
                _kept.append(_Kept(settings, installation, opening.pop_all()))
        return _kept[0].installation


def close_installation() -> None:
    """Let go of what is open."""
    with _lock:
        while _kept:
            _kept.pop().opened.close()
