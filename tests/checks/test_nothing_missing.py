from __future__ import annotations

import time
from dataclasses import replace

import pytest

from drills.checks.nothing_missing import holes, nothing_is_missing_in_between_doubled_or_foreign
from drills.history import History
from drills.model import Finding, Instant, InventoryTaken, MarkerWritten, Status
from drills.verdict import find
from tests.histories import (
    PRODUCTION,
    RUN,
    acked,
    edited,
    honest,
    lacking,
    markers,
    refused,
    restored_to,
    row_of,
    surveys_find,
    unknown,
)


def judged(history: History) -> Finding:
    return nothing_is_missing_in_between_doubled_or_foreign(history, PRODUCTION)


def seen_by(marker: MarkerWritten, snapshot: str) -> MarkerWritten:
    assert marker.row is not None
    return replace(marker, row=replace(marker.row, snapshot=snapshot))


# --- passed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["latest", "chosen"])
def test_all_that_was_written_until_the_restore_ended_passes(variant: str) -> None:
    assert judged(honest(variant)).status is Status.PASSED


def test_losing_the_end_is_no_hole() -> None:
    assert judged(restored_to(honest(), 200.0)).status is Status.PASSED


def test_a_marker_under_way_while_a_later_one_was_begun_may_be_absent() -> None:
    """It began earlier and ended later: nobody can say which of the two was committed first."""
    long_one = acked(900, 388.0, 391.0, server_at=390.9)
    run = honest(written=(*markers(), long_one))

    assert judged(lacking(run, ("a", 900))).status is Status.PASSED


def test_an_unknown_marker_may_be_there_or_not() -> None:
    run = honest(written=(*markers(), unknown(900, 100.0)))

    assert judged(run).status is Status.PASSED
    assert judged(surveys_find(run, lambda _: True, row_of(run.markers[-1]))).status is Status.PASSED


# --- failed ---------------------------------------------------------------------------------------------


def test_one_acknowledged_marker_missing_in_the_middle_is_a_hole() -> None:
    run = lacking(honest(), ("b", 200))

    assert judged(run).status is Status.FAILED
    assert [(m.writer, m.number) for m in holes(run)] == [("b", 200)]


def test_the_first_marker_of_all_can_be_a_hole() -> None:
    assert judged(lacking(honest(), ("a", 1))).status is Status.FAILED


def test_a_hole_below_a_chosen_point_is_one_too() -> None:
    assert judged(lacking(honest("chosen"), ("b", 200))).status is Status.FAILED


def test_an_unknown_marker_that_is_there_shows_what_should_be_there_before_it() -> None:
    late = unknown(900, 389.9)
    run = honest(written=(*markers(ended=380.0), late))
    there = surveys_find(lacking(run, ("b", 380)), lambda _: True, row_of(late))

    assert [(m.writer, m.number) for m in holes(there)] == [("b", 380)]


def test_a_marker_that_a_present_one_had_seen_is_a_hole_though_they_overlapped() -> None:
    """Acknowledged late, and yet committed before the snapshot of the other was taken."""
    absent = acked(900, 388.0, 390.9, server_at=388.5)
    assert absent.row is not None
    xid = absent.row.xid
    present = seen_by(acked(901, 389.0, 389.1), f"{xid + 1}:{xid + 1}:")
    run = honest(written=(*markers(ended=380.0), absent, present))

    assert holes(lacking(run, ("a", 900))) == (absent,)


@pytest.mark.parametrize(
    ("snapshot", "is_hole"),
    [
        ("{x}:{x}:", False),  # it ends below: not yet begun
        ("{x}:{above}:{x}", False),  # under way, and listed
        ("{below}:{above}:{below},{x}", False),
        ("{below}:{above}:{below}", True),  # above xmin, below xmax, not listed: finished
        ("{above}:{above}:", True),
    ],
)
def test_what_a_snapshot_sees(snapshot: str, is_hole: bool) -> None:
    absent = acked(900, 388.0, 390.9, server_at=388.5)
    assert absent.row is not None
    xid = absent.row.xid
    present = seen_by(acked(901, 389.0, 389.1), snapshot.format(x=xid, below=xid - 1, above=xid + 1))
    run = honest(written=(*markers(ended=380.0), absent, present))

    assert bool(holes(lacking(run, ("a", 900)))) == is_hole


def test_several_snapshots_of_which_one_sees_it_are_enough() -> None:
    absent = acked(900, 388.0, 390.9, server_at=388.5)
    assert absent.row is not None
    xid = absent.row.xid
    blind = tuple(seen_by(acked(901 + n, 389.0, 389.1), f"{xid}:{xid + 9}:{xid}") for n in range(3))
    sees = seen_by(acked(950, 389.2, 389.3), f"{xid}:{xid + 9}:{xid + 1}")

    assert not holes(lacking(honest(written=(absent, *blind)), ("a", 900)))
    assert holes(lacking(honest(written=(absent, *blind, sees)), ("a", 900)))


def test_a_number_that_nobody_attempted_is_a_stranger() -> None:
    run = surveys_find(honest(), lambda _: True, row_of(acked(5000, 100.0, 100.1)))

    assert judged(run).status is Status.FAILED


def test_a_row_of_a_run_that_the_inventory_does_not_know_is_a_stranger() -> None:
    run = surveys_find(honest(), lambda _: True, row_of(acked(1, 100.0, 100.1), "a-run-nobody-knows"))

    assert judged(run).status is Status.FAILED


def test_a_copy_that_writes_a_lost_number_again_is_caught_twice() -> None:
    """The copy's own job writes number 1001 again; the acknowledged one was lost."""
    run = honest()
    again = replace(
        row_of(next(m for m in run.markers if (m.writer, m.number) == ("a", 100))), server_time_us=1
    )
    changed = surveys_find(lacking(run, ("a", 100)), lambda _: True, again)
    finding = judged(changed)

    assert finding.status is Status.FAILED
    assert (finding.measured["strangers"], finding.measured["holes"]) == (1, 1)


def test_a_marker_that_is_there_twice_fails() -> None:
    run = honest()
    finding = judged(surveys_find(run, lambda _: True, row_of(run.markers[7])))

    assert finding.status is Status.FAILED
    assert finding.measured["duplicated"] == 1


def test_a_refused_marker_that_is_there_all_the_same_fails() -> None:
    no = refused(900, 100.0, 100.1)
    run = honest(written=(*markers(), no))

    assert judged(run).status is Status.PASSED
    assert judged(surveys_find(run, lambda _: True, row_of(no))).status is Status.FAILED


def test_rows_of_an_earlier_run_that_are_missing_fail() -> None:
    assert (
        judged(surveys_find(honest(), lambda row: row.run_id == RUN or row.number == 1)).status
        is Status.FAILED
    )


# --- inconclusive ---------------------------------------------------------------------------------------


def test_nothing_observed_is_inconclusive() -> None:
    assert judged(edited(honest(), surveys=())).status is Status.INCONCLUSIVE
    assert judged(honest(written=())).status is Status.INCONCLUSIVE
    assert judged(edited(honest(), inventory=None)).status is Status.INCONCLUSIVE


def test_where_nothing_is_left_there_is_no_in_between() -> None:
    assert judged(surveys_find(honest(), lambda row: row.run_id != RUN)).status is Status.INCONCLUSIVE


def test_a_marker_that_only_one_survey_found_is_inconclusive() -> None:
    run = honest()
    first, second = run.surveys

    assert (
        judged(edited(run, surveys=(first, replace(second, rows=second.rows[:-1])))).status
        is Status.INCONCLUSIVE
    )


def test_more_rows_of_an_earlier_run_than_the_inventory_found_cannot_be_explained() -> None:
    more = row_of(acked(3, -8000.0, -7999.9), "an-earlier-run")

    assert judged(surveys_find(honest(), lambda _: True, more)).status is Status.INCONCLUSIVE


def test_without_an_inventory_rows_of_other_runs_are_no_strangers_and_no_pass() -> None:
    run = edited(honest(), inventory=None)

    assert not list(run.strangers())


def test_an_inventory_of_an_empty_source_is_an_inventory() -> None:
    run = surveys_find(honest(), lambda row: row.run_id == RUN)
    empty = InventoryTaken(Instant(-2.0), Instant(-1.9), {})

    assert judged(edited(run, inventory=empty)).status is Status.PASSED


# --- scale ----------------------------------------------------------------------------------------------


def test_a_hundred_and_forty_four_thousand_markers_are_judged_in_seconds() -> None:
    """Ten a second for four hours; the worst case for holes is a late edge with many transactions under way."""
    written = markers(0.0, 14_400.0, spacing=0.1, latency=0.05)
    busy = tuple(
        replace(
            m,
            row=replace(
                m.row,
                snapshot=f"{m.row.xid - 60}:{m.row.xid + 1}:{','.join(str(m.row.xid - n) for n in range(60, 0, -3))}",
            ),
        )
        for m in written
        if m.row is not None
    )
    run = restored_to(honest("chosen", written=busy), 7000.0)
    began = time.process_time()  # a busy machine judges no slower

    findings = find(run, PRODUCTION)

    assert time.process_time() - began < 5.0
    assert len(run.markers) == 144_000
    assert len(findings) == 5
