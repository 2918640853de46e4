"""What time is it, and how long do we wait? The only place that reads a clock or sleeps.

Durations come from CLOCK_BOOTTIME, which goes on while a machine is suspended; where a system has none, from
the monotonic clock. UTC is read beside it, so that a step of either can be seen afterwards.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from drills.errors import WaitedTooLong
from drills.model import ClockRead, Instant

T = TypeVar("T")

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def now() -> Instant:
    """Read the run's clock, in seconds; all processes of one boot share it."""
    return Instant(time.clock_gettime(_CLOCK))


_ATOMIC_S = 0.001
"""Between two readings of the run's clock that enclose one of UTC; longer, and the process was held up."""
_TRIES = 100


def read() -> ClockRead:
    """Read the run's clock and UTC (seconds since 1970) at one moment, a millisecond apart at most.

    A process that is held up between the two readings would look like a clock that was stepped, so a pair that
    took too long is read again. A machine that never gets through in time gives the last pair it got.
    """
    before, utc_s, after = now(), time.time(), now()
    for _ in range(_TRIES):
        if after - before <= _ATOMIC_S:
            break
        before, utc_s, after = now(), time.time(), now()
    return ClockRead(at=Instant((before + after) / 2), utc_s=utc_s)


def utc() -> datetime:
    """Read UTC as an aware datetime."""
    return datetime.now(UTC)


def boot_id() -> str:
    """Name the boot whose clock is read, or "unknown" where the system does not tell."""
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else "unknown"


def sleep(seconds: float) -> None:
    """Sleep for some wall seconds; libraries that wait for us are given this."""
    time.sleep(seconds)


def sleep_until(at: Instant, *, stop: threading.Event | None = None) -> None:
    """Sleep until an instant of the run's clock, or until `stop` is set; returns at once when it is past."""
    while (left := at - now()) > 0:
        if stop is None:
            time.sleep(left)
        elif stop.wait(left):
            return


def wait_for(
    look: Callable[[], T],
    *,
    until: Callable[[T], bool],
    what: str,
    limit_s: float,
    every_s: float,
    stop: threading.Event | None = None,
) -> T:
    """Look again and again until the answer satisfies `until`, and give that answer.

    `limit_s` and `every_s` are wall seconds; looks begin `every_s` apart, or back to back when one is slower.

    Raises:
        WaitedTooLong: the limit ran out, or `stop` was set; the sentence says what was seen last.
    """
    began = now()
    while True:
        looked = now()
        answer = look()
        if until(answer):
            return answer
        if stop is not None and stop.is_set():
            raise WaitedTooLong(f"stopped while waiting for {what}; last seen: {answer}")
        if now() - began >= limit_s:
            raise WaitedTooLong(f"{limit_s:.0f} s were not enough for {what}; last seen: {answer}")
        sleep_until(Instant(looked + every_s), stop=stop)
