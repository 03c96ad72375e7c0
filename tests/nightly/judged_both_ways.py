"""Six months of the golden city, screened and wholly judged by Great Expectations: the same of every package."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from five_precisions.intake.judging import judge_package
from five_precisions.intake.package import DeliveredFile
from five_precisions.intake.ruleset import ruleset_of
from five_precisions.period import Period
from five_precisions.register import load_register
from five_precisions.settings import Settings
from five_precisions_demo.city import write_inbox

pytestmark = pytest.mark.timeout(1800)

PACKAGES = 110
"""Of the six months; some institutions deliver twice."""


def test_every_golden_package_is_judged_the_same_both_ways(tmp_path: Path) -> None:
    written = write_inbox(tmp_path)
    settings = Settings(_env_file=None)
    register = load_register(settings.register_folder)
    screened, validated = 0, 0
    folders = sorted({path.parent for path in written})
    for folder in folders:
        period, code = Period.parse(folder.relative_to(tmp_path).parts[0]), folder.relative_to(tmp_path).parts[1]
        ruleset = ruleset_of(settings, register, period)
        institution = register.institution(code)
        assert institution is not None
        files = [DeliveredFile(path.name, path.read_bytes()) for path in sorted(folder.iterdir()) if path.is_file()]
        quick = judge_package(files, institution, ruleset)
        whole = judge_package(files, institution, replace(ruleset, validate_all=True))
        assert quick.findings == whole.findings, folder
        assert [each.verdict for each in quick.reports] == [each.verdict for each in whole.reports]
        screened += sum(len(each.validated or ()) for each in quick.reports)
        validated += sum(len(each.validated or ()) for each in whole.reports)
    assert len(folders) == PACKAGES
    assert 0 < screened < validated / 20
