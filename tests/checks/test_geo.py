"""The loss of a region: how old the copy was, where it came back, and the standing markers that reach farther."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drills.checks.data_lost import acknowledged_data_lost_within_the_objective, lags, rpo
from drills.checks.nothing_missing import nothing_is_missing_in_between_doubled_or_foreign, standing_holes
from drills.checks.recovered_server import the_server_that_answered_is_the_recovered_one
from drills.checks.right_region import the_recovered_server_is_in_the_right_region
from drills.checks.service_back import service_was_back_within_the_objective
from drills.history import STANDING, History
from drills.history.standing import written
from drills.model import Instant, Interval, Lsn, Objectives, SourceAskedInVain, Status
from drills.verdict import findings_of
from tests.geo_histories import (
    DECLARED,
    OPERATION_ENDED_AT,
    REGION_LOST,
    REQUEST_AT,
    lost_region,
    standing,
    standing_row,
    started_after,
    without_beats,
)
from tests.histories import (
    COPY,
    PRODUCTION,
    RUN,
    SEGMENT_BYTES,
    edited,
    honest,
    lsn,
    restored_to,
    row_of,
    sampled,
    server_us,
    surveys_find,
    utc_stepped,
)

PASSED, FAILED, INCONCLUSIVE = Status.PASSED, Status.FAILED, Status.INCONCLUSIVE


def judged(history: History, objectives: Objectives = REGION_LOST) -> Status:
    return acknowledged_data_lost_within_the_objective(history, objectives).status


def lost(history: History) -> Interval:
    interval = rpo(history, REGION_LOST)
    assert interval is not None
    if interval.high_s is not None:
        width_s = sum(part.seconds for part in interval.parts)
        assert width_s == pytest.approx(interval.high_s - interval.low_s)
    return interval


def without_window(history: History) -> History:
    return surveys_find(history, lambda row: row.run_id != RUN)


def test_an_honest_geo_restore_raises_nothing() -> None:
    checks = (
        acknowledged_data_lost_within_the_objective,
        service_was_back_within_the_objective,
        nothing_is_missing_in_between_doubled_or_foreign,
        the_recovered_server_is_in_the_right_region,
        the_server_that_answered_is_the_recovered_one,
    )

    assert {f.status for f in findings_of(checks, lost_region(), REGION_LOST)} == {PASSED}


# --- how old the copy was -------------------------------------------------------------------------------


def test_the_loss_reaches_from_the_request_or_from_the_end_of_the_operation() -> None:
    """The service picks the newest copy at a moment between the two that nobody sees."""
    interval = lost(lost_region())

    assert interval.low_s == pytest.approx(REQUEST_AT - 200.01)
    assert interval.high_s == pytest.approx(OPERATION_ENDED_AT - 199.5)
    assert {part.name for part in interval.parts} >= {"operation"}


def test_a_copy_older_than_the_objective_fails() -> None:
    assert judged(lost_region(), replace(REGION_LOST, rpo_s=150.0)) is FAILED
    assert judged(lost_region(), replace(REGION_LOST, rpo_s=400.0)) is INCONCLUSIVE


def test_what_was_written_during_the_operation_costs_nothing_before_the_request() -> None:
    """The copy has everything until 450 s, a minute after the request."""
    whole = lost_region()
    rows = tuple(row_of(m) for m in whole.markers if m.row and m.row.server_time_us <= server_us(450.0))
    run = surveys_find(without_window(whole), lambda _: True, *rows)

    assert lost(run).low_s == 0.0
    assert lost(run).high_s == pytest.approx(OPERATION_ENDED_AT - 449.5)


def test_what_was_written_after_the_operation_is_owed_by_nobody() -> None:
    run = lost_region()

    assert all(m.ended is not None and m.ended <= OPERATION_ENDED_AT for m in run.counting)
    assert any(m.began > OPERATION_ENDED_AT for m in run.acked)


def test_an_operation_whose_end_nobody_saw_has_no_upper_bound() -> None:
    run = lost_region()
    unseen = edited(run, calls=tuple(replace(c, operation_ended=None) for c in run.calls))

    assert judged(unseen) is INCONCLUSIVE
    assert judged(edited(run, request=None)) is INCONCLUSIVE


def test_without_surveys_nothing_is_known_of_the_copy() -> None:
    assert judged(edited(lost_region(), surveys=())) is INCONCLUSIVE


# --- standing markers -----------------------------------------------------------------------------------


def test_the_heartbeat_shows_a_copy_older_than_the_window() -> None:
    """Nothing of this run is there, and the last ten minutes of the heartbeat are missing."""
    run = without_beats(without_window(lost_region()), range(51, 61))
    interval = lost(run)

    assert interval.low_s == pytest.approx(REQUEST_AT + 571.5, abs=0.3)
    assert interval.high_s == pytest.approx(OPERATION_ENDED_AT + 631.5, abs=0.3)
    assert judged(run) is PASSED
    assert judged(run, replace(REGION_LOST, rpo_s=900.0)) is FAILED


def test_without_the_heartbeat_nobody_sees_how_old_such_a_copy_is() -> None:
    run = edited(without_window(lost_region()), standing=None)

    assert lost(run).high_s is None
    assert judged(run) is INCONCLUSIVE


def test_a_heartbeat_whose_clock_is_slow_moves_no_bound() -> None:
    slow = edited(lost_region(), standing=standing(heartbeat_slow_s=20.0))

    assert lost(slow) == lost(lost_region())
    assert not tuple(slow.strangers())


def test_a_heartbeat_row_that_came_after_the_reading_is_no_stranger() -> None:
    """A cron job came back with the copy and goes on beating there."""
    later = replace(standing_row(standing().rows[-1]), number=61, server_time_us=server_us(830.0))
    run = surveys_find(lost_region(), lambda _: True, later)

    status = nothing_is_missing_in_between_doubled_or_foreign(run, REGION_LOST).status
    assert status is PASSED


def test_a_gap_in_the_heartbeat_is_a_hole() -> None:
    run = without_beats(lost_region(), [30])

    assert standing_holes(run) == (30,)
    assert nothing_is_missing_in_between_doubled_or_foreign(run, REGION_LOST).status is FAILED


def test_a_marker_of_this_run_shows_that_the_newest_beat_is_missing() -> None:
    assert standing_holes(without_beats(lost_region(), [60])) == (60,)


def test_the_end_of_the_heartbeat_may_be_missing() -> None:
    run = without_beats(without_window(lost_region()), range(51, 61))

    assert standing_holes(run) == ()


def test_a_marker_that_is_gone_while_a_later_beat_is_there_is_a_hole() -> None:
    late = standing(2, every=1.0, read_at=389.0)
    run = edited(honest(), standing=replace(late, rows=tuple(replace(r, lsn=lsn(380.0)) for r in late.rows)))
    assert run.standing is not None
    kept = surveys_find(restored_to(run, 100.0), lambda _: True, *map(standing_row, run.standing.rows))

    assert nothing_is_missing_in_between_doubled_or_foreign(kept, PRODUCTION).status is FAILED


def test_a_beat_with_another_time_is_another_row() -> None:
    run = lost_region()
    moved = tuple(
        replace(s, rows=tuple(replace(r, server_time_us=1) if r.run_id == STANDING else r for r in s.rows))
        for s in run.surveys
    )

    assert lost(edited(run, surveys=moved)).low_s > 3600.0


def test_a_reading_of_the_heartbeat_after_the_disaster_says_nothing_of_before() -> None:
    run = edited(lost_region(), standing=standing(read_at=400.0))

    assert run.standing_written == ()


def test_a_beat_lies_between_what_both_clocks_make_of_it() -> None:
    """The heartbeat's clock was stepped by 5 s after its 30th beat: its older rows are that much uncertain."""
    read = standing()
    stepped = tuple(
        replace(row, heartbeat_us=row.heartbeat_us - 5_000_000) if row.number <= 30 else row
        for row in read.rows
    )
    plain, moved = written(read), written(replace(read, rows=stepped))

    assert moved[40] == plain[40]
    assert moved[20].began == pytest.approx(plain[20].began - 5.0, abs=0.1)
    assert moved[20].ended == plain[20].ended


def test_a_beat_may_be_older_than_a_fast_clock_says() -> None:
    """Both clocks may run fast together: an hour of 200 ppm is 0.7 s, and the upper bound has to hold it."""
    first = written(standing())[0]
    sent = -1.5 - 30.0 - 60.0 * 59

    assert first.began <= sent - 0.7
    assert first.ended >= sent + 0.02 + 0.7


def test_a_beat_of_which_nobody_noted_how_long_it_took_had_ended_when_the_next_began() -> None:
    read = standing()
    silent = written(replace(read, rows=tuple(replace(r, before_took_s=None) for r in read.rows)))

    assert silent[10].ended >= silent[11].began
    assert silent[-1].ended == read.ended
    assert written(None) == ()


def test_the_lag_of_the_archive_is_seen_beyond_the_window() -> None:
    """The archive is twenty minutes behind; the window alone would say 390 s."""
    beats = standing(20)
    rows = tuple(replace(r, lsn=Lsn(SEGMENT_BYTES * (r.number + 3))) for r in beats.rows)
    behind = tuple(sampled(0.5 + n, field="000000010000000000000001") for n in range(389))
    run = edited(honest(), samples=behind, standing=replace(beats, rows=rows))

    assert (lags(run).max_s or 0.0) > 1500.0


def test_before_the_archive_names_a_segment_the_heartbeat_is_not_counted_as_unarchived() -> None:
    beats = standing(20)
    run = edited(honest(), standing=beats)
    nothing_yet = edited(run, samples=(*(sampled(0.5 + n, field=None) for n in range(5)), *run.samples[5:]))

    assert lags(nothing_yet).max_s == lags(run).max_s


# --- where it came back ---------------------------------------------------------------------------------


def region(history: History) -> Status:
    return the_recovered_server_is_in_the_right_region(history, REGION_LOST).status


def standing_in(location: str | None) -> History:
    run = lost_region()
    return edited(run, described=(run.described[0], replace(run.described[1], location=location)))


@pytest.mark.parametrize(
    ("location", "status"),
    [
        ("West US", PASSED),
        ("westus", PASSED),
        ("East US", FAILED),
        ("West US 2", FAILED),
        (None, INCONCLUSIVE),
    ],
)
def test_the_right_region_is_the_paired_one(location: str | None, status: Status) -> None:
    assert region(standing_in(location)) is status


def test_without_a_declared_or_described_region_nothing_is_shown() -> None:
    run = lost_region()

    assert region(edited(run, declared=None)) is INCONCLUSIVE
    assert region(edited(run, declared=replace(DECLARED, paired_region=None))) is INCONCLUSIVE
    assert region(edited(run, described=())) is INCONCLUSIVE
    unknown = replace(DECLARED, region=None)
    assert region(edited(run, declared=unknown, described=run.described[1:])) is INCONCLUSIVE
    assert region(edited(run, described=run.described[1:])) is PASSED


# --- a source that cannot be asked ----------------------------------------------------------------------


def unasked(history: History | None = None) -> History:
    """The source's region is really gone: it does not answer, and stopped to take markers at the request."""
    run = started_after(history or lost_region(), 700.0)
    return edited(
        run,
        source_nonces=None,
        source_asked_in_vain=SourceAskedInVain(Instant(851.0), Instant(856.0), "no route"),
        markers=tuple(m for m in run.markers if m.began < REQUEST_AT),
    )


def recovered(history: History) -> Status:
    return the_server_that_answered_is_the_recovered_one(history, REGION_LOST).status


def test_a_server_made_and_started_after_the_request_in_the_region_asked_for_is_the_recovered_one() -> None:
    run = unasked()

    assert recovered(run) is PASSED
    assert judged(run) is PASSED
    assert service_was_back_within_the_objective(run, REGION_LOST).status is PASSED


def test_nobody_who_asked_is_not_the_same_as_asked_in_vain() -> None:
    run = edited(unasked(), source_asked_in_vain=None)

    assert recovered(run) is INCONCLUSIVE
    assert judged(run) is INCONCLUSIVE


@pytest.mark.parametrize("lie", ["made before", "started before", "elsewhere", "undescribed", "undeclared"])
def test_a_server_that_was_there_before_proves_nothing(lie: str) -> None:
    run = unasked()
    before, after = run.described
    changed = {
        "made before": edited(run, described=(before, replace(after, created_us=before.created_us))),
        "started before": started_after(run, 100.0),
        "elsewhere": edited(run, described=(before, replace(after, location="East US"))),
        "undescribed": edited(run, described=(before,)),
        "undeclared": edited(run, declared=None),
    }[lie]

    assert recovered(changed) is INCONCLUSIVE
    assert judged(changed) is INCONCLUSIVE


def test_a_row_that_the_source_took_after_the_operation_is_on_no_copy() -> None:
    run = lost_region()
    late = next(m for m in run.acked if m.began > OPERATION_ENDED_AT)
    source = surveys_find(run, lambda _: True, row_of(late))
    strayed = edited(unasked(source), markers=run.markers)

    assert strayed.proven_surveys == ()
    assert recovered(strayed) is INCONCLUSIVE


def test_an_old_server_of_the_same_origin_that_answers_in_between_is_seen() -> None:
    run = unasked()
    other = replace(COPY, started_us=1)
    mixed = tuple(replace(a, identity=other) if a.number == 40 else a for a in run.attempts)

    assert recovered(edited(run, attempts=mixed)) is INCONCLUSIVE


def test_clocks_that_disagree_widen_the_loss() -> None:
    run = utc_stepped(lost_region(), 600.0, 30.0)

    assert lost(run).high_s == pytest.approx(OPERATION_ENDED_AT - 199.5 + 30.0)
