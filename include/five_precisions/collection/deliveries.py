"""Taking in what the inbox holds: settle → check → archive → ledger and rows → receipt → out of the inbox.

See docs/intake.md.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import psycopg
import sqlalchemy.exc
from sqlalchemy import Connection, Engine

from five_precisions.errors import FivePrecisionsError, UnreachableError, UsageError
from five_precisions.intake.archive import Archive, Condition, NotArchivedError
from five_precisions.intake.comparison import Staged
from five_precisions.intake.failed_packages import note_failed
from five_precisions.intake.findings import Judgement, State, printable
from five_precisions.intake.inbox import Delivery, Inbox, InboxFile, digest_of
from five_precisions.intake.judged_package import JudgedPackage
from five_precisions.intake.judging import judge_package
from five_precisions.intake.ledger import (
    Recorded,
    Submission,
    find_recorded,
    first_seen,
    forget_taken,
    latest_received,
    read_reports,
    read_taken,
    take,
)
from five_precisions.intake.package import ChangedWhileReadError, DeliveredFile
from five_precisions.intake.package_rules import PackageRule
from five_precisions.intake.reading.sheet import Limits
from five_precisions.intake.recording import MOST_TAKEN_BACK, Version, foresee, record, stage
from five_precisions.intake.rules.derived import load_rates
from five_precisions.intake.rules.hotlines import load_hotlines
from five_precisions.intake.ruleset import Ruleset, ruleset_of
from five_precisions.intake.unknown_folders import unknown_folders_of
from five_precisions.period import SHANGHAI, Period
from five_precisions.receipts.failed_check import post_failed_check_notice, write_failed_check_notice
from five_precisions.receipts.missing_cover import post_missing_cover_notice
from five_precisions.receipts.receipt_files import (
    OutboxError,
    require_outbox,
    write_missing_receipts,
    write_receipts,
)
from five_precisions.receipts.receipt_workbooks import (
    CrossFindings,
    CrossWorkbooks,
    JudgedSheets,
    ReceiptWorkbook,
    read_cross_findings,
    render_receipt_workbook,
)
from five_precisions.receipts.receipts import post_cross_receipts, post_receipt, post_receipt_again
from five_precisions.register import Institution, open_period, read_register
from five_precisions.reports.cross_rules import load_cross_rules
from five_precisions.settings import Settings
from five_precisions.warehouse.locks import Lock, hold

logger = logging.getLogger(__name__)

COVER_WAIT: Final = timedelta(minutes=30)
"""How long files lie unchanged without a cover before the institution gets a mail (docs/reports.md#rules, F08)."""
_NOT_WHOLE: Final = {
    Condition.MISSING: "不在归档中",
    Condition.ALTERED: "的归档副本已损坏",
    Condition.UNREADABLE: "的归档副本读不出来或用现有密钥打不开",
}
"""What the log says of an archived copy that was written anew."""


class Collector:
    """One run over the inbox, and what it does with an institution's packages."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        period: Period,
        *,
        replay: bool,
        notify_missing_cover: bool,
        await_turn: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Read the register, and see that inbox, outbox, archive and reference files can be used.

        Args:
            engine: Of the warehouse.
            settings: Of this installation.
            period: The month.
            replay: Whether file times are delivery times, and files stay.
            notify_missing_cover: Whether files without a cover, unchanged for half an hour, are worth a mail (F08).
            await_turn: Called with an institution's code before anything of its deliveries is recorded.

        Raises:
            SetupError: a secret is missing, or one of those cannot be used.
        """
        self._engine = engine
        self._await_turn = await_turn
        self._period = period
        self._replay = replay
        self._notify_missing_cover = notify_missing_cover
        self._settle = timedelta(seconds=0 if replay else settings.settle_seconds)
        self._pii_key = settings.require_pii_key()
        self._archive = Archive.of(settings)
        self._inbox = Inbox.of(settings)
        require_outbox(settings)
        # The ruleset takes seconds and is made when there is something to judge; that its files are right is known
        # before anything is done.
        load_rates(settings)
        load_hotlines(settings)
        with engine.connect() as connection:
            self._register = read_register(connection)
        self._settings = settings
        self._ruleset: Ruleset | None = None

    def open(self) -> None:
        """Open the month where it is not open yet."""
        with self._engine.begin() as connection:
            open_period(connection, self._settings, self._period)

    def institutions(self, code: str | None) -> list[Institution]:
        """Those open in the month, in the order of their codes, or the one of that code.

        Raises:
            UsageError: it is none, or not open then.
        """
        open_now = self._register.open_in(self._period)
        if code is None:
            return open_now
        if self._register.institution(code) is None:
            raise UsageError(f"{code} is not an institution of the register.")
        named = [institution for institution in open_now if institution.code == code]
        if not named:
            raise UsageError(f"{code} is not open in {self._period}.")
        return named

    def count_waiting(self, institutions: Sequence[Institution]) -> int:
        """Institutions for whom something lies in the inbox; in a replay, whose files stay there, all of them."""
        if self._replay:
            return len(institutions)
        return len(self._inbox.holding([(self._period, each.code) for each in institutions]))

    def going_first(self, code: str) -> list[Institution]:
        """Those of the same kind with earlier codes, where one's report can reject another's (K02)."""
        [own] = self.institutions(code)
        compared = {check.report for check in load_cross_rules() if check.decides_across_institutions}
        if compared.isdisjoint(self._register.owed_by(own, self._period)):
            return []
        return [each for each in self.institutions(None) if each.kind is own.kind and each.code < own.code]

    def warn_of_unknown_folders(self) -> None:
        """Log a warning of each folder that nobody looks into."""
        for folder in unknown_folders_of(self._inbox, self._register, self._settings, self._period):
            logger.warning(folder.sentence)

    def take_in(self, institution: Institution, *, only_new: bool = False) -> list[Judgement]:
        """Take in what lies there for an institution; where it is all on record and only new is asked for, nothing.

        Archive and receipts of what is on record are looked after then by a look of its own.
        """
        judgements: list[Judgement] = []
        try:
            with self._alone_with(institution):
                if only_new and all(map(self._is_recorded, self._deliveries(institution))):
                    return []
                write_missing_receipts(self._engine, self._settings, self._period, institution.code)
                for delivery in self._deliveries(institution):
                    judgements += [self._take_in_delivery(institution, delivery)]
        except OutboxError as error:
            # One institution's folder, or its share of the store: what is on record stands, and the others go on.
            remark = f"{str(error).rstrip('.')}, so its receipt is written at the next look"
            judgements.append(self._skipped(institution, State.FAILED, remark))
        except NotArchivedError as error:
            self._log_archive_error(institution.code, error)
            remark = f"{str(error).rstrip('.')}; the files stay in the inbox"
            judgements.append(self._skipped(institution, State.FAILED, remark))
        except (FivePrecisionsError, sqlalchemy.exc.OperationalError):
            raise
        except psycopg.OperationalError as error:
            raise UnreachableError("The connection to the warehouse was lost.") from error
        except Exception as error:  # noqa: BLE001 - whatever is in a package, the others' work goes on
            # The message of an unexpected error may quote a delivered value: its kind and its place must do.
            where = "".join(traceback.format_tb(error.__traceback__))
            kind = type(error).__name__
            logger.error("%s %s failed: %s\n%s", self._period, institution.code, kind, where)  # noqa: TRY400
            judgements.append(self._skipped(institution, State.FAILED, f"{type(error).__name__}, see the log"))
        return judgements

    @contextmanager
    def _alone_with(self, institution: Institution) -> Iterator[None]:
        """In a replay one at a time takes in what an institution has delivered: all tasks of a month look at once.

        Meanwhile none waits for another but one of an earlier code. So nobody waits for ever.
        """
        if not self._replay:
            yield
            return
        with self._engine.begin() as connection:
            hold(connection, Lock.REPLAYED_DELIVERIES, f"{self._period} {institution.code}")
            yield

    def _is_recorded(self, delivery: Delivery) -> bool:
        """Whether a delivery of a replay is on record, with a verdict that it would have again."""
        files = self._inbox.read(delivery)
        names = (self._period, delivery.institution_code, digest_of(files), delivery.newest_at)
        with self._engine.connect() as connection:
            return bool(files) and find_recorded(connection, *names) is not None

    def _take_in_delivery(self, institution: Institution, delivery: Delivery) -> Judgement:
        if not self._replay and not delivery.has_settled(datetime.now(SHANGHAI), self._settle):
            return self._skipped(institution, State.INCOMPLETE, "a file has just changed")
        arrived_at = delivery.newest_at if self._replay else self._first_seen(delivery)
        try:
            return self._take_in_settled(institution, delivery, arrived_at)
        except (FivePrecisionsError, sqlalchemy.exc.OperationalError, psycopg.OperationalError):
            raise
        except Exception as error:
            # In a replay nobody waits for an answer.
            if not self._replay:
                self._answer_failure(institution, delivery, type(error).__name__)
            raise

    def _take_in_settled(self, institution: Institution, delivery: Delivery, arrived_at: datetime) -> Judgement:
        if not delivery.files:
            return self._without_cover(institution, delivery, found=())
        files = self._inbox.read(delivery)
        if not files or not (self._replay or self._inbox.is_unchanged(delivery)):
            return self._skipped(institution, State.INCOMPLETE, "a file has just changed")
        digest = digest_of(files)
        with self._engine.connect() as connection:
            known = find_recorded(connection, self._period, institution.code, digest, delivery.newest_at)
        try:
            if known:
                self._archive_files(institution.code, files, are_on_record=True)
                judgement = self._repeated(institution, delivery, known, arrived_at)
            else:
                judgement = self._judge(institution, delivery, files, digest, arrived_at)
        except ChangedWhileReadError:
            return self._skipped(institution, State.INCOMPLETE, "a file has just changed")
        if judgement.submission_id is not None and not self._replay:
            stuck = self._take_out(delivery, files)
            out = {file.path: file.identity for file in delivery.files if file not in stuck}
            self._forget_taken(institution.code, out)
        return judgement

    def _deliveries(self, institution: Institution) -> list[Delivery]:
        """What lies there and is not on record; what an end in between has left of a recorded delivery is taken out."""
        found = self._inbox.deliveries(self._period, institution.code, replay=self._replay)
        if self._replay:
            return found
        with self._engine.connect() as connection:
            identities = read_taken(connection, self._period, institution.code)
            latest = latest_received(connection, self._period, institution.code)
        # What lies in folders beside a package was named with it.
        found = [each for each in found if each.files or latest is None or each.newest_at > latest]
        if not identities:
            return found
        deliveries: list[Delivery] = []
        stuck: set[InboxFile] = set()
        for delivery in found:
            recorded, others = delivery.split(identities)
            left = self._take_out(recorded, self._read_again(recorded))
            stuck |= set(left)
            if others.files:
                deliveries.append(replace(others, stuck=left))
        lie_there = {printable(file.path) for file in stuck}
        self._forget_taken(institution.code, {path: each for path, each in identities.items() if path not in lie_there})
        return deliveries

    def _first_seen(self, delivery: Delivery) -> datetime:
        with self._engine.begin() as connection:
            return first_seen(connection, self._period, delivery.institution_code, delivery.fingerprint)

    def _read_again(self, delivery: Delivery) -> list[DeliveredFile]:
        """The bytes of files that are on record; none at all where not all of them can be read."""
        try:
            return self._inbox.read(delivery) if delivery.files else []
        except OSError as error:
            logger.warning(
                "%s %s：已入账的文件从收件箱读不出来（%s），暂不取走",
                self._period,
                delivery.institution_code,
                error.strerror or type(error).__name__,
            )
            return []

    def _take_out(self, delivery: Delivery, files: Sequence[DeliveredFile]) -> tuple[InboxFile, ...]:
        """Take files that are on record out of the inbox: the only way out, and only for what is in the archive, whole.

        Args:
            delivery: The files as they were listed; what has changed since stays.
            files: The same files as they were read; none where they could not be.

        Returns:
            Those that lie there still. They stay on record, and the next look takes them out.
        """
        if not files:
            return delivery.files
        try:
            self._archive_files(delivery.institution_code, files, are_on_record=True)
        except NotArchivedError as error:
            self._log_archive_error(delivery.institution_code, error)
            return delivery.files
        except ChangedWhileReadError:
            return delivery.files
        return self._inbox.remove(delivery)

    def _archive_files(
        self, institution_code: str, files: Sequence[DeliveredFile], *, are_on_record: bool = False
    ) -> None:
        """Make sure that the archive holds the files, whole and on its disk; the log says what it had lost."""
        for file in files:
            found = self._archive.keep(file)
            if found is Condition.WHOLE or (found is Condition.MISSING and not are_on_record):
                continue
            logger.warning(
                "%s %s：文件 %s %s，已用收件箱中的原件重新归档",
                self._period,
                institution_code,
                file.sha256,
                _NOT_WHOLE[found],
            )

    def _log_archive_error(self, institution_code: str, error: NotArchivedError) -> None:
        sentence = "%s %s：归档写不进去或读不回来，文件留在收件箱，下次收集再试（%s）"
        logger.error(sentence, self._period, institution_code, error)

    def _forget_taken(self, institution_code: str, identities: Mapping[str, str]) -> None:
        with self._engine.begin() as connection:
            forget_taken(connection, self._period, institution_code, identities)

    def _judge(
        self,
        institution: Institution,
        delivery: Delivery,
        files: Sequence[DeliveredFile],
        digest: str,
        arrived_at: datetime,
    ) -> Judgement:
        if self._ruleset is None:
            self._ruleset = ruleset_of(self._settings, self._register, self._period)
        try:
            judged = judge_package(files, institution, self._ruleset, folders=delivery.folders)
        except ChangedWhileReadError:
            return self._skipped(institution, State.INCOMPLETE, "a file has just changed")
        if not judged.has_cover and self._cover_may_come(judged):
            found = {draft.report.code for draft in judged.drafts}
            return self._without_cover(institution, delivery, found)
        self._archive_files(institution.code, files)
        submission = Submission(
            period=self._period,
            institution_code=institution.code,
            received_at=arrived_at,
            delivered_at=delivery.newest_at,
            replayed=self._replay,
            digest=digest,
            files=files,
        )
        sheets = JudgedSheets(sorted(files, key=lambda file: printable(file.name)), judged, Limits.of(self._settings))
        with self._engine.begin() as connection:
            staged = stage(connection, judged, self._pii_key)
            # Rows are in the warehouse now, and sheets too large to be shown are not needed any more.
            judged = judged.without_rows()
            recorded, rendered = self._record(connection, submission, judged, staged, sheets)
            if not (isinstance(recorded, Recorded) or self._replay):
                take(connection, self._period, delivery)
        if isinstance(recorded, Recorded):
            return self._repeated(institution, delivery, recorded, arrived_at)
        for cross_check in recorded.cross_checks:
            logger.info("%s reports what %s has brought to light", cross_check, recorded.submission_id)
        # After the commit, and before the files go: what an end in between leaves out, the next look writes.
        write_receipts(self._engine, self._settings, rendered)
        judged = recorded.judged
        return Judgement(
            institution_code=institution.code,
            period=str(self._period),
            verdict=judged.verdict,
            submission_id=recorded.submission_id,
            version=recorded.version,
            received_at=recorded.received_at,
            reports=judged.reports,
            findings=judged.findings,
        )

    def _record(
        self,
        connection: Connection,
        submission: Submission,
        judged: JudgedPackage,
        staged: Staged,
        sheets: JudgedSheets,
    ) -> tuple[Version | Recorded, dict[str, bytes | None]]:
        """Record a delivery, with its workbook made before the period is locked: others of the period do not wait.

        What others record in between, or what the delivery brings to light, may change the findings. Then all is taken
        back, the lock with it, and done once more with the workbooks that lacked: its own, or those of others.

        Returns:
            The version, with the findings workbooks of all its receipts by number.
        """
        others = CrossWorkbooks(self._settings)
        foreseen = foresee(connection, submission, judged, staged)
        if isinstance(foreseen, Recorded):
            return foreseen, {}
        workbook = self._workbook(foreseen, sheets)
        may_take_back = MOST_TAKEN_BACK
        while True:
            self._await_turn(submission.institution_code)
            attempt = connection.begin_nested()
            recorded = record(connection, submission, judged, staged, self._register, self._pii_key, foreseen)
            if isinstance(recorded, Recorded):
                attempt.commit()
                return recorded, {}
            found = read_cross_findings(connection, recorded.cross_checks)
            is_as_foreseen = recorded.has_receipt_of(foreseen)
            is_prepared = is_as_foreseen and others.are_made(found)
            if may_take_back and not is_prepared:
                # The lock goes with it.
                attempt.rollback()
                may_take_back -= 1
            if not is_as_foreseen:
                workbook = self._workbook(recorded, sheets)
            others.made(found)
            if attempt.is_active:
                rendered = self._post(connection, recorded, workbook, found, others)
                attempt.commit()
                return recorded, rendered
            foreseen = recorded

    def _post(
        self,
        connection: Connection,
        version: Version,
        workbook: ReceiptWorkbook,
        found: Sequence[CrossFindings],
        others: CrossWorkbooks,
    ) -> dict[str, bytes | None]:
        """Lay the receipts of a version, and of what it has brought to light, into the outbox; their workbooks."""
        post_receipt(connection, self._settings, version.submission_id, workbook)
        return {version.submission_id: workbook.whole} | post_cross_receipts(connection, self._settings, found, others)

    def _workbook(self, version: Version, sheets: JudgedSheets) -> ReceiptWorkbook:
        return render_receipt_workbook(
            version.findings,
            sheets,
            number=version.submission_id,
            made_at=version.received_at,
            is_demo=self._settings.is_demo,
        )

    def _cover_may_come(self, judged: JudgedPackage) -> bool:
        """Whether to wait for a cover: not where it may be in a file that does not open (docs/intake.md#the-package).

        In a replay nothing more comes, whatever the name of that file says: it is reported at once.
        """
        does_not_open = any(finding.rule == PackageRule.F01.code for finding in judged.findings)
        return not (judged.has_unread_workbook or (self._replay and does_not_open))

    def _without_cover(self, institution: Institution, delivery: Delivery, found: Collection[str]) -> Judgement:
        lies_for = datetime.now(SHANGHAI) - delivery.newest_at
        if not self._replay and self._notify_missing_cover and lies_for >= COVER_WAIT:
            self._await_turn(institution.code)
            with self._engine.begin() as connection:
                post_missing_cover_notice(
                    connection, self._settings, self._register, self._period, institution, delivery, found
                )
        return self._skipped(institution, State.INCOMPLETE, "there is no cover yet")

    def _answer_failure(self, institution: Institution, delivery: Delivery, failure: str) -> None:
        """Tell the institution once that its package is here and that we failed to check it; ops hear of it daily."""
        self._await_turn(institution.code)
        with self._engine.begin() as connection:
            received_at = note_failed(connection, self._period, delivery, failure)
            if received_at is None:
                return
            html = post_failed_check_notice(
                connection, self._settings, self._register, self._period, institution, delivery, received_at
            )
        try:
            write_failed_check_notice(self._settings, self._period, delivery, html)
        except OutboxError as error:
            # What broke the check is what the log must say; the next look writes the file.
            logger.error("%s %s: %s", self._period, institution.code, error)  # noqa: TRY400

    def _repeated(
        self, institution: Institution, delivery: Delivery, known: Recorded, arrived_at: datetime
    ) -> Judgement:
        self._await_turn(institution.code)
        with self._engine.begin() as connection:
            if self._is_another_delivery(connection, delivery, known):
                post_receipt_again(connection, self._settings, known.submission_id, again_at=arrived_at)
            reports = read_reports(connection, known.submission_id)
        write_receipts(self._engine, self._settings, {known.submission_id: None})
        return Judgement(
            institution_code=institution.code,
            period=str(self._period),
            verdict=State.REPEATED,
            submission_id=known.submission_id,
            version=known.version,
            remark="the same bytes as an earlier version",
            reports=reports,
        )

    def _is_another_delivery(self, connection: Connection, delivery: Delivery, known: Recorded) -> bool:
        """Whether the same bytes were delivered once more: not by someone who takes in the very files that we see."""
        if self._replay:
            return known.delivered_at not in (None, delivery.newest_at)
        # In this order: whoever else has noted the files takes them out before forgetting that.
        return take(connection, self._period, delivery) and self._inbox.is_unchanged(delivery)

    def _skipped(self, institution: Institution, state: State, remark: str) -> Judgement:
        if state is not State.FAILED:
            logger.info("%s %s: %s", self._period, institution.code, remark)
        return Judgement(institution_code=institution.code, period=str(self._period), verdict=state, remark=remark)
