from __future__ import annotations

from dataclasses import replace

from drills.checks.left_behind import nothing_of_the_drill_is_left_behind
from drills.history import History
from drills.model import CallMade, Finding, Instant, ServersListed, Status
from tests.histories import COPY_NAME, GROUP, PRODUCTION, edited, honest


def judged(history: History) -> Finding:
    return nothing_of_the_drill_is_left_behind(history, PRODUCTION)


def listed(at: float, *names: str) -> ServersListed:
    return ServersListed(Instant(at), Instant(at + 0.2), GROUP, names)


def called(name: str, began: float, ended: float | None, status: int | None) -> CallMade:
    answered = None if ended is None else Instant(ended)
    return CallMade(name, COPY_NAME, Instant(began), answered, status, operation_ended=answered)


RESTORED = called("restore to a point in time", 390.1, 390.6, 202)


def test_a_server_that_is_absent_after_its_deletion_is_gone() -> None:
    assert judged(honest()).status is Status.PASSED


def test_a_server_whose_creation_was_refused_and_is_absent_was_never_there() -> None:
    refused = called("restore to a point in time", 390.1, 390.6, 409)

    assert judged(edited(honest(), calls=(refused,))).status is Status.PASSED


def test_a_deletion_whose_answer_never_came_is_settled_by_the_listing() -> None:
    silent = called("delete", 782.0, None, None)

    assert judged(edited(honest(), calls=(RESTORED, silent))).status is Status.PASSED


def test_a_deletion_that_was_accepted_and_never_seen_to_end_proves_nothing_by_an_early_listing() -> None:
    """A server can be hidden while it is being deleted, and come back if that fails."""
    accepted = replace(called("delete", 782.0, 782.4, 202), operation_ended=None)

    run = edited(honest(), calls=(RESTORED, accepted), listings=(listed(783.0),))

    assert judged(run).status is Status.INCONCLUSIVE


# --- failed ---------------------------------------------------------------------------------------------


def test_a_server_that_is_still_listed_after_its_deletion_fails() -> None:
    assert judged(edited(honest(), listings=(listed(801.0, COPY_NAME),))).status is Status.FAILED


def test_a_server_that_comes_back_after_it_was_gone_fails() -> None:
    assert (
        judged(edited(honest(), listings=(listed(801.0), listed(805.0, COPY_NAME)))).status is Status.FAILED
    )


def test_a_server_that_nobody_deleted_is_left_behind() -> None:
    run = edited(honest(), calls=(RESTORED,), listings=(listed(801.0, COPY_NAME.upper()),))

    assert judged(run).status is Status.FAILED


def test_one_of_two_servers_is_enough() -> None:
    run = edited(honest(), created=(COPY_NAME, "drl-second"), listings=(listed(801.0, "drl-second"),))

    assert judged(run).status is Status.FAILED


# --- inconclusive ---------------------------------------------------------------------------------------


def test_a_group_that_nobody_listed_is_inconclusive() -> None:
    assert judged(edited(honest(), listings=())).status is Status.INCONCLUSIVE


def test_a_listing_before_the_deletion_had_ended_shows_nothing() -> None:
    assert judged(edited(honest(), listings=(listed(799.0),))).status is Status.INCONCLUSIVE
    assert judged(edited(honest(), listings=(listed(700.0, COPY_NAME),))).status is Status.INCONCLUSIVE


def test_a_listing_from_before_the_clean_up_accuses_nobody() -> None:
    run = edited(honest(), calls=(RESTORED,), steps=(), listings=(listed(700.0, COPY_NAME),))

    assert judged(run).status is Status.INCONCLUSIVE


def test_a_server_that_was_asked_for_and_never_deleted_may_still_come() -> None:
    assert judged(edited(honest(), calls=(RESTORED,))).status is Status.INCONCLUSIVE
    unanswered = called("restore to a point in time", 390.1, None, None)
    assert judged(edited(honest(), calls=(unanswered,))).status is Status.INCONCLUSIVE


def test_an_error_of_the_provider_is_no_refusal() -> None:
    failed = called("restore to a point in time", 390.1, 390.6, 503)

    assert judged(edited(honest(), calls=(failed,))).status is Status.INCONCLUSIVE


def test_a_refused_rule_on_a_server_that_was_made_does_not_unmake_it() -> None:
    rule = called("firewall rule", 701.0, 702.0, 409)

    assert judged(edited(honest(), calls=(RESTORED, rule))).status is Status.INCONCLUSIVE


def test_a_journal_that_names_no_server_shows_nothing() -> None:
    assert judged(edited(honest(), created=())).status is Status.INCONCLUSIVE


def test_a_run_that_did_not_come_to_its_end_is_judged_as_observed() -> None:
    assert judged(replace(honest(), completed=False)).status is Status.PASSED
