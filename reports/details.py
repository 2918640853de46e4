"""What does an auditor take apart? Checks with their figures, the environment, the provider's calls, the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from drills.history import History
from drills.model import Json
from reports.amounts import amount, data, interval
from reports.moments import utc_of
from reports.opening import Result, is_live
from reports.record import Declared
from reports.words import Badge, Scale, badge, clock_time, exact, plain, sentence, utc_time

LISTED = 8
"""As many items of a list as a figure shows; the rest is in result.json, and the page says so."""

Facts = Sequence[tuple[str, Markup]]
"""Names and what they are, as a list of definitions shows them."""


@dataclass(frozen=True, slots=True)
class Check:
    """A finding as the page shows it."""

    name: str
    anchor: str
    caption: str
    summary: str
    measured: Facts
    evidence: Sequence[str]
    badge: Badge


_ORDER = ("failed", "inconclusive", "passed", "not_applicable")


def checks(result: Result, scale: Scale) -> Sequence[Check]:
    """The findings: failures first, then what could not be judged, then what passed."""
    found = sorted(result["findings"], key=lambda f: _ORDER.index(badge(f["status"]).kind))
    return [
        Check(
            name=f["check"],
            anchor=f"check-{f['check']}",
            caption=sentence(f["caption"]),
            summary=sentence(f["summary"]),
            measured=list(figures(f.get("measured") or {}, scale)),
            evidence=list(f.get("evidence") or ()),
            badge=badge(f["status"]),
        )
        for f in found
    ]


# --- figures --------------------------------------------------------------------------------------------


def figures(measured: Mapping[str, Json], scale: Scale) -> Iterator[tuple[str, Markup]]:
    """Name each figure in words and say its value with its unit."""
    for name, value in measured.items():
        if name == "error" and value is None:
            continue  # nothing went wrong, which is not worth a line
        if name.endswith("_s") and _is_number(value):
            yield plain(name[:-2]), amount(scale, value)  # type: ignore[arg-type]  # a number, asked above
        else:
            yield plain(name), _figure(value, scale)


def _figure(value: Json, scale: Scale) -> Markup:
    match value:
        case None:
            return Markup('<span class="muted">not observed</span>')
        case bool():
            return Markup("yes" if value else "no")
        case int():
            return data(value, f"{value:,}")
        case float():
            return data(value, f"{value:g}")
        case str():
            return Markup("{}").format(value)
        case {"low_s": int() | float() as low, "high_s": None | int() | float() as high}:
            return interval(scale, low, high)
        case dict():
            inner = [Markup("{}: {}").format(name, said) for name, said in figures(value, scale)]
            return Markup("; ").join(inner) if inner else Markup("none")
        case list():
            return _items(value, scale)


def _items(value: Sequence[Json], scale: Scale) -> Markup:
    shown = Markup(", ").join(_figure(item, scale) for item in value[:LISTED])
    rest = len(value) - LISTED
    return (
        Markup("{} and {} more, in result.json").format(shown, rest) if rest > 0 else shown or Markup("none")
    )


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# --- the environment ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Promise:
    """An objective as the profile states it."""

    name: str
    profile: Markup
    in_this_run: Markup
    source: str


def promises(result: Result, declared: Declared) -> Sequence[Promise]:
    """The objectives: the profile's value, what it is in wall seconds of this run, and who says so."""
    stated = declared.objectives
    source = sentence(result["objective_source"])
    if result["objective_assumed"]:
        source += " Assumed: an owner has to decide it."
    rows = []
    for name, key in (("Recovery time (RTO)", "rto"), ("Data loss (RPO)", "rpo")):
        if _is_number(stated.get(f"{key}_s")):
            rows.append(
                Promise(
                    name=name,
                    profile=Markup("{}").format(Scale(1).full(stated[f"{key}_profile_s"])),
                    in_this_run=data(stated[f"{key}_s"], exact(stated[f"{key}_s"])),
                    source=source,
                )
            )
    return rows


def facts(document: Mapping[str, Json] | None, scale: Scale) -> Facts:
    """What is recorded of a server, as names and values; an empty list says that nothing was."""
    return list(figures(document or {}, Scale(1) if scale.is_real_time else scale))


def expected(declared: Declared) -> Facts:
    """What the profile declares of the source."""
    stated = declared.profile.get("expected")
    return list(figures(stated, Scale(1))) if isinstance(stated, Mapping) else []


# --- the course and the provider ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """A call that changed something at the provider."""

    at: str
    name: str
    resource: str
    answer: str
    took: str
    request_id: str
    correlation_id: str


def calls(history: History) -> Sequence[Call]:
    """Every mutating call in order; one without an answer is UNKNOWN and says so."""
    return [
        Call(
            at=clock_time(utc_of(history, call.began)),
            name=call.name,
            resource=call.resource,
            answer="UNKNOWN: no answer came" if call.status is None else str(call.status),
            took="–" if call.ended is None else exact(call.ended - call.began),
            request_id=call.request_id or "–",
            correlation_id=call.correlation_id or "–",
        )
        for call in history.calls
    ]


def run_facts(history: History, result: Result, scale: Scale) -> Facts:
    """Which run this is."""
    run = history.run
    said = {
        "run": run.run_id,
        "scenario and variant": f"{run.scenario}[{run.variant}]",
        "environment": run.environment,
        "evidence class": str(result["evidence_class"]),
        "began": utc_time(history.began.utc_s),
        "ended": "it never ended" if history.ended is None else utc_time(history.ended.utc_s),
        "disaster": "none recorded"
        if history.disaster is None
        else utc_time(utc_of(history, history.disaster.latest)),
        "trigger": run.trigger,
        "control plane": f"{run.arm_host}, {'public' if run.public_ca else 'own'} certificate authority",
        "time scale": f"{scale.name} (service seconds in one second on the wall)",
        "code": run.code_version,
        "boot whose clock was read": run.boot_id,
    }
    return [(name, Markup("{}").format(value)) for name, value in said.items()]


def limits(result: Result) -> Sequence[str]:
    """What this record does not show: what every rehearsal lacks, and what the record says of its scenario."""
    of_a_rehearsal = (
        "how the real service behaves: everything ran on the local twin, and no second of it was Azure's"
    )
    return [*([] if is_live(result) else [of_a_rehearsal]), *result["does_not_show"]]
