"""What is the verdict of a run? The worst finding wins, and nothing observed is never a pass.

failed > inconclusive > passed        not applicable is left out
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from drills.checks.required import Check, required
from drills.history import History
from drills.model import Finding, Objectives, Status

_WORST_FIRST = (Status.FAILED, Status.INCONCLUSIVE, Status.PASSED)


def find(history: History, objectives: Objectives) -> tuple[Finding, ...]:
    """Run every check that the run's scenario requires, in the order of the table."""
    return findings_of(required(history.run.scenario, history.run.variant), history, objectives)


def findings_of(checks: Iterable[Check], history: History, objectives: Objectives) -> tuple[Finding, ...]:
    """Run these checks; one that raises has found nothing, and says so."""
    return tuple(_run(check, history, objectives) for check in checks)


def verdict(history: History, findings: Sequence[Finding]) -> Status:
    """Give the worst of the findings, and nothing better than inconclusive where something is missing.

    A required check without a finding, a run that did not come to its end, and no finding at all are
    inconclusive.
    """
    known = {finding.check for finding in findings}
    needed = {check.__name__ for check in required(history.run.scenario, history.run.variant)}
    statuses = {f.status for f in findings if f.status is not Status.NOT_APPLICABLE}
    if not history.completed or not statuses or not needed or needed - known:
        statuses.add(Status.INCONCLUSIVE)
    return next(status for status in _WORST_FIRST if status in statuses)


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Order findings as a reader needs them: failed, inconclusive, passed, not applicable."""
    order = [*_WORST_FIRST, Status.NOT_APPLICABLE]
    return tuple(sorted(findings, key=lambda finding: order.index(finding.status)))


def _run(check: Check, history: History, objectives: Objectives) -> Finding:
    try:
        return check(history, objectives)
    except Exception as defect:  # noqa: BLE001  # whatever a check raises, it has shown nothing
        return Finding(
            check.__name__,
            Status.INCONCLUSIVE,
            f"the check raised {type(defect).__name__}: {defect}",
        )
