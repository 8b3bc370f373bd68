"""Guessing the token is slow, whoever guesses; and who has the right one is not locked out for long by those who do."""

from __future__ import annotations

import logging
import tracemalloc

import pytest

from overread.service.entry import Entry
from overread.service.problems import Problem

TOKEN = "0123456789abcdef0123456789abcdef"
HOME, ATTACKER = "192.0.2.1", "198.51.100.7"


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def entry(clock: Clock) -> Entry:
    return Entry(TOKEN, clock=clock)


def tries(entry: Entry, address: str, token: str = "wrong") -> float:
    """What a client is told: 0 for the right token, 1 for a wrong one, and the seconds to wait as a negative number."""
    try:
        return 0 if entry.is_right(token, address) else 1
    except Problem as problem:
        assert problem.status_code == 429
        return -float(problem.headers["Retry-After"])


def test_each_wrong_token_closes_the_door_longer(entry: Entry, clock: Clock) -> None:
    assert [tries(entry, ATTACKER) for _ in range(5)] == [1] * 5
    waits = []
    for _ in range(9):
        assert tries(entry, ATTACKER, TOKEN) < 0  # the right one is not looked at meanwhile
        waits.append(-tries(entry, ATTACKER))
        clock.now += waits[-1]
        assert tries(entry, ATTACKER) == 1
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert tries(entry, HOME, TOKEN) == 0


def test_a_client_that_was_wrong_long_ago_begins_anew(entry: Entry, clock: Clock) -> None:
    for _ in range(5):
        tries(entry, HOME)
    clock.now += 1000
    assert [tries(entry, HOME) for _ in range(5)] == [1] * 5


def test_who_guesses_behind_an_address_keeps_nobody_out_who_came_from_there(entry: Entry, clock: Clock) -> None:
    assert tries(entry, HOME, TOKEN) == 0
    told = set()
    for _ in range(5000):
        told.add(tries(entry, HOME))
        assert tries(entry, HOME, TOKEN) == 0
        clock.now += 0.1
    assert -5 in told


def test_a_day_of_guessing_from_everywhere_is_few_guesses_and_keeps_no_known_client_out(
    entry: Entry, clock: Clock
) -> None:
    assert tries(entry, HOME, TOKEN) == 0
    looked_at = 0
    for number in range(20_000):
        looked_at += tries(entry, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}") == 1
        clock.now += 0.01
    assert looked_at < 100 + 200 + 2
    assert tries(entry, HOME, TOKEN) == 0
    assert tries(entry, "203.0.113.5", TOKEN) == -1
    clock.now += 1
    assert tries(entry, "203.0.113.5", TOKEN) == 0


def test_addresses_of_one_network_of_ipv6_are_one_client(entry: Entry) -> None:
    assert [tries(entry, f"2001:db8:1:2::{number:x}") for number in range(6)] == [1, 1, 1, 1, 1, -1]
    assert tries(entry, "2001:db8:1:3::1", TOKEN) == 0
    assert tries(entry, "::ffff:192.0.2.1", TOKEN) == 0 and tries(entry, "fe80::1%eth0") == 1 and tries(entry, "") == 1


def test_clients_without_number_take_no_memory_without_end(
    entry: Entry, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # whose records would be kept
    monkeypatch.setattr("overread.service.entry._MOST_CLIENTS", 100)
    tracemalloc.start()
    sizes = []
    for number in range(2000):
        tries(entry, f"{number}.example", TOKEN if number % 2 else "wrong")
        clock.now += 1
        if number in (500, 1999):
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[1] < 1.2 * sizes[0]
