"""Does the truth of a simulated server lie inside the intervals, and does no verdict contradict it?"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drills.checks.data_lost import acknowledged_data_lost_within_the_objective, exposed, lost, rpo
from drills.checks.nothing_missing import nothing_is_missing_in_between_doubled_or_foreign
from drills.checks.restore_point import one_offset_explains, the_restore_point_was_respected_on_both_sides
from drills.checks.service_back import rto, service_was_back_within_the_objective
from drills.model import Interval, Objectives, Status
from drills.phases import phases
from drills.result import as_text, build
from drills.verdict import find
from tests.checks.simulated import World, data_world, service_world
from tests.histories import PRODUCTION

seeds = st.integers(min_value=0, max_value=2**48)
many = settings(max_examples=150, deadline=None, derandomize=True)

DATES_S = 2.2
"""What a Date of whole seconds and its round trips leave open, at both ends of a stretch."""


def slack_s(world: World) -> float:
    """A pause that only the Date saw is known to about a second at each end."""
    return DATES_S if world.paused else 1e-6


def encloses(interval: Interval, truth_s: float, slack: float) -> bool:
    return interval.low_s - slack <= truth_s and (
        interval.high_s is None or truth_s <= interval.high_s + slack
    )


def width_explained(interval: Interval) -> bool:
    if interval.high_s is None:
        return interval.parts == ()
    return abs(sum(p.seconds for p in interval.parts) - (interval.high_s - interval.low_s)) < 0.010


def with_objectives(rpo_s: float, rto_s: float = 900.0) -> Objectives:
    return replace(PRODUCTION, rpo_s=rpo_s, rpo_profile_s=rpo_s, rto_s=rto_s, rto_profile_s=rto_s)


@given(seed=seeds)
@many
def test_what_was_lost_and_exposed_lies_inside_its_interval(seed: int) -> None:
    world = data_world(seed)
    slack = slack_s(world)
    gone, open_to_loss = lost(world.history), exposed(world.history)

    assert gone is None or encloses(gone, world.lost_s, slack)
    assert open_to_loss is None or encloses(open_to_loss, world.exposed_s, slack)
    for interval in (gone, open_to_loss, rpo(world.history, PRODUCTION)):
        assert interval is None or width_explained(interval)
        assert interval is None or interval.high_s is None or interval.low_s <= interval.high_s


@given(seed=seeds, objective_s=st.floats(min_value=0.5, max_value=60.0))
@many
def test_no_verdict_on_lost_data_contradicts_the_truth(seed: int, objective_s: float) -> None:
    world = data_world(seed)
    slack = slack_s(world)
    status = acknowledged_data_lost_within_the_objective(world.history, with_objectives(objective_s)).status

    if status is Status.PASSED:
        assert max(world.lost_s, world.exposed_s) <= objective_s + slack
    if status is Status.FAILED:
        assert world.lost_s > objective_s - slack


@given(seed=seeds)
@many
def test_a_loss_farther_from_the_objective_than_the_width_is_decided(seed: int) -> None:
    world = data_world(seed)
    interval = lost(world.history)
    if interval is None or interval.high_s is None:
        return
    width_s = interval.high_s - interval.low_s + slack_s(world)
    if world.lost_s > width_s + 0.1:
        objectives = with_objectives(world.lost_s - width_s - 0.05)
        assert acknowledged_data_lost_within_the_objective(world.history, objectives).status is Status.FAILED


@pytest.mark.parametrize("variant", ["latest", "chosen"])
@given(seed=seeds)
@many
def test_a_restore_that_keeps_a_prefix_of_all_commits_has_no_hole(variant: str, seed: int) -> None:
    """Stalls, overlapping writers, lost answers and transactions out of order are no reason for an alarm."""
    world = data_world(seed, variant=variant)

    assert (
        nothing_is_missing_in_between_doubled_or_foreign(world.history, PRODUCTION).status
        is not Status.FAILED
    )


@given(seed=seeds, which=st.integers(min_value=0, max_value=10_000))
@many
def test_one_row_taken_out_before_the_end_is_a_hole(seed: int, which: int) -> None:
    history = data_world(seed, lie=False).history
    latest = max((m.began for m in history.acked if history.presence(m).value == "present"), default=0.0)
    inner = [
        m
        for m in history.acked
        if m.ended is not None and m.ended < latest and history.presence(m).value == "present"
    ]
    if not inner:
        return
    gone = inner[which % len(inner)]
    surveys = tuple(
        replace(s, rows=tuple(r for r in s.rows if (r.writer, r.number) != (gone.writer, gone.number)))
        for s in history.surveys
    )

    found = nothing_is_missing_in_between_doubled_or_foreign(replace(history, surveys=surveys), PRODUCTION)
    assert found.status is Status.FAILED


@given(seed=seeds)
@many
def test_a_restore_point_that_was_respected_is_never_failed(seed: int) -> None:
    world = data_world(seed, variant="chosen", lie=False)

    assert (
        the_restore_point_was_respected_on_both_sides(world.history, PRODUCTION).status is not Status.FAILED
    )


@given(seed=seeds)
@many
def test_what_a_passed_restore_point_claims_is_true(seed: int) -> None:
    world = data_world(seed, variant="chosen")
    finding = the_restore_point_was_respected_on_both_sides(world.history, PRODUCTION)
    request = world.history.request
    assert request is not None
    assert world.restored_to_us is not None

    if finding.status is Status.PASSED:
        owed = [m for m in world.history.counting if m.row]
        later = [m for m in world.history.acked if m.row and m.row.server_time_us > request.point_us]
        assert world.restored_to_us >= max(m.row.server_time_us for m in owed if m.row)
        first = min(later, key=lambda m: m.row.server_time_us if m.row else 0)
        assert first.row is not None
        assert first.ended is not None
        assert world.restored_to_us < first.row.server_time_us + (first.ended - first.began) * 1e6
    if finding.status is Status.FAILED:
        assert world.restored_to_us != request.point_us


@given(seed=seeds)
@many
def test_a_drifting_clock_is_explained_and_a_pause_is_not_taken_for_one(seed: int) -> None:
    world = data_world(seed)

    assert world.paused or one_offset_explains(world.history.acked)


@given(seed=seeds)
@many
def test_the_return_of_service_lies_inside_its_interval(seed: int) -> None:
    world = service_world(seed)
    interval = rto(world.history, PRODUCTION)

    assert world.back_s is not None
    assert interval is None or encloses(interval, world.back_s, 1e-6)
    assert interval is None or width_explained(interval)


@given(seed=seeds, objective_s=st.floats(min_value=1.0, max_value=120.0))
@many
def test_no_verdict_on_the_return_of_service_contradicts_the_truth(seed: int, objective_s: float) -> None:
    world = service_world(seed)
    assert world.back_s is not None
    status = service_was_back_within_the_objective(world.history, with_objectives(300.0, objective_s)).status

    assert status is not Status.PASSED or world.back_s <= objective_s
    assert status is not Status.FAILED or world.back_s > objective_s


@given(seed=seeds)
@many
def test_phases_follow_each_other_and_add_up_to_the_upper_bound(seed: int) -> None:
    world = service_world(seed)
    objectives = replace(PRODUCTION, detection_and_decision_s=float(seed % 3) * 10)
    interval = rto(world.history, objectives)
    found = phases(world.history, objectives)

    assert found[0].began_s == 0.0
    for earlier, later in pairwise(found):
        assert earlier.ended_s == later.began_s
        assert later.ended_s >= later.began_s
    if interval is not None and interval.high_s is not None:
        assert found[-1].ended_s == pytest.approx(interval.high_s, abs=0.010)


@given(seed=seeds)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_the_same_record_gives_the_same_bytes(seed: int) -> None:
    def text() -> str:
        history = data_world(seed).history
        return as_text(build(history, PRODUCTION, find(history, PRODUCTION)))

    assert text() == text()
