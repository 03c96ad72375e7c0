"""Contacts' addresses: which of them a transport takes, and how one may be shown (docs/outputs.md#messages)."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ATOM: Final = r"[\w!#$%&'*+/=?^`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAILBOX: Final = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)*(?![0-9]+\Z){_LABEL}", re.ASCII)
"""As servers take it without extensions (RFC 5321, Dot-string): nothing in it ends a line, an address or a command. The
last part of a domain is never a number, as it is in `someone@163`."""
_LONGEST_MAILBOX: Final = 254
_LONGEST_URL: Final = 1000
"""Bytes; a longer one has no place in the index of contacts."""
_SCHEME: Final = re.compile(r"([A-Za-z0-9.+-]{1,20})://")
_NEAR: Final = 0.85
"""How alike two schemes are, at least; https and httpsms are not."""
_LONGEST_SHOWN: Final = 24
"""Characters of what is neither a URL nor an address: tokens of services are longer."""


def is_mailbox(address: str) -> bool:
    """Whether a text is a bare mail address, without a name beside it."""
    return len(address) <= _LONGEST_MAILBOX and _MAILBOX.fullmatch(address) is not None


def is_service(address: str) -> bool:
    """Whether an address is meant as an Apprise URL, and not as a mail address."""
    return "://" in address


def without_token(address: str) -> str:
    """An address as it may be shown: a token may stand behind an Apprise URL's scheme, or by a slip bare."""
    if is_service(address):
        return f"{_scheme(address) or '…'}://…"
    if is_mailbox(address):
        return address
    beginning = re.split(r"[:/]", address, maxsplit=1)[0][:_LONGEST_SHOWN]
    return beginning if beginning == address else f"{beginning}…"


def why_unreachable(address: str) -> str | None:
    """Why no transport takes an address, as the rest of a sentence that shows no token; None where one does."""
    if is_service(address):
        return _why_no_service(address)
    if is_mailbox(address):
        return None
    return (
        "it is an email address or an Apprise URL; an email address is a name, one @ and a domain, in ASCII characters "
        "and with nothing beside it"
    )


def _why_no_service(url: str) -> str | None:
    from apprise import Apprise, AppriseAsset
    from apprise.manager_plugins import NotificationManager

    if len(url.encode()) > _LONGEST_URL:
        return f"an Apprise URL has at most {_LONGEST_URL} bytes"
    with _silenced():
        service = Apprise.instantiate(url, asset=AppriseAsset(storage_mode="memory"))
        schemes = NotificationManager().schemas()  # type: ignore[no-untyped-call]
    if service is None:
        scheme = _scheme(url).lower()
        if scheme in schemes:
            return f"Apprise cannot use it, for something of what {scheme}:// needs is missing or wrong"
        near = difflib.get_close_matches(scheme, schemes, n=1, cutoff=_NEAR)
        return "Apprise knows no such service" + (f"; {near[0]}:// is near" if near else "")
    if len(service) > 1:
        return "it names several recipients; each has a line of its own"
    return None


def _scheme(url: str) -> str:
    """What stands before the `://`; empty where that is none of a service."""
    found = _SCHEME.match(url)
    return "" if found is None else found[1]


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep from everyone what Apprise writes into its log meanwhile: it names whole URLs."""
    log = logging.getLogger("apprise")
    log.addFilter(_is_nothing)
    try:
        yield
    finally:
        log.removeFilter(_is_nothing)


def _is_nothing(_: logging.LogRecord) -> bool:
    return False
