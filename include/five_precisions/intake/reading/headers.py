"""Headers as forms write them: with blanks, stars, numbers, notes and units (docs/reports.md#types; F02, F12)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

from five_precisions.reports import Column, ColumnType

_OF_NUMBERS: Final = frozenset({"人", "户", "个", "天", "次", "人次", "份", "项", "家", "年", "轮"})
_UNITS: Final = {ColumnType.YUAN: "元", ColumnType.WAN: "万元", ColumnType.PCT: "%"}
"""In which a column's numbers are given."""
_WORTH: Final = {
    **{
        f"{many}元": Decimal(10) ** power
        for power, many in enumerate(("", "十", "百", "千", "万", "十万", "百万", "千万", "亿"))
    },
    "%": Decimal(1),
    "‰": Decimal("0.1"),
}
"""Of units: in yuan, or in percent."""
_MONEY: Final = re.compile(
    r"(?:人民币)?((?:十万|百万|千万|十|百|千|万|亿)?元|(?:十万|百万|千万|万|亿)(?![0-9\u4e00-\u9fff]))"
)
_UNIT_LINES: Final = (
    re.compile(r"(?<![报表制送办编管主])单位(?:名称)?:?(.*)", re.DOTALL),
    re.compile("(?:均?以|均为|金额:|币种:)(.{2,8}?)(?:为.{0,4}单位)?(?:[,;。)]|计|$)"),
    re.compile(r"[(]?((?:人民币)?.{0,2}元)[)]?"),
)
"""Who fills in the form is a 单位 too: 填报单位, 报送单位, 制表单位."""
_NUMBERED: Final = re.compile(
    r"[0-9]{1,2}(?:\.[0-9]{1,2})+(?![0-9])"
    r"|[(\[](?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})[)\]]"
    r"|(?:[0-9]{1,2}(?:\.[0-9]{1,2})*|[一二三四五六七八九十]{1,3}|[A-Z])[、.):-]"
    r"|[0-9]{1,2}(?![0-9])"
)
_STARS: Final = "*★☆※#●○•▲△■◆。"
_IN_BRACKETS: Final = re.compile(r"[(\[{<〈《「『【〔\"“](.+)[)\]}>〉》」』】〕\"”]")
_MARK_BEFORE: Final = re.compile(r"[(\[【〔]([^)\]】〕]*)[)\]】〕]")
_NOTE: Final = re.compile(
    r"[(\[{<【〔](.*)[)\]}>】〕]|[/:,、_|-]+(.+)|([%‰]|(?:万|千|百万|亿)?元|必填项?|选填项?|可空)"
)
_ANY: Final = re.compile("(.*)", re.DOTALL)
_BETWEEN_NOTES: Final = re.compile(r"[,;、]|[)\]】〕][(\[【〔]")
_UNIT_SAID: Final = re.compile(r"(?:金额|计量)?单位:?")
_OR: Final = re.compile("[/、,或]")
_SAYS_NO_MORE: Final = frozenset(
    {"必填", "必填项", "必录", "选填", "选填项", "非必填", "可空", "可为空", "请选择", "下拉选择", "下拉", "单选"}
    | {"文本", "文本型", "文本格式", "字符", "字符型", "18位", "是/否", "日期", "日期型", "日期格式"}
    | {"数值", "数值型", "数字", "数字型", "整数", "百分数", "百分比", "两位小数", "保留两位小数"}
)
"""Notes behind a header that add nothing to its declaration."""
_FORM_OF_DATES: Final = re.compile(r"(?:格式)?如?:?[-/.年月日ymd0-9]+", re.IGNORECASE)
_LONGEST: Final = 100
"""Signs of a header with all that is beside it."""
_LONGEST_LINE: Final = 500
"""Signs of a row above the headers."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that a form names: of money, or a share."""

    name: str

    def factor_to(self, column: Column) -> Decimal:
        """By what a number in this unit is multiplied to be one of the column's."""
        return _WORTH[self.name] / _WORTH[_UNITS[column.type]]


@dataclass(frozen=True)
class WantedHeaders:
    """The headers of a report, of the cover, or of explanations."""

    headers: tuple[str, ...]
    columns: Mapping[str, Column]
    """By header; none of a header whose note may say what it likes."""

    @classmethod
    def of(cls, columns: Iterable[Column]) -> WantedHeaders:
        """The headers of these columns."""
        own = {column.header: column for column in columns}
        return cls(tuple(own), own)

    @cached_property
    def by_normal_form(self) -> dict[str, str]:
        """The headers, by how they are compared."""
        return {normal_header(header): header for header in self.headers}


def normal_header(text: str) -> str:
    """A header as it is compared: without blanks, line breaks and what nobody sees; full-width signs made plain."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return plain if plain.isprintable() else "".join(sign for sign in plain if unicodedata.category(sign) != "Cf")


def known_header(text: str, known: Collection[str]) -> str | None:
    """Which of the headers, given in normal form, a text is, whatever stands around it or as a note behind it."""
    plain = normal_header(text)
    if plain in known:
        return plain
    if len(plain) > _LONGEST:
        return None
    for bare in _bared(plain):
        if bare in known:
            return bare
        for header in known:
            if bare.startswith(header) and _NOTE.fullmatch(bare, len(header)):
                return header
    return None


def recognise(text: str, wanted: WantedHeaders) -> tuple[str, Unit | None] | None:
    """Which of the wanted headers a text is, and the unit that it names."""
    known = wanted.by_normal_form
    plain = normal_header(text)
    if plain in known:
        return known[plain], None
    if len(plain) > _LONGEST:
        return None
    for bare in _bared(plain):
        if bare in known:
            return known[bare], None
        for normal, header in known.items():
            note = _NOTE.fullmatch(bare, len(normal)) if bare.startswith(normal) else None
            found = _with_note(header, wanted.columns.get(header), note) if note else None
            if found is not None:
                return found
    return None


def _bared(plain: str) -> Iterator[str]:
    """The header without stars, without its number, without brackets around it, without a mark before it."""
    bare = plain.strip(_STARS + ":")
    yield bare
    if number := _NUMBERED.match(bare):
        bare = bare[number.end() :].strip(_STARS)
        yield bare
    if whole := _IN_BRACKETS.fullmatch(bare):
        yield whole[1].strip(_STARS)
    mark = _MARK_BEFORE.match(bare)
    if mark and mark[1].strip(_STARS) in {"", *_SAYS_NO_MORE}:
        yield bare[mark.end() :].strip(_STARS)


def _with_note(header: str, column: Column | None, note: re.Match[str]) -> tuple[str, Unit | None] | None:
    """The header, where the note behind it says no more than the declaration, or a unit."""
    text = next(filter(None, note.groups()), "")
    unit: Unit | None = None
    for part in _BETWEEN_NOTES.split(text.strip(_STARS)):
        said = _UNIT_SAID.sub("", part.strip(_STARS))
        stated = _unit_of(said)
        if stated is not None and column is not None and _is_like(stated, column):
            unit = stated
        elif said and said not in _SAYS_NO_MORE and not (column is not None and _adds_nothing(said, column)):
            return None
    return header, unit


def _adds_nothing(said: str, column: Column) -> bool:
    match column.type:
        case ColumnType.INT:
            return said in _OF_NUMBERS
        case ColumnType.DATE:
            return _FORM_OF_DATES.fullmatch(said) is not None
        case ColumnType.CHOICE | ColumnType.YESNO:
            return {*_OR.split(said)} <= {*column.of, "是", "否"}
        case _:
            return False


def _unit_of(said: str) -> Unit | None:
    """The unit that a text is, and nothing else."""
    if said in ("%", "‰"):
        return Unit(said)
    if said in ("¥", "￥", "RMB", "RMB元", "人民币", "人民币:元"):
        return Unit("元")
    match = _MONEY.fullmatch(said)
    return _money(match[1]) if match else None


def _money(name: str) -> Unit:
    return Unit(name if name.endswith("元") else f"{name}元")


def _is_like(unit: Unit, column: Column) -> bool:
    """Whether a column's numbers could be in the unit: money in money, shares in shares."""
    return column.type in _UNITS and column.type.is_amount == unit.name.endswith("元")


def note_below(text: str, column: Column) -> tuple[bool, Unit | None]:
    """Whether a text below a header is a note on it, as 元 or 必填, and the unit that it names."""
    plain = normal_header(text).strip(_STARS + "()[]【】")
    note = _ANY.fullmatch(plain) if 0 < len(plain) <= _LONGEST else None
    found = _with_note("", column, note) if note else None
    return found is not None, found[1] if found else None


def unit_of_form(cells: Iterable[str]) -> tuple[Unit, ...]:
    """The units of money that a row above the headers says the form is in; none where it says nothing of them."""
    texts = [normal_header(cell) for cell in cells if len(cell) <= _LONGEST]
    label, said, alone = _UNIT_LINES
    for match in (label.search("".join(texts)[:_LONGEST_LINE]), *map(said.search, texts), *map(alone.fullmatch, texts)):
        if match and (units := tuple(map(_money, _MONEY.findall(match[1])))):
            return units
    return ()


def is_own_unit(unit: Unit | None, column: Column | None) -> bool:
    """Whether a header names no unit, or its column's."""
    return unit is None or column is None or column.type not in _UNITS or unit == own_unit(column)


def own_unit(column: Column) -> Unit:
    """The unit of a column of amounts or shares."""
    return Unit(_UNITS[column.type])
