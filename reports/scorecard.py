"""Objective, who set it, what was achieved, by how much, and the verdict: one row each.

The rows of the objectives come first, then one row for each further check that the scenario requires, in the order in
which the record lists them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from reports.amounts import amount, data, interval
from reports.opening import OBJECTIVE_CHECKS, Result, finding_of, is_live, reason
from reports.words import Badge, Scale, Toward, badge, count, objective_badge, plain, sentence

LONGEST_SOURCE = 60
"""Characters up to which what stands before a colon is taken for the name of a document."""
NONE = Markup('<span class="muted">–</span>')


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the scorecard."""

    name: str
    objective: Markup
    source: str
    achieved: Markup
    margin: Markup
    badge: Badge
    anchor: str
    is_figure: bool = False


def scorecard(result: Result, scale: Scale, *, judges_boundary: bool) -> Sequence[Row]:
    """Build the rows: recovery time, data loss or the boundary, and what else has to be true."""
    source = _in_short(str(result["objective_source"])) + (
        " (assumed)" if result["objective_assumed"] else ""
    )
    rows = [_objective_row("Recovery time (RTO)", "rto", result, scale, source, anchor="recovery-time")]
    if judges_boundary:
        rows.append(_boundary_row(result))
    else:
        rows.append(_objective_row("Data loss (RPO)", "rpo", result, scale, source, anchor="data-loss"))
    return [*rows, *_other_rows(result)]


def _in_short(source: str) -> str:
    """Name the document and the heading; the environment section has the whole sentence."""
    document, colon, _ = source.partition(": ")
    return document if colon and len(document) <= LONGEST_SOURCE else source


def _objective_row(name: str, key: str, result: Result, scale: Scale, source: str, *, anchor: str) -> Row:
    value = result[key]
    if value is None:
        found = finding_of(result, key)
        return Row(
            name=name,
            objective=NONE,
            source=source,
            achieved=Markup("{}").format(reason(result, key)),
            margin=NONE,
            badge=badge(found["status"] if found else "inconclusive"),
            anchor=anchor,
        )
    return Row(
        name=name,
        objective=Markup("at most {}").format(amount(scale, value["objective_s"])),
        source=source,
        achieved=interval(scale, value["low_s"], value["high_s"]),
        margin=_margin(value, scale),
        badge=objective_badge(value["status"], live=is_live(result)),
        anchor=anchor,
        is_figure=True,
    )


def _margin(value: Mapping[str, Any], scale: Scale) -> Markup:
    """What is left to the objective at worst, or what is missing to it at best."""
    spare_s = None if value["high_s"] is None else value["objective_s"] - value["high_s"]
    over_s = value["low_s"] - value["objective_s"]
    if over_s > 0:
        return Markup("missed by at least {}").format(scale.short(over_s, Toward.DOWN))
    if spare_s is None:
        return Markup("unknown: no upper bound")
    if spare_s >= 0:
        return Markup("at least {} to spare").format(scale.short(spare_s, Toward.DOWN))
    return Markup("from {} to spare to {} over").format(
        scale.short(-over_s, Toward.NEAREST), scale.short(-spare_s, Toward.NEAREST)
    )


def _boundary_row(result: Result) -> Row:
    found = finding_of(result, "restore_point")
    return Row(
        name="Restore point",
        objective=Markup("everything before it, nothing after it"),
        source="asked for by this drill",
        achieved=Markup("{}").format(sentence(found["summary"])) if found else Markup("not judged"),
        margin=NONE,
        badge=badge(found["status"] if found else "inconclusive"),
        anchor="restore-point",
    )


_ROWS = {
    "missing": ("Integrity", "no holes, doubles or strangers"),
    "answered": ("Identity", "the recovered server answered"),
    "left_behind": ("Clean-up", "nothing of the drill is left"),
}
"""How the usual rows are called, by words in the name of their check; another check is shown by its own name."""


def _other_rows(result: Result) -> Iterator[Row]:
    for finding in result["findings"]:
        if any(words in finding["check"] for words in OBJECTIVE_CHECKS.values()):
            continue
        known = next((said for words, said in _ROWS.items() if words in finding["check"]), None)
        name, objective = known or (plain(finding["check"]).capitalize(), "true")
        yield Row(
            name=name,
            objective=Markup("{}").format(objective),
            source="every drill",
            achieved=Markup("{}").format(sentence(finding["summary"])),
            margin=NONE,
            badge=badge(finding["status"]),
            anchor=f"check-{finding['check']}",
        )


def tally(markers: Mapping[str, int | None]) -> Sequence[tuple[str, Markup]]:
    """The counts of the markers, in the order of the record."""
    unsettled = Markup('<span class="muted">not known</span>')
    return [
        (plain(name), unsettled if number is None else data(number, f"{number:,}"))
        for name, number in markers.items()
    ]


def rest_of_tally(markers: Mapping[str, int | None], *, judges_boundary: bool) -> str:
    """Say what became of the acknowledged markers that neither survived nor were lost, so that the counts add up."""
    acked, kept, lost = markers["acked"], markers["survived"], markers["lost_acked"]
    if acked is None or kept is None or lost is None or acked == kept + lost:
        return ""
    rest = count(acked - kept - lost, "acknowledged marker")
    cut = (
        "not certainly committed by the restore point"
        if judges_boundary
        else "acknowledged after the disaster"
    )
    return f"Neither kept nor lost: {rest} that may be absent, since {cut}."
