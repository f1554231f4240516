"""`dns` against real name servers on loopback."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from collector.model import Outcome, Reason, Result
from collector.probes.dns import KIND, DnsSpec
from tests.dns_server import Handler, Zone, tcp_server, udp_server
from tests.peers import Authority, hang, leaving_nothing, peer
from tests.pinned import check_pinned
from tests.probing import probing, values

RECORDS = ["www.example. 300 IN A 10.0.0.1", "www.example. 300 IN AAAA 2001:db8::1"]
SOA = "example. 300 IN SOA ns.example. admin.example. 2026010203 3600 600 86400 300"


async def ask(server: Any, timeout: float = 1.0, **settings: Any) -> Result:
    async with probing(KIND) as prober, leaving_nothing():
        question = {"server": server.host, "port": server.port, "name": "www.example"}
        return await prober.run(timeout, **question | settings)


async def ask_udp(handler: Handler, host: str = "127.0.0.1", **settings: Any) -> Result:
    async with udp_server(handler, host) as server:
        return await ask(server, **settings)


async def ask_tcp(handler: Handler, **settings: Any) -> Result:
    async with tcp_server(handler) as server:
        return await ask(server, transport="tcp", **settings)


def failed(result: Result, reason: Reason) -> bool:
    return (result.outcome, result.reason) == (Outcome.FAIL, reason)


async def test_an_answer_by_udp() -> None:
    result = await ask_udp(Zone(RECORDS))
    seen = values(result)
    assert result.outcome is Outcome.OK, result.detail
    assert seen["probe_dns_query_succeeded"] == 1
    assert seen["probe_dns_rcode"] == 0
    assert seen["probe_dns_truncated"] == 0
    assert [seen[f"probe_dns_{name}_rrs"] for name in ("answer", "authority", "additional")] == [1, 0, 0]
    phases = [seen[f"probe_dns_duration_seconds{{{phase}}}"] for phase in ("resolve", "connect", "request")]
    assert 0 < sum(phases) <= seen["probe_duration_seconds"]
    assert "probe_dns_serial" not in seen


async def test_an_answer_by_tcp_and_by_ip6() -> None:
    by_tcp = await ask_tcp(Zone(RECORDS))
    by_ip6 = await ask_udp(Zone(RECORDS), "::1", type="AAAA")
    assert (by_tcp.outcome, by_ip6.outcome) == (Outcome.OK, Outcome.OK)
    assert values(by_ip6)["probe_ip_protocol"] == 6
    assert "probe_dns_truncated" not in values(by_tcp)


async def test_every_record_counts() -> None:
    def answer(query: dns.message.Message) -> bytes:
        reply = dns.message.make_response(query)
        reply.answer = [dns.rrset.from_text("www.example.", 60, "IN", "A", "10.0.0.1", "10.0.0.2", "10.0.0.3")]
        reply.authority = [dns.rrset.from_text("example.", 60, "IN", "NS", "a.example.", "b.example.")]
        reply.additional = [dns.rrset.from_text("a.example.", 60, "IN", "A", "10.0.0.9")]
        return reply.to_wire()

    seen = values(await ask_udp(answer))
    assert [seen[f"probe_dns_{name}_rrs"] for name in ("answer", "authority", "additional")] == [3, 2, 1]


class Question:
    """Keeps the last question, answers nothing in particular."""

    def __init__(self) -> None:
        self.message: dns.message.Message | None = None

    def __call__(self, query: dns.message.Message) -> bytes:
        self.message = query
        return dns.message.make_response(query).to_wire()


async def test_asks_what_is_configured() -> None:
    question = Question()
    await ask_udp(question, name="version.bind", type="TXT", recursion=False, udp_size=1232, **{"class": "CH"})
    message = question.message
    assert message is not None
    assert message.question[0].to_text() == "version.bind. CH TXT"
    assert not message.flags & dns.flags.RD
    assert (message.edns, message.payload) == (0, 1232)


async def test_asks_plainly_by_default() -> None:
    question = Question()
    await ask_udp(question)
    message = question.message
    assert message is not None
    assert message.question[0].to_text() == "www.example. IN A"
    assert message.flags & dns.flags.RD
    assert message.edns == -1


async def test_the_zone_s_serial() -> None:
    result = await ask_udp(Zone([SOA]), name="example", type="SOA")
    assert values(result)["probe_dns_serial"] == 2026010203


async def test_no_serial_without_a_soa_record() -> None:
    result = await ask_udp(Zone([SOA.replace("SOA", "TXT")]), name="example", type="SOA")
    assert "probe_dns_serial" not in values(result)


async def test_the_response_code_decides() -> None:
    denied = await ask_udp(Zone())
    wanted = await ask_udp(Zone(), valid_rcode=["NXDOMAIN", "REFUSED"])
    assert failed(denied, Reason.UNEXPECTED)
    assert "NXDOMAIN" in denied.detail
    assert values(denied)["probe_dns_rcode"] == 3
    assert values(denied)["probe_dns_query_succeeded"] == 1
    assert wanted.outcome is Outcome.OK


def three_sections(query: dns.message.Message) -> bytes:
    reply = dns.message.make_response(query)
    reply.answer = [
        dns.rrset.from_text("www.example.", 60, "IN", "CNAME", "host.example."),
        dns.rrset.from_text("host.example.", 60, "IN", "A", "10.0.0.1", "10.0.0.2"),
    ]
    reply.authority = [dns.rrset.from_text("example.", 60, "IN", "NS", "ns.example.")]
    reply.additional = [dns.rrset.from_text("ns.example.", 60, "IN", "TXT", '"quảng ngãi"')]
    return reply.to_wire()


@pytest.mark.parametrize(
    ("settings", "good"),
    [
        ({"answer": {"must_match": ["10.0.0.1"]}}, True),
        ({"answer": {"must_match": ["10.0.0.1", "CNAME"]}}, True),
        ({"answer": {"must_match": ["10.0.0.1", "10.0.0.3"]}}, False),
        ({"answer": {"must_match": ["host.example.\t.*\tIN\tA\t.*10.0.0.2"]}}, True),
        ({"answer": {"must_not_match": ["10.0.0.3"]}}, True),
        ({"answer": {"must_not_match": ["10.0.0.3", "10.0.0.2"]}}, False),
        ({"answer": {"all_match": ["example"]}}, True),
        ({"answer": {"all_match": ["\tA\t"]}}, False),
        ({"authority": {"must_match": ["^example\\.\t60\tIN\tNS\tns\\.example\\.$"]}}, True),
        ({"authority": {"must_not_match": ["ns"]}}, False),
        ({"additional": {"must_match": ["TXT"], "all_match": ["^ns"], "must_not_match": ["^x"]}}, True),
        ({"additional": {"all_match": ["^x"]}}, False),
    ],
)
async def test_records_are_judged(settings: dict[str, Any], good: bool) -> None:
    result = await ask_udp(three_sections, **settings)
    assert result.outcome is Outcome.OK if good else failed(result, Reason.UNEXPECTED), result.detail
    assert values(result)["probe_dns_answer_rrs"] == 3


@pytest.mark.parametrize("rule", ["must_match", "all_match"])
async def test_nothing_matches_an_empty_section(rule: str) -> None:
    result = await ask_udp(Zone(RECORDS), authority={rule: [".*"]})
    assert failed(result, Reason.UNEXPECTED)


def cut_short(query: dns.message.Message) -> bytes:
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.TC
    return reply.to_wire()


async def test_what_was_cut_short_is_asked_again_by_tcp() -> None:
    here = "127.0.0.53"  # where nobody else's sockets may have the port that both are to share
    async with tcp_server(Zone(RECORDS), here) as whole, udp_server(cut_short, here, whole.port) as server:
        result = await ask(server)
        assert whole.connections == 1
        cut = await ask(server, tcp_fallback=False)
        assert whole.connections == 1
    assert result.outcome is cut.outcome is Outcome.OK
    assert values(result)["probe_dns_truncated"] == values(cut)["probe_dns_truncated"] == 1
    assert (values(result)["probe_dns_answer_rrs"], values(cut)["probe_dns_answer_rrs"]) == (1, 0)


async def test_a_long_answer_by_tcp() -> None:
    """Some 3,900 records in 64 KB: read off the loop."""

    def answer(query: dns.message.Message) -> bytes:
        reply = dns.message.make_response(query)
        addresses = [f"10.0.{number // 250}.{number % 250}" for number in range(3900)]
        reply.answer = [dns.rrset.from_text("www.example.", 60, "IN", "A", *addresses)]
        return reply.to_wire(max_size=65535)

    result = await ask_tcp(answer, timeout=5, answer={"must_match": ["10.0.15.149$"]})
    assert result.outcome is Outcome.OK, result.detail
    assert values(result)["probe_dns_answer_rrs"] == 3900


def other_id(query: dns.message.Message) -> bytes:
    wire = bytearray(dns.message.make_response(query).to_wire())
    wire[0] ^= 0xFF
    return bytes(wire)


def other_question(query: dns.message.Message) -> bytes:
    reply = dns.message.make_response(query)
    reply.question = [dns.rrset.RRset(dns.name.from_text("evil.example."), dns.rdataclass.IN, dns.rdatatype.A)]
    return reply.to_wire()


def half(query: dns.message.Message) -> bytes:
    wire = Zone(RECORDS)(query)
    assert wire is not None
    return wire[: len(wire) // 2 + 4]


@pytest.mark.parametrize(
    "answer",
    [
        other_id,
        other_question,
        half,
        lambda query: query.to_wire(),
        lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n",
        lambda _: b"\0",
    ],
    ids=["other id", "other question", "half", "echo", "http", "one byte"],
)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_what_is_no_answer(answer: Handler, transport: str) -> None:
    result = await (ask_udp if transport == "udp" else ask_tcp)(answer)
    assert failed(result, Reason.PROTOCOL), result
    assert values(result)["probe_dns_query_succeeded"] == 0
    assert values(result)["probe_dns_duration_seconds{connect}"] > 0


async def test_an_answer_of_no_bytes() -> None:
    assert failed(await ask_tcp(lambda _: b""), Reason.PROTOCOL)


async def test_half_an_answer_by_tcp() -> None:
    async def stop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2)
        writer.write(b"\0\x40half")

    async with peer(stop) as port, probing(KIND) as prober:
        result = await prober.run(server="127.0.0.1", port=port, name="www.example", transport="tcp")
    assert failed(result, Reason.PROTOCOL)
    assert "4 of 64" in result.detail


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_silence_times_out_and_keeps_what_was_measured(transport: str) -> None:
    serve = udp_server if transport == "udp" else tcp_server
    async with serve(lambda _: None) as server:
        result = await ask(server, 0.2, transport=transport)
    assert failed(result, Reason.TIMEOUT)
    assert values(result)["probe_dns_query_succeeded"] == 0
    assert values(result)["probe_dns_duration_seconds{connect}"] > 0


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_refused(transport: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with probing(KIND) as prober:
            settings = {"server": "127.0.0.1", "port": unused.getsockname()[1], "name": "www.example"}
            result = await prober.run(transport=transport, **settings)
    assert failed(result, Reason.REFUSED)


async def test_a_server_whose_name_does_not_resolve() -> None:
    async with udp_server(Zone()) as names, probing(KIND, resolvers=(names.address,)) as prober:
        result = await prober.run(server="gone.example", name="www.example")
    assert failed(result, Reason.RESOLVE)


async def test_a_server_by_name_through_the_address_map() -> None:
    async with udp_server(Zone(RECORDS)) as server, probing(KIND, {"ns.example": server.address}) as prober:
        result = await prober.run(server="ns.example", name="www.example")
    assert result.outcome is Outcome.OK


@pytest.mark.parametrize("ip", ["ip4", "ip6"])
async def test_a_server_of_the_wanted_family(ip: str) -> None:
    host = "127.0.0.1" if ip == "ip4" else "::1"
    zone = Zone(["ns.example. 60 IN A 127.0.0.1", "ns.example. 60 IN AAAA ::1"])
    async with (
        udp_server(zone) as names,
        udp_server(Zone(RECORDS), host) as server,
        probing(KIND, resolvers=(names.address,)) as prober,
    ):
        result = await prober.run(server="ns.example", port=server.port, name="www.example", ip=ip)
    assert result.outcome is Outcome.OK


async def test_from_a_given_address() -> None:
    async with udp_server(Zone(RECORDS)) as server, tcp_server(Zone(RECORDS)) as by_tcp:
        assert (await ask(server, source_ip="127.0.0.9")).outcome is Outcome.OK
        assert (await ask(by_tcp, source_ip="127.0.0.9", transport="tcp")).outcome is Outcome.OK
        foreign = await ask(server, source_ip="203.0.113.9")
        other = await ask(server, source_ip="::1")
    assert (foreign.outcome, foreign.reason) == (other.outcome, other.reason) == (Outcome.ERROR, Reason.LOCAL)


async def test_no_route_is_unreachable() -> None:
    async with probing(KIND) as prober:
        result = await prober.run(server="224.0.0.1", transport="tcp", name="www.example")
    assert failed(result, Reason.UNREACHABLE)


async def test_by_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    trust = {"ca_file": str(authority.ca_file)}
    yesterday = datetime.now(UTC) - timedelta(days=1)
    async with tcp_server(Zone([SOA]), tls=authority.server("127.0.0.1")) as server:
        good = await ask(server, transport="tls", tls=trust, name="example", type="SOA")
    async with tcp_server(Zone([SOA]), tls=authority.server("127.0.0.1", not_after=yesterday)) as server:
        expired = await ask(server, transport="tls", tls=trust)
        assert server.asked == []
    async with peer(hang) as port, probing(KIND) as prober, leaving_nothing():
        hung = await prober.run(0.2, server="127.0.0.1", port=port, transport="tls", name="www.example")
    assert good.outcome is Outcome.OK
    assert values(good)["probe_ssl_verified"] == 1
    assert failed(expired, Reason.TLS)
    assert values(expired)["probe_ssl_earliest_cert_expiry"] == int(yesterday.timestamp())
    assert values(expired)["probe_ssl_verified"] == 0
    assert failed(hung, Reason.TIMEOUT)
    check_pinned(KIND, good, await ask_udp(Zone(RECORDS)))


async def test_a_hundred_questions_at_once_leave_nothing() -> None:
    async with udp_server(Zone(RECORDS)) as server, probing(KIND) as prober, leaving_nothing():
        question = {"server": server.host, "port": server.port, "name": "www.example"}
        results = await asyncio.gather(*(prober.run(5, **question) for _ in range(100)))
    assert {result.outcome for result in results} == {Outcome.OK}


def test_the_usual_ports() -> None:
    question = {"server": "ns.example", "name": "example"}
    assert DnsSpec.model_validate(question).peer == "ns.example:53"
    assert DnsSpec.model_validate(question | {"transport": "tls"}).peer == "ns.example:853"
    assert DnsSpec.model_validate(question | {"transport": "tls", "port": 54}).peer == "ns.example:54"
