"""What is wrong with an HTTP answer: headers, body, and what its JSON says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from multidict import CIMultiDictProxy

from collector.documents import document, refutation
from collector.fields import JmesPath, Regex
from collector.http.fields import HeaderMatch

# Searching a larger body takes long enough to be done in a thread.
LARGE_BODY = 256 * 1024


def header_fault(
    headers: CIMultiDictProxy[str], matches: Sequence[HeaderMatch], not_matches: Sequence[HeaderMatch]
) -> str | None:
    """Each of `matches` must be found in a value of its header, each of `not_matches` in none; else what is wrong."""
    rules = [(rule, True) for rule in matches] + [(rule, False) for rule in not_matches]
    for rule, wanted in rules:
        values = headers.getall(rule.header, ())
        if not values and not rule.allow_missing:
            return f"no header {rule.header}"
        # Bytes that are no text come as surrogates, which RE2 does not take.
        found = any(rule.regex.search(value.encode("utf-8", "surrogateescape")) for value in values)
        if values and found != wanted:
            return f"header {rule.header} {'matches' if found else 'does not match'} {rule.regex.text!r}"
    return None


async def body_fault(body: bytes, matches: Sequence[Regex], not_matches: Sequence[Regex]) -> str | None:
    """Each of `matches` must be found in the body, none of `not_matches`; else what is wrong."""
    if len(body) > LARGE_BODY and (matches or not_matches):
        return await asyncio.to_thread(_search, body, matches, not_matches)
    return _search(body, matches, not_matches)


def _search(body: bytes, matches: Sequence[Regex], not_matches: Sequence[Regex]) -> str | None:
    for regex in matches:
        if not regex.search(body):
            return f"the body does not match {regex.text!r}"
    for regex in not_matches:
        if regex.search(body):
            return f"the body matches {regex.text!r}"
    return None


async def condition_fault(body: bytes, condition: JmesPath) -> str | None:
    """The body must be JSON of which `condition` says `true`; else what is wrong."""
    if len(body) > LARGE_BODY:
        return await asyncio.to_thread(_refuted, body, condition)
    return _refuted(body, condition)


def _refuted(body: bytes, condition: JmesPath) -> str | None:
    try:
        return refutation(document(body), condition)
    except ValueError as error:
        return str(error)
