"""Did a failover really happen, or did something merely restart and come back?

                        before          after
    process             started 08:00   started 09:31      another
    timeline            1               2                  another, and above
    zone / standby's    1 / 2           2 / 1              swapped, where both stand in zones of their own

An operation that ends well, and a server that answers, show none of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from drills.checks.wording import joined
from drills.history import History
from drills.model import (
    AttemptSort,
    Finding,
    Json,
    Objectives,
    ServerDescribed,
    ServerIdentity,
    Stage,
    Status,
)

ZONE_REDUNDANT = "zoneredundant"
HEALTHY = "healthy"


def the_failover_really_happened(history: History, _: Objectives) -> Finding:
    """The failover really happened: another process answers, on another timeline, and the zones are swapped.

    Where primary and standby share a zone, or the description came too early, zones are left out and said so.
    """
    timeline = history.source_timeline
    if history.failover is None or timeline is None or history.disaster is None:
        return _finding(
            Status.INCONCLUSIVE, "no failover was requested, or nobody noted the source's timeline before"
        )
    met = _met_after(history)
    above = [identity for identity in met if identity.timeline > timeline and not identity.in_recovery]
    measured: dict[str, Json] = {
        "timeline_before": timeline,
        "timelines_after": [*sorted({identity.timeline for identity in met})],
        "zones_swapped": zones_swapped(history),
    }
    if not above:
        return _nobody_new(history, met, measured)
    same = {identity.started_us for identity in above} & _started_before(history)
    if same:
        return _finding(
            Status.FAILED, "the process of before the fault answers on the new timeline", measured
        )
    if zones_swapped(history) is False:
        return _finding(
            Status.FAILED,
            "another timeline answers, but the zones of primary and standby are what they were",
            measured,
        )
    doubts = tuple(_doubts(history))
    if doubts:
        return _finding(Status.INCONCLUSIVE, joined(doubts), measured)
    zones = (
        "the zones are swapped"
        if zones_swapped(history)
        else "primary and standby share a zone, so none is told"
    )
    newest = max(identity.timeline for identity in above)
    return _finding(
        Status.PASSED,
        f"another process answers, on timeline {newest} instead of {timeline}; {zones}",
        measured,
    )


def zones_swapped(history: History) -> bool | None:
    """Tell whether primary and standby changed places; None where the descriptions cannot tell.

    They are compared as a pair, and only once the redundancy is back: until then the standby has no place.
    """
    before, after = history.description_before, history.description_after
    if before is None or after is None or not _is_healthy(after) or not _in_two_zones(before):
        return None
    pairs = (before.zone, before.standby_zone), (after.zone, after.standby_zone)
    if None in pairs[0] or None in pairs[1]:
        return None
    return pairs[0] == pairs[1][::-1]


def _is_healthy(server: ServerDescribed) -> bool:
    return (server.high_availability_state or "").lower() == HEALTHY


def _in_two_zones(server: ServerDescribed) -> bool:
    return (server.high_availability or "").lower() == ZONE_REDUNDANT


def _met_after(history: History) -> list[ServerIdentity]:
    """Whom attempts and surveys met that were begun after the fault, in order; the old address is left out."""
    at = history.disaster.latest if history.disaster is not None else float("inf")
    probes = (
        (a.began, a.identity)
        for a in history.attempts
        if a.stage is Stage.WRITTEN and a.identity and history.sort_of(a) is not AttemptSort.OLD
    )
    surveys = ((s.began, s.identity) for s in history.surveys)
    found = sorted(
        ((began, who) for began, who in (*probes, *surveys) if began > at), key=lambda pair: pair[0]
    )
    return [identity for _, identity in found]


def _nobody_new(history: History, met: list[ServerIdentity], measured: dict[str, Json]) -> Finding:
    """Nobody met a new timeline: it did not happen, if somebody was asked after the operation had ended."""
    over = history.operation_ended
    last = max(
        (
            *(a.began for a in history.attempts if a.stage is Stage.WRITTEN),
            *(s.began for s in history.surveys),
        ),
        default=None,
    )
    if not met or over is None or last is None or last <= over:
        return _finding(
            Status.INCONCLUSIVE,
            "nobody who could say was asked after the operation had ended",
            measured,
        )
    if zones_swapped(history):
        return _finding(
            Status.INCONCLUSIVE,
            "the zones are swapped, but only the old timeline answered: the clients may have met the old primary",
            measured,
        )
    return _finding(
        Status.FAILED, "the operation ended, and the timeline of before the fault still answers", measured
    )


def _started_before(history: History) -> set[int]:
    """When the source's processes of before the fault had started, by the markers and by its own word."""
    asked = history.source_identified
    at = history.disaster.earliest if history.disaster is not None else 0.0
    markers = {
        m.row.server_started_us for m in history.acked if m.row and m.ended is not None and m.ended <= at
    }
    return markers | ({asked.identity.started_us} if asked is not None and asked.ended <= at else set())


def _doubts(history: History) -> Iterator[str]:
    if not _started_before(history):
        yield "nobody noted which process the source was before the fault"
    before = history.description_before
    if before is None:
        yield "nobody described the source before the fault, so its zones are not known"
    elif _in_two_zones(before) and zones_swapped(history) is None:
        yield "no description after the redundancy was back tells both zones"


def _finding(status: Status, summary: str, measured: dict[str, Json] | None = None) -> Finding:
    return Finding(the_failover_really_happened.__name__, status, summary, measured or {})
