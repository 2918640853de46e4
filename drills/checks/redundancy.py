"""Is there a standby again, or would the next failure be the last?

    fault -- operation ended -- first write on the new -- CreatingStandby -- ReplicatingData -- Healthy

What was seen before the operation had ended may still be the redundancy of before the fault.
"""

from __future__ import annotations

from drills.checks.failover_happened import HEALTHY
from drills.checks.wording import seconds
from drills.history import History
from drills.model import Finding, Instant, Json, Objectives, Status

DISABLED = frozenset({"disabled", "notenabled", "removingstandby"})
"""Words of the service for a server without a standby that also does not get one (Azure SDK, enums)."""

BACK_WITHIN_S = 3600.0
"""Service seconds after the operation's end beyond which a standby that is not back has not come back.

The service's own documentation asks for 15 to 20 minutes between two failovers; this is three times that.
"""


def redundancy_is_back(history: History, _: Objectives) -> Finding:
    """The redundancy is back: the standby was healthy again after the failover.

    It was seen healthy by the control plane after the operation had ended and the new primary had taken a write.
    """
    before, after, over = history.description_before, history.description_after, history.operation_ended
    good = history.first_good
    if before is None or before.high_availability is None:
        return _finding(Status.INCONCLUSIVE, "nobody noted which redundancy the source had before the fault")
    if before.high_availability.lower() in DISABLED:
        return _finding(Status.FAILED, "the server had no standby before the fault")
    if over is None or good is None or good.ended is None or after is None:
        return _finding(
            Status.INCONCLUSIVE,
            "nobody looked at the redundancy after the operation had ended and the new primary had taken a write",
        )
    since = Instant(max(over, good.ended))
    if after.began <= since:
        return _finding(
            Status.INCONCLUSIVE, "the last look at the redundancy came before the failover was over"
        )
    state = after.high_availability_state
    after_s = history.durations(since, after.began)
    measured: dict[str, Json] = {
        "mode": after.high_availability,
        "state": state,
        "seen_after_s": round(after_s.high_s, 6),
    }
    if (after.high_availability or "").lower() != before.high_availability.lower():
        if after.high_availability is None:
            return _finding(
                Status.INCONCLUSIVE, "the last look does not say which redundancy there is", measured
            )
        return _finding(
            Status.FAILED,
            f"the redundancy was {before.high_availability} and is {after.high_availability}",
            measured,
        )
    if (state or "").lower() == HEALTHY:
        return _finding(
            Status.PASSED,
            f"{after.high_availability} and {state} {seconds(after_s.high_s)} after the failover was over",
            measured,
        )
    too_late = after_s.low_s * history.run.time_scale > BACK_WITHIN_S
    gone = (state or "").lower() in DISABLED
    return _finding(
        Status.FAILED if (too_late and state is not None) or gone else Status.INCONCLUSIVE,
        f"the standby was {state or 'not told'} when it was looked at last, {seconds(after_s.low_s)} after the "
        "failover was over",
        measured,
    )


def _finding(status: Status, summary: str, measured: dict[str, Json] | None = None) -> Finding:
    return Finding(redundancy_is_back.__name__, status, summary, measured or {})
