"""What each rule asks, in the words that institutions read (docs/reports.md#rules)."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final

from five_precisions.data_docs.site import message_of
from five_precisions.intake.rules.suites import load_suite
from five_precisions.own_files import kept_while_same
from five_precisions.reports import load_reports
from five_precisions.reports.cross_rules import load_cross_rules

PACKAGE_RULE_WORDS: Final = {
    "F01": "文件能打开，类型和大小符合要求，没有加密。",
    "F02": "报表、报送说明和情况说明的表头齐全，且不重复。",
    "F03": "行数和合计金额与报送说明一致。",
    "F04": "表中有数据；没有数据的，报送说明中申报零报送，且该表允许零报送。",
    "F05": "报表没有规定的列不采集，只列明。",
    "F06": "合计行是最后一行，各数等于以上各行之和。",
    "F07": "不是报表的工作表、看不懂的情况说明，只列明。",
    "F08": "报送包附有报送说明。",
    "F09": "报送说明逐一列出包内的报表，每张一次。",
    "F10": "本机构本期不需报送的报表不采集，只列明。",
    "F11": "不是数据的行（如签字行）不采集，只列明。",
    "F12": "单位行或表头写明的金额单位与报表规定一致。",
    "F13": "报送包写明的月份和机构与所在文件夹一致。",
    "F14": "情况说明对应的问题确实存在。",
    "T01": "必填项已填写。",
    "T02": "单元格内容符合该列的类型。",
    "T03": "文字不超过规定长度。",
    "T04": "取值在规定的代码表内。",
    "T05": "数值在规定的范围内。",
    "K03": "文件与本月其他机构报送的文件不是同一份。",
}
"""Of the rules on files, sheets and cells (intake/package_rules.py), which name the place that they are about."""
_PLACEHOLDER: Final = re.compile(r"\{\w+\}")


def _declared_rules() -> tuple[object, ...]:
    return (*map(load_suite, load_reports().values()), load_cross_rules())


@kept_while_same(_declared_rules)
def rule_words() -> dict[str, tuple[str, ...]]:
    """What every rule asks, by its code: a sentence for each expectation that it stands for."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for report in load_reports().values():
        for rule in load_suite(report).rules:
            found[rule.rule][message_of(rule)] = None
    for cross in load_cross_rules():
        found[cross.rule][_PLACEHOLDER.sub("…", cross.message)] = None
    of_packages = {code: (words,) for code, words in PACKAGE_RULE_WORDS.items()}
    return of_packages | {code: tuple(words) for code, words in found.items()}
