"""A workbook whose structure is protected is told from one with a password: nobody knows the password of the first.

The bytes were computed by another program than ours, for the salt 00 to 0f and the verifier 10 to 1f.
"""

from __future__ import annotations

import base64
import hashlib
import struct

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from five_precisions.intake.reading.files import UnreadableFileError, read_file
from tests.fixtures.workbooks import compound_file, xls

SALT, VERIFIER = bytes(range(16)), bytes(range(16, 32))
DEFAULT, OTHER = "VelvetSweatshop", "secret"
PROTECTED, LOCKED = "撤销工作簿保护", "打开密码"
RC4 = {
    DEFAULT: "75893a71a012720e88b0c355190404ef7952c14f1ebd3eec4903dea40b7cc250",
    OTHER: "1c588a9d32e314f5f10534aa44266cb2affa6e6f1ad31daa7bb21bb4ed275590",
}
RC4_OF_40_BITS = {
    DEFAULT: "bc0606fb68c921f8ef09aa4b1091facba39158377977ad737cd5412d4628c95f94f2794e",
    OTHER: "abf702eef7e43ac2cfae6e7c5cb3ab4e9decec19d8c289fe524db1ff98f1af455e675cc0",
}
RC4_OF_128_BITS = {
    DEFAULT: "d450d6e1a56ca0ad1f5f1dbdb383757502d09feac72b2b48ed3d4117812c077ce90f780e",
    OTHER: "067b933b9c0be34a8d2d4509f49bc225035e49fddaf80587bd5ca9c0fda20d2c35108154",
}
AES = {
    DEFAULT: "34876ce157c5ea9415eeae630f2e538c40fd1bc1cfe13e830b201020d5723f311ae75e02c8b73278d2de3da108dc878e",
    OTHER: "eb21e96c4d32faaa8ab99d776558b7260dfb11885a24ca0dd93ad515e5a501b2b0ca973d9a8b242af67f1f2f8c5129ae",
}
XOR = {DEFAULT: 0x9A0A, OTHER: 0x9A0B}


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(UnreadableFileError) as refused:
        read_file(name, content, known_headers=())
    return str(refused.value)


# .xls


def encrypted_xls(body: bytes) -> bytes:
    """The record that says so is the second one; the rest is never looked at."""
    content = xls({"a": [["x"]]}, locked=True)
    record = b"\x2f\x00" + struct.pack("<H", 54)
    at = content.index(record)
    return content[:at] + (b"\x2f\x00" + struct.pack("<H", len(body)) + body).ljust(58, b"\0") + content[at + 58 :]


@pytest.mark.parametrize(("password", "words"), [(DEFAULT, PROTECTED), (OTHER, LOCKED)])
def test_structure_protected_in_xls(password: str, words: str) -> None:
    rc4 = struct.pack("<HHH", 1, 1, 1) + SALT + bytes.fromhex(RC4[password])
    assert words in refusal("a.xls", encrypted_xls(rc4))
    assert words in refusal("a.xls", encrypted_xls(struct.pack("<HHH", 0, 0x59B3, XOR[password])))


@pytest.mark.parametrize(("bits", "verifiers"), [(40, RC4_OF_40_BITS), (0, RC4_OF_40_BITS), (128, RC4_OF_128_BITS)])
@pytest.mark.parametrize(("password", "words"), [(DEFAULT, PROTECTED), (OTHER, LOCKED)])
def test_structure_protected_in_xls_of_later_versions(
    bits: int, verifiers: dict[str, str], password: str, words: str
) -> None:
    opened = bytes.fromhex(verifiers[password])
    header = struct.pack("<IIIIIIII", 4, 0, 0x6801, 0x8004, bits, 1, 0, 0) + "RC4\0".encode("utf-16-le")
    verifier = struct.pack("<I", 16) + SALT + opened[:16] + struct.pack("<I", 20) + opened[16:]
    body = struct.pack("<HHHII", 1, 2, 2, 4, len(header)) + header + verifier
    content = xls({"a": [["x"]]}, locked=True)
    at = content.index(b"\x2f\x00" + struct.pack("<H", 54))
    stream = content[512 * 3 : at] + b"\x2f\x00" + struct.pack("<H", len(body)) + body + b"\x0a\0\0\0"
    assert words in refusal("a.xls", compound_file("Workbook", stream[stream.index(b"\x09\x08") :]))


# Newer formats


def encrypted_package(info: bytes) -> bytes:
    """A compound file that says how its package is encrypted; of the package there is only the name."""
    return compound_file("EncryptionInfo", info) + "EncryptedPackage".encode("utf-16-le").ljust(512, b"\0")


def agile_info(password: str, *, rounds: int = 1_000, written: str | None = None) -> bytes:
    hashed = hashlib.sha512(SALT + password.encode("utf-16-le")).digest()
    for number in range(rounds):
        hashed = hashlib.sha512(struct.pack("<I", number) + hashed).digest()

    def encrypted(block: str, data: bytes) -> str:
        key = hashlib.sha512(hashed + bytes.fromhex(block)).digest()[:32]
        return base64.b64encode(Cipher(algorithms.AES(key), modes.CBC(SALT)).encryptor().update(data)).decode()

    return (
        b"\4\0\4\0\x40\0\0\0"
        + (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
            '<encryption xmlns="http://schemas.microsoft.com/office/2006/encryption" '
            'xmlns:p="http://schemas.microsoft.com/office/2006/keyEncryptor/password"><keyEncryptors><keyEncryptor>'
            f'<p:encryptedKey spinCount="{written or rounds}" saltSize="16" blockSize="16" keyBits="256" hashSize="64" '
            'cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" hashAlgorithm="SHA512" '
            f'saltValue="{base64.b64encode(SALT).decode()}" '
            f'encryptedVerifierHashInput="{encrypted("fea7d2763b4b9e79", VERIFIER)}" '
            f'encryptedVerifierHashValue="{encrypted("d7aa0f6d3061344e", hashlib.sha512(VERIFIER).digest())}"/>'
            "</keyEncryptor></keyEncryptors></encryption>"
        ).encode()
    )


def standard_info(password: str) -> bytes:
    opened = bytes.fromhex(AES[password])
    header = struct.pack("<IIIIIIII", 0x24, 0, 0x660E, 0x8004, 128, 24, 0, 0) + "AES\0".encode("utf-16-le")
    verifier = struct.pack("<I", 16) + SALT + opened[:16] + struct.pack("<I", 20) + opened[16:]
    return struct.pack("<HHII", 4, 2, 0x24, len(header)) + header + verifier


@pytest.mark.parametrize(("password", "words"), [(DEFAULT, PROTECTED), (OTHER, LOCKED)])
def test_structure_protected_in_newer_formats(password: str, words: str) -> None:
    assert words in refusal("a.xlsx", encrypted_package(agile_info(password)))
    assert words in refusal("a.xlsb", encrypted_package(standard_info(password)))


@pytest.mark.parametrize(
    "info",
    [
        b"",
        b"\4\0\4\0\x40\0\0\0<x",
        b"\4\0\2\0" + bytes(20),
        agile_info(DEFAULT, written="999999999"),
        agile_info(DEFAULT).replace(b"SHA512", b"SHAKE1"),
        agile_info(DEFAULT).replace(b'keyBits="256"', b'keyBits="100"'),
    ],
)
def test_what_cannot_be_checked_has_a_password(info: bytes) -> None:
    assert LOCKED in refusal("a.xlsx", encrypted_package(info))
