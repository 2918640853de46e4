"""A simulated source, archive, restore and clients, whose truth is written down as it happens.

    server    commits of our writers and of others, a log that grows, segments that are archived, a fork
    clients   latency, stalls, lost answers, refusals; a clock that a pause can rob of time
    truth     taken from the server's own lists, never from what a client saw

Time is that of our machine's clock. Where the machine was paused, more time went by than its clock says: the
server's clock, the Date of the control plane and the truth have the pause in them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from drills.history import History
from drills.model import (
    ArchiveSampled,
    Disaster,
    Instant,
    InventoryTaken,
    Lsn,
    MarkerRow,
    MarkerWritten,
    NoncesRead,
    Outcome,
    ProberRan,
    ProbeTried,
    RestoreRequested,
    ServerLooked,
    Stage,
    Surveyed,
    SurveyedRow,
    Waited,
    WaitedFor,
)
from tests.histories import COPY, COPY_NAME, RUN, SOURCE, SOURCE_NAME, UTC_AT_ZERO_S, honest, paused

SEGMENT = 1024 * 1024
OTHERS = "others"
"""Whoever else commits; nobody of ours sees it."""


@dataclass(frozen=True)
class Commit:
    """A transaction that the server committed: when it inserted, when it committed, where its record lies."""

    inserted_at: float
    at: float
    xid: int
    marker: tuple[str, int] | None


@dataclass(frozen=True)
class Sent:
    """A marker as the simulation sent it; `commit` None: the server never committed it."""

    writer: str
    number: int
    sent_at: float
    answered_at: float | None
    outcome: Outcome
    commit: Commit | None


@dataclass
class Server:
    """The source: what it committed, how its log grew, and when its segments were archived."""

    rate: float
    jumps: list[tuple[float, int]]
    archive_delay: Callable[[int], float]
    clock_offset_s: float = 0.3
    clock_ppm: float = 0.0
    paused_at: float = float("inf")
    paused_for_s: float = 0.0
    commits: list[Commit] = field(default_factory=list)
    _archived: list[tuple[float, int]] = field(default_factory=list)

    def position(self, at: float) -> int:
        """Where the log ends; it only grows, and jumps to the next segment when it is switched."""
        return SEGMENT + round(self.rate * at) + sum(size for when, size in self.jumps if when <= at)

    def real(self, at: float) -> float:
        """How much time had really gone by at a moment of our machine's clock."""
        return at + (self.paused_for_s if at > self.paused_at else 0.0)

    def clock_us(self, at: float) -> int:
        """What the server's clock says."""
        real = self.real(at)
        return round((UTC_AT_ZERO_S + real + self.clock_offset_s + real * self.clock_ppm / 1e6) * 1e6)

    def archive_until(self, end: float, step: float = 0.05) -> None:
        """Archive each segment, in order, some time after it was full."""
        done, at, free_at = 1, 0.0, 0.0
        while at <= end:
            while self.position(at) >= (done + 1) * SEGMENT:
                free_at = max(free_at, at + self.archive_delay(done))
                done += 1
                self._archived.append((free_at, done * SEGMENT))
            at += step

    def archived(self, at: float) -> int | None:
        """How far the archive reaches at a moment; None: nothing yet."""
        reach = [end for when, end in self._archived if when <= at]
        return max(reach, default=None)


@dataclass(frozen=True)
class World:
    """A history together with what was true."""

    history: History
    lost_s: float
    exposed_s: float
    back_s: float | None = None
    restored_to_us: float | None = None
    paused: bool = False


# --- a restore of the latest state, or of a chosen point ------------------------------------------------


def data_world(seed: int, *, variant: str = "latest", lie: bool = True) -> World:
    """Simulate a window of writes, an archive, a disaster and a restore of one of several kinds."""
    random = Random(seed)  # noqa: S311  # a simulation has no secrets
    window = random.uniform(12.0, 45.0)
    server = _server(random, window)
    if variant == "latest" and random.random() < 0.15:
        server.paused_at, server.paused_for_s = random.uniform(0.0, window), random.uniform(5.0, 60.0)
    sent = _write(random, server, window + 4.0)
    samples = _sample(random, server, window)
    disaster_at = samples[-1].ended + 1e-4
    samples.append(_reading(random, server, disaster_at + random.uniform(0.01, 0.5)))
    point_us = _point_us(random, server, disaster_at, variant)
    kept, until_us = _restored(random, server, disaster_at, point_us, variant, lie=lie)
    history = _observed(server, sent, samples, disaster_at, point_us, kept, variant)
    struck = server.real(disaster_at)
    before = [c for c in server.commits if c.at < disaster_at]
    missing = [server.real(c.at) for c in before if c.xid not in kept]
    reach = server.archived(disaster_at) or 0
    open_to_loss = [server.real(c.at) for c in before if server.position(c.at) > reach]
    return World(
        history=paused(history, server.paused_at, server.paused_for_s),
        lost_s=struck - min(missing, default=struck),
        exposed_s=struck - min(open_to_loss, default=struck),
        restored_to_us=until_us,
        paused=server.paused_for_s > 0,
    )


def _server(random: Random, window: float) -> Server:
    rate = random.choice([0.0, SEGMENT / 30, SEGMENT / 8, SEGMENT / 2])
    server = Server(
        rate=rate,
        jumps=[],
        archive_delay=_delays(random),
        clock_offset_s=random.uniform(-30.0, 30.0),
        clock_ppm=random.uniform(-400.0, 400.0),
    )
    every = random.uniform(2.0, 15.0)
    at = random.uniform(0.0, every)
    while at < window + 4.0 and random.random() < 0.97:
        server.jumps.append((at, SEGMENT - (server.position(at) % SEGMENT)))
        at += every
    server.archive_until(window + 10.0)
    return server


def _delays(random: Random) -> Callable[[int], float]:
    usual, stuck = random.uniform(0.01, 1.0), random.random() < 0.2
    stuck_at, stuck_for = random.randint(1, 6), random.uniform(5.0, 60.0)
    return lambda segment: stuck_for if stuck and segment == stuck_at else usual


def _write(random: Random, server: Server, until: float) -> list[Sent]:
    """Writers in turn, and others beside them; transaction ids in the order of inserts."""
    plans: list[tuple[float, str, int]] = []
    for writer in "abc"[: random.randint(1, 3)]:
        period, at, number = random.uniform(0.4, 1.2), random.uniform(0.0, 1.0), 0
        while at < until:
            number += 1
            plans.append((at, writer, number))
            at += period * random.uniform(0.8, 1.3)
    plans += [(random.uniform(0.0, until), OTHERS, 0) for _ in range(random.randint(0, 60))]
    lossy = random.choice([0.0, 0.0, 0.05, 0.3])
    busy_until: dict[str, float] = {}
    drawn: list[tuple[float, float, float, float, str, int]] = []
    for planned, writer, number in sorted(plans):
        began = planned if writer == OTHERS else max(planned, busy_until.get(writer, 0.0))
        way, work, back = (_latency(random) for _ in range(3))
        busy_until[writer] = began + way + work + back
        drawn.append((began + way, began, work, back, writer, number))
    sent: list[Sent] = []
    for xid, (inserted_at, began, work, back, writer, number) in enumerate(sorted(drawn), start=1000):
        commit = Commit(inserted_at, inserted_at + work, xid, None if writer == OTHERS else (writer, number))
        fate = 1.0 if writer == OTHERS else random.random()
        committed = fate >= lossy * 2 / 3
        if committed:
            server.commits.append(commit)
        if writer == OTHERS:
            continue
        outcome = (
            Outcome.ACKED if fate >= lossy else Outcome.UNKNOWN if fate >= lossy / 3 else Outcome.REFUSED
        )
        answered_at = None if lossy / 3 <= fate < lossy * 2 / 3 else commit.at + back
        sent.append(Sent(writer, number, began, answered_at, outcome, commit if committed else None))
    return sent


def _latency(random: Random) -> float:
    return random.uniform(0.0005, 0.02) if random.random() < 0.97 else random.uniform(0.05, 1.5)


def _sample(random: Random, server: Server, window: float) -> list[ArchiveSampled]:
    every = random.uniform(0.4, 1.2)
    samples, at = [], 0.2
    while at < window:
        samples.append(_reading(random, server, at))
        at = max(at + every, samples[-1].ended)
    return samples


def _reading(random: Random, server: Server, at: float) -> ArchiveSampled:
    """The counter may lag by one segment, and the field does not always name one."""
    reach = server.archived(at)
    if reach is not None and random.random() < 0.2:
        reach = reach - SEGMENT if reach > 2 * SEGMENT else None
    number = None if reach is None else reach // SEGMENT - 1
    per_log = 2**32 // SEGMENT
    field_ = None if number is None else f"00000001{number // per_log:08X}{number % per_log:08X}"
    if field_ is not None and random.random() < 0.03:
        field_ = f"{field_}.00000028.backup"
    ended = at + random.uniform(0.001, 0.05)
    return ArchiveSampled(
        Instant(at), Instant(ended), field_, SEGMENT, 1, server.clock_us(at), Lsn(server.position(at))
    )


def _point_us(random: Random, server: Server, disaster_at: float, variant: str) -> int:
    if variant == "chosen":
        return server.clock_us(disaster_at * random.uniform(0.3, 0.9)) // 1_000_000 * 1_000_000
    return -(-server.clock_us(disaster_at) // 1_000_000) * 1_000_000


def _restored(
    random: Random, server: Server, disaster_at: float, point_us: int, variant: str, *, lie: bool
) -> tuple[set[int], float]:
    """The transactions that the recovered server holds, and the server time up to which it was restored."""
    if variant == "chosen":
        until_us = point_us + (random.choice([-1, 1]) * random.uniform(0.0, 3e6) if lie else 0.0)
        return {c.xid for c in server.commits if server.clock_us(c.at) <= until_us}, until_us
    kind = random.choice(
        ["archived", "flushed", "earlier", "nothing", "all"] if lie else ["archived", "flushed"]
    )
    picked_at = disaster_at + random.uniform(0.0, 2.0)
    reach = server.archived(picked_at) or 0
    earlier = random.uniform(0.0, disaster_at)
    keeps: dict[str, Callable[[Commit], bool]] = {
        "archived": lambda c: server.position(c.at) <= reach,
        "flushed": lambda c: c.at <= picked_at,
        "earlier": lambda c: c.at <= earlier,
        "nothing": lambda _: False,
        "all": lambda _: True,
    }
    return {c.xid for c in server.commits if keeps[kind](c)}, 0.0


def _observed(
    server: Server,
    sent: list[Sent],
    samples: list[ArchiveSampled],
    disaster_at: float,
    point_us: int,
    kept: set[int],
    variant: str,
) -> History:
    markers = tuple(_marker(server, one) for one in sent)
    rows = tuple(
        SurveyedRow(
            RUN, *c.marker, server.clock_us(c.inserted_at), Lsn(server.position(c.inserted_at)), c.xid
        )
        for c in server.commits
        if c.xid in kept and c.marker is not None
    )
    run, at = honest(variant, written=()), disaster_at
    return replace(
        run,
        markers=markers,
        samples=tuple(samples),
        disaster=Disaster(Instant(at), Instant(at)),
        request=RestoreRequested(
            Instant(at + 0.6), Instant(at + 0.8), SOURCE_NAME, COPY_NAME, point_us, accepted=True
        ),
        inventory=InventoryTaken(Instant(-2.0), Instant(-1.0), {}),
        surveys=tuple(
            Surveyed(Instant(t), Instant(t + 1), COPY_NAME, COPY, f"survey-{t}", rows) for t in (740.0, 772.0)
        ),
    )


def _marker(server: Server, sent: Sent) -> MarkerWritten:
    ended = None if sent.answered_at is None else Instant(sent.answered_at)
    row = None
    if sent.outcome is Outcome.ACKED and sent.commit is not None:
        at_us = server.clock_us(sent.commit.inserted_at)
        row = MarkerRow(
            server_time_us=at_us,
            statement_time_us=at_us,
            xid=sent.commit.xid,
            snapshot=_snapshot(server, sent.commit),
            lsn=Lsn(server.position(sent.commit.inserted_at)),
            timeline=1,
            synchronous_commit="on",
            server_started_us=SOURCE.started_us,
        )
    return MarkerWritten(sent.writer, sent.number, Instant(sent.sent_at), ended, sent.outcome, row)


def _snapshot(server: Server, own: Commit) -> str:
    """What a statement that begins at this moment sees: all below, but for those under way."""
    at = own.inserted_at
    begun = [c for c in server.commits if c.inserted_at < at]
    under_way = sorted(c.xid for c in begun if c.at > at)
    end = max((c.xid for c in begun), default=999) + 1
    return f"{min(under_way, default=end)}:{end}:{','.join(map(str, under_way))}"


# --- a service that comes back --------------------------------------------------------------------------


@dataclass(frozen=True)
class Service:
    """When a write begun at a moment completes within the probe's limit."""

    back_at: float
    breaks: tuple[tuple[float, float], ...]
    backlog_at: float | None

    def takes(self, at: float) -> bool:
        """Tell whether a write that begins now is acknowledged in time."""
        return at >= self.back_at and not any(began <= at < ended for began, ended in self.breaks)


def service_world(seed: int) -> World:
    """Simulate a recovered server that comes back, with or without breaks, and a prober that tries it."""
    random = Random(seed)  # noqa: S311  # a simulation has no secrets
    disaster_at = 10.0
    ready_at = disaster_at + random.uniform(2.0, 60.0)
    seen_at = ready_at + random.uniform(0.0, 5.0)
    opened_at = seen_at + random.choice([0.2, 0.2, 10.0])
    back_at = max(opened_at, ready_at) + random.uniform(0.0, 20.0)
    period, limit = random.uniform(0.1, 1.0), random.uniform(0.5, 3.0)
    surveys = _survey_times(random, back_at)
    stop_at = surveys[-1] + 1.0 + 3 * period + random.uniform(0.0, 5.0)
    service = Service(back_at, _breaks(random, back_at, stop_at), back_at + random.uniform(0.0, period))
    attempts = _attempts(random, service, seen_at + 0.05, stop_at, period, limit)
    run = honest(written=())
    asked_at = stop_at + limit + 1.0
    history = replace(
        run,
        disaster=Disaster(Instant(disaster_at), Instant(disaster_at)),
        request=RestoreRequested(
            Instant(disaster_at + 0.1), Instant(disaster_at + 0.3), SOURCE_NAME, COPY_NAME, 0, accepted=True
        ),
        looks=_looks(disaster_at, seen_at),
        attempts=attempts,
        probers=(_prober(random, period, limit, seen_at, stop_at),),
        surveys=tuple(
            Surveyed(Instant(t), Instant(t + 0.5), COPY_NAME, COPY, f"survey-{t}", ())
            for t in surveys
            if service.takes(t)
        ),
        waits=(Waited(WaitedFor.TOOL, "the look and the rule", Instant(ready_at), Instant(opened_at)),),
        source_nonces=NoncesRead(Instant(asked_at), Instant(asked_at + 0.1), SOURCE, frozenset()),
        switch_over_delay_s=3.0,
    )
    lasting = [ended for began, ended in service.breaks if ended - began > 2 * period]
    return World(history, 0.0, 0.0, back_s=max([back_at, *lasting]) - disaster_at)


def _survey_times(random: Random, back_at: float) -> list[float]:
    first = back_at + random.uniform(0.1, 10.0)
    return [first + n * random.uniform(3.6, 6.0) for n in range(random.randint(1, 4))]


def _breaks(random: Random, back_at: float, stop_at: float) -> tuple[tuple[float, float], ...]:
    found = []
    for _ in range(random.choice([0, 0, 1, 2])):
        began = random.uniform(back_at, stop_at)
        found.append((began, began + random.choice([0.05, 0.5, 3.0, 8.0])))
    return tuple((began, ended) for began, ended in found if ended < stop_at)


def _looks(disaster_at: float, seen_at: float) -> tuple[ServerLooked, ...]:
    times = [disaster_at + 0.5 + n for n in range(int(seen_at - disaster_at))]
    hidden = [
        ServerLooked(Instant(t), Instant(t + 0.02), found=True, state="Provisioning", address=None)
        for t in times
        if t < seen_at
    ]
    shown = ServerLooked(
        Instant(seen_at), Instant(seen_at + 0.02), found=True, state="Ready", address="copy.example"
    )
    return (*hidden, shown)


def _attempts(
    random: Random, service: Service, began: float, stop_at: float, period: float, limit: float
) -> tuple[ProbeTried, ...]:
    """One attempt a period; while it was away, some hang until the limit and others are refused at once."""
    found: list[ProbeTried] = []
    backlog_left, at, number = 1, began, 0
    denied_until = began + random.choice([0.0, 0.0, 3.0])
    while at < stop_at:
        number += 1
        nonce = f"new-{number}"
        full = backlog_left and service.backlog_at is not None and at >= service.backlog_at
        backlog_left -= bool(full)
        if service.takes(at) and at >= denied_until and not full:
            ended = at + random.uniform(0.005, min(0.3, limit))
            found.append(ProbeTried("new", number, Instant(at), Instant(ended), Stage.WRITTEN, nonce, COPY))
        else:
            ended = at + random.choice([0.01, limit])
            denied = at < denied_until
            found.append(
                ProbeTried(
                    "new",
                    number,
                    Instant(at),
                    Instant(ended),
                    Stage.NONE,
                    nonce,
                    None,
                    "no",
                    unresolved=denied,
                )
            )
        at += period * random.uniform(0.95, 1.1)
    return tuple(found)


def _prober(random: Random, period: float, limit: float, began: float, stop_at: float) -> ProberRan:
    stopped = Instant(stop_at) if random.random() < 0.95 else None
    return ProberRan("new", period, limit, Instant(began), stopped)
