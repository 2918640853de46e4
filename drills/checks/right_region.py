"""Did the server come back where it was to come back: in the paired region, and not beside the one that was lost?"""

from __future__ import annotations

from drills.history import History
from drills.history.observed import plain_region
from drills.model import Finding, Objectives, Status


def the_recovered_server_is_in_the_right_region(history: History, _: Objectives) -> Finding:
    """The recovered server is in the paired region that the profile names.

    The control plane says where the server stands, after the restore was asked for; the source stood elsewhere.
    """
    declared, after = history.declared, history.description_after
    wanted = None if declared is None else plain_region(declared.paired_region)
    if wanted is None:
        return _finding(Status.INCONCLUSIVE, "the profile names no paired region")
    stands = None if after is None else plain_region(after.location)
    if after is None or stands is None:
        return _finding(Status.INCONCLUSIVE, "nobody noted in which region the recovered server stands")
    before = history.description_before
    was = plain_region(before.location if before is not None and before.location else None)
    if was is None and declared is not None:
        was = plain_region(declared.region)
    if stands == was:
        return _finding(Status.FAILED, f"it stands in {after.location}, the region that was lost")
    if stands != wanted:
        return _finding(Status.FAILED, f"it stands in {after.location} instead of {wanted}")
    if was is None:
        return _finding(Status.INCONCLUSIVE, "nobody noted in which region the source stands")
    return _finding(Status.PASSED, f"it stands in {after.location}, the source in {was}")


def _finding(status: Status, summary: str) -> Finding:
    return Finding(the_recovered_server_is_in_the_right_region.__name__, status, summary)
