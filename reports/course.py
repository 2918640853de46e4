"""How did the drill go? The recovery phase by phase, the markers around both cuts, and the archive behind them.

    recovery time    drawing of the phases · table of the phases · what bounds the interval
    data loss        drawing of the markers · table of the edges · table of the archive · what bounds the interval

Intervals, phases and counts are those of result.json; single markers and attempts are named from the History.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from drills.history import Answer, History, Presence
from drills.model import MarkerWritten, Outcome
from reports import svg
from reports.amounts import amount, interval
from reports.moments import ArchiveStep, Neighbours, archive_steps, edges, neighbours, utc_of
from reports.opening import Result
from reports.timeline import Lane, Moment, Timeline, timeline
from reports.waterfall import Phase, Recovery, share, waterfall
from reports.words import Scale, Toward, clock_time, plain

ARCHIVE_ROWS = 24
"""As many positions of the archive as the table lists; the rest is in the record, and the table says so."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table beside a drawing: caption, headings, rows whose first cell names them, and a note below."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Markup | str]]
    note: str = ""
    numbers: frozenset[int] = frozenset()
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A section with a drawing and its tables; `missing` says why there is none."""

    drawing: Markup | None
    tables: Sequence[Table]
    missing: str = ""
    legend: str = ""


# --- recovery time --------------------------------------------------------------------------------------


def recovery_time(history: History, result: Result, scale: Scale) -> Part:
    """The phases of the recovery, drawn and listed, and the instants that bound it."""
    rto, phases = result["rto"], phases_of(result)
    if rto is None:
        return Part(
            None, list(_phase_tables(history, phases, None, scale)), "The recovery time was not measured."
        )
    recovery = Recovery(phases, rto["low_s"], rto["high_s"], rto["objective_s"])
    tables = [
        *_phase_tables(history, phases, rto, scale),
        _returns(history, rto, scale),
        *_parts("Why the recovery time is an interval", rto, scale),
    ]
    return Part(waterfall(recovery, scale), tables)


def phases_of(result: Result) -> list[Phase]:
    """The phases of result.json."""
    return [Phase(p["name"], p["began_s"], p["ended_s"], p["waited_for"]) for p in result["phases"]]


def _phase_tables(
    history: History, phases: Sequence[Phase], rto: Mapping[str, Any] | None, scale: Scale
) -> Iterator[Table]:
    """What was stated for noticing and deciding came before the disaster that the record knows."""
    if not phases:
        return
    high_s = None if rto is None else rto["high_s"]
    stated_s = 0.0 if rto is None else rto["detection_and_decision_s"]
    total_s = phases[-1].ended_s if high_s is None else high_s
    rows = [
        (
            plain(p.name),
            _utc(history, p.began_s - stated_s),
            amount(scale, p.began_s),
            amount(scale, p.seconds),
            share(p.seconds, total_s),
            p.waited_for,
        )
        for p in phases
    ]
    yield Table(
        caption="Phases of the recovery",
        headings=("Phase", "Began (UTC)", "After the disaster", "Took", "Share", "Waited for"),
        rows=rows,
        note="Shares are of the whole up to the end of the interval." if high_s is not None else "",
        numbers=frozenset({4}),
    )


def _utc(history: History, after_disaster_s: float) -> str:
    if history.disaster is None:
        return "–"
    return clock_time(utc_of(history, history.disaster.latest + after_disaster_s))


def _returns(history: History, rto: Mapping[str, Any], scale: Scale) -> Table:
    """The attempts beside the return of the service, and the surveys that end the interval."""
    rows: list[Sequence[Markup | str]] = []
    good = history.first_good
    usable = next((t.began for t in history.tries if t.answer is not Answer.BAD), float("inf"))
    bad = [t for t in history.tries if t.answer is Answer.BAD and t.began < usable]
    if len(bad) > 1:
        rows.append(
            _instant("last failed attempt but one: the interval begins here", bad[-2].began, history, scale)
        )
    if bad:
        rows.append(
            _instant("last failed attempt before the first that worked", bad[-1].began, history, scale)
        )
    if good is not None and good.ended is not None:
        rows.append(_instant("first write acknowledged and read back: begun", good.began, history, scale))
        rows.append(_instant("first write acknowledged and read back: ended", good.ended, history, scale))
    for n, survey in enumerate(history.survey_pair or (), start=1):
        rows.append(_instant(f"survey {n} of 2 of the recovered server: ended", survey.ended, history, scale))
    after = [t for t in history.tries if good is not None and t.began > good.began and t.answer is Answer.BAD]
    note = f"{len(history.tries):,} attempts after the disaster; {len(after):,} failed after the first that worked."
    waited_s = sum(p["seconds"] for p in rto["parts"] if p["name"] == "tool waits")
    if waited_s:
        note += f" From the low end, {scale.full(waited_s)} were taken off in which the recovery waited for this tool."
    return Table(
        caption="Attempts to use the recovered server",
        headings=("What was seen", "At (UTC)", "After the disaster"),
        rows=rows,
        note=note,
    )


def _instant(said: str, at: float, history: History, scale: Scale) -> Sequence[Markup | str]:
    since = "–" if history.disaster is None else amount(scale, at - history.disaster.latest)
    return (said, clock_time(utc_of(history, at)), since)


# --- why an interval is as wide as it is ----------------------------------------------------------------


def _parts(caption: str, value: Mapping[str, Any], scale: Scale) -> Iterator[Table]:
    parts = value.get("parts") or []
    if not parts:
        return
    rows: list[Sequence[Markup | str]] = [(_meant(p["name"]), amount(scale, p["seconds"])) for p in parts]
    if value["high_s"] is not None:
        rows.append(
            (
                Markup("<strong>width of the interval</strong>"),
                amount(scale, value["high_s"] - value["low_s"]),
            )
        )
    yield Table(caption=caption, headings=("What leaves room for doubt", "How much"), rows=rows, narrow=True)


_MEANINGS = {
    "disaster": "the disaster itself is known no better",
    "attempt limit": "an attempt was open and had no answer yet",
    "attempt period": "from one attempt to the next",
    "latency": "a write was on its way and not yet answered",
    "until the surveys": "after the first write, before the first survey",
    "first survey": "while all markers were read",
    "switch-over delay": "kept between the surveys, so that a late switch of the name is seen",
    "second survey": "while all markers were read again",
    "tool waits": "this tool was waited for, which is not held against the service",
    "clock": "clocks that watched it disagree",
    "marker spacing": "no marker was written in between",
    "archive exposure": "kept on the copy, but not in the archive when the disaster struck",
}
"""What each part of an interval means; one that is not listed is shown by its name."""


def _meant(name: str) -> Markup:
    meaning = _MEANINGS.get(name)
    return (
        Markup("{}: <small>{}</small>").format(plain(name), meaning)
        if meaning
        else Markup("{}").format(plain(name))
    )


# --- data loss ------------------------------------------------------------------------------------------


def data_loss(history: History, result: Result, scale: Scale) -> Part:
    """The markers around the disaster, the archive behind them, and the bounds of the loss."""
    if history.disaster is None or not history.markers:
        return Part(None, (), "No marker was written before a disaster, so nothing can be said of lost data.")
    steps = archive_steps(history)
    drawing = timeline(_loss_timeline(history, result, steps), scale)
    tables = [
        _edge_table(history, scale),
        *_bounds_tables(result, scale),
        *_archive_tables(history, result, steps, scale),
    ]
    return Part(drawing, tables, legend="Shaded: what was lost, or would have been, lies in here.")


def _loss_timeline(history: History, result: Result, steps: Sequence[ArchiveStep]) -> Timeline:
    assert history.disaster is not None  # noqa: S101  asked by the caller
    at, rpo = history.disaster.latest, result["rpo"]
    found = edges(history)
    moments = [Moment("the disaster", 0.0)]
    if found.last_kept is not None:
        at_s = found.last_kept.began - at
        moments.append(Moment("last that survived", at_s, css="kept", stroke=svg.KEPT, dash="2 2"))
    if found.first_gone is not None:
        at_s = _ended(found.first_gone) - at
        moments.append(Moment("first acknowledged and lost", at_s, css="lost", stroke=svg.LOST, dash="2 2"))
    before = [m for m in history.markers if m.began <= at]
    began_s = min(m.began for m in history.markers) - at
    bounds = None
    if rpo is not None:
        bounds = (
            began_s if rpo["high_s"] is None else max(-rpo["high_s"], began_s),
            max(-rpo["low_s"], began_s),
        )
    return Timeline(
        title="Markers before the disaster, and what of them came back",
        description=_loss_description(result, before),
        axis="service time",
        began_s=began_s,
        ended_s=-began_s * 0.03,
        lanes=_loss_lanes(history, steps, at),
        moments=moments,
        bounds_s=bounds,
        lag=[(s.sample.began - at, s.lag_s) for s in steps],
        lag_objective_s=None if rpo is None else rpo["objective_s"],
    )


def _loss_lanes(history: History, steps: Sequence[ArchiveStep], at: float) -> Sequence[Lane]:
    counting = history.counting
    by_presence = {
        presence: [m.began - at for m in counting if history.presence(m) is presence] for presence in Presence
    }
    others = [m.began - at for m in history.markers if m.outcome is not Outcome.ACKED and m.began <= at]
    archived = [s.sample.began - at for s in _new_positions(steps)]
    lanes = [
        Lane("acknowledged, kept", by_presence[Presence.PRESENT], svg.KEPT, "kept"),
        Lane("acknowledged, lost", by_presence[Presence.ABSENT], svg.LOST, "lost", alarming=True),
        Lane("refused or unknown", others, svg.OPEN, "unsure"),
        Lane("new in the archive", archived, svg.SERVICE, "archived", alarming=True),
    ]
    if by_presence[Presence.UNSETTLED]:
        lanes.insert(
            2, Lane("nobody can tell", by_presence[Presence.UNSETTLED], svg.OPEN, "unsure", alarming=True)
        )
    return lanes


def _loss_description(result: Result, before: Sequence[MarkerWritten]) -> str:
    kept, lost = (_counted(result["markers"][name]) for name in ("survived", "lost_acked"))
    return (
        f"{len(before)} markers were attempted before the disaster; of those acknowledged, "
        f"{kept} survived and {lost} were lost. "
        f"The tables below have the same figures."
    )


def _counted(number: int | None) -> str:
    return "an unknown number" if number is None else f"{number:,}"


def _edge_table(history: History, scale: Scale) -> Table:
    assert history.disaster is not None  # noqa: S101  asked by the caller
    found, at = edges(history), history.disaster.latest
    rows: list[Sequence[Markup | str]] = [
        _edge("last marker acknowledged before the disaster", found.last_acked, at, history, scale),
        _edge("last marker that survived", found.last_kept, at, history, scale),
        _edge("first acknowledged marker that was lost", found.first_gone, at, history, scale),
        ("the disaster", clock_time(utc_of(history, at)), amount(scale, 0.0), "–"),
    ]
    note = ""
    if history.request is not None:
        note = (
            "The request carried the point "
            f"{clock_time(history.request.point_us / 1e6)} UTC by the source's own clock."
        )
    return Table(
        caption="Markers at the edges",
        headings=("What", "Begun to ended (UTC)", "Before the disaster", "Writer and number"),
        rows=rows,
        note=note,
    )


def _edge(
    said: str, marker: MarkerWritten | None, at: float, history: History, scale: Scale
) -> Sequence[Markup | str]:
    if marker is None:
        return (said, "none", "–", "–")
    span = f"{clock_time(utc_of(history, marker.began))} to {clock_time(utc_of(history, _ended(marker)))}"
    return (said, span, amount(scale, at - _ended(marker)), f"{marker.writer} {marker.number}")


def _bounds_tables(result: Result, scale: Scale) -> Iterator[Table]:
    rpo = result["rpo"]
    if rpo is None:
        return
    named = [("lost", "lost on the recovered server"), ("exposed", "not in the archive at the disaster")]
    rows: list[Sequence[Markup | str]] = [
        (said, interval(scale, rpo[key]["low_s"], rpo[key]["high_s"])) for key, said in named if rpo.get(key)
    ]
    rows.append(
        (Markup("<strong>data loss: what is judged</strong>"), interval(scale, rpo["low_s"], rpo["high_s"]))
    )
    yield Table(
        caption="What the data loss is made of",
        headings=("What", "Between"),
        rows=rows,
        note="A drill's source is alive and may still flush what a dead one could not; so what the archive lacked at "
        "the disaster counts as well as what did not come back.",
    )
    yield from _parts("Why the data loss is an interval", rpo, scale)
    for key, said in named:
        if rpo.get(key):
            yield from _parts(f"Why “{said}” is an interval", rpo[key], scale)


def _archive_tables(
    history: History, result: Result, steps: Sequence[ArchiveStep], scale: Scale
) -> Iterator[Table]:
    if not steps:
        return
    positions = _new_positions(steps)
    before = {id(step): steps[n - 1].lag_s if n else step.lag_s for n, step in enumerate(steps)}
    rows = [
        (
            Markup("<code>{}</code>").format(step.segment or "none named"),
            clock_time(utc_of(history, step.sample.ended)),
            amount(scale, before[id(step)], Toward.DOWN),
        )
        for step in positions[-ARCHIVE_ROWS:]
    ]
    exposure = result.get("exposure") or {}
    said = [
        f"{word} at least {scale.full(exposure[key], Toward.DOWN)}"
        for key, word in (("archive_lag_max_s", "maximum"), ("archive_lag_median_s", "median"))
        if exposure.get(key) is not None
    ]
    earlier = len(positions) - ARCHIVE_ROWS
    left_out = f" The {earlier} earlier ones are in the record." if earlier > 0 else ""
    yield Table(
        caption="Positions of the archive over the window",
        headings=("Newest archived segment", "Seen (UTC)", "Lag of the archive just before"),
        rows=rows,
        note=f"{len(steps):,} readings before the disaster. Lag of the archive: {', '.join(said) or 'not measured'}; "
        f"a window cannot see a lag longer than itself.{left_out}",
    )


def _new_positions(steps: Sequence[ArchiveStep]) -> Sequence[ArchiveStep]:
    """The readings that named a segment for the first time."""
    seen: dict[str | None, ArchiveStep] = {}
    for step in steps:
        seen.setdefault(step.segment, step)
    return list(seen.values())


# --- the boundary of a chosen point ---------------------------------------------------------------------


def boundary(history: History, result: Result, scale: Scale) -> Part:
    """The markers on both sides of a chosen point, by the server's clock."""
    if history.request is None or not any(m.row for m in history.markers):
        return Part(None, (), "No point was asked for, or no marker was written around it.")
    point_us = history.request.point_us
    beside = neighbours(history, point_us)
    return Part(
        timeline(_boundary_timeline(history, point_us), scale),
        [
            _neighbour_table(history, beside, point_us, scale),
            *_archive_tables(history, result, archive_steps(history), scale),
        ],
    )


def _boundary_timeline(history: History, point_us: int) -> Timeline:
    timed = [(m, (m.row.server_time_us - point_us) / 1e6) for m in history.markers if m.row]
    shown_s = _around(timed)
    timed = [(m, at_s) for m, at_s in timed if -shown_s <= at_s <= shown_s]
    kept, gone = (
        [(m, at_s) for m, at_s in timed if history.presence(m) is presence]
        for presence in (Presence.PRESENT, Presence.ABSENT)
    )
    owed = {(m.writer, m.number) for m in history.counting}
    missing = [at_s for m, at_s in gone if (m.writer, m.number) in owed]
    unsettled = [at_s for m, at_s in timed if history.presence(m) is Presence.UNSETTLED]
    lanes = [
        Lane("before, kept", [at_s for _, at_s in kept if at_s <= 0], svg.KEPT, "kept"),
        Lane("before, missing", missing, svg.LOST, "lost", alarming=True),
        Lane("after, absent", [at_s for _, at_s in gone if at_s > 0], svg.TOOL, "rightly-absent"),
        Lane("after, yet present", [at_s for _, at_s in kept if at_s > 0], svg.LOST, "lost", alarming=True),
    ]
    if unsettled:
        lanes.append(Lane("nobody can tell", unsettled, svg.OPEN, "unsure", alarming=True))
    return Timeline(
        title="Markers on both sides of the restore point",
        description=f"Of {len(timed)} markers near the point, {len(kept)} are on the recovered server. "
        "The table below names the nearest on each side.",
        axis="by the source's clock",
        began_s=-shown_s,
        ended_s=shown_s,
        lanes=lanes,
        moments=[Moment(f"restore point {clock_time(point_us / 1e6, digits=0)} UTC", 0.0)],
    )


NEAR_S = 3.0
"""Wall seconds on each side of the point that are drawn: enough to tell single markers apart."""


def _around(timed: Sequence[tuple[MarkerWritten, float]]) -> float:
    """Draw near the point, but never so near that a marker on the wrong side falls outside."""
    return max(NEAR_S, min(abs(at_s) for _, at_s in timed) * 1.5)


def _neighbour_table(history: History, beside: Neighbours, point_us: int, scale: Scale) -> Table:
    def row(said: str, marker: MarkerWritten | None, expected: Presence) -> Sequence[Markup | str]:
        if marker is None or marker.row is None:
            return (said, "nobody saw one", "–", "–", "–")
        from_point_s = (marker.row.server_time_us - point_us) / 1e6
        side = "before" if from_point_s <= 0 else "after"
        found = history.presence(marker)
        verdict = {Presence.UNSETTLED: "nobody can tell"}.get(
            found,
            f"{found.value}, as it must be" if found is expected else f"{found.value}, against the request",
        )
        return (
            said,
            clock_time(marker.row.server_time_us / 1e6, digits=6),
            Markup("{} {}").format(amount(scale, abs(from_point_s)), side),
            verdict,
            f"{marker.writer} {marker.number}",
        )

    return Table(
        caption="Neighbours of the restore point",
        headings=("What", "By the source's clock (UTC)", "From the point", "Found", "Writer and number"),
        rows=[
            row("last that had to be present", beside.last_before, Presence.PRESENT),
            ("the restore point", clock_time(point_us / 1e6, digits=6), amount(scale, 0.0), "–", "–"),
            row("first that had to be absent", beside.first_after, Presence.ABSENT),
        ],
        note="Markers whose transaction was open while the point passed decide nothing.",
    )


def _ended(marker: MarkerWritten) -> float:
    return marker.began if marker.ended is None else marker.ended
