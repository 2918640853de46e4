"""What does result.json say? Built from a history and its findings, and always the same for the same record.

Durations are wall seconds, rounded to microseconds; moments are UTC. What was not measured, or is not judged in
this variant, is null: never 0, and never infinite.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from drills.checks.data_lost import (
    JUDGED_IN_SECONDS,
    acknowledged_data_lost_within_the_objective,
    archive_sentences,
    archived,
    exposed,
    lags,
    lost,
    rpo,
)
from drills.checks.nothing_missing import holes
from drills.checks.required import caption, not_shown
from drills.checks.service_back import rto, service_was_back_within_the_objective
from drills.checks.wording import told
from drills.history import History, Presence, Recovery
from drills.model import ClockRead, Finding, Interval, Json, Objectives, Outcome, Status
from drills.phases import phases
from drills.verdict import verdict

SCHEMA_VERSION = "1"

KNOWN_CLOUDS = frozenset(
    {"management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn"}
)
"""Hosts of Azure Resource Manager: the public cloud, US Government and China (Azure SDK, AzureCloud settings)."""

WINDOW_COVERS_S = 12 * 60.0
"""Service seconds that a window lasts at most (docs/method.md)."""


def build(history: History, objectives: Objectives, findings: Sequence[Finding]) -> dict[str, Json]:
    """Build result.json of a run."""
    run = history.run
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": run.run_id,
        "scenario": run.scenario,
        "variant": run.variant,
        "environment": run.environment,
        "evidence_class": evidence_class(history),
        "began": _utc(history.began),
        "ended": _utc(history.ended),
        "completed": history.completed,
        "verdict": verdict(history, findings).value,
        "time_scale": _rounded(run.time_scale),
        "trigger": run.trigger,
        "code_version": run.code_version,
        "objective_source": objectives.source,
        "objective_assumed": objectives.assumed,
        "rto": _rto(history, objectives, findings),
        "rpo": _rpo(history, objectives, findings),
        "outage": None,
        "exposure": _exposure(history, objectives),
        "markers": _markers(history),
        "phases": _phases(history, objectives),
        "findings": [_finding(finding) for finding in findings],
        "caveats": list(caveats(history, objectives)),
        "does_not_show": list(not_shown(run.scenario, run.variant)),
        "source": _source(history),
        "recovered": _recovered(history),
        "restore_point": _point(history),
    }


def as_text(result: dict[str, Json]) -> str:
    """Give result.json as text, byte for byte the same for the same result."""
    return json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def evidence_class(history: History) -> str:
    """Say "live" only for a known cloud, behind a public certificate, in real time; else "rehearsal"."""
    run = history.run
    live = run.arm_host.lower() in KNOWN_CLOUDS and run.public_ca and run.time_scale == 1
    return "live" if live else "rehearsal"


def caveats(history: History, objectives: Objectives) -> tuple[str, ...]:
    """What weakens the result: what the run noted, and what follows from its record."""
    run = history.run
    derived: list[str] = []
    if evidence_class(history) == "rehearsal":
        derived.append(
            "a rehearsal: it shows that the drill works, and is no evidence of what the service does"
        )
    if run.time_scale != 1:
        derived.append(
            f"the rehearsal ran {run.time_scale:g} times as fast as the service: objectives are divided by that, "
            "and our own delays weigh as much more"
        )
    if not history.completed:
        derived.append("the run did not come to its end")
    if objectives.assumed:
        derived.append(f"the objective is assumed and an owner has to decide it: {objectives.source}")
    if run.variant == "latest":
        derived.extend(archive_sentences(history, objectives, lags(history)))
        if objectives.rpo_profile_s > WINDOW_COVERS_S:
            derived.append(
                "the objective is longer than any window, so an archive that lags longer than the window was not seen"
            )
    derived.extend(_of_the_clocks(history))
    return tuple(dict.fromkeys((*history.caveats, *derived)))


def _of_the_clocks(history: History) -> list[str]:
    found: list[str] = []
    if history.ended is not None:
        sentence = told(history.durations(history.began.at, history.ended.at))
        found.extend([sentence] if sentence else [])
    if len(history.dates) < 2:
        found.append(
            "no Date of the control plane watched the clock: a machine that was paused would go unseen"
        )
    return found


# --- the intervals --------------------------------------------------------------------------------------


def _rto(history: History, objectives: Objectives, findings: Sequence[Finding]) -> Json:
    interval = rto(history, objectives)
    if interval is None:
        return None
    return {
        "objective_s": _rounded(objectives.rto_s),
        "objective_profile_s": _rounded(objectives.rto_profile_s),
        **_bounds(interval),
        "status": _status(findings, service_was_back_within_the_objective.__name__),
        "detection_and_decision_s": _rounded(objectives.detection_and_decision_s),
        "parts": _parts(interval),
    }


def _rpo(history: History, objectives: Objectives, findings: Sequence[Finding]) -> Json:
    if not _judged_in_seconds(history):
        return None
    interval = rpo(history, objectives)
    if interval is None:
        return None
    return {
        "objective_s": _rounded(objectives.rpo_s),
        "objective_profile_s": _rounded(objectives.rpo_profile_s),
        **_bounds(interval),
        "status": _status(findings, acknowledged_data_lost_within_the_objective.__name__),
        "parts": _parts(interval),
        "lost": _whole(lost(history)),
        "exposed": _whole(exposed(history)) if history.recovery is Recovery.LATEST else None,
        "lost_rows": _lost_rows(history),
        "objective_rows": objectives.rows,
        "wal_bytes": _wal_bytes(history),
    }


def _judged_in_seconds(history: History) -> bool:
    """A restore in place is, where it asks for the latest state; a scenario that nobody knows is not."""
    if history.recovery is Recovery.LATEST:
        return history.run.variant == "latest"
    return history.recovery in JUDGED_IN_SECONDS


def _whole(interval: Interval | None) -> Json:
    return None if interval is None else {**_bounds(interval), "parts": _parts(interval)}


def _bounds(interval: Interval) -> dict[str, Json]:
    return {"low_s": _rounded(interval.low_s), "high_s": _rounded(interval.high_s)}


def _parts(interval: Interval) -> list[Json]:
    return [{"name": part.name, "seconds": _rounded(part.seconds)} for part in interval.parts]


def _status(findings: Sequence[Finding], check: str) -> str:
    """The answer of a check; without one it is inconclusive."""
    return next((f.status.value for f in findings if f.check == check), Status.INCONCLUSIVE.value)


def _lost_rows(history: History) -> int | None:
    if history.survey_pair is None:
        return None
    return sum(history.presence(m) is Presence.ABSENT for m in history.counting)


def _wal_bytes(history: History) -> int | None:
    """How much log the source had written and not archived, by the last reading before the disaster."""
    samples = history.samples_before_disaster
    reach = archived(history, samples)
    return None if reach is None else max(0, samples[-1].server_lsn - reach)


# --- what was seen --------------------------------------------------------------------------------------


def _exposure(history: History, objectives: Objectives) -> Json:
    behind = lags(history)
    if behind.max_s is None:
        return None
    return {
        "archive_lag_max_s": _rounded(behind.max_s),
        "archive_lag_median_s": _rounded(behind.median_s),
        "readings": len(behind.at_samples_s),
        "share_beyond_objective": _rounded(behind.share_beyond(objectives.rpo_s)),
    }


def _markers(history: History) -> Json:
    return {
        "attempted": len(history.markers),
        "acked": _count(history, Outcome.ACKED),
        "refused": _count(history, Outcome.REFUSED),
        "unknown": _count(history, Outcome.UNKNOWN),
        **_surveyed(history),
    }


def _surveyed(history: History) -> dict[str, Json]:
    """What the surveys settled; all null where there was no pair of them."""
    names = ("survived", "lost_acked", "recovered_unknown", "strangers", "duplicated", "holes")
    if history.survey_pair is None:
        return dict.fromkeys(names)
    there = [m.outcome for m in history.markers if history.presence(m) is Presence.PRESENT]
    counts = (
        there.count(Outcome.ACKED),
        _lost_rows(history),
        there.count(Outcome.UNKNOWN),
        sum(1 for _ in history.strangers()),
        sum(1 for _ in history.duplicates()),
        len(holes(history)),
    )
    return dict(zip(names, counts, strict=True))


def _count(history: History, outcome: Outcome) -> int:
    return sum(m.outcome is outcome for m in history.markers)


def _phases(history: History, objectives: Objectives) -> list[Json]:
    return [
        {
            "name": phase.name,
            "began_s": _rounded(phase.began_s),
            "ended_s": _rounded(phase.ended_s),
            "waited_for": phase.waited_for.value,
        }
        for phase in phases(history, objectives)
    ]


def _finding(finding: Finding) -> Json:
    return {
        "check": finding.check,
        "caption": caption(finding.check),
        "status": finding.status.value,
        "summary": finding.summary,
        "measured": finding.measured,
        "evidence": list(finding.evidence),
    }


def _source(history: History) -> Json:
    asked = history.source_nonces or history.source_identified
    return {
        "server": history.source_name,
        "system_identifier": None if asked is None else asked.identity.system_identifier,
        "timeline": history.source_timeline,
        "started": None if asked is None else _server_utc(asked.identity.started_us),
    }


def _recovered(history: History) -> Json:
    pair = history.survey_pair
    return {
        "server": history.recovered_name,
        "system_identifier": None if pair is None else pair[0].identity.system_identifier,
        "timeline": None if pair is None else pair[0].identity.timeline,
        "started": None if pair is None else _server_utc(pair[0].identity.started_us),
        "database_found": None if pair is None else all(s.database_found for s in pair),
        "vector_search": _vector(history),
    }


def _vector(history: History) -> Json:
    vector = history.vector
    if vector is None:
        return None
    return {
        "index": vector.index,
        "index_valid": vector.index_valid,
        "used_index": vector.used_index,
        "rows": vector.rows,
        "error": vector.error,
    }


def _point(history: History) -> Json:
    return None if history.request is None else _server_utc(history.request.point_us)


# --- figures --------------------------------------------------------------------------------------------


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6) + 0.0  # no negative zero


def _utc(reading: ClockRead | None) -> str | None:
    return None if reading is None else _server_utc(round(reading.utc_s * 1e6))


def _server_utc(moment_us: int) -> str:
    moment = datetime.fromtimestamp(moment_us // 1_000_000, UTC).replace(microsecond=moment_us % 1_000_000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
