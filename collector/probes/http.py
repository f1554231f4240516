"""The `http` kind: asks for a URL on a connection of its own and says whether the answer is as it must be."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Literal

from aiohttp import ClientResponse, ClientSession
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from collector.fields import JmesPath, Regex
from collector.http.answer import body_fault, condition_fault, header_fault
from collector.http.client import PHASE, STATUS, Visit, open_session
from collector.http.fields import HeaderMatch
from collector.http.spec import RequestSpec
from collector.model import Emit, Kind, Metric, ProbeFailed, Reason
from collector.net import NET_METRICS, Context
from collector.tls import TLS_METRICS, emit_tls

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


class HttpSpec(RequestSpec):
    """A URL, how to ask for it, and what the answer must be like."""

    compression: Literal["gzip", "deflate", "identity"] | None = Field(
        None, description="Encoding to ask for, in which the answer must come. Without, any is read, none is asked for."
    )
    valid_http_versions: tuple[Literal["HTTP/1.0", "HTTP/1.1"], ...] = Field((), description="Good versions; else any.")
    fail_if_ssl: bool = Field(False, description="Fail when the last answer came over TLS.")
    fail_if_not_ssl: bool = Field(False, description="Fail when the last answer did not come over TLS.")
    header_matches: tuple[HeaderMatch, ...] = Field((), description="Headers of which a value must match.")
    header_not_matches: tuple[HeaderMatch, ...] = Field((), description="Headers of which no value may match.")
    body_matches: tuple[Regex, ...] = Field((), description="RE2 patterns that must all be found in the body.")
    body_not_matches: tuple[Regex, ...] = Field((), description="RE2 patterns that must not be found in the body.")
    json_condition: JmesPath | None = Field(None, description="JMESPath that must say `true` of the body.")

    @model_validator(mode="after")
    def _agrees(self) -> HttpSpec:
        if self.compression and any(name.lower() == "accept-encoding" for name in self.headers):
            raise PydanticCustomError("compression", "give one of compression and an Accept-Encoding header")
        if self.fail_if_ssl and self.fail_if_not_ssl:
            raise PydanticCustomError("ssl", "fail_if_ssl and fail_if_not_ssl together always fail")
        return self

    @property
    def implied_headers(self) -> dict[str, str]:
        """The encoding to ask for."""
        return {"Accept-Encoding": self.compression} if self.compression else {}


async def probe(spec: HttpSpec, emit: Emit, context: Context[ClientSession]) -> None:
    """One visit. Raises ProbeFailed; OSError when the fault is ours."""
    visit = Visit(context.resource, spec.passage(context, emit), spec.request)
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
    spec.check_status(response.status)
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
