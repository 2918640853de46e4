from __future__ import annotations

from dataclasses import replace

from drills.checks.recovered_server import the_server_that_answered_is_the_recovered_one
from drills.history import History
from drills.model import Finding, Instant, NoncesRead, Stage, Status
from tests.histories import COPY, PRODUCTION, SOURCE, edited, failed, honest


def judged(history: History) -> Finding:
    return the_server_that_answered_is_the_recovered_one(history, PRODUCTION)


def held_by_source(history: History, *nonces: str) -> History:
    assert history.source_nonces is not None
    return edited(history, source_nonces=replace(history.source_nonces, nonces=frozenset(nonces)))


def test_nonces_that_only_the_recovered_server_holds_prove_it() -> None:
    assert judged(honest()).status is Status.PASSED


# --- failed ---------------------------------------------------------------------------------------------


def test_a_good_looking_attempt_whose_nonce_is_on_the_source_fails() -> None:
    finding = judged(held_by_source(honest(), "new-60"))

    assert finding.status is Status.FAILED
    assert "the name led to the source" in finding.summary


def test_a_survey_whose_nonce_is_on_the_source_fails() -> None:
    assert judged(held_by_source(honest(), "survey-740.0")).status is Status.FAILED


def test_an_attempt_that_got_no_answer_and_whose_nonce_is_on_the_source_fails() -> None:
    """The write went through and its answer was lost: it went to the wrong server all the same."""
    run = honest()
    silent = failed(9000, 720.2, stage=Stage.READ)

    assert (
        judged(held_by_source(edited(run, attempts=(*run.attempts, silent)), "new-9000")).status
        is Status.FAILED
    )


def test_a_server_of_another_origin_fails() -> None:
    run = honest()
    foreign = replace(COPY, system_identifier="1")
    surveys = tuple(replace(s, identity=foreign) for s in run.surveys)

    assert judged(edited(run, surveys=surveys)).status is Status.FAILED


# --- inconclusive ---------------------------------------------------------------------------------------


def test_a_source_that_nobody_asked_proves_nothing() -> None:
    assert judged(edited(honest(), source_nonces=None)).status is Status.INCONCLUSIVE


def test_where_nothing_was_written_nothing_is_absent() -> None:
    run = honest()
    only_reads = tuple(replace(a, stage=Stage.READ) for a in run.attempts)

    assert judged(edited(run, attempts=only_reads)).status is Status.INCONCLUSIVE
    assert judged(edited(run, attempts=())).status is Status.INCONCLUSIVE
    assert judged(edited(run, surveys=())).status is Status.INCONCLUSIVE


def test_a_source_asked_before_the_last_write_proves_nothing_of_that_write() -> None:
    early = NoncesRead(Instant(775.0), Instant(775.1), SOURCE, frozenset())

    assert judged(edited(honest(), source_nonces=early)).status is Status.INCONCLUSIVE


def test_two_instances_that_answered_in_turn_are_not_one_recovered_server() -> None:
    run = honest()
    other = replace(COPY, started_us=COPY.started_us + 1)
    flapped = tuple(replace(a, identity=other) if a.number == 60 else a for a in run.attempts)
    finding = judged(edited(run, attempts=flapped))

    assert finding.status is Status.INCONCLUSIVE
    assert "different processes" in finding.summary


def test_a_survey_of_a_second_instance_is_seen_beside_the_pair() -> None:
    run = honest()
    other = replace(
        run.surveys[0],
        began=Instant(735.0),
        ended=Instant(736.0),
        nonce="s3",
        identity=replace(COPY, timeline=3),
    )

    assert judged(edited(run, surveys=(*run.surveys, other))).status is Status.INCONCLUSIVE


def test_a_process_that_started_when_the_source_did_is_doubted() -> None:
    """Nonces say copy, the start time says source: one of them is wrong."""
    run = honest()
    same = replace(COPY, started_us=SOURCE.started_us)
    surveys = tuple(replace(s, identity=same) for s in run.surveys)
    attempts = tuple(replace(a, identity=same) if a.identity else a for a in run.attempts)

    assert judged(edited(run, surveys=surveys, attempts=attempts)).status is Status.INCONCLUSIVE
