"""What is each scenario called in plain words: for a reader who never saw the code?

A scenario without an entry here is told by its name; nothing else depends on this table.
"""

from __future__ import annotations

from dataclasses import dataclass

from drills.history import History
from reports.words import plain


@dataclass(frozen=True, slots=True)
class Story:
    """A headline, and what happened in halves of a sentence; {source} and {recovered} are names of servers."""

    title: str
    disaster: str
    recovery: str


_STORIES = {
    ("pitr_restore", "latest"): Story(
        title="Point-in-time restore to the latest point",
        disaster="{source} and its data were taken as lost",
        recovery="the newest state that could be restored was brought up as the new server {recovered}",
    ),
    ("pitr_restore", "chosen"): Story(
        title="Point-in-time restore to a chosen point",
        disaster="{source} and its data were taken as lost",
        recovery="the state of a chosen second was brought up as the new server {recovered}",
    ),
}


def story(history: History) -> Story:
    """Tell a run in words, or by its names where there are none."""
    run = history.run
    told = _STORIES.get((run.scenario, run.variant))
    if told is not None:
        return told
    return Story(
        title=plain(f"{run.scenario}, {run.variant}").capitalize(),
        disaster="the disaster struck {source}",
        recovery="it was recovered as {recovered}",
    )
