"""Exact shares: totals in whole units (fen, persons, copies) split so that the parts add up to the last unit."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

FEN: Final = 100
"""Fen in a yuan."""
WAN: Final = 10_000 * FEN
"""Fen in a 万元."""
HUNDREDTH: Final = WAN // 100
"""Fen in the smallest step of a figure in 万元."""


def wan(amount: str) -> int:
    """Fen of an amount written in 万元, for example `"2024.39"`."""
    return int(Decimal(amount) * WAN)


def yuan(fen: int) -> Decimal:
    """Yuan with two decimals of an amount in fen."""
    return Decimal(fen).scaleb(-2)


def in_wan(fen: int) -> Decimal:
    """万元 with two decimals, rounded half up, of an amount in fen that is not negative."""
    return Decimal((fen + HUNDREDTH // 2) // HUNDREDTH).scaleb(-2)


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Split total in proportion to weights by largest remainder; ties go to the earlier part."""
    whole = sum(weights)
    if whole <= 0:
        raise ValueError("there is nothing to apportion by: every weight is 0")
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares


def allot(
    total: int, weights: Sequence[int], *, floors: Sequence[int], caps: Sequence[int], step: int = 1
) -> list[int]:
    """Split total roughly by weights, each part a multiple of step between its floor and its cap, the sum exact.

    Raises:
        ValueError: the bounds leave no room for the total, or are no multiples of step.
    """
    if not sum(floors) <= total <= sum(caps):
        raise ValueError(f"{total} does not fit between {sum(floors)} and {sum(caps)}")
    if any(number % step for number in (total, *floors, *caps)):
        raise ValueError(f"total, floors and caps must be multiples of {step}")
    whole = sum(weights) or 1
    parts = [
        min(max(total * weight // whole // step * step, floor), cap)
        for weight, floor, cap in zip(weights, floors, caps, strict=True)
    ]
    rest = total - sum(parts)
    while rest:
        sign = 1 if rest > 0 else -1
        rooms = [cap - part if sign > 0 else part - floor for part, floor, cap in zip(parts, floors, caps, strict=True)]
        roomy = [i for i, room in enumerate(rooms) if room]
        share = max(step, abs(rest) // len(roomy) // step * step)
        for i in roomy:
            move = min(share, rooms[i], abs(rest))
            parts[i] += sign * move
            rest -= sign * move
            if not rest:
                break
    return parts
