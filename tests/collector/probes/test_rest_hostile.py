"""The rest kind against documents that no honest endpoint sends: never our fault, never a hang, never a forged line."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from aiohttp import web

from collector.model import Outcome, Reason
from collector.probes.rest import KIND
from exporters.exposition import Exposition
from tests.http_peers import application
from tests.peers import leaving_nothing
from tests.probing import probing

# Functions that take much and refuse much, on whatever is there.
EXPRESSIONS = (
    *("@", "a", "a.b", "a[0]", "[0]", "[-1].b", "*", "*.*", "[]", "[].a[]", "[?a > `1`]", "[?b].a", "{x: a, y: b}"),
    *("keys(@)", "values(@)", "length(@)", "sum(a)", "avg(a)", "max(a)", "min_by(@, &a)", "sort(a)", "sort_by(@, &b)"),
    *("to_number(a)", "to_string(@)", "join(',', a)", "ceil(a)", "floor(b)", "abs(a)", "merge(a, b)", "reverse(a)"),
    *("contains(a, b)", "starts_with(a, b)", "map(&a, @)", "type(@)", "not_null(a, b)", "a == b", "a && b", "!a"),
)
WORDS = (
    "",
    "a",
    "b",
    "1",
    "-1e5",
    "nan",
    "1e400",
    "\ud800",
    "\n",
    '"',
    "\\",
    "}",
    "x" * 300,
    "\u0661",
    "/",
    "//x",
    "?",
)
NUMBERS = (0, 1, -1, 2**63, -(2**64), 10**30, 1.5, 1e308, -1e-320)


def anything(chance: random.Random, depth: int = 4) -> Any:
    """A JSON value with the keys that the expressions ask for."""
    match chance.randrange(7 if depth else 4):
        case 0:
            return chance.choice((None, True, False))
        case 1:
            return chance.choice(NUMBERS)
        case 2 | 3:
            return chance.choice(WORDS)
        case 4:
            return [anything(chance, depth - 1) for _ in range(chance.randrange(5))]
        case _:
            return {key: anything(chance, depth - 1) for key in chance.sample(("a", "b", *WORDS), 4)}


def target(chance: random.Random) -> dict[str, Any]:
    """Settings that search a document with random expressions."""

    def pick() -> str:
        return chance.choice(EXPRESSIONS)

    def metric(number: int, of: str) -> dict[str, Any]:
        labels = {"x": pick(), "y": {"of": "root", "value": pick()}}
        kind = chance.choice(({}, {"type": "states", "states": ["a"]}, {"map": {"a": 1, "1": 2}}, {"scale": 0.001}))
        return {
            "name": f"m{number}",
            "help": "M.",
            "of": of,
            "rows": chance.choice((pick(), "[@]")),
            "value": pick(),
            "labels": labels,
            **kind,
        }

    paging = chance.choice(
        (
            {"by": "next-link", "next": pick(), "max_pages": 3},
            {"by": "cursor", "next": pick(), "parameter": "c"},
            {"by": "offset", "items": pick(), "parameter": "o", "size": 2},
            *[None] * 6,
        )
    )
    return {
        "metrics": [metric(number, chance.choice(("root", "more"))) for number in range(6)],
        "follow": [{"name": "more", "links": pick(), "optional": True}],
        "condition": pick(),
        "paging": paging,
        "max_documents": 6,
    }


@pytest.mark.parametrize("seed", range(4))
async def test_no_document_makes_an_error_of_ours(seed: int) -> None:
    chance = random.Random(seed)
    exposition = Exposition()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        document = {"a": anything(chance), "b": anything(chance)} if chance.random() < 0.8 else anything(chance)
        body = json.dumps(document).encode()
        if chance.random() < 0.2:
            body = body.replace(b'"', chance.choice((b"\xff", b"'", b"", b'"')), chance.randrange(4))
        return web.Response(body=body, content_type="application/json")

    async with application(answer) as port, probing(KIND) as prober, leaving_nothing():
        for _ in range(300):
            result = await prober.run(url=f"http://127.0.0.1:{port}/", **target(chance))
            assert result.outcome is not Outcome.ERROR, result
            assert result.reason is not Reason.TIMEOUT, result
            assert result.detail.encode().decode().isprintable(), result
            exposition.put("t", (), result.samples)
            lines = exposition.render().decode().splitlines()
            assert all(line.startswith(("# ", "m", "hatang_rest_", "probe_")) for line in lines)
