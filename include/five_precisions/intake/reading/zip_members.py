"""What holds of the members of every delivered zip, be it a workbook or a package (docs/intake.md#bad-input)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final
from zipfile import ZipInfo

_LOCAL_HEADER_BYTES: Final = 30
"""The least that stands before the bytes of a member."""


def overlap(members: Iterable[ZipInfo]) -> bool:
    """Whether members share their bytes, which makes a bomb: only newer versions of Python refuse them themselves."""
    in_order = sorted(members, key=lambda member: member.header_offset)
    return any(
        former.header_offset + _LOCAL_HEADER_BYTES + former.compress_size > latter.header_offset
        for former, latter in pairwise(in_order)
    )
