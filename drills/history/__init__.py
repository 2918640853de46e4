"""What happened in this run? A finished run, and the questions that checks and reports ask of it.

A History is everything the record shows, parsed. Its questions derive, they never judge: which attempts were
good, which surveys are proven to have asked the recovered server, which markers are present there.
`docs/method.md` explains the rules; the formulas that rest on them live in `drills.checks`.

    observed    what a run noted, and what follows from that by itself
    answered    who answered, and which surveys count
    finished    what was promised, and what of it is there
    surveys     what the surveys of one instance say of each marker
    standing    the permanent stream of the heartbeat, as promises
    damage      when a bad commit was made
    clocks      how long something took, by every clock that watched
"""

from drills.history.answered import Answer, Try
from drills.history.clocks import DATE_UNCERTAINTY_S, UTC_UNCERTAINTY_S, Durations
from drills.history.finished import History
from drills.history.observed import Recovery
from drills.history.standing import Promise
from drills.history.surveys import STANDING, EarlierRows, Found, Presence

__all__ = [
    "DATE_UNCERTAINTY_S",
    "STANDING",
    "UTC_UNCERTAINTY_S",
    "Answer",
    "Durations",
    "EarlierRows",
    "Found",
    "History",
    "Presence",
    "Promise",
    "Recovery",
    "Try",
]
