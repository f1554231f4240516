"""How much there is to make up: the figures of the plan's observations, which are the report's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from collector.plan import Plan
from collector.plan.records import Figure

# No category of the report has more zones.
MOST_ZONES = 50


@dataclass(frozen=True, slots=True)
class Figures:
    """Positions of masts, base stations on them, those of 5G, and categories of zones, each with the share with 5G."""

    positions: int
    stations: int
    with_5g: int
    zones: tuple[tuple[str, Fraction], ...]

    @property
    def shares(self) -> dict[str, Fraction]:
        """The shares by category."""
        return dict(self.zones)


def figures(plan: Plan) -> Figures:
    """What was first reported of each. Raises ValueError where the plan says nothing of it."""
    first: dict[Figure, float] = {}
    for indicator in plan.indicators:
        if isinstance(indicator.source, Figure) and indicator.observations:
            first[indicator.source] = indicator.observations[0].value
    return Figures(
        positions=_count(first, Figure("coverage", "positions")),
        stations=_count(first, Figure("coverage", "base-stations")),
        with_5g=_count(first, Figure("coverage", "base-stations", "5G")),
        zones=tuple(
            (figure.category, Fraction(value).limit_denominator(MOST_ZONES))
            for figure, value in first.items()
            if figure.name == "zones"
        ),
    )


def _count(first: Mapping[Figure, float], figure: Figure) -> int:
    if figure not in first:
        raise ValueError(f"the plan has no observation of {figure.name} {figure.technology}".rstrip())
    return round(first[figure])
