"""Rules and routes whose waits are some times as short: what takes an hour in use is seen within a minute of a play."""

from __future__ import annotations

from typing import Any

from collector.fields import parse_duration

_RULE_WAITS = ("for", "keep_firing_for")
_ROUTE_WAITS = ("group_wait", "group_interval", "repeat_interval")
Node = dict[str, Any]


def shorter(duration: str, pace: int, least: float = 0.0) -> str:
    """A duration `pace` times as short, but of `least` seconds."""
    return f"{max(parse_duration(duration) / pace, least) * 1000:.0f}ms"


def faster_rules(content: Node, pace: int, scraped: float) -> Node:
    """A file of rules with shorter waits and intervals; the windows of expressions stay.

    No group is evaluated more often than each `scraped` seconds: there would be nothing new to look at.
    """
    return {"groups": [_group(group, pace, scraped) for group in content["groups"]]}


def _group(group: Node, pace: int, scraped: float) -> Node:
    rules = [_waiting(rule, _RULE_WAITS, pace) for rule in group["rules"]]
    return {**group, "interval": shorter(group["interval"], pace, scraped), "rules": rules}


def faster_routes(route: Node, pace: int) -> Node:
    """A route of Alertmanager, and those below it, that gather and repeat more often."""
    made = _waiting(route, _ROUTE_WAITS, pace)
    return {**made, "routes": [faster_routes(one, pace) for one in route["routes"]]} if "routes" in route else made


def _waiting(one: Node, waits: tuple[str, ...], pace: int) -> Node:
    return one | {name: shorter(one[name], pace) for name in waits if name in one}
