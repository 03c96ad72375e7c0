"""The month's collection: deliveries taken in, the close, what comes late, the self-check (docs/intake.md)."""

from five_precisions.collection.closing import Close, Force, PackagesWaitingError, Reopening, close, reopen
from five_precisions.collection.collecting import collect
from five_precisions.collection.deliveries import COVER_WAIT
from five_precisions.collection.late import collect_late
from five_precisions.collection.selfcheck import check

__all__ = [
    "COVER_WAIT",
    "Close",
    "Force",
    "PackagesWaitingError",
    "Reopening",
    "check",
    "close",
    "collect",
    "collect_late",
    "reopen",
]
