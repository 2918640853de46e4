"""Which corruptions do the tests judge? A bad UPDATE, undone in both ways, by hand, in seconds.

    written         |--------------------|bad commit 400 -----------------|        two markers a second
    point                                | 399 s of the source's clock
    copy                                        |420 --- restored --- 700|
    cut over        closing 720 to 721; held sessions and new connections are refused; the copy takes over at 730
    table repair    700 to 729: the damaged rows are brought back into the source; right from 730 on
    surveys         copy 705 and 736 (repair), recovered 740 and 772

`cut_over()` and `table_repair()` pass every check of their variant; the tests edit them.
"""

from __future__ import annotations

from dataclasses import replace

from drills.checks.source_closed import TAKE_OVER
from drills.history import History
from drills.model import (
    AttemptSort,
    DamageDone,
    Disaster,
    Instant,
    MarkerWritten,
    NoncesRead,
    ProberRan,
    ProbeTried,
    RepairCompared,
    RestoreRequested,
    SessionOpened,
    SourceClosed,
    SourceIdentified,
    StepTaken,
    SurveyedRow,
    TableSeen,
)
from tests.failover_histories import wrote
from tests.histories import (
    COPY_NAME,
    PRODUCTION,
    SOURCE,
    SOURCE_NAME,
    attempts,
    earlier,
    edited,
    failed,
    honest,
    looked,
    markers,
    row_of,
    sampled,
    server_us,
    surveyed,
    unknown,
)

DAMAGE_AT, CLOSED_AT, REPAIRED_AT = 400.0, 720.0, 730.0
BAD_XID = 1000 + round(DAMAGE_AT * 1000)
"""The damage's transaction: begun as it was committed, so what was written later sees it."""
HOURS = replace(PRODUCTION, rpo_s=3600.0, rpo_profile_s=3600.0, rto_s=3600.0, rto_profile_s=3600.0)
FACTS, NOTES = "facts", "notes"


def point_us() -> int:
    """A whole second of the source's clock, one second before the damage."""
    return server_us(DAMAGE_AT - 1.0) // 1_000_000 * 1_000_000


def cut_over(*, closed_at: float = CLOSED_AT, session_1_until: float | None = None) -> History:
    """The source is closed and a copy from before the damage takes over; the writes between are the price.

    `session_1_until` lets a session that was held go on writing for longer.
    """
    refused = (unknown(9000, closed_at + 0.1, closed_at + 0.6, writer=w) for w in "ab")
    written = (*seeing(markers(ended=closed_at)), *refused)
    run = _corrupted("cut_over", written)
    rows = (*earlier(), *(row_of(m) for m in written if m.row and m.row.server_time_us <= point_us()))
    kept = kept_to_the_source(closed_at=closed_at + 0.5, session_1_until=session_1_until)
    on_the_source = frozenset(a.nonce for a in kept if a.nonce is not None and a.acknowledged)
    copy_at, end = closed_at - 18.0, closed_at + 60.0
    return edited(
        run,
        source_nonces=NoncesRead(Instant(end + 1.0), Instant(end + 1.1), SOURCE, on_the_source),
        attempts=(*attempts(copy_at, closed_at + 11.0, end), *kept),
        probers=(
            ProberRan("new", 0.5, 2.0, Instant(copy_at - 0.5), Instant(end + 0.2)),
            ProberRan("old", 0.5, 2.0, Instant(closed_at - 120.0), Instant(end + 0.2), AttemptSort.OLD),
        ),
        sessions=tuple(SessionOpened("old", n, Instant(closed_at - 119.0)) for n in (1, 2)),
        surveys=(surveyed(closed_at + 20.0, rows), surveyed(closed_at + 52.0, rows)),
        closing=SourceClosed(Instant(closed_at), Instant(closed_at + 1.0)),
        steps=(*run.steps, StepTaken(TAKE_OVER, Instant(closed_at + 10.0), Instant(closed_at + 10.5))),
        tables=(
            *_tables_before(),
            seen(closed_at + 40.0, FACTS, server=COPY_NAME),
            seen(closed_at + 40.5, NOTES, server=COPY_NAME),
        ),
    )


def table_repair(*, repaired_at: float = REPAIRED_AT, every: float = 1.0) -> History:
    """The damaged rows are taken from a copy and put back into the source, which goes on all the while."""
    surveyed_at = (repaired_at + 10.0, repaired_at + 42.0)
    end = repaired_at + 42.0 + 4.0 * every + 5.0
    written = seeing(markers(ended=end + 8.0, spacing=every / 2))
    run = _corrupted("table_repair", written)
    copied = (*earlier(), *(row_of(m) for m in written if m.row and m.row.server_time_us <= point_us()))

    def on_source(at: float) -> tuple[SurveyedRow, ...]:
        return (*earlier(), *(row_of(m) for m in written if m.ended is not None and m.ended <= at))

    return edited(
        run,
        attempts=tuple(
            replace(wrote(n, at, SOURCE), right=at >= repaired_at)
            for n in range(int((end - 401.0) / every))
            for at in (401.0 + n * every,)
        ),
        probers=(ProberRan("new", every, 2.0, Instant(400.5), Instant(end)),),
        surveys=(
            surveyed(705.0, copied),
            surveyed(736.0, copied),
            *(surveyed(at, on_source(at), identity=SOURCE) for at in surveyed_at),
        ),
        source_nonces=NoncesRead(
            Instant(end + 8.0), Instant(end + 8.1), SOURCE, frozenset(f"survey-{at}" for at in surveyed_at)
        ),
        repairs=(
            RepairCompared(
                Instant(repaired_at + 5.0), Instant(repaired_at + 6.0), FACTS, 120, (), (), ("facts 77",)
            ),
        ),
        tables=(*_tables_before(), seen(repaired_at + 30.0, FACTS), seen(repaired_at + 30.5, NOTES)),
    )


def _corrupted(variant: str, written: tuple[MarkerWritten, ...]) -> History:
    run = honest("chosen", written=())
    return edited(
        run,
        run=replace(run.run, scenario="corruption_rollback", variant=variant),
        markers=written,
        samples=tuple(sampled(0.5 + n) for n in range(720)),
        damage=DamageDone(
            Instant(DAMAGE_AT), Instant(DAMAGE_AT + 0.05), kind="update", tables=(FACTS,), xid=BAD_XID
        ),
        disaster=Disaster(Instant(DAMAGE_AT), Instant(DAMAGE_AT + 0.05)),
        request=RestoreRequested(
            Instant(520.0), Instant(520.5), SOURCE_NAME, COPY_NAME, point_us(), accepted=True
        ),
        looks=(looked(701.0, address="copy.example", state="Ready"),),
        source_identified=SourceIdentified(Instant(-3.0), Instant(-2.9), SOURCE),
        waits=(),
    )


# --- markers and damage ---------------------------------------------------------------------------------


def seeing(written: tuple[MarkerWritten, ...], *, visible_at: float = DAMAGE_AT) -> tuple[MarkerWritten, ...]:
    """The markers with snapshots in which the damage is under way until it is visible."""
    found = []
    for m in written:
        assert m.row is not None
        sees = m.began >= visible_at
        end = max(m.row.xid, BAD_XID + 1) if m.began >= DAMAGE_AT else min(m.row.xid, BAD_XID)
        under_way = str(BAD_XID) if not sees and end > BAD_XID else ""
        found.append(replace(m, row=replace(m.row, snapshot=f"{min(end, BAD_XID)}:{end}:{under_way}")))
    return tuple(found)


# --- tables ---------------------------------------------------------------------------------------------


def seen(
    at: float,
    table: str,
    *,
    server: str = SOURCE_NAME,
    rows: int | None = 1000,
    wrong_rows: int | None = 0,
    fingerprint: str | None = "9c1f",
) -> TableSeen:
    """A table as it was looked at; only the damaged one has wrong rows counted."""
    return TableSeen(
        Instant(at),
        Instant(at + 0.2),
        server,
        table,
        rows,
        wrong_rows if table == FACTS else None,
        fingerprint,
    )


def _tables_before() -> tuple[TableSeen, ...]:
    return (
        seen(10.0, FACTS),
        seen(10.5, NOTES),
        seen(401.0, FACTS, wrong_rows=400, fingerprint="0000"),
    )


# --- the closing ----------------------------------------------------------------------------------------


def kept_to_the_source(
    *, closed_at: float = CLOSED_AT + 0.5, session_1_until: float | None = None
) -> tuple[ProbeTried, ...]:
    """Two sessions and new connections in turn, twice a second; each is refused once the source is closed."""
    found = []
    for n in range(350):
        at, session = closed_at - 119.0 + n * 0.5, (1, 2, None)[n % 3]
        until = session_1_until if session == 1 and session_1_until is not None else closed_at
        if at < until:
            found.append(wrote(n, at, SOURCE, sort=AttemptSort.OLD, session=session))
        else:
            found.append(replace(failed(n, at, prober="old"), session=session))
    return tuple(found)
