"""How do the lines of a record become a History? Parsed once, here, on the way in.

The journal's lines are named after what they note. Most are one observation each, field by field; acts that
can end unseen have two lines, *began* and *ended*, and one without the other stays open.

    journal.jsonl           run_began, step_began/_ended, call_began/_ended, operation_ended,
                            restore_began/_ended, server_named, inventory_taken, archive_sampled, disaster,
                            server_looked, answered, waited, survey_rows + surveyed, nonces_read,
                            vector_queried, servers_listed, caveat, file_closed, run_ended
    markers-<writer>.jsonl  writer_began, marker_began/_ended, writer_stopped
    probes-<prober>.jsonl   prober_began, probe_began/_ended, prober_stopped
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any, TypeVar

from drills.errors import RecordError
from drills.history import History
from drills.journal import Chain, Line, Record
from drills.model import (
    ArchiveSampled,
    CallMade,
    ClockRead,
    DateSeen,
    Disaster,
    Instant,
    InventoryTaken,
    Lsn,
    MarkerRow,
    MarkerWritten,
    NoncesRead,
    Objectives,
    Outcome,
    ProberRan,
    ProbeTried,
    RestoreRequested,
    RunIdentity,
    ServerIdentity,
    ServerLooked,
    ServersListed,
    Stage,
    StepTaken,
    Surveyed,
    SurveyedRow,
    VectorQueried,
    Waited,
    WaitedFor,
)

T = TypeVar("T")


def load(record: Record) -> History:
    """Build the History of a record.

    Raises:
        RecordError: a line lacks a field, or has one of another type than was agreed on.
    """
    try:
        return _load(record)
    except (KeyError, TypeError, ValueError, StopIteration) as problem:
        raise RecordError(
            f"the record cannot be understood: {type(problem).__name__}: {problem}",
            hint="it may have been written by another version of this software",
        ) from problem


def objectives_of(record: Record) -> Objectives:
    """The objectives that were written down before the fault, in wall seconds of that run."""
    try:
        return Objectives(**record.profile["objectives_of_this_run"])
    except (KeyError, TypeError) as problem:
        raise RecordError(f"profile.json states no usable objectives: {problem}") from problem


def _load(record: Record) -> History:
    lines = record.journal.lines
    first = next(line for line in lines if line["event"] == "run_began")
    last = next((line for line in lines if line["event"] == "run_ended"), None)
    probes = [_probes(name, chain) for name, chain in sorted(record.probes.items())]
    return History(
        run=_run(first),
        began=ClockRead(at=Instant(first["at"]), utc_s=first["utc_s"]),
        ended=None if last is None else ClockRead(at=Instant(last["at"]), utc_s=last["utc_s"]),
        completed=last is not None and last["outcome"] == "completed",
        markers=tuple(m for name, chain in sorted(record.markers.items()) for m in _markers(name, chain)),
        marker_period_s=_marker_period_s(record),
        inventory=_only(_plain(InventoryTaken, lines, "inventory_taken")),
        samples=tuple(_plain(ArchiveSampled, lines, "archive_sampled")),
        disaster=_only(_plain(Disaster, lines, "disaster")),
        request=_only(_requests(lines)),
        looks=tuple(_plain(ServerLooked, lines, "server_looked")),
        attempts=tuple(attempt for _, attempts in probes for attempt in attempts),
        probers=tuple(prober for prober, _ in probes),
        surveys=tuple(_surveys(lines)),
        source_nonces=_only(_nonces(lines)),
        steps=tuple(_steps(lines)),
        waits=tuple(_waits(lines)),
        calls=tuple(_calls(lines)),
        created=tuple(line["name"] for line in lines if line["event"] == "server_named"),
        listings=tuple(_listings(lines)),
        vector=_only(_plain(VectorQueried, lines, "vector_queried")),
        clocks=tuple(_clocks(record)),
        dates=tuple(_dates(lines)),
        caveats=tuple(line["sentence"] for line in lines if line["event"] == "caveat"),
        switch_over_delay_s=objectives_of(record).switch_over_delay_s,
    )


def _run(line: Line) -> RunIdentity:
    return RunIdentity(**{f.name: line[f.name] for f in fields(RunIdentity)})


def _plain(kind: type[T], lines: Iterable[Line], event: str) -> Iterator[T]:
    """Observations whose line has exactly their fields."""
    names = [f.name for f in fields(kind)]  # type: ignore[arg-type]  # every kind passed here is a dataclass
    for line in lines:
        if line["event"] == event:
            yield kind(**{name: line[name] for name in names})


def _only(found: Iterable[T]) -> T | None:
    """The last one: a reading that was taken again replaces the earlier one."""
    taken = tuple(found)
    return taken[-1] if taken else None


def _identity(value: dict[str, Any] | None) -> ServerIdentity | None:
    return None if value is None else ServerIdentity(**value)


def _known(value: dict[str, Any]) -> ServerIdentity:
    return ServerIdentity(**value)


def _markers(writer: str, chain: Chain) -> Iterator[MarkerWritten]:
    ended = {line["number"]: line for line in chain.lines if line["event"] == "marker_ended"}
    numbers: set[int] = set()
    for line in chain.lines:
        if line["event"] != "marker_began":
            continue
        if line["number"] in numbers:
            raise ValueError(f"marker {writer} {line['number']} was begun twice")
        numbers.add(line["number"])
        end = ended.get(line["number"])
        if end is not None and end["outcome"] == Outcome.ACKED and end["row"] is None:
            raise ValueError(f"marker {writer} {line['number']} was acknowledged without its row")
        yield MarkerWritten(
            writer=writer,
            number=line["number"],
            began=line["began"],
            ended=None if end is None else end["ended"],
            outcome=Outcome.UNKNOWN if end is None else Outcome(end["outcome"]),
            row=None if end is None or end["row"] is None else _marker_row(end["row"]),
            reason=None if end is None else end["reason"],
        )


def _marker_row(row: dict[str, Any]) -> MarkerRow:
    return MarkerRow(**{**row, "lsn": Lsn(row["lsn"])})


def _marker_period_s(record: Record) -> float | None:
    """Markers of all writers together: with n writers of period p, one begins about every p / n seconds."""
    periods = [
        line["period_s"]
        for chain in record.markers.values()
        for line in chain.lines
        if line["event"] == "writer_began"
    ]
    return min(periods) / len(periods) if periods else None


def _probes(prober: str, chain: Chain) -> tuple[ProberRan, tuple[ProbeTried, ...]]:
    first = next(line for line in chain.lines if line["event"] == "prober_began")
    stopped = next((line["at"] for line in chain.lines if line["event"] == "prober_stopped"), None)
    ran = ProberRan(
        prober=prober,
        period_s=first["period_s"],
        limit_s=first["limit_s"],
        began=first["at"],
        stopped=stopped,
    )
    ended = {line["number"]: line for line in chain.lines if line["event"] == "probe_ended"}
    return ran, tuple(
        _probe(prober, line, ended.get(line["number"]))
        for line in chain.lines
        if line["event"] == "probe_began"
    )


def _probe(prober: str, began: Line, ended: Line | None) -> ProbeTried:
    common = {"prober": prober, "number": began["number"], "began": began["began"], "nonce": began["nonce"]}
    if ended is None:
        return ProbeTried(**common, ended=None, stage=Stage.NONE)
    return ProbeTried(
        **common,
        ended=ended["ended"],
        stage=Stage(ended["stage"]),
        identity=_identity(ended["identity"]),
        error=ended["error"],
        unresolved=ended["unresolved"],
    )


def _surveys(lines: Iterable[Line]) -> Iterator[Surveyed]:
    rows: list[SurveyedRow] = []
    for line in lines:
        if line["event"] == "survey_began":
            rows = []
        elif line["event"] == "survey_rows":
            rows.extend(SurveyedRow(*row) for row in line["rows"])
        elif line["event"] == "surveyed":
            if line["rows_count"] != len(rows):
                raise ValueError(f"a survey of {line['rows_count']} rows noted {len(rows)} of them")
            yield Surveyed(
                began=line["began"],
                ended=line["ended"],
                server=line["server"],
                identity=_known(line["identity"]),
                nonce=line["nonce"],
                rows=tuple(rows),
                database_found=line["database_found"],
            )
            rows = []


def _requests(lines: Iterable[Line]) -> Iterator[RestoreRequested]:
    lines = list(lines)
    ended = next((line for line in lines if line["event"] == "restore_ended"), None)
    for line in lines:
        if line["event"] == "restore_began":
            yield RestoreRequested(
                began=line["began"],
                ended=None if ended is None else ended["ended"],
                source=line["source"],
                recovered=line["recovered"],
                point_us=line["point_us"],
                accepted=ended is not None and ended["accepted"],
            )


def _nonces(lines: Iterable[Line]) -> Iterator[NoncesRead]:
    for line in lines:
        if line["event"] == "nonces_read":
            yield NoncesRead(
                began=line["began"],
                ended=line["ended"],
                identity=_known(line["identity"]),
                nonces=frozenset(line["nonces"]),
            )


def _steps(lines: Iterable[Line]) -> Iterator[StepTaken]:
    lines = list(lines)
    ended = {line["step"]: line for line in lines if line["event"] == "step_ended"}
    for line in lines:
        if line["event"] == "step_began":
            end = ended.get(line["step"])
            yield StepTaken(
                name=line["name"],
                began=line["at"],
                ended=None if end is None else end["at"],
                error=None if end is None else end["error"],
            )


def _waits(lines: Iterable[Line]) -> Iterator[Waited]:
    for line in lines:
        if line["event"] == "waited":
            yield Waited(
                who=WaitedFor(line["who"]), what=line["what"], began=line["began"], ended=line["ended"]
            )


def _calls(lines: Iterable[Line]) -> Iterator[CallMade]:
    lines = list(lines)
    ended = {line["call"]: line for line in lines if line["event"] == "call_ended"}
    done = {line["call"]: line["ended"] for line in lines if line["event"] == "operation_ended"}
    for line in lines:
        if line["event"] != "call_began":
            continue
        end = ended.get(line["call"], {})
        yield CallMade(
            name=line["name"],
            resource=line["resource"],
            began=line["began"],
            ended=end.get("ended"),
            status=end.get("status"),
            request_id=end.get("request_id"),
            correlation_id=end.get("correlation_id"),
            operation=end.get("operation"),
            error=end.get("error"),
            operation_ended=done.get(line["call"]),
        )


def _listings(lines: Iterable[Line]) -> Iterator[ServersListed]:
    for line in lines:
        if line["event"] == "servers_listed":
            yield ServersListed(
                began=line["began"], ended=line["ended"], group=line["group"], names=tuple(line["names"])
            )


def _clocks(record: Record) -> Iterator[ClockRead]:
    """Every line of every process carries both clocks, so every file watches them."""
    for chain in (record.journal, *record.markers.values(), *record.probes.values()):
        for line in chain.lines:
            yield ClockRead(at=line["at"], utc_s=line["utc_s"])


def _dates(lines: Iterable[Line]) -> Iterator[DateSeen]:
    for line in lines:
        if line["event"] == "answered" and line["date_s"] is not None:
            yield DateSeen(began=line["began"], ended=line["ended"], date_s=line["date_s"])
