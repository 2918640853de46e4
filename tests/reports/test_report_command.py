"""`drills report` writes beside the record and never into it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

import pytest

from drills.cli import main
from drills.errors import RecordError
from drills.journal import Journal, write_document
from drills.reporting import write_reports
from tests.histories import PRODUCTION
from tests.reports.pages import read


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that was aborted before it did anything: the smallest record there is."""
    folder = tmp_path / "REHEARSAL-20261101T080000Z-production-pitr_restore-latest-0000"
    folder.mkdir()
    plan = write_document(folder / "plan.json", {"schema_version": 1})
    profile = write_document(
        folder / "profile.json",
        {"objectives_of_this_run": asdict(PRODUCTION), "expected": {"tier": "GeneralPurpose"}},
    )
    journal = Journal(folder / "journal.jsonl")
    journal.write(
        "run_began",
        run_id=folder.name.removeprefix("REHEARSAL-"),
        scenario="pitr_restore",
        variant="latest",
        environment="production",
        time_scale=30.0,
        trigger="rehearsal",
        arm_host="localhost",
        public_ca=False,
        boot_id="boot",
        code_version="0.1.0",
        plan_sha256=plan,
        profile_sha256=profile,
    )
    journal.write("run_ended", outcome="aborted", reason="a test")
    journal.close()
    return folder


def record_of(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.is_file()}


def test_the_paths_of_the_reports_are_printed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(run)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(run / "reports" / "report.html"),
        str(run / "reports" / "markers.csv"),
    ]


def test_the_record_is_never_touched(run: Path) -> None:
    before = record_of(run)
    write_reports(run)
    assert record_of(run) == before


def test_reports_are_replaced_by_the_same_bytes_and_nothing_else_is_left(run: Path) -> None:
    html, markers = write_reports(run)
    first = html.read_bytes()
    html.write_text("somebody wrote here")
    write_reports(run)
    assert html.read_bytes() == first
    assert sorted(p.name for p in html.parent.iterdir()) == ["markers.csv", "report.html"]
    assert markers.read_text().startswith("writer,number,")


def test_the_page_names_the_files_their_hashes_and_how_to_recompute_it(run: Path) -> None:
    html, _ = write_reports(run)
    evidence = read(html.read_text()).one("section", id="evidence").text

    assert record_of(run)["plan.json"] in evidence
    assert f"drills check runs/{run.name}" in evidence
    assert "No result.json was written" in evidence


def test_a_result_that_the_record_does_not_prove_is_told(run: Path) -> None:
    (run / "result.json").write_text('{"verdict": "passed"}')
    html, _ = write_reports(run)
    assert "result.json does not say what the record proves" in read(html.read_text()).text


def test_a_run_that_did_nothing_is_inconclusive(run: Path) -> None:
    html, _ = write_reports(run)
    assert read(html.read_text()).one("header").one("span", css="badge").text == "? INCONCLUSIVE"


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no run"):
        write_reports(tmp_path)
    assert not list(tmp_path.iterdir())
