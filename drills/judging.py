"""What does a run on disk prove? Its record is loaded and judged, as often as one likes, with the same answer."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from drills import journal, loading, result
from drills.errors import ExitCode
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
    folder: Path


def judge_run(folder: Path) -> Judged:
    """Load the record of a run and judge it.

    Raises:
        RecordError: the folder is no run, or its record was changed or cannot be understood.
    """
    record = journal.read_record(folder)
    history, objectives = loading.load(record), loading.objectives_of(record)
    findings = find(history, objectives)
    return Judged(
        history=history,
        objectives=objectives,
        findings=findings,
        verdict=verdict(history, findings),
        result=result.build(history, objectives, findings),
        folder=folder,
    )


def conclude(folder: Path) -> Judged:
    """Judge a run that has just ended, and write its result.json.

    Raises:
        RecordError: as `judge_run`; or the run has its result.json already.
    """
    judged = judge_run(folder)
    journal.write_once(folder / "result.json", result.as_text(judged.result).encode())
    return judged


def agrees(judged: Judged) -> bool | None:
    """Tell whether result.json says what the record proves; None where there is none."""
    written = journal.read_text(judged.folder / "result.json")
    return None if written is None else written == result.as_text(judged.result)


def exit_code(verdicts: Collection[Status]) -> ExitCode:
    """Give the exit code of some drills: the worst of them; nothing applicable is no success."""
    if Status.FAILED in verdicts:
        return ExitCode.FAILED
    if Status.INCONCLUSIVE in verdicts:
        return ExitCode.INCONCLUSIVE
    return ExitCode.PASSED if Status.PASSED in verdicts else ExitCode.USAGE
