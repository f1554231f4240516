"""The snmp kind against agents that err, lie, loop, drown or fall silent."""

from __future__ import annotations

import asyncio
import random
import resource
import socket
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from collector.model import Outcome, Reason, Result
from collector.probes.snmp import KIND
from tests.device_profiles import context, profile
from tests.dns_server import Zone, udp_server
from tests.lag import Lag
from tests.probing import Probing, probing, values
from tests.snmp_agent import (
    END,
    GEN_ERR,
    GET,
    GET_BULK,
    GET_NEXT,
    NULL,
    REPORT,
    Agent,
    Question,
    agent,
    integer,
    text,
    tlv,
)

pytestmark = pytest.mark.slow

NO_ANSWER = "no answer: down, filtered, or wrong credentials"
PLANT = profile(
    """
    scalars:
      - {name: volts, oid: 1.3.6.1.9.1.0, help: h}
      - {name: amps, oid: 1.3.6.1.9.2.0, help: h}
      - {name: watts, oid: 1.3.6.1.9.3.0, help: h}
      - {name: degrees, oid: 1.3.6.1.9.4.0, help: h}
    """,
    "plant",
)
PORTS = profile(
    """
    tables:
      - name: ports
        index: [port]
        labels: [port]
        columns: [{name: octets, oid: 1.3.6.1.8.1.1, help: h}, {name: errors, oid: 1.3.6.1.8.1.2, help: h}]
    """,
    "ports",
)
TREE = {f"1.3.6.1.9.{number}.0": integer(number) for number in range(1, 5)}
ROOT = "1.3.6.1.8.1.1"


def rows(number: int) -> dict[str, bytes]:
    return {f"1.3.6.1.8.1.{column}.{row}": integer(column * row) for column in (1, 2) for row in range(1, number + 1)}


async def poll(prober: Probing, running: Agent, *profiles: Any, **settings: Any) -> Result:
    chosen = profiles or (PLANT,)
    defaults = {"host": "127.0.0.1", "version": "2c", "community": "public", "request_timeout": "200ms", "retries": 1}
    timeout = settings.pop("timeout", 3.0)
    fields = {**defaults, "port": running.port, "profiles": [each.name for each in chosen], **settings}
    return await prober.run(timeout=timeout, context=context(*chosen), **fields)


async def once(running: Agent, *profiles: Any, **settings: Any) -> Result:
    async with probing(KIND) as prober:
        return await poll(prober, running, *profiles, **settings)


def failed(result: Result, reason: Reason, detail: str) -> None:
    assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, reason, detail)


async def test_silence_is_asked_again_and_then_a_timeout_in_our_own_words() -> None:
    async with agent(respond=lambda _asked, _agent: []) as running:
        result = await once(running, request_timeout="100ms", retries=2)
        assert len(running.questions) == 3
        assert len({asked.id for asked in running.questions}) == 3
    failed(result, Reason.TIMEOUT, NO_ANSWER)
    assert result.duration == pytest.approx(0.3, abs=0.1)
    assert values(result)["snmp_scrape_packets_retried"] == 2


async def test_the_time_limit_of_the_target_ends_the_asking() -> None:
    async with agent(respond=lambda _asked, _agent: []) as running:
        result = await once(running, request_timeout="10s", retries=10, timeout=0.4)
    failed(result, Reason.TIMEOUT, NO_ANSWER)
    assert result.duration < 0.4


async def test_one_lost_packet_is_no_fault() -> None:
    def deaf_at_first(asked: Question, running: Agent) -> list[bytes]:
        return running.honest(asked) if len(running.questions) > 1 else []

    async with agent(TREE, deaf_at_first) as running:
        result = await once(running)
    assert result.outcome is Outcome.OK
    assert values(result)["snmp_scrape_packets_sent"] == 2


async def test_a_device_that_stops_answering_half_way_leaves_what_it_said() -> None:
    def tired(asked: Question, running: Agent) -> list[bytes]:
        return running.honest(asked) if asked.kind == GET else []

    async with agent(TREE | rows(3), tired) as running:
        result = await once(running, PLANT, PORTS)
    failed(result, Reason.TIMEOUT, "stopped answering after 4 values")
    assert values(result)["volts"] == 1
    assert values(result)["snmp_scrape_pdus_returned"] == 4


@pytest.mark.parametrize(
    "respond",
    [
        lambda asked, _: [asked.answer([])],
        lambda asked, _: [asked.answer([(name, NULL) for name in asked.oids], GEN_ERR, index=1)],
        lambda asked, _: [asked.answer([(name, END) for name in asked.oids])],
        lambda asked, _: [asked.answer([("1.3.6.1.77.1.0", integer(1))])],
    ],
    ids=["empty", "genErr", "nothing-there", "another-object"],
)
@pytest.mark.parametrize("version", ["1", "2c"])
async def test_an_agent_that_answers_nothing_of_use_is_a_protocol_fault(respond: Any, version: str) -> None:
    async with agent(respond=respond) as running:
        result = await once(running, PLANT, PORTS, version=version)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)
    assert result.detail in {
        "the agent answers, but has none of the values that are asked for",
        "an answer that cannot be decoded: invalid pdu",
        "OIDs under 1.3.6.1.8.1.1 do not increase: a fault of the agent",
    }


async def test_an_answer_that_is_too_big_is_asked_for_in_parts_and_the_size_is_remembered() -> None:
    async with agent(TREE) as running, probing(KIND) as prober:
        running.largest_group = 2
        first, second = await poll(prober, running), await poll(prober, running)
    assert (first.outcome, values(first)["snmp_scrape_packets_sent"]) == (Outcome.OK, 3)
    assert (second.outcome, values(second)["snmp_scrape_packets_sent"]) == (Outcome.OK, 2)
    assert [values(second)[name] for name in ("volts", "amps", "watts", "degrees")] == [1, 2, 3, 4]


async def test_an_object_that_makes_the_agent_fail_does_not_hide_the_others() -> None:
    def fails_on_amps(asked: Question, running: Agent) -> list[bytes]:
        if "1.3.6.1.9.2.0" in asked.oids:
            return [asked.answer([(name, NULL) for name in asked.oids], GEN_ERR, index=1)]
        return running.honest(asked)

    async with agent(TREE, fails_on_amps) as running, probing(KIND) as prober:
        first, second = await poll(prober, running), await poll(prober, running)
    for result in (first, second):
        assert result.outcome is Outcome.OK
        assert values(result)["volts"] == 1
        assert "amps" not in values(result)
        assert values(result)["snmp_scrape_missing_values"] == 1
    assert values(second)["snmp_scrape_packets_sent"] == 1


async def test_version_1_asks_singly_for_what_an_agent_refuses_as_a_whole_and_remembers_what_it_lacks() -> None:
    tree = {name: value for name, value in TREE.items() if name != "1.3.6.1.9.3.0"}
    async with agent(tree) as running, probing(KIND) as prober:
        first, second = await poll(prober, running, version="1"), await poll(prober, running, version="1")
    assert values(first)["degrees"] == values(second)["degrees"] == 4
    assert values(first)["snmp_scrape_missing_values"] == 1
    assert values(first)["snmp_scrape_packets_sent"] == 5
    assert values(second)["snmp_scrape_packets_sent"] == 1


def first_of_all(asked: Question) -> list[tuple[str, bytes]]:
    return [(f"{ROOT}.{row}", integer(row)) for row in (1, 2, 3)] * 8


@pytest.mark.parametrize(
    "bindings",
    [
        first_of_all,
        lambda _: [(f"{ROOT}.9", integer(1)), (f"{ROOT}.8", integer(1))],
        lambda _: [(f"{ROOT}.5", integer(1)), (f"{ROOT}.5", integer(1))],
        lambda _: [(ROOT, integer(1))],
    ],
    ids=["the-same-again", "backwards", "standing-still", "the-column-itself"],
)
async def test_rows_that_do_not_increase_end_the_walk(bindings: Any) -> None:
    async with agent(respond=lambda asked, _: [asked.answer(bindings(asked))]) as running:
        result = await once(running, PORTS)
        assert len(running.questions) <= 2
    failed(result, Reason.PROTOCOL, f"OIDs under {ROOT} do not increase: a fault of the agent")
    assert result.duration < 1


async def test_rows_out_of_order_are_taken_where_that_is_allowed_and_the_walk_still_ends() -> None:
    def shuffled(asked: Question, _: Agent) -> list[bytes]:
        column = next(column for column in ("1", "2") if asked.oids[0].startswith(f"1.3.6.1.8.1.{column}"))
        return [asked.answer([(f"1.3.6.1.8.1.{column}.{row}", integer(row)) for row in (3, 1, 2)])]

    async with agent(respond=shuffled) as running:
        result = await once(running, PORTS, allow_nonincreasing_oids=True)
    assert result.outcome is Outcome.OK
    assert {name for name in values(result) if name.startswith("octets")} == {f"octets{{{row}}}" for row in (1, 2, 3)}


async def test_an_endless_table_is_cut_at_max_rows_and_the_rest_is_counted() -> None:
    def endless(asked: Question, running: Agent) -> list[bytes]:
        if asked.kind != GET_BULK:
            return [asked.answer([(name, integer(1)) for name in asked.oids])]
        last = asked.oids[0].removeprefix(ROOT).removeprefix(".")
        start = int(last or 0) + 1
        return [asked.answer([(f"{ROOT}.{row}", integer(row)) for row in range(start, start + asked.extra[1])])]

    async with agent(respond=endless) as running:
        result = await once(running, PORTS, max_rows=40)
    found = values(result)
    assert result.outcome is Outcome.OK
    assert sum(name.startswith("octets{") for name in found) == 40
    assert found["snmp_scrape_dropped_rows{limit}"] == 10
    assert found["snmp_scrape_dropped_rows{duplicate}"] == 0


async def test_max_rows_is_for_all_tables_of_the_target_together() -> None:
    other = profile(
        """
        tables:
          - {name: more, index: [i], labels: [i], columns: [{name: more, oid: 1.3.6.1.8.1.2, help: h}]}
        """,
        "other",
    )
    first = profile(
        """
        tables:
          - {name: some, index: [i], labels: [i], columns: [{name: some, oid: 1.3.6.1.8.1.1, help: h}]}
        """,
        "first",
    )
    async with agent(rows(6)) as running:
        found = values(await once(running, first, other, max_rows=8))
    assert sum(name.startswith("some{") for name in found) == 6
    assert sum(name.startswith("more{") for name in found) == 2
    assert found["snmp_scrape_dropped_rows{limit}"] >= 1


async def test_rows_with_the_same_labels_do_not_fail_the_run() -> None:
    named = profile(
        """
        tables:
          - name: ports
            index: [port]
            labels: [{name: name, oid: 1.3.6.1.8.1.2}]
            columns: [{name: octets, oid: 1.3.6.1.8.1.1, help: h}]
        """
    )
    tree = rows(3) | {f"1.3.6.1.8.1.2.{row}": text("uplink") for row in (1, 2)}
    async with agent(tree) as running:
        result = await once(running, named)
    assert result.outcome is Outcome.OK
    assert {name for name in values(result) if name.startswith("octets")} == {"octets{uplink}", "octets{6}"}
    assert values(result)["snmp_scrape_dropped_rows{duplicate}"] == 1


async def test_an_agent_that_fails_on_getbulk_is_walked_row_by_row() -> None:
    def old(asked: Question, running: Agent) -> list[bytes]:
        return [asked.answer([], GEN_ERR)] if asked.kind == GET_BULK else running.honest(asked)

    async with agent(rows(4), old) as running, probing(KIND) as prober:
        first = await poll(prober, running, PORTS)
        asked_before = len(running.questions)
        second = await poll(prober, running, PORTS)
        kinds = {asked.kind for asked in running.questions[asked_before:]}
    assert [values(first)[f"errors{{{row}}}"] for row in (1, 2, 3, 4)] == [2, 4, 6, 8]
    assert {name: value for name, value in values(second).items() if "{" in name and "snmp_" not in name} == {
        name: value for name, value in values(first).items() if "{" in name and "snmp_" not in name
    }
    assert kinds == {GET, GET_NEXT}


async def test_version_1_walks_row_by_row() -> None:
    async with agent(rows(3)) as running:
        result = await once(running, PORTS, version="1")
        assert {asked.kind for asked in running.questions} == {GET, GET_NEXT}
    assert values(result)["errors{3}"] == 6


@pytest.mark.parametrize("repetitions", [1, 7, 100])
async def test_no_more_rows_are_asked_for_at_a_time_than_configured_and_next_time_no_more_than_there_are(
    repetitions: int,
) -> None:
    async with agent(rows(20)) as running, probing(KIND) as prober:
        first = await poll(prober, running, PORTS, max_repetitions=repetitions)
        asked_first = [asked.extra[1] for asked in running.questions if asked.kind == GET_BULK]
        running.questions.clear()
        await poll(prober, running, PORTS, max_repetitions=repetitions)
        asked_then = [asked.extra[1] for asked in running.questions if asked.kind == GET_BULK]
    assert values(first)["octets{20}"] == 20
    assert set(asked_first) == {repetitions}
    assert set(asked_then) == {min(repetitions, 21)}


async def test_answers_too_long_for_the_library_are_asked_for_in_smaller_parts() -> None:
    long = {f"{ROOT}.{row}": text(f"{row}" + "x" * 500) for row in range(1, 11)}
    names = profile(
        f"""
        tables:
          - name: t
            index: [i]
            labels: [i]
            columns: [{{name: words_info, oid: {ROOT}, type: info, help: h}}]
        """
    )
    async with agent(long) as running, probing(KIND) as prober:
        first, second = await poll(prober, running, names), await poll(prober, running, names)
    for result in (first, second):
        assert result.outcome is Outcome.OK
        assert sum(name.startswith("words_info") for name in values(result)) == 10
    assert values(second)["snmp_scrape_packets_sent"] < values(first)["snmp_scrape_packets_sent"]


async def test_a_single_answer_of_60_kilobytes_does_not_hide_the_others() -> None:
    async with agent(TREE | {"1.3.6.1.9.2.0": text("x" * 60_000)}) as running:
        result = await once(running)
    assert result.outcome is Outcome.OK
    assert values(result)["watts"] == 3
    assert values(result)["snmp_scrape_missing_values"] == 1


async def test_a_column_with_an_answer_of_60_kilobytes_is_a_protocol_fault() -> None:
    async with agent({f"{ROOT}.1": integer(1), f"{ROOT}.2": text("x" * 60_000)}) as running:
        result = await once(running, PORTS)
    failed(result, Reason.PROTOCOL, "an answer that cannot be decoded: incomplete")


def nonsense(asked: Question) -> dict[str, bytes]:
    right = asked.answer([(name, TREE[name]) for name in asked.oids])
    return {
        "nothing": b"",
        "one octet": b"\x30",
        "half": right[: len(right) // 2],
        "text": b"HTTP/1.1 400 Bad Request\r\n\r\n",
        "another version": asked.answer([], version=3),
        "another community": asked.answer([(asked.oids[0], integer(99))], community=b"private"),
        "another question": asked.answer([(asked.oids[0], integer(99))], id=asked.id ^ 1),
        "a trap": asked.answer([(asked.oids[0], integer(99))], kind=0xA7),
        "an empty binding": broken_binding(asked),
        "huge length": b"\x30\x88" + b"\xff" * 8 + right[2:],
        "deep": b"\x30\x80" * 2000,
        "junk behind": right + b"junk",
    }


def broken_binding(asked: Question) -> bytes:
    pdu = integer(asked.id) + integer(0) + integer(0) + tlv(0x30, tlv(0x30, b""))
    return tlv(0x30, integer(asked.version) + tlv(0x04, asked.community) + tlv(0xA2, pdu))


KINDS_OF_NONSENSE = sorted(nonsense(Question(b"", 1, b"public", GET, 1, (0, 0), ("1.3.6.1.9.1.0",))))


@pytest.mark.parametrize("kind", KINDS_OF_NONSENSE)
async def test_nonsense_in_front_of_the_right_answer_changes_nothing(kind: str) -> None:
    async with agent(TREE, lambda asked, running: [nonsense(asked)[kind], *running.honest(asked)]) as running:
        result = await once(running)
    assert (result.outcome, result.detail) == (Outcome.OK, "")
    assert [values(result)[name] for name in ("volts", "amps", "watts", "degrees")] == [1, 2, 3, 4]
    assert values(result)["snmp_scrape_packets_sent"] == 1


@pytest.mark.parametrize("kind", KINDS_OF_NONSENSE)
async def test_nonsense_alone_is_the_devices_fault_and_never_ours(kind: str) -> None:
    async with agent(TREE, lambda asked, _: [nonsense(asked)[kind]]) as running:
        result = await once(running, timeout=5.0)
    assert result.outcome is Outcome.FAIL
    dropped_unseen = {"another community", "another question", "nothing"}
    assert result.reason is (Reason.TIMEOUT if kind in dropped_unseen else Reason.PROTOCOL)


async def test_a_report_where_there_are_none_is_a_protocol_fault() -> None:
    async with agent(respond=lambda asked, _: [asked.answer([], kind=REPORT)]) as running:
        result = await once(running)
    failed(result, Reason.PROTOCOL, "a report, which only SNMPv3 has")


async def test_three_thousand_mutated_answers_raise_nothing_and_hold_nothing() -> None:
    chance = random.Random(1628)

    def mutated(answer: bytes) -> bytes:
        octets = bytearray(answer)
        for _ in range(chance.randint(1, 4)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        return bytes(octets[: chance.randint(1, len(octets))] if chance.random() < 0.2 else octets)

    def lying(asked: Question, running: Agent) -> list[bytes]:
        (right,) = running.honest(asked)
        return [*(mutated(right) for _ in range(30)), right]

    async with agent(TREE | rows(2), lying) as running, probing(KIND) as prober:
        outcomes = [(await poll(prober, running, PLANT, PORTS, timeout=10.0)).outcome for _ in range(40)]
        assert len(running.questions) * 30 >= 3000
    assert Outcome.ERROR not in outcomes


async def test_an_answer_from_another_address_is_not_ours() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.setblocking(False)

        class Diverted(Agent):
            def send(self, datagram: bytes, addr: tuple[str, int]) -> None:
                stranger.sendto(datagram, addr)

        loop = asyncio.get_running_loop()
        transport, running = await loop.create_datagram_endpoint(lambda: Diverted(TREE), ("127.0.0.1", 0))
        result = await once(running)
        transport.close()
    failed(result, Reason.TIMEOUT, NO_ANSWER)


async def test_late_and_doubled_answers_are_never_taken_for_those_of_the_next_question() -> None:
    numbers = count(1)

    def answer(asked: Question) -> bytes:
        return asked.answer([(name, integer(next(numbers))) for name in asked.oids])

    class Slow(Agent):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            super().datagram_received(data, addr)
            asked = self.questions[-1]
            if len(self.questions) == 1:
                self.later(0.25, answer(asked), addr)
                return
            right = answer(asked)
            for seconds in (0.1, 0.1, 0.12):
                self.later(seconds, right, addr)

    loop = asyncio.get_running_loop()
    transport, running = await loop.create_datagram_endpoint(
        lambda: Slow({}, lambda _asked, _agent: []), ("127.0.0.1", 0)
    )
    async with probing(KIND) as prober:
        first = await poll(prober, running, request_timeout="200ms", retries=1)
        second = await poll(prober, running, request_timeout="300ms", retries=0)
        await asyncio.sleep(0.2)
        third = await poll(prober, running, request_timeout="300ms", retries=0)
    transport.close()
    # The numbers 1 to 4 went into the answer to the first question, which came after it had been given up.
    assert [values(result)["volts"] for result in (first, second, third)] == [5, 9, 13]
    assert len(running.questions) == 4


async def test_a_flood_while_nobody_asks_costs_the_session_and_nothing_else() -> None:
    async with agent(TREE) as running, probing(KIND) as prober:
        assert (await poll(prober, running)).outcome is Outcome.OK
        running.questions.clear()
        (asker,) = askers(running)
        for _ in range(3000):
            running.send(b"\x30\x03noise", asker)
        await asyncio.sleep(0.2)
        result = await poll(prober, running)
    assert result.outcome is Outcome.OK
    assert values(result)["snmp_scrape_packets_sent"] == 1


def askers(running: Agent) -> Iterable[tuple[str, int]]:
    return {("127.0.0.1", port) for port in running.ports}


async def test_a_run_that_is_given_up_leaves_the_device_to_the_next() -> None:
    def slow_at_first(asked: Question, running: Agent) -> list[bytes]:
        return running.honest(asked) if len(running.questions) > 1 else []

    async with agent(TREE, slow_at_first) as running, probing(KIND) as prober:
        given_up = asyncio.create_task(poll(prober, running, request_timeout="2s"))
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(poll(prober, running))
        await asyncio.sleep(0.1)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        assert (await waiting).outcome is Outcome.OK


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_sessions_are_kept_warm_within_a_limit_and_given_back_at_the_end() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = descriptors()
    allowed = 2 * before + 64  # a quarter for sessions, as much for the agents, and the rest is there already
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    try:
        async with probing(KIND) as prober:
            empty = descriptors()
            running = [await stack_agent() for _ in range(allowed // 4 + 5)]
            agents = descriptors()
            for _ in range(2):
                for _, each in running:
                    assert (await poll(prober, each)).outcome is Outcome.OK
            assert descriptors() - agents <= allowed // 4
            for transport, _ in running:
                transport.close()
            assert empty >= before
        await asyncio.sleep(0.05)
        assert descriptors() <= before
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def stack_agent() -> tuple[asyncio.BaseTransport, Agent]:
    return await asyncio.get_running_loop().create_datagram_endpoint(lambda: Agent(TREE), ("127.0.0.1", 0))


async def test_no_descriptor_left_is_our_own_fault() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with agent(TREE) as running, probing(KIND) as prober:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            result = await poll(prober, running)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        again = await poll(prober, running)
    assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.LOCAL)
    assert "Too many open files" in result.detail
    assert again.outcome is Outcome.OK


async def test_an_address_that_cannot_be_reached_is_unreachable() -> None:
    async with agent(TREE) as running:
        result = await once(running, host="fe80::1", ip="ip6")
        zone = await once(running, host="fe80::1%no-such", ip="ip6")
    failed(result, Reason.UNREACHABLE, "Invalid argument")
    assert (zone.outcome, zone.reason) == (Outcome.FAIL, Reason.UNREACHABLE)


async def test_a_broadcast_address_is_not_permitted() -> None:
    async with agent(TREE) as running:
        result = await once(running, host="255.255.255.255")
    assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.PERMISSION)


async def test_a_name_is_redirected_and_one_that_does_not_exist_says_so() -> None:
    async with agent(TREE) as running, udp_server(Zone()) as names:
        redirected = {"may-lanh.example": f"127.0.0.1:{running.port}"}
        async with probing(KIND, redirected, (names.address,)) as prober:
            found = await poll(prober, running, host="may-lanh.example", port=161)
            lost = await poll(prober, running, host="khong-co.example")
    assert found.outcome is Outcome.OK
    assert (lost.outcome, lost.reason) == (Outcome.FAIL, Reason.RESOLVE)


def with_rows(lines: str) -> Any:
    return profile(
        f"""
        tables:
          - name: ports
            index: [port]
            labels: [port]
            {lines}
            columns: [{{name: octets, oid: 1.3.6.1.8.1.1, help: h}}, {{name: errors, oid: 1.3.6.1.8.1.2, help: h}}]
        """
    )


async def test_labels_are_looked_up_in_other_tables_by_a_part_of_the_index_and_by_way_of_a_column() -> None:
    slots = profile(
        """
        tables:
          - name: slots
            index: [unit, slot]
            labels:
              - slot
              - {name: unitName, oid: 1.3.6.1.7.1, index: [unit]}
              - {name: card, via: 1.3.6.1.6.2, oid: 1.3.6.1.5.1}
            rows: [{label: card, not_values: [blank]}]
            columns: [{name: amps, oid: 1.3.6.1.6.1, help: h, scale_from: [{oid: 1.3.6.1.4.0}]}]
        """
    )
    tree = {
        **{f"1.3.6.1.6.1.{key}": integer(amps) for key, amps in (("1.1", 3), ("1.2", 4), ("2.1", 5))},
        **{f"1.3.6.1.6.2.{key}": integer(card) for key, card in (("1.1", 70), ("1.2", 71), ("2.1", 70))},
        "1.3.6.1.7.1.1": text("left"),
        "1.3.6.1.7.1.2": text("right"),
        "1.3.6.1.5.1.70": text("line card"),
        "1.3.6.1.5.1.71": text("blank"),
        "1.3.6.1.4.0": integer(2),
    }
    async with agent(tree) as running:
        result = await once(running, slots)
    assert {name: value for name, value in values(result).items() if name.startswith("amps")} == {
        "amps{1,left,line card}": 6,
        "amps{1,right,line card}": 10,
    }
    assert values(result)["snmp_scrape_dropped_rows{duplicate}"] == 0


async def test_rows_that_the_profile_lists_are_asked_for_without_a_walk() -> None:
    async with agent(rows(50)) as running:
        result = await once(running, with_rows("rows: [{index: port, values: [7, 49, 99]}]"))
        assert [asked.kind for asked in running.questions] == [GET]
    assert {name: value for name, value in values(result).items() if name[:6] in {"octets", "errors"}} == {
        "octets{7}": 7,
        "errors{7}": 14,
        "octets{49}": 49,
        "errors{49}": 98,
    }


async def test_of_a_long_table_only_the_cells_of_chosen_rows_are_asked_for() -> None:
    async with agent(rows(200)) as running:
        result = await once(running, with_rows("rows: [{oid: 1.3.6.1.8.1.1, matches: '^5[0-4]$'}]"))
        kinds = [asked.kind for asked in running.questions]
    assert kinds.count(GET) == 1
    assert kinds.count(GET_BULK) == 9
    assert sum(name.startswith("errors{") for name in values(result)) == 5


async def test_a_subtree_is_walked_whole_where_the_profile_says_so() -> None:
    async with agent(rows(10)) as running:
        result = await once(running, with_rows("walk: [1.3.6.1.8.1]"))
        assert {asked.kind for asked in running.questions} <= {GET_BULK, GET_NEXT}
        assert len(running.questions) <= 3
    assert values(result)["errors{10}"] == 20
    assert values(result)["octets{10}"] == 10


async def test_a_table_that_grows_is_read_whole_at_once() -> None:
    async with agent(rows(3)) as running, probing(KIND) as prober:
        await poll(prober, running, PORTS)
        running.tree.update(rows(90))
        result = await poll(prober, running, PORTS)
    assert sum(name.startswith("octets{") for name in values(result)) == 90


async def test_many_rows_let_other_runs_have_their_turn() -> None:
    lag = Lag()
    async with agent(respond=many) as running:
        watcher = asyncio.create_task(lag.watch())
        result = await once(running, PORTS, max_rows=5000, timeout=10.0)
        watcher.cancel()
    assert sum(name.startswith("octets{") for name in values(result)) == 5000
    assert lag.busy < 0.2


def many(asked: Question, _running: Agent) -> Iterator[bytes]:
    """5,000 rows, computed."""
    if asked.kind == GET:
        yield asked.answer([(name, integer(1)) for name in asked.oids])
        return
    column, _, last = asked.oids[0].removeprefix("1.3.6.1.8.1.").partition(".")
    start = int(last or 0) + 1
    names = [f"1.3.6.1.8.1.{column}.{row}" for row in range(start, min(5001, start + asked.extra[1]))]
    beyond = [] if len(names) == asked.extra[1] else [("1.3.6.1.9.1", integer(1))]
    yield asked.answer([*((name, integer(1)) for name in names), *beyond])
