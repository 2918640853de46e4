"""Was it the recovered server that answered, and not the source, an old copy or somebody else's?

A copy has the system identifier of its source, so that says only where it comes from. On which side of the fork a
server stands is shown by writing to it: a nonce that was written there, and that the source does not hold when it
is asked afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

from drills.checks.wording import joined, some
from drills.history import Answer, History
from drills.model import Finding, Json, NoncesRead, Objectives, ProbeTried, ServerIdentity, Stage, Status


def the_server_that_answered_is_the_recovered_one(history: History, _: Objectives) -> Finding:
    """The server that answered is the recovered one, and one and the same throughout.

    What attempts and surveys wrote there is absent on the source, which was asked afterwards, and the system
    identifier is the source's.
    """
    asked = history.source_nonces
    if asked is None:
        return _finding(Status.INCONCLUSIVE, "nobody asked the source what was written to it", history)
    faults = tuple(_faults(history, asked))
    if faults:
        return _finding(Status.FAILED, joined(faults), history)
    doubts = tuple(_doubts(history))
    if doubts:
        return _finding(Status.INCONCLUSIVE, joined(doubts), history)
    good = len(_good(history))
    return _finding(
        Status.PASSED,
        f"what {good} good attempts and {len(history.surveys_that_count)} surveys wrote is absent on the source, "
        "whose system identifier the server has; all of them met the same process",
        history,
    )


def _faults(history: History, asked: NoncesRead) -> Iterator[str]:
    led_astray = [f"attempt {a.prober} {a.number}" for a in history.attempts if a.nonce in asked.nonces]
    led_astray += [f"survey {n}" for n, s in enumerate(history.surveys, 1) if s.nonce in asked.nonces]
    if led_astray:
        yield f"the name led to the source: it holds what was written by {some(led_astray)}"
    expected = asked.identity.system_identifier
    others = {i.system_identifier for i in _identities(history)} - {expected}
    if others:
        yield f"a server of another origin answered: system identifier {some(sorted(others))} instead of {expected}"


def _doubts(history: History) -> Iterator[str]:
    if not _good(history):
        yield "no attempt wrote anything that is proven to be on the recovered server only"
    if history.survey_pair is None:
        yield "no two surveys wrote anything that is proven to be on the recovered server only"
    unproven = sum(t.answer is Answer.UNPROVEN for t in history.tries)
    if unproven:
        yield f"{unproven} attempts wrote something after the source had been asked, or did not say to whom"
    met = {a.identity for a in _good(history)} | {s.identity for s in history.proven_surveys}
    if len(met) > 1:
        yield f"{len(met)} different processes answered in turn"
    started_on_source = {m.row.server_started_us for m in history.acked if m.row is not None}
    if any(identity is not None and identity.started_us in started_on_source for identity in met):
        yield "the process that answered started at the same microsecond as the source that the markers went to"


def _good(history: History) -> list[ProbeTried]:
    return [a for a in history.attempts if history.is_good(a)]


def _identities(history: History) -> Iterator[ServerIdentity]:
    yield from (s.identity for s in history.surveys)
    yield from (a.identity for a in history.attempts if a.identity is not None and a.stage is Stage.WRITTEN)


def _finding(status: Status, summary: str, history: History) -> Finding:
    asked = history.source_nonces
    pair = history.survey_pair
    measured: dict[str, Json] = {
        "source_system_identifier": None if asked is None else asked.identity.system_identifier,
        "recovered_timeline": None if pair is None else pair[0].identity.timeline,
        "good_attempts": len(_good(history)),
        "proven_surveys": len(history.proven_surveys),
    }
    return Finding(the_server_that_answered_is_the_recovered_one.__name__, status, summary, measured)
