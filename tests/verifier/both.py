"""One record, judged by the engine and by the stand-alone verifier: where do they disagree?

The record is the one that the history's processes would have written. It is handed to both as lines, so that a
hundred thousand of them can be compared; `tests/verifier/test_bundles.py` goes through files and hashes.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import verify_bundle
from drills import loading, result
from drills.history import History
from drills.journal import Chain, Record
from drills.model import Json, Objectives
from drills.verdict import find
from tests.checks.recording import Event, journal_events, marker_events, probe_events
from tests.histories import UTC_AT_ZERO_S

Lines = list[dict[str, Any]]
HASHES = {"plan_sha256": "0" * 64, "profile_sha256": "0" * 64}


@dataclass(frozen=True, slots=True)
class Both:
    """What both made of one record."""

    verdict: str
    comparisons: Sequence[verify_bundle.Comparison]

    @property
    def disagreements(self) -> list[str]:
        """Say of each figure that differs what it is to the verifier, and what to the engine."""
        return [
            f"{one.name}: verifier {one.recomputed} ({one.why}), engine {one.noted}"
            for one in self.comparisons
            if not one.agrees
        ]


def disagreements(history: History, objectives: Objectives, *, ended: bool = True) -> list[str]:
    """Say on what the two disagree in the record of a history."""
    return judged_by_both(history, objectives, ended=ended).disagreements


def judged_by_both(history: History, objectives: Objectives, *, ended: bool = True) -> Both:
    """Judge the record of a history twice."""
    journal, markers, probes = lines_of(history, ended=ended)
    profile = {"objectives_of_this_run": asdict(objectives)}
    built = by_the_engine(profile, journal, markers, probes)
    statuses = verify_bundle.statuses_of(built)
    recomputed = verify_bundle.recompute(profile, journal, markers, probes, taken=statuses)
    return Both(recomputed["verdict"], verify_bundle.compared(recomputed, built, statuses))


def lines_of(history: History, *, ended: bool = True) -> tuple[Lines, dict[str, Lines], dict[str, Lines]]:
    """The journal, the writers' and the probers' files of a history, as parsed lines."""
    offset = utc_offset(history)
    return (
        _lines(journal_events(history, HASHES, ended=ended), offset),
        {name: _lines(events, offset) for name, events in marker_events(history).items()},
        {name: _lines(events, offset) for name, events in probe_events(history).items()},
    )


def by_the_engine(
    profile: dict[str, Any], journal: Lines, markers: Mapping[str, Lines], probes: Mapping[str, Lines]
) -> dict[str, Json]:
    """What result.json says of a record."""
    record = Record(
        plan={},
        profile=profile,
        journal=_chain(journal),
        markers={name: _chain(lines) for name, lines in markers.items()},
        probes={name: _chain(lines) for name, lines in probes.items()},
    )
    history, objectives = loading.load(record), loading.objectives_of(record)
    return result.build(history, objectives, find(history, objectives))


def _chain(lines: Sequence[dict[str, Any]]) -> Chain:
    return Chain(lines=tuple(lines), head="", cut=False)


class utc_offset:  # noqa: N801  # reads as the question that it answers
    """How far UTC was ahead of the run's clock, as the history has it."""

    def __init__(self, history: History) -> None:
        """Sort the readings by their instants."""
        self._readings = sorted((c.at, c.utc_s - c.at) for c in history.clocks)

    def __call__(self, at: float) -> float:
        """The offset of the last reading before an instant, or of the first."""
        if not self._readings:
            return UTC_AT_ZERO_S
        return self._readings[max(0, bisect_right(self._readings, (at, float("inf"))) - 1)][1]


def _lines(events: Iterable[Event], offset: utc_offset) -> Lines:
    lines: Lines = [
        {"n": n, "before": "", "at": at, "utc_s": at + offset(at), "event": event, **fields}
        for n, (at, event, fields) in enumerate(events)
    ]
    parsed: Lines = json.loads(json.dumps(lines))
    return parsed
