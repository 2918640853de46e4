"""How does a copy come back from a base backup and an archive, up to the point that was picked?

    base backup ──▶ data ──▶ replay what was picked ──▶ promote to a timeline of its own
                              ▲
    archive, as it stood when it was picked (symbolic links; the files themselves are copied for each read)

A time counts as reached only when a later commit is in the log. Where none is, PostgreSQL ends with an error, and the
recovery goes on to the end of what was picked instead, since everything there lies before the point.
https://www.postgresql.org/docs/16/runtime-config-wal.html#RUNTIME-CONFIG-WAL-RECOVERY-TARGET
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from drills.twin import clock
from drills.twin.cluster import Backup, Cluster
from drills.twin.config import LatestMeans
from drills.twin.copying import copy_cluster
from drills.twin.errors import PostgresFailed
from drills.twin.lies import Lies, run_on_copy
from drills.twin.privileges import give

_TARGET_NOT_REACHED = "recovery ended before configured recovery target was reached"
_RECOVERY_LIMIT_S = 600.0
_FLUSH_LIMIT_S = 30.0
_PAST_TARGET_S = 0.1
_FORK = re.compile(r"^(\d+)\t([0-9A-F]+/[0-9A-F]+)\t", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pick:
    """What a restore reads: a backup, these files of the archive, and how far; no target means all of it."""

    backup: Backup
    files: tuple[str, ...]
    target: datetime | None


@dataclass(frozen=True, slots=True)
class Fork:
    """Where the recovered server left its source: the end of what it replayed, and its timeline before and after."""

    lsn: str
    parent_timeline: int
    timeline: int


class Restore:
    """One restore from the moment in which it was requested.

    `latest_means` says what a restore to now can read: what is archived when the request arrives, or also what a
    living source still holds, which is flushed for it. A point in the future is taken as now
    (MicrosoftDocs/azure-databases-docs, how-to-restore-custom-restore-point.md).
    """

    def __init__(
        self,
        source: Cluster,
        *,
        asked: datetime,
        latest_means: LatestMeans,
        lies: Lies,
        time: clock.ServiceTime,
    ) -> None:
        self.source = source
        self.lies = lies
        self._requested = clock.now()
        self._asked = asked
        shift = timedelta(seconds=lies.shift_s(time))
        self._target = min(asked, self._requested.utc) + shift
        self._needs_later_log = latest_means == "flushes_source" or shift > timedelta(0)
        reads_all = asked >= self._requested.utc and not shift and not self._needs_later_log
        self._picked = (
            None if self._needs_later_log else pick(source, None if reads_all else self._target, asked=asked)
        )

    async def recover(self, copy: Cluster, *, hold: Path | None = None) -> Fork:
        """Bring the copy up; what lies do to its rows is done before this returns.

        Raises:
            PostgresFailed: recovery ended without a server that takes writes.
            NotArchivedInTime: the source's log was to be flushed and did not arrive.
        """
        picked = self._picked or await self._pick_later()
        fork = await recover(self.source, copy, picked, hold=hold)
        for database, statement in self.lies.statements_on_copy():
            async with await copy.postgres.session(database) as session:
                rows = await run_on_copy(session, statement)
            copy.truth.record("lied_on_copy", server=copy.name, database=database, sql=statement, rows=rows)
        return fork

    async def _pick_later(self) -> Pick:
        """Wait until the target has passed, flush the source, and pick then."""
        await asyncio.sleep(max(0.0, (self._target - clock.now().utc).total_seconds() + _PAST_TARGET_S))
        if self.source.postgres.running:
            segment = await self.source.archive.switch(self.source.postgres, why="restore")
            await self.source.archive.until_archived(segment, limit_s=_FLUSH_LIMIT_S)
        return pick(self.source, self._target, asked=self._asked)


def pick(source: Cluster, target: datetime | None, *, asked: datetime) -> Pick:
    """Decide, now, what a restore of `source` reads, and record it.

    A target before the oldest backup reaches that backup itself: nothing was written before the twin's world began.
    """
    source.archive.note_new()
    usable = [backup for backup in source.backups if target is None or backup.usable_from <= target]
    backup = usable[-1] if usable else source.backups[0]
    files = tuple(source.archive.names())
    source.truth.record(
        "picked",
        source=source.name,
        asked=asked.isoformat(),
        target=target and target.isoformat(),
        backup=backup.usable_from.isoformat(),
        newest=max(source.archive.segments(), default=None),
        files=len(files),
    )
    return Pick(backup, files, target)


async def recover(source: Cluster, copy: Cluster, picked: Pick, *, hold: Path | None = None) -> Fork:
    """Bring the copy up from what was picked and wait until it takes writes on its own timeline.

    With `hold`, recovery does not read anything from the archive before that file exists.

    Raises:
        PostgresFailed: PostgreSQL ended for another reason than a target beyond the end of the log.
    """
    await copy_cluster(picked.backup.folder, copy.postgres.data)
    view = _view(source, copy, picked)
    settings = {
        **copy.archiving,
        "restore_command": _restore_command(view, hold),
        "recovery_target_action": "promote",
    }
    signal_file = copy.postgres.data / "recovery.signal"
    signal_file.touch()
    give(signal_file, copy.programs.account)
    ready = await _replay(copy, settings, picked.target)
    fork = _fork_of(copy)
    copy.truth.record(
        "recovered",
        at=ready,
        server=copy.name,
        source=source.name,
        fork_lsn=fork.lsn,
        parent_timeline=fork.parent_timeline,
        timeline=fork.timeline,
    )
    copy.keep_doing(copy.archive.watch())
    return fork


async def _replay(copy: Cluster, settings: dict[str, str], target: datetime | None) -> clock.Instant:
    if target is not None:
        copy.postgres.start({**settings, "recovery_target_time": target.isoformat()})
        try:
            return await copy.postgres.until_ready(limit_s=_RECOVERY_LIMIT_S)
        except PostgresFailed:
            if _TARGET_NOT_REACHED not in copy.postgres.end_of_log():
                raise
        copy.truth.record("target_beyond_archive", server=copy.name, target=target.isoformat())
    copy.postgres.start(settings)
    return await copy.postgres.until_ready(limit_s=_RECOVERY_LIMIT_S)


def _view(source: Cluster, copy: Cluster, picked: Pick) -> Path:
    view = copy.folder / "picked"
    view.mkdir()
    give(view, copy.programs.account)
    for name in picked.files:
        (view / name).symlink_to(source.archive.folder / name)
    return view


def _restore_command(view: Path, hold: Path | None) -> str:
    """Copy, never link: a promoted server recycles its segments, and would write into the archive."""
    wait = f"until test -e {hold}; do sleep 0.02; done; " if hold else ""
    return f"{wait}cp {view}/%f %p"


def _fork_of(copy: Cluster) -> Fork:
    """Read the newest timeline history: its last line says where the parent was left."""
    newest = max((copy.postgres.data / "pg_wal").glob("*.history"))
    parent, lsn = _FORK.findall(newest.read_text())[-1]
    return Fork(lsn=lsn, parent_timeline=int(parent), timeline=int(newest.stem, 16))
