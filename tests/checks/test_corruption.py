"""Undoing a corruption: when it was committed, that it is gone, and that the source was closed if a copy took over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drills.checks.damage_gone import the_damage_is_gone
from drills.checks.data_lost import acknowledged_data_lost_within_the_objective, rpo
from drills.checks.nothing_missing import nothing_is_missing_in_between_doubled_or_foreign
from drills.checks.recovered_server import the_server_that_answered_is_the_recovered_one
from drills.checks.restore_point import price_of_the_point, the_restore_point_was_respected_on_both_sides
from drills.checks.rows_lost import no_acknowledged_row_was_lost
from drills.checks.service_back import rto, service_was_back_within_the_objective
from drills.checks.source_closed import TAKE_OVER, closing, the_source_was_closed
from drills.history import History
from drills.history.damage import bad_commit, struck
from drills.model import (
    AttemptSort,
    DamageDone,
    Finding,
    Instant,
    Interval,
    Objectives,
    Stage,
    Status,
    StepTaken,
    TableSeen,
)
from drills.verdict import findings_of
from tests.corruption_histories import (
    BAD_XID,
    CLOSED_AT,
    DAMAGE_AT,
    FACTS,
    HOURS,
    NOTES,
    cut_over,
    kept_to_the_source,
    seeing,
    seen,
    table_repair,
)
from tests.failover_histories import wrote
from tests.histories import (
    COPY,
    COPY_NAME,
    SOURCE,
    acked,
    edited,
    failed,
    markers,
    server_us,
)

PASSED, FAILED, INCONCLUSIVE = Status.PASSED, Status.FAILED, Status.INCONCLUSIVE
UPDATED = DamageDone(Instant(DAMAGE_AT), Instant(DAMAGE_AT + 0.05), "update", (FACTS,), xid=BAD_XID)
OF_BOTH = (
    the_restore_point_was_respected_on_both_sides,
    the_damage_is_gone,
    service_was_back_within_the_objective,
    nothing_is_missing_in_between_doubled_or_foreign,
    the_server_that_answered_is_the_recovered_one,
)


def test_an_honest_cut_over_raises_nothing() -> None:
    checks = (acknowledged_data_lost_within_the_objective, the_source_was_closed, *OF_BOTH)

    assert {f.status for f in findings_of(checks, cut_over(), HOURS)} == {PASSED}


def test_an_honest_repair_raises_nothing() -> None:
    checks = (no_acknowledged_row_was_lost, *OF_BOTH)

    assert {f.status for f in findings_of(checks, table_repair(), HOURS)} == {PASSED}


# --- when the damage was committed ----------------------------------------------------------------------


def test_a_bad_commit_lies_between_the_last_that_was_before_it_and_the_first_that_sees_it() -> None:
    commit = bad_commit(cut_over().markers, UPDATED)

    assert commit.earliest_us == server_us(DAMAGE_AT - 1.0 + 0.005)
    assert commit.latest_us == server_us(DAMAGE_AT + 0.005)


def test_damage_that_waits_for_the_standby_was_committed_before_it_was_seen() -> None:
    """Committed at 400.0 s, visible at 402.0: the markers between are held up behind it, and see nothing of it."""
    held_up = tuple(
        acked(m.number, m.began, 402.0, writer=m.writer, server_at=m.began + 0.005)
        if DAMAGE_AT <= m.began < 402.0
        else m
        for m in markers(ended=500.0)
    )
    commit = bad_commit(seeing(held_up, visible_at=402.0), UPDATED)

    assert commit.earliest_us is not None
    assert commit.latest_us is not None
    assert commit.earliest_us <= server_us(DAMAGE_AT) <= commit.latest_us
    assert commit.latest_us >= server_us(402.0)


def test_an_older_transaction_that_commits_late_is_not_dated_by_its_number() -> None:
    """It took its id three seconds before it was committed; markers with higher ids do not see it until then."""
    written = markers(ended=500.0)
    old = replace(UPDATED, xid=BAD_XID - 3000)
    late = []
    for m in written:
        assert m.row is not None
        under_way = str(old.xid) if DAMAGE_AT - 3 <= m.began < DAMAGE_AT else ""
        late.append(replace(m, row=replace(m.row, snapshot=f"{old.xid}:{m.row.xid}:{under_way}")))
    commit = bad_commit(late, old)

    assert commit.earliest_us is not None
    assert commit.latest_us is not None
    assert commit.earliest_us >= server_us(DAMAGE_AT - 1.5)
    assert commit.latest_us == server_us(DAMAGE_AT + 0.005)


def test_damage_without_a_visible_transaction_is_dated_by_the_watched_fact() -> None:
    dropped = replace(UPDATED, kind="drop", xid=None, watched_before="16401")
    written = tuple(
        replace(m, row=replace(m.row, watched="16401" if m.began < DAMAGE_AT else None))
        for m in markers(ended=500.0)
        if m.row is not None
    )
    commit = bad_commit(written, dropped)

    assert commit.latest_us == server_us(DAMAGE_AT + 0.005)
    assert bad_commit(written, replace(dropped, watched_before=None)).latest_us is None


def test_damage_that_no_marker_sees_has_no_latest() -> None:
    assert bad_commit(markers(ended=300.0), UPDATED).latest_us is None
    assert bad_commit((), UPDATED).earliest_us is None


def test_a_commit_without_an_answer_had_ended_when_it_was_first_seen() -> None:
    unanswered = replace(UPDATED, ended=None)
    found = struck(cut_over().markers, unanswered)

    assert found is not None
    assert found.earliest == DAMAGE_AT
    assert found.latest == pytest.approx(DAMAGE_AT + 0.01)
    assert struck(markers(ended=300.0), unanswered) is None
    assert struck((), None) is None


def test_the_price_of_the_point_is_said_and_decides_nothing() -> None:
    assert price_of_the_point(cut_over()) == "the point lies 0.30 s to 1.30 s before the bad commit"
    assert price_of_the_point(edited(cut_over(), damage=None)) is None
    unseen = price_of_the_point(edited(cut_over(), markers=()))
    assert unseen is not None
    assert "not known" in unseen


# --- the restore point ----------------------------------------------------------------------------------


def point(history: History) -> Status:
    return the_restore_point_was_respected_on_both_sides(history, HOURS).status


@pytest.mark.parametrize("run", [cut_over(), table_repair()], ids=["cut over", "repair"])
def test_a_copy_that_lacks_what_was_before_the_point_fails(run: History) -> None:
    copy = tuple(
        s if s.identity == SOURCE else replace(s, rows=tuple(r for r in s.rows if r.number != 350))
        for s in run.surveys
    )

    assert point(edited(run, surveys=copy)) is FAILED


def test_in_a_repair_the_source_does_not_speak_for_the_copy() -> None:
    run = table_repair()
    without_copy = edited(run, surveys=tuple(s for s in run.surveys if s.identity == SOURCE))

    assert point(without_copy) is INCONCLUSIVE


# --- the damage is gone ---------------------------------------------------------------------------------


def gone(history: History) -> Finding:
    return the_damage_is_gone(history, HOURS)


def looks(history: History, *changed: TableSeen) -> History:
    """The history with the last look at each of these tables replaced."""
    replaced = {(t.server, t.table, t.began) for t in changed}
    kept = [t for t in history.tables if (t.server, t.table, t.began) not in replaced]
    return edited(history, tables=(*kept, *changed))


def test_the_damage_is_gone_and_the_rest_is_unchanged() -> None:
    assert gone(cut_over()).status is PASSED
    assert gone(table_repair()).status is PASSED


@pytest.mark.parametrize(
    "look",
    [
        seen(760.0, FACTS, server=COPY_NAME, wrong_rows=1),
        seen(760.0, FACTS, server=COPY_NAME, rows=None),
        seen(760.0, FACTS, server=COPY_NAME, rows=999),
        seen(760.5, NOTES, server=COPY_NAME, fingerprint="abcd"),
        seen(760.5, NOTES, server=COPY_NAME, rows=None, fingerprint=None),
    ],
)
def test_wrong_missing_or_changed_rows_fail(look: TableSeen) -> None:
    assert gone(looks(cut_over(), look)).status is FAILED


@pytest.mark.parametrize(
    "look",
    [
        seen(760.0, FACTS, server=COPY_NAME, wrong_rows=None),
        seen(760.5, NOTES, server=COPY_NAME, fingerprint=None),
        seen(401.0, FACTS, wrong_rows=0),
        seen(10.0, FACTS, rows=None),
        seen(10.5, NOTES, fingerprint=None),
    ],
)
def test_a_look_that_shows_nothing_decides_nothing(look: TableSeen) -> None:
    assert gone(looks(cut_over(), look)).status is INCONCLUSIVE


@pytest.mark.parametrize("left_out", range(5))
def test_each_look_is_needed(left_out: int) -> None:
    run = cut_over()
    tables = tuple(t for n, t in enumerate(run.tables) if n != left_out)

    assert gone(edited(run, tables=tables)).status is INCONCLUSIVE


@pytest.mark.parametrize("lacks", [{"damage": None}, {"disaster": None}, {"attempts": ()}])
def test_no_damage_or_no_recovery_is_nothing_to_look_for(lacks: dict[str, object]) -> None:
    assert gone(edited(cut_over(), **lacks)).status is INCONCLUSIVE


def test_a_look_at_the_source_before_its_repair_is_not_the_end() -> None:
    run = table_repair()
    early = seen(600.0, FACTS, wrong_rows=12)

    assert gone(edited(run, tables=(*run.tables, early))).status is PASSED


def test_a_table_that_was_dropped_was_seen_to_be_gone() -> None:
    assert gone(looks(cut_over(), seen(401.0, FACTS, rows=None, wrong_rows=None))).status is PASSED
    assert gone(looks(cut_over(), seen(401.0, FACTS, rows=600, wrong_rows=0))).status is PASSED


# --- the closing ----------------------------------------------------------------------------------------


def closed(history: History) -> Finding:
    return the_source_was_closed(history, HOURS)


def with_old(history: History, attempts: object) -> History:
    kept = tuple(a for a in history.attempts if a.prober != "old")
    return edited(history, attempts=(*kept, *attempts))  # type: ignore[misc]


def test_a_source_that_refuses_everybody_is_closed() -> None:
    bracket = closing(cut_over())

    assert closed(cut_over()).status is PASSED
    assert bracket is not None
    assert bracket.earliest == CLOSED_AT
    assert bracket.latest is not None
    assert CLOSED_AT < bracket.latest < CLOSED_AT + 3.0


def test_a_held_session_that_goes_on_writing_was_not_closed() -> None:
    """Closed at 720 s, and one session is acknowledged for another 30 s."""
    run = with_old(cut_over(), kept_to_the_source(session_1_until=750.0))

    assert closed(run).status is FAILED
    assert "the source was not closed" in closed(run).summary


def test_a_marker_that_is_acknowledged_after_the_closing_was_not_closed_out() -> None:
    run = cut_over()

    assert closed(edited(run, markers=(*run.markers, acked(950, 722.0, 722.1)))).status is FAILED


def test_a_write_that_was_under_way_when_the_closing_ended_is_no_fault() -> None:
    run = with_old(
        cut_over(),
        (*kept_to_the_source(), wrote(9000, 720.9, SOURCE, took=0.3, sort=AttemptSort.OLD, session=3)),
    )

    assert closed(run).status is PASSED


def test_a_session_that_was_never_refused_leaves_the_closing_open() -> None:
    run = cut_over()
    silent = tuple(a for a in kept_to_the_source() if not (a.session == 2 and a.began > 720.0))
    open_end = with_old(run, silent)

    assert closed(open_end).status is INCONCLUSIVE
    assert "session old 2" in closed(open_end).summary
    bracket = closing(open_end)
    assert bracket is not None
    assert bracket.latest is None


def test_without_a_new_connection_nobody_knows_whether_the_door_is_shut() -> None:
    held = tuple(a for a in kept_to_the_source() if a.session is not None)

    assert closed(with_old(cut_over(), held)).status is INCONCLUSIVE


def test_a_refusal_before_the_last_acknowledgement_shuts_nothing() -> None:
    """A new connection is refused once, and the next one is let in."""
    flapping = tuple(
        wrote(a.number, a.began, SOURCE, sort=AttemptSort.OLD) if a.session is None and a.began > 720.0 else a
        for a in kept_to_the_source(closed_at=719.0)
    )

    assert closed(with_old(cut_over(), flapping)).status is FAILED


def test_sessions_that_are_ended_one_after_another_are_each_over_with_their_own_refusal() -> None:
    """A writer notices once that its session is gone, and cannot come back; another is acknowledged a moment later.

    What shows that nobody comes in any more is the new connection, after the last of all.
    """
    run = cut_over()
    moment_later = with_old(
        run,
        (*kept_to_the_source(), wrote(9000, 720.2, SOURCE, took=0.75, sort=AttemptSort.OLD, session=3)),
    )
    bracket = closing(moment_later)

    assert closed(moment_later).status is PASSED
    assert bracket is not None
    assert bracket.latest is not None
    assert bracket.latest >= 720.95


def test_a_copy_that_takes_over_too_early_is_not_after_the_closing() -> None:
    def taken_over(at: float) -> History:
        run = cut_over()
        others = tuple(s for s in run.steps if s.name != TAKE_OVER)
        return edited(run, steps=(*others, StepTaken(TAKE_OVER, Instant(at), Instant(at + 0.5))))

    assert closed(taken_over(700.0)).status is FAILED
    assert closed(taken_over(720.6)).status is INCONCLUSIVE
    assert closed(taken_over(730.0)).status is PASSED


def test_a_closing_that_nobody_recorded_or_that_failed_is_inconclusive() -> None:
    run = cut_over()
    assert run.closing is not None

    assert closed(edited(run, closing=None)).status is INCONCLUSIVE
    assert closed(edited(run, closing=replace(run.closing, ended=None))).status is INCONCLUSIVE
    assert closed(edited(run, closing=replace(run.closing, error="refused"))).status is INCONCLUSIVE
    assert closed(edited(run, steps=())).status is INCONCLUSIVE
    nobody_wrote = edited(run, markers=(), attempts=(), sessions=())
    assert closed(nobody_wrote).status is INCONCLUSIVE


# --- what a cut over costs ------------------------------------------------------------------------------


def cost(history: History, objectives: Objectives = HOURS) -> Interval:
    interval = rpo(history, objectives)
    assert interval is not None
    return interval


def lost(history: History, objectives: Objectives = HOURS) -> Status:
    return acknowledged_data_lost_within_the_objective(history, objectives).status


def test_a_cut_over_costs_all_good_writes_since_the_point() -> None:
    interval = cost(cut_over())
    last_kept = max(m.began for m in cut_over().owed_by_the_point)

    assert interval.low_s == pytest.approx(CLOSED_AT - 399.01)
    assert interval.high_s is not None
    assert interval.high_s > CLOSED_AT - last_kept
    assert sum(p.seconds for p in interval.parts) == pytest.approx(interval.high_s - interval.low_s)


def test_damage_that_was_found_after_forty_minutes_costs_forty_minutes() -> None:
    five_minutes = replace(HOURS, rpo_s=300.0)

    assert lost(cut_over(), five_minutes) is FAILED
    assert lost(cut_over(), replace(HOURS, rpo_s=322.0)) is INCONCLUSIVE


def test_what_the_profile_states_for_detection_is_added() -> None:
    stated = replace(HOURS, detection_and_decision_s=600.0)

    assert cost(cut_over(), stated).low_s == pytest.approx(cost(cut_over()).low_s + 600.0)


def test_a_source_that_was_never_seen_closed_has_no_upper_bound() -> None:
    run = with_old(cut_over(), tuple(a for a in kept_to_the_source() if a.session is not None))

    assert cost(run).high_s is None
    assert lost(run) is INCONCLUSIVE
    assert lost(edited(run, closing=None)) is INCONCLUSIVE


def test_what_was_written_to_the_copy_is_not_owed_by_it() -> None:
    """A writer that follows the application to the copy writes nothing that the source could lose."""
    followed = acked(960, 735.0, 735.1)
    assert followed.row is not None
    on_copy = replace(followed, row=replace(followed.row, server_started_us=COPY.started_us, timeline=2))
    run = cut_over()

    assert cost(edited(run, markers=(*run.markers, on_copy))) == cost(run)


# --- when a repair is done ------------------------------------------------------------------------------


def test_a_copy_that_takes_writes_is_not_a_repaired_table() -> None:
    """It took writes after five minutes; the table was right after another 24."""
    quarter = replace(HOURS, rto_s=320.0)
    finding = service_was_back_within_the_objective(table_repair(), quarter)

    assert finding.status is FAILED
    interval = rto(table_repair(), HOURS)
    assert interval is not None
    assert interval.low_s == pytest.approx(327.95)


def test_an_attempt_during_the_damaging_commit_does_not_count() -> None:
    """It still read a whole table: the damage was not there yet."""
    run = table_repair()
    during = replace(wrote(9000, DAMAGE_AT + 0.02, SOURCE), right=True)

    assert rto(edited(run, attempts=(*run.attempts, during)), HOURS) == rto(run, HOURS)


def test_a_table_that_still_reads_wrong_is_not_repaired() -> None:
    run = table_repair()
    wrong = tuple(replace(a, right=False) for a in run.attempts)

    assert service_was_back_within_the_objective(edited(run, attempts=wrong), HOURS).status is INCONCLUSIVE
    late = replace(wrote(9000, 775.0, SOURCE), right=False)
    again = edited(run, attempts=(*run.attempts, late))
    assert service_was_back_within_the_objective(again, HOURS).status is INCONCLUSIVE


def test_a_write_without_a_look_at_the_rows_proves_nothing() -> None:
    run = table_repair()
    blind = tuple(replace(a, right=None) for a in run.attempts)

    assert service_was_back_within_the_objective(edited(run, attempts=blind), HOURS).status is INCONCLUSIVE


def test_a_repaired_table_on_another_server_than_the_source_proves_nothing() -> None:
    run = table_repair()
    elsewhere = tuple(replace(a, identity=COPY) for a in run.attempts)

    assert (
        service_was_back_within_the_objective(edited(run, attempts=elsewhere), HOURS).status is INCONCLUSIVE
    )


def test_surveys_of_the_source_before_the_damage_are_not_of_the_repaired_one() -> None:
    run = table_repair()
    early = tuple(
        replace(s, began=Instant(s.began - 500.0), ended=Instant(s.ended - 500.0)) for s in run.surveys
    )

    assert edited(run, surveys=early).survey_pair is None


def test_an_attempt_that_was_not_written_is_bad() -> None:
    run = table_repair()
    locked = replace(failed(9000, 775.0, stage=Stage.READ), prober="new")

    again = edited(run, attempts=(*run.attempts, locked))
    assert service_was_back_within_the_objective(again, HOURS).status is INCONCLUSIVE
