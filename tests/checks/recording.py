"""Writes a history by hand to disk, line by line and chained, as the engine's processes would have."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from drills.history import History
from drills.model import Objectives
from tests.histories import UTC_AT_ZERO_S

FIRST = "0" * 64
Event = tuple[float, str, dict[str, Any]]


def record(history: History, objectives: Objectives, folder: Path, *, ended: bool = True) -> Path:
    """Write the record of a history; `ended` False leaves out its last line, as a kill does."""
    folder.mkdir(parents=True)
    plan = _document(folder / "plan.json", {})
    profile = _document(folder / "profile.json", {"objectives_of_this_run": asdict(objectives)})
    closed = [
        *(_markers(history, folder, writer) for writer in sorted({m.writer for m in history.markers})),
        *(_probes(history, folder, prober.prober) for prober in history.probers),
    ]
    events = sorted(_journal(history), key=lambda event: event[0])
    began = (
        history.began.at,
        "run_began",
        {**asdict(history.run), "plan_sha256": plan, "profile_sha256": profile},
    )
    last = history.ended.at if history.ended else 0.0
    ending: list[Event] = [(last, "file_closed", each) for each in closed]
    if ended:
        ending.append(
            (last, "run_ended", {"outcome": "completed" if history.completed else "aborted", "reason": ""})
        )
    _chain(folder / "journal.jsonl", (began, *events, *ending))
    return folder


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


def _markers(history: History, folder: Path, writer: str) -> dict[str, Any]:
    events: list[Event] = [(0.0, "writer_began", {"writer": writer, "period_s": 1.0})]
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
    return _chain(folder / f"markers-{writer}.jsonl", events)


def _probes(history: History, folder: Path, prober: str) -> dict[str, Any]:
    ran = next(p for p in history.probers if p.prober == prober)
    events: list[Event] = [(ran.began, "prober_began", {"period_s": ran.period_s, "limit_s": ran.limit_s})]
    for a in (a for a in history.attempts if a.prober == prober):
        events.append((a.began, "probe_began", {"number": a.number, "began": a.began, "nonce": a.nonce}))
        if a.ended is not None:
            noted = {
                "number": a.number,
                "ended": a.ended,
                "stage": a.stage,
                "error": a.error,
                "unresolved": a.unresolved,
            }
            identity = None if a.identity is None else asdict(a.identity)
            events.append((a.ended, "probe_ended", {**noted, "identity": identity}))
    if ran.stopped is not None:
        events.append((ran.stopped, "prober_stopped", {"prober": prober}))
    return _chain(folder / f"probes-{prober}.jsonl", events)


def _journal(history: History) -> Iterable[Event]:
    found: list[tuple[float, str, Any]] = [
        *((i.ended, "inventory_taken", i) for i in (history.inventory,) if i is not None),
        *((s.ended, "archive_sampled", s) for s in history.samples),
        *((d.latest, "disaster", d) for d in (history.disaster,) if d is not None),
        *((k.ended, "server_looked", k) for k in history.looks),
        *((w.ended, "waited", w) for w in history.waits),
        *((listed.ended, "servers_listed", listed) for listed in history.listings),
        *((d.ended, "answered", d) for d in history.dates),
    ]
    for at, name, observation in found:
        yield at, name, asdict(observation)
    yield from _requested(history)
    yield from _steps(history)
    yield from _calls(history)
    yield from _surveys(history)
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
