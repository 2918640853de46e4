"""Which histories do the tests judge? Written by hand, in seconds, so that a test reads as a timeline.

    written     |----------------------------------|       two markers a second, by two writers in turn
    archived    |====|====|====|====|====|====|            a segment a minute, read each second
    disaster                                       ¦ 390
    request                                         |- accepted 390.6
    looks                                           .  .  .  . address at 700
    attempts                                                  xxxxooooooooooooo      good from 730
    surveys                                                         |-|   |-|        740 and 772
    clean up                                                                   |--|  absent at 801

`honest()` passes everything; the tests edit it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from drills.history import History
from drills.model import (
    ArchiveSampled,
    CallMade,
    ClockRead,
    DateSeen,
    Disaster,
    Instant,
    InventoryTaken,
    Lsn,
    MarkerRow,
    MarkerWritten,
    NoncesRead,
    Objectives,
    Outcome,
    ProberRan,
    ProbeTried,
    RestoreRequested,
    RunIdentity,
    ServerIdentity,
    ServerLooked,
    ServersListed,
    Stage,
    StepTaken,
    Surveyed,
    SurveyedRow,
    Waited,
    WaitedFor,
)

RUN = "20261101T080000-production-pitr_restore"
SOURCE_NAME, COPY_NAME, GROUP = "psql-zep-production", "drl-abcdefghij-2611011200-a", "rg-zep-drills"

UTC_AT_ZERO_S = 1_793_520_000.0
"""UTC at instant 0: 2026-11-01 08:00:00Z."""
SERVER_AHEAD_S = 0.3
"""By how much the source's clock is ahead of ours."""

SEGMENT_BYTES = 16 * 1024 * 1024
BYTES_A_SECOND = SEGMENT_BYTES // 60
"""A busy server: a segment fills in a minute."""

SYSTEM = "7300000000000000001"
SOURCE = ServerIdentity(
    system_identifier=SYSTEM, started_us=1_793_000_000_000_000, timeline=1, in_recovery=False
)
COPY = ServerIdentity(
    system_identifier=SYSTEM, started_us=1_793_520_715_000_000, timeline=2, in_recovery=False
)

PRODUCTION = Objectives(
    rpo_s=300.0,
    rto_s=900.0,
    rpo_profile_s=300.0,
    rto_profile_s=900.0,
    source="storage strategy, production: RPO 5 min, RTO 15 min",
)

DISASTER_AT = 390.0


# --- the clock of the source, and its log ---------------------------------------------------------------


def server_us(at: float) -> int:
    """The source's clock at an instant, in microseconds since 1970."""
    return round((UTC_AT_ZERO_S + at + SERVER_AHEAD_S) * 1e6)


def lsn(at: float) -> Lsn:
    """Where the source's log ends at an instant; it began with the second segment."""
    return Lsn(SEGMENT_BYTES + round(at * BYTES_A_SECOND))


def segment(at: float, timeline: int = 1) -> str | None:
    """The name of the last segment that was full at an instant."""
    full = lsn(at) // SEGMENT_BYTES - 1
    return f"{timeline:08X}{full // 256:08X}{full % 256:08X}" if full > 0 else None


# --- markers --------------------------------------------------------------------------------------------


def acked(
    number: int, sent: float, ack: float, *, writer: str = "a", server_at: float | None = None
) -> MarkerWritten:
    """A marker whose row came back; it was committed half way, unless said otherwise."""
    at = (sent + ack) / 2 if server_at is None else server_at
    row = MarkerRow(
        server_time_us=server_us(at),
        statement_time_us=server_us(at),
        xid=_xid(at),
        snapshot=f"{_xid(at)}:{_xid(at)}:",
        lsn=lsn(at),
        timeline=1,
        synchronous_commit="on",
        server_started_us=SOURCE.started_us,
    )
    return MarkerWritten(writer, number, Instant(sent), Instant(ack), Outcome.ACKED, row)


def unknown(number: int, sent: float, ended: float | None = None, *, writer: str = "a") -> MarkerWritten:
    """A marker of which nobody knows whether it was committed."""
    if ended is None:
        return MarkerWritten(writer, number, Instant(sent), None, Outcome.UNKNOWN)
    return MarkerWritten(writer, number, Instant(sent), Instant(ended), Outcome.UNKNOWN, None, "silence")


def refused(number: int, sent: float, ended: float, *, writer: str = "a") -> MarkerWritten:
    """A marker that the server refused with an error."""
    return MarkerWritten(writer, number, Instant(sent), Instant(ended), Outcome.REFUSED, None, "read-only")


def _xid(at: float) -> int:
    return 1000 + round(at * 1000)


def markers(
    began: float = 0.0, ended: float = DISASTER_AT, *, spacing: float = 0.5, latency: float = 0.01
) -> tuple[MarkerWritten, ...]:
    """Two writers in turn, from `began` until just before `ended`."""
    count = int((ended - began - latency) / spacing)
    return tuple(
        acked(n // 2 + 1, began + n * spacing, began + n * spacing + latency, writer="ab"[n % 2])
        for n in range(count + 1)
    )


def row_of(marker: MarkerWritten, run_id: str = RUN) -> SurveyedRow:
    """The row of a marker as a survey finds it; an unacknowledged one as if committed when it was sent."""
    if marker.row is None:
        return SurveyedRow(
            run_id,
            marker.writer,
            marker.number,
            server_us(marker.began),
            lsn(marker.began),
            _xid(marker.began),
        )
    return SurveyedRow(
        run_id, marker.writer, marker.number, marker.row.server_time_us, marker.row.lsn, marker.row.xid
    )


# --- the source's archive -------------------------------------------------------------------------------


def sampled(
    at: float, *, archived_at: float | None = None, field: str | None = "", timeline: int = 1
) -> ArchiveSampled:
    """A reading of the archiver: segments are archived as soon as they are full, unless said otherwise."""
    name = segment(at if archived_at is None else archived_at, timeline) if field == "" else field
    return ArchiveSampled(
        Instant(at),
        Instant(at + 0.004),
        name,
        SEGMENT_BYTES,
        timeline,
        server_us(at + 0.002),
        lsn(at + 0.002),
    )


def samples(
    began: float = 0.5, ended: float = DISASTER_AT, *, every: float = 1.0, behind: float = 0.0
) -> tuple[ArchiveSampled, ...]:
    """Readings each second; `behind` shows the archive as it was so many seconds before."""
    count = int((ended - began - 0.004) / every)
    return tuple(
        sampled(began + n * every, archived_at=max(0.0, began + n * every - behind)) for n in range(count + 1)
    )


# --- attempts, looks, surveys ---------------------------------------------------------------------------


def tried(
    number: int, at: float, *, took: float = 0.02, prober: str = "new", identity: ServerIdentity = COPY
) -> ProbeTried:
    """An attempt whose write was acknowledged and read back."""
    nonce = f"{prober}-{number}"
    return ProbeTried(prober, number, Instant(at), Instant(at + took), Stage.WRITTEN, nonce, identity)


def failed(
    number: int,
    at: float,
    *,
    took: float | None = 0.02,
    stage: Stage = Stage.NONE,
    prober: str = "new",
    unresolved: bool = False,
) -> ProbeTried:
    """An attempt that did not get as far as a write; `took` None: it has no outcome."""
    ended = None if took is None else Instant(at + took)
    return ProbeTried(
        prober, number, Instant(at), ended, stage, f"{prober}-{number}", None, "refused", unresolved
    )


def attempts(began: float, good_from: float, ended: float, *, every: float = 0.5) -> tuple[ProbeTried, ...]:
    """Attempts at a steady pace, bad before `good_from` and good from then on."""
    count = int((ended - began) / every)
    moments = [(n + 1, began + n * every) for n in range(count + 1)]
    return tuple(tried(n, at) if at >= good_from else failed(n, at) for n, at in moments)


def looked(at: float, *, address: str | None = None, state: str | None = "Provisioning") -> ServerLooked:
    """A look at the recovered server through the control plane."""
    return ServerLooked(Instant(at), Instant(at + 0.05), state is not None, state, address)


def surveyed(
    at: float,
    rows: Iterable[SurveyedRow],
    *,
    took: float = 1.0,
    nonce: str | None = None,
    identity: ServerIdentity = COPY,
    database_found: bool = True,
) -> Surveyed:
    """A survey that began at `at` and found these rows."""
    return Surveyed(
        Instant(at),
        Instant(at + took),
        COPY_NAME,
        identity,
        nonce or f"survey-{at}",
        tuple(rows),
        database_found,
    )


# --- whole histories ------------------------------------------------------------------------------------


def honest(variant: str = "latest", *, written: Sequence[MarkerWritten] | None = None) -> History:
    """A restore that loses nothing and is back after six minutes; `chosen` restores to 300 s of the same window."""
    all_markers = tuple(markers() if written is None else written)
    point_us = chosen_point_us() if variant == "chosen" else server_us(DISASTER_AT) + 1_000_000
    kept = [m for m in all_markers if m.row is not None and m.row.server_time_us <= point_us]
    rows = [row_of(m) for m in kept]
    return History(
        run=_run(variant),
        began=_clock(-5.0),
        ended=_clock(810.0),
        completed=True,
        markers=all_markers,
        marker_period_s=0.5,
        inventory=InventoryTaken(Instant(-2.0), Instant(-1.9), {"an-earlier-run": 2}),
        samples=(*samples(), sampled(391.0)),
        disaster=Disaster(Instant(DISASTER_AT), Instant(DISASTER_AT)),
        request=RestoreRequested(
            Instant(390.1), Instant(390.6), SOURCE_NAME, COPY_NAME, point_us, accepted=True
        ),
        looks=(
            *(looked(391.0 + 5 * n) for n in range(62)),
            looked(701.0, address="copy.example", state="Ready"),
        ),
        attempts=attempts(702.0, 730.0, 780.0),
        probers=(ProberRan("new", 0.5, 2.0, Instant(701.5), Instant(780.2)),),
        surveys=(surveyed(740.0, (*earlier(), *rows)), surveyed(772.0, (*earlier(), *rows))),
        source_nonces=NoncesRead(Instant(781.0), Instant(781.1), SOURCE, frozenset()),
        steps=(
            StepTaken("restore", Instant(390.05), Instant(701.1)),
            StepTaken("open the network", Instant(701.1), Instant(715.0)),
            StepTaken("clean up", Instant(782.0), Instant(802.0)),
        ),
        waits=(Waited(WaitedFor.TOOL, "the next look", Instant(696.05), Instant(701.0)),),
        calls=(
            _called("restore to a point in time", 390.1, 390.6, 202),
            _called("firewall rule", 701.1, 715.0, 202),
            _called("delete", 782.0, 800.0, 202),
        ),
        created=(COPY_NAME,),
        listings=(ServersListed(Instant(801.0), Instant(801.3), GROUP, ("another-server",)),),
        clocks=tuple(_clock(float(at)) for at in range(-5, 811)),
        dates=tuple(_dated(at) for at in range(-5, 811, 5)),
        switch_over_delay_s=30.0,
    )


def earlier() -> tuple[SurveyedRow, ...]:
    """Two rows of a run before this one, which the inventory found on the source."""
    return tuple(row_of(acked(n, -9000.0 + n, -8999.9 + n), "an-earlier-run") for n in (1, 2))


def chosen_point_us() -> int:
    """A whole second of the source's clock, about 300 s into the window."""
    return server_us(300.0) // 1_000_000 * 1_000_000


def _run(variant: str) -> RunIdentity:
    return RunIdentity(
        run_id=RUN,
        scenario="pitr_restore",
        variant=variant,
        environment="production",
        time_scale=1.0,
        trigger="schedule",
        arm_host="management.azure.com",
        public_ca=True,
        boot_id="boot",
        code_version="0.1.0",
    )


def _called(name: str, began: float, ended: float, status: int) -> CallMade:
    return CallMade(name, COPY_NAME, Instant(began), Instant(ended), status, operation_ended=Instant(ended))


def _clock(at: float) -> ClockRead:
    return ClockRead(Instant(at), UTC_AT_ZERO_S + at)


def _dated(at: float) -> DateSeen:
    return DateSeen(Instant(at), Instant(at + 0.05), int(UTC_AT_ZERO_S + at))


# --- edits ----------------------------------------------------------------------------------------------


def edited(history: History, **changes: Any) -> History:
    """The history with some of its observations replaced."""
    return replace(history, **changes)


def surveys_find(history: History, keep: Callable[[SurveyedRow], bool], *more: SurveyedRow) -> History:
    """The history as if both surveys had found only some of the rows, and these more."""
    changed = tuple(replace(s, rows=(*filter(keep, s.rows), *more)) for s in history.surveys)
    return replace(history, surveys=changed)


def lacking(history: History, *keys: tuple[str, int]) -> History:
    """The history as if these markers of the run were absent on the recovered server."""
    return surveys_find(history, lambda row: row.run_id != RUN or (row.writer, row.number) not in keys)


def restored_to(history: History, at: float) -> History:
    """The history as if the recovered server had stopped at this instant of the source."""
    return surveys_find(history, lambda row: row.run_id != RUN or row.server_time_us <= server_us(at))


def utc_stepped(history: History, at: float, by_s: float) -> History:
    """The history as if UTC had been stepped on our machine."""
    moved = tuple(replace(c, utc_s=c.utc_s + by_s) if c.at > at else c for c in history.clocks)
    return replace(history, clocks=moved)


def paused(history: History, at: float, for_s: float) -> History:
    """The history as if our machine had been paused unnoticed: only the control plane's Date went on."""
    moved = tuple(replace(d, date_s=d.date_s + round(for_s)) if d.began > at else d for d in history.dates)
    return replace(history, dates=moved)
