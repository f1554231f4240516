"""What `tcp` sends and expects."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collector.model import Outcome, Reason, Result
from collector.probes.tcp import KIND, TcpSpec
from tests.peers import Authority, Converse, hang, leaving_nothing, peer, says
from tests.pinned import check_pinned
from tests.probing import probing, values


async def once(converse: Converse, dialogue: list[dict[str, Any]], timeout: float = 1.0, **settings: Any) -> Result:
    async with peer(converse) as port, probing(KIND) as tcp, leaving_nothing():
        return await tcp.run(timeout, host="127.0.0.1", port=port, dialogue=dialogue, **settings)


class Recorder:
    """Greets, then keeps what is said to it."""

    def __init__(self, greeting: bytes = b"") -> None:
        self.heard = bytearray()
        self.done = asyncio.Event()
        self._greeting = greeting

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._greeting)
        await writer.drain()
        self.heard += await reader.read()
        self.done.set()


async def heard(recorder: Recorder, *steps: dict[str, Any]) -> bytes:
    assert (await once(recorder, list(steps))).outcome is Outcome.OK
    async with asyncio.timeout(2):
        await recorder.done.wait()
    return bytes(recorder.heard)


async def test_reads_lines_until_one_matches() -> None:
    result = await once(says("motd\r\nmore\n220 ready\r\n"), [{"expect": "^220 ready$"}])
    assert result.outcome is Outcome.OK
    assert values(result)["probe_failed_due_to_regex"] == 0
    assert values(result)["probe_tcp_duration_seconds{dialogue}"] > 0


async def test_each_step_waits_for_its_own_answer() -> None:
    irc = says(":prometheus.example 001 hello\n", "PING :ababab\n", "PONG ok\n")
    steps: list[dict[str, Any]] = [
        {"send": "NICK prober"},
        {"expect": "PING :([^ ]+)", "send": "PONG ${1}"},
        {"expect": "^PONG ok"},
    ]
    assert (await once(irc, steps)).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("template", "sent"),
    [
        ("$1 ${1} $word ${word} $0", b"abc abc def def abc def\n"),
        ("cost $$5 and $", b"cost $5 and $\n"),
        ("${3}|", b"|\n"),
    ],
)
async def test_what_matched_is_sent_back_as_go_expands_it(template: str, sent: bytes) -> None:
    step = {"expect": "(abc) (?P<word>def)(x)?", "send": template}
    assert await heard(Recorder(b"abc def\n"), step) == sent


@pytest.mark.parametrize(
    ("step", "sent"),
    [
        ({"send": "QUIT"}, b"QUIT\n"),
        ({"send": "pa$1word"}, b"pa$1word\n"),
        ({"send": "QUIT", "send_end": "\r\n"}, b"QUIT\r\n"),
        ({"send": "tỉnh", "send_end": ""}, "tỉnh".encode()),
        ({"send": "\u00ff\u0001", "encoding": "latin-1", "send_end": ""}, b"\xff\x01"),
        ({"send": "00 01 00 00 00 06 ff 03", "encoding": "hex"}, bytes.fromhex("000100000006ff03")),
    ],
)
async def test_sends_exactly_what_is_meant(step: dict[str, Any], sent: bytes) -> None:
    assert await heard(Recorder(), step) == sent


async def test_expects_bytes() -> None:
    result = await once(Recorder(b"\x05\x00rest"), [{"expect_bytes": "0500", "encoding": "hex"}])
    assert result.outcome is Outcome.OK
    assert values(result)["probe_failed_due_to_bytes"] == 0


async def test_other_bytes_than_expected() -> None:
    result = await once(Recorder(b"HTTP/1.1"), [{"expect_bytes": "SSH-2.0-"}])
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
    assert values(result)["probe_failed_due_to_bytes"] == 1


async def test_fewer_bytes_than_expected() -> None:
    async def half(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH")

    result = await once(half, [{"expect_bytes": "SSH-2.0-"}])
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)


async def test_what_comes_together_with_the_end_counts(tmp_path: Path) -> None:
    """A peer that answers and closes at once has answered, by TLS too, where both arrive in one go."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"ok\nfine\n")

    authority = Authority(tmp_path)
    steps = [{"expect_bytes": "ok\n"}, {"expect": "^fine$"}]
    trust = {"ca_file": str(authority.ca_file)}
    async with peer(answer) as plain, peer(answer, tls=authority.server("127.0.0.1")) as secure, probing(KIND) as tcp:
        for _ in range(10):
            for port, tls in ((plain, False), (secure, True)):
                result = await tcp.run(host="127.0.0.1", port=port, tls=tls, tls_config=trust, dialogue=steps)
                assert result.outcome is Outcome.OK, result.detail


async def test_labels_tell_what_was_matched() -> None:
    steps: list[dict[str, Any]] = [
        {"expect": "^SSH-([0-9.]+)-(?P<software>\\S+)", "labels": {"version": "${1}", "software": "$software"}},
        {"send": "next"},
        {"expect": "^region=(.*)", "labels": {"region": "${1}"}},
    ]
    result = await once(says("SSH-2.0-OpenSSH_9.2p1\r\n", "region=quảng ngãi\n".encode().decode("latin-1")), steps)
    assert result.outcome is Outcome.OK
    assert values(result)["probe_expect_info{2.0,OpenSSH_9.2p1,}"] == 1
    assert values(result)["probe_expect_info{,,quảng ngãi}"] == 1
    (metric,) = {sample.metric for sample in result.samples if sample.metric.name == "probe_expect_info"}
    assert metric.labels == ("version", "software", "region")


async def test_a_peer_that_closes_without_the_expected_line() -> None:
    async def other(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\nhalf a li")

    result = await once(other, [{"expect": "^220 "}])
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
    assert "half a li" in result.detail
    assert values(result)["probe_failed_due_to_regex"] == 1


async def test_an_unfinished_last_line_counts() -> None:
    async def prompt(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"login: ")

    assert (await once(prompt, [{"expect": "^login:"}])).outcome is Outcome.OK


async def test_a_peer_that_closes_without_a_word() -> None:
    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    result = await once(close, [{"expect": "^220 "}])
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)


async def test_a_peer_that_resets() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.get_extra_info("socket").setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SOL_SOCKET, SO_LINGER: 0 s
        writer.transport.abort()

    result = await once(reset, [{"send": "hello"}, {"expect": "^220 "}])
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)


async def test_silence_times_out_and_keeps_what_was_measured() -> None:
    result = await once(hang, [{"expect": "^220 "}], timeout=0.2)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert values(result)["probe_tcp_duration_seconds{connect}"] > 0
    assert "probe_failed_due_to_regex" not in values(result)


async def test_a_drip_ends_at_the_time_limit() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    result = await once(drip, [{"expect": "^220 "}], timeout=0.2)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert result.duration < 0.4


async def test_no_more_is_read_than_allowed() -> None:
    sent = 0

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while sent < 100_000_000:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    result = await once(flood, [{"expect": "^220 "}], max_size="200KB")
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TOO_LARGE)
    assert sent < 20_000_000


async def test_words_that_cannot_be_sent_back() -> None:
    step = {"expect": "(.*)", "send": "${1}", "encoding": "hex"}
    result = await once(says("not hex\n"), [step])
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)


async def test_starttls_as_a_step(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = authority.server("127.0.0.1")

    async def nntp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"200 hello\r\n")
        await reader.readuntil(b"STARTTLS\r\n")
        writer.write(b"382 go on\r\n")
        await writer.start_tls(server)
        await reader.readuntil(b"DATE\r\n")
        writer.write(b"111 20260101000000\r\n")
        await reader.read()

    steps: list[dict[str, Any]] = [
        {"expect": "^200", "send": "STARTTLS", "send_end": "\r\n"},
        {"expect": "^382", "starttls": True},
        {"send": "DATE", "send_end": "\r\n"},
        {"expect": "^111 (?P<date>[0-9]+)", "labels": {"date": "$date"}},
        {"send": "HELP", "send_end": "\r\n"},
    ]
    good = await once(nntp, steps, tls_config={"ca_file": str(authority.ca_file)})
    bad = await once(nntp, steps)
    assert good.outcome is Outcome.OK
    assert values(good)["probe_expect_info{20260101000000}"] == 1
    assert values(good)["probe_ssl_verified"] == 1
    assert (bad.outcome, bad.reason) == (Outcome.FAIL, Reason.TLS)
    assert values(bad)["probe_ssl_earliest_cert_expiry"] == values(good)["probe_ssl_earliest_cert_expiry"]
    with_bytes = await once(Recorder(b"x"), [{"expect_bytes": "x"}])
    check_pinned(KIND, good, bad, with_bytes)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dialogue": [{}]}, "a step needs"),
        ({"dialogue": [{"expect": "("}]}, "bad regular expression"),
        ({"dialogue": [{"expect": "a", "send": "${1}"}]}, "expect has no group 1"),
        ({"dialogue": [{"expect": "(?P<a>b)", "labels": {"x": "$b"}}]}, "expect has no group b"),
        ({"dialogue": [{"send": "x", "labels": {"x": "y"}}]}, "labels need expect"),
        ({"dialogue": [{"expect": "a", "labels": {"x-y": "y"}}]}, "not usable as a label name: x-y"),
        ({"dialogue": [{"expect": "a", "labels": {"target": "y"}}]}, "not usable as a label name: target"),
        ({"dialogue": [{"send": "xyz", "encoding": "hex"}]}, "not writable as hex"),
        ({"dialogue": [{"expect_bytes": "tỉnh", "encoding": "latin-1"}]}, "not writable as latin-1"),
        ({"dialogue": [{"expect": "a", "more": 1}]}, "Extra inputs"),
        ({"tls": True, "starttls": "smtp"}, "TLS can start only once"),
        ({"tls": True, "dialogue": [{"starttls": True}]}, "TLS can start only once"),
        ({"dialogue": [{"starttls": True}, {"starttls": True}]}, "TLS can start only once"),
        ({"source_ip": "nowhere"}, "expected an IPv4 or IPv6 address"),
        ({"max_size": "lots"}, "expected a size"),
        ({"port": 0}, "greater than or equal to 1"),
    ],
)
def test_a_dialogue_that_cannot_be_held_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        TcpSpec.model_validate({"host": "a.example", "port": 25} | settings)
