"""What does a run on disk prove? Its record is loaded and judged, as often as one likes, with the same answer."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from drills import journal, loading, result
from drills.history import History
from drills.model import Finding, Json, Objectives, Status
from drills.verdict import find, verdict


class Judged(NamedTuple):
    """A run with all that was made of it."""

    history: History
    objectives: Objectives
    findings: tuple[Finding, ...]
    verdict: Status
    result: dict[str, Json]


def judge_run(folder: Path) -> Judged:
    """Load the record of a run and judge it.

    Raises:
        RecordError: the folder is no run, or its record was changed or cannot be understood.
    """
    record = journal.read_record(folder)
    return judge(loading.load(record), loading.objectives_of(record))


def judge(history: History, objectives: Objectives) -> Judged:
    """Judge a history."""
    findings = find(history, objectives)
    return Judged(
        history=history,
        objectives=objectives,
        findings=findings,
        verdict=verdict(history, findings),
        result=result.build(history, objectives, findings),
    )
