"""Packages as real institutions deliver them: covers, versions, nil returns, times, marks (docs/intake.md)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from chinese_calendar import is_workday

from five_precisions.errors import UsageError
from five_precisions.period import Period
from five_precisions.reports import load_reports
from five_precisions_demo.city import inbox as inbox_module
from five_precisions_demo.city import write_inbox

MONTHS = [f"2019-0{month}" for month in range(1, 7)]
BANKS = [f"B{number:02d}" for number in range(1, 13)]
INSTITUTIONS = [*BANKS, "C01", "C02", "C03", "C04", "Z01"]
Versions = Callable[[str, str], list[Any]]


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def delivered_at(version: Any) -> datetime:
    newest = max(path.stat().st_mtime for path in version.folder.iterdir())
    return datetime.fromtimestamp(newest, UTC).astimezone(ZoneInfo("Asia/Shanghai"))


def deadline(month: str) -> datetime:
    day = Period.parse(month).end
    for _ in range(8):
        day += timedelta(days=1)
        while not is_workday(day):
            day += timedelta(days=1)
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture(scope="module")
def two_months(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    out = tmp_path_factory.mktemp("again")
    write_inbox(out, until=Period(2019, 2))
    return digest(out)


def test_same_seed_gives_the_same_bytes_and_times_and_fewer_months_the_same_ones(
    golden_inbox: Path, two_months: dict[str, str]
) -> None:
    whole = digest(golden_inbox)
    assert len(two_months) > 60
    assert two_months == {name: value for name, value in whole.items() if name.startswith(("2019-01", "2019-02"))}


@pytest.mark.slow
def test_another_seed_gives_another_city(tmp_path: Path, two_months: dict[str, str]) -> None:
    seen: list[str] = []
    paths = write_inbox(tmp_path, seed=7, until=Period(2019, 1), report_progress=seen.append)
    assert seen == ["2019-01: 17 packages"]
    assert all(path.is_file() for path in paths)
    other = digest(tmp_path)
    assert other.keys() == {name for name in two_months if name.startswith("2019-01")}
    assert not set(other.values()) & set(two_months.values())


@pytest.mark.parametrize("until", [Period(2018, 12), Period(2019, 7)])
def test_months_outside_the_demo_are_refused(tmp_path: Path, until: Period) -> None:
    with pytest.raises(UsageError, match="2019-01 to 2019-06"):
        write_inbox(tmp_path, until=until)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("month", MONTHS)
def test_covers_agree_with_the_sheets_of_the_last_version(versions: Versions, month: str) -> None:
    covered = 0
    for institution in INSTITUTIONS:
        if (month, institution) == ("2019-02", "B07"):
            continue
        last = versions(month, institution)[-1]
        for code, line in last.cover.items():
            frame = last.frames.get(code)
            rows = 0 if frame is None else len(frame)
            assert line["rows"] == rows
            assert line["nil"] == (rows == 0)
            control = load_reports()[code].control
            if rows and control:
                assert frame is not None
                assert line["total"] == sum(frame[control].dropna(), Decimal(0))
            covered += 1
        assert set(last.frames) <= set(last.cover)
        for code, totals in last.totals.items():
            assert totals
            for name, total in totals.items():
                assert total == sum(last.frames[code][name].dropna()), (institution, code, name)
    assert covered > 70


def test_everything_says_that_it_is_demo_data(golden_inbox: Path, versions: Versions) -> None:
    for month in MONTHS:
        for package in (golden_inbox / month).iterdir():
            assert all(version.says_demo for version in versions(month, package.name))
    texts = list(golden_inbox.rglob("*.csv"))
    assert len(texts) > 60
    for path in texts:
        raw = path.read_bytes()
        assert "演示数据".encode() in raw or "演示数据".encode("gb18030") in raw, path


def test_two_banks_and_an_office_deliver_csv_in_three_manners(golden_inbox: Path) -> None:
    assert (golden_inbox / "2019-01/B06/loans.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    header = load_reports()["loans"].columns[0].header
    assert f"{header};" in (golden_inbox / "2019-01/B11/loans.csv").read_bytes().decode("gb18030")
    households = (golden_inbox / "2019-01/C01/households.csv").read_bytes().decode("gb18030")
    assert "户编号\t户主姓名" in households
    assert any("０" <= char <= "９" for char in households)
    assert re.search(r'"\d{1,3},\d{3}\.\d\d"', (golden_inbox / "2019-06/B06/loans.csv").read_text(encoding="utf-8-sig"))


@pytest.mark.parametrize("month", MONTHS)
def test_packages_come_in_time_but_for_the_late_one(versions: Versions, month: str) -> None:
    first_day = Period.parse(month).end + timedelta(days=2)
    for institution in INSTITUTIONS:
        moments = [delivered_at(version) for version in versions(month, institution)]
        assert moments == sorted(moments)
        if (month, institution) == ("2019-02", "B07"):
            assert moments == []
        elif (month, institution) == ("2019-04", "B08"):
            assert moments[0] > deadline(month)
        else:
            assert moments
            assert first_day <= moments[0].date()
            assert moments[-1] <= min(
                deadline(month), datetime(2019, Period.parse(month).next().month, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
            )


FIRST_VERSIONS = {
    ("2019-01", "B02"): "loans",
    ("2019-02", "B04"): "visits",
    ("2019-03", "B05"): "loans",
    ("2019-03", "C02"): "guarantee_funds",
    ("2019-04", "C03"): "households",
    ("2019-05", "B06"): "position",
    ("2019-05", "B12"): "loans",
    ("2019-05", "B01"): "grid",
    ("2019-06", "B10"): "loans",
}


def test_exactly_the_planted_packages_have_two_versions(versions: Versions) -> None:
    two = {(month, code) for month in MONTHS for code in INSTITUTIONS if len(versions(month, code)) == 2}
    assert two == set(FIRST_VERSIONS)


@pytest.mark.parametrize(("package", "report"), FIRST_VERSIONS.items())
def test_only_the_one_report_changes_from_the_first_version(
    versions: Versions, package: tuple[str, str], report: str
) -> None:
    first, second = versions(*package)
    assert report in second.cover
    for code in second.frames:
        if code != report:
            assert first.frames[code].equals(second.frames[code])
    if report in first.frames:
        same = first.frames[report].equals(second.frames[report])
        assert same == (first.cover[report]["total"] != second.cover[report]["total"] and package[1] == "B05")


def test_defects_are_what_they_are_called(versions: Versions) -> None:
    def first(month: str, code: str, report: str) -> Any:
        return versions(month, code)[0].frames[report]

    principal = first("2019-01", "B02", "loans").principal
    assert [cell for cell in principal if not isinstance(cell, Decimal)] == ["3.2万元"]
    visited = first("2019-02", "B04", "visits").visited_on
    assert sum(day < Period(2019, 2).begin for day in visited) == 1
    wrong, right = versions("2019-03", "B05")
    assert wrong.cover["loans"]["total"] != right.cover["loans"]["total"]
    assert wrong.frames["loans"].equals(right.frames["loans"])
    families = first("2019-04", "C03", "households")
    assert (families.workers > families.members).sum() == 1
    loans = first("2019-05", "B12", "loans")
    assert (loans.balance > loans.principal).sum() == 1
    assert "grid" not in versions("2019-05", "B01")[0].frames
    assert first("2019-06", "B10", "loans").duplicated("contract_no").sum() == 1
    yuan, wan = (version.frames["position"].all_loans for version in versions("2019-05", "B06"))
    assert (yuan == wan * 10_000).all()


def test_nil_returns_are_said_and_explanations_point_to_rows(versions: Versions) -> None:
    nil = {
        (month, code, report)
        for month in MONTHS
        for code in INSTITUTIONS
        for version in versions(month, code)
        for report, line in version.cover.items()
        if line["nil"]
    }
    assert {report for *_, report in nil} == {
        "visits",
        "outreach",
        "matches",
        "projects",
        "guarantee_funds",
        "inspections",
    }
    assert {("2019-01", "B11", "visits"), ("2019-02", "B12", "visits"), ("2019-03", "C01", "guarantee_funds")} <= nil
    explained = [
        (spoken, version)
        for month in MONTHS
        for code in INSTITUTIONS
        for version in versions(month, code)[-1:]
        for spoken in version.explanations
    ]
    assert len(explained) > 15
    gone = 0
    for (report, rule, key), version in explained:
        frame = version.frames[report]
        keys = {
            "/".join("" if part is None else str(part) for part in row)
            for row in frame[list(load_reports()[report].key)].itertuples(index=False)
        }
        gone += key not in keys
        assert key in keys or rule == "X01"
    assert gone == 1


@pytest.mark.parametrize("real", ["2019-01/B01/loans.csv", "2019-07/B01/loans.csv", "2019-01/loose.csv", "loose.csv"])
def test_the_demo_is_not_laid_among_real_packages(tmp_path: Path, real: str) -> None:
    path = tmp_path / real
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("real")
    with pytest.raises(UsageError, match=r"was not written by the demo; name an empty folder for its packages\.$"):
        write_inbox(tmp_path)
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [path]


def test_the_demo_may_be_written_over_itself_and_beside_what_no_inbox_looks_at(
    golden_inbox: Path, tmp_path: Path
) -> None:
    inbox_module._refuse_foreign(golden_inbox)
    (tmp_path / ".DS_Store").touch()
    inbox_module._refuse_foreign(tmp_path)
    inbox_module._refuse_foreign(tmp_path / "not there yet")
