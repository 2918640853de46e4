"""Was it the recovered server that answered, and not the source, an old copy or somebody else's?

A copy has the system identifier of its source, so that says only where it comes from. On which side of the fork a
server stands is shown by writing to it: a nonce that was written there, and that the source does not hold when it
is asked afterwards. After a failover it is the timeline that tells, and after a repair it is the source itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from drills.checks.wording import joined, some
from drills.history import Answer, History, Recovery
from drills.model import AttemptSort, Finding, Json, Objectives, ProbeTried, ServerIdentity, Stage, Status


def the_server_that_answered_is_the_recovered_one(history: History, _: Objectives) -> Finding:
    """The server that answered is the recovered one, and one and the same throughout.

    What attempts and surveys wrote there is absent on the source, which was asked afterwards, and the system
    identifier is the source's. After a failover its timeline is above the one of before.
    """
    if _nobody_asked(history):
        return _finding(Status.INCONCLUSIVE, _ASKED_NOBODY[history.recovery in _ITSELF], history)
    faults = tuple(_faults(history))
    if faults:
        return _finding(Status.FAILED, joined(faults), history)
    doubts = tuple(_doubts(history))
    if doubts:
        return _finding(Status.INCONCLUSIVE, joined(doubts), history)
    return _finding(Status.PASSED, _claim(history), history)


_ITSELF = (Recovery.FAILOVER, Recovery.REPAIR)
"""Recoveries after which the server has the name and the data of the source."""

_ASKED_NOBODY = {
    False: "nobody asked the source what was written to it",
    True: "nobody noted which server the source was before the disaster",
}


def _nobody_asked(history: History) -> bool:
    if history.recovery in _ITSELF or history.source_asked_in_vain is not None:
        return history.source_system_identifier is None
    return history.source_nonces is None


def _claim(history: History) -> str:
    good, surveys = len(_good(history)), len(history.surveys_that_count)
    match history.recovery:
        case Recovery.FAILOVER:
            return (
                f"{good} good attempts and {surveys} surveys met one process on a timeline above "
                f"{history.source_timeline}, with the system identifier of before"
            )
        case Recovery.REPAIR:
            return f"{good} good attempts and {surveys} surveys met the source itself, the process of before"
        case _ if history.source_nonces is None:
            return (
                f"{good} good attempts and {surveys} surveys met one process that was made and started after the "
                "request, in the region and by the name asked for; the source could not be asked"
            )
        case _:
            return (
                f"what {good} good attempts and {surveys} surveys wrote is absent on the source, whose system "
                "identifier the server has; all of them met the same process"
            )


def _faults(history: History) -> Iterator[str]:
    nonces = history.source_nonces.nonces if history.source_nonces is not None else frozenset()
    if history.recovery not in _ITSELF:
        led_astray = [f"attempt {a.prober} {a.number}" for a in _watching(history) if a.nonce in nonces]
        led_astray += [f"survey {n}" for n, s in enumerate(history.surveys, 1) if s.nonce in nonces]
        if led_astray:
            yield f"the name led to the source: it holds what was written by {some(led_astray)}"
    expected = history.source_system_identifier
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
    started_on_source = {
        m.row.server_started_us
        for m in history.acked
        if m.row is not None and not _is_of_the_new_timeline(history, m.row.timeline)
    }
    itself = history.recovery is Recovery.REPAIR
    if not itself and any(who is not None and who.started_us in started_on_source for who in met):
        yield "the process that answered started at the same microsecond as the source that the markers went to"


def _is_of_the_new_timeline(history: History, timeline: int) -> bool:
    """After a failover the writers go on with the new primary; elsewhere they keep to the source."""
    source = history.source_timeline
    return history.recovery is Recovery.FAILOVER and source is not None and timeline > source


def _watching(history: History) -> list[ProbeTried]:
    """Attempts on the recovered server; those that keep to the source on purpose lead nobody astray."""
    return [a for a in history.attempts if history.sort_of(a) is not AttemptSort.OLD]


def _good(history: History) -> list[ProbeTried]:
    after = history.disaster.latest if history.disaster is not None else float("-inf")
    return [a for a in _watching(history) if a.began > after and history.is_good(a)]


def _identities(history: History) -> Iterator[ServerIdentity]:
    yield from (s.identity for s in history.surveys)
    written = (a for a in history.attempts if a.identity is not None and a.stage is Stage.WRITTEN)
    yield from (a.identity for a in written if a.identity is not None)


def _finding(status: Status, summary: str, history: History) -> Finding:
    pair = history.survey_pair
    measured: dict[str, Json] = {
        "source_system_identifier": history.source_system_identifier,
        "recovered_timeline": None if pair is None else pair[0].identity.timeline,
        "good_attempts": len(_good(history)),
        "proven_surveys": len(history.proven_surveys),
    }
    return Finding(the_server_that_answered_is_the_recovered_one.__name__, status, summary, measured)
