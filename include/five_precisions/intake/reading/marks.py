"""Marks of rows that are no data: signatures, notes, page lines, sums (docs/intake.md#rows-that-are-no-data)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from five_precisions.intake.reading.headers import normal_header
from five_precisions.reference import ReferenceModel, doubled, load_reference
from five_precisions.settings import Settings

Mark = Annotated[str, Field(min_length=1, max_length=20)]

_SUM: Final = "计"
"""In every word for a sum; a longer cell with it is looked at more closely."""
_OF_A_COLUMN: Final = re.compile(r"^(?:第|[A-Z]{1,3}(?=[0-9]))|列$")
"""第1列, C1, F001."""
_BLANKS: Final = r"[\s\u3000]*"
_BRACKETS: Final = "()（）[]【】「」<>《》*-—–=～~.。…"
_LONGEST_NAME_BEFORE_A_SUM: Final = 12
_CELLS_BEFORE_A_SUM: Final = 4
_FEWEST_COLUMN_NUMBERS: Final = 3
_FIRST_LETTERS_OF_PAGES: Final = "第共总接转续"
_LONGEST_PAGE_NUMBER: Final = len("Page 12 of 345 ")


_NUMBERED_CODE: Final = re.compile(r"[0-9]{5,}-[0-9A-Za-z]{2,}")
"""A code of digits with a number behind it, as households have: no day, no telephone number and no sum."""


class RowKind(Enum):
    """What a row is that is no data, in the words of a finding."""

    TOTAL = "合计行"
    SUBTOTAL = "小计行"
    SIGNATURE = "签字盖章行"
    NOTE = "备注说明行"
    END = "表尾行"
    PAGE = "页码行"
    HEADER = "重复的表头"
    COLUMN_NUMBERS = "栏次行"
    ASIDE = "本报表各列都没有内容的行"


class Marks(ReferenceModel):
    """What marks.yaml holds."""

    totals: tuple[Mark, ...] = Field(min_length=1)
    subtotals: tuple[Mark, ...] = ()
    signatures: tuple[Mark, ...] = ()
    notes: tuple[Mark, ...] = ()
    ends: tuple[Mark, ...] = ()
    pages: tuple[Mark | Annotated[str, Field(max_length=200)], ...] = ()
    columns: tuple[Mark, ...] = ()
    ordinals: tuple[Annotated[str, Field(min_length=1, max_length=1)], ...] = ()

    @model_validator(mode="after")
    def _says_one_thing_by_a_mark(self) -> Self:
        words = [*self.totals, *self.subtotals, *self.signatures, *self.notes, *self.ends]
        if twice := doubled(map(normal_header, words)):
            raise ValueError(f"{twice[0]} stands twice")
        if nothing := [word for word in words if not normal_header(word)]:
            raise ValueError(f"{nothing[0]!r} has no letters")
        for page in self.pages:
            try:
                if re.compile(page).fullmatch(""):
                    raise ValueError(f"{page}: the form takes a cell without a sign for a page line")
            except (re.error, OverflowError, RecursionError) as error:
                raise ValueError(f"{page}: it is no regular expression: {error}") from None
        return self

    def may_be_in(self, cell: object) -> bool:
        """Whether a cell is empty or may hold a mark: what holds of few cells, and is quickly told."""
        if not isinstance(cell, str):
            return cell is None
        if self._without_mark.fullmatch(cell):
            return False
        if _NUMBERED_CODE.fullmatch(cell):
            return any(form.fullmatch(cell) for form in self._pages)
        text = cell.lstrip(_BRACKETS + " \t\r\n\u3000\xa0\ufeff")
        if not text or text[0] in self._first_letters or _SUM in text:
            return True
        if not text.isascii() and (":" in text or "：" in text or text.rstrip()[-1] in ")）"):
            return True
        return len(text) <= _LONGEST_PAGE_NUMBER and (text[0].isdigit() or text[0] in "Pp")

    def may_be_summed(self, cells: Sequence[object]) -> bool:
        """Whether one of the first cells of a row may be a word for a sum: a name may stand before it."""
        return any(isinstance(cell, str) and _SUM in cell for cell in cells[:_CELLS_BEFORE_A_SUM])

    def kind_of(self, text: str) -> RowKind | None:
        """What a row is that has this text in a cell; None where the text is no mark."""
        whole = normal_header(text)
        normal = whole.strip(_BRACKETS)
        if not normal:
            return None
        if self._sums.fullmatch(normal):
            return RowKind.TOTAL
        if self._subtotals.fullmatch(normal):
            return RowKind.SUBTOTAL
        if any(form.fullmatch(whole) for form in self._pages):
            return RowKind.PAGE
        if normal in self._ends or not normal.strip("/\\|"):
            return RowKind.END
        if self._signatures.match(text.lstrip()) or self._sealed.search(whole[:_LONGEST_LABEL]):
            return RowKind.SIGNATURE
        return RowKind.NOTE if self._notes.match(text.lstrip()) else None

    def is_bare(self, text: str) -> bool:
        """Whether the text is a mark of a signature alone, so that what it marks stands in the next cell."""
        return normal_header(text).strip(_BRACKETS).rstrip(":") in self._names

    def are_column_numbers(self, texts: Sequence[str]) -> bool:
        """Whether the texts of a row number its columns: 甲 乙 1 2 3, or A B C."""
        plain = [_OF_A_COLUMN.sub("", normal_header(text).strip(_BRACKETS).partition("=")[0]) for text in texts]
        if plain and plain[0] in self.columns:
            del plain[0]
        while plain and plain[0] in self.ordinals:
            del plain[0]
        if len(texts) < _FEWEST_COLUMN_NUMBERS:
            return False
        if all(len(text) == 1 and "A" <= text <= "Z" for text in plain):
            numbers = [ord(text) for text in plain]
        elif all(text.isascii() and text.isdigit() and len(text) <= len("001") for text in plain):
            numbers = [int(text) for text in plain]
        else:
            return False
        return all(latter - former == 1 for former, latter in pairwise(numbers))

    @cached_property
    def _first_letters(self) -> frozenset[str]:
        words = [*self.totals, *self.subtotals, *self.signatures, *self.notes, *self.ends]
        return frozenset({*(normal_header(word)[0] for word in words), *_FIRST_LETTERS_OF_PAGES})

    @cached_property
    def _without_mark(self) -> re.Pattern[str]:
        """Codes that are no mark at first sight, as most keys are: too long for the line of a page."""
        firsts = re.escape("".join(self._first_letters))
        return re.compile(f"(?![{firsts}])[0-9A-Za-z][0-9A-Za-z-]{{{_LONGEST_PAGE_NUMBER},}}")

    @cached_property
    def _sums(self) -> re.Pattern[str]:
        return re.compile(f"(?:{_any_of(self.totals)})(?:金额|数|行)?:?{_COUNTED}")

    @cached_property
    def _subtotals(self) -> re.Pattern[str]:
        name = rf"[^0-9A-Za-z]{{1,{_LONGEST_NAME_BEFORE_A_SUM}}}?"
        own, of_a_name = _any_of(self.subtotals), _any_of([*self.subtotals, *self.totals])
        return re.compile(rf"(?:(?:{own})|{name}(?:{of_a_name})):?{_COUNTED}|(?:{own}):.*")

    @cached_property
    def _sealed(self) -> re.Pattern[str]:
        """A label that ends in a mark, and a mark in brackets: 信贷部负责人：, 某行（公章）."""
        marks, name = _any_of(self.signatures), "^[^0-9A-Za-z:]{1,8}"
        return re.compile(f"{name}(?:{marks}):|[(](?:{marks})[)]$|{name}[(](?:{marks})[)]:?")

    @cached_property
    def _pages(self) -> tuple[re.Pattern[str], ...]:
        return tuple(map(re.compile, self.pages))

    @cached_property
    def _ends(self) -> frozenset[str]:
        return frozenset(map(normal_header, self.ends))

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(map(normal_header, self.signatures))

    @cached_property
    def _signatures(self) -> re.Pattern[str]:
        return _beginning_with(self.signatures)

    @cached_property
    def _notes(self) -> re.Pattern[str]:
        return _beginning_with(self.notes)


_COUNTED: Final = r"(?:[(（/]?共?[0-9,]+[^0-9]?[)）]?|[(（/].{1,30})?"
"""How many rows are summed, and what else is said of them: 合计（8笔）, 合计/Total."""
_LONGEST_LABEL: Final = 60


def _any_of(words: Iterable[str]) -> str:
    # Nothing at all where there are no words.
    return "|".join(re.escape(normal_header(word)) for word in words) or "(?!)"


def _beginning_with(words: Iterable[str]) -> re.Pattern[str]:
    spaced = "|".join(
        _BLANKS.join(map(re.escape, normal_header(word))) for word in sorted(words, key=len, reverse=True)
    )
    opened = r"[(（【\[*※★]*"
    follows = r"(?:$|[)）】\]:：(（_＿]|[0-9一二三四五]{1,2}[:：.、]|(?<=\s))"
    return re.compile(f"{opened}(?:{spaced or '(?!)'}){_BLANKS}{follows}")


def load_marks(settings: Settings) -> Marks:
    """The marks that rows are known by.

    Raises:
        SetupError: the file is missing or wrong.
    """
    return load_reference(settings, "marks.yaml", Marks.model_validate)
