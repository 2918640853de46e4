"""How is a chart drawn so that it needs no script, prints in grey, and can be read aloud?

Colours stand as presentation attributes on the elements, since not every PDF writer applies CSS to SVG; the page's
style sheet replaces them, by class, in the dark theme only. Nothing is told by colour alone: what differs in colour
differs in hatching, height or words as well. Every chart has a title and a description, and a table beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from markupsafe import Markup, escape

WIDTH = 760
"""Units of every drawing; the page scales it, so that 12 units of text are about 12 pixels or 8 points."""

INK, MUTED, GRID, PAPER = "#1b1f24", "#57606a", "#d5dae0", "#ffffff"
SERVICE, TOOL, PERSON = "#0b5cad", "#8a949e", "#a66a00"
KEPT, LOST, OPEN = "#0b6b3a", "#a4161a", "#7a4b00"
BOUNDS = "#fdebbf"


@dataclass(slots=True)
class Drawing:
    """A drawing that grows element by element and becomes one `<svg>`."""

    name: str
    height: float
    title: str
    description: str
    _elements: list[Markup] = field(default_factory=list)
    _patterns: dict[str, Markup] = field(default_factory=dict)

    def rect(
        self, x: float, y: float, width: float, height: float, *, fill: str, css: str, title: str = ""
    ) -> None:
        """Draw a filled rectangle; `title` is what a pointer resting on it shows."""
        self._elements.append(
            Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}" fill="{}"{}').format(
                css, _n(x), _n(y), _n(max(width, 0.0)), _n(height), fill, _closed("rect", title)
            )
        )

    def hatched(
        self, x: float, y: float, width: float, height: float, *, colour: str, css: str, title: str = ""
    ) -> None:
        """Draw a hatched rectangle with an outline: what hatching means stands in the legend."""
        pattern = f"{self.name}-{css}"
        self._patterns.setdefault(
            pattern,
            Markup(
                '<pattern id="{}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
                '<rect class="paper" width="6" height="6" fill="{}"/>'
                '<rect class="{}" width="3" height="6" fill="{}"/></pattern>'
            ).format(pattern, PAPER, css, colour),
        )
        self._elements.append(
            Markup(
                '<rect class="outline-{}" x="{}" y="{}" width="{}" height="{}" fill="url(#{})" stroke="{}" '
                'stroke-width="1"{}'
            ).format(
                css, _n(x), _n(y), _n(max(width, 0.0)), _n(height), pattern, colour, _closed("rect", title)
            )
        )

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        *,
        stroke: str = INK,
        css: str = "ink-line",
        width: float = 1.0,
        dash: str = "",
    ) -> None:
        """Draw a straight line, dashed where `dash` says so."""
        self._elements.append(
            Markup(
                '<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="{}"{}/>'
            ).format(
                css,
                _n(x1),
                _n(y1),
                _n(x2),
                _n(y2),
                stroke,
                _n(width),
                Markup(' stroke-dasharray="{}"').format(dash) if dash else "",
            )
        )

    def path(
        self, d: str, *, stroke: str, css: str, width: float = 1.0, fill: str = "none", rounded: bool = False
    ) -> None:
        """Draw a path: many ticks, or a curve, as one element; rounded ends turn lines without length into dots."""
        if d:
            ends = Markup(' stroke-linecap="round"') if rounded else ""
            self._elements.append(
                Markup('<path class="{}" d="{}" stroke="{}" stroke-width="{}" fill="{}"{}/>').format(
                    css, d, stroke, _n(width), fill, ends
                )
            )

    def text(
        self,
        x: float,
        y: float,
        said: str,
        *,
        anchor: str = "start",
        css: str = "ink",
        size: float = 12,
        fill: str = INK,
        bold: bool = False,
    ) -> None:
        """Write a line of text."""
        self._elements.append(
            Markup(
                '<text class="{}" x="{}" y="{}" font-size="{}" text-anchor="{}" fill="{}"{}>{}</text>'
            ).format(
                css, _n(x), _n(y), _n(size), anchor, fill, Markup(' font-weight="600"') if bold else "", said
            )
        )

    def arrow_right(self, x: float, y: float, *, fill: str = INK, css: str = "ink") -> None:
        """Draw the head of an arrow: it goes on beyond the edge."""
        self.path(f"M{_n(x)} {_n(y)}l-7 -4v8z", stroke="none", css=css, fill=fill)

    def markup(self) -> Markup:
        """Close the drawing."""
        patterns = (
            Markup("<defs>{}</defs>").format(Markup("").join(self._patterns.values()))
            if self._patterns
            else ""
        )
        return Markup(
            '<svg role="img" aria-labelledby="{0}-title {0}-desc" viewBox="0 0 {1} {2}" '
            'font-family="system-ui, sans-serif">'
            '<title id="{0}-title">{3}</title><desc id="{0}-desc">{4}</desc>{5}{6}</svg>'
        ).format(
            self.name,
            WIDTH,
            _n(self.height),
            self.title,
            self.description,
            patterns,
            Markup("").join(self._elements),
        )


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps values (service seconds) to units of a drawing, and knows where round values lie."""

    low: float
    high: float
    left: float
    right: float

    def x(self, value: float) -> float:
        """The position of a value; what lies outside the axis is drawn at its edge."""
        inside = min(max(value, self.low), self.high)
        return self.left + (inside - self.low) / ((self.high - self.low) or 1.0) * (self.right - self.left)

    def ticks(self, about: int = 6) -> Iterable[float]:
        """Round values along the axis, about so many of them."""
        step = next((s for s in _STEPS_S if (self.high - self.low) / s <= about), _STEPS_S[-1])
        first = -(-self.low // step)
        return (n * step for n in range(int(first), int(self.high // step) + 1))


_STEPS_S = (
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
    21600,
    43200,
    86400,
)


def vertical_ticks(xs: Iterable[float], y: float, height: float) -> str:
    """One path for many short vertical lines; those that would fall on each other are drawn once."""
    return "".join(f"M{_n(x)} {_n(y)}v{_n(height)}" for x in sorted({round(x * 2) / 2 for x in xs}))


def _closed(element: str, title: str) -> Markup:
    return Markup("><title>{}</title></{}>").format(escape(title), Markup(element)) if title else Markup("/>")


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
