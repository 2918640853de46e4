"""Did the recovery lose a row that a client had been promised?

    old timeline    a1  a2  a3  a4  a5               a5, acknowledged by a primary that was about to go, counts
    first refused                       x            X: from a5 to x nobody of ours wrote
    new timeline                            a7  a8   a7 and a8 count as well: they came before the survey

A failover promises that nothing acknowledged is lost, so rows are counted and not seconds. What others lost between
two markers cannot be seen: the last moments that were not watched are part of the answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from drills.checks.wording import joined, marker, some
from drills.history import History, Presence, Recovery
from drills.model import AttemptSort, Finding, Instant, Json, MarkerWritten, Objectives, Outcome, Status

WATCHED_PERIODS = 2.5
"""Periods of the markers within which one has to have been acknowledged before the old timeline fell silent."""


def no_acknowledged_row_was_lost(history: History, _: Objectives) -> Finding:
    """No acknowledged row was lost.

    Every marker that was acknowledged before the surveys is there, also what the old primary acknowledged last,
    and after a repair every good write into a damaged table is there as it was written.
    """
    if not history.counting:
        return _finding(Status.INCONCLUSIVE, "no write was acknowledged that the recovery owes", history)
    if history.survey_pair is None:
        return _finding(
            Status.INCONCLUSIVE,
            "no two surveys proven to be of the recovered instance tell what is present",
            history,
        )
    faults = tuple(_faults(history))
    if faults:
        return _finding(Status.FAILED, joined(faults), history)
    doubts = tuple(_doubts(history))
    if doubts:
        return _finding(Status.INCONCLUSIVE, joined(doubts), history)
    return _finding(Status.PASSED, joined(_claims(history)), history)


def unwatched_s(history: History) -> float | None:
    """How long nobody of ours had written when the old timeline fell silent; None where that cannot be said.

    It fell silent with the first attempt after its last acknowledgement that it did not acknowledge. An earlier
    refusal, after which it went on, is no end.
    """
    timeline = history.source_timeline
    if timeline is None:
        return None
    attempts = tuple(_attempts(history))
    last = max((began for began, took in attempts if took is not None and took <= timeline), default=None)
    written = [m.began for m in history.acked if m.row is not None and m.row.timeline <= timeline]
    if last is None or not written:
        return None
    silent = min(
        (began for began, took in attempts if began > last and not _old(took, timeline)), default=None
    )
    if silent is None:
        silent = min(
            (began for began, took in attempts if took is not None and took > timeline), default=None
        )
    if silent is None:
        return None
    return max(0.0, history.durations(max(written), silent).high_s)


def _old(took: int | None, timeline: int) -> bool:
    return took is not None and took <= timeline


def _attempts(history: History) -> Iterator[tuple[Instant, int | None]]:
    """When each marker and probe began, and the timeline that acknowledged it."""
    for m in history.markers:
        yield m.began, m.row.timeline if m.outcome is Outcome.ACKED and m.row is not None else None
    for a in history.attempts:
        took = a.timeline if a.timeline is not None else a.identity.timeline if a.identity else None
        if history.sort_of(a) is not AttemptSort.OLD or a.acknowledged:
            yield a.began, took if a.acknowledged else None


def _faults(history: History) -> Iterator[str]:
    lost = _lost(history)
    if lost:
        yield f"{len(lost)} acknowledged markers are absent: {some([marker(m) for m in lost])}"
    for repair in history.repairs:
        if repair.overwritten:
            yield f"good writes into {repair.table} were overwritten: {some(repair.overwritten)}"
        if repair.missing:
            yield f"good writes into {repair.table} are missing: {some(repair.missing)}"


def _doubts(history: History) -> Iterator[str]:
    unsettled = [marker(m) for m in history.counting if history.presence(m) is Presence.UNSETTLED]
    if unsettled:
        yield f"present in one survey and absent in another: {some(unsettled)}"
    if history.recovery is Recovery.FAILOVER:
        yield from _doubts_of_the_watch(history)
    else:
        yield from _doubts_of_the_repair(history)


def _doubts_of_the_watch(history: History) -> Iterator[str]:
    alone = sum(m.outcome is Outcome.ACKED for m in history.markers) - len(history.acked)
    if alone:
        yield f"{alone} markers were acknowledged under a synchronous_commit that does not wait for the standby"
    silent_s, period_s = unwatched_s(history), history.marker_period_s
    if silent_s is None or period_s is None:
        yield "nobody saw the old timeline fall silent, so nothing tells how late the markers went on"
    elif silent_s > WATCHED_PERIODS * period_s:
        yield (
            f"the last marker was begun {silent_s * 1000:.0f} ms before the old timeline fell silent, more than "
            f"{WATCHED_PERIODS:g} periods of {period_s * 1000:.0f} ms"
        )


def _doubts_of_the_repair(history: History) -> Iterator[str]:
    damaged = history.damage.tables if history.damage is not None else ()
    compared = {repair.table for repair in history.repairs if repair.compared > 0}
    if not damaged:
        yield "no damaged table was noted"
    if unseen := sorted(set(damaged) - compared):
        yield f"no good write was held against the repaired table: {some(unseen)}"


def _claims(history: History) -> Iterator[str]:
    yield f"all {len(history.counting)} acknowledged markers are present: no acknowledged marker was lost"
    silent_s = unwatched_s(history)
    if history.recovery is Recovery.FAILOVER and silent_s is not None:
        yield f"the last {silent_s * 1000:.0f} ms were not watched"
    for repair in history.repairs:
        yield f"{repair.compared} good writes into {repair.table} are there as they were written"
        if repair.set_aside:
            yield f"set aside for a person to decide: {some(repair.set_aside)}"


def _lost(history: History) -> tuple[MarkerWritten, ...]:
    return tuple(m for m in history.counting if history.presence(m) is Presence.ABSENT)


def _finding(status: Status, summary: str, history: History) -> Finding:
    silent_s = unwatched_s(history) if history.recovery is Recovery.FAILOVER else None
    measured: dict[str, Json] = {
        "owed": len(history.counting),
        "lost_rows": None if history.survey_pair is None else len(_lost(history)),
        "unwatched_s": None if silent_s is None else round(silent_s, 6),
        "set_aside": [key for repair in history.repairs for key in repair.set_aside],
    }
    return Finding(no_acknowledged_row_was_lost.__name__, status, summary, measured)
