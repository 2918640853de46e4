"""How is something changed at the provider? Sent once, journaled before and after, followed to its end.

A mutating call goes out with the SDK's retries off: with its defaults one 503 sends a POST twice. What the
provider accepted becomes an operation that is polled at the service's own pace in the background, while the
drill looks at the server itself. A poll that fails is no end: it is taken up again from where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, HttpResponseError

from drills import clock
from drills.errors import OperationFailed, ProviderError

if TYPE_CHECKING:
    from azure.core.polling import LROPoller

    from drills.azure.witness import Answer, Witness
    from drills.journal import Journal

Begin = Callable[..., "LROPoller[Any]"]
"""A `begin_…` of the SDK with its resource already given; takes `continuation_token` to resume."""

_RESUMES = 20
_ACCEPTED = 202
_ABSENT = 204


class Operation:
    """What the provider accepted and works on."""

    def __init__(
        self, name: str, begin: Begin, poller: LROPoller[Any], *, note_end: Callable[[], None]
    ) -> None:
        """Follow a poller; `begin` resumes it after a poll that failed, `note_end` is called once, at its end."""
        self.name = name
        self._note_end = note_end
        self._noted = False
        self._begin = begin
        self._poller = poller
        self._resumes = 0

    def ended(self) -> bool:
        """Tell whether the operation has ended well; it is asked without waiting.

        Raises:
            OperationFailed: it ended as Failed or Canceled.
            ProviderError: its status could not be read, however often it was asked.
        """
        if not self._poller.done():
            return False
        try:
            self._poller.wait(0)
        except HttpResponseError as problem:
            if problem.status_code == 200:  # the poll itself went well: it says that the operation failed
                raise OperationFailed(
                    f"{self.name} was accepted and then failed: {_said(problem)}"
                ) from problem
            return self._resume(problem)
        except AzureError as problem:
            return self._resume(problem)
        if not self._noted:
            self._noted = True
            self._note_end()
        return True

    def wait(self, *, limit_s: float) -> None:
        """Wait for its end, `limit_s` wall seconds at most; raises as `ended` does, or WaitedTooLong."""
        clock.wait_for(self.ended, until=bool, what=f"{self.name} to end", limit_s=limit_s, every_s=0.05)

    def _resume(self, problem: AzureError) -> bool:
        self._resumes += 1
        if self._resumes > _RESUMES or not problem.continuation_token:
            raise ProviderError(f"the status of {self.name} could not be read: {_said(problem)}") from problem
        self._poller = self._begin(continuation_token=problem.continuation_token)
        return False


class Caller:
    """Sends what changes something, once, and writes down what became of it."""

    def __init__(self, journal: Journal, witness: Witness) -> None:
        """Journal each call; the witness knows what was answered."""
        self._journal = journal
        self._witness = witness
        self._numbers = count(1)

    def send(self, name: str, resource: str, begin: Begin) -> Operation:
        """Send a call once: *began* before it goes out, *ended* with the answer's ids.

        Raises:
            ProviderError: the provider refused it; or nothing came back, and whether it was taken is UNKNOWN.
        """
        call = next(self._numbers)
        self._witness.forget()
        self._journal.write("call_began", call=call, name=name, resource=resource, began=clock.now())
        try:
            poller = begin(retry_total=0)
        except AzureError as problem:
            self._note(call, self._witness.last, error=_said(problem))
            raise _refusal(name, resource, problem) from problem
        answer = self._witness.last
        self._note(call, answer, error=None)
        return Operation(f"{name} of {resource}", begin, poller, note_end=partial(self._note_end, call))

    def _note_end(self, call: int) -> None:
        self._journal.write("operation_ended", call=call, ended=clock.now())

    def _note(self, call: int, answer: Answer | None, *, error: str | None) -> None:
        self._journal.write(
            "call_ended",
            call=call,
            ended=clock.now(),
            status=None if answer is None else answer.status,
            request_id=None if answer is None else answer.request_id,
            correlation_id=None if answer is None else answer.correlation_id,
            operation=None if answer is None else answer.operation,
            error=error,
        )


class Busy(ProviderError):
    """The server works on something else; the same call may be taken in a moment."""


class NothingCameBack(ProviderError):
    """Nobody knows whether the call was taken; look before it is sent again."""


_BUSY_CODES = {"ServerIsBusy", "ServerBusy", "SeverBusyWithOtherOperation", "ServerIsNotReady"}


def _refusal(name: str, resource: str, problem: AzureError) -> ProviderError:
    if not isinstance(problem, HttpResponseError):
        return NothingCameBack(f"nothing came back of {name} for {resource}: {_said(problem)}")
    code = getattr(problem.error, "code", None)
    kind = Busy if code in _BUSY_CODES else ProviderError
    return kind(f"{name} of {resource} was refused: {_said(problem)}")


def _said(problem: AzureError) -> str:
    """What was said, on one line, with the service's own code where it gave one."""
    return " ".join(str(problem.message).split())
