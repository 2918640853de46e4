"""For how long could nobody write while one timeline took over from the other?

    old timeline    o   o   o                            o: acknowledged, x: not
    neither                     x   x   x   x
    new timeline                                o   o
                            |<------- high ----->|       from acknowledgement to acknowledgement
                                   |<- low ->|           one straggler at each end proves nothing

Sessions that were held and new connections are two sorts of attempts, and each has an outage of its own. Nothing is
judged here: an outage has no objective of its own, and what the failover promises is the RTO.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drills.history import History
from drills.model import AttemptSort, Instant, Interval, Part, ProbeTried


@dataclass(frozen=True, slots=True)
class Interruption:
    """A run of attempts that failed, and was no part of the change from one timeline to the other."""

    began: Instant
    ended: Instant
    attempts: int


def outage(history: History, sort: AttemptSort) -> Interval | None:
    """How long one sort of attempt was without a primary; None where there was no attempt of that sort."""
    tried = _of(history, sort)
    if not tried or history.source_timeline is None:
        return None
    old, new = _by_timeline(history, tried)
    bad = [a for a in tried if not a.acknowledged]
    low = _low_ends(old, new, bad)
    low_s = 0.0 if low is None else max(0.0, history.durations(*low).low_s)
    if not old or not new:
        return Interval(low_s, None)
    first = min(new, key=_end)
    last = max(old, key=lambda a: a.began)
    high_s = max(0.0, history.durations(last.began, _end(first)).high_s)
    low_s = min(low_s, high_s)
    return Interval(low_s, high_s, _parts(last.began, _end(first), low, high_s - low_s))


def interruptions(history: History, sort: AttemptSort) -> tuple[Interruption, ...]:
    """Runs of attempts of one sort that failed, other than the one in which the timeline changed."""
    tried = _of(history, sort)
    if history.source_timeline is None:
        return ()
    found: list[Interruption] = []
    run: list[ProbeTried] = []
    before: int | None = None
    for attempt in (*tried, None):
        if attempt is not None and not attempt.acknowledged:
            run.append(attempt)
            continue
        after = None if attempt is None else _timeline(attempt)
        if run and before is not None and before == after:
            ends = [a.ended for a in run if a.ended is not None]
            found.append(Interruption(run[0].began, max(ends, default=run[-1].began), len(run)))
        run, before = [], after
    return tuple(found)


def _of(history: History, sort: AttemptSort) -> list[ProbeTried]:
    return sorted((a for a in history.attempts if history.sort_of(a) is sort), key=lambda a: a.began)


def _by_timeline(history: History, tried: Sequence[ProbeTried]) -> tuple[list[ProbeTried], list[ProbeTried]]:
    """What the old timeline acknowledged, and what the new one did."""
    known = [(a, _timeline(a)) for a in tried if a.acknowledged]
    source = history.source_timeline
    old = [a for a, timeline in known if timeline is not None and source is not None and timeline <= source]
    new = [a for a, timeline in known if timeline is not None and source is not None and timeline > source]
    return old, new


def _timeline(attempt: ProbeTried) -> int | None:
    if attempt.timeline is not None or attempt.identity is None:
        return attempt.timeline
    return attempt.identity.timeline


def _low_ends(
    old: Sequence[ProbeTried], new: Sequence[ProbeTried], bad: Sequence[ProbeTried]
) -> tuple[Instant, Instant] | None:
    """From the end of the second bad attempt after the last good one, to the beginning of the last but one.

    The first and the last may have met a full backlog, or the change itself. None with fewer than that.
    """
    until = min((a.began for a in new), default=None)
    since = max((_end(a) for a in old), default=None)
    begun = sorted(a.began for a in bad if until is None or a.began < until)
    ended = sorted(a.ended for a in bad if a.ended is not None and (since is None or a.ended > since))
    if since is None or len(begun) < 2 or len(ended) < 2 or begun[-2] <= ended[1]:
        return None
    return ended[1], begun[-2]


def _parts(
    began: Instant, ended: Instant, low: tuple[Instant, Instant] | None, width_s: float
) -> tuple[Part, ...]:
    """Where the width comes from: what was tried around both ends, or the whole where nothing failed twice."""
    if low is None:
        cuts = [("attempts from acknowledgement to acknowledgement", ended - began)]
    else:
        cuts = [("attempts around the last on the old", low[0] - began)]
        cuts.append(("attempts around the first on the new", ended - low[1]))
    parts = [Part(name, length_s) for name, length_s in cuts if length_s > 1e-9]
    rest_s = width_s - sum(part.seconds for part in parts)
    return (*parts, Part("clock", rest_s)) if abs(rest_s) > 1e-9 else tuple(parts)


def _end(attempt: ProbeTried) -> Instant:
    return attempt.began if attempt.ended is None else attempt.ended
