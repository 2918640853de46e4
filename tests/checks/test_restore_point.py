from __future__ import annotations

from dataclasses import replace

import pytest

from drills.checks.restore_point import one_offset_explains, the_restore_point_was_respected_on_both_sides
from drills.history import History
from drills.model import Finding, Instant, Status
from tests.histories import (
    PRODUCTION,
    RUN,
    acked,
    edited,
    honest,
    lacking,
    markers,
    row_of,
    sampled,
    samples,
    server_us,
    surveys_find,
    unknown,
)

POINT_AT = 299.7
"""The instant of the chosen point: 300 s of the source's clock, which is 0.3 s ahead."""


def judged(history: History) -> Finding:
    return the_restore_point_was_respected_on_both_sides(history, PRODUCTION)


def also_found(history: History, *more: object) -> History:
    return surveys_find(history, lambda _: True, *(row_of(m) for m in more))  # type: ignore[arg-type]


# --- passed ---------------------------------------------------------------------------------------------


def test_everything_before_the_point_and_nothing_after_it_passes_and_says_what_that_proves() -> None:
    finding = judged(honest("chosen"))

    assert finding.status is Status.PASSED
    assert "the restore ended between 2026-11-01 08:04:59.805Z" in finding.summary
    assert "2026-11-01 08:05:00.315Z" in finding.summary


def test_a_marker_that_stalled_across_the_point_decides_nothing_if_absent() -> None:
    """Its row says T − 1.1 s and it was committed at T + 0.1 s: honestly absent."""
    stalled = acked(900, POINT_AT - 1.15, POINT_AT + 0.15, server_at=POINT_AT - 1.1)
    run = honest("chosen", written=(*markers(), stalled))

    assert judged(lacking(run, ("a", 900))).status is Status.PASSED


def test_a_marker_that_stalled_across_the_point_decides_nothing_if_present() -> None:
    stalled = acked(900, POINT_AT - 1.15, POINT_AT + 0.15, server_at=POINT_AT - 1.1)

    assert judged(honest("chosen", written=(*markers(), stalled))).status is Status.PASSED


# --- failed ---------------------------------------------------------------------------------------------


def test_one_marker_committed_before_the_point_and_absent_fails() -> None:
    finding = judged(lacking(honest("chosen"), ("a", 300)))

    assert finding.status is Status.FAILED
    assert "a 300" in finding.summary


def test_one_acknowledged_row_after_the_point_fails() -> None:
    run = honest("chosen")
    later = next(m for m in run.acked if m.began > POINT_AT)

    assert judged(also_found(run, later)).status is Status.FAILED


def test_a_service_that_restores_ten_seconds_too_late_fails() -> None:
    run = honest("chosen")
    later = [m for m in run.acked if POINT_AT < m.began < POINT_AT + 10]

    assert judged(also_found(run, *later)).status is Status.FAILED


def test_a_row_after_the_point_fails_though_nobody_was_told_that_it_is_there() -> None:
    """The marker after T was UNKNOWN, and the service restored 10 s too late."""
    silent = [m for m in markers() if not POINT_AT < m.began < POINT_AT + 10.5]
    run = honest("chosen", written=(*silent, unknown(900, POINT_AT + 5.0)))

    assert judged(also_found(run, run.markers[-1])).status is Status.FAILED


def test_a_service_that_stops_too_early_fails() -> None:
    run = honest("chosen")
    early = surveys_find(run, lambda row: row.run_id != RUN or row.server_time_us <= server_us(290.0))

    assert judged(early).status is Status.FAILED


# --- inconclusive ---------------------------------------------------------------------------------------


def test_without_a_request_or_without_surveys_nothing_can_be_said() -> None:
    assert judged(edited(honest("chosen"), request=None)).status is Status.INCONCLUSIVE
    assert judged(edited(honest("chosen"), surveys=())).status is Status.INCONCLUSIVE


def test_nothing_acknowledged_is_no_boundary() -> None:
    assert judged(honest("chosen", written=())).status is Status.INCONCLUSIVE


def test_writers_that_ended_before_the_point_prove_nothing_after_it() -> None:
    assert judged(honest("chosen", written=markers(ended=POINT_AT - 0.5))).status is Status.INCONCLUSIVE


def test_writers_that_began_after_the_point_prove_nothing_before_it() -> None:
    assert judged(honest("chosen", written=markers(began=POINT_AT + 0.5))).status is Status.INCONCLUSIVE


def test_neighbours_more_than_three_seconds_apart_prove_too_little() -> None:
    """Somebody commits at T + 0.5 s and the service restores to T + 1.0 s: markers 4 s apart would not see it."""
    sparse = (*markers(ended=POINT_AT - 2.0), *markers(POINT_AT + 2.0))
    renumbered = tuple(replace(m, number=n) for n, m in enumerate(sparse, 1))
    finding = judged(honest("chosen", written=renumbered))

    assert finding.status is Status.INCONCLUSIVE
    assert "apart" in finding.summary


def test_a_service_that_had_nothing_later_proves_nothing_by_stopping() -> None:
    """Nothing later was archived: restoring all there was would look the same."""
    run = edited(honest("chosen"), samples=samples(behind=100.0))
    finding = judged(run)

    assert finding.status is Status.INCONCLUSIVE
    assert "archive" in finding.summary


def test_a_later_commit_archived_only_after_the_request_comes_too_late() -> None:
    run = edited(honest("chosen"), samples=(*samples(behind=100.0), sampled(391.0)))

    assert judged(run).status is Status.INCONCLUSIVE


def test_a_marker_whose_own_commit_record_may_lie_in_the_next_segment_is_no_later_commit() -> None:
    """Its position is read before its commit is written: only what began after its acknowledgement proves it."""
    edge = 300.0  # a segment ends here exactly
    written = (*markers(ended=299.8), acked(900, 299.9, 300.2, server_at=299.95), *markers(310.0))
    run = honest("chosen", written=[replace(m, number=n) for n, m in enumerate(written, 1)])

    assert (
        judged(
            edited(run, samples=tuple(sampled(0.5 + n, archived_at=min(0.5 + n, edge)) for n in range(390)))
        ).status
        is Status.INCONCLUSIVE
    )


def test_a_marker_that_one_survey_found_and_another_did_not_is_inconclusive() -> None:
    run = honest("chosen")
    first, second = run.surveys

    assert (
        judged(edited(run, surveys=(first, replace(second, rows=second.rows[:-1])))).status
        is Status.INCONCLUSIVE
    )


def test_a_later_row_that_only_one_survey_found_is_inconclusive() -> None:
    run = honest("chosen")
    first, second = run.surveys
    later = row_of(next(m for m in run.acked if m.began > POINT_AT))

    assert (
        judged(edited(run, surveys=(first, replace(second, rows=(*second.rows, later))))).status
        is Status.INCONCLUSIVE
    )


def test_a_violation_by_a_clock_that_was_stepped_decides_nothing() -> None:
    """The source's clock jumped back by 5 s before the point: late rows carry early times."""
    run = honest("chosen")
    stepped = tuple(
        replace(m, row=replace(m.row, server_time_us=m.row.server_time_us - 5_000_000))
        if m.row and m.began > 295
        else m
        for m in run.markers
    )
    shown = edited(run, markers=stepped)
    rows = tuple(row_of(m) for m in stepped if m.began < POINT_AT)
    finding = judged(edited(shown, surveys=tuple(replace(s, rows=rows) for s in run.surveys)))

    assert finding.status is Status.INCONCLUSIVE
    assert "no one offset" in finding.summary


def test_a_clock_that_was_stepped_far_from_the_point_keeps_even_an_honest_run_from_passing() -> None:
    run = honest("chosen")
    stepped = tuple(
        replace(m, row=replace(m.row, server_time_us=m.row.server_time_us - 5_000_000))
        if m.row and m.began < 50
        else m
        for m in run.markers
    )

    kept = tuple(row_of(m) for m in stepped if m.began < POINT_AT)
    assert (
        judged(edited(run, markers=stepped, surveys=tuple(replace(s, rows=kept) for s in run.surveys))).status
        is Status.INCONCLUSIVE
    )


# --- the offset -----------------------------------------------------------------------------------------


def drifting(ppm: float, *, latency: float = 0.01) -> list[object]:
    return [acked(n, float(n), n + latency, server_at=n + latency / 2 + n * ppm / 1e6) for n in range(1, 391)]


@pytest.mark.parametrize("ppm", [-490.0, -100.0, 0.0, 100.0, 490.0])
def test_a_clock_that_is_slewed_within_bounds_is_explained(ppm: float) -> None:
    assert one_offset_explains(drifting(ppm))  # type: ignore[arg-type]


@pytest.mark.parametrize("ppm", [-2000.0, 2000.0])
def test_a_clock_that_runs_faster_or_slower_than_one_can_slew_is_not(ppm: float) -> None:
    assert not one_offset_explains(drifting(ppm))  # type: ignore[arg-type]


@pytest.mark.parametrize("step", [-1.0, 1.0])
def test_a_step_either_way_is_not_explained(step: float) -> None:
    stepped = [
        acked(n, float(n), n + 0.01, server_at=n + 0.005 + (step if n > 200 else 0.0)) for n in range(1, 391)
    ]

    assert not one_offset_explains(stepped)


def test_any_constant_offset_is_explained_and_so_is_nothing_at_all() -> None:
    assert one_offset_explains(
        [replace(m, began=Instant(m.began - 900), ended=Instant(m.began - 899)) for m in markers()]
    )
    assert one_offset_explains([])
