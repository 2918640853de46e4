"""Where did the time go between the disaster and the service being back?

    phase          |  0      5      10     15 min |
    accepted       |█                       ¦     |   2 s    0 %
    provisioning   | ███████████            ¦     |   6 min  91 %
    verified       |            ▒▒          ¦     |  30 s    8 %     hatched: waited for the tool or a person
    service back   |            [----]      ¦     |  low to high     ¦ the objective

The drawing and the table beside it show the same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports import svg
from reports.words import Scale, Toward, listed, plain

LABELS, LEFT, RIGHT, VALUES = 0.0, 130.0, 570.0, 582.0
TOP, ROW = 40.0, 24.0
FITTING = 27
"""Characters of twelve units that the column of values holds; a longer text is written smaller."""
OUT_OF_SIGHT = 4.0
"""An objective more than so many times as far away as the recovery took would leave the bars no width."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the recovery in wall seconds after the disaster, and whom it waited for."""

    name: str
    began_s: float
    ended_s: float
    waited_for: str

    @property
    def seconds(self) -> float:
        """How long it took, in wall seconds."""
        return self.ended_s - self.began_s


@dataclass(frozen=True, slots=True)
class Recovery:
    """What the drawing shows, all in wall seconds; `high_s` None: nobody saw the service back for good."""

    phases: Sequence[Phase]
    low_s: float
    high_s: float | None
    objective_s: float


def waterfall(recovery: Recovery, scale: Scale) -> Markup:
    """Draw the phases, the interval of the recovery time and the objective."""
    end_s = max([p.ended_s for p in recovery.phases] + [recovery.low_s, recovery.high_s or 0.0])
    shows_objective = recovery.objective_s <= OUT_OF_SIGHT * end_s
    far_s = max(end_s, recovery.objective_s) if shows_objective else end_s
    axis = svg.Axis(low=0.0, high=scale.service_s(far_s) * 1.04 or 1.0, left=LEFT, right=RIGHT)
    bottom = TOP + ROW * (len(recovery.phases) + 1)
    drawing = svg.Drawing(
        name="waterfall",
        height=bottom + 58,
        title="Recovery time by phase",
        description=_description(recovery, scale),
    )
    _axis(drawing, axis, bottom)
    for row, phase in enumerate(recovery.phases):
        _bar(drawing, axis, TOP + row * ROW, phase, scale, total_s=recovery.high_s or end_s)
    _achieved(drawing, axis, TOP + len(recovery.phases) * ROW, recovery, scale)
    _objective(drawing, axis, bottom, recovery, scale, shown=shows_objective)
    _legend(drawing, bottom + 44)
    return drawing.markup()


def _axis(drawing: svg.Drawing, axis: svg.Axis, bottom: float) -> None:
    real = Scale(1)
    for tick in axis.ticks():
        drawing.line(axis.x(tick), TOP, axis.x(tick), bottom, stroke=svg.GRID, css="grid")
        drawing.text(
            axis.x(tick), bottom + 15, real.short(tick), anchor="middle", css="muted", size=11, fill=svg.MUTED
        )
    drawing.text(LABELS, bottom + 15, "since the disaster", css="muted", size=11, fill=svg.MUTED)


def _bar(
    drawing: svg.Drawing, axis: svg.Axis, y: float, phase: Phase, scale: Scale, *, total_s: float
) -> None:
    x = axis.x(scale.service_s(phase.began_s))
    width = max(axis.x(scale.service_s(phase.ended_s)) - x, 1.0)
    said = f"{phase.name}: {scale.full(phase.seconds)}, waited for {phase.waited_for}"
    drawing.text(LABELS, y + 16, plain(phase.name))
    match phase.waited_for:
        case "service":
            drawing.rect(x, y + 5, width, ROW - 10, fill=svg.SERVICE, css="service", title=said)
        case "person":
            drawing.hatched(x, y + 5, width, ROW - 10, colour=svg.PERSON, css="person", title=said)
        case _:
            drawing.hatched(x, y + 5, width, ROW - 10, colour=svg.TOOL, css="tool", title=said)
    drawing.text(VALUES, y + 16, scale.short(phase.seconds))
    drawing.text(svg.WIDTH, y + 16, share(phase.seconds, total_s), anchor="end", css="muted", fill=svg.MUTED)


def _achieved(drawing: svg.Drawing, axis: svg.Axis, y: float, recovery: Recovery, scale: Scale) -> None:
    low = axis.x(scale.service_s(recovery.low_s))
    open_ended = recovery.high_s is None
    high = RIGHT if recovery.high_s is None else axis.x(scale.service_s(recovery.high_s))
    drawing.line(LABELS, y + 1, svg.WIDTH, y + 1, stroke=svg.MUTED, css="muted-line")
    drawing.text(LABELS, y + 17, "service back", bold=True)
    drawing.hatched(low, y + 6, max(high - low, 2.0), ROW - 10, colour=svg.OPEN, css="open")
    if open_ended:
        drawing.arrow_right(RIGHT + 7, y + 13)
    low_said = scale.short(recovery.low_s, Toward.DOWN)
    high_said = "or more" if recovery.high_s is None else f"to {scale.short(recovery.high_s, Toward.UP)}"
    said = f"{low_said} {high_said}"
    drawing.text(
        VALUES + (6 if open_ended else 0), y + 17, said, bold=True, size=12 if len(said) <= FITTING else 10
    )


def _objective(
    drawing: svg.Drawing, axis: svg.Axis, bottom: float, recovery: Recovery, scale: Scale, *, shown: bool
) -> None:
    said = f"objective {scale.short(recovery.objective_s)}"
    if not shown:
        drawing.text(RIGHT - 10, 22, f"{said}, far outside the drawing", anchor="end")
        drawing.arrow_right(RIGHT, 18)
        return
    x = axis.x(scale.service_s(recovery.objective_s))
    drawing.line(x, 28, x, bottom, dash="6 3", width=1.5)
    drawing.text(x, 22, said, anchor="end" if x > (LEFT + RIGHT) / 2 else "start", bold=True)


def _legend(drawing: svg.Drawing, y: float) -> None:
    drawing.rect(LEFT, y - 9, 22, 10, fill=svg.SERVICE, css="service")
    drawing.text(LEFT + 28, y, "the service", size=11)
    drawing.hatched(LEFT + 110, y - 9, 22, 10, colour=svg.TOOL, css="tool")
    drawing.text(LEFT + 138, y, "this tool", size=11)
    drawing.hatched(LEFT + 206, y - 9, 22, 10, colour=svg.PERSON, css="person")
    drawing.text(LEFT + 234, y, "a person", size=11)
    drawing.hatched(LEFT + 304, y - 9, 22, 10, colour=svg.OPEN, css="open")
    drawing.text(LEFT + 332, y, "the truth lies in here", size=11)
    drawing.text(LABELS, y, "waited for", css="muted", size=11, fill=svg.MUTED)


def share(part_s: float, whole_s: float) -> str:
    """A part of the whole in per cent; a sliver that is not nothing is `< 1 %`."""
    if whole_s <= 0:
        return "–"
    per_cent = 100 * part_s / whole_s
    return "< 1 %" if 0 < per_cent < 0.5 else f"{per_cent:.0f} %"


def _description(recovery: Recovery, scale: Scale) -> str:
    phases = listed([f"{plain(p.name)} {scale.short(p.seconds)}" for p in recovery.phases]) or "none recorded"
    end = (
        "nobody saw it back for good"
        if recovery.high_s is None
        else f"at the latest after {scale.short(recovery.high_s, Toward.UP)}"
    )
    return (
        f"Phases: {phases}. Service was back at the earliest after {scale.short(recovery.low_s, Toward.DOWN)}, "
        f"{end}; the objective is {scale.short(recovery.objective_s)}. The table below has the same figures."
    )
