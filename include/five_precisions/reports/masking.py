"""Sensitive values: what may be shown of them, and the keyed hash that joins them.

See docs/reports.md#sensitive-columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from five_precisions.reports.declaration import Column, Sensitivity

_SHOWN_AT_EACH_END = 4
_MOBILE_LENGTH = 11
_SHORTEST_RUN: Final = 11
_BLANK = "[\\s\u200b\u2060\ufeff]"
_DASH = "[-－—–]"
_DIGIT_RUN = re.compile(
    # In one piece, or in groups with a blank between them, as on a card: 4417 0219 9001 0112 34.
    rf"\d(?:{_BLANK}?\d){{9,}}{_BLANK}?[\dXxＸｘ]"
    # In groups with a dash between them, none of which is the month or the day of a date: 138-1234-5678.
    rf"|(?<!\d)\d{{3,8}}(?:{_DASH}\d{{3,8}}){{2,}}(?:{_DASH}?[\dXxＸｘ]{{1,3}})?"
)
_WRITTEN_PHONE: Final = re.compile(r"(?<!\d)(?:0\d{2,3}[-－—\s]{1,2}\d{7,8}|1\d{2}[-－—\s]\d{4}[-－—\s]\d{4})(?!\d)")
_RESIDENT_ID = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:19\d|200)\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![0-9Xx])"
)
_BETWEEN_GROUPS = re.compile(f"(?:{_BLANK}|{_DASH})+")


def mask(value: str, sensitivity: Sensitivity) -> str:
    """What may be shown: `4417**********1234`, `****5678`, `138****0000`, `陈*`.

    A value too short for its form (itself a fault) shows less, never more.
    """
    return _MASKS[sensitivity](value)


def _mask_name(value: str) -> str:
    return value[:1] + "*" if value else value


def _mask_id(value: str) -> str:
    hidden = len(value) - 2 * _SHOWN_AT_EACH_END
    if hidden < _SHOWN_AT_EACH_END:
        return value[:1] + "*" * (len(value) - 1)
    return value[:_SHOWN_AT_EACH_END] + "*" * hidden + value[-_SHOWN_AT_EACH_END:]


def _mask_account(value: str) -> str:
    return "****" + (value[-_SHOWN_AT_EACH_END:] if len(value) >= 2 * _SHOWN_AT_EACH_END else "")


def _mask_phone(value: str) -> str:
    return (value[:3] if len(value) >= _MOBILE_LENGTH else "") + _mask_account(value)


_MASKS: Final[dict[Sensitivity, Callable[[str], str]]] = {
    Sensitivity.NAME: _mask_name,
    Sensitivity.ID: _mask_id,
    Sensitivity.ACCOUNT: _mask_account,
    Sensitivity.PHONE: _mask_phone,
}


def mask_digit_runs(text: str) -> str:
    """The text with every run of eleven or more digits masked, also one in groups: an ID where none belongs."""
    return text if len(text) < _SHORTEST_RUN else _DIGIT_RUN.sub(_masked_run, text)


def _masked_run(run: re.Match[str]) -> str:
    digits = _BETWEEN_GROUPS.sub("", run[0])
    return mask(digits, Sensitivity.ID) if len(digits) >= _SHORTEST_RUN else run[0]


def kept(value: str, column: Column) -> str:
    """What the warehouse keeps of a text: a sensitive one masked, and no run of digits in what people write freely."""
    return keeping(column)(value)


def keeping(column: Column) -> Callable[[str], str]:
    """What makes of any text of a column what is kept of it, for as many as a large file has."""
    if column.sensitive:
        return _MASKS[column.sensitive]
    return mask_digit_runs if column.is_prose else str


def mask_resident_ids(text: str) -> str:
    """The text with what has the form of a grown person's resident ID (GB 11643) masked, and other digits as they are.

    Whether the check digit is right does not matter: a mistyped ID is one too. Nobody borrows who was born after 2009,
    and a contract number may hold the day on which it was signed.
    """
    return _RESIDENT_ID.sub(lambda found: mask(found[0], Sensitivity.ID), text)


def mask_phones(text: str) -> str:
    """The text with phones masked that are no run of eleven digits: 0662-7654321, 138 1234 5678."""
    return _WRITTEN_PHONE.sub(lambda phone: mask(phone[0], Sensitivity.PHONE), text)


def keyed_hash(value: str, key: bytes) -> str:
    """HMAC-SHA256 in hex: equal values join, nothing is revealed.

    Of the value in capitals, for an ID may end in x or X, and in one piece: an account may be written in groups.
    """
    return hashing(key)(value)


@lru_cache(maxsize=1)
def hashing(key: bytes) -> Callable[[str], str]:
    """What makes keyed hashes with a key, which is taken in once: that is half of the work."""
    # Python's own hmac makes two objects for each hash, and takes twice as long.
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.hmac import HMAC

    begin = HMAC(key, hashes.SHA256()).copy

    def hashed(value: str) -> str:
        joined = value if value.isalnum() else _BETWEEN_GROUPS.sub("", value) or value
        whole = begin()
        whole.update(joined.upper().encode())
        return whole.finalize().hex()

    return hashed
