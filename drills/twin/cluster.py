"""What stands behind the name of a server: its PostgreSQL, its archive, its backups and its application?

<folder>/data/        the running instance
<folder>/archive/     its finished write-ahead log
<folder>/backups/N/   base backups, oldest first
<folder>/picked/      what the restore that made this server was allowed to read
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg import sql

from drills.twin import clock, zep
from drills.twin.archive import Archive
from drills.twin.copying import copy_cluster, copy_sharing, remove_cluster
from drills.twin.identity import give_own_identity
from drills.twin.postgres import SUPERUSER, Postgres, Programs
from drills.twin.privileges import give, run
from drills.twin.truth import Truth

_LOG = logging.getLogger(__name__)
_START_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Backup:
    """A base backup: any point since `usable_from` can be reached from it with the archive."""

    folder: Path
    usable_from: datetime


@dataclass(frozen=True, slots=True)
class Administrator:
    """The login that a server is created with."""

    name: str
    password: str


class Cluster:
    """The data side of one server. All durations are wall seconds."""

    def __init__(self, name: str, folder: Path, programs: Programs, truth: Truth) -> None:
        self.name = name
        self.folder = folder
        self.programs = programs
        self.truth = truth
        folder.mkdir()
        (folder / "archive").mkdir()
        (folder / "backups").mkdir()
        for path in (folder, folder / "archive", folder / "backups"):
            give(path, programs.account)
        self.postgres = Postgres(programs, folder / "data", log=folder / "postgresql.log")
        self.archive = Archive(name, folder / "archive", truth)
        self.backups: list[Backup] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def archiving(self) -> dict[str, str]:
        """The settings with which this server archives into its own folder."""
        return {"archive_mode": "on", "archive_command": self.archive.command}

    async def be_born(self, template: Path, administrator: Administrator, numbers: random.Random) -> None:
        """Copy the template and make it a server of its own; its first backup is a copy made while it is shut down."""
        await copy_cluster(template, self.postgres.data)
        give_own_identity(self.postgres.data, numbers)
        self.postgres.start({"autovacuum": "off"})
        await self.postgres.until_ready(limit_s=_START_LIMIT_S)
        await self._appoint(administrator)
        await self.postgres.stop()

    async def keep_cold_backup(self, template: Path) -> None:
        """Keep a copy of the data directory of an instance that is shut down and was born from this template."""
        folder = self._next_backup()
        account = self.programs.account
        await asyncio.to_thread(copy_sharing, self.postgres.data, folder, original=template, account=account)
        self._note_backup(folder, usable_from=clock.now().utc, how="cold")

    async def keep_backup(self) -> None:
        """Take a base backup of the running instance; it counts once its log is archived.

        Raises:
            PostgresFailed: pg_basebackup ended with an error.
        """
        folder = self._next_backup()
        login = f"host=127.0.0.1 port={self.postgres.port} user={SUPERUSER} sslmode=disable"
        passfile = self.folder / ".pgpass"
        if not passfile.exists():
            passfile.touch(mode=0o600)
            passfile.write_text(f"*:*:*:{SUPERUSER}:{self.programs.superuser_password}\n")
            give(passfile, self.programs.account)
        program = self.programs.folder / "pg_basebackup"
        options = (
            "-D",
            str(folder),
            "-d",
            f"{login} passfile={passfile}",
            "-X",
            "none",
            "-c",
            "fast",
            "--no-sync",
        )
        await run((program, *options), self.programs.account)
        self._note_backup(folder, usable_from=clock.now().utc, how="online")

    async def start(self) -> None:
        """Start the instance with its archiving on, and wait until it takes writes."""
        self.postgres.start(self.archiving)
        ready = await self.postgres.until_ready(limit_s=_START_LIMIT_S)
        self.truth.record("ready", at=ready, server=self.name, port=self.postgres.port)
        self.keep_doing(self.archive.watch())

    def keep_doing(self, work: Coroutine[object, object, None]) -> None:
        """Let something run beside the instance until the server is gone."""
        task = asyncio.create_task(work)
        task.add_done_callback(_log_failure)
        self._tasks.append(task)

    async def stop(self, *, remove: bool = False) -> None:
        """End everything that runs for this server; with `remove`, its files too."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self.postgres.end()
        if remove:
            await asyncio.to_thread(remove_cluster, self.folder)

    async def _appoint(self, administrator: Administrator) -> None:
        async with await self.postgres.session() as session:
            if administrator.name != zep.OWNER:
                rename = sql.SQL("ALTER ROLE {} RENAME TO {}")
                await session.execute(
                    rename.format(sql.Identifier(zep.OWNER), sql.Identifier(administrator.name))
                )
            statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
            name, password = sql.Identifier(administrator.name), sql.Literal(administrator.password)
            await session.execute(statement.format(name, password))

    def _next_backup(self) -> Path:
        return self.folder / "backups" / str(len(self.backups))

    def _note_backup(self, folder: Path, *, usable_from: datetime, how: str) -> None:
        self.backups.append(Backup(folder, usable_from))
        self.truth.record("backup", server=self.name, usable_from=usable_from.isoformat(), how=how)


def _log_failure(task: asyncio.Task[None]) -> None:
    """What runs beside a server ends with it; if it ends by itself, the log says why."""
    if not task.cancelled() and (failure := task.exception()) is not None:
        _LOG.error("something beside a server broke", exc_info=failure)
