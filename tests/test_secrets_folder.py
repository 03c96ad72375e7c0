"""The secrets of docker-compose.yaml: a folder with a file each, made once and never overwritten."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from five_precisions import secrets_folder
from five_precisions.errors import SetupError
from five_precisions.secrets_folder import SECRETS, create_secrets_folder, main
from five_precisions.settings import ROOT, Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder as the command makes it."""
    made = tmp_path / "secrets"
    umask = os.umask(0)
    try:
        assert create_secrets_folder(made) == list(SECRETS)
    finally:
        os.umask(umask)
    return made


def test_only_its_owner_comes_in_and_whoever_a_container_runs_as_reads(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o644}
    assert {file.name for file in folder.iterdir()} == SECRETS.keys(), "no draft is left behind"


def test_what_can_be_random_is(folder: Path, tmp_path: Path) -> None:
    create_secrets_folder(tmp_path / "other")
    written = {name: (folder / name).read_text(encoding="utf-8") for name in SECRETS}
    other = {name: (tmp_path / "other" / name).read_text(encoding="utf-8") for name in SECRETS}
    alike = {name for name in SECRETS if written[name] == other[name]}
    empty = {"FIVE_PRECISIONS_" + name for name in ("MAIL", "INBOX_OPTIONS", "OUTBOX_OPTIONS", "ARCHIVE_OPTIONS")}
    assert alike == empty | {"FIVE_PRECISIONS_WAREHOUSE", "airflow_connections.json"}
    assert {written[name] for name in empty} == {""}
    assert json.loads(written["airflow_connections.json"]) == {}
    Fernet(written["airflow_fernet_key"])
    random = SECRETS.keys() - alike
    assert min(len(written[name]) for name in random) >= 24
    assert len({written[name] for name in random}) == len(random)
    # Redis' stands in an address.
    assert all(written[name].replace("-", "").replace("_", "").replace("=", "").isalnum() for name in random)


def test_what_is_there_is_never_overwritten(folder: Path) -> None:
    (folder / "FIVE_PRECISIONS_PII_KEY").write_text("the old one, by which people are found", encoding="utf-8")
    (folder / "redis_password").unlink()
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert create_secrets_folder(folder) == ["redis_password"]
    assert {file.name: file.read_bytes() for file in folder.iterdir() if file.name in before} == before


def test_settings_are_read_from_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIVE_PRECISIONS_SECRETS_FOLDER", str(folder))
    key = (folder / "FIVE_PRECISIONS_PII_KEY").read_text(encoding="utf-8")
    # As an editor leaves it.
    (folder / "FIVE_PRECISIONS_PII_KEY").write_text(key + "\n", encoding="utf-8")
    settings = Settings.load()
    assert settings.require_pii_key() == key.encode()
    assert len(settings.require_archive_keys()) == 1
    assert settings.warehouse == "postgresql+psycopg://five_precisions@postgres/five_precisions"
    assert key not in repr(settings)
    # An empty file is a setting that nobody has made.
    assert settings.mail is None
    assert settings.storage_options("inbox") == {}
    (folder / "FIVE_PRECISIONS_INBOX_OPTIONS").write_text('{"username": "collector"}\n', encoding="utf-8")
    assert Settings.load().storage_options("inbox") == {"username": "collector"}


def test_the_environment_goes_before_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIVE_PRECISIONS_SECRETS_FOLDER", str(folder))
    monkeypatch.setenv("FIVE_PRECISIONS_WAREHOUSE", "postgresql://elsewhere/database")
    assert Settings.load().warehouse == "postgresql://elsewhere/database"


def test_a_named_folder_must_be_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (folder / "nowhere", folder / "redis_password"):
        monkeypatch.setenv("FIVE_PRECISIONS_SECRETS_FOLDER", str(place))
        with pytest.raises(SetupError, match=f"^FIVE_PRECISIONS_SECRETS_FOLDER names {place}, which is no folder.$"):
            Settings.load()


def test_a_secret_that_is_no_text_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIVE_PRECISIONS_SECRETS_FOLDER", str(folder))
    (folder / "FIVE_PRECISIONS_PII_KEY").write_bytes("密".encode("gb18030"))
    with pytest.raises(SetupError, match=f"^A file in {folder} is not text in UTF-8.$"):
        Settings.load()


@pytest.mark.integration
def test_the_command_needs_nothing_but_python(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", str(ROOT / "include/five_precisions/secrets_folder.py"), "secrets"]
    said = [subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout for _ in range(2)]
    assert said[0].startswith("secrets: 15 made, 0 kept as they are; keep a copy in a safe place.\nEmpty, for you to ")
    assert said[1].startswith("secrets: 0 made, 15 kept as they are; ")
    for name in SECRETS:
        secret = (tmp_path / "secrets" / name).read_text(encoding="utf-8")
        assert len(secret) < 20 or secret not in "".join(said)


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err == f"Usage: python3 {Path(secrets_folder.__file__).name} FOLDER\n"
    (tmp_path / "file").touch()
    assert main([str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err == f"{tmp_path / 'file'} cannot be made: File exists.\n"
