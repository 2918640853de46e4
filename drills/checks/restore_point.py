"""Did the restore stop where it was asked to: not before the chosen point, and not after it?

    server time        s1      s2 ^      s3       T is a whole second of the source's clock
    must be present    ====                       s + round trip <= T: certainly committed by then
    must be absent                      =======   s > T: certainly committed later, acknowledged or not
    decides nothing            ==                 what was under way at T

A service that restored all it had would look the same if it had nothing later: so a later commit has to be in the
archive before the restore is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from drills.checks.data_lost import archived
from drills.checks.wording import joined, marker, moment, seconds, some
from drills.history import History, Presence
from drills.history.damage import bad_commit
from drills.model import (
    Finding,
    Json,
    MarkerRow,
    MarkerWritten,
    Objectives,
    RestoreRequested,
    Status,
    SurveyedRow,
)

FARTHEST_APART_S = 3.0
"""Wall seconds between the neighbours of the point, beyond which the claim would say too little."""
DRIFT = 500e-6
"""What PostgreSQL's host may slew its clock by (adjtimex(2) keeps the frequency within 500 ppm)."""


def the_restore_point_was_respected_on_both_sides(history: History, _: Objectives) -> Finding:
    """The restore ended at the chosen point: all before it is there, and nothing after it.

    Every marker certainly committed by the point is present and every row written after it is absent, with one
    of each close to the point, while the archive already held a later commit.
    """
    if history.request is None:
        return _finding(Status.INCONCLUSIVE, "no restore to a chosen point was requested")
    if not history.found_on_copy.surveys:
        return _finding(
            Status.INCONCLUSIVE, "no two surveys proven to be of the restored server tell what is present"
        )
    sides = _sides(history, history.request)
    explained = one_offset_explains(history.acked)
    if sides.missing or sides.beyond:
        status = Status.FAILED if explained else Status.INCONCLUSIVE
        return _finding(status, joined((_violation(sides, history.request), *_offset(explained))), sides)
    doubts = tuple(_doubts(history, history.request, sides, explained=explained))
    if doubts:
        return _finding(Status.INCONCLUSIVE, joined(doubts), sides)
    claim = joined((_claim(sides, history.request), price_of_the_point(history)))
    return _finding(Status.PASSED, claim, sides)


def price_of_the_point(history: History) -> str | None:
    """Say how much earlier than the bad commit the point lies: good writes that it costs. It decides nothing."""
    if history.damage is None or history.request is None:
        return None
    commit, point_us = bad_commit(history.markers, history.damage), history.request.point_us
    if commit.earliest_us is None or commit.latest_us is None:
        return "nobody saw when the damage was committed, so the price of the point is not known"
    low_s, high_s = (commit.earliest_us - point_us) / 1e6, (commit.latest_us - point_us) / 1e6
    return f"the point lies {seconds(low_s)} to {seconds(high_s)} before the bad commit"


@dataclass(frozen=True, slots=True)
class Sides:
    """What lies on which side of the point, and what does not lie where it has to."""

    before: MarkerWritten | None
    after: MarkerWritten | None
    missing: tuple[MarkerWritten, ...]
    beyond: tuple[SurveyedRow, ...]
    unsettled: tuple[str, ...]

    @property
    def apart_s(self) -> float | None:
        """Wall seconds from the last that had to be present to the end of the first that had to be absent."""
        if self.before is None or self.after is None:
            return None
        return (_ended_us(self.after) - _row(self.before).server_time_us) / 1e6


def _sides(history: History, request: RestoreRequested) -> Sides:
    owed, presence = history.owed_by_the_point, history.found_on_copy.presence
    later = [m for m in history.acked if _row(m).server_time_us > request.point_us]
    found, unsettled_rows = _rows_beyond(history, request.point_us)
    unsettled = [marker(m) for m in owed if presence(m) is Presence.UNSETTLED]
    present = (m for m in owed if presence(m) is Presence.PRESENT)
    absent = (m for m in later if presence(m) is Presence.ABSENT)
    return Sides(
        before=max(present, key=lambda m: _row(m).server_time_us, default=None),
        after=min(absent, key=lambda m: _row(m).server_time_us, default=None),
        missing=tuple(m for m in owed if presence(m) is Presence.ABSENT),
        beyond=found,
        unsettled=(*unsettled, *(f"{row.writer} {row.number}" for row in unsettled_rows)),
    )


def _rows_beyond(history: History, point_us: int) -> tuple[tuple[SurveyedRow, ...], tuple[SurveyedRow, ...]]:
    """Rows of this run later than the point: those that every survey found, and those that only some did."""
    found = [
        {row for row in survey.rows if row.run_id == history.run.run_id and row.server_time_us > point_us}
        for survey in history.found_on_copy.surveys
    ]
    everywhere = set.intersection(*found)
    in_order = sorted(set.union(*found), key=lambda row: (row.server_time_us, row.writer, row.number))
    return (
        tuple(row for row in in_order if row in everywhere),
        tuple(row for row in in_order if row not in everywhere),
    )


def one_offset_explains(markers: Iterable[MarkerWritten]) -> bool:
    """Tell whether one offset between the source's clock and ours, drifting within bounds, fits all markers.

    Each marker says that the offset lay between server time − ended and server time − began. If two markers
    leave no offset that could have drifted from one to the other, a clock was stepped or our machine paused.
    """
    forth = sorted(_allowed(m) for m in markers)
    back = sorted((-at, least, largest) for at, least, largest in forth)
    return _rises_within_bounds(forth) and _rises_within_bounds(back)


def _allowed(found: MarkerWritten) -> tuple[float, float, float]:
    """When a marker was written, and the least and the largest offset that it allows (seconds)."""
    server_s = _row(found).server_time_us / 1e6
    ended = found.began if found.ended is None else found.ended
    return (found.began + ended) / 2, server_s - ended, server_s - found.began


def _rises_within_bounds(allowed: Iterable[tuple[float, float, float]]) -> bool:
    """No least offset seen so far, drifted down to now, may exceed the largest one allowed now."""
    highest = float("-inf")
    for at, least, largest in allowed:
        highest = max(highest, least + DRIFT * at)
        if highest > largest + DRIFT * at + 1e-6:  # server times are whole microseconds
            return False
    return True


def later_commit_archived(history: History, request: RestoreRequested) -> bool:
    """Tell whether the archive held a commit later than the point when the restore was asked for.

    A marker's position lies before its own commit record, so the proof is a marker that began after the first
    later one had been acknowledged, and whose position had been archived.
    """
    reach = archived(history, (s for s in history.samples if s.ended <= request.began))
    later = (m for m in history.acked if _row(m).server_time_us > request.point_us and m.ended is not None)
    first = min(later, key=_ended, default=None)
    if reach is None or first is None:
        return False
    return any(
        m.began >= _ended(first) and _row(m).lsn <= reach and _row(m).timeline == history.source_timeline
        for m in history.acked
    )


def _doubts(history: History, request: RestoreRequested, sides: Sides, *, explained: bool) -> Iterable[str]:
    yield from _offset(explained)
    if sides.unsettled:
        yield f"present in one survey and absent in another: {some(sides.unsettled)}"
    if sides.before is None:
        yield "no marker that had to be present was seen there"
    if sides.after is None:
        yield "no acknowledged marker that had to be absent was written"
    if sides.apart_s is not None and sides.apart_s > FARTHEST_APART_S:
        yield f"the markers on both sides of the point are {seconds(sides.apart_s)} apart"
    if not later_commit_archived(history, request):
        yield "no commit later than the point was seen in the archive before the restore was requested"


def _offset(explained: bool) -> tuple[str, ...]:
    if explained:
        return ()
    return (
        "no one offset between the source's clock and ours explains all markers, so its times decide nothing",
    )


def _violation(sides: Sides, request: RestoreRequested) -> str:
    missing = some([marker(m) for m in sides.missing])
    beyond = some([f"{row.writer} {row.number} of {moment(row.server_time_us)}" for row in sides.beyond])
    return joined(
        (
            f"{len(sides.missing)} markers committed by {moment(request.point_us)} are absent: {missing}"
            if sides.missing
            else None,
            f"{len(sides.beyond)} rows written after {moment(request.point_us)} are present: {beyond}"
            if sides.beyond
            else None,
        )
    )


def _claim(sides: Sides, request: RestoreRequested) -> str:
    if sides.before is None or sides.after is None:
        raise ValueError("a claim needs both neighbours of the point")
    return (
        f"asked for {moment(request.point_us)}, the restore ended between "
        f"{moment(_row(sides.before).server_time_us)} of the last marker that had to be present and "
        f"{moment(_ended_us(sides.after))} of the first that had to be absent"
    )


def _ended(found: MarkerWritten) -> float:
    return found.began if found.ended is None else found.ended


def _ended_us(found: MarkerWritten) -> float:
    """The latest server time at which a marker can have been committed."""
    return _row(found).server_time_us + (_ended(found) - found.began) * 1e6


def _row(found: MarkerWritten) -> MarkerRow:
    if found.row is None:
        raise ValueError(f"marker {marker(found)} was acknowledged and has no row")
    return found.row


def _finding(status: Status, summary: str, sides: Sides | None = None) -> Finding:
    measured: dict[str, Json] = {}
    evidence: list[str] = []
    if sides is not None:
        measured = {
            "missing_before_the_point": len(sides.missing),
            "present_after_the_point": len(sides.beyond),
            "neighbours_apart_s": None if sides.apart_s is None else round(sides.apart_s, 6),
        }
        if sides.before is not None:
            evidence.append(f"last that had to be present and is: {marker(sides.before)}")
        if sides.after is not None:
            evidence.append(f"first that had to be absent and is: {marker(sides.after)}")
    return Finding(
        the_restore_point_was_respected_on_both_sides.__name__, status, summary, measured, tuple(evidence)
    )
