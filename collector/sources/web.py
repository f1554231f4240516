"""Documents by HTTP: one that is asked for again only where it changed, or the pages of one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from aiohttp import ClientSession
from multidict import CIMultiDictProxy
from yarl import URL

from collector.documents import document, most_values
from collector.http.answer import LARGE_BODY
from collector.http.client import Request, open_session
from collector.model import Emit, ProbeFailed, Reason
from collector.net import Context
from collector.rest.fetch import Answer, Fetch
from collector.rest.oauth2 import Tokens
from collector.rest.paging import Pages
from collector.rest.shape import Paging
from collector.sources.fetched import Fetched, about, opened, plain_name
from collector.sources.kept import Kept
from collector.sources.spec import HttpSource

NOT_MODIFIED = 304
# Of a page whose links are looked for: some 200 MB of memory.
_MOST_VALUES = 2_000_000
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_ETAG = re.compile(r'(?:W/)?"[!\x23-\x7e]{0,256}"')  # RFC 9110 section 8.8.3
_OWN_CONDITIONS = frozenset({"if-none-match", "if-modified-since", "range"})
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([A-Za-z0-9_.:+-]{1,40})', re.IGNORECASE)


class MediaType(NamedTuple):
    """What a Content-Type header says: type and charset in lower case, '' where it does not."""

    type: str
    charset: str

    @classmethod
    def of(cls, header: str) -> MediaType:
        """RFC 9110 section 8.3."""
        charset = _CHARSET.search(header)
        return cls(header.partition(";")[0].strip().lower(), charset[1].lower() if charset else "")

    def check(self, source: HttpSource) -> None:
        """Raises ProbeFailed(UNEXPECTED) when it is none that the source takes."""
        allowed = source.content_types
        good = any(fnmatchcase(self.type, pattern) for pattern in allowed) if allowed else self.type not in _HTML_TYPES
        if not good:
            said = self.type[:60] if self.type.isprintable() else "what is no type"
            raise ProbeFailed(Reason.UNEXPECTED, f"the server answered {said or 'without a content type'}")


class Web:
    """Fetches for all sources of a kind; `tokens` are shared."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def fetch(self, source: HttpSource, kept: Kept, context: Context[Any], emit: Emit) -> tuple[Fetched, ...]:
        """The document; that of before where it did not change. Raises ProbeFailed; OSError when it is our fault."""
        request, asked = _conditional(source.request, kept)
        async with self._fetching(source, self._tokens.session, context, emit) as fetch:
            answer = await fetch.get(request, (NOT_MODIFIED,) if asked else ())
        if answer is None:
            return kept.documents
        documents = kept.keep((await _document(answer, source),))
        kept.validators = _validators(answer.headers)
        return documents

    async def pages(
        self, source: HttpSource, paging: Paging, kept: Kept, context: Context[Any], emit: Emit
    ) -> tuple[Fetched, ...]:
        """The document's pages, in order. Raises ProbeFailed; OSError when the fault is ours."""
        documents: list[Fetched] = []
        size = 0
        async with open_session(reuse=True) as session, self._fetching(source, session, context, emit) as fetch:
            pages = Pages(paging, source.request, source.allowed_redirect_hosts)
            request: Request | None = pages.start()
            while request is not None:
                answer = await fetch.get(request)
                if answer is None:
                    raise RuntimeError("no page is optional")
                documents.append(await _document(answer, source, pages.number))
                size += len(documents[-1].content)
                if size > source.max_total_size:
                    raise ProbeFailed(Reason.TOO_LARGE, f"the pages are larger than {source.max_total_size} bytes")
                with about(documents[-1]):
                    request = await _following(pages, paging, answer, documents[-1].content)
        return kept.keep(tuple(documents))

    @asynccontextmanager
    async def _fetching(
        self, source: HttpSource, session: ClientSession, context: Context[Any], emit: Emit
    ) -> AsyncIterator[Fetch]:
        fetch = Fetch(source, session, self._tokens, context, emit)
        try:
            yield fetch
        finally:
            fetch.report()


def _conditional(request: Request, kept: Kept) -> tuple[Request, bool]:
    """`request` for news only, where that can be asked for; whether it can."""
    own = {name.lower() for name in (*request.headers, *request.private)}
    if request.method != "GET" or not kept.documents or not kept.validators or own & _OWN_CONDITIONS:
        return request, False
    return replace(request, headers={**request.headers, **kept.validators}), True


def _validators(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    found = {}
    etag, modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
    if _ETAG.fullmatch(etag):
        found["If-None-Match"] = etag
    if _seconds(modified) is not None:
        found["If-Modified-Since"] = modified
    return found


def _seconds(date: str) -> float | None:
    """Unix seconds of a date of HTTP (RFC 9110 section 5.6.7); None for what is none."""
    try:
        return parsedate_to_datetime(date).timestamp() if date.isascii() and date.isprintable() else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


async def _document(answer: Answer, source: HttpSource, number: int = 1) -> Fetched:
    media = MediaType.of(answer.headers.get("Content-Type", ""))
    name = plain_name(_last_part(answer.request.url))
    modified = _seconds(answer.headers.get("Last-Modified", ""))
    name = name if number == 1 else f"{number}-{name}"
    found = Fetched(name, answer.body, media.type, media.charset, modified, _total(answer.headers))
    with about(found):
        media.check(source)
        return replace(found, content=await asyncio.to_thread(opened, answer.body, source.max_size))


def _total(headers: CIMultiDictProxy[str]) -> int | None:
    text = headers.get("X-Total-Count", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _last_part(url: URL) -> str:
    return next((part for part in reversed(url.parts) if part.strip("/")), url.host or "")


async def _following(pages: Pages, paging: Paging, answer: Answer, content: bytes) -> Request | None:
    """The request for the next page. Raises ProbeFailed."""
    page: Any = None
    if paging.by != "link-header":
        if most_values(content) > _MOST_VALUES:
            raise ProbeFailed(Reason.TOO_LARGE, f"page {pages.number} holds more than {_MOST_VALUES} values")
        try:
            page = await asyncio.to_thread(document, content) if len(content) > LARGE_BODY else document(content)
        except ValueError as error:
            raise ProbeFailed(Reason.PROTOCOL, str(error)) from error
    try:
        return pages.after(answer.request, page, content, answer.headers)
    except ValueError as error:
        raise ProbeFailed(Reason.UNEXPECTED, f"paging: {error}") from error
