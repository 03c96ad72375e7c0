"""Reading what files declare: what is wrong is said in one sentence that names the file, the place and its line.

YAML is taken in a plain form: names with values, no anchors, aliases or tags, numbers in plain digits. A table is CSV
whose first line names exactly its columns.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from io import StringIO
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from yaml.constructor import ConstructorError

from five_precisions.errors import SetupError
from five_precisions.own_files import refuse_what_would_not_count
from five_precisions.settings import Settings

Content = TypeVar("Content")
Key = TypeVar("Key", bound=Hashable)
Place = tuple[int | str, ...]
"""Where something stands in a YAML file: names and positions in lists, from the top."""

YEARS: Final = range(2000, 2101)
"""Years that a reference file may speak of; another is a slip of the pen."""
_LARGEST: Final = 1_000_000
"""Bytes; the largest that is shipped has 19,000."""
_DEEPEST: Final = 20
"""Levels of names in names; the deepest that is shipped has six."""
_NO_TEXT: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WHOLE: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ReferenceModel(BaseModel):
    """What stands under one name of a reference file; the error of an unknown name offers a near one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _knows_its_names(cls, content: object) -> object:
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for name in content if isinstance(content, Mapping) else ():
            if name not in known:
                raise ValueError(unknown_name(name, known))
        return content


def unknown_name(name: object, known: Collection[str]) -> str:
    """The rest of a sentence: what is meant instead of a name that nothing has."""
    near = get_close_matches(str(name), known, n=1)
    advice = f"do you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    return f"{shortened(name) if len(str(name)) > 60 else name} is unknown; {advice}"


def doubled(values: Iterable[Key]) -> list[Key]:
    """What stands among values more than once, each once, in their order."""
    return [value for value, times in Counter(values).items() if times > 1]


_RESOLVED: Final = "tag:yaml.org,2002:"


class _PlainLoader(yaml.CSafeLoader):
    """A loader that refuses a key that stands twice: of two entries the file would silently hold only the second.

    It is libyaml's: in Python alone, the catalogue took longer to read than a small month to compute.
    """


def _construct_mapping(loader: _PlainLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = []
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == _RESOLVED + "merge":
            problem = "a name is a word, and neither a list nor <<"
            raise ConstructorError(problem=problem, problem_mark=key_node.start_mark)
        keys.append(loader.construct_object(key_node, deep=True))
    if twice := doubled(keys):
        key = twice[0]
        again, _ = node.value[keys.index(key, keys.index(key) + 1)]
        raise ConstructorError(problem=f"{key} stands there twice, again in line {again.start_mark.line + 1}")
    return loader.construct_mapping(node, deep=True)


def _construct_text(loader: _PlainLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _construct_number(loader: _PlainLoader, node: yaml.ScalarNode) -> int | Decimal | str:
    # YAML reads 010 as eight, 1:30 as ninety and 1.0e+400 as infinity. What is not in plain digits stays the text that
    # it is, and is refused where a number is wanted. A decimal stays the one that was written, never a binary one.
    written = _construct_text(loader, node)
    if _WHOLE.fullmatch(written):
        return int(written)
    return Decimal(written) if _DECIMAL.fullmatch(written) else written


_PlainLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)
for _kind in ("int", "float"):
    _PlainLoader.add_constructor(_RESOLVED + _kind, _construct_number)
# A day is text to us too: 2016-02-30 looks like one and would end the reader.
for _kind in ("timestamp", "value"):
    _PlainLoader.add_constructor(_RESOLVED + _kind, _construct_text)


def load_reference(settings: Settings, name: str, validate: Callable[[Any], Content]) -> Content:
    """A YAML reference file, validated.

    Raises:
        SetupError: the file is missing, is no YAML, or does not say what it should; the sentence names the place.
    """
    return load_yaml(find_reference(settings, name), validate)


def load_yaml(path: Path, validate: Callable[[Any], Content]) -> Content:
    """A YAML file of names with values, validated.

    Raises:
        SetupError: the file is missing, is no YAML, or does not say what it should; the sentence names the place.
    """
    content = _parse_once(_read_text(path), f"{path} cannot be read")
    if not isinstance(content, dict):
        raise SetupError(f"{path} holds no names with values; compare it with the one in include/reference.")
    try:
        return validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        reason = first["msg"].removeprefix("Value error, ").removesuffix(".")
        raise wrong_at(path, first["loc"], reason) from error
    except MisplacedError as error:
        raise wrong_at(path, error.place, error.reason) from error


def sentences_of(error: SetupError) -> list[str]:
    """What is wrong with a file, a sentence for each place: the error itself has the first."""
    cause = error.__cause__
    said = str(error)
    if not isinstance(cause, ValidationError) or " is wrong at " not in said:
        return [said]
    path = Path(said.partition(" is wrong at ")[0])
    if path.suffix not in (".yaml", ".yml"):
        return [said]
    reasons = [(each["loc"], each["msg"].removeprefix("Value error, ").removesuffix(".")) for each in cause.errors()]
    return [str(wrong_at(path, place, reason)) for place, reason in reasons]


class MisplacedError(Exception):
    """What stands at one place of a file does not go with what stands at another; `load_yaml` makes the sentence."""

    def __init__(self, place: Place, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


def wrong_at(path: Path, place: Place, reason: str) -> SetupError:
    """What to raise where a YAML file does not say what it should: the sentence names the place and its line."""
    named = _on_one_line(".".join(str(part) for part in place)) or "the top"
    line = _line_of(_read_text(path), place)
    where = named if line is None else f"{named}, line {line}"
    return SetupError(f"{path} is wrong at {where}: {_sentence(reason)}")


def _line_of(text: str, place: Place) -> int | None:
    """The line of the last part of a place that stands in the text; the reader may name parts that do not."""
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    line = None
    for part in place:
        if isinstance(node, yaml.MappingNode):
            named = [(key, value) for key, value in node.value if key.value == str(part)]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            named = [(value, value) for value in node.value[part : part + 1]]
        else:
            break
        if named:
            [(first, node)] = named
            line = first.start_mark.line + 1
    return line


@lru_cache(maxsize=32)
def _parse_once(text: str, refusal: str) -> Any:
    """The same, of a file: a process that computes several months parses a text once, and again where it differs.

    What a file says is handed to validation alone, which makes models of it and changes nothing.
    """
    return parse_yaml(text, refusal)


def parse_yaml(text: str, refusal: str) -> Any:
    """What a YAML text says; `refusal` is how the sentence begins that refuses it.

    Raises:
        SetupError: it is no YAML in the plain form; the sentence names the place.
    """
    try:
        _refuse_what_is_not_plain(text)
        # The loader is a safe one, which the linter cannot see.
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        place = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SetupError(f"{refusal}: {_on_one_line(str(error.problem))}{place}.") from error
    except yaml.YAMLError as error:
        raise SetupError(f"{refusal}: {_on_one_line(str(error))}.") from error


def _refuse_what_is_not_plain(text: str) -> None:
    """Refuse what makes much of little, or a value of something else than it looks like: aliases, depth, tags."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            problem = f"the name {event.anchor} repeats what stands elsewhere (& and *); write it out"
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            problem = f"{event.tag} says what kind a value is (!); leave it out"
        elif depth > _DEEPEST:
            problem = f"there are more than {_DEEPEST} levels"
        else:
            continue
        place = f", in line {event.start_mark.line + 1}" if event.start_mark else ""
        raise ConstructorError(problem=f"{problem}{place}")


def load_json(path: Path, what: str) -> Any:
    """What a JSON file says; `what` it is of, for the sentence that refuses it.

    Raises:
        SetupError: the file is missing or no JSON, or has a name twice in one place or a number without an end.
    """
    try:
        written = path.read_text(encoding="utf-8")
        return json.loads(written, object_pairs_hook=_once, parse_constant=_finite, parse_float=_finite)
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise SetupError(f"{path} is no JSON of {what}: {error}.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of two entries the file would silently hold only the second.
    if twice := doubled(name for name, _ in pairs):
        raise ValueError(f"{twice[0]} stands twice in one place")
    return dict(pairs)


def _finite(written: str) -> float:
    if not math.isfinite(number := float(written)):
        raise ValueError(f"{written} is no number")
    return number


@dataclass(frozen=True, slots=True)
class TableLine:
    """A line of a table: where it stands, and its cells by column."""

    path: Path
    number: int
    cells: Mapping[str, str]

    def wrong(self, reason: str) -> SetupError:
        """What to raise where the line does not say what it should."""
        return SetupError(f"Line {self.number} of {self.path} is wrong: {_sentence(reason)}")

    def day(self, name: str) -> date:
        """A day, YYYY-MM-DD.

        Raises:
            SetupError: it is none, or of a year that is not meant.
        """
        written = self.cells[name]
        try:
            day = date.fromisoformat(written) if _DAY.fullmatch(written) else None
        except ValueError:
            day = None
        if day is None:
            raise self.wrong(f"{name} is {shortened(written)}; it is a day, YYYY-MM-DD")
        if day.year not in YEARS:
            raise self.wrong(f"{name} is {written}; its year lies between {YEARS[0]} and {YEARS[-1]}")
        return day

    def whole(self, name: str, least: int, most: int) -> int:
        """A whole number within bounds.

        Raises:
            SetupError: it is none.
        """
        written = self.cells[name]
        if not _WHOLE.fullmatch(written) or not least <= int(written) <= most:
            raise self.wrong(f"{name} is {shortened(written)}; it is a whole number from {least} to {most}")
        return int(written)

    def percent(self, name: str) -> Decimal:
        """A percentage from 0 to 100.

        Raises:
            SetupError: it is none.
        """
        written = self.cells[name]
        is_number = _WHOLE.fullmatch(written) or _DECIMAL.fullmatch(written)
        if not is_number or not 0 <= Decimal(written) <= 100:
            raise self.wrong(f"{name} is {shortened(written)}; it is a percentage from 0 to 100, in plain digits")
        return Decimal(written)


def load_table(path: Path, columns: Sequence[str]) -> tuple[TableLine, ...]:
    """The lines of a CSV file with these columns, in any order; empty lines are none.

    Raises:
        SetupError: the file is missing, is no CSV, or has other columns; the sentence names the place.
    """
    lines = csv.reader(StringIO(_read_text(path), newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(lines, [])]
        _refuse_other_columns(path, header, columns)
        return tuple(_lines_under(path, header, lines))
    except csv.Error as error:
        raise SetupError(f"Line {max(lines.line_num, 1)} of {path} is no line of CSV: {error}.") from None


def _refuse_other_columns(path: Path, header: Sequence[str], columns: Sequence[str]) -> None:
    wanted = f"its first line names the columns {', '.join(columns)}"
    if twice := doubled(header):
        raise SetupError(f"{path} has the column {shortened(twice[0])} twice; {wanted}.")
    if unknown := [name for name in header if name not in columns]:
        raise SetupError(f"{path} has the column {shortened(unknown[0])}, which is unknown; {wanted}.")
    if missing := [name for name in columns if name not in header]:
        raise SetupError(f"{path} lacks the column {', '.join(missing)}; {wanted}.")


def _lines_under(path: Path, header: Sequence[str], lines: Any) -> Iterator[TableLine]:
    for row in lines:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        line = TableLine(path, lines.line_num, dict(zip(header, cells, strict=False)))
        if len(cells) != len(header):
            raise line.wrong(f"it has {len(cells)} cells, and there are {len(header)} columns")
        yield line


def find_reference(settings: Settings, name: str) -> Path:
    """A file of include/reference, or the one that replaces it.

    Raises:
        SetupError: the folder with those that replace is not there, or holds one that would silently not count.
    """
    path = settings.reference_file(name)
    if settings.reference is not None:
        refuse_what_would_not_count(settings.reference)
    return path


def _read_text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise SetupError(f"{path} is no file.")
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > _LARGEST:
        raise SetupError(f"{path} has more than {_LARGEST:,} bytes; no reference file is so large.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SetupError(f"{path} is not UTF-8 in line {line}; save it as UTF-8.") from None
    if unprintable := _NO_TEXT.search(text):
        line = text.count("\n", 0, unprintable.start()) + 1
        raise SetupError(
            f"{path} has the character U+{ord(unprintable[0]):04X} in line {line}, which belongs into no text."
        )
    return text


def _on_one_line(words: str) -> str:
    return " ".join(words.split())


def _sentence(words: str) -> str:
    words = _on_one_line(words)
    return words if words.endswith("?") else f"{words}."
