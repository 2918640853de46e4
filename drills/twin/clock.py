"""What time is it, and how long does a stretch of service time last on the wall?

Service time is wall time multiplied by the time scale N: at N = 30 an operation of 300 service seconds takes ten
seconds on the wall. Timestamps are never scaled, only durations are.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment by two clocks: seconds since the machine booted (suspension included), and UTC."""

    boot_s: float
    utc: datetime


def now() -> Instant:
    """Both clocks, read one directly after the other."""
    return Instant(boot_s=time.clock_gettime(time.CLOCK_BOOTTIME), utc=datetime.now(UTC))


def at_utc(utc: datetime) -> Instant:
    """The instant of a UTC time that lies a little in the past, by today's distance between the two clocks."""
    current = now()
    return Instant(boot_s=current.boot_s - (current.utc - utc).total_seconds(), utc=utc)


@dataclass(frozen=True, slots=True)
class ServiceTime:
    """Durations of the service, scaled down to the wall."""

    scale: float

    def wall_s(self, service_s: float) -> float:
        """Wall seconds that `service_s` seconds of service time last."""
        return service_s / self.scale

    async def sleep(self, service_s: float) -> None:
        """Wait for `service_s` seconds of service time."""
        await asyncio.sleep(self.wall_s(service_s))
