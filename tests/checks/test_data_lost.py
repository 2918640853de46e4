from __future__ import annotations

from dataclasses import replace

import pytest

from drills.checks.data_lost import (
    acknowledged_data_lost_within_the_objective,
    exposed,
    lags,
    lost,
    rpo,
    segment_end,
)
from drills.history import History
from drills.model import Disaster, Finding, Instant, Interval, Objectives, Status
from tests.histories import (
    DISASTER_AT,
    PRODUCTION,
    RUN,
    SEGMENT_BYTES,
    acked,
    earlier,
    edited,
    honest,
    lacking,
    markers,
    paused,
    refused,
    restored_to,
    row_of,
    sampled,
    samples,
    server_us,
    surveys_find,
    unknown,
    utc_stepped,
)

ONE_MINUTE = replace(PRODUCTION, rpo_s=60.0)


def judged(history: History, objectives: Objectives = PRODUCTION) -> Finding:
    return acknowledged_data_lost_within_the_objective(history, objectives)


def of(interval: Interval | None) -> Interval:
    assert interval is not None
    return interval


def width_explained(interval: Interval) -> bool:
    assert interval.high_s is not None
    return abs(sum(p.seconds for p in interval.parts) - (interval.high_s - interval.low_s)) < 0.010


# --- passed ---------------------------------------------------------------------------------------------


def test_a_restore_that_keeps_everything_from_a_busy_archive_passes() -> None:
    finding = judged(honest())

    assert finding.status is Status.PASSED
    assert of(lost(honest())).low_s == 0.0
    assert of(lost(honest())).high_s == pytest.approx(0.5)


def test_losing_less_than_the_objective_passes_and_says_how_much() -> None:
    run = restored_to(honest(), 290.0)

    assert judged(run).status is Status.PASSED
    assert of(lost(run)).low_s == pytest.approx(DISASTER_AT - 290.01)
    assert of(lost(run)).high_s == pytest.approx(DISASTER_AT - 289.5)


def test_a_write_whose_outcome_is_unknown_is_never_counted_as_lost() -> None:
    """The client was not told that the row was there, so its absence is no broken promise."""
    run = honest(written=(*markers(), unknown(900, 100.0, 110.0)))

    assert judged(run).status is Status.PASSED
    assert lost(run) == lost(honest())


def test_refused_and_unknown_numbers_in_the_middle_move_no_bound() -> None:
    noise = (
        *(unknown(900 + n, 50.0 + n) for n in range(9)),
        *(refused(950 + n, 200.0 + n, 200.1 + n) for n in range(9)),
    )
    run = honest(written=(*markers(), *noise))

    assert (lost(run), exposed(run), rpo(run, PRODUCTION)) == (
        lost(honest()),
        exposed(honest()),
        rpo(honest(), PRODUCTION),
    )


# --- failed ---------------------------------------------------------------------------------------------


def test_losing_more_than_the_objective_fails() -> None:
    run = restored_to(honest(), 60.0)

    assert judged(run).status is Status.FAILED
    assert of(lost(run)).low_s > 300.0


def test_eleven_missing_hours_fail_though_the_window_saw_none_of_them_survive() -> None:
    """Nothing of the window is there: the loss is at least the window, and nobody saw where it ends."""
    run = surveys_find(honest(), lambda row: row.run_id != RUN)

    assert judged(run).status is Status.FAILED
    assert of(lost(run)).low_s == pytest.approx(DISASTER_AT - 0.01)
    assert of(lost(run)).high_s is None


def test_a_recovered_server_without_the_database_has_lost_everything() -> None:
    run = honest()
    bare = tuple(replace(s, rows=(), database_found=False, nonce=None) for s in run.surveys)

    assert judged(edited(run, surveys=bare)).status is Status.FAILED


def test_rows_of_an_earlier_run_that_are_missing_are_lost_too() -> None:
    """They stood on the source when the inventory was taken, so what is lost is at least that old."""
    run = surveys_find(honest(), lambda row: row.run_id == RUN)

    assert judged(run).status is Status.FAILED
    assert of(lost(run)).low_s == pytest.approx(DISASTER_AT + 1.9)
    assert of(lost(run)).high_s is None


def test_number_one_alone_being_lost_dates_the_loss_to_the_beginning() -> None:
    run = lacking(honest(), ("a", 1))
    interval = of(lost(run))

    assert judged(run).status is Status.FAILED
    assert interval.low_s == pytest.approx(DISASTER_AT - 0.01)
    assert interval.high_s is None


def test_a_lost_marker_beside_one_of_another_writer_that_was_under_way_keeps_high_above_low() -> None:
    run = lacking(
        honest(written=(acked(1, 0.0, 0.4, writer="b"), acked(1, 0.1, 0.2), *markers(1.0))), ("a", 1)
    )
    interval = of(lost(run))

    assert interval.high_s is not None
    assert interval.low_s <= interval.high_s


# --- inconclusive ---------------------------------------------------------------------------------------


def test_nothing_acknowledged_before_the_disaster_is_inconclusive() -> None:
    assert judged(honest(written=())).status is Status.INCONCLUSIVE
    assert judged(honest(written=[unknown(n, float(n)) for n in range(1, 380)])).status is Status.INCONCLUSIVE


def test_without_a_disaster_nothing_can_be_said() -> None:
    assert judged(edited(honest(), disaster=None)).status is Status.INCONCLUSIVE


@pytest.mark.parametrize("kept", [0, 1])
def test_one_survey_is_not_enough(kept: int) -> None:
    run = honest()

    assert judged(edited(run, surveys=(run.surveys[kept],))).status is Status.INCONCLUSIVE


def test_surveys_of_the_source_tell_nothing_of_what_is_lost() -> None:
    """Both surveys reached the old server: it holds everything, and that is no news."""
    run = honest()
    assert run.source_nonces is not None
    reached = replace(run.source_nonces, nonces=frozenset(s.nonce for s in run.surveys if s.nonce))

    assert judged(edited(run, source_nonces=reached)).status is Status.INCONCLUSIVE


def test_two_surveys_less_than_a_switch_over_delay_apart_count_as_one() -> None:
    run = honest()
    first, second = run.surveys
    hasty = replace(second, began=Instant(first.ended + 1.0), ended=Instant(first.ended + 2.0))

    assert judged(edited(run, surveys=(first, hasty))).status is Status.INCONCLUSIVE


def test_a_marker_present_in_one_survey_and_absent_in_the_other_is_inconclusive() -> None:
    run = honest()
    first, second = run.surveys
    shrunk = replace(second, rows=second.rows[:-1])

    finding = judged(edited(run, surveys=(first, shrunk)))

    assert finding.status is Status.INCONCLUSIVE
    assert "present in one survey and absent in another" in finding.summary


def test_a_third_survey_that_contradicts_the_first_two_is_heard() -> None:
    run = honest()
    third = replace(
        run.surveys[0], began=Instant(775.0), ended=Instant(776.0), nonce="survey-3", rows=earlier()
    )

    assert judged(edited(run, surveys=(*run.surveys, third))).status is Status.INCONCLUSIVE


def test_survivors_of_a_living_source_do_not_hide_an_archive_that_holds_nothing_of_the_window() -> None:
    """Archive ten minutes behind, nothing of the window in it, and the service flushed the living source."""
    behind = edited(honest(), samples=tuple(sampled(0.5 + n, field=None) for n in range(390)))

    assert judged(behind).status is Status.INCONCLUSIVE
    assert exposed(behind) == Interval(0.0, None, ())
    assert lost(behind) == lost(honest())


def test_an_archive_that_was_not_read_is_inconclusive() -> None:
    finding = judged(edited(honest(), samples=()))

    assert finding.status is Status.INCONCLUSIVE
    assert "0 readings" in finding.summary


def test_nine_readings_of_the_archive_are_too_few() -> None:
    assert judged(edited(honest(), samples=samples()[-9:])).status is Status.INCONCLUSIVE


def test_readings_that_leave_most_of_the_window_unwatched_are_none() -> None:
    assert judged(edited(honest(), samples=samples()[-60:])).status is Status.INCONCLUSIVE


def test_an_unreadable_archive_passes_on_survivors_only_where_the_profile_says_so_in_a_sentence() -> None:
    accepting = replace(PRODUCTION, unreadable_archive_accepted="the service hides its archiver from us")
    finding = judged(edited(honest(), samples=()), accepting)

    assert finding.status is Status.PASSED
    assert "the service hides its archiver from us" in finding.summary


def test_an_accepted_unreadable_archive_does_not_excuse_one_that_was_read_and_lagged() -> None:
    accepting = replace(ONE_MINUTE, unreadable_archive_accepted="hidden")
    lagging = edited(honest(), samples=samples(behind=120.0))

    assert judged(lagging, accepting).status is Status.INCONCLUSIVE


def test_a_lag_seen_earlier_in_the_window_spoils_a_disaster_that_fell_just_after_a_segment() -> None:
    """The archive was 380 s behind, and D falls 10 s after it caught up."""
    late = tuple(sampled(0.5 + n, field=None) for n in range(380))
    caught_up = (sampled(381.0), sampled(385.0), sampled(389.5))
    finding = judged(edited(honest(), samples=(*late, *caught_up)))

    assert finding.status is Status.INCONCLUSIVE
    assert "another moment of the window" in finding.summary


def test_an_excess_of_the_lag_of_less_than_five_percent_is_a_sentence_and_no_more() -> None:
    objectives = replace(PRODUCTION, rpo_s=58.0)
    run = honest()
    finding = judged(run, objectives)

    assert 58.0 < (lags(run).max_s or 0.0) < 58.0 * 1.05
    assert finding.status is Status.PASSED
    assert "beyond the objective of 58.00 s at" in finding.summary


def test_an_accepted_lag_is_printed_and_passes_by_its_interval() -> None:
    objectives = replace(PRODUCTION, rpo_s=40.0, archive_lag_accepted="the owner accepts a minute")
    finding = judged(honest(), objectives)

    assert finding.status is Status.PASSED
    assert "the owner accepts a minute" in finding.summary


def test_a_segment_archived_between_the_last_reading_and_the_request_counts_as_not_archived() -> None:
    run = honest()
    late_reading = edited(run, samples=(*samples(ended=330.0), sampled(389.6)))
    before, after = (
        exposed(run),
        exposed(edited(late_reading, disaster=Disaster(Instant(389.0), Instant(389.0)))),
    )

    assert of(before).high_s == pytest.approx(30.5)
    assert of(after).high_s == pytest.approx(389.0 - 299.5)


def test_a_failover_of_the_source_inside_the_window_is_inconclusive() -> None:
    run = honest()
    moved = tuple(
        replace(m, row=replace(m.row, timeline=2)) if m.row and m.began > 200 else m for m in run.markers
    )

    assert judged(edited(run, markers=moved)).status is Status.INCONCLUSIVE
    assert exposed(edited(run, markers=moved)).high_s != exposed(run).high_s  # type: ignore[union-attr]


def test_a_request_for_a_point_before_the_disaster_makes_the_loss_our_own() -> None:
    """A false alarm is the second worst defect: what we did not ask for cannot be missed."""
    run = restored_to(honest(), 60.0)
    assert run.request is not None
    hasty = edited(run, request=replace(run.request, point_us=server_us(60.0)))

    assert judged(hasty).status is Status.INCONCLUSIVE


def test_a_request_sent_before_the_disaster_contradicts_the_record() -> None:
    run = honest()
    assert run.request is not None

    assert (
        judged(edited(run, request=replace(run.request, began=Instant(380.0)))).status is Status.INCONCLUSIVE
    )


def test_an_objective_inside_the_interval_is_inconclusive() -> None:
    assert (
        judged(restored_to(honest(), 290.0), replace(PRODUCTION, rpo_s=100.2)).status is Status.INCONCLUSIVE
    )


# --- clocks ---------------------------------------------------------------------------------------------


def test_a_step_of_utc_widens_both_bounds_and_is_said() -> None:
    run = utc_stepped(restored_to(honest(), 80.0), 200.0, -40.0)
    interval, finding = of(lost(run)), judged(run)

    assert judged(restored_to(honest(), 80.0)).status is Status.FAILED
    assert interval.low_s == pytest.approx(DISASTER_AT - 80.01 - 40.0)
    assert interval.high_s == pytest.approx(DISASTER_AT - 79.5)
    assert finding.status is Status.INCONCLUSIVE
    assert "the clocks disagree" in finding.summary
    assert width_explained(interval)


def test_a_pause_that_only_the_date_saw_widens_the_upper_bound() -> None:
    run = paused(restored_to(honest(), 290.0), 300.0, 250.0)

    assert of(lost(run)).high_s == pytest.approx(DISASTER_AT - 289.5 + 250.0, abs=1.1)
    assert judged(run).status is Status.INCONCLUSIVE


# --- figures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0.2, 30.0, 100.25, 389.9])
def test_the_parts_add_up_to_the_width(at: float) -> None:
    run = restored_to(honest(), at)

    for interval in (lost(run), exposed(run), rpo(run, PRODUCTION)):
        assert interval is not None
        assert interval.high_s is None or width_explained(interval)


def test_a_disaster_known_to_a_bracket_only_widens_the_interval_by_the_bracket() -> None:
    run = edited(restored_to(honest(), 290.0), disaster=Disaster(Instant(389.9), Instant(390.05)))
    interval = of(lost(run))

    assert interval.low_s == pytest.approx(389.9 - 290.01)
    assert interval.high_s == pytest.approx(390.05 - 289.5)
    assert width_explained(interval)


@pytest.mark.parametrize(
    "field",
    [
        None,
        "000000010000000000000007.00000028.backup",
        "000000010000000000000007.partial",
        "00000002.history",
        "00000001000000000000000",
    ],
)
def test_what_is_no_segment_is_no_position(field: str | None) -> None:
    assert segment_end(sampled(1.0, field=field)) is None


def test_a_segment_ends_where_the_next_begins() -> None:
    assert segment_end(sampled(1.0, field="0000000100000002000000FF")) == 3 * 2**32
    assert segment_end(sampled(1.0, field="000000010000000000000000")) == SEGMENT_BYTES


def test_a_segment_of_another_timeline_is_no_position_of_this_one() -> None:
    foreign = tuple(replace(s, segment=f"00000009{(s.segment or '')[8:]}") for s in samples())

    assert exposed(edited(honest(), samples=foreign)) == Interval(0.0, None, ())


def test_what_was_certainly_not_archived_gives_a_lower_bound() -> None:
    """A whole segment is left for what was archived and not counted yet, here all beyond 300 + 60 s."""
    assert of(exposed(honest())).low_s == 0.0
    stuck = edited(honest(), samples=(*samples(behind=200.0), sampled(391.0, archived_at=185.0)))

    assert of(exposed(stuck)).low_s == pytest.approx(DISASTER_AT - 240.0, abs=0.6)
    assert of(exposed(stuck)).high_s == pytest.approx(DISASTER_AT - 180.0, abs=0.6)


def test_the_lag_is_the_age_of_the_oldest_acknowledged_marker_that_was_not_archived() -> None:
    seen = lags(honest())

    assert len(seen.at_samples_s) == 390
    assert seen.max_s == pytest.approx(59.5, abs=0.6)
    assert seen.share_beyond(300.0) == 0.0


def test_an_acknowledged_marker_that_ended_after_the_disaster_is_not_owed() -> None:
    late = acked(900, 389.95, 390.05)
    run = lacking(honest(written=(*markers(), late)), ("a", 900))

    assert lost(run) == lost(honest())


def test_a_row_with_other_values_is_not_the_marker() -> None:
    run = honest()
    strange = replace(row_of(run.acked[-1]), xid=3)
    changed = surveys_find(
        lacking(run, (run.acked[-1].writer, run.acked[-1].number)), lambda _: True, strange
    )

    assert of(lost(changed)).low_s > 0
