"""Who watches a drill? The marker writers and the prober, each a process that can be killed, and what they tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from drills.observe.processes import Child, News

if TYPE_CHECKING:
    from pathlib import Path

    from drills.journal import Journal
    from drills.observe.connections import Login

WRITERS = "ab"
PROBER = "new"
"""The prober opens a new session for each attempt, as a client does that was not connected before."""


class Observers:
    """Starts, steers and stops the processes of one run; each writes a file of its own in the run's folder."""

    def __init__(self, run_id: str, *, login: Login, folder: Path, journal: Journal) -> None:
        """Be ready; nothing runs yet."""
        self._run_id = run_id
        self._login = login
        self._folder = folder
        self._journal = journal
        self._writers: list[Child] = []
        self._prober: Child | None = None
        self.news = News()

    def start_writers(self, fqdn: str, *, period_s: float, limit_s: float) -> None:
        """Have markers written to a server, each writer one every `period_s` wall seconds."""
        for writer in WRITERS:
            order = {"writer": writer, "fqdn": fqdn, "period_s": period_s, "limit_s": limit_s}
            self._writers.append(
                self._start("marker_writer", f"markers-{writer}", order, partial(self.news.of_writer, writer))
            )

    def start_prober(self, *, period_s: float, limit_s: float) -> None:
        """Have a prober ready, so that its start costs no recovery time; it waits for a name."""
        order = {"prober": PROBER, "period_s": period_s, "limit_s": limit_s}
        self._prober = self._start("prober", f"probes-{PROBER}", order, self.news.of_prober)

    def probe(self, fqdn: str) -> None:
        """Give the prober the name to try."""
        if self._prober is not None:
            self._prober.order(fqdn=fqdn)

    def writer_alive(self) -> bool:
        """Tell whether any writer still runs."""
        return any(writer.alive() for writer in self._writers)

    def prober_alive(self) -> bool:
        """Tell whether the prober still runs."""
        return self._prober is not None and self._prober.alive()

    def stop_writers(self) -> None:
        """Stop the writers, and wait until their files are closed."""
        while self._writers:
            self._writers.pop().stop()

    def stop_prober(self) -> None:
        """Stop the prober, and wait until the attempts that are open have ended."""
        if self._prober is not None:
            self._prober.stop()
            self._prober = None

    def _start(
        self, module: str, file: str, order: dict[str, Any], heard: Callable[[dict[str, Any]], None]
    ) -> Child:
        told = {
            "run_id": self._run_id,
            "login": asdict(self._login),
            "path": str(self._folder / f"{file}.jsonl"),
            **order,
        }
        child = Child(module, told, heard=heard, log=self._folder / "processes.log")
        self._journal.write("process_started", module=module, pid=child.pid)
        return child
