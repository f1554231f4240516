"""From one page of a document to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from multidict import CIMultiDictProxy
from yarl import URL

from collector.documents import selected
from collector.fields import Regex
from collector.http.client import Request, linked
from collector.measures import word
from collector.model import ProbeFailed, Reason
from collector.rest.shape import Paging

# Longer ones are taken by no server.
LONGEST_LINK = 8000
# One link of a Link header and its parameters (RFC 8288 section 3), and one of these. RE2: linear in the text.
_LINK = Regex.compile(r'<([^<>]*)>((?:\s*;\s*[^\s=;,"<>]+(?:\s*=\s*(?:"[^"]*"|[^\s;,"]*))?)*)').pattern
_PARAMETER = Regex.compile(r';\s*([^\s=;,"<>]+)\s*=\s*(?:"([^"]*)"|([^\s;,"]*))').pattern


def next_link(headers: CIMultiDictProxy[str]) -> str | None:
    """Target of the first link whose relations contain `next`."""
    for header in headers.getall("Link", ()):
        for link in _LINK.finditer(header.encode("utf-8", "surrogateescape").decode("utf-8", "replace")):
            for name, quoted, plain in _PARAMETER.findall(link.group(2)):
                if name.lower() == "rel" and "next" in (quoted or plain).lower().split():
                    return str(link.group(1))
    return None


def address(value: Any) -> str:
    """A link or a cursor that a document holds. Raises ValueError for what is none."""
    link = word(value)
    if len(link) > LONGEST_LINK:
        raise ValueError(f"a link of {len(link)} characters")
    return link


@dataclass(slots=True)
class Pages:
    """Where the pages of one document are. Raises ProbeFailed for a way that does not end."""

    paging: Paging | None
    first: Request
    hosts: Sequence[str]
    number: int = 1
    _count: int = 0
    _seen: frozenset[str] = frozenset()
    _last: bytes | None = None

    def start(self) -> Request:
        """The request for the first page."""
        paging = self.paging
        if paging is None or paging.parameter is None:
            return self.first
        query: dict[str, str] = {}
        if paging.size_parameter is not None:
            query[paging.size_parameter] = str(paging.size)
        if paging.first is not None:
            query[paging.parameter] = str(paging.first)
        self._count = paging.first if paging.first is not None else int(paging.by == "page")
        return _asking(self.first, query)

    def after(self, request: Request, page: Any, body: bytes, headers: CIMultiDictProxy[str]) -> Request | None:
        """The request for the page that follows `page`, which answered `request`; None behind the last."""
        paging = self.paging
        if paging is None:
            return None
        following = self._following(paging, request, page, headers)
        if following is None:
            return None
        self._seen |= {str(request.url)}
        if str(following.url) in self._seen or body == self._last:
            raise ProbeFailed(Reason.UNEXPECTED, f"the pages do not end: page {self.number} leads back")
        if self.number == paging.max_pages:
            raise ProbeFailed(Reason.TOO_LARGE, f"more than {paging.max_pages} pages")
        self._last, self.number = body, self.number + 1
        return following

    def _following(self, paging: Paging, request: Request, page: Any, headers: CIMultiDictProxy[str]) -> Request | None:
        if paging.by == "link-header":
            link = next_link(headers)
            return None if link is None else linked(request, link, self.hosts)
        if paging.items is not None:
            return self._counted(paging, request, selected(page, paging.items))
        if paging.next is None:
            raise RuntimeError(f"no `next` for {paging.by}")
        pointer = selected(page, paging.next)
        if pointer is None or pointer is False or pointer == "":
            return None
        if paging.by == "next-link":
            return linked(request, address(pointer), self.hosts)
        return _asking(request, {paging.parameter or "": address(pointer)})

    def _counted(self, paging: Paging, request: Request, items: Any) -> Request | None:
        if not isinstance(items, list):
            raise ValueError(f"{paging.items.text if paging.items else ''} selects no list")
        if not items or len(items) < (paging.size or 1):
            return None
        self._count += len(items) if paging.by == "offset" else 1
        return _asking(request, {paging.parameter or "": str(self._count)})


def _asking(request: Request, query: dict[str, str]) -> Request:
    url: URL = request.url.update_query(query) if query else request.url
    return replace(request, url=url)
