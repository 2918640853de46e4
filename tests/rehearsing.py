"""A rehearsal for a test: one drill on a twin of its own, its record judged, and the twin's own truth beside it.

The truth is the twin's (`drills/twin/truth.py`), asked for the disaster that the drill noted; nothing of it comes
from an observation of the drill.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import verify_bundle
from drills import catalog, environments, judging, rehearsal
from drills.history import History
from drills.rehearsal import Twin, TwinSettings
from tests.twin import conformance

ROOT = Path(__file__).parent.parent
Watch = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A drill that was rehearsed, and what was true."""

    folder: Path
    history: History
    result: dict[str, Any]
    truth: dict[str, Any]

    @property
    def findings(self) -> dict[str, str]:
        """Each check's name and status."""
        return {finding["check"]: finding["status"] for finding in self.result["findings"]}

    @property
    def scale(self) -> float:
        """Service seconds in one of ours."""
        return self.history.run.time_scale


def rehearsed(
    variant: str,
    out: Path,
    *,
    environment: str = "production",
    watch: Watch | None = None,
    **settings: Any,
) -> Rehearsed:
    """Rehearse one variant of pitr_restore; `watch` is given the record's parent while the drill runs."""
    profile = environments.load(ROOT / "environments.toml").profile(environment)
    (choice,) = catalog.chosen([f"pitr_restore:{variant}"])
    with rehearsal.twin(profile, [choice], TwinSettings(**settings)) as twin, _watching(watch, out):
        folder = rehearsal.rehearse(choice, twin, profile=profile, out=out, say=print, stop=threading.Event())
        judged = judging.conclude(folder)
        _verify_alone(folder)
        _hold_answers_against_their_schemas(twin)
        _hold_no_secret(folder, twin)
        return Rehearsed(folder, judged.history, judged.result, _truth(twin, judged.history))


@contextmanager
def _watching(watch: Watch | None, out: Path) -> Iterator[None]:
    thread = threading.Thread(target=watch, args=(out,), daemon=True) if watch else None
    if thread is not None:
        thread.start()
    yield
    if thread is not None:
        thread.join(10.0)


def _side_door(twin: Twin, path: str) -> str:
    request = urllib.request.Request(
        f"{twin.side_door}/{path}", headers={"Authorization": f"Bearer {twin.side_token}"}
    )
    with urllib.request.urlopen(request, timeout=30.0) as answer:
        text: str = answer.read().decode()
    return text


def _hold_answers_against_their_schemas(twin: Twin) -> None:
    """Every answer that the engine's client got, as the SDK's own models and recorded traffic would have it."""
    exchanges = [json.loads(line) for line in _side_door(twin, "exchanges").splitlines()]
    assert exchanges
    for each in exchanges:
        conformance.check(each["method"], each["url"], each["status"], each["headers"], each["body"])


def _verify_alone(folder: Path) -> None:
    """Every record of the suite is judged a second time, by what shares no code with the engine."""
    verified = verify_bundle.verify_folder(str(folder), None)
    assert verified.agrees, list(verify_bundle.said(verified))


def _hold_no_secret(folder: Path, twin: Twin) -> None:
    """No password and no client secret in any file of the record, its reports and its logs."""
    secrets = {source.password for source in twin.sources.values()} | {twin.target.application.client_secret}
    for file in (each for each in folder.rglob("*") if each.is_file()):
        text = file.read_text(encoding="utf-8", errors="replace")
        assert not any(secret in text for secret in secrets), f"a secret stands in {file.name}"


def _truth(twin: Twin, history: History) -> dict[str, Any]:
    if history.disaster is None or history.request is None:
        return {}
    query = urlencode(
        {
            "source": history.request.source,
            "recovered": history.request.recovered,
            "disaster_boot_s": history.disaster.earliest,
        }
    )
    truth: dict[str, Any] = json.loads(_side_door(twin, f"truth/restore?{query}"))
    return truth
