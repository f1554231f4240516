"""The `http` kind: asks for a URL on a connection of its own and says whether the answer is as it must be."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache
from typing import Literal

from aiohttp import ClientResponse, ClientSession
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from collector.fields import Address, IpProtocol, JmesPath, Regex, Secret, Size, Tls
from collector.http.answer import body_fault, condition_fault, header_fault
from collector.http.client import Request, Visit, open_session
from collector.http.connection import Passage, Proxy
from collector.http.fields import (
    BasicAuth,
    Body,
    HeaderMatch,
    HeaderName,
    HeaderSecret,
    HeaderValue,
    HttpUrl,
    Method,
    Status,
    StatusRange,
    plain,
)
from collector.model import Emit, Kind, Metric, ProbeFailed, Reason, Spec
from collector.net import NET_METRICS, Context
from collector.tls import TLS_METRICS, emit_tls

PHASE = Metric(
    "probe_http_duration_seconds",
    "Time that a phase took, summed over redirects; absent when it did not end.",
    labels=("phase",),
)
STATUS = Metric("probe_http_status_code", "Status code of the last answer.")
VERSION = Metric("probe_http_version", "HTTP version of the last answer.")
SSL = Metric("probe_http_ssl", "Whether the last answer came over TLS.")
REDIRECTS = Metric("probe_http_redirects", "Redirects that were met.")
CONTENT_LENGTH = Metric("probe_http_content_length", "Length that the last answer announced; absent when it did not.")
BODY_LENGTH = Metric("probe_http_uncompressed_body_length", "Length of the last answer's body, decompressed.")
LAST_MODIFIED = Metric("probe_http_last_modified_timestamp_seconds", "Unix time of the last answer's Last-Modified.")
FAILED_REGEX = Metric("probe_failed_due_to_regex", "Whether a pattern for headers or body failed the run.")
HTTP_METRICS = (
    PHASE,
    STATUS,
    VERSION,
    SSL,
    REDIRECTS,
    CONTENT_LENGTH,
    BODY_LENGTH,
    LAST_MODIFIED,
    FAILED_REGEX,
)

# Every other header may be a credential, and goes to nobody but the first host.
_PUBLIC_HEADERS = frozenset(
    {"accept", "accept-encoding", "accept-language", "cache-control", "content-type", "pragma", "user-agent"}
)


class HttpSpec(Spec):
    """A URL, how to ask for it, and what the answer must be like."""

    url: HttpUrl = Field(description="What to ask for: http or https.")
    method: Method = Field("GET", description="Request method.")
    headers: dict[HeaderName, HeaderValue] = Field({}, description="Headers to send; values may be secrets.")
    body: Body | None = Field(None, description="Body to send; may be a secret.")
    basic_auth: BasicAuth | None = Field(None, description="Name and password to send (RFC 7617).")
    bearer_token: HeaderSecret | None = Field(None, description="Token to send (RFC 6750).")
    compression: Literal["gzip", "deflate", "identity"] | None = Field(
        None, description="Encoding to ask for, in which the answer must come. Without, any is read, none is asked for."
    )
    proxy: HttpUrl | None = Field(
        None, description="Proxy to go through (https targets by CONNECT); it looks the target's name up."
    )
    proxy_auth: BasicAuth | None = Field(None, description="Name and password for the proxy.")
    proxy_tls: Tls = Field(Tls(), description="How to speak TLS to an https proxy.")
    tls: Tls = Field(Tls(), description="How to speak TLS to the target.")
    ip: IpProtocol = Field(IpProtocol.PREFER_IP4, description="Address family to use.")
    source_ip: Address | None = Field(None, description="Own address to connect from.")
    follow_redirects: bool = Field(True, description="Follow redirects: at most 3, on the same host.")
    allowed_redirect_hosts: tuple[str, ...] = Field(
        (), description="Other hosts to follow to (`*` matches any text); credentials are not sent there."
    )
    valid_status: tuple[Status, ...] = Field(
        (StatusRange(200, 299),), min_length=1, description="Good status codes: 401, 2xx, 200-299."
    )
    valid_http_versions: tuple[Literal["HTTP/1.0", "HTTP/1.1"], ...] = Field((), description="Good versions; else any.")
    fail_if_ssl: bool = Field(False, description="Fail when the last answer came over TLS.")
    fail_if_not_ssl: bool = Field(False, description="Fail when the last answer did not come over TLS.")
    header_matches: tuple[HeaderMatch, ...] = Field((), description="Headers of which a value must match.")
    header_not_matches: tuple[HeaderMatch, ...] = Field((), description="Headers of which no value may match.")
    body_matches: tuple[Regex, ...] = Field((), description="RE2 patterns that must all be found in the body.")
    body_not_matches: tuple[Regex, ...] = Field((), description="RE2 patterns that must not be found in the body.")
    json_condition: JmesPath | None = Field(None, description="JMESPath that must say `true` of the body.")
    max_size: Size = Field(8 * 1024**2, description="Largest body to read, after decompression.")

    @property
    def peer(self) -> str:
        """The target, also behind a proxy."""
        return f"{self.url.raw_host}:{self.url.port}"

    @model_validator(mode="after")
    def _agrees(self) -> HttpSpec:
        names = {name.lower() for name in self.headers}
        ways = (self.basic_auth is not None, self.bearer_token is not None, "authorization" in names)
        if sum(ways) > 1:
            raise PydanticCustomError("auth", "give one of basic_auth, bearer_token and an Authorization header")
        if self.compression and "accept-encoding" in names:
            raise PydanticCustomError("compression", "give one of compression and an Accept-Encoding header")
        if self.fail_if_ssl and self.fail_if_not_ssl:
            raise PydanticCustomError("ssl", "fail_if_ssl and fail_if_not_ssl together always fail")
        if self.proxy is None and self.proxy_auth is not None:
            raise PydanticCustomError("proxy", "proxy_auth needs proxy")
        return self

    @property
    def authenticates(self) -> bool:
        """Whether the request carries credentials, so that a refusal is about them."""
        own = any(name.lower() == "authorization" for name in self.headers)
        return own or any((self.basic_auth, self.bearer_token, self.tls.cert_file))

    @cached_property
    def request(self) -> Request:
        """The first request of a run."""
        public: dict[str, str] = {}
        private: dict[str, str] = {}
        for name, value in self.headers.items():
            shared = name.lower() in _PUBLIC_HEADERS and isinstance(value, str)
            (public if shared else private)[name] = plain(value)
        if self.compression:
            public["Accept-Encoding"] = self.compression
        if self.basic_auth is not None:
            private["Authorization"] = self.basic_auth.header
        elif self.bearer_token is not None:
            private["Authorization"] = f"Bearer {self.bearer_token.value}"
        body = None if self.body is None else plain(self.body).encode()
        return Request(self.method, self.url, public, private, body, isinstance(self.body, Secret))

    @cached_property
    def via(self) -> Proxy | None:
        """The proxy and what it is told."""
        if self.proxy is None:
            return None
        return Proxy(self.proxy, self.proxy_auth.header if self.proxy_auth else "", self.proxy_tls)


async def probe(spec: HttpSpec, emit: Emit, context: Context[ClientSession]) -> None:
    """One visit. Raises ProbeFailed; OSError when the fault is ours."""
    passage = Passage(context.net, context.deadline, emit, spec.ip, spec.tls, spec.via, spec.source_ip)
    visit = Visit(context.resource, passage, spec.request)
    try:
        response = await visit.go(spec.follow_redirects, spec.allowed_redirect_hosts)
        _check_head(spec, visit, response)
        body = await visit.read(spec.max_size)
        emit(BODY_LENGTH, len(body))
        await _check_content(spec, response, body, emit)
    finally:
        # Also of a run that is out of time: what was measured until then is told.
        visit.close()
        _report(visit, spec, emit)


def _check_head(spec: HttpSpec, visit: Visit, response: ClientResponse) -> None:
    status = response.status
    if not any(good.first <= status <= good.last for good in spec.valid_status):
        refused = status == 407 or (status in (401, 403) and spec.authenticates)
        raise ProbeFailed(Reason.AUTH if refused else Reason.UNEXPECTED, f"status {status}")
    if spec.valid_http_versions and (version := f"HTTP/{_version(response)}") not in spec.valid_http_versions:
        raise ProbeFailed(Reason.UNEXPECTED, version)
    if spec.fail_if_ssl and visit.passage.secured is not None:
        raise ProbeFailed(Reason.UNEXPECTED, "the answer came over TLS")
    if spec.fail_if_not_ssl and visit.passage.secured is None:
        raise ProbeFailed(Reason.UNEXPECTED, "the answer did not come over TLS")


async def _check_content(spec: HttpSpec, response: ClientResponse, body: bytes, emit: Emit) -> None:
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if spec.compression and body and encoding != spec.compression:
        raise ProbeFailed(Reason.UNEXPECTED, f"encoding {encoding}, not {spec.compression}")
    if spec.header_matches or spec.header_not_matches or spec.body_matches or spec.body_not_matches:
        fault = header_fault(response.headers, spec.header_matches, spec.header_not_matches)
        fault = fault or await body_fault(body, spec.body_matches, spec.body_not_matches)
        emit(FAILED_REGEX, fault is not None)
        if fault is not None:
            raise ProbeFailed(Reason.UNEXPECTED, fault)
    if spec.json_condition is not None and (fault := await condition_fault(body, spec.json_condition)):
        raise ProbeFailed(Reason.UNEXPECTED, fault)


def _report(visit: Visit, spec: HttpSpec, emit: Emit) -> None:
    passage, response = visit.passage, visit.response
    for phase, seconds in passage.seconds.items():
        emit(PHASE, seconds, phase)
    emit(REDIRECTS, visit.redirects)
    if passage.secured is not None:
        emit_tls(passage.secured, spec.tls.verify, emit)
    if response is None:
        return
    emit(STATUS, response.status)
    emit(VERSION, float(_version(response)))
    emit(SSL, response.url.scheme == "https")
    if response.content_length is not None:
        emit(CONTENT_LENGTH, response.content_length)
    modified = _http_date(response.headers.get("Last-Modified", ""))
    if modified is not None:
        emit(LAST_MODIFIED, modified)


def _version(response: ClientResponse) -> str:
    version = response.version
    return f"{version.major}.{version.minor}" if version else "0"


@lru_cache(maxsize=4096)
def _http_date(text: str) -> float | None:
    """Unix time of an HTTP date (RFC 9110 section 5.6.7); None for what is none."""
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


KIND = Kind(
    "http",
    "Asks for a URL and checks status, headers, body, JSON and certificate.",
    HttpSpec,
    (*HTTP_METRICS, *NET_METRICS, *TLS_METRICS),
    probe,
    lambda _: open_session(),
)
