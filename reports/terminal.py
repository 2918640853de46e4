"""How is a result told on a terminal? Verdict, objectives, checks with the worst first, caveats; in lines that fit.

Service time comes first, as on the page: it is what an objective is about.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from reports.words import LIVE, NB, Scale, Toward

_WORST_FIRST = ("failed", "inconclusive", "passed", "not_applicable")
_INDENT = 16


def told(result: Mapping[str, Any], *, width: int = 100) -> str:
    """Tell a result.json in plain words, in lines of at most `width` characters where words allow."""
    lines = (line for paragraph in _paragraphs(result) for line in _wrapped(*paragraph, width=width))
    return "\n".join(lines).replace(NB, " ")


def _paragraphs(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of a word at the margin and what it introduces."""
    scale = Scale(result["time_scale"])
    what = f"{result['scenario']}[{result['variant']}] of {result['environment']}"
    evidence = (
        "live drill" if result["evidence_class"] == LIVE else "rehearsal on the local twin: not evidence"
    )
    yield result["verdict"].upper(), f"{what} ({evidence})"
    yield from _judged("RTO", "service back after", result["rto"], scale)
    if result["variant"] == "chosen":
        yield "  RPO", "not judged: the restore point was chosen, and its boundary is judged instead"
    else:
        yield from _judged("RPO", "acknowledged data lost or exposed:", result["rpo"], scale)
    for finding in sorted(result["findings"], key=lambda found: _WORST_FIRST.index(found["status"])):
        sentence = finding["check"].replace("_", " ")
        if finding["status"] == "passed":
            yield "  passed", sentence
        else:
            yield f"  {finding['status']}", f"{sentence}: {finding['summary']}{_wall(scale)}"
    for caveat in result["caveats"]:
        yield "  caveat", caveat


def _judged(
    name: str, what: str, interval: Mapping[str, Any] | None, scale: Scale
) -> Iterator[tuple[str, str]]:
    if interval is None:
        yield f"  {name}", "not measured"
        return
    low_s, high_s = interval["low_s"], interval["high_s"]
    if high_s is None:
        between = f"{scale.short(low_s, Toward.DOWN)} or more; nobody saw an end"
    else:
        between = f"{scale.short(low_s, Toward.DOWN)} to {scale.short(high_s, Toward.UP)}"
    yield (
        f"  {name}",
        f"{interval['status']}: {what} {between}; objective {scale.short(interval['objective_s'])}",
    )


def _wall(scale: Scale) -> str:
    return "" if scale.is_real_time else f" (wall seconds; each is {scale.name} of the service's)"


def _wrapped(head: str, text: str, *, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        width=max(width, _INDENT + 24),
        initial_indent=f"{head:<{_INDENT}}",
        subsequent_indent=" " * _INDENT,
        break_on_hyphens=False,
        break_long_words=False,
    )
