"""`tcp`: connect, by TLS or STARTTLS where wanted, and hold a dialogue."""

from __future__ import annotations

import re
import time
from asyncio import Protocol
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from collector.fields import Address, Host, IpProtocol, Port, Regex, Size, Tls
from collector.model import Emit, Kind, Metric, ProbeFailed, Reason, Spec
from collector.net import NET_METRICS, Context, Endpoint, Net
from collector.starttls import StartTls, ask
from collector.stream import Stream, Unverified, connected, read_facts, secure
from collector.tls import TLS_METRICS, unverified

DURATION = Metric(
    "probe_tcp_duration_seconds", "Duration of each phase: resolve, connect, tls, dialogue.", labels=("phase",)
)
FAILED_REGEX = Metric("probe_failed_due_to_regex", "Whether the peer closed before it said what was expected.")
FAILED_BYTES = Metric("probe_failed_due_to_bytes", "Whether the peer sent other bytes than expected.")
EXPECT_INFO = Metric("probe_expect_info", "What the dialogue's expressions matched; its labels are the target's own.")

# Go's Regexp.Expand, which users of blackbox_exporter know: $name, ${name}, $$; the longest name counts.
_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))", re.ASCII)
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_RESERVED_LABELS = frozenset({"target", "system"})


class Step(BaseModel):
    """One step: wait for what is expected, then send, then start TLS."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    expect: Regex | None = Field(None, description="Read lines until one matches this expression (RE2).")
    expect_bytes: str | None = Field(None, min_length=1, description="Read as many bytes as this, and compare.")
    send: str | None = Field(
        None, description="Send this; `${1}` and `${name}` are what this step's `expect` matched, `$$` a dollar."
    )
    send_end: str | None = Field(
        None, description="Sent after `send`; if not given a newline, or nothing with encoding `hex`."
    )
    encoding: Literal["utf-8", "latin-1", "hex"] = Field(
        "utf-8", description="How `send`, `send_end` and `expect_bytes` stand for bytes."
    )
    starttls: bool = Field(False, description="Start TLS after this step.")
    labels: dict[str, str] = Field(
        default_factory=dict, description="Labels of `probe_expect_info`: name -> value, with `${1}` as in `send`."
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not (self.expect or self.expect_bytes or self.send or self.starttls):
            raise PydanticCustomError("step", "a step needs expect, expect_bytes, send or starttls")
        if self.labels and self.expect is None:
            raise PydanticCustomError("labels", "labels need expect")
        for name in self.labels:
            if not _LABEL.fullmatch(name) or name in _RESERVED_LABELS:
                raise PydanticCustomError("label", "not usable as a label name: {name}", {"name": name})
        if self.expect is not None:
            _check_references(self.expect, (self.send or "", *self.labels.values()))
        for text in (self.expect_bytes, self.send_end, self.send if self.expect is None else None):
            _check_encoding(text or "", self.encoding)
        return self

    def bytes_of(self, text: str) -> bytes:
        """`text` as this step's encoding means it. Raises ValueError for what it cannot write."""
        return bytes.fromhex(text) if self.encoding == "hex" else text.encode(self.encoding)

    def wire(self, text: str) -> bytes:
        """What is sent for `text`. Raises ProbeFailed when the peer's own words in it cannot be written."""
        end = self.send_end if self.send_end is not None else "" if self.encoding == "hex" else "\n"
        try:
            return self.bytes_of(text) + self.bytes_of(end)
        except ValueError as error:
            raise ProbeFailed(Reason.UNEXPECTED, f"its words cannot be sent as {self.encoding}: {text}") from error


def _check_references(expression: Regex, texts: tuple[str, ...]) -> None:
    names = set(map(str, range(expression.pattern.groups + 1))) | set(expression.pattern.groupindex)
    for text in texts:
        for _, braced, bare in _REFERENCE.findall(text):
            if (braced or bare) and (braced or bare) not in names:
                raise PydanticCustomError("group", "expect has no group {name}", {"name": braced or bare})


def _check_encoding(text: str, encoding: str) -> None:
    try:
        bytes.fromhex(text) if encoding == "hex" else text.encode(encoding)
    except ValueError:
        raise PydanticCustomError("encoding", "not writable as {encoding}", {"encoding": encoding}) from None


class TcpSpec(Spec):
    """A TCP service. Without `tls`, `starttls` and `dialogue`, being able to connect is enough."""

    host: Host = Field(description="Name or address.")
    port: Port = Field(description="Port.")
    ip: IpProtocol = Field(IpProtocol.PREFER_IP4, description="Address family to use.")
    source_ip: Address | None = Field(None, description="Own address to connect from.")
    tls: bool = Field(False, description="Speak TLS from the start.")
    starttls: StartTls | None = Field(None, description="Ask for TLS in this protocol first.")
    tls_config: Tls = Field(default_factory=Tls, description="How to speak TLS, whichever way it starts.")
    dialogue: tuple[Step, ...] = Field((), description="What to send and to expect, step by step.")
    max_size: Size = Field(64 * 1024, description="Most bytes to read in all.")

    @model_validator(mode="after")
    def _one_start_of_tls(self) -> Self:
        starts = self.tls + (self.starttls is not None) + sum(step.starttls for step in self.dialogue)
        if starts > 1:
            raise PydanticCustomError("tls", "TLS can start only once: tls, starttls or one step with starttls")
        return self

    @property
    def peer(self) -> str:
        return f"{self.host}:{self.port}"

    @cached_property
    def plain(self) -> bool:
        """Whether connecting is all."""
        return not (self.tls or self.starttls or self.dialogue)

    @cached_property
    def expect_info(self) -> Metric:
        """`probe_expect_info` with the labels of all steps."""
        names = dict.fromkeys(name for step in self.dialogue for name in step.labels)
        return Metric(EXPECT_INFO.name, EXPECT_INFO.help, EXPECT_INFO.type, tuple(names))

    def declared(self) -> tuple[Metric, ...]:
        return (self.expect_info,) if self.dialogue else ()


async def probe(spec: TcpSpec, emit: Emit, context: Context[None]) -> None:
    """Raises ProbeFailed, any reason but AUTH and PERMISSION."""
    begun = time.perf_counter()
    endpoint = await context.net.resolve(spec.host, spec.port, spec.ip, emit)
    resolved = time.perf_counter()
    emit(DURATION, resolved - begun, "resolve")
    if spec.plain:
        transport, _ = await context.net.dial(Protocol, endpoint, spec.source_ip)
        emit(DURATION, time.perf_counter() - resolved, "connect")
        transport.abort()
        return
    try:
        await _Conversation(spec, spec.tls_config, endpoint, emit, context.net).hold()
    except Unverified:
        facts = _Conversation(spec, unverified(spec.tls_config), endpoint, _only_tls(emit), context.net, True)
        await read_facts(facts.hold(), context.deadline)
        raise


def _only_tls(emit: Emit) -> Emit:
    def emit_tls(metric: Metric, value: float, *labels: str) -> None:
        if metric in TLS_METRICS:
            emit(metric, value, *labels)

    return emit_tls


@dataclass(slots=True)
class _Conversation:
    """All that is said over one connection; with `handshake_only` up to the certificate."""

    spec: TcpSpec
    tls: Tls
    endpoint: Endpoint
    emit: Emit
    net: Net
    handshake_only: bool = False

    async def hold(self) -> None:
        """Connect, and go through every step."""
        spec, begun = self.spec, time.perf_counter()
        async with connected(self.net, self.endpoint, spec.max_size, spec.source_ip) as stream:
            begun = self._phase("connect", begun)
            if spec.starttls is not None:
                await ask(spec.starttls, stream)
            if spec.tls or spec.starttls:
                await self._start_tls(stream, begun)
                if self.handshake_only:
                    return
            await self._dialogue(stream)

    async def _dialogue(self, stream: Stream) -> None:
        begun = time.perf_counter()
        for step in self.spec.dialogue:
            await self._play(step, stream)
            if step.starttls:
                await self._start_tls(stream, time.perf_counter())
                if self.handshake_only:
                    return
        if any(step.expect for step in self.spec.dialogue):
            self.emit(FAILED_REGEX, 0)
        if any(step.expect_bytes for step in self.spec.dialogue):
            self.emit(FAILED_BYTES, 0)
        if self.spec.dialogue:
            self._phase("dialogue", begun)

    async def _start_tls(self, stream: Stream, begun: float) -> None:
        await secure(stream, self.net, self.tls, self.spec.host, self.emit)
        self._phase("tls", begun)

    async def _play(self, step: Step, stream: Stream) -> None:
        text = step.send
        if step.expect is not None:
            match = await self._expect(step.expect, stream)
            if step.labels:
                names = self.spec.expect_info.labels
                self.emit(self.spec.expect_info, 1, *(_expand(step.labels.get(name, ""), match) for name in names))
            text = _expand(text, match) if text else None
        if step.expect_bytes:
            await self._expect_bytes(step.bytes_of(step.expect_bytes), stream)
        if text:
            stream.write(step.wire(text))

    async def _expect(self, expression: Regex, stream: Stream) -> Any:
        last = None
        while (line := await stream.line()) is not None:
            last = line.decode("utf-8", "replace")
            if match := expression.search(last):
                return match
        self.emit(FAILED_REGEX, 1)
        if last is None:
            raise ProbeFailed(Reason.PROTOCOL, f"closed without a line; expected {expression.text}")
        raise ProbeFailed(Reason.UNEXPECTED, f"no line matched {expression.text}; the last one was: {last}")

    async def _expect_bytes(self, expected: bytes, stream: Stream) -> None:
        received = await stream.exactly(len(expected))
        if received != expected:
            self.emit(FAILED_BYTES, 1)
            raise ProbeFailed(Reason.UNEXPECTED, f"got {received[:40]!r} in place of {expected[:40]!r}")

    def _phase(self, name: str, begun: float) -> float:
        now = time.perf_counter()
        self.emit(DURATION, now - begun, name)
        return now


def _expand(template: str, match: Any) -> str:
    def value(reference: re.Match[str]) -> str:
        name = reference[2] or reference[3]
        if name is None:
            return "$"
        return match.group(int(name) if name.isdecimal() else name) or ""

    return _REFERENCE.sub(value, template)


KIND = Kind(
    "tcp",
    "A TCP service answers: connect, TLS, STARTTLS (SMTP, IMAP, LDAP, PostgreSQL), send and expect.",
    TcpSpec,
    (*NET_METRICS, DURATION, FAILED_REGEX, FAILED_BYTES, EXPECT_INFO, *TLS_METRICS),
    probe,
)
