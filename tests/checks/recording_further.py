"""The events that further scenarios write, for a history by hand: see the docstring of drills/loading.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from drills.history import History
from drills.model import DamageDone, FailoverRequested, SourceClosed

Event = tuple[float, str, dict[str, Any]]


def further_events(history: History) -> Iterator[Event]:
    """What the journal notes of a failover, the loss of a region or a corruption, in no order."""
    plain: list[tuple[str, Iterable[Any]]] = [
        ("table_seen", history.tables),
        ("repair_compared", history.repairs),
        ("server_described", history.described),
        ("settings_read", history.settings),
        ("backups_listed", history.backups),
        ("assertion_run", history.assertions_run),
        ("source_identified", _one(history.source_identified)),
        ("source_asked_in_vain", _one(history.source_asked_in_vain)),
    ]
    for name, observations in plain:
        yield from ((seen.ended, name, asdict(seen)) for seen in observations)
    yield from _act("failover", history.failover, at_the_end=("ended", "accepted"))
    yield from _act("damage", history.damage, at_the_end=("ended",))
    yield from _act("closing", history.closing, at_the_end=("ended", "error"))
    yield from _standing(history)
    yield from _hooks(history)


def declared_in(history: History) -> dict[str, Any]:
    """What profile.json says beside the objectives."""
    document: dict[str, Any] = {
        "assertions": [asdict(declared) for declared in history.assertions],
        "hooks": {point: {"limit_s": 300.0} for point in history.hooks},
    }
    if history.declared is not None:
        expected = asdict(history.declared)
        document["azure"] = {name: expected.pop(name) for name in ("region", "paired_region")}
        document["expected"] = {**expected, "vector_index": {"method": expected["vector_index"], "m": 16}}
    return document


def _one(observation: Any) -> tuple[Any, ...]:
    return () if observation is None else (observation,)


def _act(
    name: str, act: FailoverRequested | DamageDone | SourceClosed | None, *, at_the_end: tuple[str, ...]
) -> Iterator[Event]:
    if act is None:
        return
    noted = asdict(act)
    end = {field: noted.pop(field) for field in at_the_end}
    yield act.began, f"{name}_began", noted
    if act.ended is not None:
        yield act.ended, f"{name}_ended", end


def _standing(history: History) -> Iterator[Event]:
    read = history.standing
    if read is None:
        return
    rows = [list(asdict(row).values()) for row in read.rows]
    noted = {name: value for name, value in asdict(read).items() if name != "rows"}
    yield read.ended, "standing_rows", {"rows": rows}
    yield read.ended, "standing_read", {**noted, "rows_count": len(rows)}


def _hooks(history: History) -> Iterator[Event]:
    for number, hook in enumerate(history.hooks_run):
        yield hook.began, "hook_began", {"hook": number, "point": hook.point, "began": hook.began}
        if hook.ended is not None:
            end = {"ended": hook.ended, "exit_code": hook.exit_code, "error": hook.error}
            yield hook.ended, "hook_ended", {"hook": number, **end}
