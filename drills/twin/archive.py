"""Which write-ahead log can a restore read, and since when?

PostgreSQL hands each finished segment to its archive command, which copies it into a folder of the server's own and
renames it when complete. The moment of that rename is the file's change time, so a poll that is late still records
the right instant. Segments finish because traffic fills them, and because the twin switches by its own clock: the
server's own `archive_timeout` does nothing for minutes after a start, until its checkpointer first wakes.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from drills.twin import clock
from drills.twin.errors import NotArchivedInTime
from drills.twin.postgres import Postgres
from drills.twin.truth import Truth

_LOG = logging.getLogger(__name__)
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_WATCH_EVERY_S = 0.05


class Archive:
    """The archived write-ahead log of one server."""

    def __init__(self, server: str, folder: Path, truth: Truth) -> None:
        self.server = server
        self.folder = folder
        self._truth = truth
        self._noted: set[str] = set()
        self._changed_ns = -1

    @property
    def command(self) -> str:
        """The archive command: a segment appears under its name only when it is complete."""
        temporary = f"{self.folder}/.%f.partial"
        return f"test -e {self.folder}/%f || {{ cp %p {temporary} && mv {temporary} {self.folder}/%f; }}"

    def names(self) -> list[str]:
        """Everything that a restore could read now: segments, timeline histories, backup histories."""
        return sorted(entry.name for entry in self.folder.iterdir() if not entry.name.startswith("."))

    def segments(self) -> list[str]:
        """The segments that are archived now, by name."""
        return [name for name in self.names() if _SEGMENT.fullmatch(name)]

    def archived_at(self, name: str) -> datetime | None:
        """When the file appeared under its name; None while it has not."""
        try:
            return datetime.fromtimestamp((self.folder / name).stat().st_ctime, tz=UTC)
        except FileNotFoundError:
            return None

    def note_new(self) -> None:
        """Record the segments that were archived since the last look."""
        changed_ns = self.folder.stat().st_mtime_ns
        if changed_ns == self._changed_ns:
            return
        self._changed_ns = changed_ns
        for name in self.names():
            appeared = None if name in self._noted else self.archived_at(name)
            if appeared is not None:
                self._noted.add(name)
                self._truth.record("archived", at=clock.at_utc(appeared), server=self.server, file=name)

    async def watch(self) -> None:
        """Record what is archived, until cancelled."""
        while True:
            self.note_new()
            await asyncio.sleep(_WATCH_EVERY_S)

    async def switch(self, postgres: Postgres, *, why: str) -> str:
        """Finish the current segment and return the name of the last finished one.

        Nothing is finished if nothing was written since the switch before.
        """
        async with await postgres.session() as session:
            # A position on a boundary belongs to the segment that ends there, and so does its name.
            query = "SELECT pg_walfile_name(lsn), lsn::text FROM pg_switch_wal() AS lsn"
            row = await (await session.execute(query)).fetchone()
        assert row is not None  # noqa: S101  # a function in FROM returns one row
        name, lsn = str(row[0]), str(row[1])
        self._truth.record("switched", server=self.server, file=name, lsn=lsn, why=why)
        return name

    async def switch_regularly(self, postgres: Postgres, *, every_s: float, phase_s: float) -> None:
        """Switch every `every_s` wall seconds, the first time after `phase_s`, until cancelled."""
        due = time.monotonic() + phase_s
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            try:
                await self.switch(postgres, why="clock")
            except psycopg.OperationalError as gone:
                _LOG.info("%s cannot be switched: %s", self.server, gone)
            due += every_s

    async def until_archived(self, name: str, *, limit_s: float) -> None:
        """Wait until a segment is archived.

        Raises:
            NotArchivedInTime: it did not appear within `limit_s` wall seconds.
        """
        give_up = time.monotonic() + limit_s
        while self.archived_at(name) is None:
            if time.monotonic() > give_up:
                raise NotArchivedInTime(f"{name} of {self.server} was not archived within {limit_s:g} s")
            await asyncio.sleep(0.005)
        self.note_new()
