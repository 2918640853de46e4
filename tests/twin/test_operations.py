"""How long do operations take, and how often are clients told to ask?"""

from __future__ import annotations

import random

import pytest

from drills.twin.clock import ServiceTime
from drills.twin.operations import Durations, Kind
from tests.twin.test_refusals import SERVERS, ask
from tests.twin.twins import server, twin

pytestmark = pytest.mark.twin

RULE = {"properties": {"startIpAddress": "10.0.0.1", "endIpAddress": "10.0.0.1"}}


def durations(*, with_tail: bool = False, seed: int = 1) -> Durations:
    numbers = random.Random(seed)  # noqa: S311  # repeatable on purpose
    return Durations(ServiceTime(1), numbers, drawn=True, with_tail=with_tail)


@pytest.mark.parametrize(("kind", "shortest_s", "longest_s"), [
    (Kind.CREATE, 181, 543), (Kind.RESTORE, 302, 420), (Kind.DELETE, 45, 92), (Kind.SET_RULE, 58, 62),
])  # fmt: skip
def test_ordinary_operations_last_as_long_as_recorded_ones(
    kind: Kind, shortest_s: float, longest_s: float
) -> None:
    drawn = [durations(seed=seed).wall_s(kind) for seed in range(500)]

    assert shortest_s <= min(drawn) < max(drawn) <= longest_s


def test_the_recorded_tail_is_rare_and_long() -> None:
    drawn = [durations(with_tail=True, seed=seed).wall_s(Kind.RESTORE) for seed in range(500)]
    tail = [seconds for seconds in drawn if seconds > 420]

    assert 20 < len(tail) < 100
    assert max(tail) <= 6104


def test_one_seed_draws_the_same_durations_again() -> None:
    first, second = durations(seed=5), durations(seed=5)

    assert [first.wall_s(kind) for kind in Kind] == [second.wall_s(kind) for kind in Kind]


@pytest.mark.parametrize(("scale", "header", "hint"), [
    (1, "Retry-After", "60"), (30, "x-ms-retry-after-ms", "2000"),
])  # fmt: skip
def test_polls_are_paced_as_the_service_paces_them(scale: int, header: str, hint: str) -> None:
    with twin({"time_scale": scale, "servers": [server("prod")]}) as cloud:
        status, accepted, _ = ask(cloud, f"{SERVERS}/prod/firewallRules/one", method="PUT", body=RULE)
        path, _, query = accepted["Azure-AsyncOperation"].partition("?")
        _, polled, body = ask(cloud, path.split(cloud.handshake["subscription_id"])[1], query=query)

    assert status == 202
    assert body["status"] == "InProgress"
    assert polled[header] == hint
