"""How long, how much, and in what sentence? The small words that values of environments.toml are made of.

    "90s" "5m" "1h" "1.5h" "2d"   a duration, kept as seconds
    "512kB" "64MB" "1GB"          a size, kept as bytes; 1 kB is 1024 bytes, as in PostgreSQL's own settings
    "Decided by the data owner"   a sentence: three words at least, since a report will print it as a reason
    "${DRILLS_SUBSCRIPTION}"      a name that stands for an environment variable, read when it is needed

A number without a unit is refused: nobody can see whether 15 means seconds or minutes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

SECONDS_PER_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES_PER_UNIT = {"kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", re.ASCII)
_SIZE = re.compile(r"(\d+)\s*(kB|MB|GB|TB)", re.ASCII)
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def misuse(sentence: str, *, hint: str, table: str = "", key: str = "") -> PydanticCustomError:
    """Build the error for a value that cannot be meant; table and key only where pydantic cannot know them."""
    return PydanticCustomError(
        "misuse", "{sentence}", {"sentence": sentence, "hint": hint, "table": table, "key": key}
    )


def parse_duration(value: object) -> float:
    """Give the seconds that a text like `5m` stands for."""
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise misuse(
            f"{value!r} is not a duration",
            hint='write a number and its unit as text, like "90s", "5m", "1h" or "24h"',
        )
    return float(found[1]) * SECONDS_PER_UNIT[found[2]]


def parse_size(value: object) -> int:
    """Give the bytes that a text like `1GB` stands for."""
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise misuse(
            f"{value!r} is not a size", hint='write a whole number and its unit as text, like "64MB" or "1GB"'
        )
    return int(found[1]) * BYTES_PER_UNIT[found[2]]


def _longer_than_nothing(seconds: float) -> float:
    if seconds <= 0:
        raise misuse("0 seconds cannot be met by anything that is measured", hint='state more than "0s"')
    return seconds


def _sentence(text: str) -> str:
    if len(text.split()) < 3:
        raise misuse(
            f"{text!r} is not a sentence",
            hint="write in words, for the reader of the report, who decided this and where it is written",
        )
    return " ".join(text.split())


def _well_formed(text: str) -> str:
    if not text.strip():
        raise misuse("the text is empty", hint="state a value, or leave the key out where it may be left out")
    if "$" in _VARIABLE.sub("", text):
        raise misuse(
            f"{text!r} holds a $ that is no variable", hint="write variables as ${NAME}, with both braces"
        )
    return text


def variables_in(text: str) -> tuple[str, ...]:
    """Name the environment variables that a text stands for."""
    return tuple(_VARIABLE.findall(text))


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Put the values of variables in the place of their names; `KeyError` names the first that is not set."""
    return _VARIABLE.sub(lambda found: _value_of(found[1], environ), text)


def _value_of(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "").strip()
    if not value:  # set, but to nothing: a secret that CI does not hand to this branch looks like this
        raise KeyError(name)
    return value


Seconds = Annotated[float, BeforeValidator(parse_duration)]
PositiveSeconds = Annotated[Seconds, AfterValidator(_longer_than_nothing)]
Bytes = Annotated[int, BeforeValidator(parse_size)]
Sentence = Annotated[str, AfterValidator(_sentence)]
Expandable = Annotated[str, AfterValidator(_well_formed)]
