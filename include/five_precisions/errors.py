"""Errors that end a command: one sentence for the person who must act, and an exit code.

See docs/operations.md#by-command-line.
"""


def sentence_of(error: OSError) -> str:
    """What the machine refused, as one sentence: a disk that is full, a folder that nothing can be made in."""
    place = "" if error.filename is None else f"{error.filename}: "
    return f"{place}{error.strerror or error}."


class FivePrecisionsError(Exception):
    """Base of every error that is ours. The message is one sentence; nobody needs a traceback to act on it."""

    exit_code = 1


class RefusedError(FivePrecisionsError):
    """What was asked is understood and not allowed as things stand, e.g. assessing a month that is not closed."""


class SetupError(FivePrecisionsError):
    """The installation is not usable: a secret is missing, no database answers, a reference file is wrong."""

    exit_code = 2


class UnreachableError(SetupError):
    """A server or a store does not answer; it may answer later, so it is worth another try."""


class UsageError(FivePrecisionsError):
    """The words of the command are off: an unknown period, institution, metric or scope."""

    exit_code = 2
