"""Invented people by the hundred thousand: names, resident IDs, accounts, and chance by topic."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from five_precisions_demo.city.identity import GIVEN_FIRST, GIVEN_SECOND, ISSUING_AREAS, SURNAMES
from five_precisions_demo.large_area.register import Places

Texts = npt.NDArray[np.str_]

_OLDEST: Final = np.datetime64(date(1944, 1, 1), "D")
_BIRTHDAYS: Final = 19_358
"""Days up to the end of 1996."""
_SERIALS: Final = 999
_STRIDE: Final = 1_000_003
"""A prime that divides the number of all IDs by no part: steps of it come to every ID once."""
_WEIGHTS: Final = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECK_CHARACTERS: Final = np.frombuffer(b"10X98765432", dtype=np.uint8)
_NAMES: Final = np.array(
    [surname + first + second for surname in SURNAMES for first in GIVEN_FIRST for second in GIVEN_SECOND]
)


def chance(seed: int, topic: str) -> np.random.Generator:
    """The stream of one topic: the same seed and topic always draw the same."""
    return np.random.default_rng(list(f"{seed}/{topic}".encode()))


def draw_names(rng: np.random.Generator, number: int) -> Texts:
    """Names of that many persons."""
    return _NAMES[rng.integers(0, len(_NAMES), number)]


def resident_ids(persons: Places) -> Texts:
    """The resident ID (GB 11643) of each person, by number: another number, another ID."""
    place = persons * _STRIDE % (len(ISSUING_AREAS) * _BIRTHDAYS * _SERIALS)
    area, rest = place % len(ISSUING_AREAS), place // len(ISSUING_AREAS)
    born = _OLDEST + (rest % _BIRTHDAYS).astype("timedelta64[D]")
    month = born.astype("datetime64[M]")
    months = month.astype(np.int64) + 1970 * 12
    day = (born - month).astype(np.int64) + 1
    number = (months // 12 * 100 + months % 12 + 1) * 100 + day
    body = (np.array(ISSUING_AREAS, dtype=np.int64)[area] * 10**8 + number) * 1000 + rest // _BIRTHDAYS + 1
    characters = np.empty((len(persons), 18), dtype=np.uint8)
    for column in range(16, -1, -1):
        characters[:, column] = body % 10
        body = body // 10
    characters[:, 17] = _CHECK_CHARACTERS[characters[:, :17] @ _WEIGHTS % 11]
    characters[:, :17] += ord("0")
    return characters.view("S18").ravel().astype("U18")


def accounts(owners: Places) -> Texts:
    """The account of each owner, by number."""
    return padded("622848", owners, 13)


def only_where(where: npt.NDArray[np.bool_], values: npt.ArrayLike, dtype: Literal["str", "Int64"]) -> pd.Series:
    """The values where there is something to write; the other cells stay empty."""
    return pd.Series(np.broadcast_to(values, where.shape), dtype=dtype).where(where)


def padded(prefix: str, numbers: Places, width: int) -> Texts:
    """Codes of a prefix and a number of so many digits."""
    return np.strings.add(prefix, np.strings.zfill(numbers.astype(f"U{width}"), width))
