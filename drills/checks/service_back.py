"""How long was the service away, from the disaster until a client could write again and it stayed so?

    attempts     x    x    x    x    o    o    o    o    o    o
    surveys                           |--|        |--|
    disaster ¦          ^   ^        first good        ^
                       low  one straggler              high

One refused attempt can be a full backlog, so *low* ends at the last but one; what our own tool waited for is not
held against the service. *High* is the end of the first pair of surveys after which nothing went wrong any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from drills.checks.wording import against, bounds, joined, seconds, span, told
from drills.history import Answer, Durations, History, Try
from drills.model import (
    Disaster,
    Finding,
    Instant,
    Interval,
    Json,
    Objectives,
    Part,
    ProberRan,
    ProbeTried,
    Status,
    Surveyed,
    WaitedFor,
)

Pair = tuple[Surveyed, Surveyed]


def service_was_back_within_the_objective(history: History, objectives: Objectives) -> Finding:
    """A client could write to the recovered server again within the objective, and it stayed so.

    The time runs from the disaster to the first pair of surveys after which no attempt failed, while attempts
    went on without a gap; what the profile states for detection and decision is added.
    """
    interval = rto(history, objectives)
    if interval is None:
        return _finding(
            Status.INCONCLUSIVE, "no disaster was recorded, or nobody tried to use the recovered server"
        )
    if history.request is not None and history.disaster and history.request.began < history.disaster.latest:
        return _finding(
            Status.INCONCLUSIVE,
            "the restore was requested before the disaster that it answers, so the record contradicts itself",
        )
    status = interval.against(objectives.rto_s)
    sentence = f"service was back after {span(interval)}, {against(status, objectives.rto_s)}"
    why = why_no_end(history) if interval.high_s is None else None
    clocks = [told(d) for d in _durations(history)]
    return _finding(
        status,
        joined((sentence, why, next(filter(None, clocks), None))),
        measured=_measured(history, interval),
        evidence=_evidence(history),
    )


def rto(history: History, objectives: Objectives) -> Interval | None:
    """From the disaster until the service was back, wall seconds; None where there was nothing to time."""
    disaster = history.disaster
    if disaster is None or not history.tries:
        return None
    stated_s = objectives.detection_and_decision_s
    bad = _last_but_one_bad(history)
    waited_s = 0.0 if bad is None else _tool_waits_s(history, disaster.latest, bad.began)
    low_s = 0.0 if bad is None else max(0.0, history.durations(disaster.latest, bad.began).low_s - waited_s)
    pair = settled_pair(history)
    if pair is None:
        return Interval(stated_s + low_s, None)
    high_s = history.durations(disaster.earliest, pair[1].ended).high_s
    parts = list(_parts(history, disaster, bad, pair))
    surplus = high_s - low_s - sum(part.seconds for part in parts)
    if bad is not None and waited_s > 0:
        waited_part = min(waited_s, bad.began - disaster.latest)
        parts.append(Part("tool waits", waited_part))
        surplus -= waited_part
    if abs(surplus) > 1e-9:
        parts.append(Part("clock", surplus))
    return Interval(stated_s + low_s, stated_s + high_s, tuple(parts))


def settled_pair(history: History) -> Pair | None:
    """The first pair of surveys from whose beginning on no attempt was bad; None where that cannot be said."""
    return None if why_no_end(history) is not None else _pair_without_bad(history)


def why_no_end(history: History) -> str | None:
    """Say why the end of the outage was not observed, or None where it was."""
    if not history.survey_pairs:
        return "no two surveys proven to be of the recovered server, a switch-over delay apart, were taken"
    first = history.first_good
    if first is None:
        return "no attempt was acknowledged by the recovered server and read back"
    pair = _pair_without_bad(history)
    if pair is None:
        return "attempts failed after every pair of surveys had begun"
    if not any(t.answer is Answer.GOOD and t.began > pair[1].ended for t in history.tries):
        return "no attempt succeeded after the pair of surveys"
    return next(
        filter(None, (_why_unwatched(history, prober, first) for prober in history.watching)), None
    ) or (None if history.watching else "no prober noted its pace")


def _why_unwatched(history: History, prober: ProberRan, first_good: ProbeTried) -> str | None:
    """A prober that died, or held its breath, sees no bad attempt."""
    if prober.stopped is None:
        return f"the prober {prober.prober} never noted that it was stopped"
    since = max(first_good.began, prober.began)
    began = sorted(a.began for a in history.attempts if a.prober == prober.prober and a.began >= since)
    limit_s = 2 * prober.period_s + prober.limit_s
    for earlier, later in pairwise((since, *began, prober.stopped)):
        gap_s = history.durations(earlier, later).high_s
        if gap_s > limit_s:
            return f"the prober {prober.prober} made no attempt for {seconds(gap_s)}, longer than {seconds(limit_s)}"
    return None


def _pair_without_bad(history: History) -> Pair | None:
    last_bad = max((t.began for t in history.tries if t.answer is not Answer.GOOD), default=None)
    return next((p for p in history.survey_pairs if last_bad is None or p[0].began > last_bad), None)


def _last_but_one_bad(history: History) -> Try | None:
    bad = _bad_before_good(history)
    return bad[-2] if len(bad) > 1 else None


def _bad_before_good(history: History) -> Sequence[Try]:
    """Bad attempts before the first that may have been good: an unproven write ends them as well."""
    usable = next((t.began for t in history.tries if t.answer is not Answer.BAD), None)
    return [t for t in history.tries if t.answer is Answer.BAD and (usable is None or t.began < usable)]


def _tool_waits_s(history: History, began: Instant, ended: Instant) -> float:
    """Seconds of a stretch in which we waited for our own tool; waits that overlap count once."""
    total_s, reached = 0.0, began
    for wait in sorted((w for w in history.waits if w.who is WaitedFor.TOOL), key=lambda w: w.began):
        since, until = max(wait.began, reached), min(wait.ended, ended)
        if until > since:
            total_s += history.durations(since, until).high_s
            reached = until
    return total_s


def _parts(history: History, disaster: Disaster, bad: Try | None, pair: Pair) -> Iterable[Part]:
    """What makes the interval wide, in the order in which it happened."""
    good = history.first_good
    begins = disaster.latest if bad is None else bad.began
    if good is None or good.ended is None:
        return
    open_s = _open_s(history, begins, good.began)
    cuts = (
        ("attempt period", good.began),
        ("latency", good.ended),
        ("until the surveys", pair[0].began),
        ("first survey", pair[0].ended),
        ("switch-over delay", pair[1].began),
        ("second survey", pair[1].ended),
    )
    yield from _nonzero("disaster", disaster.latest - disaster.earliest)
    reached: float = begins
    for name, at in cuts:
        until = max(reached, min(at, pair[1].ended))
        length_s = until - reached
        if name == "attempt period":
            yield from _nonzero("attempt limit", min(open_s, length_s))
            length_s -= min(open_s, length_s)
        yield from _nonzero(name, length_s)
        reached = until


def _open_s(history: History, began: Instant, ended: Instant) -> float:
    """Seconds of a stretch in which a bad attempt was open: what a time-out costs, rather than the pace."""
    total_s, reached = 0.0, began
    for tried in _bad_before_good(history):
        since, until = max(tried.began, reached), min(tried.seen.ended or ended, ended)
        if tried.began >= began and until > since:
            total_s += until - since
            reached = until
    return total_s


def _nonzero(name: str, length_s: float) -> Iterable[Part]:
    if length_s > 1e-9:
        yield Part(name, length_s)


def _durations(history: History) -> Iterable[Durations]:
    disaster, pair = history.disaster, history.survey_pair
    if disaster is None:
        return
    yield history.durations(disaster.earliest, pair[1].ended if pair else history.tries[-1].began)


def _measured(history: History, interval: Interval) -> dict[str, Json]:
    return {
        "rto": bounds(interval),
        "attempts": len(history.tries),
        "good": sum(t.answer is Answer.GOOD for t in history.tries),
        "bad": sum(t.answer is Answer.BAD for t in history.tries),
        "unproven": sum(t.answer is Answer.UNPROVEN for t in history.tries),
    }


def _evidence(history: History) -> tuple[str, ...]:
    good = history.first_good
    return () if good is None else (f"first good attempt: {good.prober} {good.number}",)


def _finding(
    status: Status, summary: str, *, measured: dict[str, Json] | None = None, evidence: tuple[str, ...] = ()
) -> Finding:
    return Finding(service_was_back_within_the_objective.__name__, status, summary, measured or {}, evidence)
