"""What has a reader to know who reads nothing else? What, when, met or not, by how much, and what is not shown.

Figures come from result.json alone, and so does the word that decides whether this is evidence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from drills.history import History
from reports.moments import utc_of
from reports.stories import story
from reports.words import (
    LIVE,
    Badge,
    Scale,
    Toward,
    count,
    date,
    headline_badge,
    listed,
    plain,
    sentence,
    utc_time,
)

Result = Mapping[str, Any]
"""result.json, parsed."""

REHEARSAL_STRIP = "REHEARSAL ON LOCAL TWIN: NOT EVIDENCE"
LIVE_STRIP = "LIVE DRILL: EVIDENCE"


@dataclass(frozen=True, slots=True)
class Opening:
    """Everything above the scorecard."""

    live: bool
    strip: str
    document_title: str
    title: str
    subtitle: str
    badge: Badge
    sentences: Sequence[Markup]


def is_live(result: Result) -> bool:
    """Tell evidence from rehearsal by what the record derived, and by nothing else."""
    return bool(result["evidence_class"] == LIVE)


def opening(history: History, result: Result, scale: Scale, not_shown: Sequence[str]) -> Opening:
    """Write the strip, the headline and the first sentences."""
    live, run, told = is_live(result), history.run, story(history)
    missed = any((result[name] or {}).get("status") == "failed" for name in ("rto", "rpo"))
    at = _disaster_utc_s(history)
    rate = "" if scale.is_real_time else f" · time scale {scale.name}"
    return Opening(
        live=live,
        strip=LIVE_STRIP if live else REHEARSAL_STRIP,
        document_title=f"{'' if live else 'REHEARSAL: '}{told.title}, {run.environment}, {utc_time(at, digits=0)}",
        title=told.title,
        subtitle=f"{run.environment} · {utc_time(at, digits=0)} · {run.scenario}[{run.variant}]{rate}",
        badge=headline_badge(result["verdict"], live=live, objective_missed=missed),
        sentences=[*_sentences(history, result, scale), _not_shown(not_shown)],
    )


def _disaster_utc_s(history: History) -> float:
    return history.began.utc_s if history.disaster is None else utc_of(history, history.disaster.latest)


def _sentences(history: History, result: Result, scale: Scale) -> Iterator[Markup]:
    live = is_live(result)
    yield _what(history, live=live)
    yield _objective(
        result,
        "rto",
        scale,
        live=live,
        unseen="It took {low} or more: nobody saw the service back for good",
        seen="Service was back after {low} to {high}",
        missing="How long the recovery took was not measured",
    )
    if _boundary_instead_of_rpo(history):
        yield _of_check(result, "restore_point")
    else:
        yield _objective(
            result,
            "rpo",
            scale,
            live=live,
            unseen="{low} or more of acknowledged writes was lost or exposed: nobody saw where the loss begins",
            seen="Between {low} and {high} of acknowledged writes was lost or not yet archived",
            missing="How much data was lost was not measured",
        )
    yield _tally(result["findings"])


def _what(history: History, *, live: bool) -> Markup:
    told, request = story(history), history.request
    source = request.source if request else f"the server of {history.run.environment}"
    recovered = request.recovered if request else "of which the record has no name"
    where = "" if live else ", in a rehearsal on the local twin"
    return Markup("On {}{}, {}; {}.").format(
        date(_disaster_utc_s(history)),
        where,
        _filled(told.disaster, source=source.rsplit("/", 1)[-1]),
        _filled(told.recovery, recovered=recovered),
    )


def _filled(half: str, **names: str) -> Markup:
    return Markup(half).format(
        **{key: Markup("<strong>{}</strong>").format(name) for key, name in names.items()}
    )


def _objective(
    result: Result, name: str, scale: Scale, *, live: bool, unseen: str, seen: str, missing: str
) -> Markup:
    """One sentence on an objective: what was measured, whether it is met, by how much or why nobody can say."""
    value = result[name]
    if value is None:
        return Markup("<strong>{}.</strong> {}").format(missing, reason(result, name))
    low = scale.short(value["low_s"], Toward.DOWN)
    high = None if value["high_s"] is None else scale.short(value["high_s"], Toward.UP)
    measured = (unseen if high is None else seen).format(low=low, high=high)
    return Markup("<strong>{}.</strong> {}").format(measured, _judged(result, name, scale, live=live))


def _judged(result: Result, name: str, scale: Scale, *, live: bool) -> Markup:
    value = result[name]
    objective = scale.short(value["objective_s"])
    was = "was" if live else "would have been"
    if value["status"] == "passed" and value["high_s"] is not None:
        spare = scale.short(value["objective_s"] - value["high_s"], Toward.DOWN)
        return Markup("The objective of {} {} <strong>met with at least {} to spare</strong>.").format(
            objective, was, spare
        )
    if value["status"] == "failed" and value["low_s"] > value["objective_s"]:
        gap = scale.short(value["low_s"] - value["objective_s"], Toward.DOWN)
        return Markup("The objective of {} {} <strong>missed by at least {}</strong>.").format(
            objective, was, gap
        )
    if value["status"] == "failed":
        return Markup("The objective of {} {} <strong>missed</strong>: {}").format(
            objective, was, reason(result, name)
        )
    return Markup("Whether the objective of {} {} met <strong>could not be judged</strong>: {}").format(
        objective, was, _why_open(result, name, scale)
    )


def _why_open(result: Result, name: str, scale: Scale) -> str:
    """Why an objective could not be judged: what its check says behind the figures that stand here already."""
    found = finding_of(result, name)
    clauses = found["summary"].split("; ")[1:] if found else ["no check answered for it"]
    if not clauses:
        return "it lies inside the interval."
    said = "; ".join(clauses)
    in_wall = not scale.is_real_time and re.search(r"\d s\b", said) is not None
    return said.rstrip(".") + (" (in wall seconds)." if in_wall else ".")


OBJECTIVE_CHECKS = {"rto": "service_was_back", "rpo": "data_lost", "restore_point": "restore_point"}
"""Which check answers for an objective: its name has these words in it."""


def finding_of(result: Result, objective: str) -> Mapping[str, Any] | None:
    """The finding of the check that judged an objective."""
    words = OBJECTIVE_CHECKS[objective]
    return next((f for f in result["findings"] if words in f["check"]), None)


def reason(result: Result, objective: str) -> str:
    """Why an objective was judged as it was, in the sentence of its check."""
    found = finding_of(result, objective)
    return sentence(found["summary"]) if found else "No check answered for it."


def _of_check(result: Result, objective: str) -> Markup:
    found = finding_of(result, objective)
    if found is None:
        return Markup("<strong>Whether the restore point was respected was not judged.</strong>")
    word = {
        "passed": "The restore point was respected",
        "failed": "The restore point was not respected",
    }.get(found["status"], "Whether the restore point was respected could not be judged")
    return Markup("<strong>{}.</strong> {}").format(word, sentence(found["summary"]))


def _boundary_instead_of_rpo(history: History) -> bool:
    return history.run.variant == "chosen"


def _tally(findings: Sequence[Mapping[str, Any]]) -> Markup:
    tally = Counter(f["status"] for f in findings)
    judged = len(findings) - tally["not_applicable"]
    said = [f"{tally['passed']} of {count(judged, 'required check')} passed"]
    said += [f"{tally[status]} {word}" for status, word in _REST if tally[status]]
    bad = [plain(f["check"]) for f in findings if f["status"] in ("failed", "inconclusive")]
    return Markup("{}.{}").format(listed(said), f" To be looked at: {listed(bad)}." if bad else "")


_REST = (("failed", "failed"), ("inconclusive", "inconclusive"), ("not_applicable", "not applicable"))


def _not_shown(limits: Sequence[str]) -> Markup:
    return Markup('<strong>Not shown by this record:</strong> {}; <a href="#limits">all limits</a>.').format(
        "; ".join(limits[:1]) or "nothing was stated"
    )
