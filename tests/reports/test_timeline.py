"""Drawings are thinned without losing what matters, and tables never are."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reports.moments import archive_steps, edges, neighbours
from reports.svg import Axis, vertical_ticks
from reports.timeline import POINTS, thinned
from reports.waterfall import share
from tests.histories import acked, edited, honest, restored_to

points = st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4)), min_size=1, max_size=2_000).map(
    lambda drawn: sorted(set(drawn))
)


@given(points)
def test_thinning_keeps_the_ends_and_the_peaks(drawn: list[tuple[float, float]]) -> None:
    kept = thinned(drawn)
    assert len(kept) <= POINTS + 4
    assert (kept[0], kept[-1]) == (drawn[0], drawn[-1])
    assert max(lag for _, lag in kept) == max(lag for _, lag in drawn)
    assert set(kept) <= set(drawn)


def test_ticks_that_would_fall_on_each_other_are_drawn_once() -> None:
    assert vertical_ticks([10.0, 10.1, 20.0], 0, 5).count("M") == 2


def test_what_lies_outside_an_axis_is_drawn_at_its_edge() -> None:
    axis = Axis(low=0.0, high=10.0, left=100.0, right=200.0)
    assert (axis.x(-5.0), axis.x(5.0), axis.x(50.0)) == (100.0, 150.0, 200.0)


def test_an_axis_has_a_few_round_ticks() -> None:
    assert list(Axis(low=-390.0, high=12.0, left=0.0, right=1.0).ticks(8)) == [
        -360,
        -300,
        -240,
        -180,
        -120,
        -60,
        0,
    ]


def test_a_sliver_is_not_nothing() -> None:
    assert share(0.1, 1000.0) == "< 1 %"
    assert share(0.0, 1000.0) == "0 %"
    assert share(1.0, 0.0) == "–"


def test_the_edges_of_an_honest_run_are_its_last_marker() -> None:
    found = edges(honest())
    assert found.first_gone is None
    assert found.last_kept is found.last_acked


def test_the_edges_of_a_loss_are_neighbours() -> None:
    found = edges(restored_to(honest(), 20.0))
    assert found.last_kept is not None
    assert found.first_gone is not None
    assert [(m.writer, m.number) for m in (found.last_kept, found.first_gone)] == [("b", 20), ("a", 21)]


def test_a_marker_that_was_open_at_the_point_is_no_neighbour() -> None:
    run = honest("chosen")
    assert run.request is not None
    point_us = run.request.point_us
    at = (point_us / 1e6) - 1_793_520_000.3
    slow = acked(1, at - 0.1, at + 0.1, writer="c", server_at=at - 0.05)
    found = neighbours(edited(run, markers=(*run.markers, slow)), point_us)
    assert found.last_before is not None
    assert found.last_before.writer != "c"


def test_a_backup_label_is_no_position_of_the_archive() -> None:
    run = honest()
    labelled = replace(run.samples[10], segment="000000010000000000000002.00000028.backup")
    steps = archive_steps(edited(run, samples=(*run.samples[:10], labelled, *run.samples[11:])))
    assert steps[10].segment is None
