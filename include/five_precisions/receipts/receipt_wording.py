"""What a receipt says, and its HTML: pure functions of what the ledger keeps (docs/intake.md#the-receipt)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from five_precisions.display import NOTHING, Form, shown
from five_precisions.intake.findings import Verdict
from five_precisions.intake.level_words import LEVEL_WORDS, REPORT_VERDICT_WORDS, SUBMISSION_VERDICT_WORDS
from five_precisions.intake.package_rules import PackageRule
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts.finding_groups import (
    LISTED_IN_FILE,
    FindingGroup,
    inert_text,
    level_views,
    short_name,
)
from five_precisions.reports.level import Level
from five_precisions.templates import render

LARGEST_MAIL: Final = 100_000
"""Bytes of a mail's HTML in UTF-8; mail clients cut what is longer."""
_MAIL_BUDGETS: Final = (200, 120, 80, 50, 30, 15, 8, 4, 0)
"""Findings that a mail lists one by one: the first of these with which it is small enough."""
_FEWEST_FILES: Final = 5

_EXPLAIN: Final = "在“情况说明”工作表中写明报表、规则、主键和说明，随下次报送提交。"


class Medium(StrEnum):
    """Where a receipt is read: in a mail, which must stay small, or in the file beside it, which lists everything."""

    MAIL = "mail"
    FILE = "file"


class Extent(StrEnum):
    """How much of the findings workbook goes with a mail."""

    WHOLE = "whole"
    LIST = "list"
    """The list of findings without the delivered sheets."""
    PART = "part"
    """The beginning of the list."""


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A delivered file."""

    name: str
    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """What a receipt says of one delivered report."""

    code: str
    title: str
    verdict: Verdict
    rows: int
    """Data rows, without the total row."""
    control_total: Decimal | None
    unit: str
    """Of the control total: 元 or 万元, as the report declares its column; empty for a report without one."""
    errors: int
    warnings: int
    explained: int
    """Of the warnings: those that the institution has explained."""
    notices: int
    standing_version: int | None
    """Of a rejected report: the earlier version that stands all the same."""


@dataclass(frozen=True, slots=True)
class OwedReport:
    """A report that is owed and of which no version is accepted."""

    title: str
    nil_allowed: bool
    rejected_version: int | None
    """The newest version that held it, and was rejected; None where it was never delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One judged version, as the ledger keeps it. Nothing in it is sensitive: the ledger keeps masked values only."""

    submission_id: str
    """The receipt number."""
    period: Period
    institution_code: str
    institution_name: str
    short_name: str
    version: int
    newest_version: int
    """The newest version of the institution's period when this was read."""
    verdict: Verdict
    received_at: datetime
    replayed: bool
    submitted_by: str | None
    deadline_at: datetime
    """The first instant that is too late."""
    files: tuple[ReceivedFile, ...]
    reports: tuple[ReportLine, ...]
    owed_count: int
    """How many reports the institution owes each month."""
    still_owed: tuple[OwedReport, ...]
    """As things stood with this version."""
    groups: tuple[FindingGroup, ...]

    @property
    def is_late(self) -> bool:
        """Whether it came after the deadline."""
        return self.received_at >= self.deadline_at

    @property
    def month(self) -> str:
        """The period in words."""
        return self.period.words

    @property
    def verdict_word(self) -> str:
        """The verdict on the whole."""
        return SUBMISSION_VERDICT_WORDS[self.verdict]

    @property
    def subject(self) -> str:
        """The subject of its mail: what she needs to know without opening it."""
        verdict = self.verdict_word + ("，迟报" if self.is_late else "")
        return f"【回执】{self.month} {self.short_name} 第{self.version}版：{verdict}（{self.submission_id}）"

    @property
    def file_name(self) -> str:
        """The receipt's file in the institution's folder of the outbox."""
        return receipt_name(self.edition)

    @property
    def edition(self) -> str:
        """What distinguishes its files and its message from the institution's others of the period."""
        return f"v{self.version}"


@dataclass(frozen=True, slots=True)
class CheckedVersion:
    """A report as it stood when it was held against others."""

    code: str
    title: str
    version: int
    file: str | None
    sha256: str | None
    warnings: int
    explained: int
    notices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossReceipt:
    """One check across reports and institutions, as the ledger keeps it (docs/intake.md#the-receipt)."""

    submission_id: str
    """The receipt number."""
    period: Period
    institution_code: str
    institution_name: str
    short_name: str
    edition: str
    """`close`, or `x1`, `x2`, … before it; `close-2` of a month closed anew."""
    checked_at: datetime
    deadline_at: datetime
    """The first instant that is too late."""
    sources: tuple[CheckedVersion, ...]
    """The institution's own reports of which something is found."""
    groups: tuple[FindingGroup, ...]

    @property
    def month(self) -> str:
        """The period in words."""
        return self.period.words

    @property
    def is_close(self) -> bool:
        """Whether it is the check at the close of the month."""
        return self.edition.startswith("close")

    @property
    def replaced(self) -> str | None:
        """Receipt number of the check at an earlier close of the month, in whose place this one stands."""
        before, _, number = self.edition.rpartition("-")
        if not before:
            return None
        edition = before if number == "2" else f"{before}-{int(number) - 1}"
        return f"{self.period}-{self.institution_code}-{edition}"

    @property
    def asked(self) -> int:
        """Warnings that want an answer."""
        return sum(group.count for group in self.groups if group.is_asked)

    @property
    def explained(self) -> int:
        """Warnings that the institution has explained."""
        return sum(group.count for group in self.groups if group.is_explained)

    @property
    def notices(self) -> int:
        """Findings that only inform."""
        return sum(group.count for group in self.groups if group.first.level is Level.NOTICE)

    @property
    def subject(self) -> str:
        """The subject of its mail."""
        kind = "截止核对" if self.is_close else "跨报表核对"
        outcome = f"{self.asked:,}处警告请核实" if self.asked else "无需处理"
        return f"【回执】{self.month} {self.short_name} {kind}：{outcome}（{self.submission_id}）"

    @property
    def file_name(self) -> str:
        """The receipt's file in the institution's folder of the outbox."""
        return receipt_name(self.edition)


def receipt_name(edition: str) -> str:
    """The receipt's file in the institution's folder of the outbox."""
    return f"receipt-{edition}.html"


def workbook_name(edition: str) -> str:
    """The findings workbook beside the receipt, and as it is attached to its mail."""
    return f"findings-{edition}.xlsx"


# Wording


def deadline_words(deadline_at: datetime) -> str:
    """The deadline as people say it: the first instant too late is midnight, so the day before it, 24:00."""
    local = deadline_at.astimezone(SHANGHAI)
    day, clock = (local - timedelta(days=1), "24:00") if local.time() == time() else (local, f"{local:%H:%M}")
    return f"{day.year}年{day.month}月{day.day}日 {clock}"


def time_left_words(now: datetime, deadline_at: datetime) -> str:
    """The time until the deadline, or since: 还剩3天5小时, 已逾期2天."""
    minutes = int(abs(deadline_at - now).total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        span = f"{days}天" + (f"{hours}小时" if hours else "")
    elif hours:
        span = f"{hours}小时" + (f"{minutes}分钟" if minutes else "")
    else:
        span = f"{minutes}分钟" if minutes else "不足1分钟"
    return f"还剩{span}" if now < deadline_at else f"已逾期{span}"


def verdict_sentence(receipt: Receipt) -> str:
    """The one sentence on top: what was accepted, what must come again."""
    rejected = [f"“{report.title}”" for report in receipt.reports if report.verdict is Verdict.REJECTED]
    accepted = len(receipt.reports) - len(rejected)
    of_no_report = sum(group.count for group in receipt.groups if _is_error_of_package(group))
    elsewhere = f"报送包中有{of_no_report}处错误不属于任何一张报表，须更正" if of_no_report else ""
    refusal = _refusal(receipt)
    if refusal is not None:
        return f"{receipt.verdict_word}：{refusal}"
    if receipt.verdict is Verdict.ACCEPTED:
        warnings = sum(group.count for group in receipt.groups if group.is_asked)
        asked = f"，有{warnings:,}处警告请核实" if warnings else ""
        missing = f"本期尚缺{len(receipt.still_owed)}张报表。" if receipt.still_owed else ""
        return f"{receipt.verdict_word}：本次报送的{accepted}张报表均已接收{asked}。{missing}"
    if receipt.verdict is Verdict.PARTIAL and rejected:
        more = f"另外，{elsewhere}。" if elsewhere else ""
        return f"{receipt.verdict_word}：{'、'.join(rejected)}被退回，须更正后重报；其余{accepted}张报表已接收。{more}"
    if receipt.verdict is Verdict.PARTIAL:
        return f"{receipt.verdict_word}：识别出的{accepted}张报表已接收；{elsewhere}后重报。"
    if rejected:
        both = "均" if len(rejected) > 1 else ""
        return f"{receipt.verdict_word}：{'、'.join(rejected)}{both}未接收，须更正后重报。"
    return f"{receipt.verdict_word}：未能从报送包中读出任何报表，须更正后重报。"


def _refusal(receipt: Receipt) -> str | None:
    """Why the package was refused as a whole (F13); None where it was judged."""
    return next((group.first.message for group in receipt.groups if group.first.rule == PackageRule.F13.code), None)


def next_steps(receipt: Receipt, *, at: datetime) -> list[str]:
    """What to do now, in a few plain sentences. `at` is when the mail is written: before or after the deadline."""
    deadline = deadline_words(receipt.deadline_at)
    please = f"请于{deadline}前" if at < receipt.deadline_at else "截止时间已过，请尽快"
    is_partial = receipt.verdict is Verdict.PARTIAL
    never = [report for report in receipt.still_owed if report.rejected_version is None]
    steps: list[str] = []
    if _refusal(receipt) is not None:
        steps.append(please + "把整包放到对应的文件夹；没有放错的，改正标题、日期和文件名后重新报送整包。")
    elif receipt.verdict is not Verdict.ACCEPTED:
        if any(report.verdict is Verdict.REJECTED for report in receipt.reports):
            what = "更正退回的报表，重新报送整张报表，并附只列这些报表的报送说明。"
        else:
            what = "按下列错误更正后重新报送，并附报送说明。"
        steps.append(please + what + ("已接收的报表不必重报。" if is_partial else ""))
    if never and receipt.reports:
        nil = "；允许零报送而本期确无数据的，在报送说明中填写零报送" if any(r.nil_allowed for r in never) else ""
        steps.append(f"{please}报送尚未报送的{len(never)}张报表{nil}。")
    if any(group.is_asked for group in receipt.groups):
        steps.append(f"警告请逐条核实：有误的，更正后重报该表；确属实的，{_EXPLAIN}")
    return steps or ["无需其他操作，请留存本回执。"]


def report_rows(receipt: Receipt) -> list[list[str]]:
    """The table of reports: title, rows, control total with its unit, verdict, counts of findings."""
    return [
        [
            report.title,
            shown(report.rows, Form.COUNT),
            NOTHING if report.control_total is None else f"{shown(report.control_total)} {report.unit}",
            REPORT_VERDICT_WORDS[report.verdict],
            _counts_in_words(report.errors, report.warnings, report.explained, report.notices),
        ]
        for report in receipt.reports
    ]


def _counts_in_words(errors: int, warnings: int, explained: int, notices: int) -> str:
    apart = f"（其中已说明{explained:,}）" if explained else ""
    counts = ((Level.CRITICAL, errors, ""), (Level.WARNING, warnings, apart), (Level.NOTICE, notices, ""))
    return "、".join(f"{LEVEL_WORDS[level]}{count:,}{more}" for level, count, more in counts if count) or "无"


def still_valid_sentences(receipt: Receipt) -> list[str]:
    """Of rejected reports of which an earlier version stands: that it does (docs/intake.md#its-life)."""
    return [
        f"“{report.title}”此前已接收的第{report.standing_version}版仍然有效，不受本次退回影响。"
        for report in receipt.reports
        if report.standing_version is not None
    ]


def owed_rows(receipt: Receipt) -> list[list[str]]:
    """The table of reports that are owed and not accepted: title, and how it stands."""
    return [
        [
            report.title,
            f"未通过（第{report.rejected_version}版被退回）"
            if report.rejected_version
            else "尚未报送" + ("（可零报送）" if report.nil_allowed else ""),
        ]
        for report in receipt.still_owed
    ]


def time_left_of(receipt: Receipt, again_at: datetime | None) -> str:
    """The time left as she saw it when the delivery came, or came again."""
    if again_at is not None:
        return f"再次收到时{time_left_words(again_at, receipt.deadline_at)}"
    return f"收到时{time_left_words(receipt.received_at, receipt.deadline_at)}"


def _is_error_of_package(group: FindingGroup) -> bool:
    return group.first.level is Level.CRITICAL and group.first.report is None


# The page


def render_receipt(
    receipt: Receipt,
    medium: Medium,
    *,
    is_demo: bool,
    again_at: datetime | None = None,
    attached: Extent = Extent.WHOLE,
) -> str:
    """The receipt as HTML, for its file or for a mail of less than `LARGEST_MAIL` bytes.

    Args:
        receipt: What the ledger says.
        medium: Where it will be read.
        is_demo: Whether the institutions are invented, which the page then says.
        again_at: When the same bytes came once more; the mail is marked 重发 then.
        attached: How much of the findings workbook goes with the mail.
    """
    return _within_size(
        medium, lambda budget: _page(receipt, medium, budget, is_demo=is_demo, again_at=again_at, attached=attached)
    )


def _within_size(medium: Medium, page: Callable[[int], str]) -> str:
    """The page with as many findings listed as the medium bears."""
    if medium is Medium.FILE:
        return page(LISTED_IN_FILE)
    html = ""
    for budget in _MAIL_BUDGETS:
        html = page(budget)
        if len(html.encode()) < LARGEST_MAIL:
            break
    return html


def _page(
    receipt: Receipt, medium: Medium, budget: int, *, is_demo: bool, again_at: datetime | None, attached: Extent
) -> str:
    is_mail = medium is Medium.MAIL
    shown_files = receipt.files[: max(budget // 4, _FEWEST_FILES)] if is_mail else receipt.files
    return render(
        "mail/receipt.html",
        subject=receipt.subject if again_at is None else resent_subject(receipt),
        is_demo=is_demo,
        is_mail=is_mail,
        receipt=receipt,
        again_at=again_at,
        headline=verdict_sentence(receipt),
        deadline=deadline_words(receipt.deadline_at),
        time_left=time_left_of(receipt, again_at),
        reports=report_rows(receipt),
        rejected=[number for number, report in enumerate(receipt.reports) if report.verdict is Verdict.REJECTED],
        still_valid=still_valid_sentences(receipt),
        owed=owed_rows(receipt),
        steps=next_steps(receipt, at=again_at or receipt.received_at),
        workbook=workbook_sentence(receipt, medium, attached),
        levels=level_views(receipt.groups, budget, _elsewhere(receipt.edition, medium, attached)),
        files=[replace(file, name=inert_text(short_name(file.name) if is_mail else file.name)) for file in shown_files],
        hidden_files=len(receipt.files) - len(shown_files),
    )


def workbook_sentence(receipt: Receipt | CrossReceipt, medium: Medium, attached: Extent) -> str | None:
    """Where the findings workbook is and what it is for; None where nothing was found."""
    if not receipt.groups:
        return None
    name, count = workbook_name(receipt.edition), sum(group.count for group in receipt.groups)
    never = "请在原文件中更正后重报，不要直接报送该工作簿：其中的敏感内容已隐去。"
    if medium is Medium.FILE:
        return f"问题清单见同一文件夹中的 {name}：逐条列出全部{count:,}处问题，并在报送的工作表上逐格标出。{never}"
    if attached is Extent.WHOLE:
        return f"问题清单见附件 {name}：逐条列出全部{count:,}处问题，并在贵单位报送的工作表上逐格标出。{never}"
    if attached is Extent.LIST:
        return f"问题清单见附件 {name}：逐条列出全部{count:,}处问题；标出单元格的工作表过大，未随信附上。"
    return f"问题清单见附件 {name}：问题共{count:,}处，因邮件大小所限只列出前面一部分，请先更正这些。"


def _elsewhere(edition: str, medium: Medium, attached: Extent) -> str:
    """Where what is not listed is found."""
    if medium is Medium.FILE:
        return f"见 {workbook_name(edition)}"
    where = f"见附件 {workbook_name(edition)}"
    return f"{where}（该附件只列出一部分）" if attached is Extent.PART else where


def render_cross_receipt(
    receipt: CrossReceipt, medium: Medium, *, is_demo: bool, attached: Extent = Extent.WHOLE
) -> str:
    """The receipt of a cross check as HTML, for its file or for a mail of less than `LARGEST_MAIL` bytes."""
    return _within_size(medium, lambda budget: _cross_page(receipt, medium, budget, is_demo=is_demo, attached=attached))


def _cross_page(receipt: CrossReceipt, medium: Medium, budget: int, *, is_demo: bool, attached: Extent) -> str:
    return render(
        "mail/cross-receipt.html",
        subject=receipt.subject,
        is_demo=is_demo,
        is_mail=medium is Medium.MAIL,
        receipt=receipt,
        headline=cross_sentence(receipt),
        scope=f"跨报表、跨机构核对（{'截止' if receipt.is_close else '核对'}时各机构已接收的报表）",
        deadline=deadline_words(receipt.deadline_at),
        time_left="已截止" if receipt.is_close else f"核对时{time_left_words(receipt.checked_at, receipt.deadline_at)}",
        files=[
            (inert_text(short_name(name)), version, sha256)
            for name, version, sha256 in dict.fromkeys(
                (each.file, each.version, each.sha256) for each in receipt.sources
            )
            if name and sha256
        ],
        sources=[
            [
                source.title,
                f"第{source.version}版",
                inert_text(short_name(source.file or NOTHING)),
                _counts_in_words(0, source.warnings, source.explained, source.notices),
            ]
            for source in receipt.sources
        ],
        steps=cross_steps(receipt),
        workbook=workbook_sentence(receipt, medium, attached),
        levels=level_views(receipt.groups, budget, _elsewhere(receipt.edition, medium, attached)),
    )


def cross_sentence(receipt: CrossReceipt) -> str:
    """The one sentence on top: what the check has found."""
    found = "贵单位的报表与其他报表、其他机构的报表核对"
    counts = [f"{receipt.asked:,}处警告请核实"] if receipt.asked else []
    counts += [f"{receipt.explained:,}处警告已有说明"] if receipt.explained else []
    counts += [f"{receipt.notices:,}处提示"] if receipt.notices else []
    return f"{found}，有{'，'.join(counts)}。" if counts else f"{found}，没有发现问题。"


def cross_steps(receipt: CrossReceipt) -> list[str]:
    """What to do now, in a few plain sentences."""
    if not receipt.asked:
        return ["无需其他操作，请留存本回执。"]
    steps = [f"请逐条核实：有误的，更正后重报该表，并附只列这些报表的报送说明；确属实的，{_EXPLAIN}"]
    if receipt.checked_at >= receipt.deadline_at or receipt.is_close:
        steps.append(
            "本期已经截止：更正后重报的记为迟报，已公布的本期数据不因此改变；更正或说明请至迟随下一期报表一并提交。"
        )
    return steps


def resent_subject(receipt: Receipt) -> str:
    """The subject of the mail when the same bytes came again."""
    return f"【重发】{receipt.subject}"
