"""How do measured durations stand on the page? With the record's own number inside the tag.

`<data value="14.403">7 min 13 s</data>`: what is read was rounded outwards, what the tag carries is the value of
result.json digit by digit, so that a machine can hold the page against the record.
"""

from __future__ import annotations

from markupsafe import Markup

from reports.words import Scale, Toward, exact_range

NOBODY = "nobody saw an end"
"""What stands for a bound that is null."""


def data(value: float, said: str) -> Markup:
    """Print a value of result.json."""
    return Markup('<data value="{}">{}</data>').format(value, said)


def amount(scale: Scale, wall_s: float, toward: Toward = Toward.NEAREST) -> Markup:
    """Print one duration: service time as people say it, and small beside it the exact and the wall seconds."""
    beside = scale.beside(wall_s, toward)
    said = data(wall_s, scale.short(wall_s, toward))
    return Markup("{} <small>({})</small>").format(said, beside) if beside else said


def interval(scale: Scale, low_s: float, high_s: float | None, *, unseen: str = NOBODY) -> Markup:
    """Print an interval, low bound first; a high bound that nobody saw is said, not drawn as a number."""
    low = data(low_s, scale.short(low_s, Toward.DOWN))
    if high_s is None:
        beside = scale.beside(low_s, Toward.DOWN)
        exactly = Markup("{}; ").format(beside) if beside else Markup("")
        return Markup("{} or more <small>{}{}</small>").format(low, exactly, unseen)
    high = data(high_s, scale.short(high_s, Toward.UP))
    beside = _both(scale, low_s, high_s)
    small = Markup(" <small>{}</small>").format(beside) if beside else ""
    return Markup("{} to {}{}").format(low, high, small)


def _both(scale: Scale, low_s: float, high_s: float) -> str:
    said = (
        [] if scale.service_s(high_s) < 60 else [exact_range(scale.service_s(low_s), scale.service_s(high_s))]
    )
    if not scale.is_real_time:
        said.append(f"wall {exact_range(low_s, high_s)}")
    return "; ".join(said)
