"""How do the lines of a record become a History? Parsed once, here, on the way in.

The journal's lines are named after what they note. Most are one observation each, field by field; acts that
can end unseen have two lines, *began* and *ended*, and one without the other stays open.

    journal.jsonl           run_began, step_began/_ended, call_began/_ended, operation_ended,
                            restore_began/_ended, server_named, inventory_taken, archive_sampled, disaster,
                            server_looked, answered, waited, survey_rows + surveyed, nonces_read,
                            vector_queried, servers_listed, caveat, file_closed, run_ended
    markers-<writer>.jsonl  writer_began, marker_began/_ended, writer_stopped
    probes-<prober>.jsonl   prober_began, probe_began/_ended, prober_stopped

Further scenarios write, in the same way:

    journal.jsonl           source_identified, source_asked_in_vain, standing_rows + standing_read,
                            failover_began/_ended, damage_began/_ended, closing_began/_ended,
                            server_described, settings_read, backups_listed, table_seen, repair_compared,
                            assertion_run, hook_began/_ended
    probes-<prober>.jsonl   session_opened; prober_began says a sort, probe_began a session, probe_ended the
                            timeline that acknowledged and whether what it read was right

What a scenario does not write, its history does not hold. Where no disaster was noted, the damage is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

from drills.errors import RecordError
from drills.history import History
from drills.history.damage import struck
from drills.journal import Chain, Line, Record
from drills.model import (
    ArchiveSampled,
    AssertionDeclared,
    AssertionRun,
    AttemptSort,
    BackupsListed,
    CallMade,
    ClockRead,
    ConfigurationDeclared,
    DamageDone,
    DateSeen,
    Disaster,
    FailoverRequested,
    HookRan,
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
    RepairCompared,
    RestoreRequested,
    RunIdentity,
    ServerDescribed,
    ServerIdentity,
    ServerLooked,
    ServersListed,
    SessionOpened,
    SettingsRead,
    SourceAskedInVain,
    SourceClosed,
    SourceIdentified,
    Stage,
    StandingRead,
    StandingRow,
    StepTaken,
    Surveyed,
    SurveyedRow,
    TableSeen,
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
    markers = tuple(m for name, chain in sorted(record.markers.items()) for m in _markers(name, chain))
    damage = _only(_damages(lines))
    return History(
        run=_run(first),
        began=ClockRead(at=Instant(first["at"]), utc_s=first["utc_s"]),
        ended=None if last is None else ClockRead(at=Instant(last["at"]), utc_s=last["utc_s"]),
        completed=last is not None and last["outcome"] == "completed",
        markers=markers,
        marker_period_s=_marker_period_s(record),
        inventory=_only(_plain(InventoryTaken, lines, "inventory_taken")),
        samples=tuple(_plain(ArchiveSampled, lines, "archive_sampled")),
        standing=_only(_standing(lines)),
        disaster=_only(_plain(Disaster, lines, "disaster")) or struck(markers, damage),
        request=_only(_requests(lines)),
        failover=_only(_failovers(lines)),
        damage=damage,
        closing=_only(_closings(lines)),
        looks=tuple(_plain(ServerLooked, lines, "server_looked")),
        attempts=tuple(attempt for _, attempts in probes for attempt in attempts),
        probers=tuple(prober for prober, _ in probes),
        sessions=tuple(s for name, chain in sorted(record.probes.items()) for s in _sessions(name, chain)),
        surveys=tuple(_surveys(lines)),
        source_identified=_only(_identified(lines)),
        source_nonces=_only(_nonces(lines)),
        source_asked_in_vain=_only(_plain(SourceAskedInVain, lines, "source_asked_in_vain")),
        tables=tuple(_plain(TableSeen, lines, "table_seen")),
        repairs=tuple(_plain(RepairCompared, lines, "repair_compared")),
        declared=_declared(record),
        described=tuple(_plain(ServerDescribed, lines, "server_described")),
        settings=tuple(_plain(SettingsRead, lines, "settings_read")),
        backups=tuple(_plain(BackupsListed, lines, "backups_listed")),
        assertions=tuple(_assertions(record)),
        assertions_run=tuple(_plain(AssertionRun, lines, "assertion_run")),
        hooks=tuple(_hooks_declared(record)),
        hooks_run=tuple(_hooks(lines)),
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
    """Observations whose line has their fields; what has a default may be missing."""
    known = fields(kind)  # type: ignore[arg-type]  # every kind passed here is a dataclass
    for line in lines:
        if line["event"] == event:
            yield kind(**{f.name: _value(line[f.name]) for f in known if f.name in line or _needed(f)})


def _needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _value(value: Any) -> Any:
    """Give a value of a line as an observation keeps it: a list never changes any more."""
    return tuple(value) if isinstance(value, list) else value


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
        sort=AttemptSort(first.get("sort", AttemptSort.NEW)),
    )
    ended = {line["number"]: line for line in chain.lines if line["event"] == "probe_ended"}
    return ran, tuple(
        _probe(prober, line, ended.get(line["number"]))
        for line in chain.lines
        if line["event"] == "probe_began"
    )


def _probe(prober: str, began: Line, ended: Line | None) -> ProbeTried:
    common = {"prober": prober, "number": began["number"], "began": began["began"], "nonce": began["nonce"]}
    common["session"] = began.get("session")
    if ended is None:
        return ProbeTried(**common, ended=None, stage=Stage.NONE)
    return ProbeTried(
        **common,
        ended=ended["ended"],
        stage=Stage(ended["stage"]),
        identity=_identity(ended["identity"]),
        error=ended["error"],
        unresolved=ended["unresolved"],
        timeline=ended.get("timeline"),
        right=ended.get("right"),
    )


def _sessions(prober: str, chain: Chain) -> Iterator[SessionOpened]:
    for line in chain.lines:
        if line["event"] == "session_opened":
            yield SessionOpened(prober=prober, session=line["session"], at=line["opened"])


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


def _identified(lines: Iterable[Line]) -> Iterator[SourceIdentified]:
    for line in lines:
        if line["event"] == "source_identified":
            yield SourceIdentified(line["began"], line["ended"], _known(line["identity"]))


def _standing(lines: Iterable[Line]) -> Iterator[StandingRead]:
    rows: list[StandingRow] = []
    for line in lines:
        if line["event"] == "standing_rows":
            rows.extend(StandingRow(*row) for row in line["rows"])
        elif line["event"] == "standing_read":
            if line["rows_count"] != len(rows):
                raise ValueError(f"{line['rows_count']} standing markers were read, and {len(rows)} noted")
            yield StandingRead(line["began"], line["ended"], line["server_time_us"], tuple(rows))
            rows = []


def _failovers(lines: Iterable[Line]) -> Iterator[FailoverRequested]:
    for line, end in _acts(lines, "failover"):
        yield FailoverRequested(
            began=line["began"],
            ended=None if end is None else end["ended"],
            server=line["server"],
            mode=line["mode"],
            accepted=end is not None and end["accepted"],
        )


def _damages(lines: Iterable[Line]) -> Iterator[DamageDone]:
    for line, end in _acts(lines, "damage"):
        yield DamageDone(
            began=line["began"],
            ended=None if end is None else end["ended"],
            kind=line["kind"],
            tables=tuple(line["tables"]),
            xid=line["xid"],
            watched_before=line["watched_before"],
        )


def _closings(lines: Iterable[Line]) -> Iterator[SourceClosed]:
    for line, end in _acts(lines, "closing"):
        yield SourceClosed(
            began=line["began"],
            ended=None if end is None else end["ended"],
            error=None if end is None else end["error"],
        )


def _acts(lines: Iterable[Line], act: str) -> Iterator[tuple[Line, Line | None]]:
    """An act that a run does once: its beginning, and its end if that was noted."""
    lines = list(lines)
    end = next((line for line in lines if line["event"] == f"{act}_ended"), None)
    begun = [line for line in lines if line["event"] == f"{act}_began"]
    if len(begun) > 1:
        raise ValueError(f"{act} was begun {len(begun)} times; a run does it once")
    for line in begun:
        yield line, end


def _hooks(lines: Iterable[Line]) -> Iterator[HookRan]:
    lines = list(lines)
    ended = {line["hook"]: line for line in lines if line["event"] == "hook_ended"}
    for line in lines:
        if line["event"] == "hook_began":
            end = ended.get(line["hook"])
            yield HookRan(
                point=line["point"],
                began=line["began"],
                ended=None if end is None else end["ended"],
                exit_code=None if end is None else end["exit_code"],
                error=None if end is None else end["error"],
            )


def _declared(record: Record) -> ConfigurationDeclared | None:
    """What the profile declares; None where the record holds objectives only, or less than is compared."""
    expected, azure = record.profile.get("expected", {}), record.profile.get("azure", {})
    named = {f.name for f in fields(ConfigurationDeclared)}
    if not {f.name for f in fields(ConfigurationDeclared) if _needed(f)} <= set(expected):
        return None
    plain = {name: _value(value) for name, value in expected.items() if name in named}
    plain["vector_index"] = expected["vector_index"]["method"]
    return ConfigurationDeclared(
        **plain, region=azure.get("region"), paired_region=azure.get("paired_region")
    )


def _assertions(record: Record) -> Iterator[AssertionDeclared]:
    for declared in record.profile.get("assertions", ()):
        yield AssertionDeclared(declared["proves"], tuple(declared["tables"]))


def _hooks_declared(record: Record) -> Iterator[str]:
    yield from (point for point, hook in record.profile.get("hooks", {}).items() if hook is not None)


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
