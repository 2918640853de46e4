"""Does the verifier name every change of a record, and does it stay a text without a traceback?"""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

import verify_bundle
from drills import judging
from drills.history import History
from drills.model import Instant, ProberRan
from tests.checks.recording import record
from tests.histories import (
    PRODUCTION,
    acked,
    attempts,
    edited,
    honest,
    looked,
    row_of,
    sampled,
    surveyed,
)

ROOT = Path(__file__).parents[2]
VERIFIER = ROOT / "verify_bundle.py"
Files = dict[str, bytes]
Change = Callable[[str, dict[str, Any]], None]


def small() -> History:
    """An honest history with few lines: four markers, two readings, six attempts, two surveys."""
    written = tuple(acked(n // 2 + 1, 380.0 + n, 380.01 + n, writer="ab"[n % 2]) for n in range(4))
    rows = [row_of(m) for m in written]
    run = honest(written=written)
    assert run.inventory is not None
    return edited(
        run,
        inventory=replace(run.inventory, rows_by_run={}),
        samples=(sampled(380.5), sampled(389.0)),
        looks=(looked(391.0),),
        attempts=attempts(728.0, 730.0, 738.0, every=2.0),
        probers=(ProberRan("new", 2.0, 2.0, Instant(727.0), Instant(739.0)),),
        surveys=(surveyed(731.0, rows, took=0.1), surveyed(735.0, rows, took=0.1)),
        waits=(),
        clocks=(),
        dates=run.dates[:2],
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small record on disk, judged."""
    made = record(
        small(), replace(PRODUCTION, switch_over_delay_s=3.0), tmp_path_factory.mktemp("runs") / "run"
    )
    judging.conclude(made)
    return made


@pytest.fixture(scope="module")
def files(folder: Path) -> Files:
    """The same record as bytes."""
    return verify_bundle.files_of(folder)


@pytest.fixture(scope="module")
def head(files: Files) -> str:
    """The head of its journal, as kept elsewhere."""
    return hashlib.sha256(files["journal.jsonl"].splitlines()[-1]).hexdigest()


def test_an_unchanged_record_agrees(files: Files, head: str) -> None:
    found = verify_bundle.verify("run", files, head)

    assert found.broken is None
    assert found.agrees
    assert found.journal_head == head
    assert set(found.taken or {}) == set(verify_bundle.REQUIRED_OF_BOTH) - {verify_bundle.SERVICE}


# --- changes of the bytes -------------------------------------------------------------------------------


def quiet_changes(files: Files, name: str, head: str | None = None, since: int = 0) -> list[int]:
    """Which bytes of a file can be changed without the verifier naming it."""
    data = files[name]
    return [
        at
        for at in range(since, len(data))
        if verify_bundle.verify(
            "run", {**files, name: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]}, head
        ).agrees
    ]


@pytest.mark.parametrize(
    "name", ["markers-a.jsonl", "markers-b.jsonl", "probes-new.jsonl", "plan.json", "profile.json"]
)
def test_every_byte_that_is_changed_is_named(files: Files, name: str) -> None:
    assert quiet_changes(files, name) == []


def test_every_byte_of_the_journal_that_is_changed_is_named_given_its_head(files: Files, head: str) -> None:
    """Within the folder alone, nothing holds the last line of the journal; its head, kept elsewhere, does."""
    last = files["journal.jsonl"].rindex(b"\n", 0, -1) + 1
    quiet = quiet_changes(files, "journal.jsonl")

    assert quiet
    assert min(quiet) >= last
    assert quiet_changes(files, "journal.jsonl", head, since=last) == []


@pytest.mark.parametrize("name", ["journal.jsonl", "markers-a.jsonl", "probes-new.jsonl"])
def test_every_line_that_is_removed_doubled_or_moved_is_named(files: Files, name: str) -> None:
    lines = files[name].splitlines(keepends=True)
    for at in range(len(lines)):
        removed = [*lines[:at], *lines[at + 1 :]]
        doubled = [*lines[: at + 1], *lines[at:]]
        moved = [*lines[:at], *lines[at + 1 : at + 2], lines[at], *lines[at + 2 :]]
        for changed in (removed, doubled, moved):
            if changed != lines:
                assert not verify_bundle.verify("run", {**files, name: b"".join(changed)}).agrees


@pytest.mark.parametrize("name", ["journal.jsonl", "markers-a.jsonl", "markers-b.jsonl", "probes-new.jsonl"])
def test_every_tail_that_is_cut_is_named(files: Files, name: str) -> None:
    data = files[name]
    ends = [at + 1 for at, byte in enumerate(data) if byte == ord("\n")]
    sizes = {0, *(end - 1 for end in ends), *ends, *range(ends[-3], len(data))} - {len(data)}
    quiet = [n for n in sizes if verify_bundle.verify("run", {**files, name: data[:n]}).agrees]

    assert quiet == []


def test_what_follows_the_last_line_of_a_closed_file_is_named(files: Files) -> None:
    changed = {**files, "markers-a.jsonl": files["markers-a.jsonl"] + b'{"n":'}

    assert "follows the last whole line" in str(verify_bundle.verify("run", changed).broken)


def test_a_line_of_the_journal_that_was_cut_off_is_no_error_and_is_said(files: Files, head: str) -> None:
    found = verify_bundle.verify("run", {**files, "journal.jsonl": files["journal.jsonl"] + b'{"n":'}, head)

    assert found.agrees
    assert found.cut == ["journal.jsonl"]


def test_files_that_changed_places_are_named(files: Files) -> None:
    for one, other in (
        ("markers-a.jsonl", "markers-b.jsonl"),
        ("markers-a.jsonl", "probes-new.jsonl"),
        ("plan.json", "profile.json"),
    ):
        swapped = {**files, one: files[other], other: files[one]}
        assert verify_bundle.verify("run", swapped).broken is not None


def test_a_file_that_is_missing_or_was_laid_beside_the_others_is_named(files: Files) -> None:
    for name in set(files):
        rest = {other: data for other, data in files.items() if other != name}
        assert str(verify_bundle.verify("run", rest).broken).startswith(name) or name in str(
            verify_bundle.verify("run", rest).broken
        )
    laid = {**files, "markers-c.jsonl": files["markers-a.jsonl"]}
    assert "markers-c.jsonl lies in the folder" in str(verify_bundle.verify("run", laid).broken)


# --- lies in result.json --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("verdict", "failed"),
        ("evidence_class", "rehearsal"),
        ("completed", False),
        ("began", "2026-11-01T07:59:55.001Z"),
        ("restore_point", None),
        ("time_scale", 30.0),
        ("run_id", "another"),
        ("rto.low_s", 0.0),
        ("rto.high_s", 1.0),
        ("rto.objective_s", 901.0),
        ("rto.status", "inconclusive"),
        ("rto", None),
        ("rpo.low_s", 1.0),
        ("rpo.high_s", 1.0),
        ("rpo.lost.high_s", None),
        ("rpo.exposed.high_s", 0.5),
        ("rpo.status", None),
        ("rpo", None),
    ],
)
def test_a_figure_of_the_result_that_the_record_does_not_give_is_named(
    files: Files, path: str, value: object
) -> None:
    result = json.loads(files["result.json"])
    *way, last = path.split(".")
    place = result
    for name in way:
        place = place[name]
    assert place[last] != value
    place[last] = value
    found = verify_bundle.verify("run", {**files, "result.json": json.dumps(result).encode()})

    named = [one.name for one in found.comparisons if not one.agrees]
    assert named
    assert all(name.startswith(path) for name in named)


def test_a_finding_that_the_record_does_not_give_is_named(files: Files) -> None:
    result = json.loads(files["result.json"])
    for finding in result["findings"]:
        finding["status"] = "failed"
    found = verify_bundle.verify("run", {**files, "result.json": json.dumps(result).encode()})

    assert {one.name for one in found.comparisons if not one.agrees} >= {verify_bundle.SERVICE, "verdict"}


# --- records that are chained, and broken ---------------------------------------------------------------


def rechained(files: Mapping[str, bytes], change: Change) -> Files:
    """The record as if its processes had written other lines: every chain and head is right."""
    made = dict(files)
    heads: dict[str, str] = {}

    def chain(name: str, lines: list[dict[str, Any]]) -> None:
        head, data = verify_bundle.CLEAN_HEAD, b""
        for line in lines:
            raw = json.dumps({**line, "before": head}).encode()
            head, data = hashlib.sha256(raw).hexdigest(), data + raw + b"\n"
        made[name], heads[name] = data, head

    for name in sorted(files, key=lambda name: name == "journal.jsonl"):
        if not name.endswith(".jsonl"):
            continue
        lines = [json.loads(raw) for raw in files[name].splitlines()]
        for line in lines:
            if line["event"] == "file_closed":
                line["head"] = heads[line["file"]]
            change(name, line)
        chain(name, lines)
    return made


def setting(event: str, field: str, value: object) -> Change:
    """Set a field in every line of an event."""

    def change(_: str, line: dict[str, Any]) -> None:
        if line["event"] == event:
            line[field] = value

    return change


def lacking(event: str, field: str) -> Change:
    """Take a field out of every line of an event."""

    def change(_: str, line: dict[str, Any]) -> None:
        if line["event"] == event:
            del line[field]

    return change


def test_a_record_that_is_chained_anew_still_agrees(files: Files) -> None:
    assert verify_bundle.verify("run", rechained(files, lambda name, line: None)).agrees


TABLES = (verify_bundle.JOURNAL, verify_bundle.MARKERS, verify_bundle.PROBES)
NO_VALUE: dict[str, object] = {
    "a list": [1],
    "an object": {"a": 1},
    "a huge integer": 10**4000,
    "too large a number": 1e300,
}


@pytest.mark.parametrize(("event", "field"), [(e, f) for t in TABLES for e, fs in t.items() for f in fs])
def test_a_line_without_a_field_that_the_method_names_is_named(files: Files, event: str, field: str) -> None:
    if not any(f'"event": "{event}"'.encode() in data for data in files.values()):
        return
    broken = verify_bundle.verify("run", rechained(files, lacking(event, field))).broken

    assert f"lacks the field {field}" in str(broken)


@pytest.mark.parametrize("value", NO_VALUE.values(), ids=NO_VALUE)
@pytest.mark.parametrize(
    ("event", "field"),
    [(e, f) for t in TABLES for e, fs in t.items() for f, kind in fs.items() if kind != "anything"],
)
def test_a_value_that_nothing_can_be_computed_with_is_refused_in_a_sentence(
    files: Files, event: str, field: str, value: object
) -> None:
    found = verify_bundle.verify("run", rechained(files, setting(event, field, value)))

    assert found.agrees or found.broken or found.comparisons
    assert "\n" not in str(found.broken)


def no_number(name: str, line: dict[str, Any]) -> None:
    if name == "journal.jsonl" and line["event"] == "disaster":
        line["earliest"] = float("nan")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (no_number, "is not JSON"),
        (setting("run_began", "scenario", "ha_failover"), "knows the method of pitr_restore"),
        (setting("marker_ended", "row", None), "acked without a row"),
        (setting("marker_ended", "outcome", "kept"), "no marker outcome"),
        (setting("marker_began", "number", 1), "begun twice"),
        (setting("probe_ended", "stage", "flown"), "no stage"),
        (setting("surveyed", "rows_count", 1), "counts other rows"),
        (setting("waited", "who", "nobody"), None),
        (setting("file_closed", "file", "../journal.jsonl"), "is missing"),
        (setting("prober_began", "event", "prober_started"), "no prober_began"),
        (setting("run_began", "event", "run_started"), "no run_began"),
        (setting("disaster", "event", None), "event that is no text"),
    ],
)
def test_a_record_that_contradicts_the_method_is_refused(
    files: Files, change: Change, says: str | None
) -> None:
    found = verify_bundle.verify("run", rechained(files, change))

    assert says is None or says in str(found.broken)


@pytest.mark.parametrize(
    "name", ["journal.jsonl", "plan.json", "profile.json", "result.json", "markers-a.jsonl"]
)
@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"nonsense\n", b"[]\n", b"null\n", b"1\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n", b"{}\n"],
    ids=[
        "empty",
        "an empty line",
        "no JSON",
        "a list",
        "null",
        "a number",
        "no UTF-8",
        "very deep",
        "no fields",
    ],
)
def test_a_file_that_holds_something_else_is_refused_in_a_sentence(
    files: Files, name: str, data: bytes
) -> None:
    broken = verify_bundle.verify("run", {**files, name: data}).broken

    assert broken
    assert "\n" not in broken


@pytest.mark.parametrize(
    "objectives",
    [None, [], {}, {"rpo_s": 1}, {**asdict(PRODUCTION), "rto_s": "900"}, {**asdict(PRODUCTION), "x": 1}],
)
def test_objectives_that_cannot_be_read_are_refused(objectives: object) -> None:
    with pytest.raises(verify_bundle.Broken, match="objectives_of_this_run"):
        verify_bundle.objectives_of({"objectives_of_this_run": objectives})


# --- the command ----------------------------------------------------------------------------------------


def ran(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a copy of the verifier by itself: isolated, without site-packages, away from the project."""
    copy = cwd / "verify_bundle.py"
    shutil.copy(VERIFIER, copy)
    return subprocess.run(
        [sys.executable, "-I", "-S", str(copy), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_it_says_what_agrees_and_what_it_took(folder: Path, tmp_path: Path) -> None:
    done = ran(str(folder), cwd=tmp_path)

    assert done.returncode == 0
    assert done.stderr == ""
    assert "agree      rto.high_s" in done.stdout
    assert "taken      nothing_of_the_drill_is_left_behind" in done.stdout
    assert "DISAGREE" not in done.stdout


def test_it_says_both_values_where_they_disagree(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(folder, run)
    result = json.loads((run / "result.json").read_text())
    result["rto"]["high_s"] = 12.5
    (run / "result.json").write_text(json.dumps(result))
    done = ran(str(folder), str(run), cwd=tmp_path)

    assert done.returncode == 1
    assert "DISAGREE   rto.high_s  recomputed 345.1, result.json has 12.5" in done.stdout


def test_broken_evidence_is_one_sentence_and_exit_code_1(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(folder, run)
    (run / "plan.json").write_bytes(b"{}  ")
    done = ran(str(run), cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr == ""
    assert "BROKEN     plan.json is not the file whose hash the journal noted" in done.stdout


def test_the_machine_form_says_the_same(folder: Path, tmp_path: Path) -> None:
    said = json.loads(ran("--json", str(folder), cwd=tmp_path).stdout)

    assert said["agrees"] is True
    assert said["runs"][0]["broken"] is None
    assert {"name", "recomputed", "noted", "agrees", "why"} == set(said["runs"][0]["comparisons"][0])


@pytest.mark.parametrize("arguments", [(), ("nowhere",), ("--unknown",), ("verify_bundle.py",)])
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = ran(*arguments, cwd=tmp_path)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_head_kept_elsewhere_goes_with_one_run(folder: Path, head: str, tmp_path: Path) -> None:
    assert ran("--journal-head", head, str(folder), cwd=tmp_path).returncode == 0
    assert ran("--journal-head", "0" * 64, str(folder), cwd=tmp_path).returncode == 1
    assert ran("--journal-head", head, str(folder), str(folder), cwd=tmp_path).returncode == 2


# --- the text -------------------------------------------------------------------------------------------


def test_it_imports_the_standard_library_only() -> None:
    tree = ast.parse(VERIFIER.read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported
    assert imported <= sys.stdlib_module_names
    assert not any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))


def test_it_reads_as_a_text() -> None:
    tree = ast.parse(VERIFIER.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]

    assert ast.get_docstring(tree)
    assert max((node.end_lineno or 0) - node.lineno for node in functions) < 45
    assert not [f.name for f in functions if not f.name.startswith("_") and not ast.get_docstring(f)]
