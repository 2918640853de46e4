"""What a failover has to show beside its rows: it happened, the old primary is out, a standby is there again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drills.checks.failover_happened import the_failover_really_happened, zones_swapped
from drills.checks.fencing import the_old_primary_takes_no_writes
from drills.checks.left_behind import nothing_of_the_drill_is_left_behind
from drills.checks.nothing_missing import nothing_is_missing_in_between_doubled_or_foreign
from drills.checks.recovered_server import the_server_that_answered_is_the_recovered_one
from drills.checks.redundancy import redundancy_is_back
from drills.checks.service_back import rto, service_was_back_within_the_objective
from drills.history import History
from drills.model import AttemptSort, Instant, Objectives, Outcome, ServerDescribed, Status
from drills.verdict import findings_of
from tests.failover_histories import (
    STANDBY,
    described,
    forced,
    prober,
    wrote,
)
from tests.histories import PRODUCTION, SOURCE, SYSTEM, acked, edited, failed, lacking

PASSED, FAILED, INCONCLUSIVE, NOT_APPLICABLE = (
    Status.PASSED,
    Status.FAILED,
    Status.INCONCLUSIVE,
    Status.NOT_APPLICABLE,
)


def also(history: History, *attempts: object) -> History:
    return edited(history, attempts=(*history.attempts, *attempts))


def calls(history: History, **changes: object) -> History:
    return edited(history, calls=tuple(replace(c, **changes) for c in history.calls))  # type: ignore[arg-type]


def test_an_honest_failover_raises_nothing() -> None:
    checks = (
        the_failover_really_happened,
        the_old_primary_takes_no_writes,
        redundancy_is_back,
        service_was_back_within_the_objective,
        nothing_is_missing_in_between_doubled_or_foreign,
        the_server_that_answered_is_the_recovered_one,
        nothing_of_the_drill_is_left_behind,
    )

    assert {f.status for f in findings_of(checks, forced(), PRODUCTION)} == {PASSED, NOT_APPLICABLE}


# --- fencing --------------------------------------------------------------------------------------------


def fenced(history: History) -> Status:
    return the_old_primary_takes_no_writes(history, PRODUCTION).status


def old(number: int, at: float, *, took: float = 0.02) -> object:
    return wrote(number, at, SOURCE, took=took, sort=AttemptSort.OLD, session=1)


def test_an_old_primary_that_answers_nothing_passes_with_the_number_of_attempts() -> None:
    finding = the_old_primary_takes_no_writes(forced(), PRODUCTION)

    assert finding.status is PASSED
    assert finding.measured == {"sessions": 4, "attempts": 62}


@pytest.mark.parametrize("sort", [AttemptSort.OLD, AttemptSort.HELD, AttemptSort.NEW])
def test_a_write_begun_after_the_first_on_the_new_and_taken_by_the_old_fails(sort: AttemptSort) -> None:
    assert fenced(also(forced(), wrote(9000, 108.5, SOURCE, sort=sort))) is FAILED


def test_a_marker_that_the_old_primary_takes_fails_also_with_a_warning() -> None:
    marker = acked(9000, 109.0, 109.1)
    warned = replace(marker, outcome=Outcome.UNKNOWN, reason="acknowledged with notice 57P01")

    assert fenced(edited(forced(), markers=(*forced().markers, marker))) is FAILED
    assert fenced(edited(forced(), markers=(*forced().markers, warned))) is FAILED


def test_a_write_that_was_acknowledged_and_not_read_back_was_taken() -> None:
    taken = replace(failed(9000, 109.0, prober="old"), timeline=1)

    assert fenced(also(forced(), taken)) is FAILED


def test_an_honest_answer_that_arrives_late_is_no_failure() -> None:
    """Its write began before the first good attempt ended."""
    assert fenced(also(forced(), old(9000, 107.0, took=1.6))) is PASSED


def test_too_few_sessions_of_before_show_too_little() -> None:
    run = forced()

    assert fenced(edited(run, sessions=run.sessions[:3])) is INCONCLUSIVE
    late = tuple(replace(s, at=Instant(101.0)) for s in run.sessions)
    assert fenced(edited(run, sessions=late)) is INCONCLUSIVE


def test_no_possible_attempt_is_a_note_on_the_service_and_nothing_on_the_twin() -> None:
    run = edited(
        forced(),
        attempts=tuple(a for a in forced().attempts if a.prober != "old" or a.began < 107.0),
    )
    twin = edited(run, run=replace(run.run, public_ca=False))

    assert fenced(run) is NOT_APPLICABLE
    assert fenced(twin) is INCONCLUSIVE


def test_a_prober_that_died_did_not_find_the_old_primary_silent() -> None:
    run = forced()
    silent = edited(
        run,
        attempts=tuple(a for a in run.attempts if a.prober != "old" or a.began < 107.0),
        probers=(*run.probers[:2], prober(AttemptSort.OLD, stopped=None)),
    )

    assert fenced(silent) is INCONCLUSIVE
    assert fenced(edited(silent, probers=run.probers[:2])) is INCONCLUSIVE


def test_attempts_without_an_outcome_prove_no_refusal() -> None:
    run = forced()
    open_ones = tuple(
        replace(a, ended=None) if a.prober == "old" and a.began > 108.0 else a for a in run.attempts
    )

    assert fenced(edited(run, attempts=open_ones)) is not PASSED


def test_without_a_new_primary_or_a_known_timeline_nothing_came_after() -> None:
    run = forced()
    never = tuple(a for a in run.attempts if a.began < 100.5 or not a.acknowledged)

    assert fenced(edited(run, attempts=never)) is INCONCLUSIVE
    assert fenced(edited(run, disaster=None)) is INCONCLUSIVE


# --- it really happened ---------------------------------------------------------------------------------


def happened(history: History) -> Status:
    return the_failover_really_happened(history, PRODUCTION).status


def with_descriptions(history: History, *found: ServerDescribed) -> History:
    return edited(history, described=found)


def only_the_old_answers(history: History) -> History:
    return edited(
        history,
        attempts=tuple(wrote(n, 80.0 + n * 0.25, SOURCE) for n in range(360)),
        surveys=tuple(replace(s, identity=SOURCE) for s in history.surveys),
    )


def test_another_process_on_another_timeline_in_the_other_zone_is_a_failover() -> None:
    assert happened(forced()) is PASSED


def test_an_operation_that_ended_well_while_the_old_timeline_answers_is_none() -> None:
    run = with_descriptions(only_the_old_answers(forced()), described(50.0), described(180.0))

    assert happened(run) is FAILED


def test_a_restart_in_place_is_no_failover() -> None:
    """Another process, on the timeline of before."""
    restarted = replace(SOURCE, started_us=SOURCE.started_us + 1_000_000)
    run = forced()
    back = tuple(replace(a, identity=restarted, timeline=1) if a.began >= 108.0 else a for a in run.attempts)
    surveys = tuple(replace(s, identity=restarted) for s in run.surveys)
    same_zones = (described(50.0), described(180.0))

    assert happened(edited(run, attempts=back, surveys=surveys, described=same_zones)) is FAILED


def test_zones_that_did_not_change_places_contradict_a_failover() -> None:
    assert happened(with_descriptions(forced(), described(50.0), described(180.0))) is FAILED


def test_the_same_process_on_the_new_timeline_is_no_other_one() -> None:
    run = forced()
    promoted = replace(SOURCE, timeline=2)
    attempts = tuple(replace(a, identity=promoted) if a.identity == STANDBY else a for a in run.attempts)
    surveys = tuple(replace(s, identity=promoted) for s in run.surveys)

    assert happened(edited(run, attempts=attempts, surveys=surveys)) is FAILED


def test_swapped_zones_while_only_the_old_primary_was_reached_decide_nothing() -> None:
    assert happened(only_the_old_answers(forced())) is INCONCLUSIVE


@pytest.mark.parametrize(
    "lacks",
    [
        {"failover": None},
        {"disaster": None},
        {"described": ()},
        {"described": (described(50.0),)},
        {"described": (described(50.0), described(180.0, zones=("2", None)))},
        {"described": (described(50.0), described(110.0, zones=("2", "1"), state="CreatingStandby"))},
    ],
)
def test_what_was_not_seen_does_not_pass(lacks: dict[str, object]) -> None:
    assert happened(edited(forced(), **lacks)) is INCONCLUSIVE


def test_an_operation_whose_end_nobody_saw_has_not_failed() -> None:
    assert happened(calls(only_the_old_answers(forced()), operation_ended=None)) is INCONCLUSIVE
    assert happened(edited(forced(), attempts=(), surveys=())) is INCONCLUSIVE


def test_a_standby_in_the_same_zone_has_no_zones_to_swap() -> None:
    run = with_descriptions(
        forced(),
        described(50.0, mode="SameZone", zones=("1", "1")),
        described(180.0, mode="SameZone", zones=("1", "1")),
    )

    assert zones_swapped(run) is None
    assert happened(run) is PASSED


# --- redundancy -----------------------------------------------------------------------------------------


def redundant(history: History) -> Status:
    return redundancy_is_back(history, PRODUCTION).status


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ((described(50.0), described(180.0)), PASSED),
        ((described(50.0), described(180.0, mode="Disabled", state="NotEnabled")), FAILED),
        ((described(50.0), described(180.0, state="RemovingStandby")), FAILED),
        ((described(50.0, mode="Disabled", state="NotEnabled"), described(180.0)), FAILED),
        ((described(50.0), described(180.0, state="ReplicatingData")), INCONCLUSIVE),
        ((described(50.0), described(180.0, mode=None)), INCONCLUSIVE),
        ((described(50.0), described(180.0, state=None)), INCONCLUSIVE),
        ((described(50.0), described(4000.0, state="CreatingStandby")), FAILED),
        ((described(50.0), described(4000.0, state=None)), INCONCLUSIVE),
        ((described(180.0),), INCONCLUSIVE),
        ((described(50.0),), INCONCLUSIVE),
    ],
)
def test_redundancy_is_what_the_last_look_after_the_failover_shows(
    found: tuple[ServerDescribed, ...], status: Status
) -> None:
    assert redundant(with_descriptions(forced(), *found)) is status


def test_healthy_before_the_operation_ended_may_be_that_of_before() -> None:
    assert redundant(with_descriptions(forced(), described(50.0), described(112.0))) is INCONCLUSIVE
    assert redundant(calls(forced(), operation_ended=None)) is INCONCLUSIVE


def test_an_hour_of_service_is_two_minutes_of_a_rehearsal_at_thirty() -> None:
    run = with_descriptions(forced(), described(50.0), described(240.0, state="CreatingStandby"))
    rehearsed = edited(run, run=replace(run.run, time_scale=30.0))

    assert redundant(run) is INCONCLUSIVE
    assert redundant(rehearsed) is FAILED


# --- the checks of every recovery -----------------------------------------------------------------------


def test_service_is_back_when_the_new_timeline_takes_writes() -> None:
    interval = rto(forced(), PRODUCTION)

    assert interval is not None
    assert interval.low_s == pytest.approx(7.75)
    assert interval.high_s == pytest.approx(63.0)


def test_writes_to_the_old_primary_are_no_return_of_service() -> None:
    run = only_the_old_answers(forced())

    assert service_was_back_within_the_objective(run, PRODUCTION).status is INCONCLUSIVE
    tight: Objectives = replace(PRODUCTION, rto_s=30.0)
    assert service_was_back_within_the_objective(run, tight).status is FAILED


def test_attempts_that_keep_to_the_old_primary_do_not_delay_the_return() -> None:
    without = edited(
        forced(),
        attempts=tuple(a for a in forced().attempts if a.prober != "old"),
        probers=forced().probers[:2],
    )

    assert rto(forced(), PRODUCTION) == rto(without, PRODUCTION)


def test_a_hole_is_looked_for_on_each_timeline_by_itself() -> None:
    """What the old primary took alone after the promotion is lost, and leaves no hole in what the new one has."""
    alone = acked(9000, 100.4, 108.5)
    lost = edited(forced(), markers=(*forced().markers, alone))

    def whole(history: History) -> Status:
        return nothing_is_missing_in_between_doubled_or_foreign(history, PRODUCTION).status

    assert whole(lost) is PASSED
    assert whole(lacking(forced(), ("a", 100))) is FAILED
    assert whole(lacking(forced(), ("a", 560))) is FAILED


def test_markers_written_between_the_surveys_are_no_contradiction() -> None:
    status = nothing_is_missing_in_between_doubled_or_foreign(forced(), PRODUCTION).status

    assert status is PASSED


def test_a_server_of_another_origin_is_not_the_recovered_one() -> None:
    run = forced()
    foreign = replace(STANDBY, system_identifier=SYSTEM + "9")
    surveys = tuple(replace(s, identity=foreign) for s in run.surveys)

    status = the_server_that_answered_is_the_recovered_one(edited(run, surveys=surveys), PRODUCTION).status
    assert status is FAILED


def test_nobody_who_noted_the_source_before_is_inconclusive() -> None:
    run = edited(forced(), source_identified=None)

    assert the_server_that_answered_is_the_recovered_one(run, PRODUCTION).status is INCONCLUSIVE
    assert service_was_back_within_the_objective(run, PRODUCTION).status is INCONCLUSIVE


def test_two_new_primaries_in_turn_are_inconclusive() -> None:
    third = replace(STANDBY, timeline=3, started_us=STANDBY.started_us + 1)
    status = the_server_that_answered_is_the_recovered_one(
        also(forced(), wrote(9000, 150.0, third)), PRODUCTION
    ).status

    assert status is INCONCLUSIVE


def test_a_failover_that_named_a_server_has_to_take_it_away() -> None:
    run = edited(forced(), created=("drl-abcdefghij-2611011200-a",))

    assert nothing_of_the_drill_is_left_behind(run, PRODUCTION).status is not NOT_APPLICABLE
