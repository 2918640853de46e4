"""How is a drill carried out? The verbs that a scenario has; each acts, and writes down what it saw.

Nothing here judges. A verb that cannot do its part raises; whatever happens, the processes are stopped, every
server that was named is deleted, and the record is closed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import tenacity

from drills import clock
from drills.azure.operations import Busy, NothingCameBack, Operation
from drills.errors import DrillError, ProviderError, WaitedTooLong
from drills.journal import Journal, read_chain
from drills.model import ArchiveSampled, Disaster, Instant, ServerLooked, Surveyed, WaitedFor
from drills.observe import source as source_side
from drills.observe import vectors
from drills.observe.connections import Login, NameUnknown, one_line
from drills.observe.observers import Observers
from drills.observe.survey import survey

if TYPE_CHECKING:
    from drills.azure.servers import Servers, ServerSeen
    from drills.observe.source import ArchiveSampler, Source
    from drills.plan import Plan
    from drills.target import SourceServer

Say = Callable[[str], None]

_SECOND_US = 1_000_000
_SAY_EVERY_S = 3.0
"""Wall seconds between two lines of progress while a drill waits."""
FAILURES = (DrillError, psycopg.Error)
"""What a verb may raise when the world is not as it should be; anything else is our own defect."""


class Drill:
    """One run of one scenario variant, under way."""

    def __init__(
        self,
        plan: Plan,
        *,
        folder: Path,
        journal: Journal,
        servers: Servers,
        source_server: SourceServer,
        login: Login,
        say: Say,
        stop: threading.Event,
    ) -> None:
        """Be ready; nothing is asked and nothing is written yet."""
        self.plan = plan
        self.variant = plan.variant
        self._pace = plan.pace
        self._folder = folder
        self._journal = journal
        self._servers = servers
        self._source_server = source_server
        self._login = login
        self._say = say
        self._stop = stop
        self._steps = count(1)
        self._observers = Observers(plan.run_id, login=login, folder=folder, journal=journal)
        self._news = self._observers.news
        self._sampler: ArchiveSampler | None = None
        self._source_seen: ServerSeen | None = None
        self._source: Source | None = None
        self._restore: Operation | None = None
        self._fqdn: str | None = None
        self._ready_unseen_since: Instant | None = None
        self._disaster: Instant | None = None

    # --- before the disaster ----------------------------------------------------------------------------

    def prepare_source(self) -> None:
        """Look at the source, have `dr_drill` there, and note what stood in it before."""
        with self._step("prepare the source"):
            seen = self._servers.get(self.plan.source_group, self.plan.source)
            if seen is None or seen.fqdn is None:
                raise ProviderError(
                    f"the source {self.plan.source} does not exist, or shows no address",
                    hint=f"check its name and its resource group {self.plan.source_group}",
                )
            self._source_seen = seen
            self._source = source_side.Source(self._login, seen.fqdn)
            self._journal.write("source_seen", **asdict(seen))
            source_side.prepare(self._source, self._journal)
            self._observers.start_prober(period_s=self._pace.probe_period_s, limit_s=self._pace.probe_limit_s)

    @contextmanager
    def markers_and_archive_watched(self) -> Iterator[None]:
        """Have markers written and the archive sampled while the body runs."""
        self._sampler = source_side.ArchiveSampler(self._on_source, self._journal)
        self._observers.start_writers(
            self._on_source.fqdn, period_s=self._pace.marker_period_s, limit_s=self._pace.marker_limit_s
        )
        self._sampler.start()
        try:
            yield
        finally:
            self._observers.stop_writers()
            self._sampler.close()

    def watch_source(self) -> None:
        """Let the window pass: long enough that what the objective allows to be lost would show."""
        with self._step("watch the source"):
            self._news.wait(
                lambda: self._news.first_acked is not None,
                what="the first marker to be acknowledged",
                limit_s=30.0,
                alive=self._observers.writer_alive,
            )
            window_ends = Instant((self._news.first_acked or clock.now()) + self._pace.window_s)
            while clock.now() < window_ends and not self._stop.is_set():
                clock.sleep_until(min(window_ends, Instant(clock.now() + _SAY_EVERY_S)), stop=self._stop)
                left = max(0.0, window_ends - clock.now()) * self.plan.time_scale
                self._say(
                    f"{self._news.acked()} markers acknowledged, {self._news.unknown()} unknown; "
                    f"{left:.0f} s of the window left"
                )
            self._go_on()

    def choose_point(self) -> int:
        """Choose a restore point inside the stream of markers: the source's next whole second, microseconds."""
        with self._step("choose the point"):
            sample = self._sample()
            point_us = (sample.server_time_us // _SECOND_US + 1) * _SECOND_US
            self._say(f"the chosen point is {_utc(point_us):%H:%M:%S}Z")
        return point_us

    def wait_until_archived_past(self, point_us: int) -> None:
        """Wait until a commit after the point lies in the archive; markers go on meanwhile.

        A marker's position lies before its own commit, so the proof is a marker that began after one later than
        the point had been acknowledged: a second after it is more than any healthy round trip.
        """
        with self._step("wait for the archive"):
            later_us = point_us + _SECOND_US

            def archived() -> bool:
                after = source_side.marker_after(self._on_source, self.plan.run_id, later_us)
                latest = self._sampler.latest if self._sampler else None
                position = source_side.archived_to(latest) if latest else None
                return after is not None and position is not None and position > after

            clock.wait_for(
                archived,
                until=bool,
                what="a commit after the point to be archived",
                limit_s=self._pace.recovery_limit_s,
                every_s=0.5,
                stop=self._stop,
            )

    # --- the disaster and the recovery ------------------------------------------------------------------

    def restore(self, point_us: int | None = None) -> None:
        """Let the disaster strike, and ask for a new server: at a point, or with the latest there is.

        `latest` has no word of its own in the service: the request carries a time that is not earlier than
        the source's clock at the disaster, rounded up to a whole second.
        """
        with self._step("restore"):
            if self._sampler is not None:
                self._sampler.stop()
            last = self._sample()
            struck = clock.now()
            self._disaster = struck
            self._journal.write("disaster", **asdict(Disaster(struck, struck)))
            if point_us is None:
                at_most_us = last.server_time_us + round((struck - last.began) * _SECOND_US)
                point_us = -(-at_most_us // _SECOND_US) * _SECOND_US
            self._say(f"disaster; restoring to {_utc(point_us):%H:%M:%S}Z as {self.plan.recovered}")
            self._send_restore(point_us)
            self._sample_after_disaster()
            self._observers.stop_writers()
            self._wait_until_ready()

    def open_network(self) -> None:
        """Let this machine through the new server's firewall, a step inside the RTO.

        A write that a probe got through ends the wait: the operation's status is told only once a minute.
        """
        with self._step("open the network"):
            began = clock.now()
            if self._ready_unseen_since is not None:
                self._waited(WaitedFor.TOOL, "saw that the server was Ready", self._ready_unseen_since, began)
            for number, address in enumerate(self._source_server.allow_from, start=1):
                rule = self._insist(
                    partial(
                        self._servers.open_to,
                        self.plan.drill_group,
                        self.plan.recovered,
                        rule=f"drill-{number}",
                        address=address,
                    )
                )
                self._wait_until_open(rule)

    def wait_for_write(self) -> None:
        """Wait until a probe has written to the recovered server and read it back."""
        with self._step("wait for a write"):
            self._news.wait(
                lambda: self._stop.is_set() or self._news.written_since(Instant(0.0)),
                what="the first write on the recovered server",
                limit_s=self._left(),
                alive=self._observers.prober_alive,
            )
            self._go_on()
            self._say(f"the recovered server takes writes, {self._since_disaster()} after the disaster")

    def survey_recovered(self) -> None:
        """Survey until two surveys stand a switch-over delay apart with no failed attempt since the first."""
        with self._step("survey"):
            first = self._survey()
            while True:
                clock.sleep_until(Instant(first.ended + self._pace.switch_over_delay_s), stop=self._stop)
                self._go_on()
                second = self._survey()
                if not self._news.missed_since(first.began) or self._left() <= 0:
                    break
                first = second
            self._say(f"surveyed twice: {len(second.rows)} marker rows on the recovered server")
            self._wait_for_write_after(second)

    def query_by_vector_index(self) -> None:
        """Ask one nearest-neighbour question of the recovered application database."""
        with self._step("query by vector index"):
            done = vectors.query_by_index(
                self._login, self._recovered, self._source_server.database, self._journal
            )
            self._say(
                f"nearest neighbours by {done.index}: {done.rows} rows"
                if done.error is None
                else f"the vector query failed: {done.error}"
            )

    def prove_by_source(self) -> None:
        """Stop probing and ask the source which nonces it holds: none that a recovered server took."""
        with self._step("ask the source"):
            self._observers.stop_prober()
            source_side.read_nonces(self._on_source, self._journal, self.plan.run_id)

    def caveat(self, sentence: str) -> None:
        """Note something that weakens the result; reports print it above the numbers."""
        self._journal.write("caveat", sentence=sentence)

    # --- the end ----------------------------------------------------------------------------------------

    def clean_up(self) -> None:
        """Stop every process, delete the server that was named, and see that it is gone."""
        self._observers.stop_writers()
        self._observers.stop_prober()
        if self._sampler is not None:
            self._sampler.close()
        with self._step("clean up"):
            limit_s = self._pace.recovery_limit_s
            if self._disaster is not None:
                self._insist(partial(self._servers.delete, self.plan.drill_group, self.plan.recovered)).wait(
                    limit_s=limit_s
                )
            clock.wait_for(
                self._list_drill_group,
                until=lambda names: self.plan.recovered not in names,
                what=f"{self.plan.recovered} to be gone",
                limit_s=limit_s,
                every_s=self._pace.look_every_s,
            )
            self._say(f"{self.plan.recovered} is deleted and no longer listed")

    def note_files(self) -> None:
        """Note the head and the line count of every other process's file, so that none can be swapped."""
        for path in sorted((*self._folder.glob("markers-*.jsonl"), *self._folder.glob("probes-*.jsonl"))):
            chain = read_chain(path)
            self._journal.write(
                "file_closed", file=path.name, head=chain.head, lines=len(chain.lines), cut=chain.cut
            )

    # --- how it is done ---------------------------------------------------------------------------------

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        number = next(self._steps)
        self._journal.write("step_began", step=number, name=name)
        self._say(name)
        try:
            yield
        except BaseException as problem:
            self._journal.write("step_ended", step=number, error=one_line(problem))
            raise
        self._journal.write("step_ended", step=number, error=None)

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise WaitedTooLong("the drill was stopped from outside")

    @property
    def _on_source(self) -> Source:
        if self._source is None:
            raise ProviderError("the source was not prepared", hint="a scenario begins with prepare_source()")
        return self._source

    @property
    def _recovered(self) -> str:
        if self._fqdn is None:
            raise ProviderError("the recovered server never showed an address")
        return self._fqdn

    def _sample(self) -> ArchiveSampled:
        if self._sampler is None:
            raise ProviderError("the archive is not watched", hint="use markers_and_archive_watched()")
        return self._sampler.sample()

    def _sample_after_disaster(self) -> None:
        try:
            self._sample()
        except (NameUnknown, psycopg.Error) as problem:
            self._journal.write("archive_not_read", error=one_line(problem))

    def _send_restore(self, point_us: int) -> None:
        """Name the server in the journal, then send; what nothing came back of is settled by looking."""
        if self._source_seen is None:
            raise ProviderError("the source was not prepared", hint="a scenario begins with prepare_source()")
        self._journal.write("server_named", name=self.plan.recovered)
        self._journal.write(
            "restore_began",
            source=self.plan.source,
            recovered=self.plan.recovered,
            point_us=point_us,
            began=clock.now(),
        )
        accepted = False
        try:
            self._restore = self._servers.restore(
                self.plan.drill_group, self.plan.recovered, source=self._source_seen, point=_utc(point_us)
            )
            accepted = True
        except NothingCameBack:
            clock.wait_for(
                self._look,
                until=lambda seen: seen is not None,
                what="the restore whose answer was lost to show its server",
                limit_s=60.0,
                every_s=self._pace.look_every_s,
                stop=self._stop,
            )
            accepted = True
        finally:
            self._journal.write("restore_ended", ended=clock.now(), accepted=accepted)

    def _wait_until_ready(self) -> None:
        said = clock.now()

        def look() -> ServerSeen | None:
            nonlocal said
            began = clock.now()
            seen = self._look()
            if not _ready(seen):
                self._ready_unseen_since = began
            if began - said >= _SAY_EVERY_S:
                said = began
                state = "not there yet" if seen is None else seen.state
                self._say(f"no service for {self._since_disaster()} now; the new server is {state}")
            if self._restore is not None:
                self._restore.ended()
            return seen

        clock.wait_for(
            look,
            until=_ready,
            what=f"{self.plan.recovered} to be Ready",
            limit_s=self._left(),
            every_s=self._pace.look_every_s,
            stop=self._stop,
        )
        self._say(f"{self.plan.recovered} is Ready, {self._since_disaster()} after the disaster")

    def _look(self) -> ServerSeen | None:
        """Look at the recovered server through the control plane; its first address goes to the prober."""
        began = clock.now()
        seen = self._servers.get(self.plan.drill_group, self.plan.recovered)
        looked = ServerLooked(
            began=began,
            ended=clock.now(),
            found=seen is not None,
            state=None if seen is None else seen.state,
            address=None if seen is None else seen.fqdn,
        )
        self._journal.write("server_looked", **asdict(looked))
        if seen is not None and seen.fqdn is not None and self._fqdn is None:
            self._fqdn = seen.fqdn
            self._journal.write("recovered_seen", **asdict(seen))
            self._observers.probe(seen.fqdn)
        return seen

    def _insist(self, send: Callable[[], Operation]) -> Operation:
        """Send again while the server is busy or nothing came back: only for what may be sent twice.

        What passes between a call that was not taken and the next one is the tool's wait, not the service's.
        """
        sent: list[Instant] = []

        def once() -> Operation:
            sent.append(clock.now())
            if len(sent) > 1:
                self._waited(WaitedFor.TOOL, "sent again what had not been taken", *sent[-2:])
            return send()

        insist = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((Busy, NothingCameBack)),
            wait=tenacity.wait_fixed(self._pace.look_every_s),
            stop=tenacity.stop_after_delay(self._pace.recovery_limit_s),
            sleep=clock.sleep,
            reraise=True,
        )
        return insist(once)

    def _wait_until_open(self, rule: Operation) -> None:
        clock.wait_for(
            lambda: self._news.written_since(Instant(0.0)) or rule.ended(),
            until=bool,
            what="the firewall rule to take effect",
            limit_s=self._left(),
            every_s=0.05,
            stop=self._stop,
        )

    def _survey(self) -> Surveyed:
        """Survey the recovered server; one that does not answer now may answer within the probe's limit."""
        insist = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((psycopg.Error, NameUnknown)),
            wait=tenacity.wait_fixed(self._pace.probe_period_s),
            stop=tenacity.stop_after_delay(self._pace.probe_limit_s),
            sleep=clock.sleep,
            reraise=True,
        )
        return insist(
            survey,
            self._login,
            self._recovered,
            self._journal,
            run_id=self.plan.run_id,
            server=self.plan.recovered,
        )

    def _wait_for_write_after(self, surveyed: Surveyed) -> None:
        """Have at least one good attempt after the surveys; without one the drill goes on and proves less."""
        try:
            self._news.wait(
                lambda: self._stop.is_set() or self._news.written_since(surveyed.ended),
                what="a write after the surveys",
                limit_s=max(self._left(), 2 * self._pace.probe_limit_s),
                alive=self._observers.prober_alive,
            )
        except WaitedTooLong as problem:
            self._say(str(problem))
            self.caveat(f"no probe wrote to the recovered server after the surveys: {one_line(problem)}")

    def _list_drill_group(self) -> tuple[str, ...]:
        began = clock.now()
        names = self._servers.names(self.plan.drill_group)
        self._journal.write(
            "servers_listed", began=began, ended=clock.now(), group=self.plan.drill_group, names=names
        )
        return names

    def _waited(self, who: WaitedFor, what: str, began: Instant, ended: Instant) -> None:
        self._journal.write("waited", who=who, what=what, began=began, ended=ended)

    def _left(self) -> float:
        """Wall seconds until the recovery has taken longer than this drill waits for anything."""
        if self._disaster is None:
            return self._pace.recovery_limit_s
        return max(0.0, self._disaster + self._pace.recovery_limit_s - clock.now())

    def _since_disaster(self) -> str:
        elapsed = 0.0 if self._disaster is None else clock.now() - self._disaster
        return f"{elapsed * self.plan.time_scale:.0f} s"


def _ready(seen: ServerSeen | None) -> bool:
    """Children such as firewall rules are taken only once the server says Ready."""
    return seen is not None and seen.state == "Ready" and seen.fqdn is not None


def _utc(us: int) -> datetime:
    return datetime.fromtimestamp(us / _SECOND_US, tz=UTC)
