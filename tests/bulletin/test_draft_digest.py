"""By its digest a draft is known again when a person decides on it, in another process than the one that showed it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from typing import Any, cast

import pytest

from five_precisions.bulletin.document import Bulletin, Chart, Paragraph, Section
from five_precisions.bulletin.issue import Rendered
from tests.bulletin import sample
from tests.bulletin.small_bulletin import small_bulletin


def digest(bulletin: Bulletin) -> str:
    return Rendered(results=cast("Any", None), bulletin=bulletin, pdf=b"", workbook=b"").digest


def with_drawing(svg: str) -> Bulletin:
    chart = Chart(code="bars", title="图1", description="柱形图", draw=lambda: svg)
    return replace(small_bulletin(), sections=(Section("一、总体情况", (chart,)),))


def test_what_draws_a_chart_is_no_part_of_it() -> None:
    assert digest(with_drawing("<svg/>")) == digest(with_drawing("<svg/>"))


def test_what_is_drawn_is_part_of_it() -> None:
    assert digest(with_drawing("<svg/>")) != digest(with_drawing("<svg><g/></svg>"))


def test_the_date_of_issue_is_no_part_of_it_and_the_text_is() -> None:
    bulletin = small_bulletin()
    assert digest(replace(bulletin, issued_on=date(2019, 8, 1))) == digest(bulletin)
    assert digest(replace(bulletin, introduction=Paragraph("现将情况通报如下。"))) != digest(bulletin)


@pytest.mark.integration
def test_another_process_comes_to_the_same_digest() -> None:
    script = "from tests.bulletin import sample, test_draft_digest;print(test_draft_digest.digest(sample.sample(12)))"
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == digest(sample.sample(12))
