"""Did the drill take everything away that it had made?

    named --- requested --- ... --- delete began --- delete ended --- listed: absent

Only a listing of the drill's own group that began after the deletion had ended shows that a server is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from drills.checks.wording import joined, some
from drills.history import History, Recovery
from drills.model import CallMade, Finding, Instant, Objectives, Status

ACCEPTED = 202
"""The HTTP status that says that work has begun, and not that it has ended."""
REFUSED_FROM = 400
"""The first HTTP status that says that a request was not taken."""
UNSURE_FROM = 500
"""From here on the provider may have taken what it answered with an error."""
CLEAN_UP = "clean up"
"""The step of the runbook in which the drill deletes what it made."""
_DELETE = "delete"


class Fate(Enum):
    """What the record shows of a server that the journal named."""

    GONE = "gone"
    THERE = "there"
    UNKNOWN = "unknown"


def nothing_of_the_drill_is_left_behind(history: History, _: Objectives) -> Finding:
    """Every server that the drill named is gone, as a listing after its deletion shows.

    A server whose creation was refused counts as gone when a listing afterwards does not show it.
    """
    if not history.created and history.recovery is Recovery.FAILOVER and history.request is None:
        return _finding(Status.NOT_APPLICABLE, "a failover makes no server, and none was named")
    if not history.created:
        return _finding(
            Status.INCONCLUSIVE, "the journal names no server that was to be made, so none was looked for"
        )
    fates = {name: fate_of(history, name) for name in dict.fromkeys(history.created)}
    there = [name for name, fate in fates.items() if fate is Fate.THERE]
    unknown = [name for name, fate in fates.items() if fate is Fate.UNKNOWN]
    measured_of = f"{len(history.created)} named, {len(there)} still there, {len(unknown)} not known"
    if there:
        return _finding(
            Status.FAILED, f"still there when the group was listed last: {some(there)}", measured_of
        )
    if unknown:
        return _finding(
            Status.INCONCLUSIVE,
            joined((f"no listing after the deletion shows that they are gone: {some(unknown)}",)),
            measured_of,
        )
    return _finding(
        Status.PASSED,
        f"absent in a listing that began after the deletion had ended: {some(list(fates))}",
        measured_of,
    )


def fate_of(history: History, name: str) -> Fate:
    """Say what became of a server by the listing that began last, if it began late enough to tell."""
    listing = max(history.listings, key=lambda found: found.began, default=None)
    settled = _settled_at(history, name)
    if listing is None:
        return Fate.UNKNOWN
    if name.lower() in {found.lower() for found in listing.names}:
        cleaned = _clean_up_began(history) if settled is None else settled
        return Fate.THERE if cleaned is not None and listing.began >= cleaned else Fate.UNKNOWN
    return Fate.GONE if settled is not None and listing.began >= settled else Fate.UNKNOWN


def _clean_up_began(history: History) -> Instant | None:
    """When the drill began to clean up; a listing before that shows what had to be there."""
    return next((step.began for step in history.steps if step.name == CLEAN_UP), None)


def _settled_at(history: History, name: str) -> Instant | None:
    """From when on an absence is an end: the deletion ended, or the creation was refused; None: never.

    A deletion that was accepted settles it when its operation has ended, since a server can be hidden while it
    is being deleted, and come back if that fails. One whose answer never came settles it from its own beginning:
    a server that is absent after that has been deleted, or was never there.
    """
    deletions = [call for call in _calls(history, name) if call.name.lower().startswith(_DELETE)]
    if deletions:
        last = max(deletions, key=lambda call: call.began)
        if last.status == ACCEPTED:
            return last.operation_ended
        return last.began if last.ended is None else last.ended
    creations = [call for call in _calls(history, name) if call.status is not None and call.ended is not None]
    if creations and all(_was_refused(call) for call in creations):
        return max(call.ended for call in creations if call.ended is not None)
    return None


def _was_refused(call: CallMade) -> bool:
    return call.status is not None and REFUSED_FROM <= call.status < UNSURE_FROM


def _calls(history: History, name: str) -> Sequence[CallMade]:
    return [c for c in history.calls if c.resource.rstrip("/").rsplit("/", 1)[-1].lower() == name.lower()]


def _finding(status: Status, summary: str, counted: str = "") -> Finding:
    return Finding(
        nothing_of_the_drill_is_left_behind.__name__, status, summary, evidence=(counted,) if counted else ()
    )
