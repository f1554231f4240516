"""What a page asks is what Grafana would send: points, ranges and values in their places."""

from __future__ import annotations

import re

import pytest

from dashboards.lint.walk import targets
from tests.bench.boards import Ask, asks, choices, filled, step
from tests.bench.reach import pages

END = 1_800_000_007


@pytest.mark.parametrize(
    ("past", "points", "least", "seconds"),
    [(3600, 1000, 15, 15), (6 * 3600, 1000, 15, 20), (30 * 86400, 1000, 15, 1800), (30 * 86400, 1000, 7200, 7200)],
)
def test_steps_are_round_and_not_below_the_least(past: int, points: int, least: int, seconds: int) -> None:
    assert step(past, points, least) == seconds


def test_what_grafana_puts_in_is_put_in() -> None:
    expr = 'rate(a{x=~"$x"}[$__rate_interval]) + avg_over_time(b[$__range:$__interval])'
    assert filled(expr, 86400, 120, {"x": "(p|q)"}) == 'rate(a{x=~"(p|q)"}[135s]) + avg_over_time(b[86400s:120s])'


def test_a_range_begins_and_ends_at_multiples_of_the_step() -> None:
    path, form = Ask("", "up", "up", past=3600, step=60).request(END)
    assert (path, form["start"], form["end"]) == ("query_range", "1799996400", "1800000000")
    assert Ask("", "up", "up").request(END) == ("query", {"query": "up", "time": str(END)})


@pytest.mark.parametrize(("uid", "page"), pages().items())
def test_every_page_asks_all_that_its_panels_show(uid: str, page: dict[str, object]) -> None:
    chosen = {choice.name: "one" for choice in choices(page)}
    asked = {ask.source for ask in asks(page, chosen)}
    assert {target["expr"] for _, target in targets(page)} <= asked
    assert not any(re.search(r"\$[a-z_]", ask.expr) for ask in asks(page, chosen))
