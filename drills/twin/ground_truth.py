"""What did a restore really lose, and when was its service really back?

                    fork of the copy          D
    source  ──c──c──c──┤──c──c──c──c──c──c──c─┤
                          ^ earliest commit that the copy lacks: lost = D - this
                                 ^ earliest commit that was not archived at D: exposed = D - this

Commits are read from the source's own write-ahead log, anybody's: the application's, a client's, autovacuum's.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from drills.twin.cluster import Cluster
from drills.twin.errors import PostgresFailed, TwinError
from drills.twin.privileges import run_as_self
from drills.twin.template import SEGMENT_BYTES
from drills.twin.truth import Event, Truth
from drills.twin.world import World

_COMMIT = re.compile(
    r"len \(rec/tot\): +\d+/ *(?P<length>\d+), .*lsn: (?P<lsn>[0-9A-F]+/[0-9A-F]+), .*"
    r"desc: COMMIT(?:_PREPARED)? .*?(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) UTC"
)
_COMPLAINT = re.compile(r"^pg_waldump: error: (.*)$", re.MULTILINE)
# How pg_waldump says that it has come to where nothing was written yet.
_ENDS_OF_LOG = ("error in WAL record at", "could not find a valid record after")
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_SEGMENTS_PER_LOG = 0x1_0000_0000 // SEGMENT_BYTES


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit record: where it lies in the log, in bytes, and when the transaction committed."""

    lsn: int
    end: int
    time: datetime


async def restore_truth(
    world: World, source: str, recovered: str, *, disaster_boot_s: float
) -> dict[str, Any]:
    """The true figures of one restore for a disaster at that moment. All durations are wall seconds.

    Raises:
        TwinError: one of the servers is unknown, gone, or has not recovered yet.
    """
    origin = world.find(source)
    left = world.truth.first("recovered", server=recovered, source=source)
    if origin is None or left is None:
        raise TwinError(f"no restore of {source!r} into {recovered!r} has recovered, or the source is gone")
    origin.archive.note_new()
    disaster = world.truth.utc_of(disaster_boot_s)
    commits = await commits_of(origin)
    before = [commit for commit in commits if commit.time < disaster]
    fork = lsn_of(left.fields["fork_lsn"])
    lost = [commit for commit in before if commit.lsn >= fork]
    archived_up_to = _archived_up_to(world.truth, source, disaster_boot_s)
    exposed = [commit for commit in before if commit.end > archived_up_to]
    return {
        "source": source,
        "recovered": recovered,
        "disaster_boot_s": disaster_boot_s,
        "disaster_utc": disaster.isoformat(),
        "lost_s": _since_earliest(lost, disaster),
        "exposed_s": _since_earliest(exposed, disaster),
        "lost_commits": len(lost),
        "exposed_commits": len(exposed),
        "commits_before_disaster": len(before),
        "fork_lsn": left.fields["fork_lsn"],
        "parent_timeline": left.fields["parent_timeline"],
        "timeline": left.fields["timeline"],
        **_service_back(world.truth, recovered),
        "lies": [event.as_json() for event in _lies_on(world.truth, recovered)],
    }


async def commits_of(server: Cluster) -> list[Commit]:
    """All commits in the server's log, archived or not.

    Raises:
        PostgresFailed: the log could not be read; "no commits" is never said for that reason.
    """
    with tempfile.TemporaryDirectory(prefix="waldump-", dir=server.folder) as folder:
        segments = _gather(server, Path(folder))
        commits: list[Commit] = []
        for run_of_segments in _contiguous(segments):
            commits += await _dump(server, Path(folder), run_of_segments)
    return commits


def lsn_of(text: str) -> int:
    """A position in the log, in bytes."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def end_of_segment(name: str) -> int:
    """The position behind the last byte of a segment."""
    return (int(name[8:16], 16) * _SEGMENTS_PER_LOG + int(name[16:24], 16) + 1) * SEGMENT_BYTES


def _gather(server: Cluster, folder: Path) -> list[str]:
    """Link the archived segments and those still with the server into one folder; the archive's copy comes first."""
    for home in (server.archive.folder, server.postgres.data / "pg_wal"):
        for file in home.iterdir():
            link = folder / file.name
            if _SEGMENT.fullmatch(file.name) and not link.is_symlink():
                link.symlink_to(file)
    return sorted(link.name for link in folder.iterdir())


def _contiguous(segments: Iterable[str]) -> list[list[str]]:
    """Split the segments where one is missing or the timeline changes."""
    runs: list[list[str]] = []
    for name in segments:
        follows = bool(runs) and runs[-1][-1][:8] == name[:8]
        if follows and end_of_segment(runs[-1][-1]) + SEGMENT_BYTES == end_of_segment(name):
            runs[-1].append(name)
        else:
            runs.append([name])
    return runs


async def _dump(server: Cluster, folder: Path, segments: list[str]) -> list[Commit]:
    """Read commit records with pg_waldump, which ends with an error where the log ends: inside the last segment."""
    program = server.programs.folder / "pg_waldump"
    command = (program, "--path", folder, "--rmgr=Transaction", segments[0], segments[-1])
    printed = await run_as_self(command, may_fail=True)
    complaint = _COMPLAINT.search(printed)
    if complaint is not None and not complaint.group(1).startswith(_ENDS_OF_LOG):
        raise PostgresFailed(f"the log of {server.name} cannot be read: {complaint.group(1)}")
    return [
        Commit(
            lsn=lsn_of(found["lsn"]),
            end=lsn_of(found["lsn"]) + int(found["length"]),
            time=datetime.fromisoformat(found["time"]).replace(tzinfo=UTC),
        )
        for found in _COMMIT.finditer(printed)
    ]


def _archived_up_to(truth: Truth, server: str, boot_s: float) -> int:
    """The end of the newest segment that was in the archive at that moment."""
    names = [
        event.fields["file"] for event in truth.events("archived", server=server) if event.at.boot_s <= boot_s
    ]
    return max((end_of_segment(name) for name in names if _SEGMENT.fullmatch(name)), default=0)


def _since_earliest(commits: list[Commit], disaster: datetime) -> float:
    return max(((disaster - commit.time).total_seconds() for commit in commits), default=0.0)


def _service_back(truth: Truth, server: str) -> dict[str, float | None]:
    """When each condition of service held first, and the last of these moments; None as long as one is missing."""
    conditions = {
        "address_shown_boot_s": truth.first("address_shown", server=server),
        "name_resolvable_boot_s": truth.first("name_resolvable", server=server),
        "gateway_routed_boot_s": truth.first("gateway_routes", server=server, to=server),
        "rule_effective_boot_s": truth.first("rule_effective", server=server, admits_loopback=True),
        "out_of_recovery_boot_s": truth.first("recovered", server=server),
    }
    seen = {name: event.at.boot_s if event else None for name, event in conditions.items()}
    known = [moment for moment in seen.values() if moment is not None]
    return {"service_back_boot_s": max(known) if len(known) == len(seen) else None, **seen}


def _lies_on(truth: Truth, server: str) -> list[Event]:
    return [event for event in truth.events(server=server) if event.name.startswith("lied_")]
