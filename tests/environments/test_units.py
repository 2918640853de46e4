"""Durations, sizes and sentences: what a value of environments.toml may look like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from drills.environments.units import (
    BYTES_PER_UNIT,
    SECONDS_PER_UNIT,
    expand,
    parse_duration,
    parse_size,
    variables_in,
)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90s", 90.0), ("5m", 300.0), ("1h", 3600.0), ("24h", 86400.0), ("250ms", 0.25), ("1.5h", 5400.0)],
)
def test_a_duration_is_a_number_and_its_unit(written: str, seconds: float) -> None:
    assert parse_duration(written) == pytest.approx(seconds)


@given(number=st.integers(min_value=0, max_value=10**6), unit=st.sampled_from(sorted(SECONDS_PER_UNIT)))
def test_every_whole_number_of_every_unit_is_read_as_that_many_seconds(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}") == number * SECONDS_PER_UNIT[unit]


@given(number=st.floats(min_value=0.001, max_value=10**6), unit=st.sampled_from(sorted(SECONDS_PER_UNIT)))
def test_a_fraction_of_a_unit_is_read_as_that_fraction(number: float, unit: str) -> None:
    assert parse_duration(f"{number:.3f}{unit}") == pytest.approx(round(number, 3) * SECONDS_PER_UNIT[unit])


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()))
def test_whatever_is_written_is_a_number_of_seconds_or_answered_with_a_hint(written: object) -> None:
    match seconds_or_hint(written):
        case float(seconds):
            assert 0 <= seconds < float("inf")
        case hint:
            assert '"5m"' in hint


def seconds_or_hint(written: object) -> float | str:
    try:
        return parse_duration(written)
    except PydanticCustomError as error:
        return str((error.context or {})["hint"])


@pytest.mark.parametrize(
    "written", ["15", 15, "-5m", "5 min", "1h30m", "", "h", "٣m", "5M", "1e3s", "inf s"], ids=repr
)
def test_what_could_mean_two_things_is_no_duration(written: object) -> None:
    with pytest.raises(PydanticCustomError, match="is not a duration"):
        parse_duration(written)


@given(number=st.integers(min_value=0, max_value=10**6), unit=st.sampled_from(sorted(BYTES_PER_UNIT)))
def test_a_size_is_read_as_bytes_with_1024_to_the_kilobyte(number: int, unit: str) -> None:
    assert parse_size(f"{number}{unit}") == number * BYTES_PER_UNIT[unit]


@pytest.mark.parametrize("written", ["1", 1, "1.5GB", "1gb", "GB", "-1MB"], ids=repr)
def test_what_has_no_unit_of_postgresql_is_no_size(written: object) -> None:
    with pytest.raises(PydanticCustomError, match="is not a size"):
        parse_size(written)


def test_a_variable_is_replaced_by_its_value_wherever_it_stands() -> None:
    assert expand("rg-${STAGE}-${REGION}", {"STAGE": "uat", "REGION": "eu"}) == "rg-uat-eu"
    assert variables_in("rg-${STAGE}-${REGION}") == ("STAGE", "REGION")


@pytest.mark.parametrize("environ", [{}, {"STAGE": ""}, {"STAGE": "  "}])
def test_a_variable_without_a_value_is_as_good_as_unset(environ: dict[str, str]) -> None:
    """CI hands an empty text to a job that may not see a secret."""
    with pytest.raises(KeyError, match="STAGE"):
        expand("rg-${STAGE}", environ)


def test_the_value_of_a_variable_is_not_expanded_again() -> None:
    assert expand("${A}", {"A": "${B}", "B": "never"}) == "${B}"
