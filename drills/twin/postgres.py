"""How does one PostgreSQL process start, tell that it is ready, and stop?

Readiness is read from `postmaster.pid`, whose eighth line PostgreSQL keeps up to date: with hot standby off, "ready"
appears in the moment in which the instance leaves recovery and takes writes. Looking there every other millisecond
costs nothing, and no connection is needed.
"""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from drills.twin import clock
from drills.twin.errors import PostgresFailed
from drills.twin.privileges import Account, give, run, start_server

SUPERUSER = "azuresu"
_LOOK_EVERY_S = 0.002
# Below the range from which the kernel hands out ports to clients: none of them takes ours between stop and start.
_PORTS = range(20_000, 32_000)
_PORT_TAKEN = "could not create any TCP/IP sockets"

_HBA = f"""\
host  all          {SUPERUSER}   127.0.0.1/32   scram-sha-256
host  replication  {SUPERUSER}   127.0.0.1/32   scram-sha-256
host  all          all           127.0.0.1/32   scram-sha-256
"""

# fsync and page images are off: the twin's machine does not lose power in a drill, a killed process loses nothing
# that it wrote, and base backups switch page images on by themselves while they run.
# track_commit_timestamp is off as on a new server (azure-cli's tests, tuning options, 2025-02).
# Hot standby is off, so nobody is let in before recovery has ended.
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "16MB",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "replica",
    "wal_init_zero": "off",
    "max_wal_size": "256MB",
    "min_wal_size": "8MB",
    "checkpoint_timeout": "600",
    "hot_standby": "off",
    "track_commit_timestamp": "off",
    "password_encryption": "scram-sha-256",
    "azure.extensions": "vector",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "max_parallel_workers_per_gather": "2",
    "autovacuum_naptime": "60",
}


@dataclass(frozen=True, slots=True)
class Programs:
    """PostgreSQL's programs, the account that runs them, and the password of the superuser in every cluster."""

    folder: Path
    account: Account
    superuser_password: str

    def initialise(self, data: Path, *, segment_bytes: int) -> None:
        """Create a cluster with checksums, UTF-8 and the superuser `azuresu`. Blocks for about a second.

        Raises:
            PostgresFailed: initdb ended with an error.
        """
        password = data.parent / f".{data.name}.password"
        password.touch(mode=0o600)
        password.write_text(self.superuser_password)
        give(password, self.account)
        asyncio.run(run([
            self.folder / "initdb", "-D", data, "-U", SUPERUSER, "--no-sync", "--data-checksums",
            f"--wal-segsize={segment_bytes // 1024 // 1024}", "--encoding=UTF8", "--locale=C",
            "--auth=scram-sha-256", f"--pwfile={password}",
        ], self.account))  # fmt: skip
        password.unlink()


class Postgres:
    """One instance: a data directory, a port on loopback, and, while it runs, a process."""

    def __init__(self, programs: Programs, data: Path, *, log: Path) -> None:
        self.programs = programs
        self.data = data
        self.log = log
        self.port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._settings: Mapping[str, str] = {}

    @property
    def running(self) -> bool:
        """Whether the process exists; it may still be recovering."""
        return self._process is not None and self._process.poll() is None

    def start(self, settings: Mapping[str, str]) -> None:
        """Start the process with these settings on top of the twin's own. Call from the main thread."""
        self._settings = settings
        self._choose_port()
        self._spawn()

    def look(self) -> bool:
        """Whether the instance takes writes by now; starts it again if somebody else took its port.

        Raises:
            PostgresFailed: the process has ended.
        """
        if self._process is None:
            raise PostgresFailed(f"PostgreSQL in {self.data} was not started")
        if self._process.poll() is None:
            return self._status() == "ready"
        if _PORT_TAKEN not in self.end_of_log():
            raise PostgresFailed(f"PostgreSQL in {self.data} ended:\n{self.end_of_log()}")
        self.start(self._settings)
        return False

    async def until_ready(self, *, limit_s: float) -> clock.Instant:
        """Wait until the instance takes writes, and return the moment in which that was seen, to about 2 ms.

        Raises:
            PostgresFailed: the process ended, or the limit (wall seconds) passed.
        """
        give_up = time.monotonic() + limit_s
        while not self.look():
            self._check_limit(give_up, limit_s)
            await asyncio.sleep(_LOOK_EVERY_S)
        return clock.now()

    def block_until_ready(self, *, limit_s: float) -> None:
        """The same for callers without an event loop."""
        give_up = time.monotonic() + limit_s
        while not self.look():
            self._check_limit(give_up, limit_s)
            time.sleep(_LOOK_EVERY_S)

    async def stop(self) -> None:
        """Shut down with a checkpoint, cutting sessions off; at once if it does not end within five seconds."""
        self._signal(signal.SIGINT)
        give_up = time.monotonic() + 5.0
        while self.running and time.monotonic() < give_up:
            await asyncio.sleep(_LOOK_EVERY_S)
        self.end()

    def block_until_stopped(self) -> None:
        """Shut down with a checkpoint, for callers without an event loop."""
        self._signal(signal.SIGINT)
        if self._process is not None:
            self._process.wait(timeout=30.0)

    def end(self) -> None:
        """End the process without a checkpoint and wait until it is gone; a few milliseconds."""
        self._signal(signal.SIGQUIT)
        if self._process is None:
            return
        try:
            self._process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def dsn(self, database: str) -> str:
        """A connection string of the superuser, past the gateway. For the twin and its tests only."""
        return (
            f"host=127.0.0.1 port={self.port} user={SUPERUSER} password={self.programs.superuser_password} "
            f"dbname={database} sslmode=disable application_name=twin"
        )

    def superuser(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """A session of the superuser in which each statement is a transaction. Blocks."""
        return psycopg.connect(self.dsn(database), autocommit=True)

    async def session(self, database: str = "postgres") -> psycopg.AsyncConnection[tuple[object, ...]]:
        """The same for the event loop."""
        return await psycopg.AsyncConnection.connect(self.dsn(database), autocommit=True)

    def end_of_log(self) -> str:
        """The last lines that the process wrote."""
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""

    def _choose_port(self) -> None:
        candidates = ([self.port] if self.port else []) + random.SystemRandom().sample(_PORTS, 200)
        self.port = next(port for port in candidates if _is_free(port))

    def _spawn(self) -> None:
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        settings = {**_SETTINGS, "port": str(self.port), **self._settings}
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
        (self.data / "postgresql.conf").write_text("".join(lines))
        (self.data / "pg_hba.conf").write_text(_HBA)
        self.log.unlink(missing_ok=True)
        with self.log.open("wb") as log:
            command = (self.programs.folder / "postgres", "-D", self.data)
            self._process = start_server(command, self.programs.account, log)

    def _status(self) -> str:
        """The word that PostgreSQL keeps on line 8 of its lock file, once the file is this process's own."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return ""
        mine = self._process is not None and bool(lines) and lines[0] == str(self._process.pid)
        return lines[7].strip() if mine and len(lines) > 7 else ""

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _check_limit(self, give_up: float, limit_s: float) -> None:
        if time.monotonic() > give_up:
            raise PostgresFailed(
                f"PostgreSQL in {self.data} not ready after {limit_s:g} s:\n{self.end_of_log()}"
            )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
