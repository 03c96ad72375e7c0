"""Mails and files for institutions: receipts, findings workbooks, reminders (docs/intake.md#the-receipt)."""

from five_precisions.receipts.failed_check import post_failed_check_notice, write_failed_check_notice
from five_precisions.receipts.findings_workbook import render_findings_workbook
from five_precisions.receipts.missing_cover import post_missing_cover_notice
from five_precisions.receipts.receipt_files import (
    OutboxError,
    read_written_workbook,
    require_outbox,
    write_missing_receipts,
    write_receipts,
)
from five_precisions.receipts.receipt_workbooks import JudgedSheets, ReceiptWorkbook, render_receipt_workbook
from five_precisions.receipts.receipts import post_cross_receipts, post_receipt, post_receipt_again
from five_precisions.receipts.reminders import asked_reminders, post_reminders

__all__ = [
    "JudgedSheets",
    "OutboxError",
    "ReceiptWorkbook",
    "asked_reminders",
    "post_cross_receipts",
    "post_failed_check_notice",
    "post_missing_cover_notice",
    "post_receipt",
    "post_receipt_again",
    "post_reminders",
    "read_written_workbook",
    "render_findings_workbook",
    "render_receipt_workbook",
    "require_outbox",
    "write_failed_check_notice",
    "write_missing_receipts",
    "write_receipts",
]
