"""How much acknowledged data did the disaster cost, and how much would it have cost?

    written     1---2---3---4---5---6---|         lost: between the end of the first that is gone
    survived    1---2---3---4           |               and the beginning of the last that is there
                            ^   ^       disaster
                            K   E

    archived    =========|              |         exposed: between what was certainly in the archive
                         A0             |               and what certainly was not

A drill's source is alive and may still flush what a dead one could not, so what survived flatters: after a restore
of the latest state the upper bound is the larger of both.

    geo         request ¦-----------¦ operation ended       the service picks its copy somewhere between
    cut over    closing ¦-----------¦ last one refused      good writes since the point are the price, too
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import median

from drills.checks.source_closed import closing
from drills.checks.wording import against, bounds, disagreement, joined, marker, seconds, some, span
from drills.history import History, Presence, Promise, Recovery
from drills.model import (
    ArchiveSampled,
    Finding,
    Instant,
    Interval,
    Json,
    Lsn,
    MarkerRow,
    MarkerWritten,
    Objectives,
    Part,
    Status,
)

FEWEST_SAMPLES = 10
"""Readings of the archive that a window needs before anything is said of it."""
LONGEST_UNWATCHED_S = 5.0
"""Wall seconds between two readings that are no gap: five beats of the sampler on a busy machine."""
TOLERATED_EXCESS = 1.05
"""How far a lag may exceed the objective and still be only a sentence."""

JUDGED_IN_SECONDS = frozenset({Recovery.LATEST, Recovery.GEO, Recovery.CUT_OVER})
"""Recoveries whose loss is a stretch of time; the others are judged by their point, or in rows."""

_SEGMENT = re.compile(r"[0-9A-F]{24}")
_LOG_FILE = 2**32


def acknowledged_data_lost_within_the_objective(history: History, objectives: Objectives) -> Finding:
    """No more acknowledged data was lost, or would have been, than the objective allows.

    Lost is what was acknowledged before the disaster and is absent on the recovered server; exposed is what was
    acknowledged and not yet archived when it struck. Both are intervals, and the whole of the larger one has to
    lie within the objective. Where the service chooses the copy, or the source is closed on purpose, the loss
    reaches to that moment.
    """
    if (reason := _nothing_to_judge(history)) is not None:
        return _finding(Status.INCONCLUSIVE, reason)
    gone = lost(history)
    if gone is None:
        return _finding(Status.INCONCLUSIVE, "no pair of surveys of the recovered server tells what is lost")
    open_to_loss = exposed(history) if history.recovery is Recovery.LATEST else None
    interval = _cost(history, objectives, gone, open_to_loss)
    decided = interval.against(objectives.rpo_s)
    behind = lags(history)
    doubts = tuple(_doubts(history, objectives, behind))
    status = Status.INCONCLUSIVE if doubts and decided is Status.PASSED else decided
    if status is Status.FAILED and _asked_too_early(history):
        status = Status.INCONCLUSIVE
    what = "lost or exposed" if history.recovery is Recovery.LATEST else "lost"
    sentence = f"{span(interval)} of acknowledged data was {what}, {against(decided, objectives.rpo_s)}"
    return _finding(
        status,
        joined(
            (sentence, *doubts, *_of_the_archive(history, objectives, behind), *_clock_sentences(history))
        ),
        measured={
            "rpo": bounds(interval),
            "lost": bounds(gone),
            "exposed": bounds(open_to_loss),
            "lost_rows": sum(history.presence(m) is Presence.ABSENT for m in history.counting),
            "archive_lag_max_s": None if behind.max_s is None else round(behind.max_s, 6),
            "archive_readings": len(behind.at_samples_s),
        },
        evidence=_evidence(history),
    )


# --- the intervals --------------------------------------------------------------------------------------


def rpo(history: History, objectives: Objectives) -> Interval | None:
    """What a disaster at this moment cost: from what was lost, to the larger of what was lost or exposed.

    An archive that could not be read leaves the survivors alone, where the profile accepts that.
    """
    gone = lost(history)
    if gone is None:
        return None
    open_to_loss = exposed(history) if history.recovery is Recovery.LATEST else None
    return _cost(history, objectives, gone, open_to_loss)


def _cost(
    history: History, objectives: Objectives, gone: Interval, open_to_loss: Interval | None
) -> Interval:
    if history.recovery is Recovery.CUT_OVER:
        stated_s = objectives.detection_and_decision_s
        high_s = None if gone.high_s is None else gone.high_s + stated_s
        return Interval(gone.low_s + stated_s, high_s, gone.parts)
    if history.recovery is not Recovery.LATEST:
        return gone
    if not archive_was_read(history) and objectives.unreadable_archive_accepted:
        return gone
    if gone.high_s is None or open_to_loss is None or open_to_loss.high_s is None:
        return Interval(gone.low_s, None)
    surplus = open_to_loss.high_s - gone.high_s
    if surplus <= 0:
        return gone
    return Interval(gone.low_s, open_to_loss.high_s, (*gone.parts, Part("archive exposure", surplus)))


def lost(history: History) -> Interval | None:
    """Seconds of acknowledged writes that are absent; None where no surveys tell or nothing was acknowledged."""
    until, promises = _until(history), history.promises
    if until is None or not promises or history.survey_pair is None:
        return None
    edge = _earliest_ended(p for p, presence in promises if presence is not Presence.PRESENT)
    kept = _latest_began(
        p
        for p, presence in promises
        if presence is Presence.PRESENT and (edge is None or p.began <= edge.ended)
    )
    first_gone = _earliest_ended(p for p, presence in promises if presence is Presence.ABSENT)
    if history.inventory is not None and any(run.most < run.held for run in history.earlier_rows()):
        # What stood there before the first marker is missing: nothing that was kept is older than that.
        return _between(history, until, None, history.inventory.ended, None)
    return _between(history, until, kept, None if first_gone is None else first_gone.ended, edge)


@dataclass(frozen=True, slots=True)
class Until:
    """The moment to which a loss is counted, as a bracket; ``latest`` None: nobody saw it."""

    what: str
    earliest: Instant
    latest: Instant | None


def _until(history: History) -> Until | None:
    """To when the loss reaches: the disaster, the copy that the service picked, or the closing of the source."""
    match history.recovery:
        case Recovery.GEO:
            over = history.operation_ended
            if history.request is None:
                return None
            return Until("operation", history.request.began, over)
        case Recovery.CUT_OVER:
            closed = closing(history)
            return None if closed is None else Until("closing", closed.earliest, closed.latest)
        case _:
            struck = history.disaster
            return None if struck is None else Until("disaster", struck.earliest, struck.latest)


def exposed(history: History) -> Interval | None:
    """Seconds of acknowledged writes that were not archived at the disaster; None where nothing was acknowledged.

    The upper bound takes only readings that ended before the disaster; the lower one also those after it, and
    leaves a whole segment for what the server had archived and not yet counted.
    """
    struck = history.disaster
    if struck is None or not history.acked:
        return None
    at_first = archived(history, history.samples_before_disaster)
    at_last = archived(history, history.samples)
    kept = (
        None
        if at_first is None
        else _latest_began(p for p in history.promised_on_source if p.lsn <= at_first)
    )
    unsafe = None
    newest = max(history.samples, key=lambda s: s.began, default=None)
    if at_last is not None and newest is not None and segment_end(newest) is not None:
        beyond = at_last + newest.segment_bytes
        unsafe = _earliest_ended(p for p in history.promised_on_source if p.lsn > beyond)
    until = Until("disaster", struck.earliest, struck.latest)
    return _between(history, until, kept, None if unsafe is None else unsafe.ended, unsafe)


def _between(
    history: History,
    until: Until,
    kept: Promise | None,
    low: Instant | None,
    edge: Promise | None,
) -> Interval:
    """The stretch before the disaster, from `low` (the end of what is gone) back to the beginning of `kept`.

    `edge` is the marker whose fate ends the kept ones; its round trip is shown as a part of its own.
    """
    low_s = 0.0 if low is None else max(0.0, history.durations(low, until.earliest).low_s)
    if kept is None or until.latest is None:
        return Interval(low_s, None)
    high_s = max(0.0, history.durations(kept.began, until.latest).high_s)
    names = _cuts(kept, low, edge, until, until.latest)
    parts = [Part(name, ended - began) for name, began, ended in names if ended > began]
    unexplained = high_s - low_s - sum(part.seconds for part in parts)
    return Interval(
        low_s, high_s, (*parts, Part("clock", unexplained)) if abs(unexplained) > 1e-9 else tuple(parts)
    )


def _cuts(
    kept: Promise, low: Instant | None, edge: Promise | None, until: Until, latest: Instant
) -> Iterable[tuple[str, float, float]]:
    """Cut the width into what it comes from: spacing of the markers, a round trip, the disaster's bracket."""
    struck = max(until.earliest, kept.began)
    ended = struck if low is None else min(low, struck)
    if edge is None:
        answered = min(kept.ended, ended)
        yield "latency", kept.began, answered
        yield "marker spacing", answered, ended
    else:
        sent = min(max(edge.began, kept.began), ended)
        yield "marker spacing", kept.began, sent
        yield "latency", sent, ended
    yield until.what, struck, max(latest, struck)


# --- the archive ----------------------------------------------------------------------------------------


def segment_end(sample: ArchiveSampled) -> Lsn | None:
    """Where the segment ends that a reading names; None where the field names none (`.backup`, `.history`)."""
    name = sample.segment
    if name is None or _SEGMENT.fullmatch(name) is None or sample.segment_bytes <= 0:
        return None
    log, segment = int(name[8:16], 16), int(name[16:], 16)
    return Lsn(log * _LOG_FILE + (segment + 1) * sample.segment_bytes)


def archived(history: History, samples: Iterable[ArchiveSampled]) -> Lsn | None:
    """How far the archive reached by the highest segment seen on the source's timeline; None: none was seen."""
    named = (segment_end(s) for s in samples if _timeline_of(s) == history.source_timeline)
    return max((end for end in named if end is not None), default=None)


def archive_was_read(history: History) -> bool:
    """Tell whether the archive was watched over the window: often enough, and without a long gap."""
    samples = history.samples_before_disaster
    return len(samples) >= FEWEST_SAMPLES and _longest_gap_s(history) <= _gap_limit_s(history)


@dataclass(frozen=True, slots=True)
class Lags:
    """How far the archive was seen to be behind, at each reading before the disaster; each is "at least"."""

    at_samples_s: tuple[float, ...]

    @property
    def max_s(self) -> float | None:
        """The largest that was seen."""
        return max(self.at_samples_s, default=None)

    @property
    def median_s(self) -> float | None:
        """The median over the readings."""
        return median(self.at_samples_s) if self.at_samples_s else None

    def share_beyond(self, objective_s: float) -> float:
        """The share of the readings at which a disaster would have missed the objective."""
        return sum(lag > objective_s for lag in self.at_samples_s) / max(1, len(self.at_samples_s))


def lags(history: History) -> Lags:
    """The age of the oldest acknowledged marker that was not archived, at each reading; 0 if all were."""
    own = _Unarchived(history.promised_here)
    everything = _Unarchived(history.promised_on_source) if history.standing_written else own
    seen: list[float] = []
    highest: Lsn | None = None
    for sample in history.samples_before_disaster:
        end = segment_end(sample) if _timeline_of(sample) == history.source_timeline else None
        highest = highest if end is None else end if highest is None else max(highest, end)
        # Before the field first names a segment, nobody knows which of the older rows were archived long ago.
        oldest = own.oldest(Lsn(-1)) if highest is None else everything.oldest(highest)
        if oldest is None or oldest >= sample.began:
            seen.append(0.0)
        else:
            seen.append(max(0.0, history.durations(oldest, sample.began).high_s))
    return Lags(tuple(seen))


class _Unarchived:
    """For any position of the archive, the earliest end among the promises that lie beyond it."""

    def __init__(self, promises: Iterable[Promise]) -> None:
        in_order = sorted(promises, key=lambda p: p.lsn)
        self._positions = [p.lsn for p in in_order]
        self._oldest = list(accumulate((p.ended for p in reversed(in_order)), min))[::-1]

    def oldest(self, position: Lsn) -> Instant | None:
        first = bisect_right(self._positions, position)
        return None if first == len(self._positions) else self._oldest[first]


def archive_sentences(history: History, objectives: Objectives, behind: Lags) -> Iterable[str]:
    """What the report says of the archive beside the verdict: an excess of the lag, and what was accepted."""
    if behind.max_s is not None and behind.max_s > objectives.rpo_s:
        yield (
            f"the archive lagged by up to {seconds(behind.max_s)}, beyond the objective of "
            f"{seconds(objectives.rpo_s)} at {behind.share_beyond(objectives.rpo_s):.1%} of "
            f"{len(behind.at_samples_s)} readings"
        )
        if objectives.archive_lag_accepted and behind.max_s > objectives.rpo_s * TOLERATED_EXCESS:
            yield f"accepted by the profile: {objectives.archive_lag_accepted}"
    if not archive_was_read(history) and objectives.unreadable_archive_accepted:
        yield f"the archive was not read over the window; accepted: {objectives.unreadable_archive_accepted}"


# --- what keeps a finding from passing ------------------------------------------------------------------


def _of_the_archive(history: History, objectives: Objectives, behind: Lags) -> Iterable[str]:
    return archive_sentences(history, objectives, behind) if history.recovery is Recovery.LATEST else ()


def _nothing_to_judge(history: History) -> str | None:
    if history.disaster is None:
        return "no disaster was recorded"
    if not (history.counting if history.recovery is Recovery.LATEST else history.promises):
        return "no write was acknowledged before the disaster"
    if _until(history) is None:
        return "nobody noted until when the source took writes"
    if history.survey_pair is None:
        return (
            "no two surveys of one instance, proven to be the recovered server and a switch-over delay apart, "
            "tell what is present"
        )
    if history.request is not None and history.request.began < history.disaster.latest:
        return (
            "the restore was requested before the disaster that it answers, so the record contradicts itself"
        )
    return None


def _doubts(history: History, objectives: Objectives, behind: Lags) -> Iterable[str]:
    """Reasons why a finding cannot be better than inconclusive."""
    unsettled = [p.name for p, presence in history.promises if presence is Presence.UNSETTLED]
    if unsettled:
        yield (
            f"{len(unsettled)} acknowledged markers are present in one survey and absent in another: "
            + some(unsettled)
        )
    if history.recovery is Recovery.LATEST:
        yield from _doubts_of_the_archive(history, objectives, behind)


def _doubts_of_the_archive(history: History, objectives: Objectives, behind: Lags) -> Iterable[str]:
    if other := _other_timelines(history):
        yield f"the source changed its timeline during the window (seen: {', '.join(map(str, sorted(other)))})"
    if _asked_too_early(history):
        yield "the request asked for a point before the last acknowledged marker, so the loss may be the drill's own"
    if not archive_was_read(history) and not objectives.unreadable_archive_accepted:
        yield (
            f"the archive was not watched: {len(history.samples_before_disaster)} readings before the disaster, "
            f"the longest gap {seconds(_longest_gap_s(history))}"
        )
    too_far = behind.max_s is not None and behind.max_s > objectives.rpo_s * TOLERATED_EXCESS
    if too_far and not objectives.archive_lag_accepted:
        yield "a disaster at another moment of the window would have missed the objective"


def _other_timelines(history: History) -> set[int]:
    """All timelines seen in the window, if there is another among them than the source's at the disaster."""
    seen = {_row(m).timeline for m in history.counting} | {
        s.timeline for s in history.samples_before_disaster
    }
    expected = history.source_timeline
    return seen if len(seen) > 1 or (expected is not None and seen - {expected}) else set()


def _asked_too_early(history: History) -> bool:
    """Tell whether the request's own point leaves out what was acknowledged before the disaster."""
    if history.request is None or history.recovery is not Recovery.LATEST:
        return False
    newest_us = max((_row(m).server_time_us for m in history.counting), default=0)
    return history.request.point_us < newest_us


def _longest_gap_s(history: History) -> float:
    """The longest stretch of the window without a reading, in wall seconds; 0 without markers or disaster."""
    if history.disaster is None or not history.counting:
        return 0.0
    began, ended = history.counting[0].began, history.disaster.earliest
    points = (began, *(s.began for s in history.samples_before_disaster if s.began > began), ended)
    return max(later - earlier for earlier, later in pairwise(points))


def _gap_limit_s(history: History) -> float:
    if history.disaster is None or not history.counting:
        return 0.0
    window_s = history.disaster.earliest - history.counting[0].began
    return max(LONGEST_UNWATCHED_S, window_s / FEWEST_SAMPLES)


def _clock_sentences(history: History) -> Iterable[str]:
    if history.disaster is not None and history.counting:
        sentence = disagreement(history, history.counting[0].began, history.disaster.latest)
        if sentence:
            yield sentence


# --- small questions ------------------------------------------------------------------------------------


def _timeline_of(sample: ArchiveSampled) -> int | None:
    return int(sample.segment[:8], 16) if sample.segment and _SEGMENT.fullmatch(sample.segment) else None


def _earliest_ended(promises: Iterable[Promise]) -> Promise | None:
    return min(promises, key=lambda p: p.ended, default=None)


def _latest_began(promises: Iterable[Promise]) -> Promise | None:
    return max(promises, key=lambda p: p.began, default=None)


def _end(found: MarkerWritten) -> Instant:
    if found.ended is None:
        raise ValueError(f"marker {marker(found)} was acknowledged and has no end")
    return found.ended


def _row(found: MarkerWritten) -> MarkerRow:
    if found.row is None:
        raise ValueError(f"marker {marker(found)} was acknowledged and has no row")
    return found.row


def _evidence(history: History) -> tuple[str, ...]:
    gone = _earliest_ended(p for p, presence in history.promises if presence is Presence.ABSENT)
    there = _latest_began(p for p, presence in history.promises if presence is Presence.PRESENT)
    first = () if gone is None else (f"first acknowledged marker that is absent: {gone.name}",)
    last = () if there is None else (f"last acknowledged marker that is present: {there.name}",)
    return (*last, *first)


def _finding(
    status: Status, summary: str, *, measured: dict[str, Json] | None = None, evidence: tuple[str, ...] = ()
) -> Finding:
    return Finding(
        acknowledged_data_lost_within_the_objective.__name__, status, summary, measured or {}, evidence
    )
