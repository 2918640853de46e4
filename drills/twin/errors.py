"""What can go wrong in the twin itself?

    TwinError
    ├── BadConfiguration      the configuration file says something impossible
    ├── PostgresFailed        a program of PostgreSQL ended in a way that nobody asked for
    └── NotArchivedInTime     the archive did not receive a segment within the limit

Refusals that the service itself would utter are no errors of the twin: they are `responses.Refusal`.
"""


class TwinError(Exception):
    """The twin cannot do what it was asked to do; the message says what was seen and what to try."""


class BadConfiguration(TwinError):
    """The configuration names a key, a value or a combination that the twin does not have."""


class PostgresFailed(TwinError):
    """A PostgreSQL program ended with an error; the message carries the end of its log."""


class NotArchivedInTime(TwinError):
    """A write-ahead log segment did not reach the archive within its limit."""
