"""Which fault an alert comes from: the one that is about the same target, system, commune or operator."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from collector.demo.faults import Fault

# Labels that say what something is about; the most telling first.
_TELLING = ("target", "system", "centre", "cause", "commune", "category", "operator")
_SELECTOR = re.compile(r"\{([^}]*)\}")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
Mark = tuple[str, str]


class Traces:
    """What each of the faults is about."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._marks = {fault.id: frozenset(_marks(fault)) for fault in faults}

    def cause(self, labels: Mapping[str, str], candidates: Sequence[Fault]) -> Fault | None:
        """The first of the candidates that bears the most telling of the labels that any bears."""
        for mark in ((name, labels[name]) for name in _TELLING if labels.get(name)):
            for fault in candidates:
                if mark in self._marks[fault.id]:
                    return fault
        return None


def _marks(fault: Fault) -> Iterator[Mark]:
    yield "centre", fault.befalls
    yield from (("target", name) for name in fault.targets)
    for show in fault.shows:
        for selector in _SELECTOR.findall(show.query):
            labels = dict(_LABEL.findall(selector))
            telling = next((name for name in _TELLING if name in labels), None)
            if telling is not None:
                yield telling, labels[telling]
