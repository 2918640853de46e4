"""Which failovers do the tests judge? A forced one, by hand, in seconds.

    old primary     |------------------------¦100 request, fault 100.5
    new primary                                     108 |-------------------------|
    markers         ten a second, two writers   xx      on the new from 108.0       170
    new, held       four attempts a second      xxxxxxxxoooooooooooooooooooooooooooo
    old             sessions of before: each second, refused from 100.5 on
    surveys                                               130   162, both on the new
    described       zones 1/2, Healthy at 50                             2/1, Healthy at 180

`forced()` passes every check of a failover; the tests edit it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from drills.history import History
from drills.model import (
    AttemptSort,
    CallMade,
    Disaster,
    FailoverRequested,
    Instant,
    InventoryTaken,
    MarkerWritten,
    ProberRan,
    ProbeTried,
    ServerDescribed,
    ServerIdentity,
    SessionOpened,
    SourceIdentified,
    Stage,
    StepTaken,
)
from tests.histories import SOURCE, SOURCE_NAME, SYSTEM, acked, failed, honest, row_of, surveyed, unknown

REQUEST_AT, FAULT_AT, BACK_AT, STOPPED_AT = 100.0, 100.5, 108.0, 170.0
PERIOD_S = 0.1

STANDBY = ServerIdentity(
    system_identifier=SYSTEM, started_us=1_793_000_500_000_000, timeline=2, in_recovery=False
)
"""The new primary: another process, on the timeline that its promotion began."""


def forced(markers: tuple[MarkerWritten, ...] | None = None) -> History:
    """A forced failover that loses nothing and is back after eight seconds."""
    run = honest(written=())
    markers = written() if markers is None else markers
    rows = [row_of(m) for m in markers if m.row is not None]
    return replace(
        run,
        run=replace(run.run, scenario="ha_failover", variant="forced"),
        markers=markers,
        marker_period_s=PERIOD_S,
        inventory=InventoryTaken(Instant(-2.0), Instant(-1.9), {}),
        samples=(),
        disaster=Disaster(Instant(REQUEST_AT), Instant(REQUEST_AT)),
        request=None,
        failover=FailoverRequested(
            Instant(REQUEST_AT), Instant(100.4), SOURCE_NAME, mode="forced", accepted=True
        ),
        looks=(),
        attempts=(*attempts(), *attempts(AttemptSort.HELD), *to_the_old()),
        probers=(prober(AttemptSort.NEW), prober(AttemptSort.HELD), prober(AttemptSort.OLD, period_s=1.0)),
        sessions=tuple(SessionOpened("old", n, Instant(90.0 + n)) for n in (1, 2, 3, 4)),
        surveys=tuple(
            surveyed(
                at,
                [r for r, m in zip(rows, with_rows(markers), strict=True) if ended(m) <= at],
                identity=STANDBY,
            )
            for at in (130.0, 162.0)
        ),
        source_identified=SourceIdentified(Instant(-3.0), Instant(-2.9), SOURCE),
        source_nonces=None,
        steps=(StepTaken("fail over", Instant(99.9), Instant(115.0)),),
        waits=(),
        calls=(
            CallMade(
                "restart with failover",
                SOURCE_NAME,
                Instant(REQUEST_AT),
                Instant(100.4),
                202,
                operation_ended=Instant(115.0),
            ),
        ),
        created=(),
        described=(described(50.0), described(180.0, zones=("2", "1"))),
    )


# --- markers --------------------------------------------------------------------------------------------


def written(until: float = FAULT_AT, back_at: float = BACK_AT) -> tuple[MarkerWritten, ...]:
    """Two writers in turn; each has one marker that hangs for two seconds when the old primary falls silent."""
    before = [_marker(n, n * PERIOD_S) for n in range(_count(0.0, until))]
    silent = [_hangs(len(before) + n, until + n * PERIOD_S) for n in (0, 1)]
    after = [
        taken_by(STANDBY, _marker(len(before) + 2 + n, back_at + n * PERIOD_S))
        for n in range(_count(back_at, STOPPED_AT))
    ]
    return (*before, *silent, *after)


def _count(began: float, until: float) -> int:
    return round((until - began) / PERIOD_S)


def _hangs(n: int, at: float) -> MarkerWritten:
    return unknown(n // 2 + 1, at, at + 2.0, writer="ab"[n % 2])


def _marker(n: int, at: float) -> MarkerWritten:
    return acked(n // 2 + 1, at, at + 0.01, writer="ab"[n % 2])


def taken_by(identity: ServerIdentity, marker: MarkerWritten) -> MarkerWritten:
    """The marker as another process acknowledged it."""
    assert marker.row is not None
    row = replace(marker.row, timeline=identity.timeline, server_started_us=identity.started_us)
    return replace(marker, row=row)


def with_rows(markers: Iterable[MarkerWritten]) -> list[MarkerWritten]:
    """The markers whose writer got a row back."""
    return [m for m in markers if m.row is not None]


def ended(marker: MarkerWritten) -> float:
    """When a marker was answered."""
    assert marker.ended is not None
    return marker.ended


# --- attempts -------------------------------------------------------------------------------------------


def prober(sort: AttemptSort, *, period_s: float = 0.25, stopped: float | None = STOPPED_AT) -> ProberRan:
    """The frame of a prober, named after what it holds on to."""
    at = None if stopped is None else Instant(stopped)
    return ProberRan(sort.value, period_s, 2.0, Instant(80.0), at, sort)


def wrote(
    number: int,
    at: float,
    identity: ServerIdentity,
    *,
    took: float = 0.02,
    sort: AttemptSort = AttemptSort.NEW,
    session: int | None = None,
) -> ProbeTried:
    """An attempt whose write was acknowledged by this process and read back."""
    return ProbeTried(
        prober=sort.value,
        number=number,
        began=Instant(at),
        ended=Instant(at + took),
        stage=Stage.WRITTEN,
        nonce=f"{sort.value}-{number}",
        identity=identity,
        session=session,
        timeline=identity.timeline,
    )


def attempts(
    sort: AttemptSort = AttemptSort.NEW,
    *,
    began: float = 80.0,
    fault: float = FAULT_AT,
    back: float = BACK_AT,
    every: float = 0.25,
) -> tuple[ProbeTried, ...]:
    """Attempts at a steady pace: on the old primary, on none, on the new one."""
    found = []
    for n in range(round((STOPPED_AT - began) / every)):
        at = began + n * every
        if at < fault:
            found.append(wrote(n, at, SOURCE, sort=sort))
        elif at < back:
            found.append(failed(n, at, prober=sort.value))
        else:
            found.append(wrote(n, at, STANDBY, sort=sort))
    return tuple(found)


def to_the_old() -> tuple[ProbeTried, ...]:
    """What keeps to the old primary: four sessions of before, and new connections to the address of then."""
    found = []
    for n in range(80):
        at, session = 90.5 + n, None if n % 5 == 4 else n % 5 + 1
        if at < FAULT_AT:
            found.append(wrote(n, at, SOURCE, sort=AttemptSort.OLD, session=session))
        else:
            found.append(replace(failed(n, at, prober=AttemptSort.OLD.value), session=session))
    return tuple(found)


# --- descriptions ---------------------------------------------------------------------------------------


def described(
    at: float,
    *,
    zones: tuple[str | None, str | None] = ("1", "2"),
    mode: str | None = "ZoneRedundant",
    state: str | None = "Healthy",
    name: str = SOURCE_NAME,
    location: str | None = "East US",
) -> ServerDescribed:
    """A server as the control plane describes it: as production declares it."""
    return ServerDescribed(
        began=Instant(at),
        ended=Instant(at + 0.05),
        name=name,
        location=location,
        state="Ready",
        tier="GeneralPurpose",
        sku="Standard_D2s_v3",
        vcores=2,
        memory_gb=8,
        version="16.4",
        storage_gb=128,
        zone=zones[0],
        standby_zone=zones[1],
        high_availability=mode,
        high_availability_state=state,
        retention_days=35,
        geo_redundant_backup=True,
        earliest_restore_us=1_790_500_000_000_000,
        created_us=1_780_000_000_000_000,
    )
