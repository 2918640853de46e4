"""Does the old primary still take writes after the new one does?

    new timeline                 o---o   first good attempt
    sessions of before       x         x    x    x    x      each keeps trying, to the address of then
    old primary acknowledges        (o)           o          begun before the end of the first good: no fault;
                                                             begun after it: two primaries took writes

A write that two servers accept cannot be kept by both. What this client could not reach, it cannot vouch for.
"""

from __future__ import annotations

from collections.abc import Iterator

from drills.checks.wording import some
from drills.history import History
from drills.model import AttemptSort, Finding, Instant, Json, Objectives, ProbeTried, Status

FEWEST_SESSIONS = 4
"""Sessions that have to be open on the old primary before the fault."""


def the_old_primary_takes_no_writes(history: History, _: Objectives) -> Finding:
    """The old primary took no write any more once the new one had taken its first.

    Sessions opened before the fault, and new connections to the address of then, went on trying until the
    surveys; as far as this client could reach the old primary, it acknowledged none of their writes.
    """
    good, timeline = history.first_good, history.source_timeline
    if timeline is None:
        return _finding(Status.INCONCLUSIVE, "nobody noted the source's timeline before the fault", history)
    if good is None or good.ended is None:
        return _finding(
            Status.INCONCLUSIVE, "nothing was written to a new primary, so nothing came after it", history
        )
    taken = tuple(_taken(history, timeline, good.ended))
    if taken:
        return _finding(
            Status.FAILED,
            f"the old primary acknowledged {len(taken)} writes begun after the first on the new one: {some(taken)}",
            history,
        )
    tried = _tried(history, good.ended)
    if not tried:
        return _no_attempt(history, good.ended)
    sessions = _sessions_before(history)
    if sessions < FEWEST_SESSIONS:
        return _finding(
            Status.INCONCLUSIVE,
            f"{sessions} sessions were open on the old primary before the fault, fewer than {FEWEST_SESSIONS}",
            history,
        )
    return _finding(
        Status.PASSED,
        f"none of {len(tried)} writes to the old primary was acknowledged, as far as this client could reach it, "
        f"on {sessions} sessions of before the fault and on new connections",
        history,
    )


def _taken(history: History, timeline: int, after: Instant) -> Iterator[str]:
    """Writes begun after an instant that the old timeline took, also those that it acknowledged with a warning."""
    for m in history.markers:
        if m.row is not None and m.row.timeline <= timeline and m.began > after:
            yield f"marker {m.writer} {m.number}"
    for a in history.attempts:
        took = a.timeline if a.timeline is not None else a.identity.timeline if a.identity else None
        if a.acknowledged and took is not None and took <= timeline and a.began > after:
            yield f"attempt {a.prober} {a.number}"


def _tried(history: History, after: Instant) -> list[ProbeTried]:
    """Attempts on the old primary that began after an instant, and of which the end was noted."""
    old = (a for a in history.attempts if history.sort_of(a) is AttemptSort.OLD)
    return [a for a in old if a.began > after and a.ended is not None]


def _sessions_before(history: History) -> int:
    if history.disaster is None:
        return 0
    old = {p.prober for p in history.probers if p.sort is AttemptSort.OLD}
    at = history.disaster.earliest
    return len({(s.prober, s.session) for s in history.sessions if s.prober in old and s.at < at})


def _no_attempt(history: History, after: Instant) -> Finding:
    """On the service no route may lead to the old primary any more; on the twin there always is one.

    A prober that died, or that nobody started, did not find that out.
    """
    old = [p for p in history.probers if p.sort is AttemptSort.OLD]
    went_on = bool(old) and all(p.stopped is not None and p.stopped > after for p in old)
    looked = went_on and _sessions_before(history) >= FEWEST_SESSIONS
    return _finding(
        Status.NOT_APPLICABLE if looked and history.run.public_ca else Status.INCONCLUSIVE,
        "no attempt on the old primary was possible after the first write on the new"
        if looked
        else "nobody went on trying the old primary after the first write on the new",
        history,
    )


def _finding(status: Status, summary: str, history: History) -> Finding:
    good = history.first_good
    after = None if good is None else good.ended
    measured: dict[str, Json] = {
        "sessions": _sessions_before(history),
        "attempts": None if after is None else len(_tried(history, after)),
    }
    return Finding(the_old_primary_takes_no_writes.__name__, status, summary, measured)
