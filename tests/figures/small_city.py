"""A city small enough to compute by hand, written straight into the warehouse: figures are tested without intake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Self

from sqlalchemy import Connection, text

from five_precisions.period import SHANGHAI, Period
from five_precisions.reports import load_reports
from five_precisions.warehouse import create_period_partitions

CITY = "441700"
TOWNS = {"441702": ("441702001", "441702002"), "441704": ("441704001",)}
OFFICES = {"C01": "441702", "C02": "441704"}
BANKS = ("B01", "B02", "B03")

DEFAULTS: dict[str, dict[str, Any]] = {
    "loans": {
        "borrower_kind": "农户",
        "borrower_name": "陈*",
        "borrower_id": "4417**********1234",
        "borrower_id_hash": "a" * 64,
        "household_no": "H1",
        "category": "个人经营",
        "microcredit": True,
        "town_code": "441702001",
        "issued_on": date(2019, 1, 10),
        "matures_on": date(2021, 1, 10),
        "principal": 30000,
        "balance": 30000,
        "annual_rate": "4.35",
        "purpose": "种植",
        "security": "信用",
        "subsidised": True,
        "risk_class": "正常",
        "overdue_days": 0,
        "extended": False,
    },
    "position": {
        "county_code": "441702",
        "all_loans": 1000,
        "all_loans_year_begin": 1000,
        "microcredit_year_begin": 10,
        "relending": 0,
        "relending_extended": 0,
        "new_products": 1,
    },
    "visits": {
        "household_no": "H1",
        "visited_on": date(2019, 1, 15),
        "round": 1,
        "officer": "李某",
        "wants_loan": False,
        "filed": True,
    },
    "outreach": {
        "held_on": date(2019, 1, 8),
        "town_code": "441702001",
        "kind": "培训",
        "attendees": 10,
        "cadres": 2,
        "leaflets": 50,
    },
    "grid": {
        "outlet_code": "O1",
        "outlet_name": "东村支行",
        "town_code": "441702001",
        "village": "东村",
        "head": "李某",
        "head_phone": "138****0000",
        "head_phone_hash": "b" * 64,
        "letter_signed_on": date(2018, 12, 1),
        "hotline": "12363",
    },
    "matches": {"project_no": "P1", "status": "已放款", "matched_on": date(2019, 1, 9), "paired": False},
    "households": {
        "household_no": "H1",
        "head_name": "陈*",
        "head_id": "4417**********1234",
        "head_id_hash": "a" * 64,
        "town_code": "441702001",
        "village": "东村",
        "members": 4,
        "workers": 2,
        "income_per_head": 5000,
        "debts": 0,
        "has_business": False,
        "trained": False,
        "status": "未脱贫",
        "bank_code": "B01",
    },
    "projects": {
        "project_no": "P1",
        "name": "养鸡",
        "town_code": "441702001",
        "industry": "养殖",
        "operator": "合作社",
        "demand": 20,
        "entered_on": date(2018, 1, 1),
        "status": "在库",
        "households": 3,
        "jobs": 4,
    },
    "guarantee_funds": {
        "bank_code": "B01",
        "kind": "贷款贴息",
        "year": 2019,
        "due_amount": 100,
        "due_on": date(2019, 1, 5),
        "arrived_amount": 100,
    },
    "league": {"city_code": CITY, "city": "本市", "ytd_households": 1, "ytd_amount": 10, "balance": 10},
    "inspections": {
        "finding_no": "N1",
        "institution_code": "B01",
        "inspected_on": date(2018, 12, 1),
        "aspect": "主体责任落实",
        "finding": "问题",
        "severity": "一般",
        "due_on": date(2019, 1, 10),
    },
}

Rows = list[dict[str, Any]]


class SmallCity:
    """Two counties, three banks, two offices; a package is a call of `deliver`."""

    def __init__(
        self,
        connection: Connection,
        *,
        banks: Sequence[str] = BANKS,
        towns: Mapping[str, Sequence[str]] = TOWNS,
        offices: Mapping[str, str] = OFFICES,
        lives: Mapping[str, tuple[date, date | None]] | None = None,
    ) -> None:
        """With other banks, towns of each county, or offices; `lives` says when an institution opened and closed."""
        self._connection = connection
        self._banks = banks
        self._towns = towns
        self._offices = offices
        self._lives = lives or {}
        self._versions: dict[tuple[Period, str], int] = {}
        self._register()

    @classmethod
    def resumed(cls, connection: Connection) -> Self:
        """The city that the warehouse holds, to go on with in another transaction."""
        city = cls.__new__(cls)
        newest = connection.execute(
            text("select period, institution_code, max(version) as version from intake.submission group by 1, 2")
        )
        city._connection = connection
        city._banks = tuple(
            connection.execute(text("select code from registry.institution where kind = 'bank' order by 1")).scalars()
        )
        city._versions = {(Period.parse(row.period), row.institution_code): row.version for row in newest}
        return city

    def open(self, period: Period) -> None:
        """Open a month whose deadline is noon of the 12th after it."""
        self._execute(
            "insert into registry.period (period, deadline_at) values (:period, :deadline)",
            period=str(period),
            deadline=datetime(period.next().year, period.next().month, 12, 12, tzinfo=SHANGHAI),
        )
        create_period_partitions(self._connection, period)

    def deliver(
        self,
        period: Period,
        institution: str,
        *,
        day: int = 5,
        rejected: tuple[str, ...] = (),
        findings: Rows | None = None,
        **reports: Rows,
    ) -> None:
        """A judged package: each report with its rows (none = a nil return), those in `rejected` without effect.

        The rows of a report are numbered from 2; `findings` are those of the package, warnings unless said otherwise.
        """
        version = self._versions.get((period, institution), 0) + 1
        self._versions[(period, institution)] = version
        submission = f"{period}-{institution}-{version}"
        self._execute(
            "insert into intake.submission (submission_id, period, institution_code, version, received_at, replayed, "
            "digest, verdict) values (:id, :period, :institution, :version, :received_at, true, :id, 'accepted')",
            id=submission,
            period=str(period),
            institution=institution,
            version=version,
            received_at=datetime(period.next().year, period.next().month, day, 9, tzinfo=SHANGHAI),
        )
        for report in rejected:
            self._record(submission, report, rows=1, verdict="rejected")
        for report, rows in reports.items():
            self._record(submission, report, rows=len(rows), verdict="accepted" if rows else "nil")
            for number, row in enumerate(rows, start=2):
                self._insert(report, DEFAULTS[report] | row, period, submission, institution, number)
        for ordinal, finding in enumerate(findings or (), start=1):
            self._execute(
                "insert into intake.finding (submission_id, ordinal, report, rule, level, row_number, key, value, "
                "message) values (:id, :ordinal, :report, :rule, :level, :row_number, :key, :value, :message)",
                **{
                    "id": submission,
                    "ordinal": ordinal,
                    "level": "warning",
                    "row_number": None,
                    "key": None,
                    "value": None,
                    "message": "请核实。",
                }
                | finding,
            )

    def tell(self, period: Period, institution: str, *findings: dict[str, Any]) -> None:
        """Findings of the newest delivery, with any column of theirs; warnings unless said otherwise."""
        self._tell(f"{period}-{institution}-{self._versions[period, institution]}", *findings)

    def tell_at_close(self, period: Period, institution: str, *findings: dict[str, Any]) -> None:
        """Findings across reports that the close tells an institution of."""
        receipt = f"{period}-{institution}-close"
        self._execute(
            "insert into intake.cross_check (submission_id, period, institution_code, edition, checked_at) "
            "values (:id, :period, :institution, 'close', clock_timestamp())",
            id=receipt,
            period=str(period),
            institution=institution,
        )
        self._tell(receipt, *findings)

    def explain(self, period: Period, institution: str, *lines: dict[str, Any]) -> None:
        """Lines of 情况说明 that come with the newest delivery, bound to a value unless said otherwise."""
        for ordinal, line in enumerate(lines, start=1):
            self._write(
                "intake.explanation",
                {
                    "submission_id": f"{period}-{institution}-{self._versions[period, institution]}",
                    "ordinal": ordinal,
                    "explanation": "已核实。",
                    "is_bound": True,
                    **line,
                },
            )

    def _tell(self, receipt: str, *findings: dict[str, Any]) -> None:
        for ordinal, finding in enumerate(findings, start=1001):
            told = {"submission_id": receipt, "ordinal": ordinal, "level": "warning", "message": "请核实。", **finding}
            self._write("intake.finding", told)

    def _write(self, table: str, row: dict[str, Any]) -> None:
        places = ", ".join(f":{name}" for name in row)
        self._execute(f"insert into {table} ({', '.join(row)}) values ({places})", **row)

    def close(self, period: Period) -> None:
        """Freeze what stands."""
        self._execute(
            "insert into intake.close (period, closed_at) values (:period, clock_timestamp())", period=str(period)
        )
        self._execute(
            "insert into intake.frozen_report select period, institution_code, report, submission_id "
            "from intake.standing_report where period = :period",
            period=str(period),
        )

    def _record(self, submission: str, report: str, *, rows: int, verdict: str) -> None:
        self._execute(
            "insert into intake.report (submission_id, report, rows, verdict, errors, warnings) "
            "values (:id, :report, :rows, :verdict, :errors, 0)",
            id=submission,
            report=report,
            rows=rows,
            verdict=verdict,
            errors=int(verdict == "rejected"),
        )

    def _insert(
        self, report: str, row: dict[str, Any], period: Period, submission: str, institution: str, number: int
    ) -> None:
        assert {column.name for column in load_reports()[report].columns} >= {
            name.removesuffix("_hash") for name in row
        }
        stored = {
            "period": str(period),
            "submission_id": submission,
            "delivered_by": institution,
            "row_number": number,
            **row,
        }
        names = ", ".join(stored)
        places = ", ".join(f":{name}" for name in stored)
        self._execute(f"insert into core.delivered_{report} ({names}) values ({places})", **stored)

    def _register(self) -> None:
        # The fresh database may hold the demo's register.
        for table in ("contact", "obligation", "institution", "division"):
            self._execute(f"delete from registry.{table}")
        divisions = [(CITY, "city", None)]
        divisions += [(county, "county", CITY) for county in self._towns]
        divisions += [(town, "town", county) for county, towns in self._towns.items() for town in towns]
        for code, level, parent in divisions:
            self._execute(
                "insert into registry.division values (:code, :name, :level, :parent)",
                code=code,
                name=f"区划{code}",
                level=level,
                parent=parent,
            )
        institutions = [(code, "bank", CITY, code == "B01") for code in self._banks]
        institutions += [(code, "county_office", county, False) for code, county in self._offices.items()]
        institutions += [("Z01", "centre", CITY, False)]
        for code, kind, division, local in institutions:
            opened_on, closed_on = self._lives.get(code, (date(2010, 1, 1), None))
            self._execute(
                "insert into registry.institution values (:code, :code, :code, :kind, :division, :local, "
                ":opened_on, :closed_on)",
                code=code,
                kind=kind,
                division=division,
                local=local,
                opened_on=opened_on,
                closed_on=closed_on,
            )
        for report in load_reports().values():
            for kind in report.owners:
                self._execute(
                    "insert into registry.obligation values (:kind, :report, true)", kind=kind, report=report.code
                )

    def _execute(self, statement: str, **parameters: object) -> None:
        self._connection.execute(text(statement), parameters)
