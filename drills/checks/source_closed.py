"""Was the source closed before the copy took over, so that no write went where nobody would look for it?

    closing step          |--|
    held session 1   o o o o x              x: refused
    held session 2   o o o o o x
    new connections  o o o x   x
                          ^    ^ latest: every held session was refused after its own last acknowledgement,
                 earliest ¦      and a new connection after the last of all

Closing the door does not send those out who are inside: a session that was held can go on writing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drills.checks.wording import joined, seconds, some
from drills.history import History
from drills.model import (
    AttemptSort,
    Finding,
    Instant,
    MarkerWritten,
    Objectives,
    Outcome,
    ProbeTried,
    SourceClosed,
    Status,
)

TAKE_OVER = "take over"
"""The step of the runbook from which on the copy is what the application uses."""


def the_source_was_closed(history: History, _: Objectives) -> Finding:
    """The source was closed before the copy took over: nobody could write there any more.

    Every session that was held was refused after its last write, and a new connection after the last of all; no
    write begun after the closing was acknowledged there.
    """
    step = history.closing
    if step is None:
        return _finding(Status.INCONCLUSIVE, "no step that closes the source was recorded", history)
    faults = tuple(_faults(history, step))
    if faults:
        return _finding(Status.FAILED, joined(("the source was not closed", *faults)), history)
    doubts = tuple(_doubts(history, step))
    if doubts:
        return _finding(Status.INCONCLUSIVE, joined(doubts), history)
    return _finding(
        Status.PASSED,
        f"{len(_held(history, step))} held sessions and new connections were refused by the source after its last "
        "acknowledgement, and it acknowledged nothing that was begun after the closing",
        history,
    )


@dataclass(frozen=True, slots=True)
class Closing:
    """When the source stopped to take writes, as a bracket; ``latest`` None: it was never seen to refuse."""

    earliest: Instant
    latest: Instant | None


@dataclass(frozen=True, slots=True)
class Write:
    """One attempt to write to the source, by a marker or by a prober that keeps to the old server."""

    name: str
    by: str
    began: Instant
    ended: Instant | None
    acked: bool


def closing(history: History) -> Closing | None:
    """Bracket the end of writes on the source; None where no closing was begun.

    A session is over with the first write that is refused after its own last acknowledgement, whoever else is
    still inside; that nobody comes in any more is shown by a new connection, after the last of all.
    """
    step = history.closing
    if step is None:
        return None
    tried = writes(history)
    ends = refusals(history, step, tried)
    if None in ends.values():
        return Closing(step.began, None)
    answered = [w.ended for w in tried if w.acked and w.ended is not None]
    return Closing(step.began, max(step.began, *answered, *(end for end in ends.values() if end is not None)))


def refusals(history: History, step: SourceClosed, tried: Sequence[Write]) -> dict[str, Instant | None]:
    """When each held session, and a new connection, was seen to be refused for good; None: never."""
    acked: dict[str, Instant] = {}
    for write in tried:
        if write.acked and write.ended is not None:
            acked[write.by] = max(acked.get(write.by, write.ended), write.ended)
    last = max((step.began, *acked.values()))
    since = {by: acked.get(by) for by in _held(history, step)} | {_NEW: last}
    ends: dict[str, Instant | None] = dict.fromkeys(since)
    for write in sorted(tried, key=lambda w: w.began):
        if write.by in ends and ends[write.by] is None and not write.acked and write.ended is not None:
            after = since[write.by]
            if after is None or write.began > after:
                ends[write.by] = write.ended
    return ends


def writes(history: History) -> tuple[Write, ...]:
    """All that was tried on the source: markers, and what the probers tried that keep to it."""
    markers = (m for m in history.markers if not history.went_to_the_copy(m))
    return (*map(_of_marker, markers), *(_of_probe(a) for a in _kept_to_the_source(history)))


_NEW = "new connections"


def _of_marker(m: MarkerWritten) -> Write:
    return Write(
        f"marker {m.writer} {m.number}", f"writer {m.writer}", m.began, m.ended, m.outcome is Outcome.ACKED
    )


def _of_probe(a: ProbeTried) -> Write:
    by = _NEW if a.session is None else f"session {a.prober} {a.session}"
    return Write(f"attempt {a.prober} {a.number}", by, a.began, a.ended, a.acknowledged)


def _kept_to_the_source(history: History) -> Iterator[ProbeTried]:
    return (a for a in history.attempts if history.sort_of(a) is AttemptSort.OLD)


def _held(history: History, step: SourceClosed) -> tuple[str, ...]:
    """Who held a session on the source when the closing began: writers, and sessions opened before."""
    writers = {f"writer {m.writer}" for m in history.markers if m.began < step.began}
    old = {p.prober for p in history.probers if p.sort is AttemptSort.OLD}
    sessions = {
        f"session {s.prober} {s.session}" for s in history.sessions if s.prober in old and s.at < step.began
    }
    return tuple(sorted(writers | sessions))


def _faults(history: History, step: SourceClosed) -> Iterator[str]:
    if step.ended is not None:
        late = [w for w in writes(history) if w.acked and w.began > step.ended]
        if late:
            last_s = max(w.began for w in late) - step.ended
            yield (
                f"{len(late)} writes begun up to {seconds(last_s)} after the closing were acknowledged: "
                + some([w.name for w in late])
            )
    took_over = _took_over(history)
    if took_over is not None and any(w.acked and w.began > took_over for w in writes(history)):
        yield "it acknowledged writes that were begun after the copy had taken over"


def _doubts(history: History, step: SourceClosed) -> Iterator[str]:
    if step.ended is None or step.error is not None:
        yield "the step that closes the source did not come to its end"
    if not any(w.acked for w in writes(history)):
        yield "the source acknowledged no write at all, so that it takes none any more shows nothing"
    unseen = [by for by, end in refusals(history, step, writes(history)).items() if end is None]
    if unseen:
        yield f"never seen to be refused after the last acknowledgement: {some(unseen)}"
    bracket = closing(history)
    if bracket is None or bracket.latest is None:
        return
    took_over = _took_over(history)
    if took_over is None:
        yield "nobody noted when the copy took over"
    elif took_over < bracket.latest:
        yield "the copy took over before the source was seen to refuse everybody"


def _took_over(history: History) -> Instant | None:
    return next((s.began for s in history.steps if s.name == TAKE_OVER), None)


def _finding(status: Status, summary: str, history: History) -> Finding:
    bracket = closing(history)
    closed = None if bracket is None or bracket.latest is None else bracket.latest - bracket.earliest
    return Finding(
        the_source_was_closed.__name__,
        status,
        summary,
        {"closing_took_s": None if closed is None else round(closed, 6)},
    )
