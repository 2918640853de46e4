"""Does the truth lie inside the intervals, over many rehearsed restores at random phases of the archive cycle?

    $ python -m benchmarks.truth --runs 20

Each run is a rehearsal with a seed of its own, both variants in turn; the truth is the twin's. Exits with 1 if
it lies outside one interval, or if a busy server's run is not PASSED with both bounds finite.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

from tests.rehearsals.test_truth import back_after_s, encloses
from tests.rehearsing import rehearsed


@dataclass(frozen=True, slots=True)
class Row:
    """One rehearsal, in service seconds."""

    seed: int
    variant: str
    verdict: str
    enclosed: bool
    figures: str


def main() -> int:
    """Rehearse, print a line a run, and tell whether everything was as it should be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20, metavar="N", help="rehearsals [20]")
    parser.add_argument(
        "--first-seed", type=int, default=1000, metavar="N", help="the first run's seed [1000]"
    )
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="rehearsals side by side [2]")
    parser.add_argument(
        "--durations", choices=("drawn", "off"), default="drawn", help="of operations [drawn]"
    )
    args = parser.parse_args()
    seeds = range(args.first_seed, args.first_seed + args.runs)
    wrong = 0
    with ProcessPoolExecutor(args.jobs) as pool:
        for row in pool.map(partial(_run, durations=args.durations), seeds):
            print(f"seed {row.seed}  {row.variant:7}  {row.verdict:12}  {row.figures}", flush=True)
            wrong += not (row.enclosed and row.verdict == "passed")
    print(f"{args.runs} rehearsals, {wrong} not as they should be")
    return 1 if wrong else 0


def _run(seed: int, *, durations: str) -> Row:
    variant = ("latest", "chosen")[seed % 2]
    with tempfile.TemporaryDirectory() as out, redirect_stdout(StringIO()):
        run = rehearsed(variant, Path(out), seed=seed, operation_durations=durations)
    result, scale = run.result, run.scale
    pairs = [("RTO", result["rto"], back_after_s(run))]
    if result["rpo"] is not None:
        pairs += [
            ("lost", result["rpo"]["lost"], run.truth["lost_s"]),
            ("exposed", result["rpo"]["exposed"], run.truth["exposed_s"]),
        ]
    enclosed = all(interval["high_s"] is not None and encloses(interval, true) for _, interval, true in pairs)
    figures = "  ".join(f"{name} {_said(interval, true, scale)}" for name, interval, true in pairs)
    return Row(seed, variant, result["verdict"], enclosed, figures)


def _said(interval: dict[str, Any], true_s: float, scale: float) -> str:
    low, high = interval["low_s"] * scale, interval["high_s"]
    inside = "in" if encloses(interval, true_s) else "OUTSIDE"
    return f"{true_s * scale:.1f} {inside} {low:.1f}..{'?' if high is None else f'{high * scale:.1f}'} s"


if __name__ == "__main__":
    sys.exit(main())
