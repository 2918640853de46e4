"""Is the damage gone, and did undoing it leave everything else alone?

                        before     after the damage    after the recovery
    damaged table       whole      400 rows wrong      0 rows wrong, as many rows as before
    another table       f = 9c1…   f = 9c1…            f = 9c1…: the same rows, byte for byte

A recovery of damage that nobody saw proves nothing: it has to have been there first.
"""

from __future__ import annotations

from collections.abc import Iterator

from drills.checks.wording import joined, some
from drills.history import History
from drills.history.observed import named
from drills.model import DamageDone, Finding, Instant, Json, Objectives, Status, TableSeen


def the_damage_is_gone(history: History, _: Objectives) -> Finding:
    """The damage is gone, and the tables that were not damaged are unchanged.

    The damage was seen on the source; after the recovery every damaged row is right, none is missing, and the
    other tables have the fingerprint that they had before.
    """
    damage, struck, good = history.damage, history.disaster, history.first_good
    if damage is None or struck is None:
        return _finding(Status.INCONCLUSIVE, "no damage was recorded")
    if good is None:
        return _finding(Status.INCONCLUSIVE, "no attempt shows that the recovery came to its end")
    seen = {table: _Table(history, table, good.began) for table in sorted({t.table for t in history.tables})}
    measured: dict[str, Json] = {"damaged": [*damage.tables], "looked_at": [*sorted(seen)]}
    faults = tuple(_faults(damage, seen))
    if faults:
        return _finding(Status.FAILED, joined(faults), measured)
    doubts = tuple(_doubts(damage, seen))
    if doubts:
        return _finding(Status.INCONCLUSIVE, joined(doubts), measured)
    others = [table for table in seen if table not in damage.tables]
    return _finding(
        Status.PASSED,
        f"every damaged row of {some(damage.tables)} is right again, and {some(others)} are unchanged",
        measured,
    )


class _Table:
    """How a table was before the damage, with it, and after the recovery; None: nobody looked."""

    def __init__(self, history: History, table: str, recovered_at: Instant) -> None:
        struck = history.disaster
        looks = sorted((t for t in history.tables if t.table == table), key=lambda t: t.began)
        source = [t for t in looks if named(t.server, history.source_name)]
        recovered = [t for t in looks if named(t.server, history.recovered_name) and t.began > recovered_at]
        self.before = _last([t for t in source if struck is not None and t.ended <= struck.earliest])
        self.damaged = [t for t in source if struck is not None and struck.latest < t.began <= recovered_at]
        self.after = _last(recovered)


def _last(looks: list[TableSeen]) -> TableSeen | None:
    return looks[-1] if looks else None


def _faults(damage: DamageDone, seen: dict[str, _Table]) -> Iterator[str]:
    for name, table in seen.items():
        before, after = table.before, table.after
        if after is None:
            continue
        if name in damage.tables:
            if after.wrong_rows:
                yield f"{after.wrong_rows} damaged rows of {name} are still wrong"
            if after.rows is None:
                yield f"the damaged table {name} is missing"
            elif before is not None and before.rows is not None and after.rows < before.rows:
                yield f"{name} had {before.rows} rows before the damage and has {after.rows}"
        elif _is_changed(before, after):
            yield f"{name} was not damaged, and is not what it was before"


def _is_changed(before: TableSeen | None, after: TableSeen) -> bool:
    if before is None or before.fingerprint is None:
        return False
    return after.rows is None or (after.fingerprint is not None and after.fingerprint != before.fingerprint)


def _doubts(damage: DamageDone, seen: dict[str, _Table]) -> Iterator[str]:
    for name in damage.tables:
        table = seen.get(name)
        if table is None or table.after is None:
            yield f"nobody looked at {name} after the recovery"
        elif table.after.wrong_rows is None:
            yield f"nobody counted the wrong rows of {name} after the recovery"
        if table is None or table.before is None or table.before.rows is None:
            yield f"nobody counted the rows of {name} before the damage"
        if table is None or not any(_shows_damage(table.before, t) for t in table.damaged):
            yield f"nobody saw the damage to {name} on the source, so that it is gone shows nothing"
    others = [name for name in seen if name not in damage.tables]
    if not damage.tables or not others:
        yield "no table that was not damaged was looked at beside those that were"
    for name in others:
        before, after = seen[name].before, seen[name].after
        if None in (before and before.fingerprint, after and after.fingerprint):
            yield f"nobody compared {name}, which was not damaged, with what it was before"


def _shows_damage(before: TableSeen | None, look: TableSeen) -> bool:
    """Wrong rows, fewer rows than before, or no table at all."""
    if look.wrong_rows or look.rows is None:
        return True
    return before is not None and before.rows is not None and look.rows < before.rows


def _finding(status: Status, summary: str, measured: dict[str, Json] | None = None) -> Finding:
    return Finding(the_damage_is_gone.__name__, status, summary, measured or {})
