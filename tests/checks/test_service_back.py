from __future__ import annotations

from dataclasses import replace

import pytest

from drills.checks.service_back import rto, service_was_back_within_the_objective
from drills.history import History
from drills.model import (
    Disaster,
    Finding,
    Instant,
    Interval,
    NoncesRead,
    Objectives,
    ProberRan,
    ProbeTried,
    Stage,
    Status,
    Waited,
    WaitedFor,
)
from tests.histories import (
    COPY,
    PRODUCTION,
    SOURCE,
    attempts,
    edited,
    failed,
    honest,
    looked,
    paused,
    surveyed,
    tried,
    utc_stepped,
)


def judged(history: History, objectives: Objectives = PRODUCTION) -> Finding:
    return service_was_back_within_the_objective(history, objectives)


def timed(history: History, objectives: Objectives = PRODUCTION) -> Interval:
    interval = rto(history, objectives)
    assert interval is not None
    return interval


def width_explained(interval: Interval) -> bool:
    assert interval.high_s is not None
    return abs(sum(p.seconds for p in interval.parts) - (interval.high_s - interval.low_s)) < 0.010


def back_at(
    at: float, *, surveys_at: tuple[float, float] | None = None, stopped: float | None = None
) -> History:
    """An honest history whose service takes writes from `at` on; attempts since 702, two a second."""
    run = honest()
    first, second = surveys_at or (at + 10, at + 42)
    end = stopped or second + 8
    rows = run.surveys[0].rows
    return edited(
        run,
        attempts=attempts(702.0, at, end),
        surveys=(surveyed(first, rows), surveyed(second, rows)),
        probers=(ProberRan("new", 0.5, 2.0, Instant(701.5), Instant(end + 0.2)),),
        source_nonces=NoncesRead(Instant(end + 1), Instant(end + 1.1), SOURCE, frozenset()),
    )


def also(history: History, *more: ProbeTried) -> History:
    """The history with further attempts, in their place."""
    return edited(history, attempts=tuple(sorted((*history.attempts, *more), key=lambda a: a.began)))


# --- passed ---------------------------------------------------------------------------------------------


def test_back_long_before_the_objective_passes() -> None:
    assert judged(honest()).status is Status.PASSED
    assert timed(honest()).high_s == pytest.approx(773.0 - 390.0)


def test_one_refused_attempt_at_the_very_end_does_not_fail_a_service_that_was_back() -> None:
    """Back at 899.9 s; one attempt at 900.2 s hits a full backlog; low ends at the last but one."""
    run = back_at(390.0 + 899.9)
    straggler = also(run, failed(9000, 390.0 + 900.2))
    low_before = timed(run).low_s

    assert judged(straggler).status is not Status.FAILED
    assert timed(straggler).low_s == pytest.approx(low_before)


def test_a_name_that_only_our_resolver_still_denied_is_not_held_against_the_service() -> None:
    run = honest()
    denied = tuple(replace(a, unresolved=True) if a.stage is Stage.NONE else a for a in run.attempts)
    only_looks = timed(edited(run, attempts=denied))

    assert only_looks.low_s < 310.0
    assert judged(edited(run, attempts=denied)).status is Status.PASSED


# --- failed ---------------------------------------------------------------------------------------------


def test_back_long_after_the_objective_fails() -> None:
    assert judged(back_at(390.0 + 960.0)).status is Status.FAILED


def test_never_back_fails_once_the_objective_has_passed() -> None:
    run = edited(back_at(2000.0), surveys=())

    assert judged(run).status is Status.FAILED
    assert timed(run).high_s is None


def test_a_control_plane_that_never_shows_an_address_fails() -> None:
    looks = tuple(looked(391.0 + 5 * n) for n in range(200))
    run = edited(honest(), attempts=(), surveys=(), probers=(), looks=looks)

    assert judged(run).status is Status.FAILED


# --- inconclusive ---------------------------------------------------------------------------------------


def test_nobody_tried_is_inconclusive() -> None:
    nobody = edited(honest(), attempts=(), looks=())

    assert judged(nobody).status is Status.INCONCLUSIVE
    assert rto(nobody, PRODUCTION) is None
    assert judged(edited(honest(), disaster=None)).status is Status.INCONCLUSIVE


def test_an_address_that_was_never_tried_is_inconclusive() -> None:
    assert judged(edited(honest(), attempts=())).status is Status.INCONCLUSIVE


def test_our_own_firewall_step_two_minutes_late_is_inconclusive_and_never_failed() -> None:
    """Server Ready at 14:00; our step begins at 16:00; the service had been ready within the objective."""
    ready, opened = 390.0 + 840.0, 390.0 + 960.0
    run = back_at(opened + 3.0)
    late = edited(run, waits=(Waited(WaitedFor.TOOL, "the firewall step", Instant(ready), Instant(opened)),))

    assert judged(run).status is Status.FAILED
    assert judged(late).status is Status.INCONCLUSIVE
    assert timed(late).low_s < 900.0
    assert width_explained(timed(late))


def test_waits_that_overlap_are_taken_off_once() -> None:
    waits = tuple(
        Waited(WaitedFor.TOOL, "a poll", Instant(at), Instant(at + 20.0)) for at in (600.0, 605.0, 610.0)
    )
    run = edited(honest(), waits=waits)

    assert timed(run).low_s == pytest.approx(729.0 - 390.0 - 30.0)
    assert width_explained(timed(run))


def test_waits_for_a_person_are_not_taken_off() -> None:
    run = edited(honest(), waits=(Waited(WaitedFor.PERSON, "an approval", Instant(600.0), Instant(700.0)),))

    assert timed(run).low_s == pytest.approx(729.0 - 390.0)


def test_a_prober_that_died_after_the_surveys_saw_no_bad_attempt() -> None:
    """Good at 300 s, surveys 302 to 310 s, the prober dies at 311 s: it never noted that it was stopped."""
    run = honest()
    died = edited(run, probers=(replace(run.probers[0], stopped=None),))
    finding = judged(died)

    assert finding.status is Status.INCONCLUSIVE
    assert "never noted" in finding.summary
    assert timed(died).high_s is None


def test_a_prober_that_died_before_the_second_survey_leaves_no_good_attempt_after_it() -> None:
    run = honest()
    died = edited(run, attempts=tuple(a for a in run.attempts if a.began < 760.0))

    assert judged(died).status is Status.INCONCLUSIVE
    assert "no attempt succeeded after" in judged(died).summary


def test_a_prober_that_held_its_breath_is_inconclusive() -> None:
    run = honest()
    gap = edited(run, attempts=tuple(a for a in run.attempts if not 745.0 < a.began < 750.0))

    assert judged(gap).status is Status.INCONCLUSIVE
    assert "made no attempt for" in judged(gap).summary


def test_a_gap_of_two_periods_and_one_limit_is_none() -> None:
    run = honest()
    gap = edited(run, attempts=tuple(a for a in run.attempts if not 745.0 < a.began < 747.9))

    assert judged(gap).status is Status.PASSED


def test_attempts_that_end_long_before_the_prober_is_stopped_are_a_gap() -> None:
    run = honest()
    late = edited(run, probers=(replace(run.probers[0], stopped=Instant(790.0)),))

    assert judged(late).status is Status.INCONCLUSIVE


def test_one_of_two_probers_that_died_is_enough() -> None:
    run = honest()
    second = ProberRan("held", 0.5, 2.0, Instant(701.5), None)

    assert judged(edited(run, probers=(*run.probers, second))).status is Status.INCONCLUSIVE


def test_no_prober_that_noted_its_pace_is_inconclusive() -> None:
    assert judged(edited(honest(), probers=())).status is Status.INCONCLUSIVE


def test_one_bad_attempt_after_the_surveys_leaves_the_end_open() -> None:
    assert judged(also(honest(), failed(9000, 775.2))).status is Status.INCONCLUSIVE


def test_an_attempt_without_an_outcome_is_bad() -> None:
    assert judged(also(honest(), failed(9000, 775.2, took=None))).status is Status.INCONCLUSIVE


def test_a_name_that_is_denied_again_after_it_had_been_resolved_is_bad() -> None:
    """It no longer is "still denied": the next client that asks would find nobody."""
    gone = also(honest(), failed(9000, 775.2, unresolved=True))

    assert judged(gone).status is Status.INCONCLUSIVE


def test_a_look_after_probing_was_over_is_no_attempt() -> None:
    """The clean-up looks as well, and finds nothing: that is what it wants."""
    run = honest()

    assert timed(edited(run, looks=(*run.looks, looked(795.0, state=None)))) == timed(run)


def test_a_control_plane_that_hides_the_address_again_is_a_bad_attempt() -> None:
    run = honest()

    assert judged(edited(run, looks=(*run.looks, looked(775.0)))).status is Status.INCONCLUSIVE


def test_writes_that_the_source_took_are_bad() -> None:
    run = honest()
    assert run.source_nonces is not None
    all_on_source = frozenset(a.nonce for a in run.attempts if a.nonce)
    led = edited(run, source_nonces=replace(run.source_nonces, nonces=all_on_source))

    assert timed(led).high_s is None
    assert judged(led).status is not Status.PASSED


def test_writes_of_which_nobody_knows_who_took_them_neither_pass_nor_fail() -> None:
    """The source could not be asked: 16 minutes of unproven writes are no outage of 16 minutes."""
    run = edited(honest(), source_nonces=None, attempts=attempts(702.0, 730.0, 2000.0))

    assert judged(run).status is Status.INCONCLUSIVE
    assert timed(run).low_s < 350.0


def test_a_write_after_the_source_was_asked_is_unproven() -> None:
    run = honest()
    asked_early = edited(run, source_nonces=NoncesRead(Instant(735.0), Instant(735.1), SOURCE, frozenset()))

    assert judged(asked_early).status is Status.INCONCLUSIVE


def test_a_server_in_recovery_or_of_another_origin_is_not_the_recovered_one() -> None:
    for wrong in (replace(COPY, in_recovery=True), replace(COPY, system_identifier="1")):
        run = honest()
        answered = tuple(replace(a, identity=wrong) if a.identity else a for a in run.attempts)

        assert timed(edited(run, attempts=answered)).high_s is None


def test_one_survey_is_no_pair() -> None:
    run = honest()

    assert judged(edited(run, surveys=run.surveys[:1])).status is Status.INCONCLUSIVE


def test_a_request_before_the_disaster_contradicts_the_record() -> None:
    run = edited(honest(), disaster=Disaster(Instant(500.0), Instant(500.0)))

    assert judged(run).status is Status.INCONCLUSIVE


def test_an_objective_inside_the_interval_is_inconclusive() -> None:
    assert judged(honest(), replace(PRODUCTION, rto_s=350.0)).status is Status.INCONCLUSIVE


# --- later bad attempts ---------------------------------------------------------------------------------


def test_one_refused_attempt_after_the_first_good_one_moves_high_and_leaves_low() -> None:
    run = honest()
    third = surveyed(774.0 + 30.5, run.surveys[0].rows, nonce="third")
    longer = edited(
        run,
        attempts=attempts(702.0, 730.0, 812.0),
        surveys=(*run.surveys, third),
        probers=(replace(run.probers[0], stopped=Instant(812.2)),),
        source_nonces=NoncesRead(Instant(813.0), Instant(813.1), SOURCE, frozenset()),
    )
    flapped = also(longer, failed(9000, 745.2))

    assert timed(longer).high_s == pytest.approx(773.0 - 390.0)
    assert timed(flapped).high_s == pytest.approx(805.5 - 390.0)
    assert timed(flapped).low_s == pytest.approx(timed(longer).low_s)
    assert width_explained(timed(flapped))


# --- clocks and figures ---------------------------------------------------------------------------------


def test_utc_stepped_back_by_forty_seconds_hides_nothing() -> None:
    """The service was away for 15:20; UTC, stepped back, would say 14:40."""
    run = utc_stepped(back_at(390.0 + 868.0), 600.0, -40.0)

    assert judged(run).status is Status.INCONCLUSIVE
    assert timed(run).high_s == pytest.approx(911.0)
    assert width_explained(timed(run))


def test_a_virtual_machine_paused_for_a_minute_does_not_pass() -> None:
    """Own clock 900 s, Date 960 s, objective 950 s."""
    run = back_at(390.0 + 857.0)
    dated = edited(
        run,
        dates=tuple(
            replace(
                run.dates[0],
                began=Instant(float(at)),
                ended=Instant(at + 0.05),
                date_s=run.dates[0].date_s + at + 5,
            )
            for at in range(-5, 1400, 5)
        ),
    )
    finding = judged(paused(dated, 800.0, 60.0), replace(PRODUCTION, rto_s=950.0))

    assert judged(dated, replace(PRODUCTION, rto_s=950.0)).status is Status.PASSED
    assert finding.status is Status.INCONCLUSIVE
    assert "the clocks disagree" in finding.summary


def test_what_the_profile_states_for_detection_is_added_to_both_bounds() -> None:
    stated, plain = timed(honest(), replace(PRODUCTION, detection_and_decision_s=120.0)), timed(honest())

    assert plain.high_s is not None
    assert stated.low_s == pytest.approx(plain.low_s + 120.0)
    assert stated.high_s == pytest.approx(plain.high_s + 120.0)
    assert width_explained(stated)


@pytest.mark.parametrize("back", [702.0, 702.5, 703.0, 730.0, 900.0, 1200.0])
def test_the_parts_add_up_to_the_width(back: float) -> None:
    assert width_explained(timed(back_at(back)))


def test_attempts_that_hang_until_their_limit_are_shown_as_the_limit() -> None:
    run = honest()
    hanging = tuple(
        replace(a, ended=Instant(a.began + 2.0)) if a.stage is Stage.NONE else a for a in run.attempts
    )
    parts = {p.name: p.seconds for p in timed(edited(run, attempts=hanging)).parts}

    assert parts["attempt limit"] == pytest.approx(1.0)
    assert "attempt period" not in parts


def test_a_survey_that_comes_before_the_first_good_attempt_counts_too() -> None:
    run = back_at(742.3, surveys_at=(742.2, 774.0))

    assert width_explained(timed(run))


def test_attempts_before_the_disaster_do_not_count() -> None:
    run = also(honest(), *(failed(8000 + n, 100.0 + n) for n in range(5)), tried(8999, 200.0))

    assert timed(run) == timed(honest())
