"""Histories that have fooled such tools, one a row: what was seen, and how it has to end.

Each is an honest history with one thing changed; the check that has to notice is named, and what the whole run
may be called at best.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from drills.history import History
from drills.model import (
    Instant,
    NoncesRead,
    Objectives,
    ProberRan,
    Stage,
    Status,
    SurveyedRow,
    Waited,
    WaitedFor,
)
from drills.verdict import find, verdict
from tests.histories import (
    PRODUCTION,
    RUN,
    SOURCE,
    acked,
    attempts,
    edited,
    failed,
    honest,
    lacking,
    markers,
    paused,
    row_of,
    sampled,
    samples,
    surveyed,
    surveys_find,
    unknown,
    utc_stepped,
)

PASSED, FAILED, INCONCLUSIVE = Status.PASSED, Status.FAILED, Status.INCONCLUSIVE
DATA_LOST = "acknowledged_data_lost_within_the_objective"
POINT = "the_restore_point_was_respected_on_both_sides"
BACK = "service_was_back_within_the_objective"
WHOLE = "nothing_is_missing_in_between_doubled_or_foreign"
RECOVERED = "the_server_that_answered_is_the_recovered_one"

POINT_AT = 299.7
"""The chosen point by our clock: 300 s of the source's, which is 0.3 s ahead."""


@dataclass(frozen=True)
class Known:
    """A history, the check that has to notice, and the statuses that are right for it."""

    told: str
    happened: Callable[[], History]
    check: str
    may_be: tuple[Status, ...]
    objectives: Objectives = PRODUCTION


def back_at(at: float, *, began: float = 702.0, gap: float = 10.0) -> History:
    """A service that takes writes again at an instant, surveyed twice from `gap` seconds later."""
    run = honest()
    end = at + gap + 40.0
    rows = run.surveys[0].rows
    return edited(
        run,
        attempts=attempts(began, at, end),
        surveys=(surveyed(at + gap, rows), surveyed(at + gap + 32.0, rows)),
        probers=(ProberRan("new", 0.5, 2.0, Instant(began - 0.5), Instant(end + 0.2)),),
        source_nonces=NoncesRead(Instant(end + 1), Instant(end + 1.1), SOURCE, frozenset()),
    )


def with_attempt(history: History, attempt: object) -> History:
    return edited(history, attempts=(*history.attempts, attempt))


def archive_caught_up_late() -> History:
    nothing_yet = tuple(sampled(0.5 + n, field=None) for n in range(380))
    return edited(honest(), samples=(*nothing_yet, sampled(381.0), sampled(385.0), sampled(389.5)))


def archived_each_300_seconds() -> History:
    """Segments arrive each 300 s; the largest lag that a reading saw is 301 s, and D falls late in a cycle."""
    steps = tuple(sampled(0.5 + n, archived_at=0.0 if 0.5 + n < 301.5 else 300.0) for n in range(390))
    return edited(honest(), samples=steps)


def copy_writes_again() -> History:
    run = honest()
    lost = next(m for m in run.markers if (m.writer, m.number) == ("a", 101))
    again = replace(row_of(lost), server_time_us=row_of(lost).server_time_us + 900_000_000, xid=77)
    return surveys_find(lacking(run, ("a", 101)), lambda _: True, again)


def somebody_commits_between() -> History:
    """A commit at T + 0.5 s that nobody of ours saw; the service restores to T + 1.0 s, and a marker shows it."""
    run = honest("chosen")
    over = [m for m in run.acked if POINT_AT < m.began < POINT_AT + 1.0]
    return surveys_find(run, lambda _: True, *(row_of(m) for m in over))


def stalled_across_the_point(*, present: bool) -> History:
    stalled = acked(900, POINT_AT - 1.15, POINT_AT + 0.15, server_at=POINT_AT - 1.1)
    run = honest("chosen", written=(*markers(), stalled))
    return run if present else lacking(run, ("a", 900))


def unknown_after_the_point() -> History:
    silent = [m for m in markers() if not POINT_AT < m.began < POINT_AT + 10.5]
    run = honest("chosen", written=(*silent, unknown(900, POINT_AT + 0.5)))
    return surveys_find(run, lambda _: True, row_of(run.markers[-1]))


def surveys_of_the_source() -> History:
    run = honest()
    assert run.source_nonces is not None
    written = frozenset(n for n in (*(s.nonce for s in run.surveys), *(a.nonce for a in run.attempts)) if n)
    return edited(run, source_nonces=replace(run.source_nonces, nonces=written))


def firewall_two_minutes_late() -> History:
    run = back_at(390.0 + 963.0, began=390.0 + 842.0)
    wait = Waited(WaitedFor.TOOL, "the firewall step", Instant(390.0 + 840.0), Instant(390.0 + 960.0))
    return edited(run, waits=(wait,))


def prober_dies(at: float) -> History:
    run = back_at(690.0, began=680.0, gap=2.0)
    kept = tuple(a for a in run.attempts if a.began < at)
    return edited(run, attempts=kept, probers=(replace(run.probers[0], stopped=None),))


def paused_machine() -> History:
    run = back_at(390.0 + 857.0)
    first = run.dates[0]
    dates = tuple(
        replace(first, began=Instant(float(at)), ended=Instant(at + 0.05), date_s=first.date_s + at + 5)
        for at in range(-5, 1400, 5)
    )
    return paused(edited(run, dates=dates), 800.0, 60.0)


def without_window(row: SurveyedRow) -> bool:
    return row.run_id != RUN


KNOWN = [
    Known("the honest history", honest, WHOLE, (PASSED,)),
    Known(
        "eleven hours missing, window 390 s, nothing of it there",
        lambda: surveys_find(honest(), without_window),
        DATA_LOST,
        (FAILED,),
    ),
    Known(
        "archive 10 min behind, nothing of the window archived, the service flushes the living source",
        lambda: edited(honest(), samples=tuple(sampled(0.5 + n, field=None) for n in range(390))),
        DATA_LOST,
        (INCONCLUSIVE,),
    ),
    Known(
        "a segment is archived between the last archive reading and the request",
        lambda: edited(honest(), samples=(*samples(ended=389.0, behind=330.0), sampled(391.0))),
        DATA_LOST,
        (INCONCLUSIVE,),
    ),
    Known(
        "a lag of 380 s seen in the window, D falls 10 s after a segment",
        archive_caught_up_late,
        DATA_LOST,
        (INCONCLUSIVE,),
    ),
    Known(
        "archived each 300 s, largest lag 301 s", archived_each_300_seconds, DATA_LOST, (PASSED, INCONCLUSIVE)
    ),
    Known("number 1 is the only one lost: a hole", lambda: lacking(honest(), ("a", 1)), WHOLE, (FAILED,)),
    Known("number 1 is the only one lost: 390 s", lambda: lacking(honest(), ("a", 1)), DATA_LOST, (FAILED,)),
    Known(
        "numbers unknown in the middle",
        lambda: honest(written=(*markers(), *(unknown(900 + n, 99.0 + n) for n in range(20)))),
        DATA_LOST,
        (PASSED,),
    ),
    Known("both surveys reach the source", surveys_of_the_source, DATA_LOST, (INCONCLUSIVE,)),
    Known("both surveys reach the source, and so did the name", surveys_of_the_source, RECOVERED, (FAILED,)),
    Known("the copy's own job writes a lost number again", copy_writes_again, WHOLE, (FAILED,)),
    Known("the service restores to T + 1.0 s", somebody_commits_between, POINT, (FAILED,)),
    Known(
        "a marker stalls across T, honestly absent",
        lambda: stalled_across_the_point(present=False),
        POINT,
        (PASSED,),
    ),
    Known(
        "a marker stalls across T, honestly present",
        lambda: stalled_across_the_point(present=True),
        POINT,
        (PASSED,),
    ),
    Known(
        "the marker after T was UNKNOWN; restored 10 s too late", unknown_after_the_point, POINT, (FAILED,)
    ),
    Known(
        "UTC stepped by -40 s during 15:20",
        lambda: utc_stepped(back_at(390.0 + 877.0), 600.0, -40.0),
        BACK,
        (INCONCLUSIVE,),
    ),
    Known(
        "the machine paused for 60 s in 960 s, objective 950 s",
        paused_machine,
        BACK,
        (INCONCLUSIVE,),
        replace(PRODUCTION, rto_s=950.0),
    ),
    Known(
        "server Ready at 14:00, our firewall step 2 min late",
        firewall_two_minutes_late,
        BACK,
        (INCONCLUSIVE,),
    ),
    Known(
        "back at 899.9 s, one attempt at 900.2 s hits a full backlog",
        lambda: with_attempt(back_at(390.0 + 899.9, began=390.0 + 850.0), failed(9000, 390.0 + 900.2)),
        BACK,
        (INCONCLUSIVE,),
    ),
    Known(
        "good at 300 s, surveys 302 to 335 s, the prober dies at 336 s",
        lambda: prober_dies(726.0),
        BACK,
        (INCONCLUSIVE,),
    ),
    Known(
        "one refused probe a second after the surveys",
        lambda: with_attempt(honest(), failed(9000, 775.2)),
        BACK,
        (INCONCLUSIVE,),
    ),
    Known(
        "an attempt after the surveys that never ended",
        lambda: with_attempt(honest(), failed(9000, 775.2, took=None, stage=Stage.CONNECTED)),
        BACK,
        (INCONCLUSIVE,),
    ),
]


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.told)
def test_it_ends_as_it_must(known: Known) -> None:
    run = known.happened()
    found = find(run, known.objectives)

    assert next(f.status for f in found if f.check == known.check) in known.may_be
    if PASSED not in known.may_be:
        assert verdict(run, found) is not PASSED
