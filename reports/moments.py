"""Which single observations stand at the edges of what was measured?

Markers are numbered rows; the disaster cuts the row of them, and so does the restore. The tables of the report
name the markers beside both cuts, so that a reader can find them in the record by writer and number.
"""

from __future__ import annotations

from dataclasses import dataclass

from drills.checks.data_lost import lags, segment_end
from drills.history import History, Presence
from drills.model import ArchiveSampled, Instant, MarkerWritten


def utc_of(history: History, at: Instant | float) -> float:
    """UTC of an instant of the run's clock, by the reading with which the run began."""
    return history.began.utc_s + (at - history.began.at)


@dataclass(frozen=True, slots=True)
class Edges:
    """The markers around the disaster: acknowledged before it, kept, and gone."""

    last_acked: MarkerWritten | None
    last_kept: MarkerWritten | None
    first_gone: MarkerWritten | None


def edges(history: History) -> Edges:
    """Find the last marker acknowledged before the disaster, the last that survived, and the first that did not."""
    before = history.counting
    gone = [m for m in before if history.presence(m) is Presence.ABSENT]
    first_gone = min(gone, key=_ended, default=None)
    limit = float("inf") if first_gone is None else _ended(first_gone)
    kept = [m for m in before if history.presence(m) is Presence.PRESENT and m.began <= limit]
    return Edges(
        last_acked=max(before, key=_ended, default=None),
        last_kept=max(kept, key=lambda m: m.began, default=None),
        first_gone=first_gone,
    )


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The markers beside a chosen point, by the server's clock, and whether each was found there."""

    last_before: MarkerWritten | None
    first_after: MarkerWritten | None


def neighbours(history: History, point_us: int) -> Neighbours:
    """Find the last marker that a restore to this point has to hold, and the first that it must not."""
    before = [m for m in history.acked if m.row and m.row.server_time_us + _took_us(m) <= point_us]
    after = [m for m in history.acked if m.row and m.row.server_time_us > point_us]
    return Neighbours(
        last_before=max(before, key=_server_time, default=None),
        first_after=min(after, key=_server_time, default=None),
    )


@dataclass(frozen=True, slots=True)
class ArchiveStep:
    """A reading of the archiver: the newest segment it named, and how far it was behind, in wall seconds."""

    sample: ArchiveSampled
    lag_s: float

    @property
    def segment(self) -> str | None:
        """The name that the reading gave, where it is that of a segment."""
        return None if segment_end(self.sample) is None else self.sample.segment


def archive_steps(history: History) -> list[ArchiveStep]:
    """Follow the archive through the window, reading by reading."""
    seen = lags(history).at_samples_s
    return [ArchiveStep(s, lag_s) for s, lag_s in zip(history.samples_before_disaster, seen, strict=True)]


def _ended(marker: MarkerWritten) -> float:
    return marker.began if marker.ended is None else marker.ended


def _took_us(marker: MarkerWritten) -> float:
    return (_ended(marker) - marker.began) * 1e6


def _server_time(marker: MarkerWritten) -> int:
    return 0 if marker.row is None else marker.row.server_time_us
