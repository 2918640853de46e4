"""What was promised, and what of it is there?

What a recovery owes differs with its way: what was acknowledged before the disaster, by a point, before the copy
was picked, or on the old timeline whenever that was. What is there is what the surveys that count have found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from drills.history.answered import Answered
from drills.history.observed import Recovery
from drills.history.standing import Promise, Written, written
from drills.history.surveys import EarlierRows, Presence
from drills.model import AttemptSort, Instant, MarkerWritten, SurveyedRow


@dataclass(frozen=True)
class History(Answered):
    """A finished run, in observations, and the questions that checks and reports ask of it."""

    # --- what is owed ----------------------------------------------------------------------------------------

    @cached_property
    def counting(self) -> tuple[MarkerWritten, ...]:
        """Acknowledged markers that the recovery owes, by the instant at which they began."""
        match self.recovery:
            case Recovery.CHOSEN:
                return self.owed_by_the_point
            case Recovery.GEO:
                over = self.operation_ended
                return () if over is None else self._acked_by(over)
            case Recovery.FAILOVER:
                return tuple(m for m in self.acked if self._survives_the_failover(m))
            case Recovery.CUT_OVER:
                return tuple(m for m in self.acked if not self.went_to_the_copy(m))
            case Recovery.REPAIR:
                first = self._first_survey_began
                return () if first is None else self._acked_by(first)
            case _:
                return () if self.disaster is None else self._acked_by(self.disaster.earliest)

    def _acked_by(self, at: Instant) -> tuple[MarkerWritten, ...]:
        return tuple(m for m in self.acked if m.ended is not None and m.ended <= at)

    def _survives_the_failover(self, marker: MarkerWritten) -> bool:
        """What the old timeline acknowledged counts whenever that was; the rest, if it came before the surveys."""
        if self.source_timeline is None or marker.row is None or marker.ended is None:
            return False
        if marker.row.timeline <= self.source_timeline:
            return True
        first = self._first_survey_began
        return first is not None and marker.ended <= first

    def went_to_the_copy(self, marker: MarkerWritten) -> bool:
        """Tell whether a marker was acknowledged by the recovered process: a writer followed the application."""
        return marker.row is not None and marker.row.server_started_us in self._copy_started

    @cached_property
    def _copy_started(self) -> frozenset[int]:
        asked = (a for a in self.attempts if self.sort_of(a) is not AttemptSort.OLD)
        good = (a.identity for a in asked if a.identity is not None and self.is_good(a))
        return frozenset(who.started_us for who in (*(s.identity for s in self.surveys_that_count), *good))

    @property
    def _first_survey_began(self) -> Instant | None:
        return min((s.began for s in self.surveys_that_count), default=None)

    @cached_property
    def owed_by_the_point(self) -> tuple[MarkerWritten, ...]:
        """What was certainly committed by the chosen point: its server time plus its round trip is not past it."""
        point_us = None if self.request is None else self.request.point_us
        return tuple(
            m
            for m in self.acked
            if point_us is not None
            and m.row is not None
            and m.ended is not None
            and m.row.server_time_us + (m.ended - m.began) * 1_000_000 <= point_us
        )

    @cached_property
    def standing_written(self) -> tuple[Written, ...]:
        """The heartbeat's markers on the source, read before the disaster: rows that others were promised."""
        if self.standing is None or self.disaster is None or self.standing.ended > self.disaster.earliest:
            return ()
        return written(self.standing)

    @cached_property
    def promises(self) -> tuple[tuple[Promise, Presence], ...]:
        """All that the recovery owes, by markers of this run and standing ones, and whether it is there."""
        own = (
            (Promise(f"{m.writer} {m.number}", m.began, m.ended, m.row.lsn), self.presence(m))
            for m in self.counting
            if m.ended is not None and m.row is not None
        )
        standing = (
            (
                Promise(f"standing {w.row.number}", w.began, w.ended, w.row.lsn),
                self.found.presence_of_standing(w.row),
            )
            for w in self.standing_written
        )
        return (*own, *standing)

    @cached_property
    def promised_here(self) -> tuple[Promise, ...]:
        """What this run was promised on the source's timeline, whenever."""
        return tuple(
            Promise(f"{m.writer} {m.number}", m.began, m.ended, m.row.lsn)
            for m in self.acked
            if m.row is not None and m.ended is not None and m.row.timeline == self.source_timeline
        )

    @cached_property
    def promised_on_source(self) -> tuple[Promise, ...]:
        """The same with the standing markers, which stood on the source when they were read."""
        standing = (
            Promise(f"standing {w.row.number}", w.began, w.ended, w.row.lsn) for w in self.standing_written
        )
        return (*self.promised_here, *standing)

    # --- what is there ---------------------------------------------------------------------------------------

    @cached_property
    def _presences(self) -> dict[tuple[str, int], Presence]:
        return {(m.writer, m.number): self.found.presence(m) for m in self.markers}

    def presence(self, marker: MarkerWritten) -> Presence:
        """Say whether the surveys found the marker: its number with the values that its writer noted."""
        return self._presences[marker.writer, marker.number]

    def strangers(self) -> Iterator[SurveyedRow]:
        """Rows on the recovered server that nobody attempted, or with other values than were noted."""
        return iter(self._strangers)

    @cached_property
    def _strangers(self) -> tuple[SurveyedRow, ...]:
        return tuple(self.found.strangers(self.markers, self.inventory))

    def earlier_rows(self) -> Iterator[EarlierRows]:
        """Tell of each run before this one how many rows the source held and how many the surveys found."""
        return self.found.earlier_rows(self.inventory)

    def duplicates(self) -> Iterator[tuple[str, int]]:
        """Writers and numbers that stand more than once in one survey of this run."""
        return self.found.duplicates()
