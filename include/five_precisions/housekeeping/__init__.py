"""Housekeeping: backups and restores, retention, partitions made ahead, a disk's forecast, and the record of them.

See docs/operations.md#housekeeping.
"""

from five_precisions.housekeeping.backup import Backup, BackupFolder, back_up, restore, try_restore
from five_precisions.housekeeping.record import Outcome, Task, TaskState, read_housekeeping, record

__all__ = [
    "Backup",
    "BackupFolder",
    "Outcome",
    "Task",
    "TaskState",
    "back_up",
    "read_housekeeping",
    "record",
    "restore",
    "try_restore",
]
