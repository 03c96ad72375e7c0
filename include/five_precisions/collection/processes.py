"""Other processes of this program, which share the work of a collection or a close.

They are forked from one that has imported everything they need, and end with the process that has asked for them. See
docs/performance.md#several-processes.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from logging.handlers import QueueHandler
from multiprocessing import connection as pipes
from multiprocessing.context import ForkServerContext
from queue import SimpleQueue
from typing import TypeVar, TypeVarTuple

from five_precisions.errors import FivePrecisionsError
from five_precisions.rights import umask
from five_precisions.settings import PREFIX

logger = logging.getLogger(__name__)

Given = TypeVarTuple("Given")
Argument = TypeVar("Argument")
Result = TypeVar("Result")


class ProcessEndedError(FivePrecisionsError):
    """One of the processes was ended from outside, as the system does where memory runs out."""


class NoProcessesError(FivePrecisionsError):
    """The system starts no further processes, or has no memory or sockets that they share; nothing was begun."""


class Workers:
    """The processes, and what they have been asked to do. What they log is logged here, with the result of the work."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self._executor = executor

    def submit(self, function: Callable[[*Given], Result], *arguments: *Given) -> Callable[[], Result]:
        """Ask for a function of a module to be called.

        Returns:
            What waits for its result, and raises what it has raised; or `ProcessEndedError`.

        Raises:
            NoProcessesError: the system starts none.
            ProcessEndedError: one of them was ended before.
        """
        try:
            future = self._executor.submit(_call, function, arguments)
        except OSError as error:
            raise NoProcessesError(error.strerror or str(error)) from error
        except BrokenProcessPool as error:
            raise _ended() from error
        return lambda: _result_of(future)


def _result_of(future: Future[tuple[Result, list[logging.LogRecord]]]) -> Result:
    try:
        result, records = future.result()
    except BrokenProcessPool as error:
        raise _ended() from error
    for record in records:
        own = logging.getLogger(record.name)
        if own.isEnabledFor(record.levelno):
            own.handle(record)
    return result


def _ended() -> ProcessEndedError:
    return ProcessEndedError(
        "A process that shared the work was ended from outside; where memory has run out, name fewer by "
        f"{PREFIX}PROCESSES."
    )


def context(preloaded: str) -> ForkServerContext:
    """How the processes are made: forked from one that has imported a module, without threads and connections of this.

    Whoever asks first in a process says which module that is.
    """
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([preloaded])
    return found


@contextmanager
def started(
    processes: int, preloaded: str, begin: Callable[..., None] | None = None, *arguments: object
) -> Iterator[Workers]:
    """Have processes work for the length of a block; each of them first calls `begin` with the arguments.

    They are forked from one that has imported the module `preloaded`. The main module of the program is imported by
    each of them, so it starts nothing when it is imported. What has been asked for and not begun when the block ends
    is left.

    Raises:
        NoProcessesError: the system has nothing that they could share.
    """
    # The process that they are forked from may have started under other settings than those of the moment.
    ours = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    given = (logging.getLogger().level, umask(), ours, begin, arguments)
    try:
        executor = ProcessPoolExecutor(processes, context(preloaded), _begin, given)
    except OSError as error:
        raise NoProcessesError(error.strerror or str(error)) from error
    try:
        yield Workers(executor)
    finally:
        executor.shutdown(cancel_futures=True)


def map_by_several(
    processes: int, preloaded: str, least: int
) -> Callable[[Callable[[Argument], Result], Sequence[Argument]], Iterator[Result]]:
    """A `map` by so many other processes, where it is worth them; by this one where not, or where they fail it.

    Args:
        processes: How many at most.
        preloaded: The module that they have imported.
        least: Arguments; for fewer, to load other processes takes longer than it saves.
    """

    def mapped(function: Callable[[Argument], Result], arguments: Sequence[Argument]) -> Iterator[Result]:
        done = 0
        if processes > 1 and len(arguments) >= least:
            try:
                with started(min(processes, len(arguments)), preloaded) as workers:
                    for result in [workers.submit(function, argument) for argument in arguments]:
                        yield result()
                        done += 1
            except (NoProcessesError, ProcessEndedError) as error:
                logger.warning("%s; one process does the rest", str(error).rstrip("."))
        yield from map(function, arguments[done:])

    return mapped


# In one of the processes

_log: SimpleQueue[logging.LogRecord] = SimpleQueue()


def _begin(
    level: int, mask: int, ours: Mapping[str, str], begin: Callable[..., None] | None, arguments: Sequence[object]
) -> None:
    # Who presses Ctrl-C means the process that waits for this one: it lets what has begun come to its end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.umask(mask)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ.update(ours)
    log = logging.getLogger()
    log.handlers[:] = [QueueHandler(_log)]
    log.setLevel(level)
    if begin is not None:
        begin(*arguments)


def _end_with_parent() -> None:
    """End when the process that has started this one is gone: nobody hands out work or takes results any more."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        pipes.wait([parent.sentinel])
        os._exit(1)


def _call(function: Callable[..., Result], arguments: Sequence[object]) -> tuple[Result, list[logging.LogRecord]]:
    result = function(*arguments)
    records: list[logging.LogRecord] = []
    while not _log.empty():
        records.append(_log.get())
    return result, records
