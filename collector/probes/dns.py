"""`dns`: ask one question, by UDP, TCP or TLS, and judge the answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from collector.fields import Address, Host, IpProtocol, Port, Regex, Tls
from collector.model import Emit, Kind, Metric, ProbeFailed, Reason, Spec
from collector.net import NET_METRICS, Context, Endpoint, failure
from collector.stream import Unverified, connected, read_facts, secure
from collector.tls import TLS_METRICS, unverified

DURATION = Metric("probe_dns_duration_seconds", "Duration of each phase: resolve, connect, request.", labels=("phase",))
SUCCEEDED = Metric("probe_dns_query_succeeded", "Whether the server answered the question, whatever it said.")
RCODE = Metric("probe_dns_rcode", "Response code of the answer (RFC 6895 section 2.3).")
TRUNCATED = Metric("probe_dns_truncated", "Whether the answer by UDP was cut short (flag TC).")
ANSWERS = Metric("probe_dns_answer_rrs", "Records in the answer section.")
AUTHORITIES = Metric("probe_dns_authority_rrs", "Records in the authority section.")
ADDITIONALS = Metric("probe_dns_additional_rrs", "Records in the additional section.")
SERIAL = Metric("probe_dns_serial", "Serial number of the zone, when asked for its SOA.")
DNS_METRICS = (DURATION, SUCCEEDED, RCODE, TRUNCATED, ANSWERS, AUTHORITIES, ADDITIONALS, SERIAL)

# RFC 1035 section 4.2.2: a length of two bytes, then the message.
_STREAM_LIMIT = 2 + 65535
# Reading a longer message takes milliseconds: not on the loop.
_INLINE_SIZE = 2048


def _known(what: str, parse: Callable[[str], object]) -> AfterValidator:
    def check(text: str) -> str:
        try:
            parse(text)
        except (dns.exception.DNSException, ValueError, UnicodeError):
            raise PydanticCustomError("dns", "not a {what}: {text}", {"what": what, "text": text}) from None
        return text

    return AfterValidator(check)


Rcode = Annotated[str, _known("response code", dns.rcode.from_text)]


class Matches(BaseModel):
    """Expressions (RE2) for the records of one section, each as `name<TAB>ttl<TAB>class<TAB>type<TAB>data`."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    must_match: tuple[Regex, ...] = Field((), description="Each must match at least one record.")
    must_not_match: tuple[Regex, ...] = Field((), description="None may match any record.")
    all_match: tuple[Regex, ...] = Field((), description="Each must match every record, of which there must be one.")


class DnsSpec(Spec):
    """A question to a name server."""

    server: Host = Field(description="Name server to ask.")
    port: Port | None = Field(None, description="Its port; 53, by TLS 853.")
    ip: IpProtocol = Field(IpProtocol.PREFER_IP4, description="Address family to reach the server by.")
    source_ip: Address | None = Field(None, description="Own address to ask from.")
    transport: Literal["udp", "tcp", "tls"] = Field("udp", description="How to ask; `tls` is RFC 7858.")
    tls: Tls = Field(default_factory=Tls, description="How to speak TLS.")
    name: Annotated[str, _known("domain name", dns.name.from_text)] = Field(description="Name to ask for.")
    type: Annotated[str, _known("record type", dns.rdatatype.from_text)] = Field("A", description="Record type.")
    class_: Annotated[str, _known("class", dns.rdataclass.from_text)] = Field(
        "IN", alias="class", description="Class of the question."
    )
    recursion: bool = Field(True, description="Ask the server to ask others (flag RD).")
    udp_size: Annotated[int, Field(ge=512, le=65535)] | None = Field(
        None, description="Longest answer by UDP to allow for (EDNS); without it 512 bytes and no EDNS."
    )
    tcp_fallback: bool = Field(True, description="Ask again by TCP when the answer by UDP was cut short.")
    valid_rcode: tuple[Rcode, ...] = Field(("NOERROR",), description="Response codes that are fine.")
    answer: Matches = Field(default_factory=Matches, description="What the answer section must hold.")
    authority: Matches = Field(default_factory=Matches, description="What the authority section must hold.")
    additional: Matches = Field(default_factory=Matches, description="What the additional section must hold.")

    @cached_property
    def port_in_use(self) -> int:
        """The port, given or usual."""
        return self.port or (853 if self.transport == "tls" else 53)

    @property
    def peer(self) -> str:
        return f"{self.server}:{self.port_in_use}"

    def query(self) -> dns.message.QueryMessage:
        """A new question with an id of its own."""
        flags = dns.flags.Flag.RD if self.recursion else dns.flags.Flag(0)
        use_edns = 0 if self.udp_size else None
        return dns.message.make_query(
            self.name, self.type, self.class_, use_edns=use_edns, payload=self.udp_size, flags=flags
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer says; sections hold one line of text for each record."""

    rcode: int
    truncated: bool
    serial: int | None
    answer: tuple[str, ...]
    authority: tuple[str, ...]
    additional: tuple[str, ...]


async def probe(spec: DnsSpec, emit: Emit, context: Context[None]) -> None:
    """Raises ProbeFailed, any reason but AUTH, TOO_LARGE and PERMISSION."""
    begun = time.perf_counter()
    endpoint = await context.net.resolve(spec.server, spec.port_in_use, spec.ip, emit)
    emit(DURATION, time.perf_counter() - begun, "resolve")
    answer = None
    try:
        answer = await _Exchange(spec, endpoint, emit, context).answer()
    finally:
        emit(SUCCEEDED, answer is not None)
    emit(RCODE, answer.rcode)
    emit(ANSWERS, len(answer.answer))
    emit(AUTHORITIES, len(answer.authority))
    emit(ADDITIONALS, len(answer.additional))
    if answer.serial is not None:
        emit(SERIAL, answer.serial)
    judge(spec, answer)


@dataclass(frozen=True, slots=True)
class _Exchange:
    spec: DnsSpec
    endpoint: Endpoint
    emit: Emit
    context: Context[None]

    async def answer(self) -> Answer:
        """The answer to the question, by TCP after all if it was cut short."""
        query = self.spec.query()
        if self.spec.transport != "udp":
            return await _understood(query, await self._by_stream(query.to_wire()))
        answer = await _understood(query, await self._by_udp(query.to_wire()))
        self.emit(TRUNCATED, answer.truncated)
        if answer.truncated and self.spec.tcp_fallback:
            return await _understood(query, await self._by_stream(query.to_wire()))
        return answer

    async def _by_udp(self, question: bytes) -> bytes:
        begun, loop = time.perf_counter(), asyncio.get_running_loop()
        with self.context.net.datagram_socket(self.endpoint, self.spec.source_ip) as sock:
            begun = self._phase("connect", begun)
            try:
                await loop.sock_sendall(sock, question)
                answer = await loop.sock_recv(sock, 65535)
            except OSError as error:
                raise failure(error) from error
            self._phase("request", begun)
            return answer

    async def _by_stream(self, question: bytes) -> bytes:
        try:
            return await self._converse(question, self.spec.tls)
        except Unverified:
            await read_facts(self._facts(), self.context.deadline)
            raise

    async def _converse(self, question: bytes, tls: Tls) -> bytes:
        begun, net = time.perf_counter(), self.context.net
        async with connected(net, self.endpoint, _STREAM_LIMIT, self.spec.source_ip) as stream:
            if self.spec.transport == "tls":
                await secure(stream, net, tls, self.spec.server, self.emit)
            begun = self._phase("connect", begun)
            stream.write(len(question).to_bytes(2, "big") + question)
            length = int.from_bytes(await stream.exactly(2), "big")
            answer = await stream.exactly(length)
            self._phase("request", begun)
            return answer

    async def _facts(self) -> None:
        async with connected(self.context.net, self.endpoint, _STREAM_LIMIT, self.spec.source_ip) as stream:
            await secure(stream, self.context.net, unverified(self.spec.tls), self.spec.server, self.emit)

    def _phase(self, name: str, begun: float) -> float:
        now = time.perf_counter()
        self.emit(DURATION, now - begun, name)
        return now


async def _understood(query: dns.message.Message, wire: bytes) -> Answer:
    if len(wire) <= _INLINE_SIZE:
        return understand(query, wire)
    return await asyncio.to_thread(understand, query, wire)


def understand(query: dns.message.Message, wire: bytes) -> Answer:
    """What `wire` says in answer to `query` (RFC 1035 section 4). Raises ProbeFailed(PROTOCOL)."""
    try:
        message = dns.message.from_wire(wire)
        if not query.is_response(message):
            raise ProbeFailed(Reason.PROTOCOL, "an answer to another question")
        sections = [tuple(_lines(section)) for section in (message.answer, message.authority, message.additional)]
    except (dns.exception.DNSException, ValueError) as error:
        raise ProbeFailed(Reason.PROTOCOL, f"not a DNS message: {error}") from error
    truncated = bool(message.flags & dns.flags.TC)
    return Answer(int(message.rcode()), truncated, _serial(query, message), *sections)


def _lines(section: Iterable[dns.rrset.RRset]) -> Iterable[str]:
    for rrset in section:
        kind = f"{dns.rdataclass.to_text(rrset.rdclass)}\t{dns.rdatatype.to_text(rrset.rdtype)}"
        for rdata in rrset:
            yield f"{rrset.name}\t{rrset.ttl}\t{kind}\t{rdata.to_text()}"


def _serial(query: dns.message.Message, message: dns.message.Message) -> int | None:
    if query.question[0].rdtype != dns.rdatatype.SOA:
        return None
    return next(
        (int(rdata.serial) for rrset in message.answer if rrset.rdtype == dns.rdatatype.SOA for rdata in rrset), None
    )


def judge(spec: DnsSpec, answer: Answer) -> None:
    """Raises ProbeFailed(UNEXPECTED) where `answer` is not what `spec` wants."""
    rcode = dns.rcode.Rcode.make(answer.rcode)
    if rcode not in map(dns.rcode.from_text, spec.valid_rcode):
        raise ProbeFailed(Reason.UNEXPECTED, f"the server says {dns.rcode.to_text(rcode)}")
    _judge_section("answer", spec.answer, answer.answer)
    _judge_section("authority", spec.authority, answer.authority)
    _judge_section("additional", spec.additional, answer.additional)


def _judge_section(section: str, matches: Matches, records: tuple[str, ...]) -> None:
    for expression in matches.must_match:
        if not any(map(expression.search, records)):
            raise ProbeFailed(Reason.UNEXPECTED, f"no {section} record matches {expression.text}")
    for expression in matches.must_not_match:
        found = next(filter(expression.search, records), None)
        if found is not None:
            raise ProbeFailed(Reason.UNEXPECTED, f"{section} record matches {expression.text}: {found}")
    for expression in matches.all_match:
        other = next((record for record in records if not expression.search(record)), None)
        if other is not None or not records:
            raise ProbeFailed(Reason.UNEXPECTED, f"{section} record does not match {expression.text}: {other}")


KIND = Kind(
    "dns",
    "A name server answers a question as it should: by UDP, TCP or TLS, with records, response code, zone serial.",
    DnsSpec,
    (*NET_METRICS, *DNS_METRICS, *TLS_METRICS),
    probe,
)
