from __future__ import annotations

from dataclasses import replace

import pytest

from drills.checks.rows_lost import no_acknowledged_row_was_lost, unwatched_s
from drills.history import History
from drills.model import AttemptSort, Finding, Outcome, RepairCompared, Status
from tests.corruption_histories import HOURS, table_repair
from tests.failover_histories import FAULT_AT, STANDBY, forced, taken_by, written, wrote
from tests.histories import PRODUCTION, RUN, SOURCE, acked, edited, failed, lacking, surveys_find


def judged(history: History) -> Finding:
    return no_acknowledged_row_was_lost(history, PRODUCTION)


def with_marker(history: History, *more: object) -> History:
    return edited(history, markers=(*history.markers, *more))


# --- a failover -----------------------------------------------------------------------------------------


def test_a_failover_that_keeps_every_acknowledged_row_passes_and_says_what_was_not_watched() -> None:
    finding = judged(forced())

    assert finding.status is Status.PASSED
    assert "no acknowledged marker was lost; the last 100 ms were not watched" in finding.summary


def test_one_lost_row_fails() -> None:
    assert judged(lacking(forced(), ("b", 300))).status is Status.FAILED


def test_what_the_old_primary_acknowledged_after_the_fault_counts() -> None:
    """It goes on for five seconds, and the standby lacks its last 0.8 s."""
    run = forced(written(until=105.0))
    owed = {(m.writer, m.number) for m in run.acked if 104.2 <= m.began < 105.0}

    assert judged(lacking(run, *owed)).status is Status.FAILED


def test_a_paused_primary_that_acknowledges_after_the_survey_has_lost_the_row_all_the_same() -> None:
    late = acked(9000, 100.45, 165.0)

    assert judged(with_marker(forced(), late)).status is Status.FAILED


def test_what_the_new_primary_acknowledged_after_the_survey_is_owed_to_nobody_yet() -> None:
    after = taken_by(STANDBY, acked(9000, 165.0, 165.1))

    assert judged(with_marker(forced(), after)).status is Status.PASSED


def test_what_the_new_primary_acknowledged_before_the_survey_and_lacks_is_lost() -> None:
    before = taken_by(STANDBY, acked(9000, 120.0, 120.1))

    assert judged(with_marker(forced(), before)).status is Status.FAILED


def test_an_acknowledgement_that_did_not_wait_for_the_standby_promises_nothing() -> None:
    """The marker is absent, which breaks no promise; that others wrote like that cannot be excluded."""
    local = acked(9000, 100.3, 100.31)
    assert local.row is not None
    run = with_marker(forced(), replace(local, row=replace(local.row, synchronous_commit="local")))

    assert judged(run).status is Status.INCONCLUSIVE
    assert "synchronous_commit" in judged(run).summary


def test_surveys_of_the_old_primary_tell_nothing() -> None:
    run = forced()
    strayed = tuple(replace(s, identity=SOURCE) for s in run.surveys)

    assert judged(edited(run, surveys=strayed)).status is Status.INCONCLUSIVE


def test_without_a_single_acknowledged_marker_nothing_is_shown() -> None:
    run = forced()
    nothing = tuple(replace(m, outcome=Outcome.UNKNOWN, row=None) for m in run.markers)

    assert judged(edited(run, markers=nothing)).status is Status.INCONCLUSIVE


def test_a_row_present_in_one_survey_only_is_inconclusive() -> None:
    run = forced()
    first, second = run.surveys
    key = ("a", 100)
    lacks = replace(second, rows=tuple(r for r in second.rows if (r.writer, r.number) != key))

    assert judged(edited(run, surveys=(first, lacks))).status is Status.INCONCLUSIVE


# --- how late the markers went on -----------------------------------------------------------------------


def test_markers_that_stop_a_second_before_the_end_show_too_little() -> None:
    run = forced(written(until=99.5))

    assert judged(run).status is Status.INCONCLUSIVE
    assert unwatched_s(run) == pytest.approx(FAULT_AT - 99.4)


def test_a_refusal_after_which_the_old_primary_went_on_is_no_end() -> None:
    """One attempt is refused at 40 s, the writers die right then, and the old primary goes on for a minute.

    The markers reach to within a period of that refusal, and say nothing of the minute after it.
    """
    markers = tuple(m for m in forced().markers if m.began < 40.0 or m.began >= 108.0)
    refused = failed(9000, 40.05)
    run = edited(forced(), markers=markers, attempts=(*forced().attempts, refused))

    assert judged(run).status is Status.INCONCLUSIVE
    assert (unwatched_s(run) or 0.0) > 60.0


def test_where_nothing_was_refused_the_first_write_on_the_new_timeline_is_the_end() -> None:
    run = forced()
    clean = tuple(a for a in run.attempts if a.acknowledged and run.sort_of(a) is not AttemptSort.OLD)
    markers = tuple(m for m in run.markers if m.outcome is Outcome.ACKED)
    straight = edited(run, attempts=(*clean, wrote(9001, 100.55, STANDBY)), markers=markers)

    assert unwatched_s(straight) == pytest.approx(0.15)
    assert judged(straight).status is Status.PASSED


def test_nobody_who_saw_the_old_timeline_fall_silent_is_inconclusive() -> None:
    run = forced()
    old = tuple(m for m in run.markers if m.row is not None and m.row.timeline == 1)

    assert judged(edited(run, markers=old, attempts=())).status is Status.INCONCLUSIVE
    assert unwatched_s(edited(run, source_identified=None, markers=())) is None


# --- a repair -------------------------------------------------------------------------------------------


def repaired(history: History) -> Finding:
    return no_acknowledged_row_was_lost(history, HOURS)


def test_a_repair_that_keeps_every_good_write_passes_and_lists_what_was_set_aside() -> None:
    finding = repaired(table_repair())

    assert finding.status is Status.PASSED
    assert "set aside for a person to decide: facts 77" in finding.summary


def test_a_good_write_that_the_repair_undid_fails() -> None:
    run = table_repair()
    overwritten = replace(run.repairs[0], overwritten=("facts 5",))
    missing = replace(run.repairs[0], missing=("facts 5",))

    assert repaired(edited(run, repairs=(overwritten,))).status is Status.FAILED
    assert repaired(edited(run, repairs=(missing,))).status is Status.FAILED


def test_a_marker_that_the_repair_lost_fails() -> None:
    assert repaired(lacking(table_repair(), ("a", 500))).status is Status.FAILED


def test_a_repair_of_which_nobody_compared_a_good_write_is_inconclusive() -> None:
    run = table_repair()
    none: tuple[RepairCompared, ...] = (replace(run.repairs[0], compared=0),)

    assert repaired(edited(run, repairs=none)).status is Status.INCONCLUSIVE
    assert repaired(edited(run, repairs=())).status is Status.INCONCLUSIVE
    assert repaired(edited(run, damage=None)).status is Status.INCONCLUSIVE


def test_a_source_whose_rows_are_all_gone_fails() -> None:
    assert repaired(surveys_find(table_repair(), lambda row: row.run_id != RUN)).status is Status.FAILED
