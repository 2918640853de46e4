"""Which markers came back, and how far behind was the archive?

                              last that survived   disaster
    present on the copy   ||||||||||||||||||||    ¦
    absent                                    ||||¦      first lost
    refused or unknown           |                ¦
    new in the archive      ^        ^        ^   ¦
    lag of the archive     _/|_____/|______/|____/¦      a saw: it falls where a segment was archived

The drawing is thinned, since a thousand ticks on a few hundred pixels say no more than one a pixel; figures in the
tables never are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports import svg
from reports.words import Scale, Toward

LEFT, RIGHT = 140.0, 748.0
LANE, PANEL, LABEL_ROW = 22.0, 70.0, 15.0
EDGE = 30.0
"""So near to an edge a label is no longer centred on its tick: it would leave the drawing."""
DOTS = 60
"""Up to as many readings are marked by dots: with more of them the line says enough."""
POINTS = 240
"""As many points as the curve of the lag keeps."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A row of ticks: what they say, where they are (wall seconds on the axis), and how they look."""

    label: str
    at_s: Sequence[float]
    stroke: str
    css: str
    alarming: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant that is drawn through all lanes, with its label above."""

    label: str
    at_s: float
    css: str = "ink-line"
    stroke: str = svg.INK
    dash: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the drawing shows, in wall seconds on one axis whose zero is named by `axis`."""

    title: str
    description: str
    axis: str
    began_s: float
    ended_s: float
    lanes: Sequence[Lane]
    moments: Sequence[Moment]
    bounds_s: tuple[float, float] | None = None
    lag: Sequence[tuple[float, float]] = ()
    lag_objective_s: float | None = None


def timeline(shown: Timeline, scale: Scale) -> Markup:
    """Draw lanes, moments and the lag of the archive."""
    top = 14 + LABEL_ROW * len(shown.moments)
    lanes_end = top + LANE * len(shown.lanes)
    bottom = lanes_end + (PANEL + 26 if shown.lag else 0)
    axis = svg.Axis(scale.service_s(shown.began_s), scale.service_s(shown.ended_s), LEFT, RIGHT)
    drawing = svg.Drawing("timeline", bottom + 24, shown.title, shown.description)
    if shown.bounds_s is not None:
        _bounds(drawing, axis, shown.bounds_s, top, lanes_end, scale)
    _axis(drawing, axis, shown.axis, top, bottom)
    for row, lane in enumerate(shown.lanes):
        _lane(drawing, axis, top + row * LANE, lane, scale)
    if shown.lag:
        _lag(drawing, axis, lanes_end + 18, shown, scale)
    for row, moment in enumerate(_stacked(shown.moments, axis, scale)):
        _moment(drawing, axis, 12 + row * LABEL_ROW, bottom, moment, scale)
    return drawing.markup()


def _stacked(moments: Sequence[Moment], axis: svg.Axis, scale: Scale) -> list[Moment]:
    """Order the labels from the top so that no line runs through one that stands below its own."""
    middle = (axis.low + axis.high) / 2
    left = [m for m in moments if scale.service_s(m.at_s) <= middle]
    right = [m for m in moments if scale.service_s(m.at_s) > middle]
    return sorted(right, key=lambda m: -m.at_s) + sorted(left, key=lambda m: m.at_s)


def thinned(points: Sequence[tuple[float, float]], keep: int = POINTS) -> list[tuple[float, float]]:
    """Keep the first, the last, and of each stretch its lowest and highest point, in order: no peak is lost."""
    if len(points) <= keep:
        return list(points)
    stretch = -(-len(points) // (keep // 2))
    kept: list[tuple[float, float]] = [points[0]]
    for start in range(0, len(points), stretch):
        group = points[start : start + stretch]
        kept.extend(sorted({min(group, key=lambda p: p[1]), max(group, key=lambda p: p[1])}))
    kept.append(points[-1])
    return list(dict.fromkeys(kept))


def _axis(drawing: svg.Drawing, axis: svg.Axis, label: str, top: float, bottom: float) -> None:
    real = Scale(1)
    for tick in axis.ticks(8):
        drawing.line(axis.x(tick), top, axis.x(tick), bottom, stroke=svg.GRID, css="grid")
        said = "0" if tick == 0 else ("−" if tick < 0 else "+") + real.short(abs(round(tick, 6)))
        x = axis.x(tick)
        anchor = "start" if x < LEFT + EDGE else "end" if x > RIGHT - EDGE else "middle"
        drawing.text(x, bottom + 14, said, anchor=anchor, css="muted", size=11, fill=svg.MUTED)
    drawing.text(0, bottom + 14, label, css="muted", size=11, fill=svg.MUTED)


def _bounds(
    drawing: svg.Drawing,
    axis: svg.Axis,
    bounds_s: tuple[float, float],
    top: float,
    bottom: float,
    scale: Scale,
) -> None:
    began, ended = (axis.x(scale.service_s(at)) for at in bounds_s)
    drawing.rect(
        began,
        top,
        max(ended - began, 1.5),
        bottom - top,
        fill=svg.BOUNDS,
        css="bounds",
        title="the truth lies in here",
    )


def _lane(drawing: svg.Drawing, axis: svg.Axis, y: float, lane: Lane, scale: Scale) -> None:
    drawing.text(0, y + 15, lane.label)
    height = LANE - 4 if lane.alarming else LANE - 10
    xs = (axis.x(scale.service_s(at)) for at in lane.at_s)
    drawing.path(svg.vertical_ticks(xs, y + (LANE - height) / 2, height), stroke=lane.stroke, css=lane.css)
    if not lane.at_s:
        drawing.text(LEFT, y + 15, "none", css="muted", size=11, fill=svg.MUTED)


def _lag(drawing: svg.Drawing, axis: svg.Axis, top: float, shown: Timeline, scale: Scale) -> None:
    points = [(scale.service_s(at), scale.service_s(lag)) for at, lag in thinned(shown.lag)]
    highest = max(lag for _, lag in points)
    objective = None if shown.lag_objective_s is None else scale.service_s(shown.lag_objective_s)
    objective_fits = objective is not None and objective <= 4 * highest
    limit = (max(highest, objective) if objective is not None and objective_fits else highest) * 1.3 or 1.0
    base = top + PANEL

    def y(lag: float) -> float:
        return base - lag / limit * PANEL

    real = Scale(1)
    drawing.text(0, top + 14, "not archived yet:")
    drawing.text(0, top + 29, "age of the oldest")
    drawing.text(0, top + 44, f"seen up to {real.short(highest, Toward.DOWN)}", css="muted", fill=svg.MUTED)
    drawing.line(LEFT, base, RIGHT, base, stroke=svg.MUTED, css="muted-line")
    curve = "".join(
        f"{'M' if n == 0 else 'L'}{axis.x(at):.1f} {y(lag):.1f}" for n, (at, lag) in enumerate(points)
    )
    area = f"{curve}L{axis.x(points[-1][0]):.1f} {base:.1f}L{axis.x(points[0][0]):.1f} {base:.1f}z"
    drawing.path(area, stroke="none", css="lag-area", fill="#dbe9f8")
    drawing.path(curve, stroke=svg.SERVICE, css="service-line", width=1.5)
    if len(points) <= DOTS:
        dots = "".join(f"M{axis.x(at):.1f} {y(lag):.1f}h0" for at, lag in points)
        drawing.path(dots, stroke=svg.SERVICE, css="service-line", width=4.5, rounded=True)
    if objective is not None and objective_fits:
        drawing.line(LEFT, y(objective), RIGHT, y(objective), dash="6 3", width=1.2)
        drawing.text(LEFT + 4, y(objective) - 4, f"objective {real.short(objective)}", size=11, bold=True)
    elif objective is not None:
        drawing.text(LEFT + 4, top + 6, f"objective {real.short(objective)}: far above the drawing", size=11)


def _moment(
    drawing: svg.Drawing, axis: svg.Axis, y: float, bottom: float, moment: Moment, scale: Scale
) -> None:
    x = axis.x(scale.service_s(moment.at_s))
    drawing.line(x, y + 2, x, bottom, stroke=moment.stroke, css=moment.css, dash=moment.dash, width=1.3)
    right_half = x > (LEFT + RIGHT) / 2
    drawing.text(
        x - 4 if right_half else x + 4, y, moment.label, anchor="end" if right_half else "start", size=11
    )
