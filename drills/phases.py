"""What did the recovery spend its time on, and whom did it wait for?

    disaster                                                                     second survey ended
    |accepted|provisioning|network opened|connectable|readable|writable|hooks|verified|

Phases follow each other without a gap and add up to the upper bound of the RTO; where that was not observed they
go as far as the record does. Each ends when something was first seen; one that was over before its predecessor
was seen to end took no time of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from drills.checks.service_back import rto, settled_pair
from drills.history import History
from drills.model import Disaster, Instant, Objectives, ProbeTried, Stage, WaitedFor

NETWORK_STEP = "open the network"
LOGIN_STEP = "restore the login"
READY = "ready"
RECOVERY_HOOKS = frozenset({"after_recovery", "repointed"})
"""Hooks that are part of the recovery, so that their time counts."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the recovery, in wall seconds since the outage began, and whom most of it waited for."""

    name: str
    began_s: float
    ended_s: float
    waited_for: WaitedFor


def phases(history: History, objectives: Objectives) -> tuple[Phase, ...]:
    """Divide the time from the disaster to the verified service; empty where no disaster was recorded."""
    disaster = history.disaster
    if disaster is None:
        return ()
    stated_s = objectives.detection_and_decision_s
    found = [Phase("detected and decided", 0.0, stated_s, WaitedFor.PERSON)] if stated_s > 0 else []
    found.extend(_observed(history, disaster, stated_s))
    return (*found, *_by_other_clocks(history, objectives, found))


def _observed(history: History, disaster: Disaster, stated_s: float) -> Iterable[Phase]:
    pair = settled_pair(history)
    end = pair[1].ended if pair else None
    reached = disaster.earliest
    for name, at in _boundaries(history, end):
        if at is None:
            continue
        until = Instant(max(reached, at if end is None else min(at, end)))
        yield Phase(
            name=name,
            began_s=stated_s + reached - disaster.earliest,
            ended_s=stated_s + until - disaster.earliest,
            waited_for=WaitedFor.TOOL if name == "verified" else _waited_for(history, reached, until),
        )
        reached = until


def _boundaries(history: History, end: Instant | None) -> Iterable[tuple[str, Instant | None]]:
    """When each phase was seen to have ended; None: never."""
    asked = history.failover or history.request
    yield "accepted", asked.ended if asked else None
    yield "provisioning", _provisioned(history)
    yield "network opened", _step_ended(history, NETWORK_STEP)
    yield "login restored", _step_ended(history, LOGIN_STEP)
    yield "connectable", _first(history, {Stage.CONNECTED, Stage.READ, Stage.WRITTEN})
    yield "readable", _first(history, {Stage.READ, Stage.WRITTEN})
    yield "writable", history.first_good.ended if history.first_good else None
    yield "hooks", _hooks_ended(history)
    yield "verified", end


def _provisioned(history: History) -> Instant | None:
    """The end of the first look that showed an address on a server that was ready, or else any address."""
    shown = sorted((k for k in history.looks if k.address is not None), key=lambda k: k.began)
    ready = [k for k in shown if k.state is not None and k.state.lower() == READY]
    return next((k.ended for k in (*ready, *shown)), None)


def _step_ended(history: History, name: str) -> Instant | None:
    ended = (s.ended for s in history.steps if s.name == name and s.ended is not None and s.error is None)
    return max(ended, default=None)


def _hooks_ended(history: History) -> Instant | None:
    """When the last of the operator's own steps of the recovery ended; those around it do not count."""
    ended = (h.ended for h in history.hooks_run if h.point in RECOVERY_HOOKS and h.ended is not None)
    return max(ended, default=None)


def _first(history: History, stages: set[Stage]) -> Instant | None:
    tried = (t.seen for t in history.tries if isinstance(t.seen, ProbeTried) and t.seen.stage in stages)
    return min((a.ended for a in tried if a.ended is not None), default=None)


def _waited_for(history: History, began: Instant, ended: Instant) -> WaitedFor:
    """Whoever was waited for in most of a stretch; the service, where nobody else is named for half of it."""
    for who in (WaitedFor.PERSON, WaitedFor.TOOL):
        waits = sorted((w for w in history.waits if w.who is who), key=lambda w: w.began)
        total_s, reached = 0.0, began
        for wait in waits:
            since, until = max(wait.began, reached), min(wait.ended, ended)
            if until > since:
                total_s += until - since
                reached = until
        if total_s > (ended - began) / 2:
            return who
    return WaitedFor.SERVICE


def _by_other_clocks(history: History, objectives: Objectives, found: list[Phase]) -> Iterable[Phase]:
    """Where clocks disagree, the upper bound takes the longest: what the run's own clock did not see."""
    interval = rto(history, objectives)
    if interval is None or interval.high_s is None or not found:
        return
    reached_s = found[-1].ended_s
    if interval.high_s - reached_s > 1e-6:
        yield Phase("seen by another clock only", reached_s, interval.high_s, WaitedFor.TOOL)
