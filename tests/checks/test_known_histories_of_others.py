"""Histories that have fooled such tools, beyond a restore in place: failovers, regions, corruptions, copies.

One test a history; `test_known_histories.py` has the others. The name says what happened and how it has to end.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from drills.checks.assertions import assertions_hold
from drills.checks.data_lost import acknowledged_data_lost_within_the_objective, exposed, lost, rpo
from drills.checks.fencing import the_old_primary_takes_no_writes
from drills.checks.nothing_missing import nothing_is_missing_in_between_doubled_or_foreign
from drills.checks.outage import interruptions, outage
from drills.checks.rows_lost import no_acknowledged_row_was_lost
from drills.checks.service_back import rto, service_was_back_within_the_objective
from drills.checks.source_closed import the_source_was_closed
from drills.history import STANDING
from drills.history.damage import bad_commit
from drills.model import AssertionDeclared, AssertionRun, AttemptSort, Instant, Status
from tests.corruption_histories import DAMAGE_AT, HOURS, cut_over, seeing, table_repair
from tests.failover_histories import STANDBY, attempts, forced, written, wrote
from tests.geo_histories import REGION_LOST, lost_region, standing, standing_row
from tests.histories import (
    COPY_NAME,
    PRODUCTION,
    SOURCE,
    SOURCE_NAME,
    acked,
    edited,
    failed,
    honest,
    lacking,
    markers,
    refused,
    restored_to,
    row_of,
    server_us,
    surveys_find,
)

PASSED, FAILED, INCONCLUSIVE = Status.PASSED, Status.FAILED, Status.INCONCLUSIVE


def test_number_one_is_the_only_one_lost_and_the_bounds_do_not_cross() -> None:
    """A later marker that stands does not count as kept: only what began before the loss does."""
    early = acked(900, 0.005, 0.006, writer="b")
    run = lacking(honest(written=(*markers(), early)), ("a", 1))
    interval = lost(run)

    assert interval is not None
    assert interval.high_s is not None
    assert interval.low_s == pytest.approx(389.99)
    assert interval.high_s >= interval.low_s
    assert acknowledged_data_lost_within_the_objective(run, PRODUCTION).status is FAILED


def test_numbers_refused_in_the_middle_have_no_effect_on_any_bound() -> None:
    noise = tuple(refused(900 + n, 99.0 + n, 99.1 + n) for n in range(20))
    run = honest(written=(*markers(), *noise))

    assert (lost(run), exposed(run)) == (lost(honest()), exposed(honest()))


def test_old_primary_acknowledges_for_five_seconds_after_the_fault_and_the_last_are_missing_is_failed() -> (
    None
):
    run = forced(written(until=105.5))
    last = {(m.writer, m.number) for m in run.acked if 104.7 <= m.began < 105.5}

    assert no_acknowledged_row_was_lost(lacking(run, *last), PRODUCTION).status is FAILED


def test_old_primary_paused_with_a_write_that_it_acknowledges_after_the_survey_is_failed() -> None:
    paused = acked(9000, 100.48, 168.0)
    run = edited(forced(), markers=(*forced().markers, paused))

    assert no_acknowledged_row_was_lost(run, PRODUCTION).status is FAILED


def test_an_honest_answer_from_the_old_primary_after_the_first_good_attempt_is_no_fencing_failure() -> None:
    late = wrote(9000, 107.9, SOURCE, took=0.62, sort=AttemptSort.OLD, session=1)
    run = edited(forced(), attempts=(*forced().attempts, late))

    assert the_old_primary_takes_no_writes(run, PRODUCTION).status is PASSED


def test_both_surveys_reach_the_old_primary_so_that_nothing_was_lost_cannot_be_said() -> None:
    run = edited(forced(), surveys=tuple(replace(s, identity=SOURCE) for s in forced().surveys))

    assert no_acknowledged_row_was_lost(run, PRODUCTION).status is INCONCLUSIVE


def test_the_copys_own_job_writes_a_lost_number_again_which_is_a_stranger_and_is_lost() -> None:
    run = restored_to(honest(), 100.0)
    gone = next(m for m in run.acked if m.began > 200.0)
    again = replace(row_of(gone), server_time_us=server_us(900.0), xid=7)
    found = surveys_find(run, lambda _: True, again)

    assert again in tuple(found.strangers())
    assert lost(found) == lost(run)
    assert nothing_is_missing_in_between_doubled_or_foreign(found, PRODUCTION).status is FAILED


def test_one_refused_probe_after_the_first_good_one_moves_the_upper_bound_only() -> None:
    flapped = edited(honest(), attempts=(*honest().attempts, failed(9000, 741.2)))
    third = replace(flapped.surveys[1], began=Instant(776.0), ended=Instant(777.0))
    longer = edited(flapped, surveys=(*flapped.surveys, third))
    plain, moved = rto(honest(), PRODUCTION), rto(longer, PRODUCTION)

    assert plain is not None
    assert moved is not None
    assert moved.low_s == plain.low_s
    assert moved.high_s is None or (plain.high_s is not None and moved.high_s > plain.high_s)


def test_one_refused_attempt_a_minute_before_a_failover_of_two_seconds_is_an_outage_of_two_seconds() -> None:
    early = replace(failed(9000, 42.0))
    tries = (*attempts(began=30.0, fault=100.0, back=102.0, every=0.1), early)
    run = edited(forced(), attempts=tries)
    interval = outage(run, AttemptSort.NEW)

    assert interval is not None
    assert interval.high_s is not None
    assert interval.low_s <= 2.0 <= interval.high_s <= 2.3
    assert [i.attempts for i in interruptions(run, AttemptSort.NEW)] == [1]


def test_writes_that_hang_for_a_second_and_are_then_acknowledged_by_the_new_primary_are_an_outage() -> None:
    before = [wrote(n, n * 0.1, SOURCE) for n in range(100)]
    hung = [wrote(200 + n, 10.0 + n * 0.1, STANDBY, took=1.0 - n * 0.1) for n in range(10)]
    interval = outage(edited(forced(), attempts=(*before, *hung)), AttemptSort.NEW)

    assert interval is not None
    assert interval.high_s is not None
    assert interval.high_s >= 1.0


def test_a_copy_that_takes_writes_after_seven_minutes_and_a_table_repaired_after_three_hours_is_failed() -> (
    None
):
    run = table_repair(repaired_at=DAMAGE_AT + 3 * 3600.0, every=10.0)
    interval = rto(run, PRODUCTION)

    assert interval is not None
    assert interval.low_s == pytest.approx(3 * 3600.0, abs=30.0)
    assert service_was_back_within_the_objective(run, PRODUCTION).status is FAILED


def test_an_attempt_during_the_damaging_commit_that_still_reads_a_whole_table_does_not_count() -> None:
    whole = replace(wrote(9000, DAMAGE_AT + 0.01, SOURCE), right=True)
    run = edited(table_repair(), attempts=(*table_repair().attempts, whole))

    assert rto(run, HOURS) == rto(table_repair(), HOURS)


def test_damage_found_after_forty_minutes_and_a_cut_over_to_the_point_before_it_costs_forty_minutes() -> None:
    run = cut_over(closed_at=DAMAGE_AT + 2400.0)
    interval = rpo(run, PRODUCTION)

    assert interval is not None
    assert interval.low_s == pytest.approx(2401.0, abs=1.0)
    assert acknowledged_data_lost_within_the_objective(run, PRODUCTION).status is FAILED


def test_a_source_that_acknowledges_on_a_held_session_until_long_after_the_closing_was_not_closed() -> None:
    run = cut_over(session_1_until=770.0)

    assert the_source_was_closed(run, HOURS).status is FAILED


def test_damage_visible_two_seconds_after_its_commit_has_its_clean_point_before_the_commit() -> None:
    """The markers between wait for the standby as well, and are answered when it confirms."""
    visible_at = DAMAGE_AT + 2.0
    held_up = tuple(
        acked(m.number, m.began, visible_at, writer=m.writer, server_at=m.began + 0.005)
        if DAMAGE_AT <= m.began < visible_at
        else m
        for m in markers(ended=500.0)
    )
    run = cut_over()
    assert run.damage is not None
    commit = bad_commit(seeing(held_up, visible_at=visible_at), run.damage)

    assert commit.earliest_us is not None
    assert commit.earliest_us < server_us(DAMAGE_AT)
    assert commit.latest_us is not None
    assert commit.latest_us >= server_us(visible_at)


def test_a_crons_standing_marker_came_back_with_the_copy_and_the_heartbeats_clock_is_slow() -> None:
    """No stranger, and no 20 s in any bound."""
    slow = edited(lost_region(), standing=standing(heartbeat_slow_s=20.0))
    beating = replace(standing_row(standing().rows[-1]), number=61, server_time_us=server_us(820.0))
    run = surveys_find(slow, lambda _: True, beating)

    assert not [row for row in run.strangers() if row.run_id == STANDING]
    assert nothing_is_missing_in_between_doubled_or_foreign(run, REGION_LOST).status is PASSED
    assert rpo(run, REGION_LOST) == rpo(lost_region(), REGION_LOST)


def test_zep_comes_back_with_empty_tables_and_all_markers_and_is_failed_by_the_row_counts() -> None:
    rule = AssertionDeclared("no orphan message", ("messages",))

    def asked(at: float, server: str, rows: int) -> AssertionRun:
        return AssertionRun(Instant(at), Instant(at + 0.1), server, rule.proves, 0, {"messages": rows})

    run = edited(
        honest(),
        assertions=(rule,),
        assertions_run=(asked(100.0, SOURCE_NAME, 1200), asked(760.0, COPY_NAME, 0)),
    )

    assert acknowledged_data_lost_within_the_objective(run, PRODUCTION).status is PASSED
    assert assertions_hold(run, PRODUCTION).status is FAILED
