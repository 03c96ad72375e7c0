"""Errors that end a command: one sentence for the person who must act, and an exit code (spec/05, Command line)."""


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
