"""What does a finished run show: who answered, which surveys count, and what was promised to whom?

Everything here is derived from observations, and nothing is judged. What one recovery owes and how the recovered
instance is proven differ by scenario; `Recovery` names the ways, and each question is answered for its way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from drills.history import surveys as surveying
from drills.history.clocks import Clocks, Durations
from drills.history.standing import Promise, Written, written
from drills.history.surveys import EarlierRows, Found, Pair, Presence
from drills.model import (
    ArchiveSampled,
    AssertionDeclared,
    AssertionRun,
    AttemptSort,
    BackupsListed,
    CallMade,
    ClockRead,
    ConfigurationDeclared,
    DamageDone,
    DateSeen,
    Disaster,
    FailoverRequested,
    HookRan,
    Instant,
    InventoryTaken,
    MarkerWritten,
    NoncesRead,
    Outcome,
    ProberRan,
    ProbeTried,
    RepairCompared,
    RestoreRequested,
    RunIdentity,
    ServerDescribed,
    ServerIdentity,
    ServerLooked,
    ServersListed,
    SessionOpened,
    SettingsRead,
    SourceAskedInVain,
    SourceClosed,
    SourceIdentified,
    Stage,
    StandingRead,
    StepTaken,
    Surveyed,
    SurveyedRow,
    TableSeen,
    VectorQueried,
    Waited,
)

NOT_SYNCHRONOUS = frozenset({"off", "local"})
"""Values of synchronous_commit under which an acknowledgement says nothing about the standby."""


class Recovery(Enum):
    """The ways in which service and data can come back; each owes something else, and is proven differently."""

    LATEST = "latest"
    CHOSEN = "chosen"
    FAILOVER = "failover"
    GEO = "geo"
    CUT_OVER = "cut over"
    REPAIR = "repair"


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
    standing: StandingRead | None = None
    samples: tuple[ArchiveSampled, ...] = ()
    disaster: Disaster | None = None
    request: RestoreRequested | None = None
    failover: FailoverRequested | None = None
    damage: DamageDone | None = None
    closing: SourceClosed | None = None
    looks: tuple[ServerLooked, ...] = ()
    attempts: tuple[ProbeTried, ...] = ()
    probers: tuple[ProberRan, ...] = ()
    sessions: tuple[SessionOpened, ...] = ()
    surveys: tuple[Surveyed, ...] = ()
    source_identified: SourceIdentified | None = None
    source_nonces: NoncesRead | None = None
    source_asked_in_vain: SourceAskedInVain | None = None
    tables: tuple[TableSeen, ...] = ()
    repairs: tuple[RepairCompared, ...] = ()
    declared: ConfigurationDeclared | None = None
    described: tuple[ServerDescribed, ...] = ()
    settings: tuple[SettingsRead, ...] = ()
    backups: tuple[BackupsListed, ...] = ()
    assertions: tuple[AssertionDeclared, ...] = ()
    assertions_run: tuple[AssertionRun, ...] = ()
    hooks: tuple[str, ...] = ()
    hooks_run: tuple[HookRan, ...] = ()
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

    # --- which recovery this was ------------------------------------------------------------------------

    @cached_property
    def recovery(self) -> Recovery:
        """The way in which this scenario recovers; one that nobody knows is read as a restore of the latest."""
        match self.run.scenario, self.run.variant:
            case "pitr_restore", "chosen":
                return Recovery.CHOSEN
            case "ha_failover", _:
                return Recovery.FAILOVER
            case "geo_restore", _:
                return Recovery.GEO
            case "corruption_rollback", "cut_over":
                return Recovery.CUT_OVER
            case "corruption_rollback", "table_repair":
                return Recovery.REPAIR
            case _:
                return Recovery.LATEST

    @property
    def source_name(self) -> str | None:
        """The server that the disaster struck."""
        if self.failover is not None:
            return self.failover.server
        return None if self.request is None else self.request.source

    @property
    def recovered_name(self) -> str | None:
        """The server that has to take the writes: in a failover and a repair the source itself."""
        if self.recovery in (Recovery.FAILOVER, Recovery.REPAIR):
            return self.source_name
        return None if self.request is None else self.request.recovered

    @property
    def acted_at(self) -> Instant | None:
        """When the request for the recovery was sent."""
        if self.recovery is Recovery.FAILOVER:
            return None if self.failover is None else self.failover.began
        return None if self.request is None else self.request.began

    @cached_property
    def operation_ended(self) -> Instant | None:
        """When the operation that recovers was seen to have ended well: that of the first call after the request."""
        name = self.source_name if self.recovery is Recovery.FAILOVER else self._restored_name
        asked = self.acted_at
        if name is None or asked is None:
            return None
        calls = (c for c in self.calls if named(c.resource, name) and c.began >= asked)
        first = min(calls, key=lambda c: c.began, default=None)
        return None if first is None else first.operation_ended

    @property
    def _restored_name(self) -> str | None:
        return None if self.request is None else self.request.recovered

    # --- markers ----------------------------------------------------------------------------------------

    @cached_property
    def acked(self) -> tuple[MarkerWritten, ...]:
        """Markers that the client was promised, by the instant at which they began.

        Where a standby has to take over, an acknowledgement that did not wait for it promises nothing.
        """
        waits = self.recovery is Recovery.FAILOVER
        acked = (
            m
            for m in self.markers
            if m.outcome is Outcome.ACKED
            and m.row is not None
            and m.ended is not None
            and not (waits and m.row.synchronous_commit in NOT_SYNCHRONOUS)
        )
        return tuple(sorted(acked, key=lambda m: m.began))

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

    @cached_property
    def source_timeline(self) -> int | None:
        """The source's timeline at the disaster, by the last reading of it that ended before.

        A restore within the region is judged by its archive, so there only a reading of the archive tells.
        """
        before = self.samples_before_disaster
        if before:
            return before[-1].timeline
        if self.disaster is None or self.recovery in (Recovery.LATEST, Recovery.CHOSEN):
            return None
        at = self.disaster.earliest
        told = [
            (m.ended, m.row.timeline) for m in self.acked if m.row and m.ended is not None and m.ended <= at
        ]
        asked = self.source_identified
        if asked is not None and asked.ended <= at and not asked.identity.in_recovery:
            told.append((asked.ended, asked.identity.timeline))
        return max(told)[1] if told else None

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
        match self.recovery:
            case Recovery.FAILOVER:
                return self._answer_by_timeline(attempt)
            case Recovery.REPAIR:
                return self._answer_after_repair(attempt)
            case _ if self.source_nonces is None and self.source_asked_in_vain is not None:
                return self._answer_without_source(attempt)
            case _:
                return self._answer_by_nonce(attempt, attempt.ended)

    def _answer_by_nonce(self, attempt: ProbeTried, ended: Instant) -> Answer:
        if self.source_nonces is None or attempt.identity is None or attempt.nonce is None:
            return Answer.UNPROVEN
        if attempt.nonce in self.source_nonces.nonces:
            return Answer.BAD
        if not self.on_recovered(attempt.nonce, ended):
            return Answer.UNPROVEN
        return self._of_the_source_and_writable(attempt.identity)

    def _answer_by_timeline(self, attempt: ProbeTried) -> Answer:
        """In a failover the recovered instance is the one on a timeline above the source's."""
        if attempt.identity is None or self.source_timeline is None or self.source_system_identifier is None:
            return Answer.UNPROVEN
        took = attempt.identity.timeline if attempt.timeline is None else attempt.timeline
        if min(took, attempt.identity.timeline) <= self.source_timeline:
            return Answer.BAD
        return self._of_the_source_and_writable(attempt.identity)

    def _answer_after_repair(self, attempt: ProbeTried) -> Answer:
        """A repaired table is used on the source itself, and every damaged row has to read right."""
        if attempt.identity is None or attempt.right is None or not self.is_source(attempt.identity):
            return Answer.UNPROVEN
        return Answer.GOOD if attempt.right else Answer.BAD

    def _answer_without_source(self, attempt: ProbeTried) -> Answer:
        """Where the source cannot be asked, by the process that the surveys have proven in another way."""
        if attempt.identity is None or self.source_system_identifier is None:
            return Answer.UNPROVEN
        proven = any(attempt.identity == s.identity for s in self.proven_surveys)
        return Answer.GOOD if proven else Answer.UNPROVEN

    def _of_the_source_and_writable(self, identity: ServerIdentity) -> Answer:
        same_origin = identity.system_identifier == self.source_system_identifier
        return Answer.GOOD if same_origin and not identity.in_recovery else Answer.BAD

    def is_source(self, identity: ServerIdentity) -> bool:
        """Tell whether an identity is that of the source's own process."""
        known = [
            asked.identity for asked in (self.source_identified, self.source_nonces) if asked is not None
        ]
        return identity in known

    def is_good(self, attempt: ProbeTried) -> bool:
        """Tell whether an attempt was acknowledged and read back by the recovered server."""
        return self.answer_of(attempt) is Answer.GOOD

    @cached_property
    def source_system_identifier(self) -> str | None:
        """The system identifier of the source, read together with its nonces, or before the disaster."""
        asked = self.source_nonces or self.source_identified
        return asked.identity.system_identifier if asked else None

    # --- attempts ---------------------------------------------------------------------------------------

    def sort_of(self, attempt: ProbeTried) -> AttemptSort:
        """Say what the prober of an attempt holds on to; one without a frame makes new connections."""
        return self._sorts.get(attempt.prober, AttemptSort.NEW)

    @cached_property
    def _sorts(self) -> dict[str, AttemptSort]:
        return {prober.prober: prober.sort for prober in self.probers}

    @cached_property
    def watching(self) -> tuple[ProberRan, ...]:
        """The probers that try to use the recovered server; those that keep to the old one do not."""
        return tuple(prober for prober in self.probers if prober.sort is not AttemptSort.OLD)

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
        stopped = [prober.stopped for prober in self.watching if prober.stopped is not None]
        return max(stopped) if stopped and len(stopped) == len(self.watching) else float("inf")

    @cached_property
    def first_good(self) -> ProbeTried | None:
        """The first good attempt after the disaster, by its beginning."""
        if self.disaster is None:
            return None
        return next((a for a in self._attempts_after(self.disaster.latest) if self.is_good(a)), None)

    def _attempts_after(self, at: Instant) -> tuple[ProbeTried, ...]:
        found = (a for a in self.attempts if a.began > at and self.sort_of(a) is not AttemptSort.OLD)
        return tuple(sorted(found, key=lambda a: a.began))

    # --- surveys ----------------------------------------------------------------------------------------

    @cached_property
    def proven_surveys(self) -> tuple[Surveyed, ...]:
        """Surveys that stood on the recovered server, out of recovery, in order.

        Their nonce is not on the source. One that found no table to write a nonce into is proven by the process
        that answered: the same one that acknowledged a good attempt.
        """
        return tuple(s for s in sorted(self.surveys, key=lambda s: s.began) if self._is_proven(s))

    def _is_proven(self, survey: Surveyed) -> bool:
        if survey.identity.in_recovery or survey.identity.system_identifier != self.source_system_identifier:
            return False
        match self.recovery:
            case Recovery.FAILOVER:
                return self.source_timeline is not None and survey.identity.timeline > self.source_timeline
            case Recovery.REPAIR:
                after = self.disaster is not None and survey.began > self.disaster.latest
                return after and self.is_source(survey.identity)
            case _ if self.source_nonces is None and self.source_asked_in_vain is not None:
                return self._is_new_by_its_age(survey)
            case _:
                return self._is_on_the_copy(survey)

    def _is_on_the_copy(self, survey: Surveyed) -> bool:
        if survey.nonce is None:
            return any(survey.identity == a.identity for a in self.attempts if self.is_good(a))
        return self.on_recovered(survey.nonce, survey.ended)

    def _is_new_by_its_age(self, survey: Surveyed) -> bool:
        """Without the source's word: made, started and found where the request said, and nothing newer in it.

        A row that the source acknowledged after the operation had ended cannot be on a copy.
        """
        request, over = self.request, self.operation_ended
        if request is None or over is None or not named(survey.server, request.recovered):
            return False
        asked_utc_s = self._clocks.utc_s(request.began)
        copy = self.description_after
        if asked_utc_s is None or copy is None or copy.created_us is None or self.declared is None:
            return False
        since_us = asked_utc_s * 1e6
        in_place = copy.location is not None and self.declared.paired_region is not None
        later = [m for m in self.acked if m.began > over]
        found = Found(self.run.run_id, (survey,))
        return (
            in_place
            and plain_region(copy.location) == plain_region(self.declared.paired_region)
            and copy.created_us > since_us
            and survey.identity.started_us > since_us
            and not any(found.presence(m) is Presence.PRESENT for m in later)
        )

    @cached_property
    def survey_pairs(self) -> tuple[Pair, ...]:
        """Pairs of proven surveys of one instance, at least one switch-over delay apart, earliest end first."""
        return surveying.pairs(self.proven_surveys, self.switch_over_delay_s)

    @cached_property
    def survey_pair(self) -> Pair | None:
        """The pair that says what is present and absent, or None where nothing can be said."""
        return self.survey_pairs[0] if self.survey_pairs else None

    @cached_property
    def surveys_that_count(self) -> tuple[Surveyed, ...]:
        """All proven surveys of the instance that the pair asked: a later one may contradict the pair."""
        return surveying.of_one_process(self.proven_surveys, self.survey_pairs)

    @cached_property
    def found(self) -> Found:
        """What the surveys of the recovered instance found."""
        return Found(self.run.run_id, self.surveys_that_count)

    @cached_property
    def found_on_copy(self) -> Found:
        """What the surveys of the restored copy found; in a repair that is a tool, and not what is recovered."""
        if self.recovery is not Recovery.REPAIR:
            return self.found
        others = (s for s in self.surveys if not self.is_source(s.identity) and not s.identity.in_recovery)
        proven = [s for s in sorted(others, key=lambda s: s.began) if self.on_recovered(s.nonce, s.ended)]
        return Found(
            self.run.run_id,
            surveying.of_one_process(proven, surveying.pairs(proven, self.switch_over_delay_s)),
        )

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

    # --- how servers were described ---------------------------------------------------------------------

    @property
    def description_before(self) -> ServerDescribed | None:
        """The source, by the last description that had come when the disaster struck."""
        if self.disaster is None:
            return None
        at = self.disaster.earliest
        found = (d for d in self.described if named(d.name, self.source_name) and d.ended <= at)
        return max(found, key=lambda d: d.ended, default=None)

    @property
    def description_after(self) -> ServerDescribed | None:
        """The recovered server, by the last description of it that began after the recovery was asked for."""
        at = self.acted_at
        if at is None:
            return None
        found = (d for d in self.described if named(d.name, self.recovered_name) and d.began > at)
        return max(found, key=lambda d: d.began, default=None)

    # --- clocks -----------------------------------------------------------------------------------------

    @cached_property
    def _clocks(self) -> Clocks:
        return Clocks(self.clocks, self.dates)

    def durations(self, began: Instant, ended: Instant) -> Durations:
        """Measure a stretch by the run's clock, and by UTC and `Date` where they disagree with it.

        A caller takes the shortest for a low bound and the longest for a high one.
        """
        return self._clocks.durations(began, ended)

    def utc_s(self, at: Instant) -> float | None:
        """Say what UTC was at an instant, as our machine had it; None: it was never read."""
        return self._clocks.utc_s(at)


def named(resource: str, name: str | None) -> bool:
    """Tell whether a resource, by its name or its whole id, bears a name; letters compare without case."""
    return name is not None and resource.rstrip("/").rsplit("/", 1)[-1].lower() == name.lower()


def plain_region(region: str | None) -> str | None:
    """Write a region as Azure's requests do: `East US 2` and `eastus2` are one place."""
    return None if region is None else region.replace(" ", "").lower()


def _still_denied(attempt: ProbeTried, first_good: ProbeTried | None) -> bool:
    return attempt.unresolved and (first_good is None or attempt.began < first_good.began)
