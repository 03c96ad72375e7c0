"""Parquet files: typed columns → cells, each value as exactly as the file holds it.

See docs/intake.md#the-package.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any, Final

from five_precisions.intake.reading.parquet_pages import damaged_parquet, measure_footer, measure_pages
from five_precisions.intake.reading.sheet import (
    Limits,
    Sheet,
    UnreadableFileError,
    as_cell,
    refuse_too_large,
    too_many_cells,
    too_much_text,
)
from five_precisions.period import SHANGHAI
from five_precisions.reports.cells import Cell

_ROWS_AT_ONCE: Final = 20_000
_PARTS_OF_A_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_NANOSECONDS: Final = 10**9
_DAY_ZERO: Final = datetime.fromisoformat("1970-01-01T00:00+00:00")
_WHOLE_NUMBERS_END: Final = {2: 2**11, 4: 2**24}
"""By bytes of a short float: from here on it does not tell a whole number from the next one."""


def read_parquet(name: str, content: bytes, limits: Limits) -> list[Sheet]:
    """The one sheet of a Parquet file.

    Raises:
        UnreadableFileError: it is damaged, encrypted, nested or too large (F01).
    """
    import pyarrow as pa  # type: ignore[import-untyped]

    try:
        return [_read_measured(name, content, limits)]
    except (pa.ArrowException, OSError, ValueError, OverflowError, TypeError, KeyError, IndexError) as error:
        raise damaged_parquet() from error


def _read_measured(name: str, content: bytes, limits: Limits) -> Sheet:
    import pyarrow as pa
    from pyarrow import parquet

    groups = measure_footer(content)
    file = parquet.ParquetFile(pa.BufferReader(content))
    metadata, schema = file.metadata, file.schema_arrow
    rows = max(metadata.num_rows, sum(group.rows for group in groups))
    refuse_too_large(None, rows + 1, metadata.num_columns, limits)
    if rows * metadata.num_columns > limits.cells:
        raise too_many_cells(limits)
    if nested := next((field.name for field in schema if pa.types.is_nested(field.type)), None):
        raise UnreadableFileError(f"列“{nested}”不是普通列，一个单元格里有多个值，请拆成普通列后重新报送。")
    dictionaries = measure_pages(content, groups, metadata.schema, limits)
    # Texts by their dictionary: one long text may stand for a million rows.
    texts = {field.name for field, size in zip(schema, dictionaries, strict=True) if size and _is_text(field.type)}
    # What cannot be read so, as decimals in bytes, is read in pieces in which it may be long.
    longest = sum(size for field, size in zip(schema, dictionaries, strict=True) if field.name not in texts)
    rows_at_once = max(1, min(_ROWS_AT_ONCE, limits.text_bytes // max(1, longest)))
    # Nanoseconds would not reach the year 9999, by which some systems mean that a loan has no end.
    file = parquet.ParquetFile(
        pa.BufferReader(content), read_dictionary=sorted(texts), coerce_int96_timestamp_unit="us"
    )
    columns: list[list[Cell]] = [[] for _ in schema]
    shown = 0
    for batch in file.iter_batches(batch_size=rows_at_once, use_threads=False):
        for column, values in zip(columns, batch.columns, strict=True):
            cells = _cells(values)
            # A text that is stored once and shown in every row is read as often as it is shown.
            shown += sum(len(cell) for cell in cells if isinstance(cell, str))
            if shown > limits.text_bytes:
                raise too_much_text(limits)
            column.extend(cells)
    return Sheet(name, None, [list(schema.names), *map(list, zip(*columns, strict=True))])


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    is_kinds = (
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_binary,
        types.is_large_binary,
        types.is_binary_view,
    )
    of_values = kind.value_type if types.is_dictionary(kind) else kind
    return any(is_kind(of_values) for is_kind in is_kinds)


def _cells(values: Any) -> list[Cell]:
    import pyarrow as pa

    if pa.types.is_dictionary(values.type):
        # Each piece comes with the whole dictionary, of which little may be shown; that alone is copied.
        shown = values.indices.unique().drop_null()
        is_all = len(shown) == len(values.dictionary)
        texts = values.dictionary if is_all else values.dictionary.take(shown)
        numbers = range(len(texts)) if is_all else shown.to_pylist()
        cells = dict(zip(numbers, _cells(texts), strict=True))
        return [None if index is None else cells[index] for index in values.indices.to_pylist()]
    if pa.types.is_timestamp(values.type):
        return _each_once(values.cast(pa.int64()), _moment_reader(values.type.unit, has_zone=bool(values.type.tz)))
    if pa.types.is_float16(values.type) or pa.types.is_float32(values.type):
        return _short_floats(values)
    return [as_cell(value) for value in values.to_pylist()]


def _each_once(values: Any, read: Callable[[Any], Cell]) -> list[Cell]:
    """The cells of values of which many are alike, each value read once."""
    known = {value: None if value is None else read(value) for value in values.unique().to_pylist()}
    return [known[value] for value in values.to_pylist()]


def _moment_reader(unit: str, *, has_zone: bool) -> Callable[[int], Cell]:
    """How a moment is read that is counted in this unit from the beginning of 1970.

    With a zone it is a moment of the world, which falls on a day in China; without one the day is as it stands.
    """
    in_a_second = _PARTS_OF_A_SECOND[unit]

    def read(count: int) -> Cell:
        seconds, parts = divmod(count, in_a_second)
        try:
            moment = _DAY_ZERO + timedelta(seconds=seconds)
            if has_zone:
                return moment.astimezone(SHANGHAI).date()
        except OverflowError:
            # Beyond the year 9999: as the file has it, which is no date.
            return f"{count}{unit}"
        moment = moment.replace(tzinfo=None)
        if parts:
            return f"{moment}.{parts * _NANOSECONDS // in_a_second:09}"
        # With a time of day it stays a text, as it is of a CSV file: nobody knows which day is meant.
        return moment.date() if moment.time() == time() else str(moment)

    return read


def _short_floats(values: Any) -> list[Cell]:
    """Numbers of 16 or 32 bits by the fewest digits that tell them apart: 4.9, not 4.900000095367432.

    One so large that its last digits are lost comes in scientific notation, as which the cell's reader refuses it.
    """
    import numpy as np

    whole_numbers_end = _WHOLE_NUMBERS_END[values.type.bit_width // 8]

    def read(number: Any) -> Cell:
        if np.isfinite(number) and abs(number) >= whole_numbers_end:
            return np.format_float_scientific(number, trim="-")
        return as_cell(float(str(number)))

    # An empty cell becomes a number that is none, which is how data frames say empty.
    numbers = values.to_numpy(zero_copy_only=False)
    known = {number: read(number) for number in np.unique(numbers)}
    return [known.get(number) for number in numbers]
