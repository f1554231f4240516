"""Who is heard, and how often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.traps.admission import BURST_SECONDS, LONGEST, Admission, Dropped, Source, plain


class Clock:
    """Shows what it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def source(address: str) -> Source:
    return Source(address, {}, {})


def admission(clock: Clock, *addresses: str, per_source: float = 10, in_all: float = 50) -> Admission:
    made = Admission(per_source, in_all, clock)
    made.know({address: source(address) for address in addresses})
    return made


def test_a_burst_and_then_the_rate() -> None:
    clock = Clock()
    door = admission(clock, "10.0.0.1")
    heard = [door.admit("10.0.0.1", 100) for _ in range(60)]
    assert [one for one in heard if isinstance(one, Source)] == [source("10.0.0.1")] * 50
    assert heard[50:] == [Dropped.RATE] * 10
    clock.now += 1
    assert [type(door.admit("10.0.0.1", 100)) for _ in range(11)] == [Source] * 10 + [Dropped]


def test_one_source_takes_nothing_from_another() -> None:
    door = admission(Clock(), "10.0.0.1", "10.0.0.2")
    for _ in range(10_000):
        door.admit("10.0.0.1", 100)
    assert door.admit("10.0.0.2", 100) == source("10.0.0.2")


def test_all_together_have_a_limit() -> None:
    names = [f"10.0.0.{number}" for number in range(20)]
    door = admission(Clock(), *names)
    heard = [door.admit(name, 100) for _ in range(50) for name in names]
    assert sum(isinstance(one, Source) for one in heard) == 50 * BURST_SECONDS


def test_what_is_too_long_is_not_read() -> None:
    door = admission(Clock(), "10.0.0.1")
    assert door.admit("10.0.0.1", LONGEST) == source("10.0.0.1")
    assert door.admit("10.0.0.1", LONGEST + 1) is Dropped.MALFORMED


def test_strangers_are_told_at_once_and_use_nothing_up() -> None:
    door = admission(Clock(), "10.0.0.1", in_all=1)
    assert {door.admit("10.0.0.2", 100) for _ in range(100)} == {Dropped.UNKNOWN_SOURCE}
    assert door.admit("10.0.0.1", 100) == source("10.0.0.1")


def test_a_reload_gives_no_new_burst() -> None:
    clock = Clock()
    door = admission(clock, "10.0.0.1")
    for _ in range(50):
        door.admit("10.0.0.1", 100)
    door.know({address: source(address) for address in ("10.0.0.1", "10.0.0.2")})
    assert door.admit("10.0.0.1", 100) is Dropped.RATE
    assert door.admit("10.0.0.2", 100) == source("10.0.0.2")
    door.know({})
    assert door.admit("10.0.0.2", 100) is Dropped.UNKNOWN_SOURCE


@pytest.mark.parametrize(
    ("shown", "address"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_an_address_as_a_socket_shows_it(shown: str, address: str) -> None:
    assert plain(shown) == address
    assert admission(Clock(), address).admit(shown, 100) == source(address)


@given(st.lists(st.floats(min_value=0, max_value=100), max_size=200), st.integers(1, 100))
def test_never_more_than_burst_and_rate(pauses: list[float], rate: int) -> None:
    clock = Clock()
    door = admission(clock, "10.0.0.1", per_source=rate, in_all=1e9)
    heard = 0
    for pause in pauses:
        clock.now += pause
        heard += isinstance(door.admit("10.0.0.1", 100), Source)
    assert heard <= rate * (BURST_SECONDS + clock.now - 1000) + 1e-6
