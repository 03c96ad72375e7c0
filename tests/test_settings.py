"""Settings and the secrets file (docs/reference/settings.md)."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from five_precisions.errors import SetupError
from five_precisions.period import Period
from five_precisions.secrets_file import NAMES, create_secrets_file, main
from five_precisions.settings import INCLUDE, ROOT, Settings

SECRET = "thirty-two bytes at least, so this"


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """The folder that the environment of every test names, with nothing in it."""
    folder = tmp_path / "var"
    folder.mkdir()
    return folder


def test_defaults_lie_under_var(var: Path) -> None:
    settings = Settings.load()
    assert settings.var == var
    assert settings.warehouse is None
    assert settings.inbox_address == str(var / "inbox")
    assert settings.outbox_address == str(var / "outbox")
    assert settings.archive_address == str(var / "archive")
    assert (settings.register_folder / "institutions.csv").is_file(), "the demo's register is the default"
    assert (settings.settle_seconds, settings.replay) == (10, False)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "WAREHOUSE": "postgresql://somewhere/database",
        "INBOX": "s3://bucket/inbox",
        "OUTBOX": "s3://bucket/outbox",
        "ARCHIVE": "s3://bucket/archive",
        "REGISTER": "/etc/register",
        "REFERENCE": "/etc/reference",
        "MAIL": "mailto://localhost",
        "FIRST_PERIOD": "2019-01",
        "LAST_PERIOD": "2019-06",
        "REPLAY": "1",
        "SETTLE_SECONDS": "0",
        "PII_KEY": SECRET,
    }.items():
        monkeypatch.setenv(f"FIVE_PRECISIONS_{name}", value)
    settings = Settings.load()
    assert settings.warehouse == "postgresql://somewhere/database"
    assert settings.inbox_address == "s3://bucket/inbox"
    assert settings.outbox_address == "s3://bucket/outbox"
    assert settings.archive_address == "s3://bucket/archive"
    assert settings.register_folder == Path("/etc/register")
    assert settings.reference == Path("/etc/reference")
    assert settings.mail is not None
    assert settings.mail.get_secret_value() == "mailto://localhost"
    assert (settings.first_period, settings.last_period) == (Period(2019, 1), Period(2019, 6))
    assert (settings.replay, settings.settle_seconds) == (True, 0)
    assert settings.require_pii_key() == SECRET.encode()
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SETTLE_SECONDS", "soon"),
        ("SETTLE_SECONDS", "-1"),
        ("SETTLE_SECONDS", "nan"),
        ("SETTLE_SECONDS", "inf"),
        ("REPLAY", "perhaps"),
        ("FIRST_PERIOD", "2019-13"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"FIVE_PRECISIONS_{name}", value)
    with pytest.raises(SetupError, match=f"^FIVE_PRECISIONS_{name} is wrong: ") as refused:
        Settings.load()
    assert refused.value.exit_code == 2
    assert "\n" not in str(refused.value)
    assert "Value error" not in str(refused.value)


def test_a_last_period_before_the_first_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIVE_PRECISIONS_FIRST_PERIOD", "2019-06")
    monkeypatch.setenv("FIVE_PRECISIONS_LAST_PERIOD", "2019-06")
    assert Settings.load().last_period == Period(2019, 6)
    monkeypatch.setenv("FIVE_PRECISIONS_LAST_PERIOD", "2019-05")
    with pytest.raises(SetupError, match="LAST_PERIOD lies before FIVE_PRECISIONS_FIRST_PERIOD"):
        Settings.load()


def test_a_wrong_period_ends_with_exit_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIVE_PRECISIONS_FIRST_PERIOD", "June 2019")
    with pytest.raises(Exception, match="'June 2019' is not a period") as refused:
        Settings.load()
    assert getattr(refused.value, "exit_code", None) == 2


def test_an_empty_value_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIVE_PRECISIONS_WAREHOUSE", "")
    monkeypatch.setenv("FIVE_PRECISIONS_FIRST_PERIOD", "")
    settings = Settings.load()
    assert settings.warehouse is None
    assert settings.first_period is None


def test_a_missing_secret_is_named(var: Path) -> None:
    settings = Settings.load()
    with pytest.raises(SetupError, match=r"^FIVE_PRECISIONS_PII_KEY is not set; .*$"):
        settings.require_pii_key()
    with pytest.raises(SetupError, match=r"^FIVE_PRECISIONS_ARCHIVE_KEY is not set; .*$"):
        settings.require_archive_keys()


@pytest.mark.parametrize("secret", ["hunter2", "x" * 31])
def test_a_short_secret_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("FIVE_PRECISIONS_PII_KEY", secret)
    monkeypatch.setenv("FIVE_PRECISIONS_ARCHIVE_KEY", f"{SECRET},{secret}")
    settings = Settings.load()
    with pytest.raises(SetupError, match="FIVE_PRECISIONS_PII_KEY is too short") as refused:
        settings.require_pii_key()
    assert secret not in str(refused.value)
    with pytest.raises(SetupError, match="FIVE_PRECISIONS_ARCHIVE_KEY is too short"):
        settings.require_archive_keys()


def test_a_secret_is_measured_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIVE_PRECISIONS_PII_KEY", "密" * 11)
    assert len(Settings.load().require_pii_key()) == 33


def test_several_archive_keys_stay_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    new, old = "n" * 32, "o" * 32
    monkeypatch.setenv("FIVE_PRECISIONS_ARCHIVE_KEY", f"{new}, {old}")
    assert Settings.load().require_archive_keys() == [new.encode(), old.encode()]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610])
def test_a_secrets_file_open_to_others_is_refused(var: Path, mode: int) -> None:
    file = var / "secrets.env"
    create_secrets_file(file)
    file.chmod(mode)
    with pytest.raises(SetupError, match=r"secrets\.env can be read by others than its owner; run: chmod 600 "):
        Settings.load()


def test_a_named_secrets_file_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FIVE_PRECISIONS_SECRETS_FILE", str(tmp_path / "none.env"))
    with pytest.raises(SetupError, match=r"FIVE_PRECISIONS_SECRETS_FILE names .*none\.env, which does not exist"):
        Settings.load()


def test_what_is_no_text_is_no_secrets_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    monkeypatch.setenv("FIVE_PRECISIONS_SECRETS_FILE", str(file))
    file.mkdir(mode=0o700)
    with pytest.raises(SetupError, match=f"^{file} is no file of secrets.$"):
        Settings.load()
    file.rmdir()
    file.touch(mode=0o600)
    file.write_bytes("FIVE_PRECISIONS_PII_KEY=密".encode("gb18030"))
    with pytest.raises(SetupError, match=f"^{file} is not text in UTF-8.$"):
        Settings.load()


def test_the_environment_goes_before_the_secrets_file(monkeypatch: pytest.MonkeyPatch, var: Path) -> None:
    create_secrets_file(var / "secrets.env")
    from_file = Settings.load().require_pii_key()
    monkeypatch.setenv("FIVE_PRECISIONS_PII_KEY", SECRET)
    assert from_file != Settings.load().require_pii_key() == SECRET.encode()


def test_a_reference_file_may_be_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "reports.yaml").touch()
    assert Settings.load().reference_file("reports.yaml") == INCLUDE / "reference" / "reports.yaml"
    monkeypatch.setenv("FIVE_PRECISIONS_REFERENCE", str(tmp_path))
    settings = Settings.load()
    assert settings.reference_file("reports.yaml") == tmp_path / "reports.yaml"
    assert settings.reference_file("metrics.yaml") == INCLUDE / "reference" / "metrics.yaml"


def test_a_reference_folder_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FIVE_PRECISIONS_REFERENCE", str(tmp_path / "nowhere"))
    with pytest.raises(SetupError, match=f"^FIVE_PRECISIONS_REFERENCE names {tmp_path}/nowhere, which is no folder.$"):
        Settings.load().reference_file("metrics.yaml")


def test_the_secrets_file_is_made_whole_private_and_usable(var: Path) -> None:
    file = var / "deep" / "secrets.env"
    umask = os.umask(0)
    try:
        assert create_secrets_file(file)
    finally:
        os.umask(umask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    pairs = dict(line.split("=", 1) for line in file.read_text(encoding="utf-8").splitlines())
    assert tuple(pairs) == NAMES == ("FIVE_PRECISIONS_PII_KEY", "FIVE_PRECISIONS_ARCHIVE_KEY")
    assert len(set(pairs.values())) == 2
    assert all(len(secret) == 64 for secret in pairs.values())
    assert list(file.parent.iterdir()) == [file], "no draft is left behind"
    file.rename(var / "secrets.env")
    settings = Settings.load()
    assert settings.require_pii_key() == pairs[NAMES[0]].encode()
    assert settings.require_archive_keys() == [pairs[NAMES[1]].encode()]


def test_a_secrets_file_is_never_overwritten(var: Path) -> None:
    file = var / "secrets.env"
    assert create_secrets_file(file)
    before = file.read_bytes()
    assert not create_secrets_file(file)
    assert file.read_bytes() == before
    assert list(var.iterdir()) == [file]


@pytest.mark.integration
def test_of_many_at_once_one_makes_the_secrets_file(var: Path) -> None:
    command = [sys.executable, "-m", "five_precisions.secrets_file", str(var / "secrets.env")]
    makers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [maker.communicate(timeout=120)[0] for maker in makers]
    assert [maker.returncode for maker in makers] == [0, 0, 0]
    assert sorted("made" in words for words in said) == [False, False, True]
    assert len((var / "secrets.env").read_text(encoding="utf-8").splitlines()) == 2


def data_in(folder: Path) -> Path:
    """A folder that holds what was made with secrets."""
    (folder / "data").mkdir(parents=True)
    return folder


def said_by_make_install(var: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence of a refusal that wrote nothing."""
    before = sorted(var.rglob("*"))
    assert main([str(var / "secrets.env")]) == 2
    out, said = capsys.readouterr()
    assert (out, said.count("\n"), sorted(var.rglob("*"))) == ("", 1, before)
    return said


@pytest.mark.parametrize("place", ["warehouse", "archive", "mycity/warehouse", "../elsewhere/warehouse"])
def test_no_new_secrets_are_written_beside_what_was_made_with_others(
    place: str, var: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data_in(var / place)
    monkeypatch.setenv("FIVE_PRECISIONS_VAR", str((var / place).parent))
    said = said_by_make_install(var, capsys)
    assert said.startswith(f"{var / place} was made with secrets, and {var / 'secrets.env'} is not there: put it back")
    # With both from the environment there is none to write, and nothing is wrong.
    monkeypatch.setenv(NAMES[0], SECRET)
    assert "put it back" in said_by_make_install(var, capsys)
    monkeypatch.setenv(NAMES[1], SECRET)
    assert main([str(var / "secrets.env")]) == 0
    assert not (var / "secrets.env").exists()


def test_what_has_secrets_of_its_own_asks_for_no_others(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_in(var / "demo" / "warehouse")
    create_secrets_file(var / "demo" / "secrets.env")
    (var / "warehouse").mkdir()
    assert main([str(var / "secrets.env")]) == 0
    assert (var / "secrets.env").exists(), "a folder in which nothing lies was made with nothing"
    (var / "secrets.env").rename(var / "mine.env")
    data_in(var / "archive")
    monkeypatch.setenv("FIVE_PRECISIONS_SECRETS_FILE", str(var / "mine.env"))
    assert main([str(var / "secrets.env")]) == 0
    assert not (var / "secrets.env").exists()


@pytest.mark.parametrize("line", ["", f"{NAMES[1]}=\n", "# it was here\n"], ids=["missing", "empty", "a comment"])
@pytest.mark.parametrize("is_in_use", [True, False])
def test_half_a_secrets_file_is_refused(
    is_in_use: bool, line: str, var: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if is_in_use:
        data_in(var / "warehouse")
    file = var / "secrets.env"
    file.touch(mode=0o600)
    file.write_text(f"{NAMES[0].lower()}='{SECRET}'\n{line}", encoding="utf-8")
    assert said_by_make_install(var, capsys).startswith(f"{file} has no {NAMES[1]}: put it back from your copy")
    monkeypatch.setenv(NAMES[1], SECRET)
    assert main([str(file)]) == 0


def test_the_secrets_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err == "Usage: python -m five_precisions.secrets_file PATH\n"
    (tmp_path / "file").touch()
    assert main([str(tmp_path / "file" / "secrets.env")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(str(tmp_path / "file" / "secrets.env"))
    assert said.count("\n") == 1


@pytest.mark.parametrize("written", ["2019", "201906", "2019-13", "June"])
def test_a_wrong_first_period_is_named(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("FIVE_PRECISIONS_FIRST_PERIOD", written)
    with pytest.raises(SetupError, match=f"FIVE_PRECISIONS_FIRST_PERIOD is wrong: .*{written}.* is not a period"):
        Settings.load()
