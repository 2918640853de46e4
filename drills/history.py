"""What happened in this run? A finished run, and the questions that checks and reports ask of it.

A History is everything the record shows, parsed. Its questions derive, they never judge: which attempts were
good, which surveys are proven to have asked the recovered server, which markers are present there.
`docs/method.md` explains the rules; the formulas that rest on them live in `drills.checks`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from itertools import combinations

from drills.model import (
    ArchiveSampled,
    CallMade,
    ClockRead,
    DateSeen,
    Disaster,
    Instant,
    InventoryTaken,
    MarkerWritten,
    NoncesRead,
    Outcome,
    ProberRan,
    ProbeTried,
    RestoreRequested,
    RunIdentity,
    ServerLooked,
    ServersListed,
    Stage,
    StepTaken,
    Surveyed,
    SurveyedRow,
    VectorQueried,
    Waited,
)

UTC_UNCERTAINTY_S = 0.5
"""Wall seconds by which UTC may differ from the run's clock over an interval before that is a finding."""
DATE_UNCERTAINTY_S = 1.0
"""Wall seconds that a `Date` of whole seconds leaves open; the round trips come on top."""


class Presence(Enum):
    """What the surveys say of one marker; UNSETTLED: one saw it and another did not, or nobody looked."""

    PRESENT = "present"
    ABSENT = "absent"
    UNSETTLED = "unsettled"


@dataclass(frozen=True, slots=True)
class Durations:
    """One stretch of time by every clock that watched it; they differ only where a clock disagreed."""

    own_s: float
    others_s: Mapping[str, float] = field(default_factory=dict)

    @property
    def low_s(self) -> float:
        """The shortest that any clock makes of it."""
        return min(self.own_s, *self.others_s.values()) if self.others_s else self.own_s

    @property
    def high_s(self) -> float:
        """The longest that any clock makes of it."""
        return max(self.own_s, *self.others_s.values()) if self.others_s else self.own_s


@dataclass(frozen=True)
class History:
    """A finished run, in observations; what is None or empty was not observed."""

    run: RunIdentity
    began: ClockRead
    ended: ClockRead | None = None
    completed: bool = False
    markers: tuple[MarkerWritten, ...] = ()
    marker_period_s: float | None = None
    inventory: InventoryTaken | None = None
    samples: tuple[ArchiveSampled, ...] = ()
    disaster: Disaster | None = None
    request: RestoreRequested | None = None
    looks: tuple[ServerLooked, ...] = ()
    attempts: tuple[ProbeTried, ...] = ()
    probers: tuple[ProberRan, ...] = ()
    surveys: tuple[Surveyed, ...] = ()
    source_nonces: NoncesRead | None = None
    steps: tuple[StepTaken, ...] = ()
    waits: tuple[Waited, ...] = ()
    calls: tuple[CallMade, ...] = ()
    created: tuple[str, ...] = ()
    listings: tuple[ServersListed, ...] = ()
    vector: VectorQueried | None = None
    clocks: tuple[ClockRead, ...] = ()
    dates: tuple[DateSeen, ...] = ()
    caveats: tuple[str, ...] = ()
    switch_over_delay_s: float = 0.0

    # --- markers ----------------------------------------------------------------------------------------

    @cached_property
    def acked(self) -> tuple[MarkerWritten, ...]:
        """Markers that the client was promised, by the instant at which they began."""
        acked = (m for m in self.markers if m.outcome is Outcome.ACKED and m.row and m.ended is not None)
        return tuple(sorted(acked, key=lambda m: m.began))

    @cached_property
    def source_timeline(self) -> int | None:
        """The source's timeline at the disaster, from the last archive reading that ended before it."""
        before = self.samples_before_disaster
        return before[-1].timeline if before else None

    @cached_property
    def samples_before_disaster(self) -> tuple[ArchiveSampled, ...]:
        """Archive readings whose answer had come when the disaster struck, in order."""
        if self.disaster is None:
            return ()
        at = self.disaster.earliest
        return tuple(sorted((s for s in self.samples if s.ended <= at), key=lambda s: s.began))

    # --- who answered -----------------------------------------------------------------------------------

    def on_recovered(self, nonce: str | None) -> bool:
        """Tell whether a nonce proves the recovered side of the fork: the source was asked and lacks it."""
        return nonce is not None and self.source_nonces is not None and nonce not in self.source_nonces.nonces

    def is_good(self, attempt: ProbeTried) -> bool:
        """Tell whether an attempt was acknowledged and read back by the recovered server."""
        return (
            attempt.stage is Stage.WRITTEN
            and attempt.ended is not None
            and attempt.identity is not None
            and not attempt.identity.in_recovery
            and self.on_recovered(attempt.nonce)
            and attempt.identity.system_identifier == self.source_system_identifier
        )

    @cached_property
    def source_system_identifier(self) -> str | None:
        """The system identifier of the source, read together with its nonces."""
        return self.source_nonces.identity.system_identifier if self.source_nonces else None

    @cached_property
    def tries(self) -> tuple[tuple[Instant, ProbeTried | ServerLooked, bool], ...]:
        """Every attempt after the disaster as (began, observation, good), by its beginning.

        A look at the control plane counts where it showed no address; a name that only our own resolver
        denied is neither good nor bad and does not appear.
        """
        if self.disaster is None:
            return ()
        after = self.disaster.latest
        tries: list[tuple[Instant, ProbeTried | ServerLooked, bool]] = []
        tries.extend((a.began, a, self.is_good(a)) for a in self.attempts if not a.unresolved)
        tries.extend((look.began, look, False) for look in self.looks if look.address is None)
        return tuple(sorted((t for t in tries if t[0] > after), key=lambda t: t[0]))

    @cached_property
    def first_good(self) -> ProbeTried | None:
        """The first good attempt, by its beginning."""
        return next((t for _, t, good in self.tries if good and isinstance(t, ProbeTried)), None)

    # --- surveys ----------------------------------------------------------------------------------------

    @cached_property
    def proven_surveys(self) -> tuple[Surveyed, ...]:
        """Surveys that stood on the recovered server: out of recovery, and their nonce is not on the source."""
        return tuple(
            s
            for s in sorted(self.surveys, key=lambda s: s.began)
            if not s.identity.in_recovery
            and self.on_recovered(s.nonce)
            and s.identity.system_identifier == self.source_system_identifier
        )

    @cached_property
    def survey_pairs(self) -> tuple[tuple[Surveyed, Surveyed], ...]:
        """Pairs of proven surveys of one instance, at least one switch-over delay apart, earliest end first."""
        pairs = (
            (first, second)
            for first, second in combinations(self.proven_surveys, 2)
            if first.identity == second.identity
            and second.began - first.ended >= self.switch_over_delay_s - 1e-6
        )
        return tuple(sorted(pairs, key=lambda pair: (pair[1].ended, -pair[0].began)))

    @cached_property
    def survey_pair(self) -> tuple[Surveyed, Surveyed] | None:
        """The pair that says what is present and absent, or None where nothing can be said."""
        return self.survey_pairs[0] if self.survey_pairs else None

    @cached_property
    def _rows(self) -> tuple[dict[tuple[str, int], list[SurveyedRow]], ...]:
        def by_number(survey: Surveyed) -> dict[tuple[str, int], list[SurveyedRow]]:
            rows: dict[tuple[str, int], list[SurveyedRow]] = {}
            for row in survey.rows:
                if row.run_id == self.run.run_id:
                    rows.setdefault((row.writer, row.number), []).append(row)
            return rows

        return tuple(by_number(survey) for survey in self.survey_pair or ())

    def presence(self, marker: MarkerWritten) -> Presence:
        """Say whether the surveys found the marker: its number with the values that its writer noted."""
        if not self._rows:
            return Presence.UNSETTLED
        found = {_matches(marker, rows.get((marker.writer, marker.number), ())) for rows in self._rows}
        if len(found) > 1:
            return Presence.UNSETTLED
        return Presence.PRESENT if found.pop() else Presence.ABSENT

    def strangers(self) -> Iterator[SurveyedRow]:
        """Rows on the recovered server that nobody attempted, or that carry other values than were noted."""
        attempted = {(m.writer, m.number): m for m in self.markers}
        known = set(self.inventory.rows_by_run) if self.inventory else set()
        for row in self._surveyed_once():
            if row.run_id == self.run.run_id:
                marker = attempted.get((row.writer, row.number))
                if marker is None or not _matches(marker, (row,)):
                    yield row
            elif row.run_id not in known:
                yield row

    def duplicates(self) -> Iterator[tuple[str, int]]:
        """Writers and numbers that stand more than once in one survey of this run."""
        seen: set[tuple[str, int]] = set()
        for survey in self.survey_pair or ():
            counts = Counter((r.writer, r.number) for r in survey.rows if r.run_id == self.run.run_id)
            seen |= {key for key, count in counts.items() if count > 1}
        yield from sorted(seen)

    def _surveyed_once(self) -> Iterable[SurveyedRow]:
        return dict.fromkeys(row for survey in self.survey_pair or () for row in survey.rows)

    # --- clocks -----------------------------------------------------------------------------------------

    def durations(self, began: Instant, ended: Instant) -> Durations:
        """Measure a stretch by the run's clock, and by UTC and `Date` where they disagree with it.

        A step, a suspended machine and a paused virtual machine look alike, and nobody can tell which: the
        caller takes the shortest for a low bound and the longest for a high one.
        """
        own = ended - began
        others: dict[str, float] = {}
        utc = self._drift(self._utc_track, began, ended)
        if utc is not None and abs(utc[0]) > UTC_UNCERTAINTY_S:
            others["utc"] = own + utc[0]
        date = self._drift(self._date_track, began, ended)
        if date is not None and abs(date[0]) > DATE_UNCERTAINTY_S + date[1]:
            others["date"] = own + date[0]
        return Durations(own_s=own, others_s=others)

    @cached_property
    def _utc_track(self) -> list[tuple[float, float, float]]:
        return sorted((c.at, c.utc_s - c.at, 0.0) for c in self.clocks)

    @cached_property
    def _date_track(self) -> list[tuple[float, float, float]]:
        """Middle of the round trip, offset of the middle of the second from it, half the round trip."""
        return sorted(
            ((d.began + d.ended) / 2, d.date_s + 0.5 - (d.began + d.ended) / 2, (d.ended - d.began) / 2)
            for d in self.dates
        )

    @staticmethod
    def _drift(
        track: list[tuple[float, float, float]], began: Instant, ended: Instant
    ) -> tuple[float, float] | None:
        """By how much a clock's offset changed over a stretch, and how uncertain that is; None: unwatched.

        The readings just outside the stretch are taken, so that nothing inside it goes unseen.
        """
        if len(track) < 2:
            return None
        first = max(bisect_right(track, (began, float("inf"), 0.0)) - 1, 0)
        last = min(bisect_left(track, (ended, float("-inf"), 0.0)), len(track) - 1)
        if last <= first:
            return None
        return track[last][1] - track[first][1], track[last][2] + track[first][2]


def _matches(marker: MarkerWritten, rows: Iterable[SurveyedRow]) -> bool:
    """A row is the marker's if it holds what the writer noted; an UNKNOWN or REFUSED one noted its number only."""
    if marker.row is None:
        return any(True for _ in rows)
    noted = (marker.row.server_time_us, marker.row.lsn, marker.row.xid)
    return any((row.server_time_us, row.lsn, row.xid) == noted for row in rows)
