"""How is a figure said so that nobody can take it for more, or for less, than was measured?

A bound is rounded away from the truth that it encloses: a low one down, a high one up. So no rounding turns a
missed objective into a met one. A bound that nobody saw is said in words, never as a number. Seconds on paper
are service seconds first (what an objective is about) and wall seconds beside them where the two differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from math import ceil, floor

LIVE = "live"
NB = "\N{NO-BREAK SPACE}"
"""Stands between a number and its unit, so that no line ends between them."""


class Toward(Enum):
    """To which side a figure is rounded: a low bound down, a high bound up, anything else to the nearest."""

    DOWN = "down"
    NEAREST = "nearest"
    UP = "up"


def exact(seconds: float, toward: Toward = Toward.NEAREST) -> str:
    """Give seconds with as many decimals as can matter: `432.1 s`, `14.40 s`, `0.412 s`."""
    return f"{digits(seconds, toward)}{NB}s"


def digits(seconds: float, toward: Toward = Toward.NEAREST) -> str:
    """Give the number alone; one without a fraction has no decimals."""
    decimals = _decimals(seconds)
    return f"{_rounded(seconds, decimals, toward):.{decimals}f}"


def exact_range(low_s: float, high_s: float) -> str:
    """Give two bounds with the same number of decimals, rounded away from each other: `334.0 to 383.0 s`."""
    decimals = 0 if _decimals(low_s) == _decimals(high_s) == 0 else _decimals(high_s) or _decimals(low_s)
    low, high = _rounded(low_s, decimals, Toward.DOWN), _rounded(high_s, decimals, Toward.UP)
    return f"{low:.{decimals if low else 0}f} to {high:.{decimals}f}{NB}s"


def _decimals(seconds: float) -> int:
    if float(round(seconds, 9)).is_integer():
        return 0
    return 1 if abs(seconds) >= 100 else 2 if abs(seconds) >= 1 else 3


def humanised(seconds: float, toward: Toward = Toward.NEAREST) -> str:
    """Give a duration as people say it: `7 min 12 s`, `1 h 05 min`, `0.412 s`."""
    whole = int(_rounded(seconds, 0, toward))
    if abs(seconds) < 60 and abs(whole) < 60:
        return exact(seconds, toward)
    sign, whole = ("−" if whole < 0 else ""), abs(whole)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        told = [
            f"{hours}{NB}h",
            f"{minutes:02}{NB}min" if minutes or rest else "",
            f"{rest:02}{NB}s" if rest else "",
        ]
    else:
        told = [f"{minutes}{NB}min", f"{rest:02}{NB}s" if rest else ""]
    return sign + " ".join(part for part in told if part)


def _rounded(value: float, decimals: int, toward: Toward) -> float:
    # Nine digits first: 14.4 * 30 is 432.00000000000006, and its last digit is no measurement.
    value, shift = round(value, 9), 10.0**decimals
    match toward:
        case Toward.DOWN:
            return floor(round(value * shift, 6)) / shift
        case Toward.UP:
            return ceil(round(value * shift, 6)) / shift
        case Toward.NEAREST:
            return round(value, decimals)


@dataclass(frozen=True, slots=True)
class Scale:
    """The time scale of a run: wall seconds go in, sentences in service time come out."""

    factor: float

    @property
    def is_real_time(self) -> bool:
        """Tell whether service time and wall time are the same."""
        return self.factor == 1

    @property
    def name(self) -> str:
        """The factor as it is printed."""
        return f"{self.factor:g}"

    def service_s(self, wall_s: float) -> float:
        """Wall seconds in service seconds."""
        return wall_s * self.factor

    def short(self, wall_s: float, toward: Toward = Toward.NEAREST) -> str:
        """Service time alone, as people say it."""
        return humanised(self.service_s(wall_s), toward)

    def beside(self, wall_s: float, toward: Toward = Toward.NEAREST) -> str:
        """What stands in brackets behind the short form: exact service seconds, and wall where it differs."""
        service_s = self.service_s(wall_s)
        said = [] if self.short(wall_s, toward) == exact(service_s, toward) else [exact(service_s, toward)]
        if not self.is_real_time and wall_s:
            said.append(f"wall {exact(wall_s, toward)}")
        return "; ".join(said)

    def full(self, wall_s: float, toward: Toward = Toward.NEAREST) -> str:
        """Short form and what stands beside it: `7 min 12 s (432.1 s; wall 14.40 s)`."""
        beside = self.beside(wall_s, toward)
        return self.short(wall_s, toward) + (f" ({beside})" if beside else "")


# --- times ----------------------------------------------------------------------------------------------


def utc_time(utc_s: float, *, digits: int = 3) -> str:
    """Give an instant as date and time with its zone: `2026-04-20 14:03:05.120 UTC`."""
    return f"{_fixed(utc_s, digits):%Y-%m-%d %H:%M:%S}{_fraction(utc_s, digits)} UTC"


def clock_time(utc_s: float, *, digits: int = 3) -> str:
    """Give the time of day alone, for tables whose heading says UTC: `14:03:05.120`."""
    return f"{_fixed(utc_s, digits):%H:%M:%S}{_fraction(utc_s, digits)}"


def date(utc_s: float) -> str:
    """Give a date in words: `20 April 2026`."""
    at = datetime.fromtimestamp(utc_s, UTC)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def _fixed(utc_s: float, digits: int) -> datetime:
    return datetime.fromtimestamp(floor(round(utc_s, digits)), UTC)


def _fraction(utc_s: float, digits: int) -> str:
    rest = round(utc_s, digits) - floor(round(utc_s, digits))
    return f"{rest:.{digits}f}"[1:] if digits else ""


_MONTHS = (  # strftime's names follow the locale of the machine
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


# --- counts and lists -----------------------------------------------------------------------------------


def count(number: int, one: str, many: str | None = None) -> str:
    """Give a number with its noun: `1 marker`, `1,204 markers`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(items: list[str]) -> str:
    """Join as a sentence does: `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def size(number: int) -> str:
    """Give bytes as people say them, and exactly: `16 MiB (16,777,216 bytes)`."""
    for unit, factor in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if abs(number) >= factor:
            return f"{number / factor:.3g} {unit} ({number:,} bytes)"
    return count(number, "byte")


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop, as a sentence of its own does."""
    text = text.strip()
    return text and text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def plain(name: str) -> str:
    """Turn a name of the code into words: `archive_lag_max` becomes `archive lag max`."""
    return name.replace("_", " ").strip()


# --- verdicts -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Badge:
    """A status as it is shown: a CSS class, a sign that survives greyscale, and the word."""

    kind: str
    sign: str
    word: str


_SIGNS = {"passed": "✓", "failed": "✗", "inconclusive": "?", "not_applicable": "–"}


def badge(status: str) -> Badge:
    """The badge of a check: its status word, as the record has it."""
    known = status if status in _SIGNS else "inconclusive"
    return Badge(kind=known, sign=_SIGNS[known], word=plain(status))


def objective_badge(status: str, *, live: bool) -> Badge:
    """The badge of an objective: met or missed; in a rehearsal nothing was, so it only would have been."""
    shown = badge(status)
    words = {"passed": "met", "failed": "missed"}
    if shown.kind not in words:
        return shown
    return Badge(shown.kind, shown.sign, words[shown.kind] if live else f"would have {words[shown.kind]}")


def headline_badge(status: str, *, live: bool, objective_missed: bool) -> Badge:
    """The badge of the whole drill; a drill can fail although both objectives were met."""
    shown = badge(status)
    if live or shown.kind not in ("passed", "failed"):
        return Badge(shown.kind, shown.sign, shown.word.upper())
    word = "met" if shown.kind == "passed" else "missed" if objective_missed else "failed"
    return Badge(shown.kind, shown.sign, f"would have {word}".upper())
