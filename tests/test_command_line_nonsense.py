"""Nonsense in every argument of every command: one sentence, exit code 2, nothing written.

See docs/operations.md#by-command-line.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import typer.main
from sqlalchemy import Engine, create_engine, text

from five_precisions import cli
from five_precisions.figures import assess
from five_precisions.installation import open_installation
from five_precisions.settings import PREFIX, Settings
from tests.command_line import assert_one_sentence, run
from tests.conftest import SECRET, fresh_database
from tests.figures.conftest import JANUARY
from tests.figures.january import deliver_january
from tests.figures.small_city import SmallCity
from tests.packages import cover_file, cover_line, put, report_file, sound

LONG: Final = "x" * 100_000
UNREADABLE: Final = ("", "  ", "\x00", "a\x07b", "\udcff")

MONTHS: Final = (
    *UNREADABLE, LONG, "2019", "2019-1", "2019-00", "2019-13", "2019-01-01", "2019-01\n", "2019-Q1", "0000-01",
    "0001-01", "1999-12", "3000-01", "9999-12", "99999-01", "２０１９-０１", "-1", "nan", "1e400",
)  # fmt: skip
QUARTERS: Final = (*UNREADABLE, LONG, "2019-Q0", "2019-Q5", "2019-01", "0001-Q1", "1999-Q4", "9999-Q1", "-1", "nan")
DAYS: Final = (
    *UNREADABLE, LONG, "2019-02", "2019-02-30", "2019-7-5", "0001-01-01", "9999-12-31", "99999-01-01", "20190705",
    "２０１９-０７-１５", "tomorrow", "-1", "nan", "1e400",
)  # fmt: skip
COUNTS: Final = (*UNREADABLE, LONG, "-1", str(10**30), "9" * 5000, "1.5", "nan", "inf", "1e400", "0x10", "five")
REASONS: Final = (*UNREADABLE, "\u200b", "\n\t", "x" * 501, LONG)
WORDS: Final = (
    *UNREADABLE, LONG, "a\nb", "B99", "../../etc/passwd", "-1", "1e400", "nan", "'; drop table mart.run; --",
    "[red]B01[/blue]", "=1+1", "%s", "𠮷",
)  # fmt: skip
PLACES: Final = ("", "  ", "\x00", "/proc/nowhere/x.xlsx", "<file>/x.xlsx", f"<folder>/{'x' * 300}.xlsx", "<folder>")
"""Where no file can be: `<file>` and `<folder>` stand for one that is there."""
FOLDERS: Final = ("", "  ", "\x00", "/proc/nowhere", "<file>", f"<folder>/{'x' * 300}")
"""Where no folder can be made."""

NONSENSE: Final = {
    "period": MONTHS,
    "start": MONTHS,
    "quarter": QUARTERS,
    "day": DAYS,
    "first": COUNTS,
    "seed": COUNTS,
    "year": (*COUNTS, "0", "1999", "3000"),
    "reason": REASONS,
    "workbook": PLACES,
    "csv_file": PLACES,
    "file": PLACES,
    "path": PLACES,
    "out_folder": FOLDERS,
    "institution": WORDS,
    "metric": WORDS,
    "scope": WORDS,
    "code": WORDS,
    "run": WORDS,
    "case_id": WORDS,
    "rule": WORDS,
    "level": WORDS,
    "state": WORDS,
    "status": WORDS,
    "key": WORDS,
    "town": WORDS,
    "name": WORDS,
}
"""By the name of the parameter; a parameter of another name has to be thought of here."""
OTHERWISE: Final = {
    ("demo-data", "until"): MONTHS,
    ("cases set-aside", "until"): DAYS,
    ("outbox list", "period"): (*UNREADABLE, LONG, "2019-13", "2019-Q5", "0001-01", "9999-Q1", "-1", "nan"),
    ("check", "path"): ("", "  ", "\x00", "/proc/nowhere", "<file>/x.csv", f"<folder>/{'x' * 300}"),
}
"""Parameters whose name means something else in one command."""
SOUND: Final = {
    "period": "2019-01",
    "start": "2019-03",
    "quarter": "2019-Q1",
    "day": "2019-02-15",
    "until": "2019-12-31",
    "year": "2019",
    "reason": "试",
    "workbook": "<folder>/found.xlsx",
    "path": "<folder>/new.xlsx",
    "out_folder": "<folder>/out",
    "institution": "B01",
    "metric": "loan_balance",
    "case_id": "A01-B01-0",
    "key": "receipt/2019-01/B01/x/v1",
    "name": "forms_2020",
}
"""What stands in the other parameters, where they are required."""
SOUND_OTHERWISE: Final = {("demo-data", "until"): "2019-01", ("check", "path"): "<package>"}
TO_COME: Final = {"collect", "close", "assess", "restate", "deadline", "check", "status"}
"""Commands that no month to come has a meaning for."""
TAKES_ANY_LEVEL_OF_REFUSAL: Final = {("bulletin", "out_folder")}
"""Refused before the place is looked at: the small city has one month."""


class Asked(NamedTuple):
    """A parameter of a command."""

    command: str
    name: str
    is_argument: bool
    option: str
    required: bool


def parameters() -> dict[str, list[Asked]]:
    """Every parameter that takes a word, by command."""
    found: dict[str, list[Asked]] = {}

    def walk(command: Any, path: tuple[str, ...]) -> None:
        for name, each in getattr(command, "commands", {}).items():
            walk(each, (*path, name))
        asked = [
            Asked(" ".join(path), each.name, each.param_type_name == "argument", each.opts[-1], each.required)
            for each in command.params
            if not getattr(each, "is_flag", False) and each.name != "help"
        ]
        if asked:
            found[" ".join(path)] = asked

    walk(typer.main.get_command(cli.make_app()), ())
    return found


PARAMETERS: Final = parameters()


@pytest.fixture(scope="module")
def assessed_city(server_url: str) -> Iterator[str]:
    """Address of a warehouse with one assessed month; no test of this file changes it."""
    with fresh_database(server_url) as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            city = SmallCity(connection)
            deliver_january(city)
            city.close(JANUARY)
        assess(engine, Settings(_env_file=None, warehouse=url, pii_key=SECRET, archive_key=SECRET), JANUARY)
        engine.dispose()
        yield url


@pytest.fixture
def city(assessed_city: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The warehouse of the commands; in the end it is as it was."""
    for name, value in {"WAREHOUSE": assessed_city, "PII_KEY": SECRET, "ARCHIVE_KEY": SECRET}.items():
        monkeypatch.setenv(PREFIX + name, value)
    # The first command that has the keys puts their fingerprints on record.
    with open_installation() as (engine, _):
        before = counted(engine)
        yield engine
        assert counted(engine) == before


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    """What `<file>`, `<folder>` and `<package>` stand for."""
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    rows = [sound("grid", hotline="")]
    put(tmp_path / "package", [cover_file(cover_line("grid", rows)), report_file("grid", rows)])
    return {f"<{name}>": str(tmp_path / name) for name in ("file", "folder", "package")}


def counted(engine: Engine) -> dict[str, int]:
    """Rows of every table."""
    with engine.connect() as connection:
        tables = connection.execute(
            text(
                "select table_schema || '.' || table_name from information_schema.tables "
                "where table_type = 'BASE TABLE' "
                "and table_schema in ('registry', 'intake', 'core', 'mart', 'notify') order by 1"
            )
        ).scalars()
        return {
            name: int(connection.execute(text(f"select count(*) from {name}")).scalar_one()) for name in tables.all()
        }


def words_of(asked: Asked, nonsense: str) -> list[str]:
    """The command's words with nonsense in one place and what is sound in the others that are required."""
    options: list[str] = []
    arguments: list[str] = []
    for each in PARAMETERS[asked.command]:
        if each == asked:
            value = nonsense
        elif each.required or each.name == "until":
            value = SOUND_OTHERWISE.get((each.command, each.name), SOUND.get(each.name, ""))
        elif each.name == "day" and asked.name in ("reason", "institution"):
            value = SOUND["day"]
        elif asked.command == "deadline" and asked.name == "institution" and each.name == "reason":
            value = SOUND["reason"]
        else:
            continue
        if each.is_argument:
            arguments.append(value)
        else:
            options.append(f"{each.option}={value}")
    flags = ["--force"] if (asked.command, asked.name) == ("close", "reason") else []
    return [*asked.command.split(), *flags, *options, "--", *arguments]


def test_every_command_is_walked() -> None:
    assert len(PARAMETERS) >= 25
    asked = {each.name for every in PARAMETERS.values() for each in every}
    assert asked >= {"period", "institution", "reason", "first", "csv_file"}
    unknown = {
        (each.command, each.name)
        for every in PARAMETERS.values()
        for each in every
        if each.name not in NONSENSE and (each.command, each.name) not in OTHERWISE
    }
    assert not unknown, "what is nonsense for a new parameter?"


@pytest.mark.parametrize("command", PARAMETERS)
def test_nonsense_is_one_sentence_and_writes_nothing(
    command: str,
    city: Engine,
    places: dict[str, str],
) -> None:
    before = sorted(Path(places["<folder>"]).iterdir())
    wrong: list[str] = []
    for asked in PARAMETERS[command]:
        for nonsense in OTHERWISE.get((command, asked.name)) or NONSENSE[asked.name]:
            words = words_of(asked, nonsense)
            for name, place in places.items():
                words = [word.replace(name, place) for word in words]
            result = run(*words)
            code, said = result.returncode, result.stderr
            allowed = {1, 2} if (command, asked.name) in TAKES_ANY_LEVEL_OF_REFUSAL else {2}
            lines = said.splitlines()
            if code not in allowed or len(lines) != 1 or len(said) > 3000 or "Traceback" in said:
                wrong.append(f"{command} {asked.name}={nonsense[:60]!r}: {code}, {said[:300]!r}")
    assert not wrong, "\n".join(wrong)
    assert sorted(Path(places["<folder>"]).iterdir()) == before
    assert Path(places["<file>"]).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("command", sorted(TO_COME))
def test_a_month_to_come_is_refused(
    command: str,
    city: Engine,
    places: dict[str, str],
) -> None:
    [asked] = [each for each in PARAMETERS[command] if each.name == "period"]
    words = words_of(asked, "2999-01")
    if command == "deadline":
        assert_one_sentence(run(command, "2999-01"), 2, "2999-01 has not begun.")
        words = [command, "--reason=x", "--", "2999-01", "2999-02-05"]
    words = [word.replace("<package>", places["<package>"]).replace("<folder>", places["<folder>"]) for word in words]
    assert_one_sentence(run(*words), 2, "2999-01 has not begun.")


@pytest.mark.parametrize("words", [["nonsense"], ["close", "--perod", "2019-01"], ["close"], ["close", "2019-01", "x"]])
def test_what_is_no_command_or_option_is_one_sentence(words: list[str], city: Engine) -> None:
    assert_one_sentence(run(*words), 2, "--help\n")


def test_a_group_without_a_command_shows_its_help() -> None:
    result = run("cases")
    assert result.returncode == 2
    assert "set-aside" in result.stdout + result.stderr
