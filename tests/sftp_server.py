"""An SFTP server on loopback, in this process: an account per institution, shut into its folder, and the collector's.

It misbehaves when told to: after `drop_after` bytes of reading it drops the connection, once; `while_reading` is
called, once, when a file is first read. It notes which files it was asked to sync.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import asyncssh

COLLECTOR = "collector"
Result = TypeVar("Result")


def password_of(account: str) -> str:
    return f"geheim-{account}"


class SftpServer:
    """Runs between `start` and `stop`; `root` holds `home/<institution>`, whose owner sees it as `/`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.collector_key = asyncssh.generate_private_key("ssh-ed25519")
        self.port = 0
        self.connected = 0
        self.connections: set[asyncssh.SSHServerConnection] = set()
        self.drop_after: int | None = None
        self.while_reading: Callable[[], None] | None = None
        self.synced: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._acceptor: asyncssh.SSHAcceptor | None = None

    @property
    def address(self) -> str:
        return f"sftp://127.0.0.1:{self.port}/home/{{institution}}/{{period}}"

    @property
    def public_host_key(self) -> str:
        return self.host_key.export_public_key().decode().strip()

    def options(self, **changes: Any) -> dict[str, Any]:
        """fsspec's storage options of the collector."""
        key = self.collector_key.export_private_key().decode()
        return {"username": COLLECTOR, "private_key": key, "host_key": self.public_host_key, **changes}

    def start(self) -> None:
        self.run(self._start())

    def stop(self) -> None:
        self.run(self._stop())

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def deliver(self, institution: str, period: str, files: dict[str | bytes, bytes], *, link: str = "") -> None:
        """Upload with the institution's own account; or make its period's folder a link."""
        self.run(self._deliver(institution, period, files, link))

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _start(self) -> None:
        site = self

        class Session(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                self.connection = conn
                site.connected += 1
                site.connections.add(conn)

            def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncssh's signature
                site.connections.discard(self.connection)

            def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - asyncssh's signature
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return password == password_of(username)

            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
                own = site.collector_key.export_public_key()
                return username == COLLECTOR and key.export_public_key() == own

        class Files(asyncssh.SFTPServer):
            def __init__(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
                account = chan.get_extra_info("username")
                folder = site.root if account == COLLECTOR else site.root / "home" / account
                folder.mkdir(parents=True, exist_ok=True)
                super().__init__(chan, chroot=str(folder))

            def read(self, file_obj: object, offset: int, size: int) -> Any:
                content = super().read(file_obj, offset, size)
                if site.while_reading is not None:
                    act, site.while_reading = site.while_reading, None
                    act()
                if site.drop_after is not None and offset + size > site.drop_after:
                    site.drop_after = None
                    self.connection.abort()
                return content

            def fsync(self, file_obj: Any) -> None:
                super().fsync(file_obj)
                site.synced.append(Path(os.fsdecode(file_obj.name)).name)

        self._acceptor = await asyncssh.listen(
            "127.0.0.1", self.port, server_host_keys=[self.host_key], server_factory=Session, sftp_factory=Files
        )
        self.port = self._acceptor.get_port()

    async def _stop(self) -> None:
        if self._acceptor is not None:
            self._acceptor.close()
            await self._acceptor.wait_closed()
            self._acceptor = None
        for connection in list(self.connections):
            connection.abort()
            await connection.wait_closed()

    async def _deliver(self, institution: str, period: str, files: dict[str | bytes, bytes], link: str) -> None:
        async with (
            asyncssh.connect(
                "127.0.0.1",
                self.port,
                username=institution,
                password=password_of(institution),
                known_hosts=([self.host_key.convert_to_public()], [], []),
                client_keys=None,
            ) as connection,
            connection.start_sftp_client() as client,
        ):
            if link:
                await client.symlink(link, f"/{period}")
            else:
                await client.makedirs(f"/{period}", exist_ok=True)
            for name, content in files.items():
                path = f"/{period}/".encode() + (name if isinstance(name, bytes) else name.encode())
                async with client.open(path, "wb") as file:
                    await file.write(content)
                await client.utime(path, (1_562_119_200, 1_562_119_200))
