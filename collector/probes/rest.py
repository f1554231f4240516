"""The `rest` kind: fetches JSON documents, follows their pages and links, and makes metrics of what they hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from collector.http.client import PHASE, STATUS, open_session
from collector.model import Emit, Kind, Metric
from collector.net import NET_METRICS, Context, Net
from collector.rest.crawl import Crawl
from collector.rest.fetch import Fetch
from collector.rest.oauth2 import Tokens
from collector.rest.reading import DROP_REASONS
from collector.rest.spec import RestSpec
from collector.tls import TLS_METRICS

DOCUMENTS = Metric("hatang_rest_documents", "Documents that the last run asked for, pages included.")
ROWS = Metric("hatang_rest_rows", "Rows that the last run read.")
DROPPED = Metric(
    "hatang_rest_dropped_rows",
    "Rows that the last run left out: over max_rows, with a label that is no text, or as a series that is there.",
    labels=("reason",),
)
MISSING = Metric("hatang_rest_missing_values", "Values and rows that the answers of the last run did not have.")
UNREADABLE = Metric("hatang_rest_unreadable_values", "Values and links that are not what the target says, left out.")
REST_METRICS = (DOCUMENTS, ROWS, DROPPED, MISSING, UNREADABLE)


async def probe(spec: RestSpec, emit: Emit, context: Context[Tokens]) -> None:
    """One round through the documents. Raises ProbeFailed; OSError when the fault is ours."""
    # Several documents share connections: a server's management controller takes a second for a handshake.
    several = spec.paging is not None or spec.follow
    async with open_session(reuse=True) if several else nullcontext(context.resource.session) as session:
        fetch = Fetch(spec, session, context.resource, context, emit)
        crawl = Crawl(spec, fetch, emit)
        try:
            await crawl.run()
        finally:
            fetch.report()
            _report(fetch, crawl, emit)


def _report(fetch: Fetch, crawl: Crawl, emit: Emit) -> None:
    reader = crawl.reader
    emit(DOCUMENTS, fetch.documents)
    emit(ROWS, reader.rows)
    emit(MISSING, reader.missing)
    emit(UNREADABLE, reader.unreadable)
    for reason in DROP_REASONS:
        emit(DROPPED, reader.dropped[reason], reason)


@asynccontextmanager
async def opened(net: Net) -> AsyncIterator[Tokens]:  # noqa: ARG001  every kind opens with it
    """Tokens, which all targets share."""
    async with open_session() as session:
        yield Tokens(session)


KIND = Kind(
    "rest",
    "Reads JSON of any REST or Redfish endpoint, follows its pages and links, and makes metrics of it.",
    RestSpec,
    (PHASE, STATUS, *REST_METRICS, *NET_METRICS, *TLS_METRICS),
    probe,
    opened,
)
