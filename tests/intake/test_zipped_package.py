"""A package as one .zip, as programs pack it and as one who means harm does (docs/intake.md#the-package)."""

from __future__ import annotations

import io
import random
import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from five_precisions.intake.leftovers import is_leftover
from five_precisions.intake.reading.files import read_file
from five_precisions.intake.reading.sheet import DEFAULT_LIMITS, Limits, UnreadableFileError
from five_precisions.intake.reading.zipped_package import unzip_package
from tests.fixtures.hostile.make import bomb_member, forged_zip
from tests.fixtures.workbooks import ods, xlsx
from tests.fuzz.mutations import mutate_bytes, mutate_member

MEGABYTE = 1024**2


def zip_of(members: Mapping[str, bytes], **attributes: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_DEFLATED
            for attribute, value in attributes.items():
                setattr(member, attribute, value)
            archive.writestr(member, body)
    return content.getvalue()


def raw_zip(*names: bytes, flags: int = 0, extra: bytes = b"") -> bytes:
    """A zip with these bytes as names; the body of each is its number."""
    body, directory = bytearray(), bytearray()
    for number, name in enumerate(names):
        data = str(number).encode()
        sizes = struct.pack("<IIIHH", zlib.crc32(data), len(data), len(data), len(name), len(extra))
        common = struct.pack("<HHHHH", 20, flags, 0, 0, 0x4EE1) + sizes
        place = struct.pack("<HHHII", 0, 0, 0, 0, len(body))
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + common + place + name + extra
        body += b"PK\x03\x04" + common + name + extra + data
    count = len(names)
    tail = struct.pack("<HHHHIIH", 0, 0, count & 0xFFFF, count & 0xFFFF, len(directory), len(body), 0)
    return bytes(body + directory) + b"PK\x05\x06" + tail


def names_of(content: bytes) -> list[str]:
    return [name for name, _ in unzip_package(content, DEFAULT_LIMITS)]


def refusal_of(content: bytes, limits: Limits = DEFAULT_LIMITS) -> str:
    with pytest.raises(UnreadableFileError) as refused:
        unzip_package(content, limits)
    assert str(refused.value).endswith("。")
    return str(refused.value)


def test_files_come_in_the_order_of_their_names() -> None:
    files = {"贷款台账.xlsx": b"1", "cover.csv": b"2", "a.csv": b""}
    assert unzip_package(zip_of(files), DEFAULT_LIMITS) == [
        ("a.csv", b""),
        ("cover.csv", b"2"),
        ("贷款台账.xlsx", b"1"),
    ]


@pytest.mark.parametrize("around", ["", "B06/", "2019-06/B06/", "./", "./报送/", "2019-06\\B06\\"])
def test_a_folder_around_all_files_is_no_part_of_their_names(around: str) -> None:
    content = raw_zip(*(f"{around}{name}".encode() for name in ("loans.csv", "cover.csv")))
    assert unzip_package(content, DEFAULT_LIMITS) == [("cover.csv", b"1"), ("loans.csv", b"0")]


def test_folders_of_their_own_are_no_files() -> None:
    members = {"2019-06/": b"", "2019-06/empty/": b"", "2019-06/loans.csv": b"x"}
    assert unzip_package(zip_of(members), DEFAULT_LIMITS) == [("loans.csv", b"x")]


@pytest.mark.parametrize(
    "members", [("a/loans.csv", "b/cover.csv"), ("loans.csv", "b/cover.csv"), ("a\\b\\x.csv", "a\\y.csv")]
)
def test_files_in_several_folders_are_refused(members: tuple[str, str]) -> None:
    assert "压缩包里有子文件夹“" in refusal_of(raw_zip(*(name.encode() for name in members)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("贷款台账.xlsx".encode("gbk"), "贷款台账.xlsx"),
        ("贷款台账.xlsx".encode(), "贷款台账.xlsx"),
        ("㐂𠮷.csv".encode("gb18030"), "㐂𠮷.csv"),
        # Its second byte is the backslash.
        ("乗.csv".encode("gbk"), "乗.csv"),
        # As bytes these are UTF-8 too, of letters that nobody writes.
        ("亲一.csv".encode("gbk"), "亲一.csv"),
        (b"loans.csv", "loans.csv"),
    ],
)
def test_names_without_a_mark_are_utf_8_or_gbk(name: bytes, expected: str) -> None:
    assert names_of(raw_zip(name)) == [expected]


def test_names_in_utf_8_by_mark_or_by_extra_field() -> None:
    name = "贷款台账.xlsx".encode()
    assert names_of(raw_zip(name, flags=0x800)) == ["贷款台账.xlsx"]
    field = struct.pack("<BL", 1, zlib.crc32(b"?.xlsx")) + name
    extra = struct.pack("<HH", 0x5455, 1) + b"\0" + struct.pack("<HH", 0x7075, len(field)) + field
    assert names_of(raw_zip(b"?.xlsx", extra=extra)) == ["贷款台账.xlsx"]
    assert names_of(raw_zip(b"loans.xlsx", extra=extra)) == ["loans.xlsx"]


@pytest.mark.parametrize("flags", [0, 0x800])
def test_names_in_no_encoding_are_refused(flags: int) -> None:
    assert "文件名读不出来" in refusal_of(raw_zip(b"\xff\xfe.csv", flags=flags))


@pytest.mark.parametrize(
    "name",
    [
        "/etc/x.csv",
        "../x.csv",
        "a/../../x.csv",
        "C:\\x.csv",
        "c:x.csv",
        "..\\x.csv",
        "\\\\host\\x.csv",
        "x\0.csv",
        "a\nb.csv",
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    assert "不是普通文件名" in refusal_of(raw_zip(name.encode()))


def test_links_and_devices_are_refused() -> None:
    for kind in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR):
        content = zip_of({"loans.csv": b"/etc/hostname"}, create_system=3, external_attr=(kind | 0o777) << 16)
        assert "指向别处的链接" in refusal_of(content)
    assert names_of(zip_of({"a.csv": b""}, create_system=3, external_attr=(stat.S_IFREG | 0o644) << 16)) == ["a.csv"]


@pytest.mark.parametrize("flag", [0x0001, 0x0041])
def test_a_password_is_named(flag: int) -> None:
    assert refusal_of(raw_zip(b"loans.csv", flags=flag)) == "压缩包设有密码，请取消密码后重新报送。"


def test_what_programs_leave_behind_is_left_out() -> None:
    left = {
        "__MACOSX/2019-06/._loans.csv": b"",
        "2019-06/.DS_Store": b"",
        "2019-06/~$loans.xlsx": b"",
        "Thumbs.db": b"",
    }
    assert names_of(zip_of({**left, "2019-06/loans.csv": b"x"})) == ["loans.csv"]
    assert refusal_of(zip_of(left)) == refusal_of(zip_of({})) == "压缩包里没有文件，请放入要报送的文件后重新压缩报送。"


@pytest.mark.parametrize("name", ["x.zip", "x.RAR", "x.7z", "x.tar.gz"])
def test_an_archive_in_it_is_refused(name: str) -> None:
    assert f"压缩包里还有压缩包“{name}”" in refusal_of(zip_of({"loans.csv": b"", name: b"PK"}))


def test_workbooks_in_it_are_no_archives() -> None:
    files = {"a.xlsx": xlsx({"a": [["x"]]}), "b.ods": ods({"a": [["x"]]})}
    assert dict(unzip_package(zip_of(files), DEFAULT_LIMITS)) == files


def test_a_workbook_named_zip_is_named() -> None:
    for kind, content in (("xlsx", xlsx({"a": [["x"]]})), ("ods", ods({"a": [["x"]]}))):
        assert f"内容却是电子表格，请把扩展名改为 {kind}" in refusal_of(content)
        with pytest.raises(UnreadableFileError, match=f"扩展名改为 {kind}"):
            read_file("a.zip", content, known_headers=())


def test_two_files_of_one_name_are_refused() -> None:
    assert "两个同名文件“loans.csv”" in refusal_of(raw_zip(b"loans.csv", b"loans.csv"))
    assert "两个同名文件“贷款.csv”" in refusal_of(raw_zip("贷款.csv".encode(), "贷款.csv".encode("gbk")))
    assert "两个同名文件" in refusal_of(zip_of({"loans.csv": b"", "Loans.CSV": b""}))


def test_the_whole_is_bounded() -> None:
    assert "超过500个" in refusal_of(zip_of({f"{number}.csv": b"" for number in range(501)}))
    assert "超过500个" in refusal_of(b"PK\x01\x02" * 60_000)
    assert len(names_of(zip_of({f"{number}.csv": b"" for number in range(500)}))) == 500
    content = zip_of({f"{number}.csv": bytes(MEGABYTE) for number in range(4)})
    assert "解压后超过3MB" in refusal_of(content, Limits(unpacked_bytes=12 * MEGABYTE))
    assert len(unzip_package(content, Limits(unpacked_bytes=16 * MEGABYTE))) == 4
    assert "压缩包超过0MB" in refusal_of(content, Limits(packed_bytes=1000))


@pytest.mark.parametrize("cut", [0, 10, -1, -10])
def test_a_damaged_zip_is_named(cut: int) -> None:
    content = zip_of({"loans.csv": b"x" * 1000})
    assert "压缩包已损坏" in refusal_of(content[:cut])
    at = content.index(b"loans.csv") + 12
    assert "压缩包已损坏" in refusal_of(content[:at] + b"\xff\xff" + content[at + 2 :])


def test_rare_compressions_are_refused_for_what_they_may_ask_of_memory() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("loans.csv", b"x" * 1000)
    assert "不能读取的压缩方式" in refusal_of(content.getvalue())


MEASURED = """
import sys, time
from pathlib import Path
from five_precisions.intake.reading.sheet import DEFAULT_LIMITS, UnreadableFileError
from five_precisions.intake.reading.zipped_package import unzip_package
from tests.memory import peak_megabytes
begun = time.monotonic()
try:
    unzip_package(Path(sys.argv[1]).read_bytes(), DEFAULT_LIMITS)
    print("was unpacked")
except UnreadableFileError as error:
    print(error)
print(time.monotonic() - begun)
print(peak_megabytes())
"""


def bomb(kind: str) -> bytes:
    if kind == "members":
        return raw_zip(*(b"%d" % number for number in range(60_000)))
    packed, check = bomb_member(32 * MEGABYTE)
    size = 1000 if kind == "forged sizes" else 32 * MEGABYTE
    one = forged_zip([("a.csv", packed, check, size)])
    if kind != "overlapping":
        return forged_zip([(f"{number}.csv", packed, check, size) for number in range(40)])
    at, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    again = one[at:end] * 40
    return one[:at] + again + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 40, 40, len(again), at, 0)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("large members", "解压后超过256MB"),
        ("forged sizes", "已损坏"),
        ("overlapping", "已损坏"),
        ("members", "超过500个"),
    ],
)
def test_bombs_take_little_time_and_memory(kind: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(bomb(kind))
    result = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr[-2000:]
    message, seconds, megabytes = result.stdout.splitlines()
    assert words in message
    assert float(seconds) < 15
    assert float(megabytes) < 500


def test_whatever_happens_to_a_zip_it_is_unpacked_or_refused() -> None:
    files = {"2019-06/贷款台账.csv": b"x,y\r\n" * 50, "2019-06/cover.csv": b"a", "2019-06/position.xlsx": b"PK" * 40}
    sound, gbk = zip_of(files), raw_zip("贷款.csv".encode("gbk"), b"cover.csv")
    unpacked = refused = 0
    for number in range(2000):
        rng = random.Random(number)
        content = rng.choice((sound, gbk))
        for _ in range(rng.randint(1, 3)):
            try:
                content, _ = rng.choice((mutate_bytes, mutate_member))(content, rng)
            except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, IndexError):
                content, _ = mutate_bytes(content, rng)
        try:
            found = unzip_package(content, DEFAULT_LIMITS)
        except UnreadableFileError as error:
            refused += str(error).endswith("。")
        else:
            unpacked += 1
            assert all("/" not in name and "\\" not in name and name not in ("", "..") for name, _ in found), number
    assert unpacked + refused == 2000
    assert min(unpacked, refused) > 100


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store", "._loans.csv", "~$loans.xlsx", ".~loans.xlsx", ".~lock.loans.ods#", "loans.csv.filepart",
        "loans.xlsx.PART", "a.partial", "a.TMP", "a.crdownload", "a.uploading", "loans.csv~", "loans.bak", "loans.xlk",
        "Thumbs.db", "DESKTOP.INI", "__MACOSX",
    ],
)  # fmt: skip
def test_leftovers(name: str) -> None:
    assert is_leftover(name)


@pytest.mark.parametrize(
    "name", ["loans.csv", "part.csv", "tmp", "bak.xlsx", "~loans.csv", "my desktop.ini.csv", "loans"]
)
def test_what_may_be_a_report_is_no_leftover(name: str) -> None:
    assert not is_leftover(name)
