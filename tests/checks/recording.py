"""Writes a history by hand to disk, line by line and chained, as the engine's processes would have."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from drills.history import History
from drills.model import Objectives, ProberRan
from tests.checks.recording_further import declared_in, further_events
from tests.histories import UTC_AT_ZERO_S

FIRST = "0" * 64
Event = tuple[float, str, dict[str, Any]]

_ANSWER = {"method": "GET", "path": "/", "status": 200, "request_id": None, "correlation_id": None}


def record(history: History, objectives: Objectives, folder: Path, *, ended: bool = True) -> Path:
    """Write the record of a history; `ended` False leaves out its last line, as a kill does."""
    folder.mkdir(parents=True)
    plan = _document(folder / "plan.json", {})
    profile = _document(
        folder / "profile.json", {**declared_in(history), "objectives_of_this_run": asdict(objectives)}
    )
    closed = [
        *(
            _chain(folder / f"markers-{name}.jsonl", events)
            for name, events in marker_events(history).items()
        ),
        *(_chain(folder / f"probes-{name}.jsonl", events) for name, events in probe_events(history).items()),
    ]
    hashes = {"plan_sha256": plan, "profile_sha256": profile}
    _chain(folder / "journal.jsonl", journal_events(history, hashes, closed, ended=ended))
    return folder


def journal_events(
    history: History, hashes: dict[str, Any], closed: Iterable[dict[str, Any]] = (), *, ended: bool = True
) -> tuple[Event, ...]:
    """The events of a journal, from the first to the last."""
    began = (history.began.at, "run_began", {**asdict(history.run), **hashes})
    last = history.ended.at if history.ended else 0.0
    ending: list[Event] = [(last, "file_closed", each) for each in closed]
    if ended:
        ending.append(
            (last, "run_ended", {"outcome": "completed" if history.completed else "aborted", "reason": ""})
        )
    return (began, *sorted(_journal(history), key=lambda event: event[0]), *ending)


def marker_events(history: History) -> dict[str, list[Event]]:
    """The events of each writer's file, by the name of the writer."""
    writers = sorted({m.writer for m in history.markers})
    period_s = (history.marker_period_s or 0.5) * len(writers)
    return {writer: _markers(history, writer, period_s) for writer in writers}


def probe_events(history: History) -> dict[str, list[Event]]:
    """The events of each prober's file, by the name of the prober."""
    return {ran.prober: _probes(history, ran) for ran in history.probers}


def _document(path: Path, document: dict[str, Any]) -> str:
    text = json.dumps(document).encode()
    path.write_bytes(text)
    return hashlib.sha256(text).hexdigest()


def _chain(path: Path, events: Iterable[Event]) -> dict[str, Any]:
    before, count, lines = FIRST, 0, []
    for at, event, fields in events:
        line = {"n": count, "before": before, "at": at, "utc_s": UTC_AT_ZERO_S + at, "event": event, **fields}
        text = json.dumps(line).encode()
        lines.append(text + b"\n")
        before, count = hashlib.sha256(text).hexdigest(), count + 1
    path.write_bytes(b"".join(lines))
    return {"file": path.name, "head": before, "lines": count, "cut": False}


def _markers(history: History, writer: str, period_s: float) -> list[Event]:
    frame = {"writer": writer, "period_s": period_s, "limit_s": 5.0, "run": history.run.run_id}
    events: list[Event] = [(0.0, "writer_began", frame)]
    for m in (m for m in history.markers if m.writer == writer):
        events.append((m.began, "marker_began", {"number": m.number, "began": m.began}))
        if m.ended is not None:
            row = None if m.row is None else asdict(m.row)
            noted = {
                "number": m.number,
                "ended": m.ended,
                "outcome": m.outcome,
                "row": row,
                "reason": m.reason,
            }
            events.append((m.ended, "marker_ended", noted))
    return events


def _probes(history: History, ran: ProberRan) -> list[Event]:
    prober = ran.prober
    frame = {
        "prober": prober,
        "period_s": ran.period_s,
        "limit_s": ran.limit_s,
        "run": history.run.run_id,
        "sort": ran.sort,
    }
    events: list[Event] = [(ran.began, "prober_began", frame)]
    events += [
        (s.at, "session_opened", {"session": s.session, "opened": s.at})
        for s in history.sessions
        if s.prober == prober
    ]
    for a in (a for a in history.attempts if a.prober == prober):
        begun = {"number": a.number, "began": a.began, "nonce": a.nonce, "session": a.session}
        events.append((a.began, "probe_began", begun))
        if a.ended is not None:
            noted = {
                "number": a.number,
                "ended": a.ended,
                "stage": a.stage,
                "error": a.error,
                "unresolved": a.unresolved,
                "timeline": a.timeline,
                "right": a.right,
            }
            identity = None if a.identity is None else asdict(a.identity)
            events.append((a.ended, "probe_ended", {**noted, "identity": identity}))
    if ran.stopped is not None:
        events.append((ran.stopped, "prober_stopped", {"prober": prober}))
    return events


def _journal(history: History) -> Iterable[Event]:
    found: list[tuple[float, str, Any]] = [
        *((i.ended, "inventory_taken", i) for i in (history.inventory,) if i is not None),
        *((s.ended, "archive_sampled", s) for s in history.samples),
        *((d.latest, "disaster", d) for d in (history.disaster,) if d is not None),
        *((k.ended, "server_looked", k) for k in history.looks),
        *((w.ended, "waited", w) for w in history.waits),
        *((listed.ended, "servers_listed", listed) for listed in history.listings),
    ]
    for at, name, observation in found:
        yield at, name, asdict(observation)
    for seen in history.dates:
        yield seen.ended, "answered", {**_ANSWER, **asdict(seen)}
    yield from _requested(history)
    yield from _steps(history)
    yield from _calls(history)
    yield from _surveys(history)
    yield from further_events(history)
    for sentence in history.caveats:
        yield history.began.at, "caveat", {"sentence": sentence}
    for name in history.created:
        yield history.began.at, "server_named", {"name": name}
    if history.source_nonces is not None:
        asked = asdict(history.source_nonces)
        yield history.source_nonces.ended, "nonces_read", {**asked, "nonces": sorted(asked["nonces"])}


def _requested(history: History) -> Iterable[Event]:
    if history.request is None:
        return
    request = asdict(history.request)
    ended, accepted = request.pop("ended"), request.pop("accepted")
    yield history.request.began, "restore_began", request
    if ended is not None:
        yield ended, "restore_ended", {"ended": ended, "accepted": accepted}


def _steps(history: History) -> Iterable[Event]:
    for number, step in enumerate(history.steps):
        yield step.began, "step_began", {"step": number, "name": step.name}
        if step.ended is not None:
            yield step.ended, "step_ended", {"step": number, "error": step.error}


def _calls(history: History) -> Iterable[Event]:
    for number, call in enumerate(history.calls):
        noted = asdict(call)
        over = noted.pop("operation_ended")
        asked = {name: noted.pop(name) for name in ("name", "resource", "began")}
        yield call.began, "call_began", {"call": number, **asked}
        if call.ended is not None:
            yield call.ended, "call_ended", {"call": number, **noted}
        if over is not None:
            yield over, "operation_ended", {"call": number, "ended": over}


def _surveys(history: History) -> Iterable[Event]:
    for survey in history.surveys:
        noted = asdict(survey)
        rows = noted.pop("rows")
        yield survey.began, "survey_began", {"server": survey.server}
        yield survey.ended, "survey_rows", {"rows": [list(row.values()) for row in rows]}
        yield survey.ended, "surveyed", {**noted, "rows_count": len(rows)}
