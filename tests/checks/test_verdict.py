from __future__ import annotations

from dataclasses import replace

import pytest

from drills.checks.required import caption, not_shown, required
from drills.history import History
from drills.model import Finding, Objectives, Status
from drills.verdict import find, findings_of, verdict, worst_first
from tests.histories import PRODUCTION, edited, honest

PASSED, FAILED, INCONCLUSIVE, NOT_APPLICABLE = (
    Status.PASSED,
    Status.FAILED,
    Status.INCONCLUSIVE,
    Status.NOT_APPLICABLE,
)


def all_found(run: History, **worse: Status) -> tuple[Finding, ...]:
    """A passed finding of each required check, but for those named."""
    names = (check.__name__ for check in required(run.run.scenario, run.run.variant))
    return tuple(Finding(name, worse.get(name, PASSED), "") for name in names)


def gives_up(_: History, __: Objectives) -> Finding:
    """A check that cannot be carried out."""
    raise ZeroDivisionError("no markers to divide by")


@pytest.mark.parametrize("variant", ["latest", "chosen"])
def test_an_honest_run_passes_every_check(variant: str) -> None:
    run = honest(variant)
    found = find(run, PRODUCTION)

    assert {f.status for f in found} == {PASSED}
    assert verdict(run, found) is PASSED


@pytest.mark.parametrize(
    ("one", "other", "worst"),
    [
        (PASSED, PASSED, PASSED),
        (PASSED, NOT_APPLICABLE, PASSED),
        (PASSED, INCONCLUSIVE, INCONCLUSIVE),
        (PASSED, FAILED, FAILED),
        (INCONCLUSIVE, FAILED, FAILED),
    ],
)
def test_the_worst_finding_wins(one: Status, other: Status, worst: Status) -> None:
    run = honest()
    found = all_found(
        run,
        nothing_of_the_drill_is_left_behind=one,
        service_was_back_within_the_objective=other,
    )

    assert verdict(run, found) is worst


def test_no_finding_at_all_is_inconclusive() -> None:
    assert verdict(honest(), ()) is INCONCLUSIVE


def test_findings_that_do_not_apply_are_no_findings() -> None:
    assert verdict(honest(), [replace(f, status=NOT_APPLICABLE) for f in all_found(honest())]) is INCONCLUSIVE


@pytest.mark.parametrize("left_out", range(5))
def test_a_required_check_without_a_finding_is_inconclusive(left_out: int) -> None:
    found = list(all_found(honest()))
    del found[left_out]

    assert verdict(honest(), found) is INCONCLUSIVE


def test_a_run_that_did_not_come_to_its_end_never_passes_and_can_fail() -> None:
    run = edited(honest(), completed=False)

    assert verdict(run, all_found(run)) is INCONCLUSIVE
    assert verdict(run, all_found(run, service_was_back_within_the_objective=FAILED)) is FAILED


def test_a_scenario_that_the_table_does_not_know_is_inconclusive() -> None:
    run = honest()
    unheard = edited(run, run=replace(run.run, scenario="a-scenario-of-tomorrow"))

    assert find(unheard, PRODUCTION) == ()
    assert verdict(unheard, [Finding("anything", PASSED, "")]) is INCONCLUSIVE


def test_a_check_that_raises_is_inconclusive_and_says_what_it_raised() -> None:
    (found,) = findings_of([gives_up], honest(), PRODUCTION)

    assert found == Finding(
        "gives_up", INCONCLUSIVE, "the check raised ZeroDivisionError: no markers to divide by"
    )


def test_the_worst_findings_are_told_first() -> None:
    in_order = [Finding(status, status, "") for status in (NOT_APPLICABLE, PASSED, FAILED, INCONCLUSIVE)]

    assert [f.status for f in worst_first(in_order)] == [FAILED, INCONCLUSIVE, PASSED, NOT_APPLICABLE]


@pytest.mark.parametrize("variant", ["latest", "chosen"])
def test_every_check_has_a_sentence_for_its_caption(variant: str) -> None:
    for check in required("pitr_restore", variant):
        assert caption(check.__name__).endswith(".")
        assert caption(check.__name__) != check.__name__


def test_what_nobody_knows_is_its_own_caption() -> None:
    assert caption("a_check_of_tomorrow") == "a_check_of_tomorrow"


def test_what_a_record_does_not_show_is_never_empty() -> None:
    assert all(
        not_shown(*of) for of in (("pitr_restore", "latest"), ("pitr_restore", "chosen"), ("unheard", "of"))
    )
    assert any("configuration" in sentence for sentence in not_shown("pitr_restore", "latest"))
