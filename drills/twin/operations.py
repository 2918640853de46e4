"""How long does a mutation take, and what can be said about it on the way?

Every mutation is accepted at once and goes on as an operation with a name, a start and an end. Names, ordinary and
recorded durations and the pace of polling were taken from recorded traffic: 2,944 distinct operations in the
recordings of azure-cli's tests, 2020-09 to 2025-02 (`azure-cli`, command modules rdbms and postgresql).
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum

from drills.twin import clock
from drills.twin.responses import Refusal
from drills.twin.truth import Truth

_LOG = logging.getLogger(__name__)
# Where the recorded tail is switched on, so many operations in a hundred take longer than ordinary ones do.
_SHARE_OF_TAIL = 0.1
# With durations off the service's pace would be all that a client waits for.
_FASTEST_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Pace:
    """One kind of operation: durations in service seconds, and the seconds that the service lets pass between polls."""

    name: str
    shortest_s: float
    longest_s: float
    recorded_longest_s: float
    poll_s: float


class Kind(Enum):
    """What a flexible server can be made to do, by the name that the service gives to it."""

    CREATE = Pace("UpsertServerManagementOperationV2", 181, 543, 4257, 60)
    RESTORE = Pace("RestoreSnapshotManagementOperation", 302, 420, 6104, 60)
    DELETE = Pace("DropServerManagementOperation", 45, 92, 2149, 15)
    SET_RULE = Pace("UpsertServerFirewallRulesManagementOperation", 58, 62, 62, 60)
    DROP_RULE = Pace("DropServerFirewallRulesManagementOperation", 58, 62, 62, 60)


class Status(Enum):
    """The words of the status document. The HTTP status is 200 for each of them."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(slots=True)
class Operation:
    """One mutation on its way. `query` must come back unchanged in every poll."""

    kind: Kind
    location: str
    query: dict[str, str]
    duration_s: float
    began: clock.Instant = field(default_factory=clock.now)
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: Status = Status.IN_PROGRESS
    refusal: Refusal | None = None

    async def rest(self) -> None:
        """Wait until the drawn duration (wall seconds) is over."""
        await asyncio.sleep(max(0.0, self.began.boot_s + self.duration_s - clock.now().boot_s))


@dataclass(frozen=True, slots=True)
class Durations:
    """How operations are given their lengths: drawn by seed in the recorded range, or as fast as PostgreSQL is."""

    time: clock.ServiceTime
    numbers: random.Random
    drawn: bool
    with_tail: bool

    def wall_s(self, kind: Kind) -> float:
        """Draw the duration of one operation, in wall seconds."""
        if not self.drawn:
            return 0.0
        pace = kind.value
        if self.with_tail and self.numbers.random() < _SHARE_OF_TAIL:
            return self.time.wall_s(self.numbers.uniform(pace.longest_s, pace.recorded_longest_s))
        return self.time.wall_s(self.numbers.uniform(pace.shortest_s, pace.longest_s))

    def poll_s(self, kind: Kind) -> float:
        """Wall seconds that a client is told to wait between two polls."""
        if not self.drawn:
            return _FASTEST_POLL_S
        return max(_FASTEST_POLL_S, self.time.wall_s(kind.value.poll_s))


class Operations:
    """All operations of one twin, past and present."""

    def __init__(self, durations: Durations, truth: Truth) -> None:
        self.durations = durations
        self._truth = truth
        self._known: dict[str, Operation] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(
        self, kind: Kind, *, location: str, server: str, work: Callable[[Operation], Awaitable[None]]
    ) -> Operation:
        """Accept a mutation and let `work` go on beside it; the operation succeeds when `work` returns.

        A `Refusal` raised by `work` makes it end as Failed in those words, anything else as the service's
        InternalServerError.
        """
        operation = Operation(kind, location, _signature(), self.durations.wall_s(kind))
        self._known[operation.identifier] = operation
        self._truth.record(
            "operation_began", at=operation.began, operation=kind.value.name, server=server,
            id=operation.identifier, duration_s=operation.duration_s,
        )  # fmt: skip
        task = asyncio.create_task(self._carry_out(operation, server, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return operation

    def find(self, identifier: str, query: dict[str, str]) -> Operation | None:
        """The operation behind a polled address, if the address is the very one that was handed out."""
        operation = self._known.get(identifier.lower())
        if operation is None or any(query.get(key) != value for key, value in operation.query.items()):
            return None
        return operation

    async def stop(self) -> None:
        """Abandon whatever is still on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry_out(
        self, operation: Operation, server: str, work: Callable[[Operation], Awaitable[None]]
    ) -> None:
        try:
            await work(operation)
        except Refusal as refusal:
            operation.refusal = refusal
        except Exception:  # noqa: BLE001  # the client sees what the service shows for its own faults
            _LOG.exception("operation %s on %s broke", operation.kind.name, server)
            operation.refusal = Refusal.internal_error()
        operation.status = Status.FAILED if operation.refusal else Status.SUCCEEDED
        self._truth.record(
            "operation_ended", operation=operation.kind.value.name, server=server, id=operation.identifier,
            status=operation.status.value, code=operation.refusal and operation.refusal.code,
        )  # fmt: skip


def _signature() -> dict[str, str]:
    """The query that the service signs its operation addresses with; here only its shape and its secrecy matter."""
    return {
        "t": str(int(clock.now().utc.timestamp() * 10_000_000) + 621_355_968_000_000_000),
        "c": secrets.token_urlsafe(900),
        "s": secrets.token_urlsafe(256),
        "h": secrets.token_urlsafe(32),
    }
