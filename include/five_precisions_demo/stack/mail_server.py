"""The mail server of a stack, which keeps what it gets; no production knows it."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from five_precisions_demo.stack.site import HOST

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session


class MailServer:
    """Takes every mail on a port of its own and keeps it as an `.eml` file."""

    def __init__(self, folder: Path) -> None:
        from aiosmtpd.controller import Controller

        taken = socket.create_server((HOST, 0))
        self.port: int = taken.getsockname()[1]

        class OnTakenPort(Controller):
            def _create_server(self) -> Any:
                return self.loop.create_server(self._factory_invoker, sock=taken)

        self._socket = taken
        self._controller = OnTakenPort(_Keeper(folder), hostname=HOST, port=self.port, ready_timeout=30)

    def start(self) -> None:
        """Begin to take mails."""
        self._controller.start()

    def stop(self) -> None:
        """Take no more; harmless where it was never started."""
        with suppress(AssertionError):
            # It asserts that it runs.
            self._controller.stop()
        self._socket.close()


class _Keeper:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = len(list(folder.glob("*.eml")))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        self._count += 1
        (self._folder / f"{self._count:05d}.eml").write_bytes(envelope.original_content or b"")
        return "250 Kept"
