"""Where do the reports of a run lie? Rendered from the record, beside it, as often as one likes.

The record itself is read and never touched; the same record gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from drills.journal import Chain, Record, read_record
from drills.judging import agrees, judge_run
from reports.markers import markers_csv
from reports.record import Declared, RecordFile
from reports.render import render_html


def write_reports(folder: Path) -> list[Path]:
    """Judge a recorded run and render it, replacing what was rendered before; gives the paths of the reports.

    Raises:
        RecordError: the folder is no run, or its record cannot be read.
    """
    judged = judge_run(folder)
    declared = declared_in(read_record(folder), result_agrees=agrees(judged))
    html = render_html(judged.history, judged.result, read_templates(), declared=declared)
    return [
        _replace(folder / "reports" / "report.html", html),
        _replace(folder / "reports" / "markers.csv", markers_csv(judged.history)),
    ]


def read_templates() -> dict[str, str]:
    """Read the templates that come with the package, by name."""
    folder = resources.files("reports") / "templates"
    return {each.name: each.read_text(encoding="utf-8") for each in folder.iterdir() if each.is_file()}


def declared_in(record: Record, *, result_agrees: bool | None) -> Declared:
    """Pick from a record what its report shows beside the History."""
    return Declared(
        profile=record.profile, plan=record.plan, files=tuple(_files(record)), result_agrees=result_agrees
    )


def _files(record: Record) -> Iterator[RecordFile]:
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
    cut = "; its last line was cut off and is left out" if chain.cut else ""
    return RecordFile(name, holds + cut, len(chain.lines), chain.head)


def _replace(path: Path, text: str) -> Path:
    """Write a report beside the earlier one and put it in its place at once, so that nobody reads half of it."""
    path.parent.mkdir(exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8", newline="")
    fresh.replace(path)
    return path
