"""Judge a recorded run again, offline: verdict, findings and intervals, from its record and nothing else."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

SUMMARY = "judge a recorded run again, offline"

_AGREEMENT = {
    True: "result.json says the same",
    False: "result.json DIFFERS from what its record proves: it was changed, or another version wrote it",
    None: "there is no result.json to compare with",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the folder of one run."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run, such as runs/REHEARSAL-…")


def run(args: argparse.Namespace) -> int:
    """Print what the record proves, and whether result.json says the same; the exit code is the record's."""
    from drills.judging import agrees, exit_code, judge_run
    from reports.terminal import told

    judged = judge_run(args.run)
    print(told(judged.result, width=shutil.get_terminal_size((100, 24)).columns))
    print(_AGREEMENT[agrees(judged)])
    return int(exit_code([judged.verdict]))
