"""Do the application's own rules hold on the data that came back?

rule                 on the source         on the recovered server
no orphan message    0 of 1200 rows        0 of 1199 rows     holds
                     0 of 1200 rows        0 of 0 rows        an empty table breaks no rule: failed
                     3 of 1200 rows        3 of 1199 rows     broken before: a note
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drills.checks.wording import joined, some
from drills.history import History
from drills.history.observed import named
from drills.model import AssertionDeclared, AssertionRun, Finding, Json, Objectives, Status


def assertions_hold(history: History, _: Objectives) -> Finding:
    """The application's rules hold on the recovered data, and the tables that they read are not empty.

    Each was asked of the source before the disaster and of the recovered server after it. A rule that the source
    broke as well is noted.
    """
    if not history.assertions:
        return _finding(Status.NOT_APPLICABLE, "the profile declares no assertion")
    asked = tuple(_asked(history, declared) for declared in history.assertions)
    faults = [sentence for one in asked for sentence in _faults(one)]
    measured: dict[str, Json] = {
        "declared": len(asked),
        "asked_of_both": sum(one.source is not None and one.recovered is not None for one in asked),
    }
    if faults:
        return _finding(Status.FAILED, joined(faults), measured)
    doubts = [sentence for one in asked for sentence in _doubts(one)]
    if doubts:
        return _finding(Status.INCONCLUSIVE, joined(doubts), measured)
    held = [one.declared.proves for one in asked if not one.broken_before]
    notes = [f"broken on the source as well: {one.declared.proves}" for one in asked if one.broken_before]
    return _finding(Status.PASSED, joined((f"{len(held)} rules hold: {some(held)}", *notes)), measured)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A rule, and what source and recovered server said last; None: not asked, or no answer."""

    declared: AssertionDeclared
    source: AssertionRun | None
    recovered: AssertionRun | None

    @property
    def broken_before(self) -> bool:
        return self.source is not None and bool(self.source.violations)

    def empty_on(self, run: AssertionRun | None) -> list[str]:
        """The tables of the rule that hold no row there, or are missing."""
        return [] if run is None else [t for t in self.declared.tables if not run.rows_by_table.get(t)]


def _asked(history: History, declared: AssertionDeclared) -> _Asked:
    struck, good = history.disaster, history.first_good
    runs = sorted(
        (
            run
            for run in history.assertions_run
            if run.proves == declared.proves and run.error is None and run.violations is not None
        ),
        key=lambda run: run.began,
    )
    before = [
        r for r in runs if struck and named(r.server, history.source_name) and r.ended <= struck.earliest
    ]
    after = [r for r in runs if good and named(r.server, history.recovered_name) and r.began > good.began]
    return _Asked(declared, before[-1] if before else None, after[-1] if after else None)


def _faults(asked: _Asked) -> Iterator[str]:
    source, recovered = asked.source, asked.recovered
    if source is None or recovered is None:
        return
    if recovered.violations and not asked.broken_before:
        yield f"{recovered.violations} rows break the rule: {asked.declared.proves}"
    emptied = sorted(set(asked.empty_on(recovered)) - set(asked.empty_on(source)))
    if emptied:
        yield f"no row came back of {some(emptied)}, which had some on the source"


def _doubts(asked: _Asked) -> Iterator[str]:
    proves = asked.declared.proves
    if asked.recovered is None:
        yield f"not asked of the recovered server: {proves}"
    elif asked.source is None:
        yield f"not asked of the source before the disaster: {proves}"
    elif len(asked.empty_on(asked.source)) == len(asked.declared.tables):
        yield f"neither side has a row that could break it: {proves}"


def _finding(status: Status, summary: str, measured: dict[str, Json] | None = None) -> Finding:
    return Finding(assertions_hold.__name__, status, summary, measured or {})
