"""What did a run note, and what follows from that without asking who answered?

Which way of recovering it was, what was acknowledged, on which timeline the source stood, how servers were
described, and how long something took.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from drills.history.clocks import Clocks, Durations
from drills.model import (
    ArchiveSampled,
    AssertionDeclared,
    AssertionRun,
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
    ServerLooked,
    ServersListed,
    SessionOpened,
    SettingsRead,
    SourceAskedInVain,
    SourceClosed,
    SourceIdentified,
    StandingRead,
    StepTaken,
    Surveyed,
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


@dataclass(frozen=True)
class Observed:
    """What a run noted; what is None or empty was not observed."""

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

    # --- which recovery this was -----------------------------------------------------------------------------

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

    # --- the source before the disaster ----------------------------------------------------------------------

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

    # --- how servers were described --------------------------------------------------------------------------

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

    # --- clocks ----------------------------------------------------------------------------------------------

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
