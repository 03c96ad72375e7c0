"""A mail server that says at each step what a test wants: refusals, silence, a broken connection, no TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Final, Self

GONE: Final = "<gone>"
"""Instead of a reply: the connection is closed."""
SILENT: Final = "<silent>"
"""Instead of a reply: nothing, until the other side has had enough."""

_USUAL: Final = {
    "banner": "220 mail.example.test",
    "ehlo": "250-mail.example.test\r\n250-SIZE 30000000\r\n250 AUTH PLAIN",
    "auth": "235 Welcome",
    "starttls": "220 Go ahead",
    "mail": "250 OK",
    "rcpt": "250 OK",
    "data": "354 Go ahead",
    "contents": "250 Kept",
    "rset": "250 OK",
    "quit": "221 Bye",
}


class ScriptedServer:
    """Real SMTP on a port of this machine; use it as a context manager.

    Args:
        replies: what is said instead of the usual, by step: banner, ehlo, auth, starttls, mail, rcpt, data, contents.
        tls: wraps each connection from the first byte on, or after STARTTLS.
    """

    def __init__(self, replies: Mapping[str, str] | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.replies = _USUAL | dict(replies or {})
        self.tls = tls
        self.kept: list[bytes] = []
        """The contents that came in whole, whatever was said of them."""
        self.commands: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self._conversations: list[threading.Thread] = []
        self._door = threading.Thread(target=self._open)

    @property
    def port(self) -> int:
        port: int = self._listening.getsockname()[1]
        return port

    def url(self, *, scheme: str = "mailto", login: str = "", more: str = "&mode=insecure") -> str:
        """The setting MAIL for this server, that waits one second for an answer."""
        return f"{scheme}://{login}127.0.0.1:{self.port}?from=five-precisions@example.test&cto=1{more}"

    def __enter__(self) -> Self:
        self._door.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in (self._door, *self._conversations):
            thread.join(10)

    def _open(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._talk, args=(connection,))
            self._conversations.append(thread)
            thread.start()

    def _talk(self, connection: socket.socket) -> None:
        with ExitStack() as open_ends, suppress(OSError):
            open_ends.enter_context(connection)
            connection.settimeout(10)
            if self.tls is not None and "STARTTLS" not in self.replies["ehlo"]:
                connection = open_ends.enter_context(self.tls.wrap_socket(connection, server_side=True))
            words = open_ends.enter_context(connection.makefile("rb"))
            if not self._say(connection, "banner"):
                return
            while line := words.readline():
                self.commands.append(line.decode(errors="replace").strip())
                step = self.commands[-1].partition(" ")[0].lower()
                if not self._say(connection, step) or step == "quit":
                    return
                if step == "starttls" and self.tls is not None:
                    connection = open_ends.enter_context(self.tls.wrap_socket(connection, server_side=True))
                    words = open_ends.enter_context(connection.makefile("rb"))
                if step == "data" and self.replies[step].startswith("354"):
                    contents = b""
                    while not contents.endswith(b"\r\n.\r\n"):
                        if not (more := words.readline()):
                            return
                        contents += more
                    self.kept.append(contents)
                    if not self._say(connection, "contents"):
                        return

    def _say(self, connection: socket.socket, step: str) -> bool:
        """Say what is to be said; whether the conversation goes on."""
        reply = self.replies.get(step, "502 What?")
        if reply == GONE:
            return False
        if reply == SILENT:
            self._stopped.wait(10)
            return False
        connection.sendall(f"{reply}\r\n".encode())
        return True
