"""Does a recorded drill say what its own record says? A second implementation, for auditors.

    python verify_bundle.py RUN [RUN ...]

RUN is the folder of one drill. This file needs Python 3.11 or later and nothing else, shares no line with the
product, and was written from its published method alone (docs/method.md; the numbers in brackets below are
sections of that page). It reads, and changes nothing.

    journal.jsonl   markers-*.jsonl   probes-*.jsonl   plan.json   profile.json        result.json
          |                 |               |               |           |                   |
          +---- 1  is the evidence whole? chains, heads, hashes --------+                   |
          |                                                                                 |
          +---- 2  what was seen?    3  by which clock?    4  who answered, what is there?  |
                                        |                                                   |
                5  RPO      6  the chosen point      7  RTO      8  findings, verdict -- 9 compared

It recomputes both intervals, the findings on lost data, on the restore point and on service, whether the run
is evidence about Azure at all, and the verdict. The findings that it does not recompute are taken from
result.json, and it says which. Bounds agree if they are no more than 1 ms apart.

The chain cannot protect the last line of the journal: compare the head that is printed here with one that was
kept elsewhere, or hand that one over with --journal-head.

Exit codes: 0 everything agrees, 1 something disagrees or the evidence is broken, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
import sys
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

Line = Mapping[str, Any]

TOLERANCE_S = 0.001
CLEAN_HEAD = "0" * 64

PASSED, FAILED, INCONCLUSIVE = "passed", "failed", "inconclusive"
GOOD, BAD, UNPROVEN = "good", "bad", "unproven"
PRESENT, ABSENT, UNSETTLED = "present", "absent", "unsettled"

DATA = "acknowledged_data_lost_within_the_objective"
POINT = "the_restore_point_was_respected_on_both_sides"
SERVICE = "service_was_back_within_the_objective"
SCENARIO = "pitr_restore"
REQUIRED_OF_BOTH = (
    SERVICE,
    "nothing_is_missing_in_between_doubled_or_foreign",
    "the_server_that_answered_is_the_recovered_one",
    "nothing_of_the_drill_is_left_behind",
)
REQUIRED = {"latest": (DATA, *REQUIRED_OF_BOTH), "chosen": (POINT, *REQUIRED_OF_BOTH)}

LIVE_HOSTS = ("management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn")


class Broken(Exception):
    """The evidence cannot be read or relied on; one sentence says why."""


# -- 1  Is the evidence whole? ------------------------------------------------------------------- [2.1]


@dataclass(frozen=True, slots=True)
class Chain:
    """The whole lines of one file, each of which holds the hash of the line before it."""

    lines: tuple[Line, ...]
    head: str
    cut_bytes: int


def parsed(data: bytes, what: str) -> dict[str, Any]:
    """One JSON object; NaN and Infinity are no JSON."""
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Broken(f"{what} is not JSON") from None
    if not isinstance(value, dict):
        raise Broken(f"{what} is no JSON object")
    return value


def _no_number(word: str) -> None:
    raise ValueError(word)


def chain_of(data: bytes, name: str) -> Chain:
    """The lines of a file, if each one carries its own number and the hash of the bytes of the line before it.

    What follows the last 0x0A was cut off by a kill: it is left out, is not part of the head, and is no error.
    """
    *whole, rest = data.split(b"\n")
    lines: list[Line] = []
    head = CLEAN_HEAD
    for number, raw in enumerate(whole):
        what = f"line {number} of {name}"
        line = parsed(raw, what)
        if type(line.get("n")) is not int or line["n"] != number:
            raise Broken(
                f"{what} has another number than its place says: lines were removed, added or reordered"
            )
        if line.get("before") != head:
            raise Broken(f"{what} does not continue the line above it: one of the two was changed")
        lines.append(line)
        head = hashlib.sha256(raw).hexdigest()
    return Chain(tuple(lines), head, len(rest))


def is_observed(name: str) -> bool:
    """Is this the file of a writer or a prober?"""
    return name.endswith(".jsonl") and name.startswith(("markers-", "probes-"))


def chains_of(files: Mapping[str, bytes]) -> dict[str, Chain]:
    """Every chained file of a run, whole and as the journal noted it."""
    for name in ("journal.jsonl", "plan.json", "profile.json"):
        if name not in files:
            raise Broken(f"{name} is missing")
    chains = {
        name: chain_of(files[name], name)
        for name in sorted(files)
        if name == "journal.jsonl" or is_observed(name)
    }
    journal = chains["journal.jsonl"].lines
    _check_journal_hashes(journal, files)
    closed = [
        checked(line, "journal.jsonl", JOURNAL) for line in journal if line.get("event") == "file_closed"
    ]
    for line in closed:
        _check_closed(line, files)
    if any(line.get("event") == "run_ended" for line in journal):
        for name in sorted(set(chains) - {"journal.jsonl"} - {line["file"] for line in closed}):
            raise Broken(
                f"{name} lies in the folder, and the journal, which came to its end, does not name it"
            )
    return chains


def _check_journal_hashes(journal: Sequence[Line], files: Mapping[str, bytes]) -> None:
    """plan.json and profile.json, all bytes of them, are those whose hashes the beginning of the run noted."""
    began = first_of(journal, "run_began")
    if began is None:
        raise Broken("journal.jsonl has no run_began")
    checked(began, "journal.jsonl", JOURNAL)
    for name, noted in (("plan.json", began["plan_sha256"]), ("profile.json", began["profile_sha256"])):
        parsed(files[name], name)
        if hashlib.sha256(files[name]).hexdigest() != noted:
            raise Broken(f"{name} is not the file whose hash the journal noted when the run began")


def _check_closed(line: Line, files: Mapping[str, bytes]) -> None:
    """A file ends as the journal noted when it was closed: its head, its lines, and whether a cut line follows."""
    name = line["file"]
    if name not in files:
        raise Broken(f"{name!a}, which the journal noted as closed, is missing")
    chain = chain_of(files[name], name)
    if len(chain.lines) != line["lines"]:
        raise Broken(f"{name} has {len(chain.lines)} whole lines, and the journal noted {line['lines']}")
    if chain.head != line["head"]:
        raise Broken(f"the last line of {name} is not the one whose hash the journal noted")
    if (chain.cut_bytes > 0) is not line["cut"]:
        raise Broken(f"what follows the last whole line of {name} is not what the journal noted")


# -- 2  What was seen? ------------------------------------------------------------------ [2.2 to 2.5, 4]


def is_number(value: Any) -> bool:
    """A number that a clock can show."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and abs(value) < 1e15
    )


def is_integer(value: Any) -> bool:
    """An integer of 64 bits."""
    return type(value) is int and abs(value) < 2**64


def is_identity(value: Any) -> bool:
    """An object that says which server, started when, on which timeline, in recovery or not."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("system_identifier"), str)
        and is_integer(value.get("started_us"))
        and is_integer(value.get("timeline"))
        and isinstance(value.get("in_recovery"), bool)
    )


def is_marker_row(value: Any) -> bool:
    """What the statement of a marker returned."""
    integers = ("server_time_us", "statement_time_us", "xid", "lsn", "timeline", "server_started_us")
    return (
        isinstance(value, dict)
        and all(is_integer(value.get(name)) for name in integers)
        and all(isinstance(value.get(name), str) for name in ("snapshot", "synchronous_commit"))
    )


def are_found_rows(value: Any) -> bool:
    """A list of [run_id, writer, number, server_time_us, lsn, xid]."""
    return isinstance(value, list) and all(
        isinstance(row, list)
        and len(row) == 6
        and all(isinstance(part, str) for part in row[:2])
        and all(is_integer(part) for part in row[2:])
        for row in value
    )


KINDS: dict[str, Callable[[Any], bool]] = {
    "anything": lambda _value: True,
    "number": is_number,
    "integer": is_integer,
    "text": lambda value: isinstance(value, str),
    "truth": lambda value: isinstance(value, bool),
    "identity": is_identity,
    "marker_row": is_marker_row,
    "found_rows": are_found_rows,
    "texts": lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
    "counts": lambda value: isinstance(value, dict) and all(is_integer(one) for one in value.values()),
    "run_outcome": lambda value: value in ("completed", "aborted"),
    "marker_outcome": lambda value: value in ("acked", "refused", "unknown"),
    "stage": lambda value: value in ("none", "resolved", "connected", "read", "written"),
    "who": lambda value: value in ("service", "tool", "person"),
}


def fields(**names_by_kind: str) -> dict[str, str]:
    """Field name to kind, from kind to names; a kind that begins with `null_or_` allows null."""
    return {name: kind for kind, names in names_by_kind.items() for name in names.split()}


SERVER = (
    "id name location state fqdn sku tier version storage_gb zone high_availability retention_days "
    "geo_redundant_backup created_at"
)
JOURNAL = {
    "run_began": fields(
        text="run_id scenario variant environment trigger arm_host boot_id code_version plan_sha256 profile_sha256",
        number="time_scale",
        truth="public_ca",
    ),
    "identity_used": fields(anything="oid appid tid"),
    "caveat": fields(text="sentence"),
    "process_started": fields(anything="module pid"),
    "step_began": fields(integer="step", text="name"),
    "step_ended": fields(integer="step", null_or_text="error"),
    "source_seen": fields(anything=SERVER),
    "recovered_seen": fields(anything=SERVER),
    "inventory_taken": fields(number="began ended", counts="rows_by_run"),
    "archive_sampled": fields(
        number="began ended",
        null_or_text="segment",
        integer="segment_bytes timeline server_time_us server_lsn",
    ),
    "archive_not_read": fields(anything="error"),
    "disaster": fields(number="earliest latest"),
    "server_named": fields(text="name"),
    "restore_began": fields(text="source recovered", integer="point_us", number="began"),
    "restore_ended": fields(number="ended", truth="accepted"),
    "call_began": fields(anything="call", text="name resource", number="began"),
    "call_ended": fields(
        anything="call request_id correlation_id operation error", number="ended", null_or_integer="status"
    ),
    "answered": fields(
        anything="method path status request_id correlation_id",
        null_or_integer="date_s",
        number="began ended",
    ),
    "server_looked": fields(number="began ended", truth="found", null_or_text="state address"),
    "waited": fields(who="who", text="what", number="began ended"),
    "survey_began": fields(text="server"),
    "survey_rows": fields(found_rows="rows"),
    "surveyed": fields(
        number="began ended",
        text="server",
        identity="identity",
        null_or_text="nonce",
        integer="rows_count",
        truth="database_found",
    ),
    "vector_queried": fields(anything="began ended index index_valid used_index rows error"),
    "nonces_read": fields(number="began ended", identity="identity", texts="nonces"),
    "servers_listed": fields(number="began ended", text="group", texts="names"),
    "file_closed": fields(text="file head", integer="lines", truth="cut"),
    "run_ended": fields(run_outcome="outcome", text="reason"),
}
MARKERS = {
    "writer_began": fields(text="writer run", number="period_s limit_s"),
    "marker_began": fields(integer="number", number="began"),
    "marker_ended": fields(
        integer="number",
        number="ended",
        marker_outcome="outcome",
        null_or_marker_row="row",
        null_or_text="reason",
    ),
    "writer_stopped": fields(text="writer", integer="acked refused unknown"),
}
PROBES = {
    "prober_began": fields(text="prober run", number="period_s limit_s"),
    "probe_began": fields(integer="number", number="began", null_or_text="nonce"),
    "probe_ended": fields(
        integer="number",
        number="ended",
        stage="stage",
        null_or_identity="identity",
        null_or_text="error",
        truth="unresolved",
    ),
    "prober_stopped": fields(text="prober"),
}
EVERY_LINE = fields(integer="n", text="before event", number="at utc_s")
OBJECTIVES = fields(
    number="rpo_s rto_s rpo_profile_s rto_profile_s detection_and_decision_s switch_over_delay_s",
    text="source",
    truth="assumed",
    null_or_integer="rows",
    null_or_text="archive_lag_accepted unreadable_archive_accepted",
)


def is_of_kind(value: Any, kind: str) -> bool:
    """Is a value of the kind that the method names for its field?"""
    if kind.startswith("null_or_"):
        return value is None or KINDS[kind.removeprefix("null_or_")](value)
    try:
        return KINDS[kind](value)
    except (OverflowError, TypeError):  # an integer too large for any clock; a list where a word is due
        return False


def check_fields(values: Line, wanted: Mapping[str, str], what: str) -> None:
    """Every wanted field is there, and of its kind."""
    for name, kind in wanted.items():
        if name not in values:
            raise Broken(f"{what} lacks the field {name}")
        if not is_of_kind(values[name], kind):
            raise Broken(f"{what} has a field {name} that is no {kind.replace('_', ' ')}")


def checked(line: Line, name: str, events: Mapping[str, Mapping[str, str]]) -> Line:
    """A line that has every field that the method names for its event; unknown events may hold anything."""
    what = f"line {line.get('n')!a} of {name}"
    check_fields(line, EVERY_LINE, what)
    check_fields(line, events.get(line["event"], {}), f"{what} ({line['event']!a})")
    return line


def all_of(lines: Iterable[Line], event: str) -> list[Line]:
    """The lines of one event."""
    return [line for line in lines if line.get("event") == event]


def first_of(lines: Iterable[Line], event: str) -> Line | None:
    """The first line of an event."""
    return next((line for line in lines if line.get("event") == event), None)


def last_of(lines: Iterable[Line], event: str) -> Line | None:
    """The last line of an event."""
    return next(reversed(all_of(lines, event)), None)


@dataclass(frozen=True, slots=True)
class Marker:
    """A numbered row that a writer tried to commit to the source."""

    writer: str
    number: int
    began: float
    ended: float | None
    outcome: str
    row: Line | None

    @property
    def acked(self) -> bool:
        """Was the client promised it?"""
        return self.outcome == "acked" and self.row is not None and self.ended is not None

    @property
    def took_us(self) -> float:
        """d: the round trip, in microseconds; of an acked marker."""
        return (end_of(self) - self.began) * 1_000_000

    @property
    def server_time_us(self) -> int:
        """s: the source's own clock while the row was inserted; of an acked marker."""
        return int(noted(self)["server_time_us"])

    @property
    def lsn(self) -> int:
        """Where in the log the row stands; of an acked marker."""
        return int(noted(self)["lsn"])


def end_of(marker: Marker) -> float:
    """The end of a marker that has one."""
    assert marker.ended is not None  # noqa: S101  only asked of acked markers
    return marker.ended


def noted(marker: Marker) -> Line:
    """The row that a marker's writer noted."""
    assert marker.row is not None  # noqa: S101  only asked of acked markers
    return marker.row


class Row(NamedTuple):
    """A row that a survey found."""

    run_id: str
    writer: str
    number: int
    server_time_us: int
    lsn: int
    xid: int


class Identity(NamedTuple):
    """Which server, and which start of it."""

    system_identifier: str
    started_us: int
    timeline: int
    in_recovery: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """One look at every row that the recovered server holds."""

    began: float
    ended: float
    identity: Identity
    nonce: str | None
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a prober to use the recovered server."""

    prober: str
    number: int
    began: float
    ended: float | None
    stage: str
    identity: Identity | None
    nonce: str | None
    unresolved: bool


@dataclass(frozen=True, slots=True)
class Prober:
    """How often a prober meant to try, and from when to when it did."""

    name: str
    period_s: float
    limit_s: float
    began: float
    stopped: float | None


class Trial(NamedTuple):
    """An attempt or a look, and how it was answered."""

    began: float
    answer: str


def identity_of(value: Line | None) -> Identity | None:
    """An identity as noted."""
    if value is None:
        return None
    return Identity(value["system_identifier"], value["started_us"], value["timeline"], value["in_recovery"])


def markers_of(files: Mapping[str, Sequence[Line]]) -> list[Marker]:
    """The markers of all writers; one without an end is unknown."""
    return [marker for writer, lines in sorted(files.items()) for marker in _markers(writer, lines)]


def _markers(writer: str, lines: Sequence[Line]) -> Iterator[Marker]:
    ends = {line["number"]: line for line in all_of(lines, "marker_ended")}
    begun: set[int] = set()
    for line in all_of(lines, "marker_began"):
        number = line["number"]
        if number in begun:
            raise Broken(f"marker {number} of writer {writer!a} is begun twice")
        begun.add(number)
        end = ends.get(number)
        if end is None:
            yield Marker(writer, number, line["began"], None, "unknown", None)
            continue
        if end["outcome"] == "acked" and end["row"] is None:
            raise Broken(f"marker {number} of writer {writer!a} is acked without a row")
        yield Marker(writer, number, line["began"], end["ended"], end["outcome"], end["row"])


def attempts_of(files: Mapping[str, Sequence[Line]]) -> list[Attempt]:
    """The attempts of all probers; one without an end came nowhere."""
    return [attempt for prober, lines in sorted(files.items()) for attempt in _attempts(prober, lines)]


def _attempts(prober: str, lines: Sequence[Line]) -> Iterator[Attempt]:
    ends = {line["number"]: line for line in all_of(lines, "probe_ended")}
    nothing = {"ended": None, "stage": "none", "identity": None, "unresolved": False}
    for line in all_of(lines, "probe_began"):
        end = ends.get(line["number"], nothing)
        yield Attempt(
            prober=prober,
            number=line["number"],
            began=line["began"],
            ended=end["ended"],
            stage=end["stage"],
            identity=identity_of(end["identity"]),
            nonce=line["nonce"],
            unresolved=end["unresolved"],
        )


def prober_of(name: str, lines: Sequence[Line]) -> Prober:
    """The frame of a prober: its first beginning and its first stop."""
    began, stopped = first_of(lines, "prober_began"), first_of(lines, "prober_stopped")
    if began is None:
        raise Broken(f"the file of prober {name!a} has no prober_began")
    return Prober(
        name, began["period_s"], began["limit_s"], began["at"], None if stopped is None else stopped["at"]
    )


def surveys_of(journal: Iterable[Line]) -> list[Survey]:
    """Every survey that came to its end, with the rows noted since it began."""
    surveys: list[Survey] = []
    rows: list[Row] = []
    for line in journal:
        match line["event"]:
            case "survey_began":
                rows = []
            case "survey_rows":
                rows.extend(Row(*row) for row in line["rows"])
            case "surveyed":
                if line["rows_count"] != len(rows):
                    raise Broken(f"line {line['n']} of journal.jsonl counts other rows than were noted")
                identity = identity_of(line["identity"])
                assert identity is not None  # noqa: S101  its kind was checked with the line
                surveys.append(Survey(line["began"], line["ended"], identity, line["nonce"], tuple(rows)))
                rows = []
    return surveys


def objectives_of(profile: Line) -> Line:
    """objectives_of_this_run, with no field that is unknown."""
    objectives = profile.get("objectives_of_this_run")
    if not isinstance(objectives, dict):
        raise Broken("profile.json has no objectives_of_this_run")
    check_fields(objectives, OBJECTIVES, "objectives_of_this_run of profile.json")
    for name in objectives.keys() - OBJECTIVES.keys():
        raise Broken(f"objectives_of_this_run of profile.json has an unknown field {name!a}")
    return objectives


@dataclass(frozen=True)
class Record:
    """What was seen in one run; the properties below are what follows from it about presence."""

    journal: Sequence[Line]
    objectives: Line
    markers: Sequence[Marker]
    attempts: Sequence[Attempt]
    probers: Sequence[Prober]
    surveys: Sequence[Survey]
    clocks: Clocks

    @cached_property
    def run(self) -> Line:
        """The first run_began."""
        line = first_of(self.journal, "run_began")
        if line is None:
            raise Broken("journal.jsonl has no run_began")
        return line

    @cached_property
    def end(self) -> Line | None:
        """The first run_ended."""
        return first_of(self.journal, "run_ended")

    @property
    def completed(self) -> bool:
        """Did the run come to its end?"""
        return self.end is not None and self.end["outcome"] == "completed"

    @cached_property
    def disaster(self) -> Line | None:
        """The bracket of the disaster: earliest, latest."""
        return last_of(self.journal, "disaster")

    @cached_property
    def restore(self) -> Line | None:
        """The request: began, point_us."""
        return last_of(self.journal, "restore_began")

    @cached_property
    def inventory(self) -> Line | None:
        """The rows that the source held before the first marker."""
        return last_of(self.journal, "inventory_taken")

    @cached_property
    def asked(self) -> Line | None:
        """The answer of the source, asked which nonces it holds."""
        return last_of(self.journal, "nonces_read")

    @cached_property
    def looks(self) -> list[Line]:
        """Looks at the recovered server through the control plane."""
        return all_of(self.journal, "server_looked")

    @cached_property
    def readings(self) -> list[Line]:
        """Readings of the archive, in the order of their beginnings."""
        return sorted(all_of(self.journal, "archive_sampled"), key=lambda line: line["began"])

    @cached_property
    def readings_before(self) -> list[Line]:
        """Readings that had ended when the disaster came at the earliest."""
        if self.disaster is None:
            return []
        return [line for line in self.readings if line["ended"] <= self.disaster["earliest"]]

    @cached_property
    def source_timeline(self) -> int | None:
        """The source's timeline in the last reading before the disaster; unknown without one."""
        return int(self.readings_before[-1]["timeline"]) if self.readings_before else None

    @cached_property
    def acked(self) -> list[Marker]:
        """Markers that a client was promised."""
        return [marker for marker in self.markers if marker.acked]

    @cached_property
    def acked_of_source(self) -> list[Marker]:
        """Acked markers of the source's timeline, whose log positions can be compared with the archive."""
        return [marker for marker in self.acked if noted(marker)["timeline"] == self.source_timeline]

    @cached_property
    def owed(self) -> list[Marker]:
        """The markers that count: acked ones that the recovery owes.

        latest     ended <= disaster.earliest
        chosen     s + d <= point_us
        """
        match self.run["variant"]:
            case "latest" if self.disaster is not None:
                return [marker for marker in self.acked if end_of(marker) <= self.disaster["earliest"]]
            case "chosen" if self.restore is not None:
                point_us = self.restore["point_us"]
                return [marker for marker in self.acked if marker.server_time_us + marker.took_us <= point_us]
        return []

    @cached_property
    def pairs(self) -> list[tuple[Survey, Survey]]:
        """All pairs, the one whose second survey ended first ahead; among equals the later begun."""
        return pairs_of(self)

    @cached_property
    def counted(self) -> list[Survey]:
        """Surveys that count: all proven ones with the identity of the pair."""
        if not self.pairs:
            return []
        identity = self.pairs[0][0].identity
        return [survey for survey in self.surveys if survey.identity == identity and is_proven(self, survey)]

    @cached_property
    def found(self) -> list[dict[tuple[str, int], set[Row]]]:
        """For each survey that counts: the rows of this run by writer and number."""
        found = []
        for survey in self.counted:
            rows: dict[tuple[str, int], set[Row]] = {}
            for row in survey.rows:
                if row.run_id == self.run["run_id"]:
                    rows.setdefault((row.writer, row.number), set()).add(row)
            found.append(rows)
        return found

    @cached_property
    def presence(self) -> dict[tuple[str, int], str]:
        """Writer and number of each marker to present, absent or unsettled."""
        return {(marker.writer, marker.number): presence_of(self, marker) for marker in self.markers}

    def owed_that_are(self, *presences: str) -> list[Marker]:
        """The markers that count and are present, absent or unsettled."""
        return [marker for marker in self.owed if self.presence[marker.writer, marker.number] in presences]


def record_of(
    profile: Line,
    journal: Sequence[Line],
    marker_files: Mapping[str, Sequence[Line]],
    probe_files: Mapping[str, Sequence[Line]],
) -> Record:
    """A record from its parsed lines; every line has to have the fields that the method names."""
    for line in journal:
        checked(line, "journal.jsonl", JOURNAL)
    for files, events, kind in ((marker_files, MARKERS, "markers"), (probe_files, PROBES, "probes")):
        for name, lines in files.items():
            for line in lines:
                checked(line, f"{kind}-{name}.jsonl", events)
    return Record(
        journal=journal,
        objectives=objectives_of(profile),
        markers=markers_of(marker_files),
        attempts=attempts_of(probe_files),
        probers=[prober_of(name, lines) for name, lines in sorted(probe_files.items())],
        surveys=surveys_of(journal),
        clocks=clocks_of(journal, [*marker_files.values(), *probe_files.values()]),
    )


# -- 3  By which clock? ---------------------------------------------------------------------------- [3]


class ClockReading(NamedTuple):
    """How far another clock was ahead of the run's, at one instant of the run's."""

    instant: float
    offset: float
    uncertainty: float


@dataclass(frozen=True, slots=True)
class Clocks:
    """The two clocks that watch the clock of the run."""

    utc: Sequence[ClockReading]
    date: Sequence[ClockReading]

    def says(self, began: float, ended: float) -> list[float]:
        """The length of a stretch by the run's clock, and by each other clock that disagrees with it.

        UTC disagrees if |change| > 0.5, Date if |change| > 1.0 + both uncertainties; it says own + change.
        """
        own = ended - began
        lengths = [own]
        for readings, threshold in ((self.utc, 0.5), (self.date, 1.0)):
            around = readings_around(readings, began, ended)
            if around is None:
                continue
            first, last = around
            change = last.offset - first.offset
            if abs(change) > threshold + first.uncertainty + last.uncertainty:
                lengths.append(own + change)
        return lengths

    def shortest(self, began: float, ended: float) -> float:
        """The smallest length that any clock gives: what a low bound takes."""
        return min(self.says(began, ended))

    def longest(self, began: float, ended: float) -> float:
        """The largest length that any clock gives: what a high bound takes."""
        return max(self.says(began, ended))


def readings_around(
    readings: Sequence[ClockReading], began: float, ended: float
) -> tuple[ClockReading, ClockReading] | None:
    """The readings just outside a stretch, or None if it was not watched.

    first = the last triple not greater than (began, infinity, 0);    the first of all if there is none
    last  = the first triple not smaller than (ended, -infinity, 0);  the last of all if there is none
    """
    if len(readings) < 2:
        return None
    first = max(0, bisect_right(readings, ClockReading(began, math.inf, 0.0)) - 1)
    last = min(len(readings) - 1, bisect_left(readings, ClockReading(ended, -math.inf, 0.0)))
    return (readings[first], readings[last]) if last > first else None


def clocks_of(journal: Sequence[Line], others: Iterable[Sequence[Line]]) -> Clocks:
    """UTC from every line of every file; Date from the answers of the control plane.

    UTC    (at,                  utc_s - at,                              0)
    Date   ((began + ended) / 2, date_s + 0.5 - (began + ended) / 2,      (ended - began) / 2)
    """
    utc = [
        ClockReading(line["at"], line["utc_s"] - line["at"], 0.0)
        for lines in (journal, *others)
        for line in lines
    ]
    date = []
    for line in all_of(journal, "answered"):
        if line["date_s"] is not None:
            middle = (line["began"] + line["ended"]) / 2
            date.append(
                ClockReading(middle, line["date_s"] + 0.5 - middle, (line["ended"] - line["began"]) / 2)
            )
    return Clocks(sorted(utc), sorted(date))


# -- 4  Who answered, and what is there? ----------------------------------------------------------- [5, 6]


def answer_of(record: Record, attempt: Attempt) -> str:
    """Good, bad or unproven, by what the source says about the attempt's nonce.

    1 bad       stage is not written, or it has no end
    2 unproven  the source was never asked, or there is no identity or nonce
    3 bad       the source holds the nonce: the name led to the source
    4 unproven  the source was asked before the attempt had ended
    5 good      the source's system identifier, not in recovery
    6 bad       otherwise
    """
    if attempt.stage != "written" or attempt.ended is None:
        return BAD
    if record.asked is None or attempt.identity is None or attempt.nonce is None:
        return UNPROVEN
    if attempt.nonce in record.asked["nonces"]:
        return BAD
    if record.asked["began"] < attempt.ended:
        return UNPROVEN
    descends = attempt.identity.system_identifier == record.asked["identity"]["system_identifier"]
    return GOOD if descends and not attempt.identity.in_recovery else BAD


def is_proven(record: Record, survey: Survey) -> bool:
    """Did this survey look at the recovered side, and not at the source?

    Its nonce is one that the source, asked after it, does not hold. A survey without a nonce (it found no table
    to write into) is proven by a good attempt that met the very same start of the same server.
    """
    if record.asked is None:
        return False
    if survey.identity.in_recovery:
        return False
    if survey.identity.system_identifier != record.asked["identity"]["system_identifier"]:
        return False
    if survey.nonce is None:
        return any(
            attempt.identity == survey.identity and answer_of(record, attempt) == GOOD
            for attempt in record.attempts
        )
    return record.asked["began"] >= survey.ended and survey.nonce not in record.asked["nonces"]


def pairs_of(record: Record) -> list[tuple[Survey, Survey]]:
    """Two proven surveys of one identity, far enough apart: second.began - first.ended >= the delay - 1 us.

    Sorted by the end of the second; among equals the one whose first survey began last comes first.
    """
    delay_s = record.objectives["switch_over_delay_s"]
    proven = sorted(
        (survey for survey in record.surveys if is_proven(record, survey)), key=lambda one: one.began
    )
    pairs = [
        (first, second)
        for place, first in enumerate(proven)
        for second in proven[place + 1 :]
        if first.identity == second.identity and second.began - first.ended >= delay_s - 0.000001
    ]
    return sorted(pairs, key=lambda pair: (pair[1].ended, -pair[0].began))


def presence_of(record: Record, marker: Marker) -> str:
    """Present if every survey that counts found it, absent if none did, else unsettled.

    A row is a marker's if run, writer and number are its own and, where the writer noted the row, also its
    server time, log position and transaction.
    """
    hits = [
        any(_is_row_of(marker, row) for row in rows.get((marker.writer, marker.number), ()))
        for rows in record.found
    ]
    if not hits or (any(hits) and not all(hits)):
        return UNSETTLED
    return PRESENT if all(hits) else ABSENT


def _is_row_of(marker: Marker, row: Row) -> bool:
    if marker.row is None:
        return True
    return (row.server_time_us, row.lsn, row.xid) == tuple(
        marker.row[name] for name in ("server_time_us", "lsn", "xid")
    )


def earlier_run_is_short(record: Record) -> bool:
    """Of some earlier run, did every survey that counts find fewer rows than the source had held?"""
    if record.inventory is None or not record.counted:
        return False
    found = [Counter(row.run_id for row in survey.rows) for survey in record.counted]
    return any(
        all(rows[run] < held for rows in found)
        for run, held in record.inventory["rows_by_run"].items()
        if run != record.run["run_id"]
    )


# -- 5  RPO ---------------------------------------------------------------------------------------- [7]


class Interval(NamedTuple):
    """Two bounds that enclose the truth; a high that nobody saw is None, and larger than any number."""

    low: float
    high: float | None


def lost(record: Record) -> Interval | None:
    """What the recovered server lacks.

    E     earliest ended among the markers that count and are absent
    E'    earliest ended among those that are not present
    K     latest began among those that are present and began <= E'
    low   0 without E, else max(0, shortest(E, disaster.earliest))
    high  None without K, else max(0, longest(K, disaster.latest))

    If of an earlier run rows are missing, the loss reaches back beyond the first marker:
    low = max(0, shortest(inventory.ended, disaster.earliest)), high = None.
    """
    disaster = record.disaster
    if disaster is None or not record.owed or not record.pairs:
        return None
    if record.inventory is not None and earlier_run_is_short(record):
        return Interval(
            max(0.0, record.clocks.shortest(record.inventory["ended"], disaster["earliest"])), None
        )
    first_absent = min(map(end_of, record.owed_that_are(ABSENT)), default=None)
    first_not_present = min(map(end_of, record.owed_that_are(ABSENT, UNSETTLED)), default=math.inf)
    kept = [marker.began for marker in record.owed_that_are(PRESENT) if marker.began <= first_not_present]
    return Interval(
        0.0 if first_absent is None else max(0.0, record.clocks.shortest(first_absent, disaster["earliest"])),
        max(0.0, record.clocks.longest(max(kept), disaster["latest"])) if kept else None,
    )


def segment_end(reading: Line) -> int | None:
    """Where the last archived segment ends: log x 2^32 + (number + 1) x segment_bytes; None if it is no segment."""
    segment, size = reading["segment"], reading["segment_bytes"]
    if segment is None or size <= 0 or re.fullmatch(r"[0-9A-F]{24}", segment) is None:
        return None
    return int(segment[8:16], 16) * 2**32 + (int(segment[16:], 16) + 1) * int(size)


def reach(record: Record, readings: Iterable[Line]) -> int | None:
    """How far the archive reached: the largest end among readings whose segment is of the source's timeline."""
    ends = [
        end
        for reading in readings
        if (end := segment_end(reading)) is not None
        and int(reading["segment"][:8], 16) == record.source_timeline
    ]
    return max(ends, default=None)


def exposed(record: Record) -> Interval | None:
    """What a server that is really dead would have taken with it, since it was not in the archive yet.

    A0    reach of the readings before the disaster;  A1  reach of all readings
    high  None without A0 or without an acked marker at or before it, else
          max(0, longest(latest began among those, disaster.latest))
    low   0 if the last reading has no end, there is no A1, or no marker lies beyond A1 + one segment, else
          max(0, shortest(earliest ended among those beyond, disaster.earliest))
    """
    disaster = record.disaster
    if disaster is None or not record.acked:
        return None
    return Interval(_exposed_low(record, disaster), _exposed_high(record, disaster))


def _exposed_high(record: Record, disaster: Line) -> float | None:
    archived = reach(record, record.readings_before)
    if archived is None:
        return None
    safe = [marker.began for marker in record.acked_of_source if marker.lsn <= archived]
    return max(0.0, record.clocks.longest(max(safe), disaster["latest"])) if safe else None


def _exposed_low(record: Record, disaster: Line) -> float:
    archived = reach(record, record.readings)
    if archived is None or segment_end(record.readings[-1]) is None:
        return 0.0
    edge = archived + record.readings[-1]["segment_bytes"]
    beyond = [end_of(marker) for marker in record.acked_of_source if marker.lsn > edge]
    return max(0.0, record.clocks.shortest(min(beyond), disaster["earliest"])) if beyond else 0.0


def archive_was_watched(record: Record) -> bool:
    """At least 10 readings before the disaster, and no gap between them beyond max(5 s, window / 10)."""
    if record.disaster is None or not record.owed:
        return False
    window_began, disaster = min(marker.began for marker in record.owed), record.disaster["earliest"]
    begun = [line["began"] for line in record.readings_before if line["began"] > window_began]
    gap = max(after - before for before, after in pairwise([window_began, *begun, disaster]))
    return len(record.readings_before) >= 10 and gap <= max(5.0, (disaster - window_began) / 10)


def largest_lag(record: Record) -> float:
    """The longest that an acknowledged marker was seen to be out of the archive; at least that long it was.

    P = the largest end among a reading before the disaster and all earlier ones. If an acked marker of the
    source's timeline has lsn > P, and the earliest end among those is before the reading began, the lag at that
    reading is longest(that end, began).
    """
    largest = 0.0
    archived = -1
    for reading in record.readings_before:
        archived = max(archived, -1 if (reached := reach(record, [reading])) is None else reached)
        oldest = min(
            (end_of(marker) for marker in record.acked_of_source if marker.lsn > archived), default=math.inf
        )
        if oldest < reading["began"]:
            largest = max(largest, record.clocks.longest(oldest, reading["began"]))
    return largest


def rpo(record: Record) -> Interval | None:
    """The interval that is judged; only for the variant `latest`.

    archive not watched, and that accepted     lost
    a high unknown, or nothing exposed known   [lost.low, None]
    otherwise                                  [lost.low, max(lost.high, exposed.high)]
    """
    if record.run["variant"] != "latest" or (lost_ := lost(record)) is None:
        return None
    if not archive_was_watched(record) and record.objectives["unreadable_archive_accepted"] is not None:
        return lost_
    exposed_ = exposed(record)
    if lost_.high is None or exposed_ is None or exposed_.high is None:
        return Interval(lost_.low, None)
    return Interval(lost_.low, max(lost_.high, exposed_.high))


# -- 6  The chosen point --------------------------------------------------------------------------- [8]


@dataclass(frozen=True, slots=True)
class Boundary:
    """What lies on the wrong side of the chosen point, and how close to it the proof comes."""

    missing: int
    beyond: int
    unsettled: int
    apart_s: float | None


def boundary(record: Record, point_us: int) -> Boundary:
    """Which side of the point everything is on, by the source's own clock; s + d <= T has to be there.

    missing    markers that count and are absent
    beyond     rows of this run with server time > T that every survey that counts found
    unsettled  markers that count and are unsettled; such rows that only some of those surveys found
    apart      s + d of the first absent acked marker with s > T, less s of the last present one that counts;
               unknown without one of the two
    """
    late = [
        {row for rows in found.values() for row in rows if row.server_time_us > point_us}
        for found in record.found
    ]
    beyond = set.intersection(*late) if late else set()
    before = max((marker.server_time_us for marker in record.owed_that_are(PRESENT)), default=None)
    after = min(
        (
            (marker.server_time_us, marker.took_us)
            for marker in record.acked
            if marker.server_time_us > point_us and record.presence[marker.writer, marker.number] == ABSENT
        ),
        default=None,
    )
    return Boundary(
        missing=len(record.owed_that_are(ABSENT)),
        beyond=len(beyond),
        unsettled=len(record.owed_that_are(UNSETTLED)) + len(set().union(*late) - beyond),
        apart_s=None if before is None or after is None else (sum(after) - before) / 1_000_000,
    )


def one_offset_explains_all(record: Record) -> bool:
    """Can one offset of the source's clock, drifting by no more than 500 ppm, pass between all acked markers?

    Each says at the instant (began + ended) / 2: at least s / 10^6 - ended, at most s / 10^6 - began.
    """
    said = [
        (
            (marker.began + end_of(marker)) / 2,
            marker.server_time_us / 1_000_000 - end_of(marker),
            marker.server_time_us / 1_000_000 - marker.began,
        )
        for marker in record.acked
    ]
    return _passes_between(said) and _passes_between(
        (-instant, least, largest) for instant, least, largest in said
    )


def _passes_between(said: Iterable[tuple[float, float, float]]) -> bool:
    """Can one offset, gaining at most 500 ppm, pass between what was said?

    highest = max(highest, least + 0.0005 x instant); broken if highest > largest + 0.0005 x instant + 1 us
    """
    highest = -math.inf
    for instant, least, largest in sorted(said):
        highest = max(highest, least + 0.0005 * instant)
        if highest > largest + 0.0005 * instant + 0.000001:
            return False
    return True


def later_commit_was_archived(record: Record, restore: Line) -> bool:
    """Was there something in the archive behind the point, so that stopping at it took a decision?

    R = reach of the readings that had ended when the request was sent; F = the acked marker with s > T that
    ended first: there is an acked marker of the source's timeline with began >= F.ended and lsn <= R.
    """
    archived = reach(record, [line for line in record.readings if line["ended"] <= restore["began"]])
    first_after = min(
        (end_of(marker) for marker in record.acked if marker.server_time_us > restore["point_us"]),
        default=None,
    )
    if archived is None or first_after is None:
        return False
    return any(marker.began >= first_after and marker.lsn <= archived for marker in record.acked_of_source)


# -- 7  RTO ---------------------------------------------------------------------------------------- [9]


@dataclass(frozen=True, slots=True)
class Trials:
    """The attempts that count, by their beginning, with looks that showed no address among them."""

    all: Sequence[Trial]
    first_good: float | None


def trials(record: Record, disaster: Line) -> Trials:
    """What began after disaster.latest: attempts, and looks that showed no address while probers were at work.

    A name that our own resolver still denies is no attempt: such ones before the first good attempt are left out.
    """
    attempts = [attempt for attempt in record.attempts if attempt.began > disaster["latest"]]
    answers = [Trial(attempt.began, answer_of(record, attempt)) for attempt in attempts]
    first_good = min((trial.began for trial in answers if trial.answer == GOOD), default=None)
    kept = [
        trial
        for attempt, trial in zip(attempts, answers, strict=True)
        if not (attempt.unresolved and (first_good is None or attempt.began < first_good))
    ]
    until = _looks_count_until(record)
    looks = [
        Trial(look["began"], BAD)
        for look in record.looks
        if disaster["latest"] < look["began"] <= until and look["address"] is None
    ]
    return Trials(sorted(kept + looks), first_good)


def _looks_count_until(record: Record) -> float:
    """When the last prober was stopped; for ever, if there is none or one never noted that it was stopped."""
    stops = [prober.stopped for prober in record.probers]
    return max((math.inf if stop is None else stop for stop in stops), default=math.inf)


def rto_low(record: Record, disaster: Line, tried: Trials) -> float:
    """Until when service was certainly not back.

    B    the last but one of the bad trials that began before the first good or unproven one
    low  0 without B, else max(0, shortest(disaster.latest, B.began) - what our own tool waited for until then)
    """
    answered = min((trial.began for trial in tried.all if trial.answer != BAD), default=math.inf)
    bad = [trial.began for trial in tried.all if trial.answer == BAD and trial.began < answered]
    if len(bad) < 2:
        return 0.0
    return max(
        0.0,
        record.clocks.shortest(disaster["latest"], bad[-2])
        - tool_waited(record, disaster["latest"], bad[-2]),
    )


def tool_waited(record: Record, began: float, ended: float) -> float:
    """The length of the union of the stretches that our tool waited within these bounds.

    By their beginnings; of each, what no earlier one reached, measured as longest.
    """
    waits = [
        (line["began"], line["ended"]) for line in all_of(record.journal, "waited") if line["who"] == "tool"
    ]
    total_s, reached = 0.0, began
    for wait_began, wait_ended in sorted(waits):
        left, right = max(wait_began, reached), min(wait_ended, ended)
        if right > left:
            total_s += record.clocks.longest(left, right)
            reached = right
    return total_s


class NotSeen(Exception):
    """Nobody saw the high end; why."""


def rto_high(record: Record, disaster: Line, tried: Trials) -> float:
    """Since when service was certainly back, for good: the end of the settled pair of surveys.

    The settled pair is the first whose first survey began after the last trial that was not good.
    high = longest(disaster.earliest, end of the second survey of the settled pair)
    """
    if not record.pairs:
        raise NotSeen("there is no pair of surveys")
    if tried.first_good is None:
        raise NotSeen("there is no good attempt")
    last_not_good = max((trial.began for trial in tried.all if trial.answer != GOOD), default=-math.inf)
    settled = next((second for first, second in record.pairs if first.began > last_not_good), None)
    if settled is None:
        raise NotSeen("no pair of surveys began after the last attempt that was not good")
    if not any(trial.answer == GOOD and trial.began > settled.ended for trial in tried.all):
        raise NotSeen("no good attempt began after the end of the surveys")
    for prober in record.probers:
        _check_watching(record, prober, tried.first_good)
    return record.clocks.longest(disaster["earliest"], settled.ended)


def _check_watching(record: Record, prober: Prober, first_good: float) -> None:
    """From the first good attempt to its stop, no two neighbouring beginnings are over 2 x period + limit apart."""
    if prober.stopped is None:
        raise NotSeen(f"prober {prober.name!a} never noted that it was stopped")
    since = max(first_good, prober.began)
    begun = [one.began for one in record.attempts if one.prober == prober.name and one.began >= since]
    for before, after in pairwise([since, *sorted(begun), prober.stopped]):
        if record.clocks.longest(before, after) > 2 * prober.period_s + prober.limit_s:
            raise NotSeen(f"prober {prober.name!a} was not watching all the time")


def rto(record: Record) -> tuple[Interval | None, str]:
    """Both bounds, with the stated time for detection and decision added, and why a bound is not known."""
    if record.disaster is None:
        return None, "there is no disaster"
    tried = trials(record, record.disaster)
    if not tried.all:
        return None, "there is no attempt"
    stated_s = record.objectives["detection_and_decision_s"]
    low = rto_low(record, record.disaster, tried) + stated_s
    try:
        return Interval(low, rto_high(record, record.disaster, tried) + stated_s), ""
    except NotSeen as reason:
        return Interval(low, None), str(reason)


# -- 8  Findings and verdict ----------------------------------------------------------------------- [11, 12]


class Finding(NamedTuple):
    """The status of a check, and why."""

    status: str
    why: str


def asked_before_the_disaster(record: Record) -> bool:
    """Was the restore requested before the disaster was over? Then nothing was measured."""
    return (
        record.disaster is not None
        and record.restore is not None
        and record.restore["began"] < record.disaster["latest"]
    )


def point_was_too_early(record: Record) -> bool:
    """Did the request ask for a point before the newest marker that counts?"""
    if record.restore is None:
        return False
    return any(marker.server_time_us > record.restore["point_us"] for marker in record.owed)


def data_finding(record: Record) -> Finding:
    """No more acknowledged data was lost, or would have been, than the objective allows."""
    interval, objective_s = rpo(record), record.objectives["rpo_s"]
    if asked_before_the_disaster(record):
        return Finding(INCONCLUSIVE, "the restore was requested before the disaster")
    if interval is None:
        return Finding(INCONCLUSIVE, "there is no disaster, no marker that counts or no pair of surveys")
    if interval.low > objective_s:
        if point_was_too_early(record):
            return Finding(INCONCLUSIVE, "the request itself asked for too early a point")
        return Finding(FAILED, "the low bound misses the objective")
    if interval.high is None or interval.high > objective_s:
        return Finding(INCONCLUSIVE, "the high bound is unknown or misses the objective")
    doubt = next(doubts_about_data(record), None)
    if doubt is not None:
        return Finding(INCONCLUSIVE, doubt)
    return Finding(PASSED, "the high bound meets the objective")


def doubts_about_data(record: Record) -> Iterator[str]:
    """What forbids a pass although the interval would allow it."""
    if record.owed_that_are(UNSETTLED):
        yield "a marker that counts is unsettled"
    timelines = {noted(marker)["timeline"] for marker in record.owed}
    timelines |= {line["timeline"] for line in record.readings_before}
    known = record.source_timeline is not None
    if len(timelines) > 1 or (known and timelines - {record.source_timeline}):
        yield "the source changed its timeline"
    if point_was_too_early(record):
        yield "the request itself asked for too early a point"
    if not archive_was_watched(record) and record.objectives["unreadable_archive_accepted"] is None:
        yield "the archive was not watched"
    too_late = largest_lag(record) > record.objectives["rpo_s"] * 1.05
    if too_late and record.objectives["archive_lag_accepted"] is None:
        yield "the archive lagged by more than the objective"


def point_finding(record: Record) -> Finding:
    """The restore ended at the chosen point: all before it is there, and nothing after it."""
    if record.restore is None or not record.pairs:
        return Finding(INCONCLUSIVE, "there is no request, or no pair of surveys")
    seen, explained = boundary(record, record.restore["point_us"]), one_offset_explains_all(record)
    if seen.missing or seen.beyond:
        why = (
            f"{seen.missing} markers are missing before the point, {seen.beyond} rows are there from after it"
        )
        return Finding(FAILED if explained else INCONCLUSIVE, why)
    if not explained:
        return Finding(INCONCLUSIVE, "no one offset of the source's clock explains all markers")
    if seen.unsettled:
        return Finding(INCONCLUSIVE, "the surveys contradict each other")
    if seen.apart_s is None or seen.apart_s > 3.0:
        return Finding(INCONCLUSIVE, "no two neighbours of the point lie within 3 s of each other")
    if not later_commit_was_archived(record, record.restore):
        return Finding(
            INCONCLUSIVE, "nothing later than the point was archived when the restore was requested"
        )
    return Finding(PASSED, f"its neighbours lie {seen.apart_s:.3f} s apart")


def service_finding(record: Record) -> Finding:
    """A client could write to the recovered server again within the objective, and it stayed so."""
    (interval, reason), objective_s = rto(record), record.objectives["rto_s"]
    if interval is None:
        return Finding(INCONCLUSIVE, reason)
    if asked_before_the_disaster(record):
        return Finding(INCONCLUSIVE, "the restore was requested before the disaster")
    if interval.low > objective_s:
        return Finding(FAILED, "the low bound misses the objective")
    if interval.high is None:
        return Finding(INCONCLUSIVE, reason)
    if interval.high <= objective_s:
        return Finding(PASSED, "the high bound meets the objective")
    return Finding(INCONCLUSIVE, "the objective lies inside the interval")


RECOMPUTED = {DATA: data_finding, POINT: point_finding, SERVICE: service_finding}


def verdict(record: Record, statuses: Mapping[str, str]) -> str:
    """The worst decides: failed before inconclusive before passed.

    inconclusive is among them if the run did not come to its end, if nothing else than not applicable was found,
    if the variant is unknown, or if a check that it requires has no finding.
    """
    found = {status for status in statuses.values() if status != "not_applicable"}
    required = REQUIRED.get(record.run["variant"])
    if not record.completed or not found or required is None or set(required) - statuses.keys():
        found.add(INCONCLUSIVE)
    return next((status for status in (FAILED, INCONCLUSIVE) if status in found), PASSED)


def evidence_class(run: Line) -> str:
    """`live` only on Azure's own control plane, behind a public certificate, at the speed of the service."""
    live = run["arm_host"].lower() in LIVE_HOSTS and run["public_ca"] and run["time_scale"] == 1
    return "live" if live else "rehearsal"


def recompute(
    profile: Line,
    journal_lines: Sequence[Line],
    marker_files: Mapping[str, Sequence[Line]],
    probe_files: Mapping[str, Sequence[Line]],
    *,
    taken: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Every figure that this file recomputes, under the names that it has in result.json.

    The files are given by the name of their writer or prober, as parsed lines. `taken` are statuses of findings
    that are not recomputed; the verdict counts them as they are.
    """
    try:
        return _recompute(record_of(profile, journal_lines, marker_files, probe_files), taken or {})
    except (OverflowError, RecursionError):
        raise Broken("a number in the record is larger than anything that can be measured") from None


def _recompute(record: Record, taken: Mapping[str, str]) -> dict[str, Any]:
    if record.run["scenario"] != SCENARIO:
        raise Broken(f"this file knows the method of {SCENARIO}, not of {record.run['scenario']!a}")
    findings = {
        name: RECOMPUTED[name](record)
        for name in REQUIRED.get(record.run["variant"], ())
        if name in RECOMPUTED
    }
    statuses = {**taken, **{name: finding.status for name, finding in findings.items()}}
    rpo_, (rto_, _) = rpo(record), rto(record)
    return {
        **{name: record.run[name] for name in ("run_id", "scenario", "variant", "environment", "time_scale")},
        "evidence_class": evidence_class(record.run),
        "began": moment(record.run["utc_s"] * 1_000_000),
        "ended": None if record.end is None else moment(record.end["utc_s"] * 1_000_000),
        "restore_point": None if record.restore is None else moment(record.restore["point_us"]),
        "completed": record.completed,
        "rpo": None
        if rpo_ is None
        else {
            "objective_s": record.objectives["rpo_s"],
            **_bounds(rpo_),
            "lost": _bounds(lost(record)),
            "exposed": _bounds(exposed(record)),
        },
        "rto": None if rto_ is None else {"objective_s": record.objectives["rto_s"], **_bounds(rto_)},
        "findings": {name: finding._asdict() for name, finding in findings.items()},
        "verdict": verdict(record, statuses),
    }


def moment(since_1970_us: float) -> str:
    """A moment as result.json writes it: UTC, cut to the millisecond."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=round(since_1970_us) // 1000)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _bounds(interval: Interval | None) -> dict[str, float | None]:
    return {
        "low_s": None if interval is None else interval.low,
        "high_s": None if interval is None else interval.high,
    }


# -- 9  Compared with result.json ------------------------------------------------------------------- [13]


FACTS = (
    *("run_id", "scenario", "variant", "environment", "time_scale", "evidence_class"),
    *("began", "ended", "completed", "restore_point"),
)
BOUNDS = tuple(
    f"{interval}.{bound}_s"
    for interval in ("rpo", "rpo.lost", "rpo.exposed", "rto")
    for bound in ("objective", "low", "high")
    if not (bound == "objective" and interval in ("rpo.lost", "rpo.exposed"))
)


class Comparison(NamedTuple):
    """One value, as recomputed and as result.json has it."""

    name: str
    recomputed: Any
    noted: Any
    agrees: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of one run."""

    run: str
    broken: str | None = None
    journal_head: str | None = None
    lines: int = 0
    cut: Sequence[str] = ()
    comparisons: Sequence[Comparison] = ()
    taken: Mapping[str, str] | None = None

    @property
    def agrees(self) -> bool:
        """Is the evidence whole, and does result.json say what it says?"""
        return self.broken is None and all(one.agrees for one in self.comparisons)

    def as_json(self) -> dict[str, Any]:
        """The machine form."""
        return {
            "run": self.run,
            "agrees": self.agrees,
            "broken": self.broken,
            "journal_head": self.journal_head,
            "lines": self.lines,
            "cut": list(self.cut),
            "comparisons": [one._asdict() for one in self.comparisons],
            "taken_from_result": dict(self.taken or {}),
        }


def verify(run: str, files: Mapping[str, bytes], journal_head: str | None = None) -> Verification:
    """Verify one run from the bytes of its files."""
    try:
        chains = chains_of(files)
        check_head(chains["journal.jsonl"], journal_head)
        result = result_of(files)
        noted_statuses = statuses_of(result)
        recomputed = recompute_files(files, chains, noted_statuses)
    except Broken as broken:
        return Verification(run, broken=str(broken))
    return Verification(
        run,
        journal_head=chains["journal.jsonl"].head,
        lines=sum(len(chain.lines) for chain in chains.values()),
        cut=[name for name, chain in chains.items() if chain.cut_bytes],
        comparisons=compared(recomputed, result, noted_statuses),
        taken={name: status for name, status in noted_statuses.items() if name not in recomputed["findings"]},
    )


def check_head(journal: Chain, kept: str | None) -> None:
    """The journal ends as the copy of its head says that was kept elsewhere, if there is one."""
    if kept is not None and journal.head != kept.lower():
        raise Broken(f"the head of journal.jsonl is {journal.head}, and not the one that was handed over")


def result_of(files: Mapping[str, bytes]) -> dict[str, Any]:
    """What result.json says."""
    if "result.json" not in files:
        raise Broken("result.json is missing")
    return parsed(files["result.json"], "result.json")


def recompute_files(
    files: Mapping[str, bytes], chains: Mapping[str, Chain], noted_statuses: Mapping[str, str]
) -> dict[str, Any]:
    """Recompute from whole chains; names of writers and probers are those of their files."""
    return recompute(
        parsed(files["profile.json"], "profile.json"),
        chains["journal.jsonl"].lines,
        _named(chains, "markers-"),
        _named(chains, "probes-"),
        taken=noted_statuses,
    )


def _named(chains: Mapping[str, Chain], prefix: str) -> dict[str, Sequence[Line]]:
    return {
        name.removeprefix(prefix).removesuffix(".jsonl"): chain.lines
        for name, chain in chains.items()
        if name.startswith(prefix)
    }


def statuses_of(result: Line) -> dict[str, str]:
    """The status of every finding in result.json."""
    findings = result.get("findings")
    if not isinstance(findings, list):
        raise Broken("result.json has no list of findings")
    statuses: dict[str, str] = {}
    for finding in findings:
        if not isinstance(finding, dict):
            raise Broken("a finding in result.json is no object")
        check_fields(finding, fields(text="check status"), "a finding in result.json")
        if finding["check"] in statuses:
            raise Broken(f"result.json has two findings of {finding['check']!a}")
        statuses[finding["check"]] = finding["status"]
    return statuses


def compared(recomputed: Line, result: Line, noted_statuses: Mapping[str, str]) -> list[Comparison]:
    """Every recomputed value beside the one in result.json."""
    comparisons = [
        _compared(name, value_at(recomputed, name), value_at(result, name)) for name in (*FACTS, *BOUNDS)
    ]
    for check, finding in recomputed["findings"].items():
        status, noted_status = finding["status"], noted_statuses.get(check)
        comparisons.append(Comparison(check, status, noted_status, status == noted_status, finding["why"]))
    for name, check in (("rpo", DATA), ("rto", SERVICE)):
        if recomputed[name] is not None and check in recomputed["findings"]:
            status, noted_status = recomputed["findings"][check]["status"], value_at(result, f"{name}.status")
            comparisons.append(Comparison(f"{name}.status", status, noted_status, status == noted_status))
    return [*comparisons, _compared("verdict", recomputed["verdict"], result.get("verdict"))]


def value_at(values: Any, path: str) -> Any:
    """The value at a dotted path; null where an object on the way is null or lacks it."""
    for name in path.split("."):
        values = values.get(name) if isinstance(values, dict) else None
    return values


def _compared(name: str, ours: Any, theirs: Any) -> Comparison:
    """Numbers agree if they are at most 1 ms apart, everything else if it is equal and of one type."""
    if is_of_kind(ours, "number") and is_of_kind(theirs, "number"):
        return Comparison(name, ours, theirs, abs(ours - theirs) <= TOLERANCE_S)
    return Comparison(name, ours, theirs, type(ours) is type(theirs) and ours == theirs)


def files_of(folder: Path) -> dict[str, bytes]:
    """The files that lie in the folder of a run."""
    try:
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    except OSError as error:
        raise Broken(f"the folder cannot be read: {error.strerror}") from None


def said(verification: Verification) -> Iterator[str]:
    """What came of one run, in lines for a reader."""
    yield verification.run
    if verification.broken is not None:
        yield f"  BROKEN     {verification.broken}"
        return
    yield f"  whole      {verification.lines} chained lines; plan and profile are those of the beginning"
    yield f"  head       {verification.journal_head} of journal.jsonl; compare it with one kept elsewhere"
    for name in verification.cut:
        yield f"  cut        {name} ends in a line that was cut off, and was left out"
    for one in verification.comparisons:
        ours, theirs = json.dumps(one.recomputed), json.dumps(one.noted)
        if one.agrees:
            yield f"  agree      {one.name}  {ours}"
        else:
            because = f" ({one.why})" if one.why else ""
            yield f"  DISAGREE   {one.name}  recomputed {ours}{because}, result.json has {theirs}"
    for name, status in (verification.taken or {}).items():
        yield f"  taken      {name}  {json.dumps(status)}, from result.json and not recomputed"
    yield f"  => {'agrees' if verification.agrees else 'DISAGREES'}"


def verify_folder(folder: str, journal_head: str | None) -> Verification:
    """Verify one run from the folder that it lies in."""
    try:
        return verify(folder, files_of(Path(folder)), journal_head)
    except Broken as broken:
        return Verification(folder, broken=str(broken))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="verify_bundle.py", description="Recompute the figures and the verdict of recorded drills."
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="the folder of a recorded drill")
    parser.add_argument(
        "--journal-head", metavar="SHA256", help="the head of the journal of RUN, kept elsewhere"
    )
    parser.add_argument("--json", action="store_true", help="print the machine form")
    options = parser.parse_args(arguments)
    if options.journal_head is not None and len(options.runs) != 1:
        parser.error("--journal-head goes with one RUN")
    for run in options.runs:
        if not Path(run).is_dir():
            parser.error(f"{run!a} is no folder")
    verifications = [verify_folder(run, options.journal_head) for run in options.runs]
    if options.json:
        print(
            json.dumps(
                {"agrees": all(v.agrees for v in verifications), "runs": [v.as_json() for v in verifications]}
            )
        )
    else:
        for verification in verifications:
            print(*said(verification), sep="\n")
    return 0 if all(verification.agrees for verification in verifications) else 1


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main())
