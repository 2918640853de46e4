"""How does the engine hold its processes? Started with an order, heard, stopped, and killed if need be.

What a process writes down is in its own file; what it tells on standard output only paces the engine and decides
nothing.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drills import clock
from drills.errors import WaitedTooLong
from drills.model import Instant

_STOP_LIMIT_S = 10.0


class Child:
    """A process of ours that runs one module of `drills.observe`."""

    def __init__(
        self, module: str, order: dict[str, Any], *, heard: Callable[[dict[str, Any]], None], log: Path
    ) -> None:
        """Start it and give it its order; `heard` is called, in a thread, with each piece of news."""
        self.module = module
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"drills.observe.{module}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # Ctrl-C is for the engine, which stops it in order
            )
        self._heard = heard
        self._listener = threading.Thread(target=self._listen, name=f"{module} news", daemon=True)
        self._listener.start()
        self.order(**order)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Tell whether it still runs."""
        return self._process.poll() is None

    def order(self, **order: Any) -> None:
        """Tell it something; one that is gone hears nothing, which its file will show."""
        assert self._process.stdin is not None  # noqa: S101  # it was opened as a pipe
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass

    def stop(self) -> None:
        """Have it end in order; after ten wall seconds it is killed, and its file ends where it ended."""
        self.order(stop=True)
        try:
            self._process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._close()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def _close(self) -> None:
        self._listener.join(1.0)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101  # it was opened as a pipe
        for line in self._process.stdout:
            self._heard(json.loads(line))


class News:
    """What the processes told last, for the engine to wait on."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self._changed = threading.Condition()
        self.counts: dict[str, dict[str, int]] = {}
        self.first_acked: Instant | None = None
        self.probes: dict[int, tuple[Instant, bool]] = {}
        self.ready = False
        self.last_error: str | None = None

    def of_writer(self, writer: str, news: dict[str, Any]) -> None:
        """Hear a marker writer."""
        with self._changed:
            self.counts[writer] = {name: news[name] for name in ("acked", "refused", "unknown")}
            if self.first_acked is None and news["acked"]:
                self.first_acked = clock.now()
            self._changed.notify_all()

    def of_prober(self, news: dict[str, Any]) -> None:
        """Hear the prober."""
        with self._changed:
            if "number" in news:
                self.probes[news["number"]] = (Instant(news["began"]), news["written"])
                self.last_error = news["error"]
            else:
                self.ready = True
            self._changed.notify_all()

    def written_since(self, at: Instant) -> bool:
        """Tell whether an attempt begun at or after an instant wrote and read back."""
        return any(began >= at and written for began, written in list(self.probes.values()))

    def missed_since(self, at: Instant) -> bool:
        """Tell whether an attempt begun at or after an instant did not."""
        return any(began >= at and not written for began, written in list(self.probes.values()))

    def acked(self) -> int:
        """How many markers were acknowledged so far, by all writers."""
        return sum(counts["acked"] for counts in self.counts.values())

    def unknown(self) -> int:
        """How many markers nobody knows the outcome of, so far."""
        return sum(counts["unknown"] for counts in self.counts.values())

    def wait(
        self,
        until: Callable[[], bool],
        *,
        what: str,
        limit_s: float,
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        """Wait until something holds that news can change, `limit_s` wall seconds at most.

        Raises:
            WaitedTooLong: the limit ran out, or the process that was waited for is gone.
        """
        end = clock.now() + limit_s
        with self._changed:
            while not until():
                if not alive():
                    raise WaitedTooLong(f"the process that was waited for ended before {what}")
                left = end - clock.now()
                if left <= 0:
                    seen = f"; last seen: {self.last_error}" if self.last_error else ""
                    raise WaitedTooLong(f"{limit_s:.0f} s were not enough for {what}{seen}")
                self._changed.wait(min(left, 0.5))
