"""A Parquet file is measured page by page before the library unpacks one (docs/intake.md#bad-input)."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from pyarrow import parquet

from five_precisions.intake.reading.files import read_file
from five_precisions.intake.reading.sheet import DEFAULT_LIMITS, Limits, UnreadableFileError

MEGABYTE = 1024**2
ROWS = 600
COMPRESSIONS = ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]
TABLE = pa.table(
    {
        "文字": [None if row % 7 == 0 else f"文{row % 50}" for row in range(ROWS)],
        "编号": [f"{row:08}" for row in range(ROWS)],
        "空": pa.nulls(ROWS),
        "数": [None if row % 3 == 0 else row + 0.5 for row in range(ROWS)],
        "整数": list(range(ROWS)),
        "是": [row % 2 == 0 for row in range(ROWS)],
        "金额": pa.array([Decimal(row) / 4 for row in range(ROWS)], pa.decimal128(20, 2)),
        "日期": [date(2019, 6, 1 + row % 30) for row in range(ROWS)],
        "时间": pa.array([datetime(2019, 6, 1, tzinfo=UTC)] * ROWS, pa.timestamp("us", "UTC")),
        "字节": pa.array([f"b{row % 9}".encode() for row in range(ROWS)]),
        "定长": pa.array([b"abcd"] * ROWS, pa.binary(4)),
        "类": pa.array(["甲", "乙", "丙"] * (ROWS // 3)).dictionary_encode(),
    }
)
PLAIN: dict[str, Any] = {"use_dictionary": False, "compression": "none", "write_statistics": False}


def parquet_of(table: pa.Table, **options: Any) -> bytes:
    content = io.BytesIO()
    parquet.write_table(table, content, **options)
    return content.getvalue()


def rows_of(content: bytes, limits: Limits = DEFAULT_LIMITS) -> list[list[object]]:
    (sheet,) = read_file("position.parquet", content, known_headers=(), limits=limits)
    return [list(row) for row in sheet.rows]


def zigzag(number: int) -> bytes:
    """A number as it stands in a footer and in the header of a page."""
    number, coded = number * 2, bytearray()
    while number >= 0x80:
        coded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*coded, number])


def forged(content: bytes, old: bytes, new: bytes) -> bytes:
    """With these bytes of the footer replaced, all of them."""
    assert len(old) == len(new)
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    assert old in content[footer:]
    return content[:footer] + content[footer:].replace(old, new)


@pytest.fixture
def nothing_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet.ParquetFile, "iter_batches", lambda *_, **__: pytest.fail("the library reads"))


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("pages", ["1.0", "2.0"])
def test_what_writers_make_is_read(compression: str, pages: str) -> None:
    wanted = rows_of(parquet_of(TABLE))
    assert wanted[0] == TABLE.schema.names
    assert wanted[1:] == [
        [None, "00000000", None, None, 0, True, "0.00", date(2019, 6, 1), *wanted[1][8:9], "b0", "abcd", "甲"],
        *wanted[2:],
    ]
    assert len(wanted) == 1 + ROWS
    for version, use_dictionary, row_group_size in itertools.product(["1.0", "2.6"], [True, False], [None, 170]):
        content = parquet_of(
            TABLE,
            version=version,
            data_page_version=pages,
            compression=compression,
            use_dictionary=use_dictionary,
            row_group_size=row_group_size,
            data_page_size=300,
            write_statistics=use_dictionary,
            write_page_index=use_dictionary,
            write_page_checksum=not use_dictionary,
        )
        assert rows_of(content) == wanted, (version, use_dictionary, row_group_size)


def test_tables_of_no_rows_or_columns_and_of_names_alike_are_read() -> None:
    assert rows_of(parquet_of(TABLE.slice(0, 0))) == [TABLE.schema.names]
    assert rows_of(parquet_of(pa.table({}))) == [[]]
    twins = pa.Table.from_arrays([pa.array([1, 2]), pa.array(["a", None])], names=["x", "x"])
    assert rows_of(parquet_of(twins)) == [["x", "x"], [1, "a"], [2, None]]


@pytest.mark.usefixtures("nothing_is_unpacked")
@pytest.mark.parametrize("pages", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", COMPRESSIONS[1:])
def test_pages_are_counted_whatever_the_footer_says(compression: str, pages: str) -> None:
    zeros = pa.table({"x": [0.0] * 300_000})
    content = parquet_of(zeros, use_dictionary=False, compression=compression, data_page_version=pages)
    stated = parquet.read_metadata(io.BytesIO(content)).row_group(0).column(0).total_uncompressed_size
    lying = forged(content, zigzag(stated), zigzag(stated - MEGABYTE))
    chunk = parquet.read_metadata(io.BytesIO(lying)).row_group(0).column(0)
    assert chunk.total_uncompressed_size < 2 * MEGABYTE < stated
    with pytest.raises(UnreadableFileError, match="解压后超过2MB"):
        rows_of(lying, Limits(unpacked_bytes=2 * MEGABYTE))


@pytest.mark.integration
def test_a_file_that_unpacks_to_too_much_takes_little_memory(tmp_path: Path) -> None:
    # 64 MB in one page of each column.
    zeros = pa.array([0.0] * 419_430)
    options = {"use_dictionary": False, "compression": "zstd", "data_page_size": 64 * MEGABYTE}
    path = tmp_path / "position.parquet"
    path.write_bytes(parquet_of(pa.table({f"c{number}": zeros for number in range(20)}), **options))
    program = f"""
from pathlib import Path
from pyarrow import parquet
from five_precisions.intake.reading.files import read_file
from five_precisions.intake.reading.sheet import Limits, UnreadableFileError
from tests.memory import peak_megabytes
content = Path({str(path)!r}).read_bytes()
before = peak_megabytes()
try:
    read_file("a.parquet", content, known_headers=(), limits=Limits(unpacked_bytes=32 * 1024**2))
except UnreadableFileError as error:
    print(error, round(peak_megabytes() - before))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    message, grown = done.stdout.split()
    assert "解压后超过32MB" in message
    assert int(grown) < 16, "megabytes"


@pytest.mark.usefixtures("nothing_is_unpacked")
def test_columns_that_share_their_bytes_are_refused() -> None:
    content = parquet_of(pa.table({name: [1.5] * 100 for name in "abc"}), **PLAIN)
    offsets = [parquet.read_metadata(io.BytesIO(content)).row_group(0).column(at).data_page_offset for at in (1, 2)]
    # The field stands two after the one before it, and is a number of 64 bits.
    shared = forged(content, b"\x26" + zigzag(offsets[1]), b"\x26" + zigzag(offsets[0]))
    with pytest.raises(UnreadableFileError, match="已损坏"):
        rows_of(shared)


@pytest.mark.usefixtures("nothing_is_unpacked")
@pytest.mark.parametrize(
    ("place", "value"),
    [
        pytest.param(7, 0x01, id="a negative size unpacked"),
        pytest.param(9, 0x01, id="a negative size packed"),
        pytest.param(9, 0x7E, id="a page into the next column"),
        pytest.param(4, 0x1D, id="a field of no kind"),
    ],
)
def test_a_page_that_contradicts_itself_is_refused(place: int, value: int) -> None:
    content = bytearray(parquet_of(pa.table({"a": [1.5, 2.5], "b": [3.5, 4.5]}), **PLAIN))
    # The page's kind and its two sizes, each a field of one byte after its head.
    assert content[4:7] == b"\x15\x00\x15"
    assert content[8] == 0x15
    content[place] = value
    with pytest.raises(UnreadableFileError, match="已损坏"):
        rows_of(bytes(content))


@pytest.mark.usefixtures("nothing_is_unpacked")
def test_a_column_longer_than_its_row_group_is_refused() -> None:
    content = parquet_of(pa.table({"a": [1.5] * 20}), **PLAIN)
    size = parquet.read_metadata(io.BytesIO(content)).row_group(0).total_byte_size
    shorter = forged(content, zigzag(size) + b"\x16" + zigzag(20), zigzag(size) + b"\x16" + zigzag(19))
    with pytest.raises(UnreadableFileError, match="已损坏"):
        rows_of(shorter)


@pytest.mark.usefixtures("nothing_is_unpacked")
def test_rows_of_the_row_groups_are_counted_whatever_the_footer_says() -> None:
    content = parquet_of(pa.table({"a": [1.5] * 20}), **PLAIN)
    lying = forged(content, b"\x16" + zigzag(20) + b"\x19", b"\x16" + zigzag(2) + b"\x19")
    assert parquet.read_metadata(io.BytesIO(lying)).num_rows == 2
    with pytest.raises(UnreadableFileError, match="文件超过20行"):
        rows_of(lying, Limits(rows=20))


@pytest.mark.usefixtures("nothing_is_unpacked")
def test_a_dictionary_is_counted_among_the_texts() -> None:
    content = parquet_of(pa.table({"a": [f"{row:0100}" for row in range(1000)]}))
    with pytest.raises(UnreadableFileError, match="文字超过0MB"):
        rows_of(content, Limits(unpacked_bytes=300_000))


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.json_()])
def test_a_long_text_shown_in_many_rows_is_counted_as_often(kind: pa.DataType) -> None:
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), pa.array(["甲" * 10_000]))
    storage = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    content = parquet_of(pa.table({"a": long.cast(storage).cast(kind)}))
    assert len(content) < 200_000
    before = pa.total_allocated_bytes()
    with pytest.raises(UnreadableFileError, match="文字超过1MB"):
        rows_of(content, Limits(unpacked_bytes=4 * MEGABYTE))
    assert pa.total_allocated_bytes() - before < MEGABYTE


@pytest.mark.usefixtures("nothing_is_unpacked")
def test_bytes_of_one_length_are_counted_by_rows() -> None:
    content = parquet_of(pa.table({"a": pa.array([None] * 300, pa.binary(10_000))}))
    with pytest.raises(UnreadableFileError, match="解压后超过2MB"):
        rows_of(content, Limits(unpacked_bytes=2 * MEGABYTE))


@pytest.mark.usefixtures("nothing_is_unpacked")
@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
@pytest.mark.parametrize("pages", ["1.0", "2.0"])
def test_texts_whose_size_cannot_be_told_are_refused_by_name(encoding: str, pages: str) -> None:
    texts = pa.table({"a": ["x", "xy"]})
    content = parquet_of(texts, use_dictionary=False, column_encoding={"a": encoding}, data_page_version=pages)
    with pytest.raises(UnreadableFileError, match=rf"列“a”的编码方式（{encoding}）不能接收"):
        rows_of(content)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        pytest.param({"a": "x" * 5 * MEGABYTE}, "超过4MB", id="long"),
        pytest.param({str(number): "" for number in range(130_000)}, "过于庞杂", id="of many parts"),
    ],
)
def test_a_footer_is_measured_before_the_library_reads_it(
    metadata: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, content = pa.table({"a": [1]}), io.BytesIO()
    with parquet.ParquetWriter(content, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(metadata)
    monkeypatch.setattr(parquet, "ParquetFile", lambda *_, **__: pytest.fail("the library reads"))
    with pytest.raises(UnreadableFileError, match=message):
        rows_of(content.getvalue())


def test_a_footer_cut_anywhere_is_refused() -> None:
    content = parquet_of(pa.table({"a": [1]}), store_schema=False)
    footer = int.from_bytes(content[-8:-4], "little")
    for length in range(footer):
        cut = content[: len(content) - 8 - footer + length] + length.to_bytes(4, "little") + b"PAR1"
        with pytest.raises(UnreadableFileError, match="已损坏"):
            rows_of(cut)


@pytest.mark.usefixtures("nothing_is_unpacked")
def test_one_page_of_most_of_the_file_is_refused() -> None:
    content = parquet_of(pa.table({"a": ["x" * 140_000] * 1000}), use_dictionary=False, data_page_size=2**30)
    with pytest.raises(UnreadableFileError, match="超过128MB"):
        rows_of(content)


def test_of_a_dictionary_only_what_is_shown_is_a_cell() -> None:
    numbers = pa.array([2, None, 0, 2], pa.int32())
    content = parquet_of(pa.table({"a": pa.DictionaryArray.from_arrays(numbers, ["甲", "乙", "丙", "丁"])}))
    assert rows_of(content) == [["a"], ["丙"], [None], ["甲"], ["丙"]]
    empty = parquet_of(pa.table({"a": pa.array([None, "", None])}))
    assert rows_of(empty) == [["a"], [None], [None], [None]]


def test_texts_beyond_what_a_dictionary_holds_are_read() -> None:
    texts = [f"借款人{row % 4000}" for row in range(9000)]
    content = parquet_of(pa.table({"a": texts}), dictionary_pagesize_limit=1000, write_batch_size=100)
    encodings = parquet.read_metadata(io.BytesIO(content)).row_group(0).column(0).encodings
    assert {"PLAIN", "RLE_DICTIONARY"} <= set(encodings)
    assert [row for (row,) in rows_of(content)] == ["a", *texts]
