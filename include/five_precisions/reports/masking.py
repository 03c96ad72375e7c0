"""Sensitive values: what may be shown of them, and the keyed hash that joins them (spec/02, Sensitive columns)."""

from __future__ import annotations

import hmac
import re

from five_precisions.reports.declaration import Sensitivity

_SHOWN_AT_EACH_END = 4
_MOBILE_LENGTH = 11
_DIGIT_RUN = re.compile(r"\d{10,}[\dXxＸｘ]")


def mask(value: str, sensitivity: Sensitivity) -> str:
    """What may be shown: `4417**********1234`, `****5678`, `138****0000`, `陈*`.

    A value too short for its form (itself a fault) shows less, never more.
    """
    match sensitivity:
        case Sensitivity.NAME:
            return value[:1] + "*" if value else value
        case Sensitivity.ID:
            hidden = len(value) - 2 * _SHOWN_AT_EACH_END
            if hidden < _SHOWN_AT_EACH_END:
                return value[:1] + "*" * (len(value) - 1)
            return value[:_SHOWN_AT_EACH_END] + "*" * hidden + value[-_SHOWN_AT_EACH_END:]
        case Sensitivity.ACCOUNT:
            return "****" + (value[-_SHOWN_AT_EACH_END:] if len(value) >= 2 * _SHOWN_AT_EACH_END else "")
        case Sensitivity.PHONE:
            shown = value[-_SHOWN_AT_EACH_END:] if len(value) >= 2 * _SHOWN_AT_EACH_END else ""
            return (value[:3] if len(value) >= _MOBILE_LENGTH else "") + "****" + shown


def mask_digit_runs(text: str) -> str:
    """The text with every run of eleven or more digits masked: an ID in a column where none belongs."""
    return _DIGIT_RUN.sub(lambda run: mask(run[0], Sensitivity.ID), text)


def keyed_hash(value: str, key: bytes) -> str:
    """HMAC-SHA256 in hex of the value in capitals (an ID may end in x or X): equal values join, nothing is revealed."""
    return hmac.digest(key, value.upper().encode(), "sha256").hex()
