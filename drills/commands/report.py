"""Draw the reports of recorded runs again, offline: RUN/reports/report.html and markers.csv.

The record itself is read and never touched; the same record gives the same bytes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drills.journal import Chain, Record
    from reports.record import Declared, RecordFile

SUMMARY = "draw the reports of a recorded run again, offline"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the folders of the runs."""
    parser.add_argument("runs", metavar="RUN", nargs="+", type=Path, help="a folder such as runs/REHEARSAL-…")


def run(args: argparse.Namespace) -> int:
    """Write the reports and print where they are; whatever the verdict is, drawing it succeeded."""
    for folder in args.runs:
        for path in write_reports(folder):
            print(path)
    return 0


def write_reports(folder: Path) -> list[Path]:
    """Judge a recorded run and render it, replacing what was rendered before; gives the paths of the reports.

    Raises:
        RecordError: the folder is no run, or its record cannot be read.
    """
    # Jinja2 and pandas take a third of a second together, which no other command has to wait for.
    from drills.journal import read_record
    from drills.judging import judge_run
    from reports.markers import markers_csv
    from reports.render import render_html

    judged = judge_run(folder)
    declared = declared_in(read_record(folder))
    html = render_html(judged.history, judged.result, read_templates(), declared=declared)
    return [
        _replace(folder / "reports" / "report.html", html),
        _replace(folder / "reports" / "markers.csv", markers_csv(judged.history)),
    ]


def read_templates() -> dict[str, str]:
    """Read the templates that come with the package, by name."""
    from importlib import resources

    folder = resources.files("reports") / "templates"
    return {each.name: each.read_text(encoding="utf-8") for each in folder.iterdir() if each.is_file()}


def declared_in(record: Record) -> Declared:
    """Pick from a record what its report shows beside the History."""
    from reports.record import Declared

    return Declared(profile=record.profile, plan=record.plan, files=tuple(_files(record)))


def _files(record: Record) -> Iterator[RecordFile]:
    from reports.record import RecordFile

    first = next(line for line in record.journal.lines if line["event"] == "run_began")
    yield RecordFile("plan.json", "every call and name, decided before the fault", None, first["plan_sha256"])
    yield RecordFile(
        "profile.json", "objectives and configuration, as declared", None, first["profile_sha256"]
    )
    yield _chained("journal.jsonl", "the course of the run, every call and survey", record.journal)
    for name, chain in sorted(record.markers.items()):
        yield _chained(f"markers-{name}.jsonl", "the markers of one writer", chain)
    for name, chain in sorted(record.probes.items()):
        yield _chained(f"probes-{name}.jsonl", "the attempts of one prober", chain)


def _chained(name: str, holds: str, chain: Chain) -> RecordFile:
    from reports.record import RecordFile

    cut = "; its last line was cut off and is left out" if chain.cut else ""
    return RecordFile(name, holds + cut, len(chain.lines), chain.head)


def _replace(path: Path, text: str) -> Path:
    """Write a report beside the earlier one and put it in its place at once, so that nobody reads half of it."""
    path.parent.mkdir(exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8", newline="")
    fresh.replace(path)
    return path
