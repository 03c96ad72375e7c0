"""How Chinese sentences state figures: rise, fall, unchanged, lists of names, months (docs/outputs.md#bulletin).

Numbers are rounded half up once, at the end, as `display.shown` does (docs/field.md#amounts). A change is rounded from
the exact values, so it can differ by one in the last digit from what a reader subtracts; one that rounds to zero is
none. Where there is no value there is nothing to say: the functions then give None, and the sentence is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from five_precisions.display import Form, rounded, shown
from five_precisions.period import Period, Quarter

UNCHANGED = "持平"
_QUARTER_NUMBERS = ("一", "二", "三", "四")
_UNIT_OF_CHANGE = {Form.PERCENT: "个百分点", Form.SCORE: "分"}
"""Units that follow from the form; a rate moves by points of percent, not by percent."""
_DIRECTIONS = {Form.PERCENT: ("上升", "下降"), Form.SCORE: ("提高", "下降")}
"""A rate goes up whether that is good or, as one of overdue loans, bad; only a score improves."""


def change(
    now: Decimal | int | None,
    before: Decimal | int | None,
    form: Form = Form.AMOUNT,
    unit: str = "",
    *,
    than: str = "上月",
) -> str | None:
    """How a figure moved: 比上月增加12.30万元, 比上月减少3户, 比上月上升1.20个百分点, 与上月持平.

    Args:
        now: the figure, exact.
        before: the one that it is compared with, exact.
        form: how it is shown. Amounts and counts increase (增加), rates go up (上升), scores improve (提高).
        unit: of amounts and counts; rates move by 个百分点 and scores by 分 whatever it says.
        than: what it is compared with: 上月, 上季末, 年初.

    Returns:
        The phrase, without punctuation; None where one of the two is missing.
    """
    moved = difference(now, before, form, unit)
    if moved is None:
        return None
    return f"与{than}持平" if moved == UNCHANGED else f"比{than}{moved}"


def difference(
    now: Decimal | int | None, before: Decimal | int | None, form: Form = Form.AMOUNT, unit: str = ""
) -> str | None:
    """As `change`, without what it is compared with: 增加12.30万元, 减少3户, 上升1.20个百分点, 持平."""
    if now is None or before is None:
        return None
    size = rounded(Decimal(now) - Decimal(before), form)
    if not size:
        return UNCHANGED
    up, down = _DIRECTIONS.get(form, ("增加", "减少"))
    return f"{up if size > 0 else down}{shown(abs(size), form)}{_UNIT_OF_CHANGE.get(form, unit)}"


def growth(percent: Decimal | int | None) -> str | None:
    """A rate of growth: 增长12.34%, 下降3.20%, 持平; the caller puts 同比 or 比年初 in front. None without a value."""
    if percent is None:
        return None
    shown_percent = rounded(percent, Form.PERCENT)
    if not shown_percent:
        return UNCHANGED
    return f"{'增长' if shown_percent > 0 else '下降'}{shown(abs(shown_percent), Form.PERCENT)}%"


def movement(places: int | None) -> str | None:
    """Places won (positive) or lost (negative): 上升2位, 下降1位, 位次不变; None where one of both ranks is missing."""
    if places is None:
        return None
    if places == 0:
        return "位次不变"
    return f"{'上升' if places > 0 else '下降'}{abs(places)}位"


def movement_since(places: int | None, than: str = "上月") -> str | None:
    """As `movement`, with what it is compared with: 比上月上升2位, 比上季末下降1位, 位次与上月相同."""
    if places is None:
        return None
    return f"比{than}{movement(places)}" if places else f"位次与{than}相同"


def listing(names: Sequence[str], *, limit: int = 5, counter: str = "家") -> str:
    """Names in a row: 甲; 甲和乙; 甲、乙和丙; beyond the limit 甲、乙、丙、丁、戊等8家. Empty without names.

    Args:
        names: in the order of the sentence.
        limit: how many are named at the most.
        counter: the measure word of what is counted: 家 for institutions, 个 for towns and projects.
    """
    if len(names) > limit:
        return f"{'、'.join(names[:limit])}等{len(names)}{counter}"
    if len(names) < 2:
        return "".join(names)
    return f"{'、'.join(names[:-1])}和{names[-1]}"


def month_name(period: Period | str) -> str:
    """2019年6月, of `2019-06`.

    Raises:
        UsageError: the text is no month.
    """
    month = Period.parse(period) if isinstance(period, str) else period
    return f"{month.year}年{month.month}月"


def quarter_name(quarter: Quarter | str) -> str:
    """2019年第二季度, of `2019-Q2`.

    Raises:
        UsageError: the text is no quarter.
    """
    found = Quarter.parse(quarter) if isinstance(quarter, str) else quarter
    return f"{found.year}年第{_QUARTER_NUMBERS[found.number - 1]}季度"


def day_name(day: date) -> str:
    """2019年7月10日: a date as a document writes it, without zeros in front."""
    return f"{day.year}年{day.month}月{day.day}日"
