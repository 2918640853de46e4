"""What does a scenario need to know? A decorator that names it, and the drill whose verbs it calls.

A scenario is a runbook: it acts, in order, and judges nothing. No threshold, no assert, no clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drills.engine import Drill

__all__ = ["Drill", "Scenario", "scenario"]

Runbook = Callable[[Drill], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A disaster with its recovery, in one or more variants."""

    name: str
    variants: tuple[str, ...]
    leg: str
    run: Runbook


def scenario(*, variants: tuple[str, ...], leg: str) -> Callable[[Runbook], Scenario]:
    """Make a runbook a scenario; it is named after its function. `leg` ends the names of its servers."""

    def named(run: Runbook) -> Scenario:
        return Scenario(name=run.__name__, variants=variants, leg=leg, run=run)

    return named
