"""Which losses of a region do the tests judge? One by hand, in seconds.

    heartbeat       a standing marker a minute, for an hour before
    written         |------------------------------------------------|  800, to the source, which lives on
    request                                 |390 ---- operation ---- 790|
    geo copy        has everything until 200 s
    attempts                                                          791 xxxooooo   good from 800
    surveys                                                                 810  842

`lost_region()` passes every check of a geo-restore; the tests edit it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from drills.history import STANDING, History
from drills.model import (
    CallMade,
    ConfigurationDeclared,
    Disaster,
    Instant,
    NoncesRead,
    Objectives,
    ProberRan,
    RestoreRequested,
    SourceIdentified,
    StandingRead,
    StandingRow,
    SurveyedRow,
)
from tests.failover_histories import described
from tests.histories import (
    COPY,
    COPY_NAME,
    SOURCE,
    SOURCE_NAME,
    UTC_AT_ZERO_S,
    attempts,
    earlier,
    honest,
    looked,
    lsn,
    markers,
    row_of,
    server_us,
    surveyed,
)

REQUEST_AT, OPERATION_ENDED_AT, COPIED_UNTIL = 390.0, 790.0, 200.0

REGION_LOST = Objectives(
    rpo_s=3600.0,
    rto_s=14400.0,
    rpo_profile_s=3600.0,
    rto_profile_s=14400.0,
    source="published for geo-redundant backups",
    assumed=True,
)

DECLARED = ConfigurationDeclared(
    tier="GeneralPurpose",
    sku="Standard_D2s_v3",
    sku_or_higher=True,
    vcores=2,
    memory_gb=8,
    version=16,
    storage_gb=128,
    storage_or_more=True,
    high_availability="ZoneRedundant",
    backup_retention_days=35,
    geo_redundant_backup=True,
    minimum_tls="1.2",
    extensions=("vector",),
    vector_index="hnsw",
    region="eastus",
    paired_region="westus",
)


def lost_region() -> History:
    """A geo-restore whose copy is ten minutes old when the operation ends."""
    run = honest(written=())
    written = markers(ended=800.0)
    beats = standing()
    rows = [row_of(m) for m in written if m.row and m.row.server_time_us <= server_us(COPIED_UNTIL)]
    found = (*earlier(), *(standing_row(b) for b in beats.rows), *rows)
    return replace(
        run,
        run=replace(run.run, scenario="geo_restore", variant=""),
        markers=written,
        standing=beats,
        samples=(),
        disaster=Disaster(Instant(REQUEST_AT), Instant(REQUEST_AT)),
        request=RestoreRequested(
            Instant(REQUEST_AT), Instant(390.6), SOURCE_NAME, COPY_NAME, server_us(REQUEST_AT), accepted=True
        ),
        looks=(
            *(looked(391.0 + 5 * n) for n in range(80)),
            looked(790.5, address="copy.example", state="Ready"),
        ),
        attempts=attempts(791.0, 800.0, 850.0),
        probers=(ProberRan("new", 0.5, 2.0, Instant(790.6), Instant(850.2)),),
        surveys=(surveyed(810.0, found), surveyed(842.0, found)),
        source_identified=SourceIdentified(Instant(-3.0), Instant(-2.9), SOURCE),
        source_nonces=NoncesRead(Instant(851.0), Instant(851.1), SOURCE, frozenset()),
        calls=(
            CallMade(
                "restore the geo backup",
                COPY_NAME,
                Instant(REQUEST_AT),
                Instant(390.6),
                202,
                operation_ended=Instant(OPERATION_ENDED_AT),
            ),
            *(c for c in run.calls if c.name == "delete"),
        ),
        declared=DECLARED,
        described=(
            described(50.0),
            replace(
                described(795.0, name=COPY_NAME, location="West US", mode="Disabled", state="NotEnabled"),
                geo_redundant_backup=False,
                zone=None,
                standby_zone=None,
                earliest_restore_us=None,
                created_us=round((UTC_AT_ZERO_S + 391.0) * 1e6),
            ),
        ),
    )


# --- standing markers -----------------------------------------------------------------------------------


def standing(
    count: int = 60, *, every: float = 60.0, read_at: float = -1.5, heartbeat_slow_s: float = 0.0
) -> StandingRead:
    """The heartbeat's stream as it was read: a row a minute, each of which took 20 ms; the last 30 s before."""
    return StandingRead(
        Instant(read_at),
        Instant(read_at + 0.05),
        server_us(read_at + 0.02),
        tuple(
            beat(n, read_at - 30.0 - every * (count - n), slow_s=heartbeat_slow_s)
            for n in range(1, count + 1)
        ),
    )


def beat(number: int, at: float, *, slow_s: float = 0.0) -> StandingRow:
    """A standing marker sent at an instant, by a machine whose own clock is slow by so much."""
    return StandingRow(
        number=number,
        server_time_us=server_us(at + 0.01),
        heartbeat_us=round((UTC_AT_ZERO_S + at - slow_s) * 1e6),
        before_took_s=None if number == 1 else 0.02,
        lsn=lsn(0.0),
    )


def standing_row(row: StandingRow) -> SurveyedRow:
    """The row of a standing marker as a survey finds it."""
    return SurveyedRow(STANDING, "heartbeat", row.number, row.server_time_us, row.lsn, 1)


def without_beats(history: History, numbers: Iterable[int]) -> History:
    """The history as if the surveys had not found these standing markers."""
    gone = set(numbers)
    surveys = tuple(
        replace(s, rows=tuple(r for r in s.rows if r.run_id != STANDING or r.number not in gone))
        for s in history.surveys
    )
    return replace(history, surveys=surveys)


def started_after(history: History, at: float) -> History:
    """The history as if the recovered process had started at an instant of UTC."""
    identity = replace(COPY, started_us=round((UTC_AT_ZERO_S + at) * 1e6))
    return replace(
        history,
        surveys=tuple(replace(s, identity=identity) for s in history.surveys),
        attempts=tuple(replace(a, identity=identity if a.identity else None) for a in history.attempts),
    )
