"""HTTP requests as probes make them: one connection each, redirects by our own rules, bodies with a limit."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from urllib.parse import urljoin

from aiohttp import (
    ClientError,
    ClientHandlerType,
    ClientPayloadError,
    ClientRequest,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    CookieJar,
    DummyCookieJar,
    ServerDisconnectedError,
)
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from collector import __version__
from collector.http.connection import HEADERS_LIMIT, LINE_LIMIT, PASSAGE, Passage, PassageConnector
from collector.http.fields import web_url
from collector.model import Metric, ProbeFailed, Reason
from collector.net import failure
from collector.tls import tls_failure

PHASE = Metric(
    "probe_http_duration_seconds",
    "Time that a phase took, summed over redirects; absent when it did not end.",
    labels=("phase",),
)
STATUS = Metric("probe_http_status_code", "Status code of the last answer.")
MAX_REDIRECTS = 3
# A token, `=` and printable ASCII (RFC 6265 section 4.1.1): the rest is not sent back, nor does it reach our log.
_COOKIE = re.compile(r"[!#-'*+.0-9A-Z^-z|~-]+=[ -~]*")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HTTP_ERRORS = (ClientError, HttpProcessingError, OSError)


@asynccontextmanager
async def open_session(reuse: bool = False) -> AsyncIterator[ClientSession]:
    """A session that keeps no cookies; and no connections either, so that all may share it, unless `reuse` is set."""
    async with ClientSession(
        connector=PassageConnector(reuse),
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=None),
        headers={"User-Agent": f"hatang/{__version__}", "Accept-Encoding": "identity"},
        middlewares=(_once,),
        max_line_size=LINE_LIMIT,
        max_field_size=LINE_LIMIT,
        max_headers=HEADERS_LIMIT,
    ) as session:
        yield session


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    # aiohttp would try again on another connection, and hide the fault of the first.
    try:
        return await handler(request)
    except _HTTP_ERRORS as error:
        raise _fault(error) from error


def _fault(error: BaseException) -> ProbeFailed:
    """The target's fault that an exception of aiohttp stands for. Raises OSError when the fault is ours."""
    for cause in (error, error.__cause__):
        if isinstance(cause, ssl.SSLError):
            return tls_failure(cause)
    if isinstance(error, OSError):
        return failure(error)
    if isinstance(error, ServerDisconnectedError):
        return ProbeFailed(Reason.PROTOCOL, "the peer closed the connection without an answer")
    if isinstance(error, ClientPayloadError):
        return ProbeFailed(Reason.PROTOCOL, f"the body is broken or cut off: {_words(error.__cause__ or error)}")
    return ProbeFailed(Reason.PROTOCOL, f"not an HTTP answer: {_words(error)}")


def _words(error: BaseException) -> str:
    words = error.message if isinstance(error, (ClientResponseError, HttpProcessingError)) else str(error)
    return words.partition("\n")[0].rstrip(": ")


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask for. `private` headers, and a `private_body`, are only for the origin of the first URL."""

    method: str
    url: URL
    headers: Mapping[str, str] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    private_body: bool = False


@dataclass(slots=True)
class Visit:
    """One run's way from its first request to its last answer. `close` it, whatever happens."""

    session: ClientSession
    passage: Passage
    request: Request
    redirects: int = 0
    response: ClientResponse | None = None
    _cookies: CookieJar | None = None

    async def go(self, follow: bool, hosts: Sequence[str] = ()) -> ClientResponse:
        """The last answer, its body unread. Redirects are followed on the same host and on `hosts` (`*` matches).

        Raises ProbeFailed; OSError when the fault is ours.
        """
        response = await self._ask()
        while follow and response.status in _REDIRECTS and "Location" in response.headers:
            self.redirects += 1
            self._keep_cookies(response)
            response.close()
            if self.redirects > MAX_REDIRECTS:
                raise ProbeFailed(Reason.UNEXPECTED, f"more than {MAX_REDIRECTS} redirects")
            self.request = redirected(self.request, response.status, response.headers["Location"], hosts)
            response = await self._ask()
        return response

    async def read(self, limit: int) -> bytes:
        """The body of the last answer, decompressed. Raises ProbeFailed, with TOO_LARGE beyond `limit` bytes."""
        response, parts, size = self.response, [], 0
        if response is None:
            raise RuntimeError("nothing was asked for yet")
        if response.method != "HEAD" and (response.content_length or 0) > limit:
            raise _too_large(limit)
        try:
            async for part in response.content.iter_any():
                size += len(part)
                if size > limit:
                    raise _too_large(limit)
                parts.append(part)
                if len(parts) > 1:  # what is already here is decompressed without a pause: let others run
                    await asyncio.sleep(0)
        except _HTTP_ERRORS as error:
            raise _fault(error) from error
        if self.passage.wire is not None and isinstance(self.passage.wire.broken, OSError):
            raise _fault(self.passage.wire.broken)
        self.passage.mark("transfer")
        return b"".join(parts)

    def close(self) -> None:
        """Close the connection, if there still is one; what was measured stays."""
        self.passage.wire = None
        if self.response is not None:
            self.response.close()

    async def _ask(self) -> ClientResponse:
        request, proxy = self.request, self.passage.proxy
        headers = {**request.headers, **request.private}
        if self._cookies is not None and (cookies := self._cookies.filter_cookies(request.url)):
            own = [headers["Cookie"]] if "Cookie" in headers else []
            headers["Cookie"] = "; ".join([*own, cookies.output(header="", sep=";").strip()])
        asks_proxy = proxy is not None and request.url.scheme == "http"
        if proxy is not None and asks_proxy and proxy.authorization:
            headers["Proxy-Authorization"] = proxy.authorization
        origin = proxy.url if proxy is not None and asks_proxy else None
        while True:
            try:
                self.response = await self._send(request, headers, origin)
            except ProbeFailed:
                # A connection that an earlier request made may have ended meanwhile; each is tried but once.
                if self.passage.dialled or request.method != "GET":
                    raise
            else:
                break
        if not self.passage.dialled:
            self.passage.mark("processing")
        return self.response

    async def _send(self, request: Request, headers: Mapping[str, str], proxy: URL | None) -> ClientResponse:
        await self.passage.prepare(request.url)
        token = PASSAGE.set(self.passage)
        try:
            return await self.session.request(
                request.method, request.url, headers=headers, data=request.body, allow_redirects=False, proxy=proxy
            )
        finally:
            PASSAGE.reset(token)

    def _keep_cookies(self, response: ClientResponse) -> None:
        # A site that greets with a cookie and a redirect to itself would send us round for ever.
        given = [cookie for cookie in response.headers.getall("Set-Cookie", ()) if _COOKIE.fullmatch(cookie)]
        if given:
            self._cookies = self._cookies or CookieJar(unsafe=True)
            self._cookies.update_cookies_from_headers(given, response.url)


def _too_large(limit: int) -> ProbeFailed:
    return ProbeFailed(Reason.TOO_LARGE, f"the body is larger than {limit} bytes")


def redirected(request: Request, status: int, location: str, hosts: Sequence[str]) -> Request:
    """The request that follows a redirect (RFC 9110 section 15.4).

    Raises ProbeFailed(UNEXPECTED) when it leads to a host that is neither the same nor in `hosts`, or elsewhere
    than to HTTP, ProbeFailed(PROTOCOL) when `location` is no URL.
    """
    url = _target(request.url, location, hosts, "redirect")
    method, headers, body = request.method, request.headers, request.body
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        method, body = "GET", None
        headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
    if _may_know_secrets(request.url, url):
        return replace(request, method=method, url=url, headers=headers, body=body)
    if request.private_body:
        body = None
    return Request(method, url, headers, {}, body)


def linked(request: Request, link: str, hosts: Sequence[str]) -> Request:
    """The request for what the answer to `request` links to; raises as `redirected`."""
    url = _target(request.url, link, hosts, "link")
    return Request("GET", url, request.headers, request.private if _may_know_secrets(request.url, url) else {})


def _target(base: URL, location: str, hosts: Sequence[str], what: str) -> URL:
    try:
        # Not URL.join: it takes escaped control characters of a base apart.
        url = URL(urljoin(str(base), location))
        if url.scheme not in ("http", "https"):
            raise ProbeFailed(Reason.UNEXPECTED, f"{what} to {url.scheme or 'nowhere'}:")
        url = web_url(url).with_user(None)
    except ValueError as error:
        raise ProbeFailed(Reason.PROTOCOL, f"{what} to what is no URL") from error
    if url.raw_host != base.raw_host and not _allowed(url.raw_host or "", hosts):
        raise ProbeFailed(Reason.UNEXPECTED, f"{what} to another host: {url.raw_host}")
    return url


def _allowed(host: str, hosts: Sequence[str]) -> bool:
    return any(fnmatchcase(host, pattern.lower()) for pattern in hosts)


def _may_know_secrets(first: URL, then: URL) -> bool:
    if first.origin() == then.origin():
        return True
    upgrade = (first.scheme, then.scheme) == ("http", "https")
    return upgrade and first.raw_host == then.raw_host and first.is_default_port() and then.is_default_port()
