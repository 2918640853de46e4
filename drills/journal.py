"""What was seen, in the order in which it was written down, and can it have been changed since?

Each process owns one append-only file of JSON lines. Every line carries the SHA-256 of the line before it, so
that a line changed, removed or put in between breaks the chain from there on. A line is handed to the operating
system before the next act begins: *begin* stands in the file before the act, *outcome* after it, and a
begin without an outcome means that nobody knows.

    {"n":0,"before":"000…","at":812.1,"utc_s":…,"event":"run_began",…}
    {"n":1,"before":sha256 of the line above,"at":812.2,"utc_s":…,"event":"call_began",…}

This is the only module that reads and writes the files of a run.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drills import clock
from drills.errors import ChainBroken, RecordError

FIRST = "0" * 64

Line = dict[str, Any]
"""One parsed line of a record; `drills.history` turns it into an observation."""


class Journal:
    """An append-only file of chained lines, written by one process; threads of it may share it."""

    def __init__(self, path: Path) -> None:
        """Create the file; one that exists already belongs to somebody else.

        Raises:
            RecordError: the file exists.
        """
        try:
            self._file = path.open("xb")
        except FileExistsError:
            raise RecordError(f"{path} exists already; a record is written once") from None
        self.path = path
        self._head = FIRST
        self._count = 0
        self._lock = threading.Lock()

    def write(self, event: str, **fields: Any) -> None:
        """Append one line and flush it; `at` and `utc_s` are read as it is written, wall seconds."""
        reading = clock.read()
        with self._lock:
            line = {
                "n": self._count,
                "before": self._head,
                "at": round(reading.at, 6),
                "utc_s": round(reading.utc_s, 6),
                "event": event,
                **fields,
            }
            text = json.dumps(line, separators=(",", ":"), allow_nan=False).encode()
            self._file.write(text + b"\n")
            self._file.flush()
            self._head = hashlib.sha256(text).hexdigest()
            self._count += 1

    def close(self) -> None:
        """Flush the file to the disk and close it; writing afterwards is an error."""
        with self._lock:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()


@dataclass(frozen=True, slots=True)
class Chain:
    """The lines of one file, its head (hash of its last line) and whether its last line was cut off."""

    lines: tuple[Line, ...]
    head: str
    cut: bool


def read_chain(path: Path) -> Chain:
    """Read a file of chained lines; a last line without its end was cut by a kill and is left out.

    Raises:
        ChainBroken: a line does not carry the hash of the one before it, or its number.
        RecordError: the file is missing, or a line is not JSON.
    """
    if not path.is_file():
        raise RecordError(f"{path} is missing", hint="a record is judged whole; copy the run folder again")
    *whole, tail = path.read_bytes().split(b"\n")
    head, lines = FIRST, []
    for number, text in enumerate(whole):
        line = _parsed(path, number, text)
        if line.get("before") != head or line.get("n") != number:
            raise ChainBroken(
                f"{path}, line {number + 1}: the chain breaks here, so a line was changed, removed or added",
                hint="compare with the copy that was sealed; this record proves nothing from here on",
            )
        lines.append(line)
        head = hashlib.sha256(text).hexdigest()
    return Chain(lines=tuple(lines), head=head, cut=bool(tail))


def _parsed(path: Path, number: int, text: bytes) -> Line:
    try:
        line = json.loads(text)
    except ValueError as problem:
        raise RecordError(f"{path}, line {number + 1} is not JSON: {problem}") from None
    if not isinstance(line, dict):
        raise RecordError(f"{path}, line {number + 1} is not an object")
    return line


def write_document(path: Path, document: dict[str, Any]) -> str:
    """Write a JSON document once and give its SHA-256.

    Raises:
        RecordError: the file exists.
    """
    text = (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
    write_once(path, text)
    return hashlib.sha256(text).hexdigest()


def write_once(path: Path, text: bytes) -> None:
    """Write a file of the record that must not exist yet.

    Raises:
        RecordError: the file exists.
    """
    try:
        with path.open("xb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise RecordError(f"{path} exists already; a record is written once") from None


def read_text(path: Path) -> str | None:
    """Read a file that may be missing; what is no UTF-8 is replaced, so that it compares as different."""
    return path.read_bytes().decode(errors="replace") if path.is_file() else None


def read_document(path: Path) -> dict[str, Any]:
    """Read a JSON document of a run.

    Raises:
        RecordError: the file is missing or is no JSON object.
    """
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise RecordError(f"{path} is missing") from None
    except ValueError as problem:
        raise RecordError(f"{path} is not JSON: {problem}") from None
    if not isinstance(document, dict):
        raise RecordError(f"{path} is not a JSON object")
    return document


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that a run left on disk, parsed but not yet understood."""

    plan: dict[str, Any]
    profile: dict[str, Any]
    journal: Chain
    markers: dict[str, Chain]
    probes: dict[str, Chain]


def read_record(folder: Path) -> Record:
    """Read a run folder and hold its files against what the journal noted of them.

    Raises:
        ChainBroken: a chain breaks, or a file is not the one whose head and count the journal noted.
        RecordError: the folder is no run, or a file is missing or unreadable.
    """
    if not (folder / "journal.jsonl").is_file():
        raise RecordError(
            f"{folder} holds no journal.jsonl, so it is no run",
            hint="name a folder such as runs/REHEARSAL-…; `ls runs` shows them",
        )
    journal = read_chain(folder / "journal.jsonl")
    record = Record(
        plan=read_document(folder / "plan.json"),
        profile=read_document(folder / "profile.json"),
        journal=journal,
        markers={p.stem.removeprefix("markers-"): read_chain(p) for p in _files(folder, "markers-*.jsonl")},
        probes={p.stem.removeprefix("probes-"): read_chain(p) for p in _files(folder, "probes-*.jsonl")},
    )
    _hold_against_journal(folder, record)
    return record


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    yield from sorted(folder.glob(pattern))


def _hold_against_journal(folder: Path, record: Record) -> None:
    chains = {f"markers-{name}.jsonl": chain for name, chain in record.markers.items()}
    chains |= {f"probes-{name}.jsonl": chain for name, chain in record.probes.items()}
    for line in record.journal.lines:
        if line["event"] == "run_began":
            for name in ("plan", "profile"):
                seen = hashlib.sha256((folder / f"{name}.json").read_bytes()).hexdigest()
                if seen != line[f"{name}_sha256"]:
                    raise ChainBroken(f"{folder / name}.json is not the file that the journal noted")
        if line["event"] == "file_closed":
            chain = chains.get(line["file"])
            if chain is None:
                raise RecordError(f"{folder / line['file']} is missing, though the journal noted it")
            if (chain.head, len(chain.lines), chain.cut) != (line["head"], line["lines"], line["cut"]):
                raise ChainBroken(f"{folder / line['file']} is not the file that the journal noted")
    _refuse_what_was_not_noted(folder, record, chains)


def _refuse_what_was_not_noted(folder: Path, record: Record, chains: dict[str, Chain]) -> None:
    """A run that came to its end noted all its files, so one that it does not know was laid beside them."""
    events = {line["event"] for line in record.journal.lines}
    noted = {line["file"] for line in record.journal.lines if line["event"] == "file_closed"}
    if "run_ended" in events and (strange := sorted(set(chains) - noted)):
        raise RecordError(
            f"{folder / strange[0]} is not noted in the journal, so it is not part of this record"
        )
