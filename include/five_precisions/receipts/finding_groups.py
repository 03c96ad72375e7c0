"""Findings as a receipt shows them: in groups, shortened to what its page bears, in words.

See docs/intake.md#the-receipt.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from five_precisions.display import inert
from five_precisions.intake.findings import Finding
from five_precisions.intake.level_words import LEVEL_REQUESTS, LEVEL_WORDS
from five_precisions.reports import load_reports
from five_precisions.reports.level import Level

LISTED_IN_FILE: Final = 20_000
"""Findings that the receipt's file lists one by one; a browser still opens that at once."""

_LONGEST_NAME: Final = 120
_MOST_RANGES: Final = 20
_VARIABLE: Final = re.compile(r"\d[\d,.]*|“[^”]*”")


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """Findings of one message about one column of one report: said once, with its cells."""

    count: int
    findings: tuple[Finding, ...]
    """Those that are listed, in the ledger's order; there may be fewer than counted."""

    @property
    def first(self) -> Finding:
        """The one that speaks for all."""
        return self.findings[0]

    @property
    def is_explained(self) -> bool:
        """Whether these are warnings that the institution has explained: nothing is asked about them."""
        return _is_explained(self.first)

    @property
    def is_asked(self) -> bool:
        """Whether these are warnings that want an answer."""
        return self.first.level is Level.WARNING and not self.is_explained


# Groups


def group_findings(findings: Iterable[Finding], *, listed: int = LISTED_IN_FILE) -> tuple[FindingGroup, ...]:
    """Findings by level, report, rule, column and wording: what must be mended first, else in the order given.

    Numbers and quoted names in a message do not part it from others. What is explained stands at the end of its level.
    At most `listed` findings are kept in all, the
    groups' shares as even as they can be; every one is counted.
    """
    kept: dict[tuple[object, ...], list[Finding]] = {}
    counts: Counter[tuple[object, ...]] = Counter()
    for finding in findings:
        shape = _VARIABLE.sub("#", finding.message)
        key = (finding.level, finding.report, finding.rule, finding.header, shape, _is_explained(finding))
        counts[key] += 1
        if counts[key] <= max(listed, 1):
            kept.setdefault(key, []).append(finding)
    groups = [FindingGroup(counts[key], tuple(own)) for key, own in kept.items()]
    order = list(LEVEL_WORDS)
    ordered = sorted(groups, key=lambda group: (order.index(group.first.level), group.is_explained))
    # A group always keeps one finding to speak for it; beyond that they share what is left.
    return tuple(shorten(ordered, max(listed, len(ordered))))


def shorten(groups: Sequence[FindingGroup], budget: int) -> list[FindingGroup]:
    """The groups with at most `budget` findings in all, as evenly shared as can be; past the budget none is kept."""
    kept = list(islice(groups, budget))
    shares = [0] * len(kept)
    left = budget
    open_groups = list(range(len(kept)))
    while open_groups and left >= len(open_groups):
        step = left // len(open_groups)
        for number in open_groups:
            given = min(step, len(kept[number].findings) - shares[number])
            shares[number] += given
            left -= given
        open_groups = [number for number in open_groups if shares[number] < len(kept[number].findings)]
    return [
        FindingGroup(group.count, group.findings[:share]) for group, share in zip(kept, shares, strict=True) if share
    ]


def _is_explained(finding: Finding) -> bool:
    return finding.level is Level.WARNING and finding.explanation is not None


# Words


@dataclass(frozen=True, slots=True)
class GroupView:
    """One group, worded: what all its findings share is said once, what differs stands in the rows."""

    title: str
    """Report and column."""
    rule: str
    count: int
    message: str | None
    """None where each row has its own."""
    facts: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, bool], ...]
    """Headers of the rows, and whether their cells are numbers: none is, a delivered value is shown as it stands."""
    rows: tuple[tuple[str, ...], ...]
    hidden: str | None
    """What is not listed here, and where its rows are."""
    is_explained: bool


@dataclass(frozen=True, slots=True)
class LevelView:
    """The findings of one level."""

    level: Level
    heading: str
    groups: tuple[GroupView, ...]
    hidden: str | None
    """How many findings stand in groups that are not shown here."""


def level_views(groups: Sequence[FindingGroup], budget: int, elsewhere: str) -> list[LevelView]:
    """The findings in words, with at most `budget` of them listed.

    Args:
        groups: All groups, those to be mended first in front.
        budget: Findings to be listed one by one.
        elsewhere: Where the rest is found.
    """
    kept = shorten(groups, budget)
    views: list[LevelView] = []
    position = 0
    for level, name in LEVEL_WORDS.items():
        own = [group for group in groups if group.first.level is level]
        if not own:
            continue
        # Groups are left out from the end only, so those kept are the first of all.
        listed = [
            _group_view(short, whole, elsewhere)
            for short, whole in zip(kept[position : position + len(own)], own, strict=False)
        ]
        position += len(own)
        total = sum(group.count for group in own)
        left = total - sum(group.count for group in own[: len(listed)])
        others = "其余" if listed else "共"
        hidden = f"{others}{left:,}条{elsewhere}。" if left else None
        explained = sum(group.count for group in own if group.is_explained)
        asked = LEVEL_REQUESTS[level] if explained < total else "均已说明"
        apart = f"其中已说明{explained:,}条，" if 0 < explained < total else ""
        views.append(LevelView(level, f"{name}（{total:,}条，{apart}{asked}）", tuple(listed), hidden))
    return views


def _group_view(short: FindingGroup, whole: FindingGroup, elsewhere: str) -> GroupView:
    findings, first = short.findings, short.first
    title = " · ".join(part for part in (_title(first.report), inert_text(first.header)) if part)
    places = {(finding.file, finding.sheet) for finding in findings}
    shared_message = len({finding.message for finding in findings}) == 1
    columns = {
        "位置": None if len(places) == 1 else [_place(finding) for finding in findings],
        "单元格": [_cell(finding) for finding in findings],
        "主键": [inert_text(finding.key) for finding in findings],
        "报送值": [_value(finding) for finding in findings],
        "期望": [inert_text(finding.expected) for finding in findings],
        "说明": None if shared_message else [finding.message for finding in findings],
        "贵单位说明": [inert_text(finding.explanation) for finding in findings] if whole.is_explained else None,
    }
    facts = [("位置", _place(first))] if len(places) == 1 and first.file else []
    used: dict[str, list[str]] = {}
    for name, texts in columns.items():
        if texts is None or not any(texts):
            continue
        if len(findings) == 1 or (name in ("期望", "贵单位说明") and len(set(texts)) == 1):
            facts.append((name, texts[0]))
        else:
            used[name] = texts
    return GroupView(
        title=title or "报送包",
        rule=first.rule,
        count=short.count,
        message=first.message if shared_message else None,
        facts=tuple(facts),
        columns=tuple((name, False) for name in used),
        rows=tuple(zip(*used.values(), strict=True)),
        hidden=_hidden_words(short, whole, elsewhere),
        is_explained=whole.is_explained,
    )


def _hidden_words(short: FindingGroup, whole: FindingGroup, elsewhere: str) -> str | None:
    hidden = short.count - len(short.findings)
    if not hidden:
        return None
    numbers = [each.row_number for each in whole.findings[len(short.findings) :] if each.row_number is not None]
    where = f"，在{rows_in_words(numbers, are_all=len(whole.findings) == whole.count)}" if numbers else ""
    return f"本项共{short.count:,}处，以上列出{len(short.findings):,}处；其余{hidden:,}处{where}，{elsewhere}。"


def rows_in_words(numbers: Iterable[int], *, are_all: bool = True) -> str:
    """Row numbers with neighbours drawn together: 第12、15—18、40行; 等 past the twentieth, or when there are more."""
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    words = [f"{begin}" if begin == end else f"{begin}—{end}" for begin, end in ranges[:_MOST_RANGES]]
    return f"第{'、'.join(words)}{'' if are_all and len(ranges) <= _MOST_RANGES else '等'}行"


def _title(report: str | None) -> str:
    return load_reports()[report].title if report else ""


def _place(finding: Finding) -> str:
    if finding.file is None:
        return ""
    sheet = f"，工作表“{short_name(finding.sheet)}”" if finding.sheet else ""
    return f"{inert_text(short_name(finding.file))}{sheet}"


def _cell(finding: Finding) -> str:
    if finding.cell is not None:
        return finding.cell
    return f"第{finding.row_number}行" if finding.row_number is not None else ""


def _value(finding: Finding) -> str:
    if finding.value is None:
        return "（空）" if finding.cell is not None else ""
    return inert_text(finding.value)


def inert_text(text: str | None) -> str:
    """Delivered text that does not run as a formula when a cell of the receipt is copied into a spreadsheet."""
    return "" if text is None else inert(text)


def short_name(name: str) -> str:
    """A name of bearable length; its end, where the kind of file stands, stays."""
    if len(name) <= _LONGEST_NAME:
        return name
    half = _LONGEST_NAME // 2
    return f"{name[:half]}……{name[-half:]}"
