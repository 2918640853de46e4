from __future__ import annotations

from dataclasses import replace

import pytest

from drills.checks.outage import interruptions, outage
from drills.history import History
from drills.model import AttemptSort, Instant, Interval
from tests.failover_histories import STANDBY, forced, wrote
from tests.histories import SOURCE, edited, failed, utc_stepped

NEW, HELD = AttemptSort.NEW, AttemptSort.HELD


def of(*attempts: object) -> History:
    return edited(forced(), attempts=attempts)


def out(history: History, sort: AttemptSort = NEW) -> Interval:
    interval = outage(history, sort)
    assert interval is not None
    assert interval.high_s is None or width(interval) == pytest.approx(interval.high_s - interval.low_s)
    return interval


def width(interval: Interval) -> float:
    return sum(part.seconds for part in interval.parts)


def before(until: float = 10.0) -> list[object]:
    return [wrote(n, n * 0.1, SOURCE, took=0.02) for n in range(round(until / 0.1))]


def after(since: float) -> list[object]:
    return [wrote(900 + n, since + n * 0.1, STANDBY, took=0.02) for n in range(10)]


def bad(*at: float) -> list[object]:
    return [failed(500 + n, began) for n, began in enumerate(at)]


def test_an_outage_goes_from_the_last_on_the_old_to_the_first_on_the_new() -> None:
    interval = out(of(*before(), *bad(10.0, 10.1, 10.2, 10.3, 10.4, 10.5), *after(10.6)))

    assert interval.high_s == pytest.approx(10.62 - 9.9)
    assert interval.low_s == pytest.approx(10.4 - 10.12)


def test_each_sort_of_attempt_has_an_outage_of_its_own() -> None:
    held = [replace(a, prober="held") for a in (*before(), *after(12.0))]  # type: ignore[type-var]
    run = of(*before(), *after(10.5), *held)

    assert out(run, HELD).high_s == pytest.approx(12.02 - 9.9)
    assert out(run, NEW).high_s == pytest.approx(10.52 - 9.9)


def test_writes_that_hang_and_are_then_taken_by_the_new_primary_are_an_outage() -> None:
    """They hang from 10.00 to 11.00 s; nothing was ever refused."""
    hung = [wrote(500 + n, 10.0 + n * 0.1, STANDBY, took=1.0 - n * 0.1) for n in range(10)]
    interval = out(of(*before(), *hung, *after(11.0)))

    assert interval.high_s is not None
    assert interval.high_s >= 1.0
    assert interval.low_s == 0.0


def test_a_change_without_a_single_failure_still_has_an_upper_bound() -> None:
    interval = out(of(*before(), *after(10.0)))

    assert interval.low_s == 0.0
    assert interval.high_s == pytest.approx(0.12)


def test_one_refused_attempt_a_minute_before_is_an_interruption_of_its_own() -> None:
    run = of(
        *before(70.0)[:100], failed(400, 10.0), *before(70.0)[101:], *bad(70.0, 70.1, 70.2), *after(72.0)
    )

    assert out(run).high_s == pytest.approx(72.02 - 69.9)
    (found,) = interruptions(run, NEW)
    assert (found.began, found.attempts) == (10.0, 1)


def test_two_refused_long_before_are_not_the_beginning_of_the_outage() -> None:
    early = [failed(400, 5.01), failed(401, 5.03)]
    run = of(*before(), *early, *bad(10.0, 10.1, 10.2), *after(10.3))

    assert out(run).low_s == 0.0
    assert [i.attempts for i in interruptions(run, NEW)] == [2]


def test_a_new_primary_that_flaps_is_interrupted_and_not_out_again() -> None:
    run = of(*before(), *bad(10.0, 10.1, 10.2, 10.3), *after(10.4), failed(700, 11.5), *after(11.6))

    assert out(run).high_s == pytest.approx(10.42 - 9.9)
    assert [i.began for i in interruptions(run, NEW)] == [11.5]


def test_an_outage_without_an_end_has_none() -> None:
    interval = out(of(*before(), *bad(*(10.0 + n * 0.1 for n in range(50)))))

    assert interval.high_s is None
    assert interval.low_s == pytest.approx(14.8 - 10.12)


def test_an_old_primary_that_nobody_saw_take_a_write_gives_no_lower_bound() -> None:
    interval = out(of(*bad(10.0, 10.1, 10.2, 10.3), *after(10.4)))

    assert (interval.low_s, interval.high_s) == (0.0, None)


def test_an_old_primary_that_takes_writes_after_the_new_one_leaves_no_outage() -> None:
    """A client that could reach either was never without one; that two took writes is the fencing's finding."""
    interval = out(of(*before(20.0), *after(10.0)))

    assert (interval.low_s, interval.high_s) == (0.0, 0.0)


def test_attempts_without_an_outcome_end_nothing() -> None:
    hanging = [failed(600 + n, 10.0 + n * 0.1, took=None) for n in range(5)]
    interval = out(of(*before(), *hanging, *after(10.5)))

    assert interval.low_s == 0.0
    assert interval.high_s == pytest.approx(10.52 - 9.9)


def test_nobody_who_tried_is_no_outage_of_zero() -> None:
    assert outage(of(), NEW) is None
    assert outage(edited(forced(), disaster=None), NEW) is None
    assert interruptions(edited(forced(), disaster=None), NEW) == ()


def test_clocks_that_disagree_widen_both_bounds() -> None:
    interval = out(utc_stepped(forced(), 104.0, -3.0))

    assert interval.low_s == pytest.approx(3.73)
    assert interval.high_s == pytest.approx(7.77)


def test_an_attempt_that_was_acknowledged_without_being_read_back_shows_a_primary() -> None:
    taken = replace(failed(700, 10.3), timeline=2, ended=Instant(10.32))
    interval = out(of(*before(), *bad(10.0, 10.1, 10.2), taken, *after(11.0)))

    assert interval.high_s == pytest.approx(10.32 - 9.9)
