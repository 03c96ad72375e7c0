"""What a program took of the machine's memory."""

from __future__ import annotations

from pathlib import Path


def peak_megabytes() -> float:
    """The most that this program has held at once, in MB.

    What `getrusage` tells begins with what whoever started the program held: under a large test run it is all of that.
    """
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024
