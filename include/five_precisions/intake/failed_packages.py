"""Packages that could not be checked for a reason of ours, until they are on record (docs/intake.md#bad-input)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from five_precisions.intake.inbox import Delivery, Inbox
from five_precisions.period import Period
from five_precisions.settings import Settings
from five_precisions.templates import moment_words
from five_precisions.warehouse import load_statement


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPackage:
    """A package that lies in the inbox and that we failed to check."""

    period: str
    institution_code: str
    short_name: str
    seen_at: datetime
    """When it was first seen: it becomes the version's received_at."""
    failed_at: datetime
    """When checking it broke for the first time."""
    failure: str
    """The kind of the error that broke it last; nothing of what was delivered."""


def note_failed(connection: Connection, period: Period, delivery: Delivery, failure: str) -> datetime | None:
    """Note that a settled package could not be checked, until it is on record.

    Args:
        connection: In a transaction.
        period: The month.
        delivery: The package.
        failure: The kind of the error.

    Returns:
        When the package was first seen; None where it is on record, and only something after that has failed.
    """
    names = {
        "period": str(period),
        "institution_code": delivery.institution_code,
        "fingerprint": delivery.fingerprint,
        "failure": failure,
    }
    seen_at: datetime | None = connection.execute(
        load_statement("intake/note_failed_package"), names
    ).scalar_one_or_none()
    return seen_at


def read_failed(engine: Engine, settings: Settings, period: Period | None = None) -> list[FailedPackage]:
    """The packages that we failed to check and that lie in the inbox still, of one period or of all.

    Raises:
        UnreachableError: the inbox cannot be read.
    """
    names = {"period": None if period is None else str(period)}
    with engine.connect() as connection:
        rows = connection.execute(load_statement("intake/failed_packages"), names).mappings()
        failed = [FailedPackage(**row) for row in rows]
    if not failed:
        return []
    # An institution may have taken its files back.
    places = [(Period.parse(each.period), each.institution_code) for each in failed]
    there = set(Inbox.of(settings).holding(places))
    return [each for each, place in zip(failed, places, strict=True) if place in there]


def describe_failed(engine: Engine, settings: Settings, period: Period | None = None) -> list[str]:
    """What ops must know of packages that we failed to check, a sentence each, of one period or of all.

    Raises:
        UnreachableError: the inbox cannot be read.
    """
    return [
        f"{each.period} {each.institution_code} {each.short_name}：{moment_words(each.seen_at)}收到的报送包因系统出错"
        f"（{each.failure}，自{moment_words(each.failed_at)}起）尚未核对，已告知该机构不必重报；请按日志修复后执行 "
        f"five-precisions collect {each.period} --institution {each.institution_code}。"
        for each in read_failed(engine, settings, period)
    ]
