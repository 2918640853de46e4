"""What can go wrong, as a tree that one can see.

    DrillError                      everything that this software raises on purpose
    ├── UsageError                  the command line asks for something that does not exist
    ├── ConfigurationError          environments.toml says something that cannot be meant
    ├── Refused                     the plan refuses to begin: nothing was changed yet
    ├── RecordError                 a run on disk is not what was written
    │   └── ChainBroken             a line was changed, removed or added
    ├── ProviderError               the control plane said no, or said nothing
    │   └── OperationFailed         an operation that was accepted ended as Failed
    ├── WaitedTooLong               a limit ran out; says for what, and what was seen last
    └── TwinError                   the local twin did not start, or died

Each is one sentence, and a HINT where there is something to try. The engine raises; only the command line
prints and exits.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the command line: what happened, for a script."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    INCONCLUSIVE = 3
    OUR_DEFECT = 70


class DrillError(Exception):
    """The root of the tree: a sentence that says what was seen, and a hint that says what to try."""

    exit_code = ExitCode.USAGE

    def __init__(self, sentence: str, *, hint: str | None = None) -> None:
        """Keep the sentence and the hint apart; `str()` joins them as they are printed."""
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint

    def __str__(self) -> str:
        """Give the sentence, and below it the hint where there is one."""
        return self.sentence if self.hint is None else f"{self.sentence}\nHINT: {self.hint}"


class UsageError(DrillError):
    """The command line names something that does not exist."""


class ConfigurationError(DrillError):
    """environments.toml, or a file that it names, cannot be used as it stands."""


class Refused(DrillError):
    """The plan refuses to begin; nothing was written and nothing was called."""


class RecordError(DrillError):
    """A run on disk cannot be read: a file is missing, or a line is not what was agreed on."""


class ChainBroken(RecordError):
    """A line of the record does not carry the hash of the line before it."""


class ProviderError(DrillError):
    """The control plane refused a call, or its answer cannot be understood."""

    exit_code = ExitCode.INCONCLUSIVE


class OperationFailed(ProviderError):
    """An operation that the control plane had accepted ended as Failed or Canceled."""


class WaitedTooLong(DrillError):
    """A wait reached its limit; the sentence names what was awaited and what was seen last."""

    exit_code = ExitCode.INCONCLUSIVE


class TwinError(DrillError):
    """The local twin did not start, or ended while it was needed."""
