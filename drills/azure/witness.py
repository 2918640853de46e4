"""What did the control plane really answer? Every response is journaled, whoever asked for it.

The request ids lead to Azure's Activity Log, the one witness that is not ours; the `Date` of each answer is a
clock that does not run on this machine.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.pipeline.policies import SansIOHTTPPolicy

from drills import clock

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineRequest, PipelineResponse

    from drills.journal import Journal
    from drills.model import Instant


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as the journal keeps it."""

    status: int
    request_id: str | None
    correlation_id: str | None
    operation: str | None


class Witness(SansIOHTTPPolicy[Any, Any]):
    """A pipeline policy that journals each response; the last one of each thread can be asked for."""

    def __init__(self, journal: Journal) -> None:
        """Write to this journal."""
        self._journal = journal
        self._thread = threading.local()

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Note when the request went out."""
        request.context["drills_began"] = clock.now()

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        """Journal the answer with its `Date` and its request ids."""
        headers = response.http_response.headers
        began: Instant = request.context["drills_began"]
        date = headers.get("Date")
        answer = Answer(
            status=response.http_response.status_code,
            request_id=headers.get("x-ms-request-id"),
            correlation_id=headers.get("x-ms-correlation-request-id"),
            operation=_operation(headers.get("Azure-AsyncOperation")),
        )
        self._thread.last = answer
        self._journal.write(
            "answered",
            method=request.http_request.method,
            path=urlsplit(request.http_request.url).path,
            status=answer.status,
            request_id=answer.request_id,
            correlation_id=answer.correlation_id,
            date_s=int(parsedate_to_datetime(date).timestamp()) if date else None,
            began=began,
            ended=clock.now(),
        )

    def forget(self) -> None:
        """Forget what this thread was answered last, before a call whose answer matters."""
        self._thread.last = None

    @property
    def last(self) -> Answer | None:
        """What this thread was answered last, or None."""
        return getattr(self._thread, "last", None)


def _operation(url: str | None) -> str | None:
    """The operation's id: the last part of the path of the URL that tells its status."""
    return urlsplit(url).path.rsplit("/", 1)[-1] if url else None
