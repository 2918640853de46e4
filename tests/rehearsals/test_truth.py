"""Does the truth lie inside the intervals? The twin knows it, and the drill has to enclose it every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.rehearsing import Rehearsed, rehearsed

CLOCKS_S = 0.002
"""Two processes read one clock and write it down with microseconds; the twin watches PostgreSQL every few ms."""


def encloses(interval: dict[str, Any], truth_s: float) -> bool:
    high_s = interval["high_s"]
    return interval["low_s"] - CLOCKS_S <= truth_s and (high_s is None or truth_s <= high_s + CLOCKS_S)


def back_after_s(run: Rehearsed) -> float:
    assert run.history.disaster is not None
    return float(run.truth["service_back_boot_s"] - run.history.disaster.earliest)


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_a_busy_server_passes_and_the_truth_lies_inside_every_interval(tmp_path: Path, seed: int) -> None:
    run = rehearsed("latest", tmp_path, seed=seed)

    assert run.result["verdict"] == "passed", run.result["findings"]
    assert encloses(run.result["rpo"]["lost"], run.truth["lost_s"])
    assert encloses(run.result["rpo"]["exposed"], run.truth["exposed_s"])
    assert encloses(run.result["rto"], back_after_s(run))
    assert run.result["rpo"]["high_s"] is not None
    assert run.result["rto"]["high_s"] is not None


@pytest.mark.parametrize("seed", [21, 22])
def test_a_chosen_point_is_respected_on_both_sides(tmp_path: Path, seed: int) -> None:
    run = rehearsed("chosen", tmp_path, seed=seed)

    assert run.result["verdict"] == "passed", run.result["findings"]
    assert run.result["rpo"] is None
    assert encloses(run.result["rto"], back_after_s(run))


def test_a_service_that_flushes_a_living_source_does_not_hide_what_a_dead_one_would_have_lost(
    tmp_path: Path,
) -> None:
    """Nothing acknowledged is lost, and the report must still say what was not archived when disaster struck."""
    run = rehearsed("latest", tmp_path, seed=31, latest_means="flushes_source", operation_durations="off")

    rpo = run.result["rpo"]
    assert rpo["lost"]["low_s"] == 0
    assert encloses(rpo["lost"], run.truth["lost_s"])
    assert encloses(rpo["exposed"], run.truth["exposed_s"])
    assert rpo["high_s"] == max(rpo["lost"]["high_s"], rpo["exposed"]["high_s"])


def test_an_idle_server_whose_archive_lags_is_told_so_and_failed_only_where_the_truth_is(
    tmp_path: Path,
) -> None:
    run = rehearsed("latest", tmp_path, seed=41, traffic="idle", operation_durations="off")

    rpo = run.result["rpo"]
    assert encloses(rpo["lost"], run.truth["lost_s"])
    assert encloses(rpo["exposed"], run.truth["exposed_s"])
    if run.result["verdict"] == "failed":
        assert max(run.truth["lost_s"], run.truth["exposed_s"]) > rpo["objective_s"]
    lag_s = run.result["exposure"]["archive_lag_max_s"]
    assert lag_s > rpo["objective_s"] / 2
