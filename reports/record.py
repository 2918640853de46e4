"""What does the report know of the record beside the History: its files, and what was declared before the fault?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A file of the record: how many lines it has, and a hash by which it can be told.

    ``sha256`` is the hash of a document, or of the last line of a chained file, which stands for all before it.
    """

    name: str
    holds: str
    lines: int | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Declared:
    """The record's own documents: the profile and the plan as they were written before the fault."""

    profile: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)
    files: Sequence[RecordFile] = ()
    result_agrees: bool | None = None
    """Whether result.json, as it was written, says what the record proves; None where there is none."""

    @property
    def objectives(self) -> Mapping[str, Any]:
        """The objectives of this run."""
        found = self.profile.get("objectives_of_this_run")
        return found if isinstance(found, Mapping) else {}

    @property
    def head(self) -> str | None:
        """The hash of the journal's last line, which holds every other file to the record."""
        return next((f.sha256 for f in self.files if f.name == "journal.jsonl"), None)
