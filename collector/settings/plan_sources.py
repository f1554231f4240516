"""Where an indicator's value comes from, by the one key that says so."""

from __future__ import annotations

from collector.plan import Figure, Measured, Stated
from collector.plan.records import Source
from collector.settings.faults import Fault
from collector.settings.plan_keys import FigureKeys, IndicatorKeys, MetricKeys
from collector.settings.source import Node

WAYS = ("figure", "metric", "feed", "manual")


def source_of(keys: IndicatorKeys, node: Node) -> tuple[Source | None, list[Fault]]:
    """The source, None for what is observed by hand; and a fault unless exactly one key says which."""
    given = [way for way in WAYS if getattr(keys, way)]
    if len(given) != 1:
        return None, [node.fault(f"give one of {', '.join(WAYS)}, to say where its value comes from")]
    if keys.figure is not None:
        return _figure(keys.figure), []
    if keys.metric is not None:
        return _measured(keys.metric), []
    return (Stated("" if keys.feed == "any" else keys.feed), []) if keys.feed is not None else (None, [])


def _figure(keys: FigureKeys) -> Figure:
    return Figure(
        view=keys.view,
        name=keys.name,
        technology=keys.technology.value if keys.technology is not None else "",
        category=keys.category or "",
        objective=keys.objective or "",
        part_of=keys.part_of or "",
    )


def _measured(keys: MetricKeys) -> Measured:
    return Measured(keys.name, keys.target or "", keys.system or "", tuple(sorted(keys.labels.items())), keys.scale)
