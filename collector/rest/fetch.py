"""The documents of one run over a few connections: authorised, counted, and within the limits of the target."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import ClientSession
from multidict import CIMultiDictProxy

from collector.http.client import PHASE, STATUS, Request, Visit
from collector.http.connection import ignore
from collector.model import Emit, ProbeFailed, Reason
from collector.net import Context
from collector.rest.access import AccessSpec
from collector.rest.oauth2 import Tokens
from collector.tls import emit_tls

GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Answer:
    """A document as it came; `request` is what it answers, after redirects."""

    request: Request
    body: bytes
    headers: CIMultiDictProxy[str]


class Fetch:
    """Asks for the documents of one run; `session` is the run's own."""

    def __init__(
        self, spec: AccessSpec, session: ClientSession, tokens: Tokens, context: Context[Any], emit: Emit
    ) -> None:
        self._spec = spec
        self._session = session
        self._tokens = tokens
        self._context = context
        self._emit = emit
        self._places = asyncio.Semaphore(spec.limits.concurrency)
        self._seconds: dict[str, float] = {}
        self._size = 0
        self._status: int | None = None
        self.documents = 0

    async def get(self, request: Request, without: Collection[int] = ()) -> Answer | None:
        """The document; None where the status, one of `without`, says that none comes.

        Raises ProbeFailed; OSError when the fault is ours.
        """
        if self.documents == self._spec.limits.documents:
            raise ProbeFailed(Reason.TOO_LARGE, f"more than {self._spec.limits.documents} documents")
        self.documents += 1
        async with self._places:
            token = await self._token(request)
            answer, status = await self._visit(request, token, without, again=token is not None)
            if status == 401 and token is not None:
                token = await self._token(request, refused=token)
                answer, _ = await self._visit(request, token, without)
            return answer

    def report(self) -> None:
        """Emit what the requests took."""
        for phase, seconds in self._seconds.items():
            self._emit(PHASE, seconds, phase)
        if self._status is not None:
            self._emit(STATUS, self._status)

    async def _token(self, request: Request, refused: str | None = None) -> str | None:
        oauth2 = self._spec.oauth2
        if oauth2 is None or request.url.origin() != self._spec.url.origin():
            return None
        return await self._tokens.get(oauth2, self._spec, self._context, refused)

    async def _visit(
        self, request: Request, token: str | None, without: Collection[int], again: bool = False
    ) -> tuple[Answer | None, int]:
        """One visit; with `again`, a 401 is no failure yet."""
        spec = self._spec
        if token is not None:
            request = replace(request, private={**request.private, "Authorization": f"Bearer {token}"})
        # What a run says of its lookup and of its certificate is about its first request.
        passage = spec.passage(self._context, ignore if self._seconds else self._emit)
        visit = Visit(self._session, passage, request)
        try:
            response = await visit.go(spec.follow_redirects, spec.allowed_redirect_hosts)
            self._status = response.status
            if response.status in without or (again and response.status == 401):
                return None, response.status
            spec.check_status(response.status)
            body = await visit.read(min(spec.max_size, spec.limits.total_size - self._size))
            self._size += len(body)
            return Answer(visit.request, body, response.headers), response.status
        finally:
            visit.close()
            self._account(visit)

    def _account(self, visit: Visit) -> None:
        passage = visit.passage
        if passage.secured is not None and passage.emit is not ignore:
            emit_tls(passage.secured, self._spec.tls.verify, self._emit)
        for phase, seconds in passage.seconds.items():
            self._seconds[phase] = self._seconds.get(phase, 0.0) + seconds
