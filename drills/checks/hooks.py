"""Did everything run that the operator wanted to have run at the points of this drill?"""

from __future__ import annotations

from collections.abc import Iterator

from drills.checks.wording import joined, some
from drills.history import History, Recovery
from drills.model import Finding, HookRan, Objectives, Status

BEFORE_FAULT = "before_fault"
REPOINTED = "repointed"


def hooks_ran(history: History, _: Objectives) -> Finding:
    """Every hook that the profile declares ran at its point and ended well.

    One that ended with an error is a failure; one that did not run, or never came back, has shown nothing.
    """
    wanted = _wanted(history)
    if not wanted:
        return _finding(Status.NOT_APPLICABLE, "the profile declares no hook for this scenario")
    runs = {point: [ran for ran in history.hooks_run if ran.point == point] for point in wanted}
    faults = tuple(_faults(runs))
    if faults:
        return _finding(Status.FAILED, joined(faults))
    doubts = tuple(_doubts(history, runs))
    if doubts:
        return _finding(Status.INCONCLUSIVE, joined(doubts))
    return _finding(Status.PASSED, f"ran and ended well: {some(wanted)}")


def _wanted(history: History) -> tuple[str, ...]:
    """Hooks of this scenario: only a cut over repoints an application."""
    cut_over = history.recovery is Recovery.CUT_OVER
    return tuple(point for point in history.hooks if cut_over or point != REPOINTED)


def _faults(runs: dict[str, list[HookRan]]) -> Iterator[str]:
    for point, ran in runs.items():
        for hook in ran:
            if hook.ended is not None and (hook.exit_code != 0 or hook.error is not None):
                said = hook.error or f"exit code {hook.exit_code}"
                yield f"{point} ended with an error: {said}"


def _doubts(history: History, runs: dict[str, list[HookRan]]) -> Iterator[str]:
    struck = history.disaster
    for point, ran in runs.items():
        if not ran:
            yield f"{point} did not run"
        elif any(hook.ended is None for hook in ran):
            yield f"{point} did not come back within its limit"
        elif struck is None:
            yield f"no disaster was recorded, so nothing tells whether {point} ran at its point"
        elif point == BEFORE_FAULT and any((hook.ended or hook.began) > struck.earliest for hook in ran):
            yield f"{point} ran after the fault"
        elif point != BEFORE_FAULT and any(hook.began < struck.latest for hook in ran):
            yield f"{point} ran before the fault"


def _finding(status: Status, summary: str) -> Finding:
    return Finding(hooks_ran.__name__, status, summary)
