"""In which ways can the twin betray its client, on purpose?

A lie lets the control plane claim what the data plane does not hold; a hardship is honest but inconvenient. Both are
set when the twin starts, and each is one class here: its fields are its keys in the configuration, and it overrides
the hooks where it wants to interfere. A new kind is a new class.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from psycopg import AsyncConnection

from drills.twin.clock import ServiceTime
from drills.twin.errors import BadConfiguration


@dataclass(frozen=True, kw_only=True, slots=True)
class Lie:
    """The hooks, all honest. `server` limits a lie to one server: the source of a restore, or the one connected to."""

    kind: ClassVar[str]
    server: str | None = None

    def shift_s(self, time: ServiceTime) -> float:
        """Wall seconds by which a restore misses the point that was picked."""
        return 0.0

    def statement_on_copy(self) -> tuple[str, str] | None:
        """Database and SQL to run as superuser on a recovered copy before anybody is let in."""
        return None

    def routes_to_source(self) -> bool:
        """Whether the name of the copy leads to its source."""
        return False

    def head_start_service_s(self) -> float | None:
        """Service seconds by which the control plane reports success before PostgreSQL has recovered."""
        return None

    def drops_answer(self, number: int) -> bool:
        """Whether the answer to the `number`-th committed write through a server's address is lost."""
        return False

    def may_drop_answers(self) -> bool:
        """Whether the gateway has to count committed writes at all."""
        return False


@dataclass(frozen=True, kw_only=True, slots=True)
class TailMissing(Lie):
    """The newest part of what was picked is left out."""

    kind: ClassVar[str] = "tail_missing"
    service_s: float

    def shift_s(self, time: ServiceTime) -> float:
        return -time.wall_s(self.service_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class PointShifted(Lie):
    """The copy is recovered to a later point than was asked for, or, if negative, to an earlier one."""

    kind: ClassVar[str] = "point_shifted"
    wall_s: float

    def shift_s(self, time: ServiceTime) -> float:
        return self.wall_s


@dataclass(frozen=True, kw_only=True, slots=True)
class SqlOnCopy(Lie):
    """Rows of the copy are deleted or rewritten behind everybody's back."""

    kind: ClassVar[str] = "sql_on_copy"
    database: str
    sql: str

    def statement_on_copy(self) -> tuple[str, str] | None:
        return self.database, self.sql


@dataclass(frozen=True, kw_only=True, slots=True)
class RoutedToSource(Lie):
    """Whoever asks for the copy reaches the source."""

    kind: ClassVar[str] = "routed_to_source"

    def routes_to_source(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadyBeforeRecovered(Lie):
    """Hardship: the operation succeeds while PostgreSQL is still recovering, for so many service seconds."""

    kind: ClassVar[str] = "ready_before_recovered"
    service_s: float

    def head_start_service_s(self) -> float | None:
        return self.service_s


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerDroppedAfterCommit(Lie):
    """Hardship: every so many committed writes, or once, the connection is cut in place of the answer."""

    kind: ClassVar[str] = "answer_dropped_after_commit"
    every: int | None = None
    statement: int | None = None

    def __post_init__(self) -> None:
        if (self.every is None) == (self.statement is None):
            raise BadConfiguration(f"lie {self.kind!r} takes either 'every' or 'statement'")
        if min(value for value in (self.every, self.statement) if value is not None) < 1:
            raise BadConfiguration(f"lie {self.kind!r}: statements are counted from 1")

    def drops_answer(self, number: int) -> bool:
        return number == self.statement if self.every is None else number % self.every == 0

    def may_drop_answers(self) -> bool:
        return True


KINDS: dict[str, type[Lie]] = {
    kind.kind: kind
    for kind in (
        TailMissing,
        PointShifted,
        SqlOnCopy,
        RoutedToSource,
        ReadyBeforeRecovered,
        AnswerDroppedAfterCommit,
    )
}


@dataclass(frozen=True, slots=True)
class Lies:
    """All lies of one twin; empty means that it is honest."""

    told: tuple[Lie, ...] = ()

    def about(self, server: str) -> Self:
        """Those that concern a restore of this source, or connections to this server."""
        return dataclasses.replace(self, told=tuple(lie for lie in self.told if lie.server in (None, server)))

    def as_json(self) -> list[dict[str, Any]]:
        """As they stand in the configuration."""
        return [{"kind": lie.kind, **dataclasses.asdict(lie)} for lie in self.told]

    def shift_s(self, time: ServiceTime) -> float:
        """Wall seconds by which a restore misses its point."""
        return sum(lie.shift_s(time) for lie in self.told)

    def statements_on_copy(self) -> list[tuple[str, str]]:
        """What to run on a copy, in the order of the configuration."""
        return [statement for lie in self.told if (statement := lie.statement_on_copy())]

    def routes_to_source(self) -> bool:
        """Whether a copy's name leads to its source."""
        return any(lie.routes_to_source() for lie in self.told)

    def head_start_service_s(self) -> float | None:
        """The longest head start of the control plane, None without one."""
        return max(
            (start for lie in self.told if (start := lie.head_start_service_s()) is not None), default=None
        )

    def may_drop_answers(self) -> bool:
        """Whether the gateway has to read along."""
        return any(lie.may_drop_answers() for lie in self.told)

    def drops_answer(self, number: int) -> bool:
        """Whether the answer to this committed write is lost."""
        return any(lie.drops_answer(number) for lie in self.told)


async def run_on_copy(session: AsyncConnection[Any], statement: str) -> int:
    """Run one lying statement and return how many rows it touched."""
    return (await session.execute(statement.encode())).rowcount


def parse(told: list[dict[str, Any]]) -> Lies:
    """Read the list `lies` of the configuration.

    Raises:
        BadConfiguration: an unknown kind, or keys that the kind does not have.
    """
    return Lies(tuple(_parse_one(entry) for entry in told))


def _parse_one(entry: dict[str, Any]) -> Lie:
    kind = KINDS.get(str(entry.get("kind")))
    if kind is None:
        raise BadConfiguration(f"lie {entry.get('kind')!r} is unknown\nHINT: one of {', '.join(KINDS)}")
    try:
        return kind(**{key: value for key, value in entry.items() if key != "kind"})
    except TypeError as wrong:
        names = ", ".join(field.name for field in dataclasses.fields(kind))
        raise BadConfiguration(f"lie {kind.kind!r} takes {names}: {wrong}") from wrong
