"""Reading one cell as what its column declares (docs/reports.md#types; rules T01 to T05).

A cell comes as a spreadsheet or a CSV file gave it: text, number, date or nothing. It either reads as its declared
type or it is a `CellFault` with the rule that it breaks; nothing is guessed and nothing is rounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, cast

from five_precisions.reports.declaration import Column, ColumnType, Sensitivity
from five_precisions.reports.masking import mask_digit_runs

Cell = str | int | float | bool | date | None
Value = str | int | bool | Decimal | date | None

EXCEL_ERRORS: Final = frozenset(
    {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
)
TOTAL_MARKS: Final = frozenset({"合计", "总计"})
_EQUAL_KINDS: Final = frozenset({bool, int, float})

DIGITS_OF_A_NUMBER_CELL: Final = 15
"""A spreadsheet keeps and shows fifteen significant digits; a longer number has lost its end."""
_LARGEST_INT = 2**31 - 1
_LARGEST_AMOUNT = Decimal(10) ** 14
_LARGEST_PCT = Decimal(100)
_DAY_ZERO = date(1899, 12, 30)
_DAYS_FROM_1900_TO_1904 = 1462
_EARLIEST_SERIAL = date(1950, 1, 1)
_LATEST_SERIAL = date(2099, 12, 31)
"""A number outside is no date but a year, a month or a typing error: 2019 would be a day of 1905."""

_BLANKS = " \t\r\n\u00a0\u3000\ufeff" + "".join(
    map(chr, (*range(0x2000, 0x2010), *range(0x2028, 0x2030), *range(0x205F, 0x2070)))
)
"""With what nobody sees and copying brings along: marks of the direction of writing, joiners, narrow blanks."""
_FULL_WIDTH = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
_FULL_WIDTH_SIGNS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
"""Wider than what texts need, narrower than NFKC, by which 10² would be 102."""
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]|_x[Dd][89A-Fa-f][0-9A-Fa-f]{2}_")
"""Control characters but tab and line breaks, and lone surrogates, also as .xlsx escapes them."""
_NUMBER = re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]*)?")
_CALC_ERROR = re.compile(r"(?:Err:|错误:|#ERR)5[0-9]{2}!?")
"""As LibreOffice writes errors that Excel does not know."""
_SERIAL = re.compile(r"[0-9]{1,5}")
_PLAIN_TEXT: Final = r"(?![0-9][.Ee])[0-9A-Za-z\u4e00-\u9fff]", r"[0-9A-Za-z\u4e00-\u9fff·./()（）-]"
"""First sign and others of most texts: nothing to strip, to refuse or to make narrow, and no scientific notation."""
_PLAIN_AMOUNT = 10**11
"""A number cell's digits distinguish fen below this, with some to spare."""
_SCIENTIFIC = re.compile(r"[+-]?[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]+")
_SCIENTIFIC_CODE = re.compile(r"[+-]?[0-9](?:\.[0-9]+[Ee]\+?|[Ee]\+)[0-9]+")
"""With a point or a plus, as every program writes it: `3E01` is the code of an outlet."""
_DAYS: Final = tuple(
    re.compile(form)
    for form in (
        *(f"([0-9]{{4}}){sign}([0-9]{{1,2}}){sign}([0-9]{{1,2}})" for sign in ("-", "/", r"\.", "、")),
        "([0-9]{4})([0-9]{2})([0-9]{2})",
        "([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日",
    )
)
_WITH_TIME: Final = re.compile(
    r"(?P<day>.*[0-9日])(?:[Tt]| +)(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?)"
    r"(?P<zone> ?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2}))?"
)
_MIDNIGHT: Final = re.compile(r"00?:00(?::00(?:[.,]0+)?)?")
_ZONES_OF_MIDNIGHT: Final = frozenset({"Z", "+0000", "-0000", "+0800"})
"""Of a program that keeps days as moments: of Shanghai's, or of none in particular. In another, it is another day."""
_DASHES: Final = re.compile(
    r"\u2014\u2014|[\u02d7\u2010-\u2015\u2043\u2212\u2500\u2501\u2e3a\u2e3b\u30fc\ufe58\ufe63\uff0d\uff70]"
)
"""Every sign that people take for a dash; two long ones are what the key types in a Chinese input method."""
_BLANKS_INSIDE: Final = re.compile(r"[\s\u00ad\u200b-\u200f\u2028-\u202f\u205f-\u206f\ufeff]+")
_NOTHING: Final = frozenset(
    {"", "-", "--", "---", "/", "\\", "无", "(无)", "暂无", "不适用", "NULL", "NONE", "N/A", "NA"}
)
"""Alone in a cell that may be empty, said in capitals and with one kind of dash: that there is nothing."""
_LONGEST_NOTHING: Final = 4
_WITHOUT_TIME: Final = "不是日期，请填写日期，如2019-06-30，不要带时刻。"
_NO_ID: Final = re.compile("[^0-9A-Za-z*]")
_PLAIN_ID: Final = "(?![0-9][Ee])[0-9A-Za-z]", "[0-9A-Za-z]"


@dataclass(frozen=True, slots=True)
class CellFault:
    """Why a cell does not count: the rule, and what is wrong and how to mend it, in Chinese."""

    rule: str
    message: str


class _UnreadableError(Exception):
    def __init__(self, message: str, rule: str = "T02") -> None:
        super().__init__(message)
        self.fault = CellFault(rule, message)


def cell_text(cell: Cell) -> str:
    """The cell as a person reads it, without blanks around it; empty for an empty cell."""
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case float():
            # Not a number is how data frames say empty.
            return "" if math.isnan(cell) else _plain(cell)
        case datetime():
            return cell.date().isoformat() if (cell.hour, cell.minute, cell.second) == (0, 0, 0) else str(cell)
        case str():
            text = cell.strip(_BLANKS)
            return text[1:].lstrip(_BLANKS) if text.startswith("'") else text
        case _:
            return str(cell)


def read_cells(
    cells: Sequence[Cell], column: Column, *, epoch_1904: bool = False
) -> tuple[list[Value], dict[int, CellFault]]:
    """Read a whole column: the values (None where empty or faulty) and the faults by position from 0."""
    if column.type is ColumnType.TEXT and _are_plain(cells, column):
        return cast(list[Value], list(cells)), {}
    distinct: Iterable[Cell] = dict.fromkeys(cells)
    has_numbers = not _EQUAL_KINDS.isdisjoint(map(type, distinct))
    if has_numbers and len(_EQUAL_KINDS.intersection(map(type, cells))) > 1:
        # True == 1 == 1.0 in a dict, and they are three different things in a cell.
        results = [_read_plainly(cell, column, epoch_1904=epoch_1904) for cell in cells]
    else:
        if column.type is ColumnType.TEXT:
            is_plain = re.compile(_plain_form(column)).fullmatch
            distinct = [cell for cell in distinct if not (isinstance(cell, str) and is_plain(cell))]
        known: dict[Any, Any] = {cell: _read_plainly(cell, column, epoch_1904=epoch_1904) for cell in distinct}
        # What is not known is a plain text, and its own value.
        results = [*map(known.get, cells, cells)]
        if not any(isinstance(result, CellFault) for result in known.values()):
            return cast(list[Value], results), {}
    faults = {position: result for position, result in enumerate(results) if isinstance(result, CellFault)}
    return [None if isinstance(result, CellFault) else result for result in results], faults


def _are_plain(cells: Sequence[Cell], column: Column) -> bool:
    """Whether all cells of a column of texts are at once their own values, as most texts of a large file are."""
    texts = [cell for cell in cells if cell is not None] if column.optional else cells
    if not {str}.issuperset(map(type, texts)):
        return False
    # One look at all of them takes a third of the time of a look at each.
    joined = "\n".join([*cast(Sequence[str], texts), ""])
    is_one_a_line = joined.count("\n") == len(texts)
    return is_one_a_line and re.fullmatch(f"(?:{_plain_form(column)}\n)*+", joined) is not None


def _read_plainly(cell: Cell, column: Column, *, epoch_1904: bool) -> Value | CellFault:
    """What `read_cell` answers, at once of most amounts of a large file."""
    if column.type.is_amount and isinstance(cell, float) and 0 <= cell < _PLAIN_AMOUNT / 100:
        fen = round(cell * 100)
        if fen / 100 == cell:
            return Decimal(fen).scaleb(-2)
    return read_cell(cell, column, epoch_1904=epoch_1904)


def _plain_form(column: Column) -> str:
    """What a text is like that is at once its own value: neither too long, nor so short that it may say nothing."""
    first, others = _PLAIN_ID if column.sensitive is Sensitivity.ID else _PLAIN_TEXT
    shortest, longest = _LONGEST_NOTHING + 1 if column.optional else 1, column.max or 0
    return f"{first}{others}{{{shortest - 1},{longest - 1}}}" if shortest <= longest else "(?!)"


def read_cell(cell: Cell, column: Column, *, epoch_1904: bool = False) -> Value | CellFault:
    """The cell's value by the column's declared type, or its fault."""
    text = cell_text(cell)
    if not text or (column.optional and says_nothing(text)):
        return None if column.optional else CellFault("T01", f"{column.header}不能为空，请填写{column.expected}。")
    try:
        _refuse_what_is_no_content(text)
        match column.type:
            case ColumnType.TEXT:
                return _read_text(cell, text, column)
            case ColumnType.DATE:
                return _read_date(cell, text, epoch_1904=epoch_1904)
            case ColumnType.INT:
                return _read_int(cell, text, column)
            case ColumnType.YUAN | ColumnType.WAN:
                return _read_decimal(cell, text, column, places=2, largest=_LARGEST_AMOUNT)
            case ColumnType.PCT:
                return _read_decimal(
                    cell, text.removesuffix("%").removesuffix("％"), column, places=4, largest=_LARGEST_PCT
                )
            case ColumnType.YESNO | ColumnType.CHOICE:
                return _read_choice(text, column)
    except _UnreadableError as unreadable:
        return unreadable.fault


def says_nothing(text: str) -> bool:
    """Whether a text says that there is nothing to say: a dash, a stroke, 无, NULL or N/A, and no more."""
    return len(text) <= _LONGEST_NOTHING and plain_dashes(text.translate(_FULL_WIDTH_SIGNS)).upper() in _NOTHING


def plain_dashes(text: str) -> str:
    """The text with every kind of dash as the one of the keyboard."""
    return text if text.isascii() else _DASHES.sub("-", text)


def plain_code(text: str) -> str:
    """A code as it is kept and compared: every dash the same, and no blanks inside (docs/reports.md#types)."""
    return _BLANKS_INSIDE.sub("", plain_dashes(text))


def _plain(number: float) -> str:
    """A number cell in plain notation with the digits that a spreadsheet shows: 0.30000000000000004 is 0.3."""
    text = format(Decimal(format(number, f".{DIGITS_OF_A_NUMBER_CELL}g")), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _refuse_what_is_no_content(text: str) -> None:
    if (text.startswith("#") and text.upper() in EXCEL_ERRORS) or _CALC_ERROR.fullmatch(text):
        raise _UnreadableError(f"单元格是公式错误{text}，请改正公式或直接填写数值。")
    if "\ufffd" in text:
        raise _UnreadableError("文字有丢失，显示为“\ufffd”，请对照原件重新录入这一格。")
    if _INVISIBLE.search(text):
        raise _UnreadableError("单元格中有看不见的控制字符或残缺字符，请删除后重新录入。")


def _refuse_lost_digits(cell: Cell, text: str) -> None:
    # A whole number comes from a format that keeps every digit of it; a spreadsheet's numbers have a fraction.
    is_long_number = isinstance(cell, float) and abs(cell) >= 10**DIGITS_OF_A_NUMBER_CELL
    if is_long_number or _SCIENTIFIC_CODE.fullmatch(text):
        raise _UnreadableError(
            "长编号被当作数字保存，成了科学记数法，末尾几位已经丢失；请把该列设置为“文本”格式后重新录入完整编号。"
        )


def _read_text(cell: Cell, text: str, column: Column) -> str:
    _refuse_lost_digits(cell, text)
    text = text.translate(_FULL_WIDTH)
    if column.code or column.sensitive is Sensitivity.ID:
        _refuse_date(cell, text, column)
    if column.code:
        text = plain_code(text)
    elif column.sensitive is Sensitivity.ID and (sign := _NO_ID.search(text)):
        raise _UnreadableError(f"{column.header}只能由数字和字母组成，请删除其中的{_named_sign(sign[0])}。")
    if column.max is not None and len(text) > column.max:
        raise _UnreadableError(f"{column.header}有{len(text)}个字符，超过{column.max}个，请缩短。", "T03")
    return text


def _refuse_date(cell: Cell, text: str, column: Column) -> None:
    if isinstance(cell, date):
        raise _UnreadableError(
            f"{column.header}被电子表格软件自动改成了日期{text[:10]}，原来录入的编号已经丢失；"
            "请把该列设置为“文本”格式后重新录入。"
        )


def _named_sign(sign: str) -> str:
    return "空格" if sign.isspace() else f"“{sign}”"


def _read_date(cell: Cell, text: str, *, epoch_1904: bool) -> date:
    if isinstance(cell, datetime):
        if cell.time() != time():
            raise _UnreadableError(_WITHOUT_TIME)
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = plain_dashes(text.translate(_FULL_WIDTH_SIGNS))
    written = _without_midnight(text)
    for form in _DAYS:
        if match := form.fullmatch(written):
            try:
                return date(*map(int, match.groups()))
            except ValueError:
                raise _UnreadableError(f"没有{text}这一天，请改为实际日期，如2019-06-30。") from None
    if _SERIAL.fullmatch(text):
        day = _DAY_ZERO + timedelta(days=int(text) + (_DAYS_FROM_1900_TO_1904 if epoch_1904 else 0))
        if _EARLIEST_SERIAL <= day <= _LATEST_SERIAL:
            return day
    raise _UnreadableError("不是日期，请填写日期，如2019-06-30。")


def _without_midnight(text: str) -> str:
    """The day that a text names, without a time of midnight behind it."""
    match = _WITH_TIME.fullmatch(text)
    if match is None:
        return text
    zone = (match["zone"] or "Z").strip().upper().replace(":", "")
    if not _MIDNIGHT.fullmatch(match["time"]) or zone not in _ZONES_OF_MIDNIGHT:
        raise _UnreadableError(_WITHOUT_TIME)
    return match["day"].rstrip()


def _read_number(cell: Cell, text: str) -> Decimal:
    if isinstance(cell, bool | date):
        raise _UnreadableError("不是数字，请填写数字。")
    if says_nothing(text):
        raise _UnreadableError("不是数字，没有时请填0。")
    text = _BLANKS_INSIDE.sub("", text.translate(_FULL_WIDTH_SIGNS))
    if _SCIENTIFIC.fullmatch(text):
        raise _UnreadableError("数字是科学记数法，末尾几位可能已经丢失；请填写完整数字。")
    if not _NUMBER.fullmatch(text):
        raise _UnreadableError("不是数字，请只填写数字，不要带单位或文字。")
    return Decimal(text.replace(",", ""))


def _refuse_out_of_bounds(number: Decimal, text: str, column: Column, smallest: int, largest: Decimal) -> None:
    if not smallest <= number <= largest:
        raise _UnreadableError(f"{_shown(text)}超出范围，请填写{column.expected}。", "T05")


def _read_int(cell: Cell, text: str, column: Column) -> int:
    number = _read_number(cell, text)
    if number != number.to_integral_value():
        raise _UnreadableError("不是整数，请填写整数。")
    _refuse_out_of_bounds(number, text, column, column.min, Decimal(column.max or _LARGEST_INT))
    return int(number)


def _read_decimal(cell: Cell, text: str, column: Column, *, places: int, largest: Decimal) -> Decimal:
    number = _read_number(cell, text)
    _refuse_out_of_bounds(number, text, column, 0, largest)
    rounded = number.quantize(Decimal(1).scaleb(-places))
    if rounded != number:
        raise _UnreadableError(f"小数多于{places}位，请四舍五入到{places}位小数。")
    return abs(rounded)  # -0 is within the bounds, and is 0


def _read_choice(text: str, column: Column) -> str | bool:
    if column.type is ColumnType.YESNO:
        if text not in ("是", "否"):
            raise _UnreadableError(f"“{_shown(text)}”不在可选值之内，请填写：{column.expected}。", "T04")
        return text == "是"
    if text not in column.of:
        raise _UnreadableError(f"“{_shown(text)}”不在可选值之内，请选择：{column.expected}。", "T04")
    return text


def _shown(text: str) -> str:
    """A wrong value inside a message: short, and no ID by accident."""
    return mask_digit_runs(text)[:20]
