"""Which checks does a scenario need, and what does a record of it not show?

This is the one table. A check enters it when its observations are recorded; until then the report says what the
record does not show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drills.checks.data_lost import acknowledged_data_lost_within_the_objective
from drills.checks.left_behind import nothing_of_the_drill_is_left_behind
from drills.checks.nothing_missing import nothing_is_missing_in_between_doubled_or_foreign
from drills.checks.recovered_server import the_server_that_answered_is_the_recovered_one
from drills.checks.restore_point import the_restore_point_was_respected_on_both_sides
from drills.checks.service_back import service_was_back_within_the_objective
from drills.history import History
from drills.model import Finding, Objectives

Check = Callable[[History, Objectives], Finding]

_OF_EVERY_RESTORE: tuple[Check, ...] = (
    service_was_back_within_the_objective,
    nothing_is_missing_in_between_doubled_or_foreign,
    the_server_that_answered_is_the_recovered_one,
    nothing_of_the_drill_is_left_behind,
)

_REQUIRED: Mapping[tuple[str, str], tuple[Check, ...]] = {
    ("pitr_restore", "latest"): (acknowledged_data_lost_within_the_objective, *_OF_EVERY_RESTORE),
    ("pitr_restore", "chosen"): (the_restore_point_was_respected_on_both_sides, *_OF_EVERY_RESTORE),
}

_NOT_SHOWN_BY_ANY = (
    "that the configuration of source and recovered server is as the profile declares it",
    "that the profile's assertions hold on the recovered data",
    "that the profile's hooks ran",
    "that data outside the database dr_drill came back: only markers of the newest minutes were looked for",
    "that another client than this one, on another network, could have reached the server",
)

_NOT_SHOWN: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("pitr_restore", "latest"): (
        "how far the archive lags at other times: a window cannot see a lag that is longer than itself",
    ),
    ("pitr_restore", "chosen"): ("how much a disaster would have lost: a chosen point is not judged for it",),
}


def required(scenario: str, variant: str) -> tuple[Check, ...]:
    """The checks that a variant of a scenario needs; none where the table does not know it."""
    return _REQUIRED.get((scenario, variant), ())


def not_shown(scenario: str, variant: str) -> tuple[str, ...]:
    """What a record of this variant does not show, each to follow "this record does not show"."""
    return (*_NOT_SHOWN.get((scenario, variant), ()), *_NOT_SHOWN_BY_ANY)


def caption(check: str) -> str:
    """The first line of a check's docstring, by the check's name; the name itself where nobody knows it."""
    known = {c.__name__: c for checks in _REQUIRED.values() for c in checks}
    found = known.get(check)
    return ((found.__doc__ if found else None) or check).strip().splitlines()[0]
