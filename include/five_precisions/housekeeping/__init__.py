"""Housekeeping: backups and restores, retention, partitions made ahead, a disk's forecast, and the record of them.

See docs/operations.md#housekeeping.
"""

from five_precisions.housekeeping.backup import Backup, BackupFolder, back_up, restore, try_restore
from five_precisions.housekeeping.disk import LEAST_SHARE, Disk, DiskSpace, days_until_full, measure_disks
from five_precisions.housekeeping.record import LONGEST_PAUSE, Task, TaskOutcome, TaskState, read_housekeeping, record
from five_precisions.housekeeping.retention import make_partitions_ahead, remove_superseded

__all__ = [
    "LEAST_SHARE",
    "LONGEST_PAUSE",
    "Backup",
    "BackupFolder",
    "Disk",
    "DiskSpace",
    "Task",
    "TaskOutcome",
    "TaskState",
    "back_up",
    "days_until_full",
    "make_partitions_ahead",
    "measure_disks",
    "read_housekeeping",
    "record",
    "remove_superseded",
    "restore",
    "try_restore",
]
