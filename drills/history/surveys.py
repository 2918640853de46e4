"""Which markers do the surveys of one instance find, and which do they lack?

Two surveys have to agree: what one saw and another did not is unsettled, and a number with other values than its
writer noted is a stranger, not the marker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import combinations

from drills.model import InventoryTaken, MarkerWritten, StandingRow, Surveyed, SurveyedRow

STANDING = "standing"
"""The run id of the heartbeat's markers: one permanent stream, never strangers."""

Key = tuple[str, int]
Pair = tuple[Surveyed, Surveyed]


class Presence(Enum):
    """What the surveys say of one marker; UNSETTLED: one saw it and another did not, or nobody looked."""

    PRESENT = "present"
    ABSENT = "absent"
    UNSETTLED = "unsettled"


@dataclass(frozen=True, slots=True)
class EarlierRows:
    """How many rows of an earlier run the source held, and the fewest and the most that a survey found."""

    run_id: str
    held: int
    fewest: int
    most: int


class Found:
    """What the surveys of one instance found of a run's markers; without a survey nothing is settled."""

    def __init__(self, run_id: str, surveys: Sequence[Surveyed]) -> None:
        """Sort the rows of each survey by the number that they carry."""
        self.surveys = tuple(surveys)
        self._run_id = run_id
        self._own = tuple(_by_number(s, run_id) for s in surveys)
        self._standing = tuple(_times_by_number(s) for s in surveys)

    def presence(self, marker: MarkerWritten) -> Presence:
        """Say whether the surveys found the marker: its number with the values that its writer noted."""
        key, times = (marker.writer, marker.number), 0
        for rows in self._own:
            found = rows.get(key)
            if found is not None and _matches(marker, found):
                times += 1
        return self._settled(times)

    def presence_of_standing(self, row: StandingRow) -> Presence:
        """Say whether the surveys found a marker of the heartbeat: its number with its server time."""
        return self._settled(sum((row.number, row.server_time_us) in rows for rows in self._standing))

    def _settled(self, times: int) -> Presence:
        if times == len(self.surveys):
            return Presence.PRESENT if times else Presence.UNSETTLED
        return Presence.UNSETTLED if times else Presence.ABSENT

    def strangers(
        self, markers: Iterable[MarkerWritten], inventory: InventoryTaken | None
    ) -> Iterator[SurveyedRow]:
        """Rows that nobody attempted, or that carry other values than were noted.

        Without an inventory of the source nobody can tell whether rows of another run are strange: they are
        left out.
        """
        attempted = {(m.writer, m.number): m for m in markers}
        for row in dict.fromkeys(row for survey in self.surveys for row in survey.rows):
            if row.run_id == self._run_id:
                marker = attempted.get((row.writer, row.number))
                if marker is None or not _matches(marker, (row,)):
                    yield row
            elif row.run_id != STANDING and inventory is not None and row.run_id not in inventory.rows_by_run:
                yield row

    def earlier_rows(self, inventory: InventoryTaken | None) -> Iterator[EarlierRows]:
        """Tell of each run before this one how many rows the source held and how many the surveys found."""
        for run_id, held in sorted(inventory.rows_by_run.items() if inventory else ()):
            if run_id not in (self._run_id, STANDING) and self.surveys:
                found = [sum(row.run_id == run_id for row in s.rows) for s in self.surveys]
                yield EarlierRows(run_id=run_id, held=held, fewest=min(found), most=max(found))

    def duplicates(self) -> Iterator[Key]:
        """Writers and numbers that stand more than once in one survey of this run."""
        yield from sorted({key for rows in self._own for key, found in rows.items() if len(found) > 1})


def pairs(proven: Iterable[Surveyed], apart_s: float) -> tuple[Pair, ...]:
    """Pairs of surveys of one process, at least so many seconds apart, earliest end first."""
    found = (
        (first, second)
        for first, second in combinations(proven, 2)
        if first.identity == second.identity and second.began - first.ended >= apart_s - 1e-6
    )
    return tuple(sorted(found, key=lambda pair: (pair[1].ended, -pair[0].began)))


def of_one_process(proven: Iterable[Surveyed], found: Sequence[Pair]) -> tuple[Surveyed, ...]:
    """All surveys of the process that the first pair asked: a later one may contradict the pair."""
    return tuple(s for s in proven if s.identity == found[0][0].identity) if found else ()


def _by_number(survey: Surveyed, run_id: str) -> dict[Key, list[SurveyedRow]]:
    rows: dict[Key, list[SurveyedRow]] = {}
    for row in survey.rows:
        if row.run_id == run_id:
            rows.setdefault((row.writer, row.number), []).append(row)
    return rows


def _times_by_number(survey: Surveyed) -> set[tuple[int, int]]:
    return {(row.number, row.server_time_us) for row in survey.rows if row.run_id == STANDING}


def _matches(marker: MarkerWritten, rows: Iterable[SurveyedRow]) -> bool:
    """A row is the marker's if it holds what the writer noted; an UNKNOWN or REFUSED one noted its number only."""
    noted = marker.row
    for row in rows:
        if noted is None or (
            row.server_time_us == noted.server_time_us and row.lsn == noted.lsn and row.xid == noted.xid
        ):
            return True
    return False
