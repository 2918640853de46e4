"""How do findings speak? Figures with their units, moments in UTC, and sentences joined into a summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from drills.history import Durations, History
from drills.model import Instant, Interval, Json, MarkerWritten, Status

NAMED = 5
"""As many markers, rows or servers as a sentence names; the rest is a number."""


def seconds(value: float | None) -> str:
    """Say a duration in wall seconds, or that nobody saw its end."""
    return "not observed" if value is None else f"{value:.2f} s"


def span(interval: Interval) -> str:
    """Say an interval in wall seconds."""
    if interval.high_s is None:
        return f"at least {seconds(interval.low_s)} (nobody saw the end)"
    return f"between {seconds(interval.low_s)} and {seconds(interval.high_s)}"


def against(status: Status, objective_s: float) -> str:
    """Say what an interval means for its objective (wall seconds)."""
    match status:
        case Status.PASSED:
            return f"within the objective of {seconds(objective_s)}"
        case Status.FAILED:
            return f"beyond the objective of {seconds(objective_s)}"
        case _:
            return f"which cannot be decided against the objective of {seconds(objective_s)}"


def moment(server_us: float) -> str:
    """Say a moment of a server's clock (microseconds since 1970) in UTC."""
    return f"{datetime.fromtimestamp(server_us / 1e6, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + "Z"


def marker(found: MarkerWritten) -> str:
    """Name a marker as its file does."""
    return f"{found.writer} {found.number}"


def some(names: Sequence[str]) -> str:
    """Name the first few and count the rest."""
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def joined(sentences: Iterable[str | None]) -> str:
    """Join sentences into a summary; None and empty ones are left out."""
    return "; ".join(sentence for sentence in sentences if sentence)


def disagreement(history: History, began: Instant, ended: Instant) -> str | None:
    """Say that the clocks disagree over a stretch, or None where those that watched it agree."""
    return told(history.durations(began, ended))


def told(durations: Durations) -> str | None:
    """Say by which clock a stretch lasted how long, where they disagree."""
    if not durations.others_s:
        return None
    others = ", ".join(f"{seconds(value)} by {name}" for name, value in sorted(durations.others_s.items()))
    return (
        f"the clocks disagree ({seconds(durations.own_s)} by the run's own clock, {others}), so both bounds are "
        "widened: a clock was stepped, or a machine slept or was paused"
    )


def bounds(interval: Interval | None) -> Json:
    """Give an interval as a finding keeps it."""
    if interval is None:
        return None
    high = None if interval.high_s is None else round(interval.high_s, 6)
    return {"low_s": round(interval.low_s, 6), "high_s": high}
