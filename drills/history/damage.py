"""When was a bad commit made, by the server's clock?

    damage         COMMIT |------- waits for the standby -------| visible
    markers     1     2   |    3 (waits too)                    |   4 sees it
                s2 is the earliest: 2 had been acknowledged     s4 is the latest

The order of transaction ids is not the order of commits, and a snapshot shows what is visible, which a wait for the
standby delays. But the standby confirms in the order of the log: a marker that was acknowledged, while one begun a
quarter of a second later still does not see the damage, was committed before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from drills.model import DamageDone, Disaster, MarkerRow, MarkerWritten, Outcome

RELEASED_WITHIN_S = 0.25
"""Wall seconds within which a commit is visible once the standby has confirmed it."""


@dataclass(frozen=True, slots=True)
class BadCommit:
    """The damage was committed between two moments of the server's clock (microseconds); None: nobody saw it."""

    earliest_us: int | None
    latest_us: int | None


def sees(row: MarkerRow, damage: DamageDone) -> bool | None:
    """Tell whether a marker's statement saw the damage; None where neither snapshot nor watched fact tells."""
    if damage.xid is not None:
        _, end, under_way = row.snapshot.split(":")
        return damage.xid < int(end) and str(damage.xid) not in under_way.split(",")
    if damage.watched_before is None:
        return None
    return row.watched != damage.watched_before


def bad_commit(markers: Iterable[MarkerWritten], damage: DamageDone) -> BadCommit:
    """Bracket the commit of the damage by the markers around it."""
    told = [(m, m.row, sees(m.row, damage)) for m in markers if m.outcome is Outcome.ACKED and m.row]
    last_blind = max((m.began for m, _, saw in told if saw is False), default=None)
    before = (
        row.statement_time_us
        for m, row, _ in told
        if last_blind is not None and m.ended is not None and m.ended <= last_blind - RELEASED_WITHIN_S
    )
    return BadCommit(
        earliest_us=max(before, default=None),
        latest_us=min((row.server_time_us for _, row, saw in told if saw), default=None),
    )


def struck(markers: Iterable[MarkerWritten], damage: DamageDone | None) -> Disaster | None:
    """Say when the damage was committed by our own clock; without its answer, by the first that sees it."""
    if damage is None:
        return None
    if damage.ended is not None:
        return Disaster(damage.began, damage.ended)
    seen = [m.ended for m in markers if m.row is not None and m.ended is not None and sees(m.row, damage)]
    return Disaster(damage.began, min(seen)) if seen else None
