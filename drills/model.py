"""Which words does a drill speak in? Instants, what was observed, intervals, findings: frozen and typed.

Everything a run records is one of the observations below, in the past tense. Nothing here judges, reads a
clock or opens a file. Instants are seconds of one clock of one machine and boot (CLOCK_BOOTTIME), so that
their differences are durations in wall seconds; every field that ends in ``_s`` is wall seconds unless its
docstring says service seconds (wall seconds times the time scale, which is 1 on Azure).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

Instant = NewType("Instant", float)
"""Seconds of CLOCK_BOOTTIME on the machine that drilled; only differences mean anything."""

Lsn = NewType("Lsn", int)
"""A position in the write-ahead log, as the 64-bit number behind PostgreSQL's ``X/Y``."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class Status(StrEnum):
    """The four words of every finding and verdict."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not_applicable"


class Outcome(StrEnum):
    """How a marker ended for the client that wrote it. UNKNOWN is settled by its row alone."""

    ACKED = "acked"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class WaitedFor(StrEnum):
    """Whom a stretch of the recovery waited for: only the service's part can miss an objective."""

    SERVICE = "service"
    TOOL = "tool"
    PERSON = "person"


class AttemptSort(StrEnum):
    """What a prober holds on to: nothing, a session until it breaks, or the primary of before the fault."""

    NEW = "new"
    HELD = "held"
    OLD = "old"


# --- intervals and findings -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """One reason why an interval is as wide as it is; the parts of an interval add up to its width."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Interval:
    """The truth lies between ``low_s`` and ``high_s``, both wall seconds; ``high_s`` None: nobody saw it end."""

    low_s: float
    high_s: float | None
    parts: tuple[Part, ...] = ()

    def against(self, objective_s: float) -> Status:
        """Decide only where the whole interval lies on one side of the objective (wall seconds)."""
        if self.low_s > objective_s:
            return Status.FAILED
        if self.high_s is not None and self.high_s <= objective_s:
            return Status.PASSED
        return Status.INCONCLUSIVE


@dataclass(frozen=True, slots=True)
class Objectives:
    """What the profile promises for one scenario, in wall seconds of this run.

    ``rpo_s`` and ``rto_s`` are the profile's values divided by the time scale; ``*_profile_s`` are the
    profile's own. ``rows`` is the number of acknowledged rows that may be lost where rows are judged.
    """

    rpo_s: float
    rto_s: float
    rpo_profile_s: float
    rto_profile_s: float
    source: str
    assumed: bool = False
    rows: int | None = None
    detection_and_decision_s: float = 0.0
    switch_over_delay_s: float = 30.0
    archive_lag_accepted: str | None = None
    unreadable_archive_accepted: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: the check's name, the answer, a sentence, the figures and where they stand."""

    check: str
    status: Status
    summary: str
    measured: dict[str, Json] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()


# --- who answered ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """Which PostgreSQL answered. A copy has its source's system identifier, but not its start or timeline."""

    system_identifier: str
    started_us: int
    timeline: int
    in_recovery: bool


# --- markers --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MarkerRow:
    """What the row of a marker returned to its writer. ``*_us`` are microseconds since 1970 by the server.

    ``watched`` is a fact that damage changes where no transaction id shows it, as the statement saw it.
    """

    server_time_us: int
    statement_time_us: int
    xid: int
    snapshot: str
    lsn: Lsn
    timeline: int
    synchronous_commit: str
    server_started_us: int
    watched: str | None = None


@dataclass(frozen=True, slots=True)
class MarkerWritten:
    """One numbered row that a writer tried to commit; ``ended`` is None while no outcome was noted."""

    writer: str
    number: int
    began: Instant
    ended: Instant | None
    outcome: Outcome
    row: MarkerRow | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SurveyedRow:
    """A marker as a survey found it on an instance."""

    run_id: str
    writer: str
    number: int
    server_time_us: int
    lsn: Lsn
    xid: int


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One transaction on an instance that read who it is and every marker that it holds, by sequential scan.

    ``nonce`` was written by the survey itself, to prove on which side of the fork it stood.
    ``database_found`` is False where the instance answers but holds no `dr_drill`: a survey without rows.
    """

    began: Instant
    ended: Instant
    server: str
    identity: ServerIdentity
    nonce: str | None
    rows: tuple[SurveyedRow, ...]
    database_found: bool = True


@dataclass(frozen=True, slots=True)
class InventoryTaken:
    """Runs whose markers stood on the source before this run wrote its first, with how many rows each."""

    began: Instant
    ended: Instant
    rows_by_run: dict[str, int]


@dataclass(frozen=True, slots=True)
class StandingRow:
    """A row of the permanent stream of the heartbeat, as it stood on the source before the disaster.

    It carries the server's time, the heartbeat's own UTC, and how long the one before it took (wall seconds).
    """

    number: int
    server_time_us: int
    heartbeat_us: int
    before_took_s: float | None
    lsn: Lsn


@dataclass(frozen=True, slots=True)
class StandingRead:
    """The standing markers of the source, read in one transaction together with the server's clock."""

    began: Instant
    ended: Instant
    server_time_us: int
    rows: tuple[StandingRow, ...]


# --- attempts -------------------------------------------------------------------------------------------


class Stage(StrEnum):
    """How far a probe came, in this order; `written` means acknowledged and read back."""

    NONE = "none"
    RESOLVED = "resolved"
    CONNECTED = "connected"
    READ = "read"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class ProbeTried:
    """One try of a prober to use the recovered server; ``ended`` None: it has no outcome.

    ``unresolved`` is True where only our own resolver still denied a name that the control plane had shown.
    ``session`` is the number of the prober's held session that carried it (None: a connection of its own).
    ``timeline`` is that which acknowledged its write, read back or not, by the statement's own answer (None: not
    acknowledged, or not asked). ``right`` says whether every damaged row read right (None: not looked at).
    """

    prober: str
    number: int
    began: Instant
    ended: Instant | None
    stage: Stage
    nonce: str | None = None
    identity: ServerIdentity | None = None
    error: str | None = None
    unresolved: bool = False
    session: int | None = None
    timeline: int | None = None
    right: bool | None = None

    @property
    def acknowledged(self) -> bool:
        """Whether its write was acknowledged, read back or not."""
        return self.stage is Stage.WRITTEN or self.timeline is not None


@dataclass(frozen=True, slots=True)
class ProberRan:
    """A prober's own frame: its pace and limit, and when the engine stopped it (None: it never noted that)."""

    prober: str
    period_s: float
    limit_s: float
    began: Instant
    stopped: Instant | None
    sort: AttemptSort = AttemptSort.NEW


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """A session that a prober opened and held on to; a session is never opened again under its number."""

    prober: str
    session: int
    at: Instant


@dataclass(frozen=True, slots=True)
class ServerLooked:
    """A look at the recovered server through the control plane (GET); ``address`` None: there was none to try."""

    began: Instant
    ended: Instant
    found: bool
    state: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class NoncesRead:
    """Which nonces of this run the *source* held when it was asked after the last probe."""

    began: Instant
    ended: Instant
    identity: ServerIdentity
    nonces: frozenset[str]


@dataclass(frozen=True, slots=True)
class SourceIdentified:
    """Which PostgreSQL the source was before the disaster."""

    began: Instant
    ended: Instant
    identity: ServerIdentity


@dataclass(frozen=True, slots=True)
class SourceAskedInVain:
    """The source was asked for the nonces after the recovery, and did not answer."""

    began: Instant
    ended: Instant
    error: str


# --- the source and its archive -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ArchiveSampled:
    """A reading of ``pg_stat_archiver``; ``segment`` is the field as read, which is not always a segment."""

    began: Instant
    ended: Instant
    segment: str | None
    segment_bytes: int
    timeline: int
    server_time_us: int
    server_lsn: Lsn


@dataclass(frozen=True, slots=True)
class Disaster:
    """The instant from which data and service count as lost, as a bracket (one instant where it is ours)."""

    earliest: Instant
    latest: Instant


@dataclass(frozen=True, slots=True)
class RestoreRequested:
    """The point that the request carried (microseconds since 1970, the source's clock) and who was asked."""

    began: Instant
    ended: Instant | None
    source: str
    recovered: str
    point_us: int
    accepted: bool


@dataclass(frozen=True, slots=True)
class FailoverRequested:
    """A restart with failover was asked for; ``ended`` None: nobody knows whether it was taken."""

    began: Instant
    ended: Instant | None
    server: str
    mode: str
    accepted: bool


# --- damage, and how it was undone ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DamageDone:
    """A statement of the drill damaged tables of `dr_drill`; *began* and *ended* are those of its COMMIT.

    ``xid`` is its top-level transaction. Where nothing of that can be seen (DELETE, DROP), ``watched_before`` is
    the watched fact of the markers as it was before.
    """

    began: Instant
    ended: Instant | None
    kind: str
    tables: tuple[str, ...]
    xid: int | None = None
    watched_before: str | None = None


@dataclass(frozen=True, slots=True)
class SourceClosed:
    """The step that closes the source to writers; ``ended`` None: it never ended."""

    began: Instant
    ended: Instant | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TableSeen:
    """A table of `dr_drill` as it was on a server; ``rows`` None: it was not there.

    ``wrong_rows`` counts damaged rows that do not hold what they should (None: not a damaged table, or not
    counted); ``fingerprint`` is that of the whole table.
    """

    began: Instant
    ended: Instant
    server: str
    table: str
    rows: int | None
    wrong_rows: int | None
    fingerprint: str | None


@dataclass(frozen=True, slots=True)
class RepairCompared:
    """Good writes into a damaged table, held against the table after its repair; each named by its key."""

    began: Instant
    ended: Instant
    table: str
    compared: int
    overwritten: tuple[str, ...]
    missing: tuple[str, ...]
    set_aside: tuple[str, ...]


# --- configuration, rules and hooks ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConfigurationDeclared:
    """What the profile says of the source, and where a copy may come back; the words are the service's."""

    tier: str
    sku: str
    sku_or_higher: bool
    vcores: int
    memory_gb: int
    version: int
    storage_gb: int
    storage_or_more: bool
    high_availability: str
    backup_retention_days: int
    geo_redundant_backup: bool
    minimum_tls: str
    extensions: tuple[str, ...]
    vector_index: str
    region: str | None = None
    paired_region: str | None = None


@dataclass(frozen=True, slots=True)
class ServerDescribed:
    """A server as the control plane described it; None where the answer left something out."""

    began: Instant
    ended: Instant
    name: str
    location: str | None
    state: str | None
    tier: str | None
    sku: str | None
    vcores: int | None
    memory_gb: float | None
    version: str | None
    storage_gb: int | None
    zone: str | None
    standby_zone: str | None
    high_availability: str | None
    high_availability_state: str | None
    retention_days: int | None
    geo_redundant_backup: bool | None
    earliest_restore_us: int | None
    created_us: int | None


@dataclass(frozen=True, slots=True)
class SettingsRead:
    """What the database itself says of its configuration."""

    began: Instant
    ended: Instant
    server: str
    extensions: tuple[str, ...]
    minimum_tls: str | None
    vector_index: str | None


@dataclass(frozen=True, slots=True)
class BackupsListed:
    """When the newest automatic backup of a server was completed; None: the list named none."""

    began: Instant
    ended: Instant
    server: str
    newest_us: int | None


@dataclass(frozen=True, slots=True)
class AssertionDeclared:
    """A rule of the application: the sentence that it proves and the tables that it reads."""

    proves: str
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssertionRun:
    """A rule was asked of a server: how many rows break it, and how many rows its tables hold (None: no table)."""

    began: Instant
    ended: Instant
    server: str
    proves: str
    violations: int | None
    rows_by_table: dict[str, int | None]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class HookRan:
    """A hook of the operator's own; ``ended`` None: it never came back within its limit."""

    point: str
    began: Instant
    ended: Instant | None
    exit_code: int | None
    error: str | None = None


# --- the course of the run ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step of the runbook; ``ended`` None: it never ended."""

    name: str
    began: Instant
    ended: Instant | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Waited:
    """A stretch in which the recovery waited for somebody else than the service."""

    who: WaitedFor
    what: str
    began: Instant
    ended: Instant


@dataclass(frozen=True, slots=True)
class CallMade:
    """A call that changes something at the provider; ``ended`` None or ``status`` None: UNKNOWN.

    ``ended`` is when the answer to the request came; ``operation_ended`` when the work that it began was seen to
    have ended well, None if nobody saw that.
    """

    name: str
    resource: str
    began: Instant
    ended: Instant | None
    status: int | None
    request_id: str | None = None
    correlation_id: str | None = None
    operation: str | None = None
    error: str | None = None
    operation_ended: Instant | None = None


@dataclass(frozen=True, slots=True)
class ServersListed:
    """The names that the drill group held when it was listed."""

    began: Instant
    ended: Instant
    group: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VectorQueried:
    """Whether one nearest-neighbour query by index answered on the recovered server, and by which index."""

    began: Instant
    ended: Instant
    index: str | None
    index_valid: bool
    used_index: bool
    rows: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ClockRead:
    """The run's clock beside UTC: a jump of ``utc_s - at`` is a step of UTC or a machine that slept."""

    at: Instant
    utc_s: float


@dataclass(frozen=True, slots=True)
class DateSeen:
    """The `Date` (whole UTC seconds) of a control plane's answer, received between two instants."""

    began: Instant
    ended: Instant
    date_s: int


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Which run this is, and where it ran: as much as tells evidence from rehearsal."""

    run_id: str
    scenario: str
    variant: str
    environment: str
    time_scale: float
    trigger: str
    arm_host: str
    public_ca: bool
    boot_id: str
    code_version: str
