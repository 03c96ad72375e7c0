"""Tells a workbook whose structure is protected from one with a password that somebody must know.

Spreadsheet programs encrypt the first kind too, with a password that they all know. Nobody who sends such a file has
ever typed it, so what is asked for is another thing: see docs/intake.md#bad-input. Only what the file holds for
checking a password is looked at ([MS-OFFCRYPTO] 2.3); the rest is never decrypted.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Callable
from typing import Final, NoReturn

from five_precisions.intake.reading.compound_file import stream_of
from five_precisions.intake.reading.delivered_xml import read_tags
from five_precisions.intake.reading.sheet import UnreadableFileError, locked

_PASSWORD: Final = "VelvetSweatshop"  # noqa: S105 - no secret: every spreadsheet program has it
_WIDE_PASSWORD: Final = _PASSWORD.encode("utf-16-le")
_MOST_ROUNDS: Final = 1_000_000
"""Of hashing; programs take a tenth of it."""
_LONGEST_INFO: Final = 1 << 16
"""Bytes of what is said of the encryption."""
_ROUNDS_OF_2007: Final = 50_000
_AGILE: Final = b"\4\0\4\0"
_HASHES: Final = frozenset({"sha1", "sha256", "sha384", "sha512"})
_INPUT_BLOCK: Final = bytes.fromhex("fea7d2763b4b9e79")
_VALUE_BLOCK: Final = bytes.fromhex("d7aa0f6d3061344e")
_XOR: Final = 0
_FIRST_RC4: Final = 1
_LONGEST_KEY: Final = 32
_SHORTEST_KEY: Final = 5
"""Bytes: all that could once be exported."""


def refuse_package(content: bytes) -> NoReturn:
    """Refuse a compound file that holds an encrypted workbook of the newer formats.

    Raises:
        UnreadableFileError: always.
    """

    def is_default() -> bool:
        info = stream_of(content, "EncryptionInfo")[:_LONGEST_INFO]
        return _opens_agile(info[8:]) if info.startswith(_AGILE) else _opens_standard(info[8:])

    _refuse(is_default)


def refuse_records(body: bytes) -> NoReturn:
    """Refuse a .xls whose records are encrypted, by the body of the record that says so.

    Raises:
        UnreadableFileError: always.
    """
    _refuse(lambda: _opens_records(body))


def _refuse(is_default: Callable[[], bool]) -> NoReturn:
    try:
        is_protected = is_default()
    except Exception as error:
        # What cannot be checked, in as many ways as files break, has a password for all that is known.
        raise locked() from error
    if not is_protected:
        raise locked()
    raise UnreadableFileError(
        "工作簿设有结构保护，因而整个文件被加密，请在“审阅”选项卡点“保护工作簿”，撤销工作簿保护后重新报送。"
    )


def _opens_agile(info: bytes) -> bool:
    key = next(tag.attributes for tag in read_tags([info.rstrip(b"\0")]) if tag.name == "encryptedKey")
    name, rounds = key["hashAlgorithm"].lower().replace("-", ""), int(key["spinCount"])
    if name not in _HASHES or rounds > _MOST_ROUNDS:
        return False
    salt = base64.b64decode(key["saltValue"])
    hashed = _hashed(name, salt, rounds)

    def decrypted(attribute: str, block: bytes) -> bytes:
        size = min(int(key["keyBits"]) // 8, _LONGEST_KEY)
        own = hashlib.new(name, hashed + block).digest().ljust(size, b"\x36")[:size]
        initial = salt.ljust(16, b"\x36")[:16]
        return _decrypted(own, base64.b64decode(key[attribute]), initial)

    verifier = decrypted("encryptedVerifierHashInput", _INPUT_BLOCK)[: int(key["saltSize"])]
    expected = decrypted("encryptedVerifierHashValue", _VALUE_BLOCK)[: int(key["hashSize"])]
    return hashlib.new(name, verifier).digest() == expected


def _opens_standard(info: bytes) -> bool:
    (size,) = struct.unpack_from("<I", info)
    (key_bits,) = struct.unpack_from("<I", info, 4 + 16)
    salt, verifier, expected = struct.unpack_from("<4x16s16s4x32s", info, 4 + size)
    hashed = hashlib.sha1(_hashed("sha1", salt, _ROUNDS_OF_2007) + bytes(4)).digest()  # noqa: S324 - as the format has it
    halves = [bytes(sign ^ byte for byte in hashed.ljust(64, b"\0")) for sign in (0x36, 0x5C)]
    key = b"".join(hashlib.sha1(half).digest() for half in halves)[: key_bits // 8]  # noqa: S324
    return hashlib.sha1(_decrypted(key, verifier)).digest() == _decrypted(key, expected)[:20]  # noqa: S324


def _hashed(name: str, salt: bytes, rounds: int) -> bytes:
    hashed = hashlib.new(name, salt + _WIDE_PASSWORD).digest()
    for number in range(rounds):
        hashed = hashlib.new(name, number.to_bytes(4, "little") + hashed).digest()
    return hashed


def _decrypted(key: bytes, data: bytes, initial: bytes | None = None) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    mode = modes.ECB() if initial is None else modes.CBC(initial)  # noqa: S305 - as the format has it
    decryptor = Cipher(algorithms.AES(key), mode).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def _opens_records(body: bytes) -> bool:
    (kind,) = struct.unpack_from("<H", body)
    if kind == _XOR:
        return body[4:6] == _xor_verifier(_PASSWORD.encode("ascii")).to_bytes(2, "little")
    (version,) = struct.unpack_from("<H", body, 2)
    if version == _FIRST_RC4:
        salt, verifier, expected = struct.unpack_from("<16s16s16s", body, 6)
        first = hashlib.md5((hashlib.md5(_WIDE_PASSWORD).digest()[:_SHORTEST_KEY] + salt) * 16).digest()[:_SHORTEST_KEY]  # noqa: S324
        opened = _rc4(hashlib.md5(first + bytes(4)).digest(), verifier + expected)  # noqa: S324
        return hashlib.md5(opened[:16]).digest() == opened[16:]  # noqa: S324
    (size,) = struct.unpack_from("<I", body, 10)
    (key_bits,) = struct.unpack_from("<I", body, 14 + 16)
    salt, verifier, expected = struct.unpack_from("<4x16s16s4x20s", body, 14 + size)
    hashed = hashlib.sha1(hashlib.sha1(salt + _WIDE_PASSWORD).digest() + bytes(4)).digest()  # noqa: S324
    key = hashed[: (key_bits or 40) // 8]
    opened = _rc4(key.ljust(16, b"\0") if len(key) == _SHORTEST_KEY else key, verifier + expected)
    return hashlib.sha1(opened[:16]).digest() == opened[16:]  # noqa: S324


def _xor_verifier(password: bytes) -> int:
    verifier = 0
    for byte in reversed(bytes([len(password)]) + password):
        verifier = (verifier << 1 & 0x7FFF | verifier >> 14 & 1) ^ byte
    return verifier ^ 0xCE4B


def _rc4(key: bytes, data: bytes) -> bytes:
    from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
    from cryptography.hazmat.primitives.ciphers import Cipher

    return Cipher(ARC4(key), mode=None).decryptor().update(data)
