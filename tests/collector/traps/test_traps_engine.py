"""What pysnmp leaves open: our clock, and whether an authentic message is new."""

from __future__ import annotations

import time

from collector.traps.engine import Engine
from collector.traps.freshness import WINDOW, Freshness
from collector.traps.identity import Identity
from tests.snmp_agent import integer, parts, text, tlv

OURS = Identity(bytes.fromhex("80004fb80511223344"), 7)
# RFC 3414, section 4: a message without engine and user asks for the engine.
PARAMETERS = tlv(0x30, text("") + integer(0) + integer(0) + text("") + text("") + text(""))
NOTHING = tlv(0x30, text("") + text("") + tlv(0xA0, integer(1) + integer(0) + integer(0) + tlv(0x30, b"")))
HEADER = tlv(0x30, integer(5) + integer(65507) + text(b"\x04") + integer(3))
DISCOVERY = tlv(0x30, integer(3) + HEADER + text(PARAMETERS) + NOTHING)


def test_our_engine_tells_id_boots_and_time_by_the_monotonic_clock() -> None:
    """What the wall clock says does not matter: the engine began 1,000 s ago."""
    heard = Engine(OURS, time.monotonic() - 1000).receive(DISCOVERY, ())
    (reply,) = heard.replies
    security = parts(parts(parts(reply)[0][1])[2][1])[0][1]
    engine_id, boots, seconds = (content for _, content in parts(security)[:3])
    assert (engine_id, int.from_bytes(boots, "big")) == (OURS.engine_id, OURS.boots)
    assert abs(int.from_bytes(seconds, "big") - 1000) <= 2


class Clock:
    """Shows what it is told to."""

    now = 5000.0

    def __call__(self) -> float:
        return self.now


def test_a_message_that_was_recorded_is_not_fresh() -> None:
    """RFC 3414, section 3.2, 7b: not older than 150 s, not of an earlier boot."""
    clock = Clock()
    fresh = Freshness(clock)
    assert fresh.fresh("10.0.0.1", b"engine", 3, 1000)
    assert fresh.fresh("10.0.0.1", b"engine", 3, 1000 - WINDOW)
    assert not fresh.fresh("10.0.0.1", b"engine", 3, 1000 - WINDOW - 1)
    assert not fresh.fresh("10.0.0.1", b"engine", 2, 100_000)
    clock.now += 500
    assert not fresh.fresh("10.0.0.1", b"engine", 3, 1000)
    assert fresh.fresh("10.0.0.1", b"engine", 3, 1400)
    assert fresh.fresh("10.0.0.1", b"engine", 3, 1500)
    assert fresh.fresh("10.0.0.1", b"engine", 4, 0)
    assert not fresh.fresh("10.0.0.1", b"engine", 3, 1500)


def test_engines_of_one_id_at_two_addresses_have_clocks_of_their_own() -> None:
    """Devices from one mould: their ids should differ, and do not."""
    fresh = Freshness(Clock())
    assert fresh.fresh("10.0.0.1", b"engine", 9, 1000)
    assert fresh.fresh("10.0.0.2", b"engine", 1, 5)
    assert fresh.fresh("10.0.0.1", b"engine", 9, 1001)


def test_made_up_engines_take_no_room() -> None:
    fresh = Freshness(Clock())
    for number in range(20_000):
        fresh.fresh("10.0.0.1", number.to_bytes(8, "big"), 1, 1)
    assert len(fresh._engines) == 10_000
