"""Sentences from templates: plain text in include/templates/bulletin, whose numbers are figures and stay known as such.

A template is read line by line: `# …` is a heading, `[scores]` stands for the table or chart of that code, any other
line that is not empty is a paragraph. A template writes no number of its own; `{{ … }}` brings figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, pass_context
from jinja2.runtime import Context

from five_precisions.bulletin.document import Block, Chart, Figure, Heading, Paragraph, Table
from five_precisions.bulletin.wording import difference, growth
from five_precisions.display import NOTHING, shown
from five_precisions.templates import TemplateLoader, own_template_errors, template_faults

_CITED = re.compile("\ue000([0-9]+)\ue001")
"""Where a figure or a quote stands in the rendered text, by its number; private-use characters of Unicode."""
_DIGITS = ("", "一", "二", "三", "四", "五", "六", "七", "八", "九")
_PLACEHOLDER = re.compile(r"\[([a-z_]+)\]")


class Quote(str):
    """Words that are not ours, such as a person's remark: the numbers in them are theirs."""

    __slots__ = ()


@dataclass(slots=True)
class _Citations:
    """Figures and quotes in the order in which a template cites them."""

    cited: list[Figure | Quote] = field(default_factory=list)

    def cite(self, what: Figure | Quote) -> str:
        self.cited.append(what)
        return f"\ue000{len(self.cited) - 1}\ue001"

    def resolve(self, text: str) -> Paragraph:
        cited = [self.cited[int(number)] for number in _CITED.findall(text)]
        return Paragraph(
            _CITED.sub(lambda match: str(self.cited[int(match[1])]), text),
            tuple(each for each in cited if isinstance(each, Figure)),
            tuple(str(each) for each in cited if isinstance(each, Quote)),
        )


def numeral(number: int) -> str:
    """A Chinese numeral: 一, 十, 十一, 二十三. From 1 to 99."""
    tens, ones = divmod(number, 10)
    return f"{_DIGITS[tens] if tens > 1 else ''}{'十' if tens else ''}{_DIGITS[ones]}"


def render_prose(name: str, values: Mapping[str, Any], inserts: Mapping[str, Table | Chart]) -> list[Block]:
    """The blocks that a template gives; a table or chart that is not among `inserts` is left out.

    Raises:
        SetupError: the installation's own template, in the place of ours, cannot be filled in.
    """
    citations = _Citations()
    with own_template_errors():
        rendered = _environment().get_template(f"bulletin/{name}.txt").render({**values, "citations": citations})
    blocks: list[Block] = []
    for line in filter(None, map(str.strip, rendered.splitlines())):
        placeholder = _PLACEHOLDER.fullmatch(line)
        if placeholder is not None:
            if (insert := inserts.get(placeholder[1])) is not None:
                blocks.append(insert)
        elif line.startswith("# "):
            blocks.append(Heading(line.removeprefix("# ")))
        else:
            blocks.append(citations.resolve(line))
    return blocks


@pass_context
def _finalize(context: Context, value: object) -> object:
    citations: _Citations = context["citations"]
    return citations.cite(value) if isinstance(value, Figure | Quote) else value


@pass_context
def _moved(context: Context, figure: Figure, unit: str = "") -> str:
    """A change in words: 增加12.30万元, 下降1.20个百分点, 持平."""
    return _cited(context, figure, difference(figure.value, 0, figure.form, unit))


@pass_context
def _grew(context: Context, figure: Figure) -> str:
    """A rate of growth in words: 增长12.34%, 下降3.20%, 持平."""
    return _cited(context, figure, growth(figure.value))


@pass_context
def _above(context: Context, figure: Figure) -> str:
    """How far a rate lies above or below another one: 高12.34个百分点, 低3.20个百分点."""
    size = _size(figure)
    return f"{'高' if size.value == figure.value else '低'}{context['citations'].cite(size)}个百分点"


def _cited(context: Context, figure: Figure, phrase: str | None) -> str:
    """A phrase whose number is the figure's size; it is cited, so that it can be held against the tables."""
    size = _size(figure)
    cited: str = context["citations"].cite(size)
    return (phrase or NOTHING).replace(shown(size.value, size.form), cited, 1)


def _size(figure: Figure) -> Figure:
    value = figure.value
    return figure if value is None or value >= 0 else replace(figure, value=-value)


def is_zero(figure: Figure) -> bool:
    """Whether a figure shows as zero."""
    return shown(figure.value, figure.form).strip("0.") == ""


def prose_faults() -> Iterator[str]:
    """What is wrong with the installation's own templates of the bulletin's sentences, a sentence each."""
    yield from template_faults(_environment(), "bulletin")


@cache
def _environment() -> Environment:
    # What comes out is text, not HTML: whoever lays it out escapes it.
    made = Environment(  # noqa: S701
        loader=TemplateLoader(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.filters |= {"moved": _moved, "grew": _grew, "above": _above}
    return made
