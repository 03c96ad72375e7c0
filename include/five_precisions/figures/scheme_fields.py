"""The numbers of a scheme as fields of a form, and the scheme that a changed form means (docs/figures.md#trial).

Words and sentences are Chinese: they are read on a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from five_precisions.errors import UsageError
from five_precisions.figures.scheme import Scheme
from five_precisions.reference import load_indicators

_HUNDRED: Final = Decimal(100)
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_FROM_ABOVE: Final = "overdue_ratio.full_points_up_to"
_FROM_BELOW: Final = "overdue_ratio.no_points_from"
_UNKNOWN: Final = "考核方案没有这一项。"
_NO_NUMBER: Final = "请填写数字，例如12.5，不带单位和千位分隔符。"


class FieldKind(StrEnum):
    """What a number of the scheme is."""

    WEIGHT = "weight"
    OVERDUE_RATIO = "overdue_ratio"
    DEDUCTION = "deduction"
    GRADE = "grade"
    VISIT_ROUND = "visit_round"

    @property
    def heading(self) -> str:
        """The Chinese heading under which fields of this kind stand."""
        return _HEADINGS[self]


_HEADINGS: Final = {
    FieldKind.WEIGHT: "权重",
    FieldKind.OVERDUE_RATIO: "逾期率",
    FieldKind.DEDUCTION: "扣分",
    FieldKind.GRADE: "等次",
    FieldKind.VISIT_ROUND: "走访轮次",
}
_POSITIVE: Final = frozenset({FieldKind.WEIGHT, FieldKind.VISIT_ROUND})
"""Kinds of which 0 is none."""


@dataclass(frozen=True, slots=True)
class SchemeField:
    """A number of the scheme that a form can change."""

    path: str
    """Where it stands in the scheme, such as weights.growth; also the key of its value and of its sentence."""
    label: str
    """What it is called, in Chinese."""
    unit: str
    value: Decimal
    """What it is in the scheme."""
    kind: FieldKind


class TriedSchemeError(UsageError):
    """The values of a form make no scheme: one sentence, in Chinese, for each field that is wrong."""

    def __init__(self, sentences: Mapping[str, str]) -> None:
        """By the fields' paths; also by a path that no field has, where there was a value for it."""
        super().__init__("".join(f"{path}：{sentence}" for path, sentence in sentences.items()))
        self.sentences = dict(sentences)


def list_scheme_fields(scheme: Scheme) -> tuple[SchemeField, ...]:
    """Every number of the scheme that can be changed, in the order of a form.

    Which indicators count, what grades are called and what they mean for relending are no numbers. The lowest grade
    starts at 0.
    """
    return tuple(_list_fields(scheme))


def change_scheme(scheme: Scheme, values: Mapping[str, str]) -> Scheme:
    """The scheme with other numbers.

    Args:
        scheme: What holds.
        values: What somebody wrote, by the fields' paths; a field without one keeps its value.

    Raises:
        TriedSchemeError: a value is no number or out of bounds, or values do not go together.
    """
    fields = {field.path: field for field in list_scheme_fields(scheme)}
    numbers = {path: field.value for path, field in fields.items()}
    sentences = {path: _UNKNOWN for path in values if path not in fields}
    for path, field in fields.items():
        if path in values:
            number, sentence = _read_number(field, values[path])
            if sentence is not None:
                sentences[path] = sentence
            else:
                numbers[path] = number
    changed = {path for path, field in fields.items() if numbers[path] != field.value}
    # What goes together is judged only where each of it is right: nobody is told of a sum that he has not written.
    for path, sentence in _conflicts(scheme, numbers, changed, frozenset(sentences)):
        sentences.setdefault(path, sentence)
    if sentences:
        raise TriedSchemeError(sentences)
    return Scheme.model_validate(_filled(scheme, numbers))


def _list_fields(scheme: Scheme) -> Iterator[SchemeField]:
    indicators = load_indicators()
    for code, weight in scheme.weights.items():
        yield SchemeField(f"weights.{code}", indicators[code].name, "分", weight, FieldKind.WEIGHT)
    ratio, deductions = scheme.overdue_ratio, scheme.deductions
    yield SchemeField(_FROM_ABOVE, "得满分的逾期率上限", "%", ratio.full_points_up_to, FieldKind.OVERDUE_RATIO)
    yield SchemeField(_FROM_BELOW, "不得分的逾期率下限", "%", ratio.no_points_from, FieldKind.OVERDUE_RATIO)
    for name, label in (
        ("per_overdue_finding", "每个逾期未整改的督查问题扣分"),
        ("per_high_alert", "每项高级别督查事项扣分"),
        ("at_most", "扣分上限"),
    ):
        yield SchemeField(f"deductions.{name}", label, "分", getattr(deductions, name), FieldKind.DEDUCTION)
    for place, grade in enumerate(scheme.grades[:-1]):
        label = f"{grade.grade}的最低得分"
        yield SchemeField(_grade_path(place), label, "分", grade.at_least, FieldKind.GRADE)
    reached = scheme.visit_round_reached
    yield SchemeField("visit_round_reached", "完成一轮走访的覆盖率", "%", reached, FieldKind.VISIT_ROUND)


def _grade_path(place: int) -> str:
    return f"grades.{place}.at_least"


def _read_number(field: SchemeField, written: str) -> tuple[Decimal, str | None]:
    """What a field says, or the sentence that refuses it."""
    plain = written.strip()
    if not plain:
        return field.value, f"请填写{field.label}。"
    if not _NUMBER.fullmatch(plain):
        return field.value, _NO_NUMBER
    # Without the sign that a zero may have.
    number = Decimal(plain) + 0
    if field.kind in _POSITIVE and number <= 0:
        return field.value, f"应大于0{field.unit}。"
    if number < 0:
        return field.value, f"不能小于0{field.unit}。"
    if number > _HUNDRED:
        return field.value, f"不能大于100{field.unit}。"
    return number, None


def _conflicts(
    scheme: Scheme, numbers: Mapping[str, Decimal], changed: set[str], wrong: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """What does not go together; each sentence with one of the fields that were changed."""
    weights = [f"weights.{code}" for code in scheme.weights]
    whole = sum((numbers[path] for path in weights), Decimal(0))
    if whole != _HUNDRED and wrong.isdisjoint(weights):
        difference = f"多{_words(whole - _HUNDRED)}" if whole > _HUNDRED else f"少{_words(_HUNDRED - whole)}"
        # What holds adds up to 100, so one of them was changed.
        path = [path for path in weights if path in changed][-1]
        yield path, f"各项权重之和应为100分，现为{_words(whole)}分，{difference}分。"
    full, none = numbers[_FROM_ABOVE], numbers[_FROM_BELOW]
    if full >= none and wrong.isdisjoint({_FROM_ABOVE, _FROM_BELOW}):
        if _FROM_BELOW in changed:
            yield _FROM_BELOW, f"应大于得满分的逾期率上限{_words(full)}%。"
        else:
            yield _FROM_ABOVE, f"应小于不得分的逾期率下限{_words(none)}%。"
    bounds = [numbers.get(_grade_path(place), grade.at_least) for place, grade in enumerate(scheme.grades)]
    for place, (above, below) in enumerate(pairwise(bounds)):
        paths = _grade_path(place), _grade_path(place + 1)
        if below >= above and wrong.isdisjoint(paths):
            better, worse = scheme.grades[place].grade, scheme.grades[place + 1].grade
            if paths[1] in changed:
                yield paths[1], f"应低于上一等次{better}的最低得分{_words(above)}分。"
            else:
                yield paths[0], f"应高于下一等次{worse}的最低得分{_words(below)}分。"


def _words(number: Decimal) -> str:
    """In plain digits, without zeros at the end."""
    plain = f"{number:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _filled(scheme: Scheme, numbers: Mapping[str, Decimal]) -> dict[str, Any]:
    """The content of a scheme's version with the numbers in their places."""
    content = scheme.model_dump(by_alias=True) | {"from": str(scheme.valid_from)}
    for path, number in numbers.items():
        place: Any = content
        *above, last = path.split(".")
        for name in above:
            place = place[int(name)] if name.isdigit() else place[name]
        place[last] = number
    return content
