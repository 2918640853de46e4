"""Draw the reports of recorded runs again, offline: RUN/reports/report.html and markers.csv.

The record itself is read and never touched; the same record gives the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "draw the reports of a recorded run again, offline"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the folders of the runs."""
    parser.add_argument("runs", metavar="RUN", nargs="+", type=Path, help="a folder such as runs/REHEARSAL-…")


def run(args: argparse.Namespace) -> int:
    """Write the reports and print where they are; whatever the verdict is, drawing it succeeded."""
    # Jinja2 and pandas take a third of a second together, which no other command has to wait for.
    from drills.reporting import write_reports

    for folder in args.runs:
        for path in write_reports(folder):
            print(path)
    return 0
