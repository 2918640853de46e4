"""From when on could a client use the recovered server? A process that tries, at a fixed pace, until stopped.

Each attempt is a client that has not asked before: it resolves the name, opens a session, reads who answers,
writes a nonce and reads it back, all within one limit. How far it came is written down. An attempt does not wait
for the one before it: while everything hangs, as many are open as fit into the limit.
"""

from __future__ import annotations

import math
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from drills import clock
from drills.journal import Journal
from drills.model import Instant, Stage
from drills.observe import child, schema
from drills.observe.connections import Login, NameUnknown, connect, drop, one_line

if TYPE_CHECKING:
    from psycopg import Connection


class Prober:
    """Tries the recovered server again and again, once it was told its name."""

    def __init__(self, order: dict[str, Any]) -> None:
        """Take the order: run, prober, login, pace and limit (wall seconds) and file."""
        self._run_id: str = order["run_id"]
        self._name: str = order["prober"]
        self._period_s: float = order["period_s"]
        self._limit_s: float = order["limit_s"]
        self._login = Login(**order["login"])
        self._journal = Journal(Path(order["path"]))
        self._target = threading.Event()
        self._fqdn = ""
        self._stop = threading.Event()
        self._open: dict[int, tuple[Instant, Connection[Any]]] = {}
        self._lock = threading.Lock()

    def run(self) -> None:
        """Wait for a name, probe it until stopped, and let the attempts that are open end."""
        child.listen(self._hear, lost=lambda: self._hear({}))
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        self._journal.write(
            "prober_began",
            prober=self._name,
            period_s=self._period_s,
            limit_s=self._limit_s,
            run=self._run_id,
        )
        child.tell(ready=True)
        self._target.wait()
        cap = math.ceil(self._limit_s / self._period_s) + 2
        with ThreadPoolExecutor(max_workers=cap, thread_name_prefix="attempt") as attempts:
            number, beat = 0, clock.now()
            while not self._stop.is_set():
                number += 1
                nonce = str(uuid.uuid4())
                began = clock.now()
                self._journal.write("probe_began", number=number, began=began, nonce=nonce)
                attempts.submit(self._attempt, number, began, nonce)
                beat = Instant(max(beat + self._period_s, clock.now()))
                clock.sleep_until(beat, stop=self._stop)
            self._journal.write("prober_stopped", prober=self._name)
        self._journal.close()

    def _hear(self, order: dict[str, Any]) -> None:
        if "fqdn" in order:
            self._fqdn = order["fqdn"]
        else:
            self._stop.set()
        self._target.set()

    def _attempt(self, number: int, began: Instant, nonce: str) -> None:
        stage, seen, error, unresolved = Stage.NONE, None, None, False
        try:
            with connect(self._login, self._fqdn, limit_s=self._limit_s) as connection:
                stage = Stage.CONNECTED
                self._open[number] = (Instant(began + self._limit_s), connection)
                seen = schema.identity(connection)
                stage = Stage.READ
                if _writes(connection, self._run_id, nonce):
                    stage = Stage.WRITTEN
        except NameUnknown as problem:
            error, unresolved = one_line(problem), True
        except psycopg.errors.InvalidCatalogName as problem:
            error = one_line(problem)
            self._create_database()
        except psycopg.Error as problem:
            error = one_line(problem)
        finally:
            self._open.pop(number, None)
        ended = clock.now()
        if stage is Stage.WRITTEN and ended - began > self._limit_s:
            stage, error = Stage.READ, "the write was read back only after the limit"
        self._journal.write(
            "probe_ended",
            number=number,
            ended=ended,
            stage=stage,
            identity=seen,
            error=error,
            unresolved=unresolved,
        )
        child.tell(number=number, began=began, written=stage is Stage.WRITTEN, error=error)

    def _create_database(self) -> None:
        """A recovered server without `dr_drill` gets one, so that the next attempt can write."""
        with self._lock:
            try:
                with connect(self._login, self._fqdn, "postgres", limit_s=self._limit_s) as connection:
                    schema.create_database(connection)
                with connect(self._login, self._fqdn, limit_s=self._limit_s) as connection:
                    schema.create_tables(connection)
            except (NameUnknown, psycopg.Error):
                pass  # the next attempt finds the database missing again, and says so

    def _watch(self) -> None:
        """A server can hold up a statement for ever: past its limit, an attempt's socket is cut."""
        while True:
            clock.sleep_until(Instant(clock.now() + self._limit_s / 20))
            for deadline, connection in list(self._open.values()):
                if clock.now() > deadline:
                    drop(connection)


def _writes(connection: Connection[Any], run_id: str, nonce: str) -> bool:
    """Write a nonce in a transaction of its own and read it back."""
    connection.execute("INSERT INTO nonces (nonce, run_id) VALUES (%s, %s)", (nonce, run_id))
    found = connection.execute("SELECT count(*) FROM nonces WHERE nonce = %s", (nonce,)).fetchone()
    return found == (1,)


if __name__ == "__main__":
    Prober(child.first_order()).run()
