"""An invented area: its packages are as institutions would deliver them."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest
from stdnum.cn import ric, uscc

from five_precisions.collection import check
from five_precisions.errors import UsageError
from five_precisions.intake.findings import Verdict
from five_precisions.period import Period
from five_precisions.settings import PREFIX, Settings
from five_precisions_demo.large_area import AreaSize, LargeArea, invent_area, write_area

JUNE = Period(2019, 6)


@pytest.fixture(scope="module")
def small() -> LargeArea:
    return invent_area(AreaSize.usual(10, 1000))


def laid_out(area: LargeArea, folder: Path) -> list[Path]:
    return write_area(area, inbox=folder / "inbox", register=folder / "register", reference=folder / "reference")


def content_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_writes_the_same_bytes(small: LargeArea, tmp_path: Path) -> None:
    laid_out(small, tmp_path / "one")
    laid_out(invent_area(AreaSize.usual(10, 1000)), tmp_path / "again")
    laid_out(invent_area(AreaSize.usual(10, 1000, seed=7)), tmp_path / "other")
    one, again, other = (content_of(tmp_path / name) for name in ("one", "again", "other"))
    assert len(one) > 60
    assert one == again
    assert one.keys() == other.keys()
    assert one != other


def test_identities_are_valid_and_nobodys_else(small: LargeArea) -> None:
    heads = small.people.rows["head_id"]
    assert len(heads) == 300
    assert heads.is_unique
    assert [head for head in heads if head[-1] != ric.calc_check_digit(head)] == []
    assert min(map(ric.get_birth_date, heads)) >= date(1944, 1, 1)
    operators = small.library.rows["operator_id"]
    assert len(operators) == 100
    assert operators.is_unique
    assert all(map(uscc.is_valid, operators))


def test_a_later_month_follows_the_one_before() -> None:
    may = Period(2019, 5)
    area = invent_area(AreaSize.usual(10, 1000, first=may, last=JUNE))
    before, after = area.reports_of(may)["loans"], area.reports_of(JUNE)["loans"]
    assert 950 < len(before) < len(after) == 1000
    both = before.merge(after, on="contract_no", suffixes=("_before", ""))
    assert len(both) == len(before)
    assert (both["principal_before"] == both["principal"]).all()
    assert (both["balance_before"] >= both["balance"]).all()
    assert both["balance_before"].sum() > both["balance"].sum() > 0


def test_nothing_is_invented_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="10 to 999"):
        AreaSize.usual(9, 1000)
    with pytest.raises(UsageError, match="a loan"):
        AreaSize.usual(300, 299)
    with pytest.raises(UsageError, match="before"):
        AreaSize.usual(10, 1000, first=JUNE, last=Period(2019, 5))


@pytest.mark.slow
def test_a_package_passes_the_self_check(small: LargeArea, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = {folder.name: folder for folder in laid_out(small, tmp_path)}
    monkeypatch.setenv(PREFIX + "REGISTER", str(tmp_path / "register"))
    settings = Settings.load()
    assert len(folders) == 10
    for code in ("B007", "C02", "PBC"):
        checked = check(settings, folders[code], code, JUNE)
        assert checked.verdict is Verdict.ACCEPTED
        assert checked.findings == ()
