"""An invented area's packages in an inbox, as CSV files with their covers, and the files of its city."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import csv

from five_precisions.intake.reading.cover import COVER_HEADERS
from five_precisions.period import Period
from five_precisions.reports import Column, ColumnType, Report, load_forms
from five_precisions_demo.city.territory import load_obligations
from five_precisions_demo.large_area.area import LargeArea, delivered_on
from five_precisions_demo.large_area.register import CENTRE, AreaRegister, write_register

_HUNDREDTHS: Final = frozenset({ColumnType.YUAN, ColumnType.WAN, ColumnType.PCT})
_TARGET_SHARE: Final = 50
"""One household of so many loans is the year's target."""


def write_area(area: LargeArea, *, inbox: Path, register: Path, reference: Path) -> list[Path]:
    """Write the register's files, the targets of its years, and the packages of all its months.

    Args:
        area: The area.
        inbox: Where packages are laid, as `<inbox>/<period>/<institution>/…`; file times are the times of delivery.
        register: Folder for the register's files (FIVE_PRECISIONS_REGISTER).
        reference: Folder for targets.yaml (FIVE_PRECISIONS_REFERENCE).

    Returns:
        the folders of the packages, in the order of months and institutions.
    """
    write_register(area.register, register)
    reference.mkdir(parents=True, exist_ok=True)
    years = sorted({month.year for month in area.size.months})
    households = max(1, area.size.loans // _TARGET_SHARE)
    targets = "".join(f"  {year}: {{households: {households}}}\n" for year in years)
    (reference / "targets.yaml").write_text(f"years:\n{targets}", encoding="utf-8")
    return [folder for month in area.size.months for folder in _write_month(area, month, inbox / str(month))]


def _write_month(area: LargeArea, period: Period, folder: Path) -> list[Path]:
    covers: dict[str, list[list[str]]] = {}
    owed = _owed(area.register)
    folders = {code: folder / code for code in sorted(owed)}
    for package in folders.values():
        package.mkdir(parents=True)
    forms = load_forms(period)
    for code, rows in area.reports_of(period).items():
        if code not in forms:
            continue
        deliverers = [institution for institution, reports in owed.items() if code in reports]
        _write_report(forms[code], rows, {each: folders[each] for each in deliverers}, covers)
    moment = delivered_on(period).timestamp()
    for institution, package in folders.items():
        lines = [",".join(COVER_HEADERS), *(",".join(line) for line in covers[institution])]
        (package / "cover.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for path in package.iterdir():
            os.utime(path, (moment, moment))
    return list(folders.values())


def _owed(register: AreaRegister) -> dict[str, tuple[str, ...]]:
    """The reports that each institution owes."""
    kinds = {"bank": register.banks, "county_office": register.offices, "centre": (CENTRE,)}
    return {code: reports for kind, reports in load_obligations().items() for code in kinds[kind.value]}


def _write_report(
    report: Report, rows: pd.DataFrame, folders: dict[str, Path], covers: dict[str, list[list[str]]]
) -> None:
    """The report's file in each folder, and its line of each cover; a nil return where there are no rows."""
    table = pa.table({column.header: _cells_of(column, rows) for column in report.columns})
    deliverers = rows["delivered_by"].to_numpy(dtype=np.str_)
    # Hundredths, with the point set by hand: a sum of floats would not be the control total.
    control = None if report.control is None else np.r_[0, np.cumsum(rows[report.control].fillna(0).astype("int64"))]
    for institution, folder in folders.items():
        first, last = (int(np.searchsorted(deliverers, institution, side)) for side in ("left", "right"))
        total = "" if control is None else _two_decimals(int(control[last] - control[first]))
        is_nil = first == last
        line = [
            report.code,
            str(last - first),
            "" if is_nil else total,
            "是" if is_nil else "否",
            "李某",
            "0662-3211234",
        ]
        covers.setdefault(institution, []).append(line)
        if not is_nil:
            csv.write_csv(table.slice(first, last - first), folder / f"{report.code}.csv")


def _cells_of(column: Column, rows: pd.DataFrame) -> Any:
    """The column's values; one that need not be filled in, the area may not know."""
    if column.optional and column.name not in rows:
        return pa.nulls(len(rows), pa.string())
    return _cells(column, rows[column.name])


def _cells(column: Column, values: pd.Series) -> Any:
    """The values of a column as they are written."""
    if column.type in _HUNDREDTHS:
        return _decimals(values)
    if column.type is ColumnType.YESNO:
        return pa.array(np.where(values.to_numpy(dtype=bool), "是", "否"))
    if column.type is ColumnType.DATE:
        return pa.array(values.to_numpy(dtype="M8[D]"), type=pa.date32())
    if column.type is ColumnType.INT:
        return pa.array(values.astype("Int64"), type=pa.int64())
    return pa.array(values.astype("str"), type=pa.string())


def _decimals(hundredths: pd.Series) -> Any:
    """Whole hundredths as decimals; a decimal of Arrow is the number of its hundredths in sixteen bytes."""
    low = hundredths.fillna(0).to_numpy(dtype=np.int64)
    words = np.stack([low, np.where(low < 0, -1, 0)], axis=1)
    # Written as text before, so that the cells stand without quotes and with both decimals.
    numbers = pa.Array.from_buffers(pa.decimal128(18, 2), len(low), [None, pa.py_buffer(np.ascontiguousarray(words))])
    return pa.compute.if_else(pa.array(hundredths.notna().to_numpy()), numbers, None)


def _two_decimals(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02}"
