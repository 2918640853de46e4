"""How does a finished run become one HTML file? History and templates in, text out.

    result.json + History ──▶ Page (sentences, rows, drawings, tables) ──templates──▶ one file without a request

Pure and deterministic: the same record gives the same bytes, since nothing here reads a clock, a file or a locale.
Everything that came from outside is escaped by the templates; only the drawings and the tags of this package are
markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import DictLoader, Environment, StrictUndefined

from drills.history import History
from reports import course, details
from reports.opening import Opening, Result, opening
from reports.record import Declared
from reports.scorecard import Row, rest_of_tally, scorecard, tally
from reports.words import Scale, sentence

TEMPLATE = "report.html"


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the template shows, in the order of the page."""

    opening: Opening
    print_strip: str
    caveats: Sequence[str]
    rows: Sequence[Row]
    limits: Sequence[str]
    recovery_time: course.Part
    data_loss: course.Part | None
    boundary: course.Part | None
    tally: Sequence[tuple[str, object]]
    tally_note: str
    checks: Sequence[details.Check]
    promises: Sequence[details.Promise]
    run: details.Facts
    source: details.Facts
    recovered: details.Facts
    expected: details.Facts
    calls: Sequence[details.Call]
    states_detection: bool
    declared: Declared
    run_id: str
    folder: str
    scale: Scale


def render_html(
    history: History,
    result: Result,
    templates: Mapping[str, str],
    *,
    declared: Declared | None = None,
) -> str:
    """Render a run as one self-contained page.

    `declared` is what the record holds beside the History: profile, plan, files.
    """
    environment = Environment(
        loader=DictLoader(dict(templates)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = _page(history, result, declared or Declared())
    return environment.get_template(TEMPLATE).render(page=page) + "\n"


def _page(history: History, result: Result, declared: Declared) -> Page:
    scale = Scale(result["time_scale"])
    limits = details.limits(result)
    opened = opening(history, result, scale, limits)
    judges_boundary = history.run.variant == "chosen"
    return Page(
        opening=opened,
        print_strip=_css_string(f"{opened.strip}   {history.run.run_id}"),
        caveats=[sentence(caveat) for caveat in result["caveats"]],
        rows=scorecard(result, scale, judges_boundary=judges_boundary),
        limits=limits,
        recovery_time=course.recovery_time(history, result, scale),
        data_loss=None if judges_boundary else course.data_loss(history, result, scale),
        boundary=course.boundary(history, result, scale) if judges_boundary else None,
        tally=tally(result["markers"]),
        tally_note=rest_of_tally(result["markers"], judges_boundary=judges_boundary),
        checks=details.checks(result, scale),
        promises=details.promises(result, declared),
        run=details.run_facts(history, result, scale),
        source=details.facts(result.get("source"), scale),
        recovered=details.facts(result.get("recovered"), scale),
        expected=details.expected(declared),
        calls=details.calls(history),
        states_detection=bool((result["rto"] or {}).get("detection_and_decision_s")),
        declared=declared,
        run_id=history.run.run_id,
        folder=f"runs/{'' if opened.live else 'REHEARSAL-'}{history.run.run_id}",
        scale=scale,
    )


def _css_string(text: str) -> str:
    """Make a text safe between the quotes of a style sheet, where HTML escapes mean nothing."""
    return re.sub(r"[^A-Za-z0-9 .:_\-]", "_", text)
