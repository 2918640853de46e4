"""What happened in this run? A finished run, and the questions that checks and reports ask of it.

A History is everything the record shows, parsed. Its questions derive, they never judge: which attempts were
good, which surveys are proven to have asked the recovered server, which markers are present there.
`docs/method.md` explains the rules; the formulas that rest on them live in `drills.checks`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
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


class Answer(Enum):
    """What one attempt says of the service; UNPROVEN: somebody took the write, and nobody can tell who."""

    GOOD = "good"
    BAD = "bad"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt to use the recovered server, or a look that showed no address to try."""

    began: Instant
    seen: ProbeTried | ServerLooked
    answer: Answer


@dataclass(frozen=True, slots=True)
class EarlierRows:
    """How many rows of an earlier run the source held, and the fewest and the most that a survey found."""

    run_id: str
    held: int
    fewest: int
    most: int


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
    def counting(self) -> tuple[MarkerWritten, ...]:
        """Acknowledged markers that the recovery owes, by the instant at which they began.

        After the latest state was asked for: what was acknowledged before the disaster. After a chosen point:
        what was certainly committed by it, since its server time plus the whole round trip is not past it.
        """
        if self.run.variant == "chosen":
            return (
                ()
                if self.request is None
                else tuple(m for m in self.acked if self._was_committed_by_the_point(m))
            )
        if self.disaster is None:
            return ()
        return tuple(m for m in self.acked if m.ended is not None and m.ended <= self.disaster.earliest)

    def _was_committed_by_the_point(self, marker: MarkerWritten) -> bool:
        if self.request is None or marker.row is None or marker.ended is None:
            return False
        round_trip_us = (marker.ended - marker.began) * 1_000_000
        return marker.row.server_time_us + round_trip_us <= self.request.point_us

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

    def on_recovered(self, nonce: str | None, written_by: Instant) -> bool:
        """Tell whether a nonce proves the recovered side of the fork.

        The source was asked after the nonce had been written, and lacks it; asked earlier, it proves nothing.
        """
        asked = self.source_nonces
        return (
            nonce is not None
            and asked is not None
            and asked.began >= written_by
            and nonce not in asked.nonces
        )

    def answer_of(self, attempt: ProbeTried) -> Answer:
        """Say what an attempt shows: that the recovered server is usable, that it is not, or neither.

        A write that was read back, by whom nobody can tell because the source was not asked afterwards, is
        neither: it is no proof that the service was back, and none that it was not.
        """
        if attempt.stage is not Stage.WRITTEN or attempt.ended is None:
            return Answer.BAD
        if self.source_nonces is None or attempt.identity is None or attempt.nonce is None:
            return Answer.UNPROVEN
        if attempt.nonce in self.source_nonces.nonces:
            return Answer.BAD
        if not self.on_recovered(attempt.nonce, attempt.ended):
            return Answer.UNPROVEN
        same_origin = attempt.identity.system_identifier == self.source_system_identifier
        return Answer.GOOD if same_origin and not attempt.identity.in_recovery else Answer.BAD

    def is_good(self, attempt: ProbeTried) -> bool:
        """Tell whether an attempt was acknowledged and read back by the recovered server."""
        return self.answer_of(attempt) is Answer.GOOD

    @cached_property
    def source_system_identifier(self) -> str | None:
        """The system identifier of the source, read together with its nonces."""
        return self.source_nonces.identity.system_identifier if self.source_nonces else None

    @cached_property
    def tries(self) -> tuple[Try, ...]:
        """Every attempt begun after the disaster, by its beginning.

        A look at the control plane counts where it showed no address. A name that our own resolver *still*
        denies is neither good nor bad and does not appear; one that it denies after a client could use the
        server is as bad for the next client as any other failure.
        """
        if self.disaster is None:
            return ()
        after, first = self.disaster.latest, self.first_good
        asked = (a for a in self._attempts_after(after) if not _still_denied(a, first))
        probes = (Try(a.began, a, self.answer_of(a)) for a in asked)
        hidden = (k for k in self.looks if k.address is None and after < k.began <= self.probing_ended)
        looks = (Try(k.began, k, Answer.BAD) for k in hidden)
        return tuple(sorted((*probes, *looks), key=lambda t: t.began))

    @property
    def probing_ended(self) -> float:
        """When the last prober was stopped; what is looked at later, as in the clean-up, is no attempt."""
        stopped = [prober.stopped for prober in self.probers if prober.stopped is not None]
        return max(stopped) if stopped and len(stopped) == len(self.probers) else float("inf")

    @cached_property
    def first_good(self) -> ProbeTried | None:
        """The first good attempt after the disaster, by its beginning."""
        if self.disaster is None:
            return None
        return next((a for a in self._attempts_after(self.disaster.latest) if self.is_good(a)), None)

    def _attempts_after(self, at: Instant) -> tuple[ProbeTried, ...]:
        return tuple(sorted((a for a in self.attempts if a.began > at), key=lambda a: a.began))

    # --- surveys ----------------------------------------------------------------------------------------

    @cached_property
    def proven_surveys(self) -> tuple[Surveyed, ...]:
        """Surveys that stood on the recovered server, out of recovery.

        Their nonce is not on the source. One that found no table to write a nonce into is proven by the process
        that answered: the same one that acknowledged a good attempt.
        """
        return tuple(s for s in sorted(self.surveys, key=lambda s: s.began) if self._is_proven(s))

    def _is_proven(self, survey: Surveyed) -> bool:
        if survey.identity.in_recovery or survey.identity.system_identifier != self.source_system_identifier:
            return False
        if survey.nonce is None:
            return any(survey.identity == a.identity for a in self.attempts if self.is_good(a))
        return self.on_recovered(survey.nonce, survey.ended)

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
    def surveys_that_count(self) -> tuple[Surveyed, ...]:
        """All proven surveys of the instance that the pair asked: a later one may contradict the pair."""
        pair = self.survey_pair
        return tuple(s for s in self.proven_surveys if s.identity == pair[0].identity) if pair else ()

    @cached_property
    def _rows(self) -> tuple[dict[tuple[str, int], list[SurveyedRow]], ...]:
        def by_number(survey: Surveyed) -> dict[tuple[str, int], list[SurveyedRow]]:
            rows: dict[tuple[str, int], list[SurveyedRow]] = {}
            for row in survey.rows:
                if row.run_id == self.run.run_id:
                    rows.setdefault((row.writer, row.number), []).append(row)
            return rows

        return tuple(by_number(survey) for survey in self.surveys_that_count)

    @cached_property
    def _presences(self) -> dict[tuple[str, int], Presence]:
        return {(m.writer, m.number): self._found(m) for m in self.markers}

    def _found(self, marker: MarkerWritten) -> Presence:
        key, times = (marker.writer, marker.number), 0
        for rows in self._rows:
            found = rows.get(key)
            if found is not None and _matches(marker, found):
                times += 1
        if times == len(self._rows):
            return Presence.PRESENT if times else Presence.UNSETTLED
        return Presence.UNSETTLED if times else Presence.ABSENT

    def presence(self, marker: MarkerWritten) -> Presence:
        """Say whether the surveys found the marker: its number with the values that its writer noted."""
        return self._presences[marker.writer, marker.number]

    def strangers(self) -> Iterator[SurveyedRow]:
        """Rows on the recovered server that nobody attempted, or that carry other values than were noted.

        Without an inventory of the source nobody can tell whether rows of another run are strange: they are
        left out.
        """
        attempted = {(m.writer, m.number): m for m in self.markers}
        for row in self._surveyed_once:
            if row.run_id == self.run.run_id:
                marker = attempted.get((row.writer, row.number))
                if marker is None or not _matches(marker, (row,)):
                    yield row
            elif self.inventory is not None and row.run_id not in self.inventory.rows_by_run:
                yield row

    def earlier_rows(self) -> Iterator[EarlierRows]:
        """Tell of each run before this one how many rows the source held and how many the surveys found."""
        for run_id, held in sorted(self.inventory.rows_by_run.items() if self.inventory else ()):
            if run_id != self.run.run_id and self.surveys_that_count:
                found = [sum(row.run_id == run_id for row in s.rows) for s in self.surveys_that_count]
                yield EarlierRows(run_id=run_id, held=held, fewest=min(found), most=max(found))

    def duplicates(self) -> Iterator[tuple[str, int]]:
        """Writers and numbers that stand more than once in one survey of this run."""
        yield from sorted({key for rows in self._rows for key, found in rows.items() if len(found) > 1})

    @cached_property
    def _surveyed_once(self) -> tuple[SurveyedRow, ...]:
        return tuple(dict.fromkeys(row for survey in self.surveys_that_count for row in survey.rows))

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


def _still_denied(attempt: ProbeTried, first_good: ProbeTried | None) -> bool:
    return attempt.unresolved and (first_good is None or attempt.began < first_good.began)


def _matches(marker: MarkerWritten, rows: Iterable[SurveyedRow]) -> bool:
    """A row is the marker's if it holds what the writer noted; an UNKNOWN or REFUSED one noted its number only."""
    if marker.row is None:
        return any(True for _ in rows)
    noted = (marker.row.server_time_us, marker.row.lsn, marker.row.xid)
    return any((row.server_time_us, row.lsn, row.xid) == noted for row in rows)
