"""Is every check seen to fail? Each lie that the twin can tell names the check that must catch it."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

from tests.rehearsals.test_truth import back_after_s, encloses
from tests.rehearsing import rehearsed

DATA_LOST = "acknowledged_data_lost_within_the_objective"
RESTORE_POINT = "the_restore_point_was_respected_on_both_sides"
SERVICE_BACK = "service_was_back_within_the_objective"
NOTHING_MISSING = "nothing_is_missing_in_between_doubled_or_foreign"
RECOVERED_SERVER = "the_server_that_answered_is_the_recovered_one"

QUICK: dict[str, Any] = {"operation_durations": "off"}
CAUGHT = ("failed", "inconclusive")

MIDDLE = "(SELECT (max(number) / 2)::bigint FROM markers WHERE writer = 'a')"


def test_the_last_six_minutes_missing_are_caught_as_data_lost(tmp_path: Path) -> None:
    run = rehearsed("latest", tmp_path, seed=1, lies=({"kind": "tail_missing", "service_s": 360},), **QUICK)

    assert run.findings[DATA_LOST] == "failed"
    assert run.result["verdict"] == "failed"
    assert run.truth["lost_s"] > run.result["rpo"]["objective_s"]
    assert encloses(run.result["rpo"]["lost"], run.truth["lost_s"])


def test_one_acknowledged_row_missing_in_the_middle_is_caught_as_a_hole(tmp_path: Path) -> None:
    lie = {
        "kind": "sql_on_copy",
        "database": "dr_drill",
        "sql": f"DELETE FROM markers WHERE writer = 'a' AND number = {MIDDLE}",
    }

    run = rehearsed("latest", tmp_path, seed=2, lies=(lie,), **QUICK)

    assert run.findings[NOTHING_MISSING] == "failed"
    assert run.result["markers"]["holes"] == 1


def test_one_row_written_again_with_other_values_is_caught_as_a_stranger(tmp_path: Path) -> None:
    lie = {
        "kind": "sql_on_copy",
        "database": "dr_drill",
        "sql": f"UPDATE markers SET xid = '3' WHERE writer = 'a' AND number = {MIDDLE}",
    }

    run = rehearsed("latest", tmp_path, seed=3, lies=(lie,), **QUICK)

    assert run.findings[NOTHING_MISSING] == "failed"
    assert run.result["markers"]["strangers"] == 1


def test_a_restore_to_ten_seconds_after_the_chosen_point_is_caught_at_the_boundary(tmp_path: Path) -> None:
    run = rehearsed("chosen", tmp_path, seed=4, lies=({"kind": "point_shifted", "wall_s": 10},), **QUICK)

    assert run.findings[RESTORE_POINT] == "failed"
    assert run.result["verdict"] == "failed"


def test_a_name_that_leads_to_the_source_is_caught_by_the_nonces(tmp_path: Path) -> None:
    run = rehearsed("latest", tmp_path, seed=5, lies=({"kind": "routed_to_source"},), **QUICK)

    assert run.findings[RECOVERED_SERVER] == "failed"
    assert run.findings[DATA_LOST] in CAUGHT
    assert run.result["verdict"] == "failed"


def test_a_prober_killed_after_the_first_good_attempt_proves_no_return_of_service(tmp_path: Path) -> None:
    run = rehearsed("latest", tmp_path, seed=6, watch=_kill_prober_after_first_write, **QUICK)

    assert run.findings[SERVICE_BACK] == "inconclusive"
    assert run.result["rto"]["high_s"] is None
    assert run.result["verdict"] == "inconclusive"


def test_an_operation_that_ends_before_postgresql_has_recovered_changes_no_verdict(tmp_path: Path) -> None:
    hardship = {"kind": "ready_before_recovered", "service_s": 60}

    run = rehearsed("latest", tmp_path, seed=7, lies=(hardship,))

    assert run.result["verdict"] == "passed", run.result["findings"]
    assert encloses(run.result["rto"], back_after_s(run))


def test_answers_dropped_after_the_commit_leave_markers_unknown_and_no_bound_moved(tmp_path: Path) -> None:
    hardship = {"kind": "answer_dropped_after_commit", "every": 40}

    run = rehearsed("latest", tmp_path, seed=8, lies=(hardship,), **QUICK)

    assert run.result["markers"]["unknown"] > 0
    assert run.findings[NOTHING_MISSING] == "passed"
    assert run.result["verdict"] == "passed", run.result["findings"]
    assert encloses(run.result["rpo"]["lost"], run.truth["lost_s"])


def _kill_prober_after_first_write(out: Path) -> None:
    """Wait, in the record itself, for the first attempt that wrote; then end its process."""
    changed = threading.Event()
    for _ in range(3000):
        pid = _prober_pid(out)
        if pid is not None and _has_written(out):
            os.kill(pid, signal.SIGKILL)
            return
        changed.wait(0.02)


def _prober_pid(out: Path) -> int | None:
    for journal in out.glob("*/journal.jsonl"):
        for line in journal.read_text().splitlines():
            if '"module":"prober"' in line and line.endswith("}"):
                return int(json.loads(line)["pid"])
    return None


def _has_written(out: Path) -> bool:
    return any('"stage":"written"' in file.read_text() for file in out.glob("*/probes-*.jsonl"))
