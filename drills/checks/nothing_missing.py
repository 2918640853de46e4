"""Is what came back whole: nothing missing in between, nothing twice, nothing that nobody wrote?

    written     1---2---3---4---5
    present     1-------3---4           2 is a hole: 3 began after 2 had been acknowledged, and is there
                                        5 is no hole: it is the end that was lost

A recovery may lose the end of what was written; that is what the objective is for. It may never lose something
and keep what came after it. After a failover that holds for each timeline by itself: what the old primary took
alone, after the new one had begun, is lost and is no hole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from drills.checks.wording import joined, marker, some
from drills.history import History, Presence, Recovery
from drills.model import Finding, Instant, Json, MarkerWritten, Objectives, Outcome, Status


def nothing_is_missing_in_between_doubled_or_foreign(history: History, _: Objectives) -> Finding:
    """Nothing is missing in between, nothing is there twice, and nothing that nobody wrote.

    A hole is an acknowledged marker that is absent although one begun after its acknowledgement is present, or
    although a present one had seen it. Rows that were refused must not be there either.
    """
    if history.survey_pair is None:
        return _finding(
            Status.INCONCLUSIVE, "no two surveys proven to be of the recovered server tell what is present"
        )
    missing = holes(history)
    faults = tuple(_faults(history, missing))
    measured = _measured(history, missing)
    if faults:
        return _finding(Status.FAILED, joined(faults), measured)
    doubts = tuple(_doubts(history))
    if doubts:
        return _finding(Status.INCONCLUSIVE, joined(doubts), measured)
    there = sum(history.presence(m) is Presence.PRESENT for m in history.acked)
    return _finding(
        Status.PASSED,
        f"{there} of {len(history.acked)} acknowledged markers are present without a hole, none twice, and no "
        "row is there that nobody wrote",
        measured,
    )


def holes(history: History) -> tuple[MarkerWritten, ...]:
    """Acknowledged markers that are absent although something later is present, by their beginning."""
    present = [m for m in history.markers if history.presence(m) is Presence.PRESENT]
    absent = [m for m in history.acked if history.presence(m) is Presence.ABSENT]
    if history.recovery is not Recovery.FAILOVER:
        return _holes(present, absent, _latest_standing(history))
    found: list[MarkerWritten] = []
    for timeline in sorted({m.row.timeline for m in absent if m.row is not None}):
        of_it = [m for m in present if m.outcome is Outcome.ACKED and m.row and m.row.timeline == timeline]
        found.extend(_holes(of_it, [m for m in absent if m.row and m.row.timeline == timeline], None))
    return tuple(sorted(found, key=lambda m: m.began))


def standing_holes(history: History) -> tuple[int, ...]:
    """Numbers of the heartbeat's markers that are absent though a later one, or one of this run, is present."""
    told = [(w, history.found.presence_of_standing(w.row)) for w in history.standing_written]
    newest = max((w.row.number for w, there in told if there is Presence.PRESENT), default=-1)
    present = (m.began for m in history.markers if history.presence(m) is Presence.PRESENT)
    latest = max(present, default=None)
    return tuple(
        w.row.number
        for w, there in told
        if there is Presence.ABSENT and (w.row.number < newest or (latest is not None and w.ended < latest))
    )


def _latest_standing(history: History) -> Instant | None:
    """When the last standing marker that is present was sent, at the earliest."""
    there = (
        w.began
        for w in history.standing_written
        if history.found.presence_of_standing(w.row) is Presence.PRESENT
    )
    return max(there, default=None)


def _holes(
    present: Sequence[MarkerWritten], absent: Sequence[MarkerWritten], others: Instant | None
) -> tuple[MarkerWritten, ...]:
    latest = max((*(m.began for m in present), *(() if others is None else (others,))), default=None)
    if latest is None or not absent:
        return ()
    overtaken = [m for m in absent if m.ended is not None and m.ended < latest]
    found = {id(m) for m in overtaken}
    rest = [m for m in absent if id(m) not in found]
    seen = _seen_by(present, rest)
    return tuple(sorted((*overtaken, *seen), key=lambda m: m.began))


def refused_and_present(history: History) -> tuple[MarkerWritten, ...]:
    """Markers that the server refused and that are there all the same."""
    refused = (m for m in history.markers if m.outcome is Outcome.REFUSED)
    return tuple(m for m in refused if history.presence(m) is Presence.PRESENT)


def _seen_by(present: Iterable[MarkerWritten], absent: Sequence[MarkerWritten]) -> list[MarkerWritten]:
    """Absent markers whose transaction the snapshot of a present marker sees.

    A snapshot sees what lies below its end and is not listed as under way. So a transaction was seen by one
    of them if more snapshots end above it than list it.
    """
    wanted = {m.row.xid for m in absent if m.row is not None}
    if not wanted:
        return []
    lowest = min(wanted)
    ends: list[int] = []
    under_way: Counter[int] = Counter()
    for m in present:
        if m.row is None:
            continue
        _, end, listed = m.row.snapshot.split(":")
        if int(end) > lowest:
            ends.append(int(end))
            under_way.update(set(map(int, filter(None, listed.split(",")))) & wanted)
    ends.sort()
    return [
        m
        for m in absent
        if m.row is not None and len(ends) - bisect_right(ends, m.row.xid) > under_way[m.row.xid]
    ]


def _faults(history: History, missing: Sequence[MarkerWritten]) -> Iterator[str]:
    if missing:
        names = some([marker(m) for m in missing])
        yield f"{len(missing)} acknowledged markers are absent though later ones are present: {names}"
    if beaten := [f"standing {number}" for number in standing_holes(history)]:
        yield f"{len(beaten)} markers of the heartbeat are absent though later ones are present: {some(beaten)}"
    if strange := [f"{r.run_id} {r.writer} {r.number}" for r in history.strangers()]:
        yield f"{len(strange)} rows are there that nobody wrote, or with other values than noted: {some(strange)}"
    if twice := [f"{writer} {number}" for writer, number in history.duplicates()]:
        yield f"{len(twice)} markers are there more than once: {some(twice)}"
    if refused := [marker(m) for m in refused_and_present(history)]:
        yield f"{len(refused)} markers are there though the server had refused them: {some(refused)}"
    for run in history.earlier_rows():
        if run.most < run.held:
            yield f"of {run.held} rows of the earlier run {run.run_id} that the source held, {run.most} are there"


def _doubts(history: History) -> Iterator[str]:
    if not history.acked:
        yield "no write was acknowledged, so nothing could be missing"
    elif not any(history.presence(m) is Presence.PRESENT for m in history.acked):
        yield "no acknowledged marker is present, so there is nothing in between to look at"
    if history.inventory is None:
        yield "nobody noted what stood on the source before, so rows of other runs cannot be told"
    # Where the writers go on writing to what is surveyed, only what is owed has to be in every survey.
    alive = history.recovery in (Recovery.FAILOVER, Recovery.REPAIR)
    settled_by_now = history.counting if alive else history.markers
    unsettled = [m for m in settled_by_now if history.presence(m) is Presence.UNSETTLED]
    if unsettled:
        yield f"present in one survey and absent in another: {some([marker(m) for m in unsettled])}"
    for run in history.earlier_rows():
        if not run.held == run.fewest == run.most:
            yield (
                f"of the earlier run {run.run_id} the source held {run.held} rows, and the surveys found "
                f"{run.fewest} to {run.most}"
            )


def _measured(history: History, missing: Sequence[MarkerWritten]) -> dict[str, Json]:
    return {
        "holes": len(missing),
        "strangers": sum(1 for _ in history.strangers()),
        "duplicated": sum(1 for _ in history.duplicates()),
        "refused_present": len(refused_and_present(history)),
    }


def _finding(status: Status, summary: str, measured: dict[str, Json] | None = None) -> Finding:
    return Finding(nothing_is_missing_in_between_doubled_or_foreign.__name__, status, summary, measured or {})
