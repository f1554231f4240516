"""From the first page to everything that a target follows: bounded in depth, number, size and at one time."""

from __future__ import annotations

import asyncio

from collector.http.answer import LARGE_BODY
from collector.http.client import Request, linked
from collector.model import Emit, ProbeFailed, Reason
from collector.rest.fetch import GONE, Answer, Fetch
from collector.rest.paging import Pages
from collector.rest.reading import Facts, Page, Reader
from collector.rest.shape import ROOT, Follow
from collector.rest.spec import RestSpec


class Crawl:
    """One run's way through the documents. What each says is emitted at once."""

    def __init__(self, spec: RestSpec, fetch: Fetch, emit: Emit) -> None:
        self.reader = Reader(spec.metrics, spec.families, spec.follow, spec.condition, spec.max_rows)
        self._spec = spec
        self._fetch = fetch
        self._emit = emit
        self._reading = asyncio.Lock()
        self._known: set[tuple[str, str]] = set()
        self._fault: str | None = None

    async def run(self) -> None:
        """Raises ProbeFailed; OSError when the fault is ours."""
        try:
            async with asyncio.TaskGroup() as group:
                await self._pages(group)
        except BaseExceptionGroup as failures:
            raise _first(failures) from None
        if self._fault is not None:
            raise ProbeFailed(Reason.UNEXPECTED, self._fault)
        if self.reader.found_nothing:
            raise ProbeFailed(Reason.UNEXPECTED, "nothing that the metrics select is in the answer")

    async def _pages(self, group: asyncio.TaskGroup) -> None:
        pages = Pages(self._spec.paging, self._spec.request, self._spec.allowed_redirect_hosts)
        request: Request | None = pages.start()
        while request is not None:
            answer = await self._fetch.get(request)
            if answer is None:
                raise RuntimeError("the first document is not optional")
            page = await self._read(answer, ROOT, {}, first=pages.number == 1)
            self._spawn(group, answer, page)
            try:
                request = pages.after(answer.request, page.content, answer.body, answer.headers)
            except ValueError as error:
                raise ProbeFailed(Reason.UNEXPECTED, f"paging: {error}") from error

    def _spawn(self, group: asyncio.TaskGroup, answer: Answer, page: Page) -> None:
        for step, link in page.links:
            request = linked(answer.request, link, self._spec.allowed_redirect_hosts)
            key = (step.name, str(request.url))
            if key not in self._known:
                self._known.add(key)
                group.create_task(self._follow(group, step, request, page.facts))

    async def _follow(self, group: asyncio.TaskGroup, step: Follow, request: Request, facts: Facts) -> None:
        answer = await self._fetch.get(request, GONE if step.optional else ())
        if answer is not None:
            page = await self._read(answer, step.name, facts)
            self._spawn(group, answer, page)

    async def _read(self, answer: Answer, name: str, facts: Facts, first: bool = False) -> Page:
        async with self._reading:  # the rows of all documents share one limit
            try:
                if len(answer.body) > LARGE_BODY:
                    page = await asyncio.to_thread(self.reader.read, answer.body, name, facts, first)
                else:
                    page = self.reader.read(answer.body, name, facts, first)
            except ValueError as error:
                raise ProbeFailed(Reason.PROTOCOL, str(error)) from error
        self._fault = self._fault or page.fault
        for metric, labels, value in page.samples:
            self._emit(metric, value, *labels)
        return page


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
