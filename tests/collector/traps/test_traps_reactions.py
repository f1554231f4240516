"""What follows from a trap, and how often at most."""

from __future__ import annotations

import itertools

from collector.traps import Reactions, Trap


class Service:
    """Notes what it is asked to do, by a clock that it sets."""

    def __init__(self, gap: float = 5.0) -> None:
        self.now = 1000.0
        self.polled: list[tuple[str, float]] = []
        self.written: list[str] = []
        self.react = Reactions(gap, self.poll, lambda trap: self.written.append(trap.oid), lambda: self.now)

    def poll(self, target: str, delay: float) -> None:
        self.polled.append((target, self.now + delay))

    def trap(self, *targets: str, oid: str = "1.3.6.1.6.3.1.1.5.3", source: str = "10.0.0.1") -> None:
        self.react(Trap(0.0, source, targets, "2c", False, False, oid, "linkDown"))


def test_every_target_of_the_device_is_polled_at_once() -> None:
    service = Service()
    service.trap("a", "b")
    assert service.polled == [("a", 1000.0), ("b", 1000.0)]


def test_a_storm_is_followed_by_one_poll_at_the_end_of_the_gap() -> None:
    service = Service()
    for _ in range(100):
        service.trap("a")
        service.now += 0.01
    assert service.polled == [("a", 1000.0), ("a", 1005.0)]
    service.now = 1005.5
    service.trap("a")
    assert service.polled[2:] == [("a", 1010.0)]
    service.now = 1100.0
    service.trap("a")
    assert service.polled[3:] == [("a", 1100.0)]


def test_no_two_polls_are_closer_than_the_gap() -> None:
    service = Service(gap=2.0)
    for _ in range(1000):
        service.trap("a")
        service.now += 0.037
    moments = [moment for _, moment in service.polled]
    assert all(later - earlier >= 2.0 for earlier, later in itertools.pairwise(moments))
    assert len(moments) >= 18


def test_a_device_that_repeats_itself_is_written_down_once_a_minute() -> None:
    service = Service()
    for _ in range(130):
        service.trap("a")
        service.now += 1
    assert len(service.written) == 3
    service.trap("a", oid="1.3.6.1.6.3.1.1.5.4")
    assert service.written[3:] == ["1.3.6.1.6.3.1.1.5.4"]


def test_made_up_notifications_fill_no_disk() -> None:
    service = Service()
    for number in range(20_000):
        service.trap("a", oid=f"1.3.6.1.4.1.32473.{number}")
        service.now += 0.02
    assert len(service.written) <= 500 + 400 + 1
