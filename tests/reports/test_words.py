"""Rounding, durations and verdicts are said so that nobody takes them for more than was measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.words import (
    NB,
    Scale,
    Toward,
    badge,
    clock_time,
    digits,
    exact_range,
    headline_badge,
    humanised,
    listed,
    objective_badge,
    utc_time,
)


def said(text: str) -> str:
    return text.replace(NB, " ")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"),
        (0.4121, "0.412 s"),
        (14.4, "14.40 s"),
        (59.999, "1 min"),
        (432.1, "7 min 12 s"),
        (900.0, "15 min"),
        (3600.0, "1 h"),
        (3905.0, "1 h 05 min 05 s"),
        (86400.0, "24 h"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert said(humanised(seconds)) == words


def test_service_time_comes_first_and_wall_time_beside_it() -> None:
    assert said(Scale(30).full(14.403333)) == "7 min 12 s (432.1 s; wall 14.40 s)"


def test_in_real_time_nothing_is_said_twice() -> None:
    assert said(Scale(1).full(432.1)) == "7 min 12 s (432.1 s)"
    assert said(Scale(1).full(12.5)) == "12.50 s"


def test_a_product_of_floats_is_not_rounded_up_for_its_last_digit() -> None:
    """14.4 * 30 is 432.00000000000006, which is no measurement of 433 s."""
    assert said(Scale(30).short(14.4, Toward.UP)) == "7 min 12 s"


@given(st.floats(min_value=0, max_value=1e6))
def test_bounds_are_rounded_away_from_the_truth(seconds: float) -> None:
    assert float(digits(seconds, Toward.DOWN)) <= seconds + 1e-6
    assert float(digits(seconds, Toward.UP)) >= seconds - 1e-6


@given(st.floats(min_value=0, max_value=1e5), st.floats(min_value=0, max_value=1e5))
def test_a_range_never_hides_a_bound_that_lies_beyond_it(one: float, other: float) -> None:
    low_s, high_s = sorted((one, other))
    low, high = exact_range(low_s, high_s).removesuffix(f"{NB}s").split(" to ")
    assert float(low) <= low_s + 1e-6
    assert float(high) >= high_s - 1e-6


def test_a_missed_objective_is_not_rounded_into_a_met_one() -> None:
    assert said(humanised(900.04, Toward.UP)) == "15 min 01 s"


def test_times_name_their_zone() -> None:
    assert utc_time(1_776_693_785.12) == "2026-04-20 14:03:05.120 UTC"
    assert utc_time(1_776_693_785.9, digits=0) == "2026-04-20 14:03:06 UTC"
    assert clock_time(1_776_693_785.9996) == "14:03:06.000"


def test_a_list_reads_as_a_sentence() -> None:
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([]) == ""


def test_every_status_has_a_sign_of_its_own() -> None:
    statuses = ("passed", "failed", "inconclusive", "not_applicable")
    assert len({badge(status).sign for status in statuses}) == len(statuses)


def test_a_status_that_nobody_knows_is_never_shown_as_passed() -> None:
    assert badge("splendid").kind == "inconclusive"


@pytest.mark.parametrize(
    ("status", "live", "word"),
    [
        ("passed", True, "met"),
        ("failed", True, "missed"),
        ("inconclusive", True, "inconclusive"),
        ("passed", False, "would have met"),
        ("failed", False, "would have missed"),
        ("inconclusive", False, "inconclusive"),
    ],
)
def test_a_rehearsal_only_would_have_met_its_objective(status: str, live: bool, word: str) -> None:
    assert objective_badge(status, live=live).word == word


def test_a_rehearsal_that_failed_for_another_reason_does_not_claim_a_missed_objective() -> None:
    assert headline_badge("failed", live=False, objective_missed=False).word == "WOULD HAVE FAILED"
    assert headline_badge("failed", live=False, objective_missed=True).word == "WOULD HAVE MISSED"
    assert headline_badge("failed", live=True, objective_missed=True).word == "FAILED"
