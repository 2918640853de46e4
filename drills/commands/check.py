"""Judge a recorded run again, offline: verdict, findings and intervals, from its record and nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from drills.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drills.judging import Judged
    from drills.model import Interval

SUMMARY = "judge a recorded run again, offline"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the folder of one run."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run, such as runs/REHEARSAL-…")


def run(args: argparse.Namespace) -> int:
    """Print what the record proves, and whether result.json says the same."""
    from drills.judging import judge_run

    judged = judge_run(args.run)
    for line in told(judged):
        print(line)
    print(_agreement(args.run, judged))
    return int(exit_code(judged))


def exit_code(judged: Judged) -> ExitCode:
    """Give the exit code of a verdict; what never came to its end is inconclusive, whatever it found."""
    from drills.model import Status

    codes = {Status.PASSED: ExitCode.PASSED, Status.FAILED: ExitCode.FAILED}
    return codes.get(judged.verdict, ExitCode.INCONCLUSIVE)


def told(judged: Judged) -> Iterator[str]:
    """Say verdict, findings (worst first), intervals and caveats in plain words, a line each."""
    from drills.checks.data_lost import rpo
    from drills.checks.service_back import rto
    from drills.verdict import worst_first

    run_identity, objectives = judged.history.run, judged.objectives
    yield f"{judged.verdict.upper()}  {run_identity.scenario}[{run_identity.variant}] of {run_identity.environment}"
    yield f"run {run_identity.run_id} ({judged.result['evidence_class']})"
    yield ""
    yield from (f"{f.status.value:<13} {f.check}: {f.summary}" for f in worst_first(judged.findings))
    yield ""
    yield _interval("RTO", rto(judged.history, objectives), objectives.rto_s)
    if judged.result["rpo"] is not None:
        yield _interval("RPO", rpo(judged.history, objectives), objectives.rpo_s)
    caveats = judged.result["caveats"]
    yield from (f"caveat: {sentence}" for sentence in (caveats if isinstance(caveats, list) else ()))


def _interval(name: str, interval: Interval | None, objective_s: float) -> str:
    from drills.checks.wording import seconds, span

    if interval is None:
        return f"{name}: not measured"
    parts = " + ".join(f"{part.name} {seconds(part.seconds)}" for part in interval.parts)
    width = f"; the width is {parts}" if parts else ""
    return f"{name}: {span(interval)}, objective {seconds(objective_s)} (wall){width}"


def _agreement(folder: Path, judged: Judged) -> str:
    from drills.result import as_text

    path = folder / "result.json"
    if not path.is_file():
        return "result.json: there is none"
    if path.read_text(encoding="utf-8") == as_text(judged.result):
        return "result.json: says the same"
    return "result.json: DIFFERS from what its record proves; it was changed, or written by another version"
