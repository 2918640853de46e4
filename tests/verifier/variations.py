"""Which histories are worth judging twice? Simulated ones, with up to three things changed in each.

A seed gives a history: a world of the simulator (`tests/checks/simulated.py`), or the honest history by hand, and
then changes of the kind that have separated two readings of one sentence: what is missing, what comes twice, what
falls on an edge, and what the clocks disagree about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from drills.history import History
from drills.model import Instant, Objectives, ProberRan, Stage, StepTaken, Surveyed, Waited, WaitedFor
from tests.checks.simulated import data_world, service_world
from tests.histories import (
    COPY,
    PRODUCTION,
    SOURCE,
    acked,
    edited,
    failed,
    honest,
    paused,
    row_of,
    utc_stepped,
)

Change = Callable[[Random, History], History]


def varied(seed: int) -> tuple[History, Objectives]:
    """The history of a seed, and the objectives that it is judged by."""
    random = Random(seed)  # noqa: S311  # a simulation has no secrets
    history = _base(random)
    for change in random.sample(CHANGES, random.choice([0, 1, 1, 2, 3])):
        history = change(random, history)
    return history, _objectives(random)


def _base(random: Random) -> History:
    seed = random.randrange(2**48)
    match random.randrange(20):
        case 0:
            return honest(random.choice(["latest", "chosen"]))
        case n if n < 8:
            return data_world(seed).history
        case n if n < 13:
            return data_world(seed, variant="chosen").history
        case _:
            return service_world(seed).history


def _objectives(random: Random) -> Objectives:
    rpo_s = random.choice([1.0, 10.0, 30.0, 300.0, 300.0])
    rto_s = random.choice([10.0, 40.0, 380.0, 900.0, 900.0, 900.0])
    return replace(
        PRODUCTION,
        rpo_s=rpo_s,
        rpo_profile_s=rpo_s,
        rto_s=rto_s,
        rto_profile_s=rto_s,
        detection_and_decision_s=random.choice([0.0, 0.0, 60.0]),
        switch_over_delay_s=random.choice([0.0, 3.0, 30.0, 30.0]),
        archive_lag_accepted=random.choice([None, None, "accepted"]),
        unreadable_archive_accepted=random.choice([None, None, "accepted"]),
    )


# --- changes --------------------------------------------------------------------------------------------


def something_missing(random: Random, history: History) -> History:
    """One kind of observation was never made."""
    nothing: dict[str, object] = {
        "disaster": None,
        "request": None,
        "inventory": None,
        "source_nonces": None,
        "samples": (),
        "attempts": (),
        "looks": (),
        "surveys": (),
        "markers": (),
        "dates": (),
    }
    name = random.choice(list(nothing))
    return edited(history, **{name: nothing[name]})


def not_finished(random: Random, history: History) -> History:
    """The run was aborted, or its variant is one that nobody knows."""
    if random.random() < 0.7:
        return edited(history, completed=False)
    return edited(history, run=replace(history.run, variant="another"))


def disaster_elsewhere(random: Random, history: History) -> History:
    """The disaster is a bracket, or comes at another moment, even after the request."""
    if history.disaster is None:
        return history
    earliest = history.disaster.earliest + random.choice([0.0, 0.0, -2.0, 1.0, 5.0])
    latest = earliest + random.choice([0.0, 0.5, 3.0])
    return edited(
        history, disaster=replace(history.disaster, earliest=Instant(earliest), latest=Instant(latest))
    )


def point_elsewhere(random: Random, history: History) -> History:
    """The request asks for another point, on a marker's own microsecond or beside it."""
    times = [m.row.server_time_us for m in history.acked if m.row]
    if history.request is None or not times:
        return history
    newest = max((row.server_time_us for s in history.surveys for row in s.rows), default=times[0])
    point_us = random.choice([random.choice(times), newest]) + random.choice([-1, 0, 0, 1, 500_000])
    return edited(history, request=replace(history.request, point_us=point_us))


def request_elsewhere(random: Random, history: History) -> History:
    """The request was sent earlier or later, or its answer never came."""
    if history.request is None:
        return history
    began = Instant(history.request.began + random.choice([-30.0, -0.7, 0.0, 3.0]))
    return edited(history, request=replace(history.request, began=began, ended=None))


def surveys_contradict(random: Random, history: History) -> History:
    """One survey lacks a row, holds a changed one, or one twice."""
    surveys = list(history.surveys)
    with_rows = [n for n, survey in enumerate(surveys) if survey.rows]
    if not with_rows:
        return history
    where = random.choice(with_rows)
    rows = list(surveys[where].rows)
    at = random.randrange(len(rows))
    match random.randrange(3):
        case 0:
            del rows[at]
        case 1:
            rows[at] = replace(rows[at], xid=rows[at].xid + 1)
        case _:
            rows.append(rows[at])
    surveys[where] = replace(surveys[where], rows=tuple(rows))
    return edited(history, surveys=tuple(surveys))


def rows_lost(random: Random, history: History) -> History:
    """Every survey lacks one marker, or all from one on."""
    if not history.markers:
        return history
    gone = random.choice(history.markers)
    later = random.random() < 0.5

    def kept(survey: Surveyed) -> Surveyed:
        lost = {
            (m.writer, m.number) for m in history.markers if m is gone or (later and m.began >= gone.began)
        }
        return replace(survey, rows=tuple(r for r in survey.rows if (r.writer, r.number) not in lost))

    return edited(history, surveys=tuple(map(kept, history.surveys)))


def earlier_runs(random: Random, history: History) -> History:
    """The source held rows of an earlier run, and the surveys found fewer, as many or more of them."""
    if history.inventory is None:
        return history
    counts = [random.randrange(4) for _ in history.surveys]
    earlier = [row_of(acked(n, -90.0 + n, -89.9 + n), "before") for n in range(4)]
    surveys = tuple(
        replace(s, rows=(*s.rows, *earlier[:count])) for s, count in zip(history.surveys, counts, strict=True)
    )
    own = random.choice([{}, {history.run.run_id: 9999}])
    inventory = replace(history.inventory, rows_by_run={"before": random.randrange(4), **own})
    return edited(history, surveys=surveys, inventory=inventory)


def surveys_elsewhere(random: Random, history: History) -> History:
    """A survey met another process, one in recovery, or wrote no nonce, or another came in between."""
    if not history.surveys:
        return history
    surveys = list(history.surveys)
    at = random.randrange(len(surveys))
    one = surveys[at]
    match random.randrange(6):
        case 0:
            surveys[at] = replace(one, identity=replace(COPY, started_us=COPY.started_us + 1))
        case 1:
            surveys[at] = replace(one, identity=replace(COPY, in_recovery=True))
        case 2:
            surveys = [replace(s, nonce=None) for s in surveys]
        case 3:
            surveys[at] = replace(one, nonce=None)
        case 4:
            surveys.append(replace(one, began=one.began, ended=Instant(one.ended + 0.25)))
        case _:
            surveys.append(replace(one, began=Instant(one.began + 31.5), ended=Instant(one.ended + 31.5)))
    return edited(history, surveys=tuple(surveys))


def source_answers(random: Random, history: History) -> History:
    """The source holds a nonce, was asked early, or is another database."""
    asked = history.source_nonces
    written = [n for n in (*(a.nonce for a in history.attempts), *(s.nonce for s in history.surveys)) if n]
    if asked is None or not written:
        return history
    match random.randrange(4):
        case 0:
            held = frozenset(random.sample(written, min(len(written), random.randint(1, 5))))
            return edited(history, source_nonces=replace(asked, nonces=held))
        case 1:
            early = Instant(asked.began - random.uniform(0.0, 60.0))
            return edited(history, source_nonces=replace(asked, began=early))
        case 2:
            other = replace(SOURCE, system_identifier="1")
            return edited(history, source_nonces=replace(asked, identity=other))
        case _:
            return edited(history, source_nonces=replace(asked, nonces=frozenset(written)))


def attempts_elsewhere(random: Random, history: History) -> History:
    """An attempt answered otherwise: no identity, no nonce, no end, a straggler, a name denied."""
    attempts = list(history.attempts)
    if not attempts:
        return history
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(attempts))
        one = attempts[at]
        match random.randrange(7):
            case 0:
                attempts[at] = replace(one, identity=None)
            case 1:
                attempts[at] = replace(one, nonce=None)
            case 2:
                attempts[at] = replace(
                    one, ended=None, stage=Stage.NONE, identity=None, error=None, unresolved=False
                )
            case 3:
                attempts[at] = replace(one, stage=Stage.READ)
            case 4:
                attempts[at] = replace(one, unresolved=True)
            case 5:
                attempts[at] = replace(one, identity=replace(COPY, in_recovery=True))
            case _:
                del attempts[max(0, at - random.randrange(8)) : at]
                if not attempts:
                    return history
    return edited(history, attempts=tuple(attempts))


def probers_elsewhere(random: Random, history: History) -> History:
    """A second prober, one that began late or stopped early, or was never seen to stop."""
    if not history.probers:
        return history
    first = history.probers[0]
    match random.randrange(4):
        case 0:
            return edited(history, probers=(*history.probers, replace(first, prober="second")))
        case 1:
            late = Instant(first.began + random.uniform(0.0, 40.0))
            return edited(history, probers=(replace(first, began=late),))
        case 2 if first.stopped is not None:
            early = Instant(first.stopped - random.uniform(0.0, 10.0))
            return edited(history, probers=(replace(first, stopped=early),))
        case _:
            second = ProberRan("second", first.period_s, first.limit_s, first.began, None)
            return edited(history, probers=(*history.probers, second))


def waits(random: Random, history: History) -> History:
    """Our tool waited, several times at once, and a person did too."""
    if history.disaster is None:
        return history
    made = []
    for _ in range(random.randint(1, 5)):
        began = history.disaster.latest + random.uniform(-5.0, 60.0)
        who = random.choice([WaitedFor.TOOL, WaitedFor.TOOL, WaitedFor.PERSON])
        made.append(Waited(who, "a wait", Instant(began), Instant(began + random.uniform(-1.0, 20.0))))
    return edited(history, waits=tuple(made))


def archive_elsewhere(random: Random, history: History) -> History:
    """Readings that name no segment, another timeline or another size, or that were left out."""
    if not history.samples:
        return history
    samples = list(history.samples)
    match random.randrange(6):
        case 0:
            names = [
                None,
                "",
                "000000010000000000000003.partial",
                "00000002.history",
                "00000001000000000000000g",
            ]
            at = random.choice([len(samples) - 1, random.randrange(len(samples))])
            samples[at] = replace(samples[at], segment=random.choice(names))
        case 1:
            at = random.randrange(len(samples))
            samples[at:] = [replace(s, timeline=2) for s in samples[at:]]
        case 2:
            at = random.randrange(len(samples))
            samples[at] = replace(samples[at], segment_bytes=random.choice([0, -1, 2 * 1024 * 1024]))
        case 3:
            samples = samples[:: random.randint(2, 9)]
        case 4:
            fewest = random.randint(9, 12)
            samples = [samples[n * (len(samples) - 1) // fewest] for n in range(fewest + 1)]
        case _:
            samples = samples[-random.randint(1, 12) :]
    return edited(history, samples=tuple(samples))


def source_timelines(random: Random, history: History) -> History:
    """Some markers were acknowledged on another timeline."""
    if not history.markers:
        return history
    at = random.randrange(len(history.markers))
    changed = tuple(
        m if m.row is None or n < at else replace(m, row=replace(m.row, timeline=2))
        for n, m in enumerate(history.markers)
    )
    return edited(history, markers=changed)


def clocks_disagree(random: Random, history: History) -> History:
    """UTC was stepped, our machine was paused, or both."""
    at = random.uniform(-5.0, 60.0) if random.random() < 0.7 else random.uniform(-5.0, 800.0)
    by_s = random.choice([-40.0, -0.6, 0.4, 0.6, 3.0, 60.0])
    if random.random() < 0.6:
        history = utc_stepped(history, at, by_s)
    if random.random() < 0.6:
        history = paused(history, at + random.uniform(-10.0, 10.0), random.choice([1.0, 3.0, 60.0]))
    return history


def server_clock_stepped(random: Random, history: History) -> History:
    """The source's own clock jumped, by more or less than the round trips hide."""
    if not history.markers:
        return history
    at = random.randrange(len(history.markers))
    by_us = random.choice([-5_000_000, -20_000, 20_000, 2_000_000])
    changed = tuple(
        m
        if m.row is None or n < at
        else replace(m, row=replace(m.row, server_time_us=m.row.server_time_us + by_us))
        for n, m in enumerate(history.markers)
    )
    return edited(history, markers=changed)


def around_the_surveys(random: Random, history: History) -> History:
    """An attempt failed while a survey was under way, or attempts ended around the end of one."""
    attempts, surveys = history.attempts, history.surveys
    if not attempts or not surveys:
        return history
    one = random.choice(surveys)
    at = Instant(random.uniform(one.began - 0.2, one.ended + 0.2))
    if random.random() < 0.5:
        late = failed(90_000 + random.randrange(1000), at)
        return edited(history, attempts=tuple(sorted((*attempts, late), key=lambda a: a.began)))
    kept = tuple(a for a in attempts if a.began < at)
    probers = tuple(replace(p, stopped=Instant(at + 0.1)) for p in history.probers)
    return edited(history, attempts=kept, probers=probers)


def slow_answers(random: Random, history: History) -> History:
    """The control plane answered slowly, and its Date moved by about as much."""
    if not history.dates:
        return history
    by_s, took_s, at = random.randint(1, 6), random.uniform(0.0, 6.0), random.uniform(-5.0, 60.0)
    dates = tuple(
        replace(d, ended=Instant(d.began + took_s), date_s=d.date_s + (by_s if d.began > at else 0))
        for d in history.dates
    )
    return edited(history, dates=dates)


def looked_later(random: Random, history: History) -> History:
    """Looks went on showing no address, some after the probers had been stopped."""
    if not history.looks:
        return history
    first = history.looks[0]
    later = [first.began + random.uniform(0.0, 400.0) for _ in range(random.randint(1, 3))]
    looks = tuple(replace(first, began=Instant(at), ended=Instant(at + 0.05)) for at in later)
    return edited(history, looks=(*history.looks, *looks))


def steps(random: Random, history: History) -> History:
    """A step failed; nothing that is recomputed depends on it."""
    in_vain = StepTaken("restore the login", Instant(5.0), Instant(6.0 + random.random()), "no")
    return edited(history, steps=(*history.steps, in_vain))


CHANGES: tuple[Change, ...] = (
    something_missing,
    not_finished,
    disaster_elsewhere,
    point_elsewhere,
    request_elsewhere,
    surveys_contradict,
    rows_lost,
    earlier_runs,
    surveys_elsewhere,
    source_answers,
    attempts_elsewhere,
    probers_elsewhere,
    waits,
    archive_elsewhere,
    source_timelines,
    clocks_disagree,
    server_clock_stepped,
    around_the_surveys,
    slow_answers,
    looked_later,
    steps,
)
