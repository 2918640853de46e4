"""The worked examples of docs/method.md, computed by the engine: each says what follows, and it does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from drills.checks.data_lost import acknowledged_data_lost_within_the_objective as data_lost
from drills.checks.data_lost import exposed, lags, lost, rpo
from drills.checks.nothing_missing import holes
from drills.checks.nothing_missing import nothing_is_missing_in_between_doubled_or_foreign as nothing_missing
from drills.checks.required import Check, required
from drills.checks.restore_point import the_restore_point_was_respected_on_both_sides as point_respected
from drills.checks.service_back import rto
from drills.checks.service_back import service_was_back_within_the_objective as service_back
from drills.history import Answer, History
from drills.model import (
    ArchiveSampled,
    ClockRead,
    Disaster,
    Instant,
    Interval,
    Lsn,
    MarkerWritten,
    Objectives,
    ProberRan,
    ProbeTried,
    Status,
    SurveyedRow,
    Waited,
    WaitedFor,
)
from tests.histories import (
    PRODUCTION,
    RUN,
    UTC_AT_ZERO_S,
    acked,
    edited,
    failed,
    honest,
    refused,
    row_of,
    sampled,
    server_us,
    surveyed,
    tried,
    unknown,
)

PAGE = (Path(__file__).parents[2] / "docs" / "method.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```timeline\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SEGMENT_BYTES = 16 * 1024 * 1024
NEVER_SURVEYED_BEFORE = 1_000.0


@dataclass
class Timeline:
    """An example as it is read, line by line."""

    variant: str = "latest"
    objective_s: float | None = None
    disaster: float = 0.0
    point_us: int | None = None
    markers: list[MarkerWritten] = field(default_factory=list)
    once: list[SurveyedRow] = field(default_factory=list)
    always: list[SurveyedRow] = field(default_factory=list)
    readings: list[ArchiveSampled] = field(default_factory=list)
    attempts: list[ProbeTried] = field(default_factory=list)
    prober: ProberRan | None = None
    surveys: list[tuple[float, float]] = field(default_factory=list)
    waits: list[Waited] = field(default_factory=list)
    clocks: list[ClockRead] = field(default_factory=list)
    expected: list[list[str]] = field(default_factory=list)

    def objectives(self) -> Objectives:
        """Production's, or one number for both."""
        if self.objective_s is None:
            return PRODUCTION
        return replace(PRODUCTION, rpo_s=self.objective_s, rto_s=self.objective_s)

    def history(self) -> History:
        """The honest history with everything replaced that the example mentions."""
        base = honest(self.variant)
        assert base.request is not None
        assert base.inventory is not None
        assert base.source_nonces is not None
        struck = Instant(self.disaster)
        point_us = server_us(self.disaster + 2.0) if self.point_us is None else self.point_us
        after = self.disaster + NEVER_SURVEYED_BEFORE
        frames = self.surveys or [(after, after + 1.0), (after + 31.0, after + 32.0)]
        last = Instant(max([ended for _, ended in frames] + [a.began for a in self.attempts]) + 100.0)
        return edited(
            base,
            markers=tuple(self.markers),
            inventory=replace(base.inventory, rows_by_run={}),
            samples=tuple(self.readings),
            disaster=Disaster(struck, struck),
            request=replace(
                base.request, began=Instant(struck + 0.1), ended=Instant(struck + 0.6), point_us=point_us
            ),
            looks=(),
            attempts=tuple(self.attempts),
            probers=() if self.prober is None else (self.prober,),
            surveys=tuple(
                surveyed(
                    began, (*self.always, *(self.once if n == 0 else ())), took=ended - began, nonce=f"s{n}"
                )
                for n, (began, ended) in enumerate(frames)
            ),
            source_nonces=replace(base.source_nonces, began=last, ended=Instant(last + 0.1)),
            waits=tuple(self.waits),
            clocks=tuple(self.clocks),
            dates=(),
            steps=(),
        )


def read(text: str) -> Timeline:
    """Read an example; a line that is not understood is an error of the page."""
    timeline = Timeline()
    for line in text.splitlines():
        word, *words = line.split()
        _READERS[word](timeline, words)
    return timeline


def _marker(timeline: Timeline, words: list[str]) -> None:
    writer, number, sent, ended, outcome, fate, *more = words
    said = dict(zip(more[::2], more[1::2], strict=True))
    made = _of_outcome(writer, int(number), float(sent), ended, outcome)
    server = _server_us(said["server"]) if "server" in said else None
    if made.row is not None:
        row = replace(made.row, server_time_us=server if server is not None else made.row.server_time_us)
        made = replace(made, row=replace(row, lsn=_lsn(said["at"]) if "at" in said else row.lsn))
    found = row_of(made)
    if made.row is None and server is not None:
        found = replace(found, server_time_us=server)
    timeline.markers.append(made)
    {"present": timeline.always, "unsettled": timeline.once, "absent": []}[fate].append(found)


def _of_outcome(writer: str, number: int, sent: float, ended: str, outcome: str) -> MarkerWritten:
    if outcome == "acked":
        return acked(number, sent, float(ended), writer=writer)
    if outcome == "refused":
        return refused(number, sent, float(ended), writer=writer)
    assert outcome == "unknown"
    return unknown(number, sent, None if ended == "-" else float(ended), writer=writer)


def _server_us(seconds: str) -> int:
    return round((UTC_AT_ZERO_S + float(seconds)) * 1e6)


def _lsn(position: str) -> Lsn:
    log, offset = position.split("/")
    return Lsn((int(log, 16) << 32) + int(offset, 16))


def _row(timeline: Timeline, words: list[str]) -> None:
    run, writer, number = words
    found = row_of(acked(int(number), 5.0, 5.1, writer=writer), RUN if run == "this" else run)
    timeline.always.append(found)


def _reading(timeline: Timeline, words: list[str]) -> None:
    began, ended, segment = words
    reading = sampled(float(began), field=None if segment == "none" else segment)
    timeline.readings.append(replace(reading, ended=Instant(float(ended)), segment_bytes=SEGMENT_BYTES))


def _attempt(timeline: Timeline, words: list[str]) -> None:
    began, ended, answer = float(words[0]), float(words[1]), words[2]
    number, took = len(timeline.attempts) + 1, ended - began
    if answer in ("bad", "denied"):
        made = failed(number, began, took=took, unresolved=answer == "denied")
    else:
        made = tried(number, began, took=took)
    assert answer in ("good", "bad", "unproven", "denied")
    timeline.attempts.append(replace(made, nonce=None) if answer == "unproven" else made)


def _attempts(timeline: Timeline, words: list[str]) -> None:
    first, last, every, period, answer = words
    assert every == "every"
    count = round((float(last) - float(first)) / float(period))
    for n in range(count + 1):
        at = float(first) + n * float(period)
        _attempt(timeline, [str(at), str(at + 0.1), answer])


def _prober(timeline: Timeline, words: list[str]) -> None:
    said = dict(zip(words[::2], words[1::2], strict=True))
    stopped = None if said["stopped"] == "-" else Instant(float(said["stopped"]))
    timeline.prober = ProberRan(
        "new", float(said["period"]), float(said["limit"]), Instant(float(said["began"])), stopped
    )


def _wait(timeline: Timeline, words: list[str]) -> None:
    began, ended = (Instant(float(word)) for word in words)
    timeline.waits.append(Waited(WaitedFor.TOOL, "the next look", began, ended))


def _clock(timeline: Timeline, words: list[str]) -> None:
    at, utc = (float(word) for word in words)
    timeline.clocks.append(ClockRead(Instant(at), UTC_AT_ZERO_S + utc))


_READERS: dict[str, Callable[[Timeline, list[str]], None]] = {
    "variant": lambda timeline, words: setattr(timeline, "variant", words[0]),
    "objective": lambda timeline, words: setattr(timeline, "objective_s", float(words[0])),
    "disaster": lambda timeline, words: setattr(timeline, "disaster", float(words[0])),
    "point": lambda timeline, words: setattr(timeline, "point_us", _server_us(words[0])),
    "survey": lambda timeline, words: timeline.surveys.append((float(words[0]), float(words[1]))),
    "->": lambda timeline, words: timeline.expected.append(words),
    "marker": _marker,
    "row": _row,
    "reading": _reading,
    "attempt": _attempt,
    "attempts": _attempts,
    "prober": _prober,
    "wait": _wait,
    "clock": _clock,
}


# --- what follows ---------------------------------------------------------------------------------------


CHECKS: dict[str, Check] = {
    "data": data_lost,
    "point": point_respected,
    "service": service_back,
    "whole": nothing_missing,
}
INTERVALS: dict[str, Callable[[History, Objectives], Interval | None]] = {
    "lost": lambda history, _: lost(history),
    "exposed": lambda history, _: exposed(history),
    "rpo": rpo,
    "rto": rto,
}
SECONDS: dict[str, Callable[[History, Objectives], object]] = {
    "lag": lambda history, _: lags(history).max_s,
    "apart": lambda history, objectives: point_respected(history, objectives).measured["neighbours_apart_s"],
}
NAMES: dict[str, Callable[[History], list[str]]] = {
    "holes": lambda history: [f"{m.writer}{m.number}" for m in holes(history)],
    "strangers": lambda history: [f"{row.writer}{row.number}" for row in history.strangers()],
}


def follows(timeline: Timeline, name: str, rest: list[str]) -> bool:
    """Compute what an example says that follows from it, and compare."""
    history, objectives = timeline.history(), timeline.objectives()
    if name in CHECKS:
        return CHECKS[name](history, objectives).status is Status(rest[0])
    if name in INTERVALS:
        return _same(INTERVALS[name](history, objectives), rest)
    if name in SECONDS:
        return SECONDS[name](history, objectives) == pytest.approx(float(rest[0]))
    return NAMES[name](history) == rest


def _same(found: Interval | None, bounds: list[str]) -> bool:
    assert found is not None
    low, high = bounds
    if (found.high_s is None) is not (high == "null"):
        return False
    return found.low_s == pytest.approx(float(low)) and (
        found.high_s is None or found.high_s == pytest.approx(float(high))
    )


CLAIMS = [(text, name, rest) for text in EXAMPLES for name, *rest in read(text).expected]


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    CLAIMS,
    ids=[f"{n} {' '.join([name, *rest])}" for n, (_, name, rest) in enumerate(CLAIMS)],
)
def test_every_example_ends_as_the_page_says(text: str, name: str, rest: list[str]) -> None:
    assert follows(read(text), name, rest)


def test_there_are_examples_and_each_says_what_follows() -> None:
    assert len(EXAMPLES) >= 6
    assert all(read(text).expected for text in EXAMPLES)


def test_the_answers_of_attempts_are_those_that_the_notation_names() -> None:
    text = "disaster 0\nattempt 1 1.1 good\nattempt 2 2.1 bad\nattempt 3 3.1 unproven\nattempt 4 4.1 denied"
    answers = [t.answer for t in read(text).history().tries]

    assert answers == [Answer.GOOD, Answer.BAD, Answer.UNPROVEN, Answer.BAD]
    assert len(read("disaster 0\nattempt 1 1.1 denied").history().tries) == 0


@pytest.mark.parametrize("variant", ["latest", "chosen"])
def test_every_check_is_explained(variant: str) -> None:
    for check in required("pitr_restore", variant):
        assert f"### {check.__name__}\n" in PAGE
