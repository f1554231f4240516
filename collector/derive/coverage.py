"""Coverage as series: a few for the province, each commune, each operator and each site; none for a village or cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import nlargest
from math import isfinite
from typing import TYPE_CHECKING

from collector.coverage.lost import Lost
from collector.model import Metric, MetricType, Sample
from collector.records import CellState, Technology

if TYPE_CHECKING:  # the engine's libraries take memory that only who has cells shall pay
    from collector.coverage.figures import Bounds, Figures, Level
    from collector.coverage.links import Links

MOST_CRITICAL = 50

_BY_TECHNOLOGY = ("technology",)
_BOUNDED = ("technology", "bound")

SITES = Metric(
    "hatang_sites", "Sites by operator and by what the operator's cells there do.", labels=("operator", "state")
)
CELLS = Metric("hatang_cells", "Cells by what they do.", labels=("operator", "technology", "state"))
SITE_UP = Metric(
    "hatang_site_up",
    "1 while any of the operator's cells on the site is active or they only sleep, 0 while out; absent when unknown.",
    labels=("site", "operator"),
)
SITE_PLANNED = Metric(
    "hatang_site_planned",
    "1 while the operator's site is out for planned work; absent otherwise.",
    labels=("site", "operator"),
)
SITE_INFO = Metric(
    "hatang_site_info",
    "A site and who is on it; degrees WGS 84.",
    MetricType.INFO,
    ("site", "operator", "commune", "name", "lat", "lon"),
)
VILLAGES = Metric("hatang_villages", "Villages and residential groups.", labels=("commune",))
VILLAGES_COVERED = Metric(
    "hatang_villages_covered", "Villages with signal of anybody.", labels=("commune", "technology", "bound")
)
COVERAGE = Metric("hatang_coverage_ratio", "Share of the territory's villages with signal of anybody.", labels=_BOUNDED)
OPERATOR_COVERAGE = Metric(
    "hatang_operator_coverage_ratio",
    "Share of villages where the operator's customers have signal, roaming included.",
    labels=("operator", "technology", "bound"),
)
BEST_COVERAGE = Metric(
    "hatang_best_operator_coverage_ratio", "Share of villages that the largest single network covers.", labels=_BOUNDED
)
POPULATION = Metric(
    "hatang_population_covered_ratio",
    "Share of inhabitants with signal, of the villages that say how many they are.",
    labels=_BOUNDED,
)
BEST_POPULATION = Metric(
    "hatang_best_operator_population_ratio",
    "Share of inhabitants that the largest single network covers, as SDG indicator 9.c.1 asks.",
    labels=_BOUNDED,
)
UNCOVERED = Metric(
    "hatang_villages_uncovered", "Villages without signal, even if all that is unknown were up.", labels=_BY_TECHNOLOGY
)
SINGLE_OPERATOR = Metric(
    "hatang_villages_single_operator", "Villages that only one network is known to cover.", labels=_BY_TECHNOLOGY
)
SINGLE_SITE = Metric(
    "hatang_villages_single_site", "Villages that hang on one site, whoever is on it.", labels=_BY_TECHNOLOGY
)
N1 = Metric(
    "hatang_coverage_n1_ratio",
    "Share of villages that would keep signal if any one site failed.",
    labels=_BY_TECHNOLOGY,
)
ASSUMED = Metric(
    "hatang_coverage_assumed_ratio",
    "Share of villages whose signal nobody declared and no model gives: the official figure alone says so.",
    labels=_BY_TECHNOLOGY,
)
FRESH = Metric(
    "hatang_coverage_fresh_ratio",
    "Share of the cells that serve villages or zones whose state is known.",
    labels=_BY_TECHNOLOGY,
)
OLDEST = Metric(
    "hatang_coverage_timestamp_seconds",
    "Unix time of the oldest state that the figures rest on.",
    labels=_BY_TECHNOLOGY,
)
OUTAGE = Metric(
    "hatang_village_outage_seconds_total",
    "Time that villages were surely without a signal that they have cells for, planned work apart.",
    MetricType.COUNTER,
    _BY_TECHNOLOGY,
)
PLANNED_OUTAGE = Metric(
    "hatang_village_planned_outage_seconds_total",
    "Time that villages were without signal because of planned work.",
    MetricType.COUNTER,
    _BY_TECHNOLOGY,
)
CRITICAL = Metric(
    "hatang_site_critical_villages",
    "Villages that would lose their last signal with the site; the top 50.",
    labels=("site",),
)
ZONES = Metric("hatang_zones", "Industrial parks, stations, ports and other zones.", labels=("category",))
ZONES_COVERED = Metric(
    "hatang_zones_covered", "Zones with signal on 95 % of their area.", labels=("category", "technology", "bound")
)
COVERAGE_METRICS = (
    *(SITES, CELLS, SITE_UP, SITE_PLANNED, SITE_INFO, VILLAGES, VILLAGES_COVERED, COVERAGE, OPERATOR_COVERAGE),
    *(BEST_COVERAGE, POPULATION, BEST_POPULATION, UNCOVERED, SINGLE_OPERATOR, SINGLE_SITE, N1, ASSUMED, FRESH, OLDEST),
    *(OUTAGE, PLANNED_OUTAGE, CRITICAL, ZONES, ZONES_COVERED),
)

_UP = {CellState.ACTIVE: 1, CellState.SLEEPING: 1, CellState.DOWN: 0, CellState.PLANNED: 0}


def samples(figures: Figures) -> list[Sample]:
    """All series of one count but those that only the inventory changes, and the time lost."""
    return [*_states(figures), *_totals(figures), *_levels(figures)]


def site_samples(links: Links) -> list[Sample]:
    """Who is on which site: changes with the inventory only."""
    sites, presence, places = links.sites, links.presence, links.places
    codes = [commune.code for commune in places.communes]
    communes = links.site_commune.tolist()
    lat, lon = (_degrees(column.tolist()) for column in (sites.lat, sites.lon))
    rows = zip(presence.site.tolist(), presence.operator.tolist(), presence.first.tolist(), strict=True)
    found = []
    for site, operator, first in rows:
        commune = codes[communes[site]] if communes[site] >= 0 else ""
        name = links.stock.cells[first].name
        labels = (sites.ids[site], places.operators[operator].id, commune, name, lat[site], lon[site])
        found.append(Sample(SITE_INFO, labels, 1))
    return found


Totals = Mapping[tuple[str, str], float]
"""Counters by the name of their metric and their label, as the journal keeps them."""


def lost_totals(lost: Lost) -> dict[tuple[str, str], float]:
    """The time that villages were without signal."""
    both = ((OUTAGE, lost.seconds), (PLANNED_OUTAGE, lost.planned))
    return {(metric.name, one.value): seconds for metric, spent in both for one, seconds in spent.items()}


def restored(totals: Totals) -> Lost:
    """What was lost before a restart, by what the journal kept."""
    known = {one.value: one for one in Technology}
    seconds, planned = (
        {known[label]: spent for (name, label), spent in totals.items() if name == metric.name and label in known}
        for metric in (OUTAGE, PLANNED_OUTAGE)
    )
    return Lost(seconds, planned)


def lost_samples(totals: Totals) -> list[Sample]:
    """The time that villages were without signal, as series."""
    metrics = {metric.name: metric for metric in (OUTAGE, PLANNED_OUTAGE)}
    return [Sample(metrics[name], (label,), spent) for (name, label), spent in totals.items() if name in metrics]


def _degrees(column: Iterable[float]) -> list[str]:
    return [f"{value:.5f}" if isfinite(value) else "" for value in column]


def _states(figures: Figures) -> Iterator[Sample]:
    for (operator, state), counted in figures.sites.items():
        yield Sample(SITES, (operator, state.value), counted)
    for (operator, technology, state), counted in figures.cells.items():
        yield Sample(CELLS, (operator, technology.value, state.value), counted)
    presence, ids = figures.links.presence, figures.links.sites.ids
    names = [operator.id for operator in figures.links.places.operators]
    places = zip(presence.site.tolist(), presence.operator.tolist(), figures.presence_states(), strict=True)
    for site, number, state in places:
        if state in _UP:
            yield Sample(SITE_UP, (ids[site], names[number]), _UP[state])
        if state is CellState.PLANNED:
            yield Sample(SITE_PLANNED, (ids[site], names[number]), 1)


def _totals(figures: Figures) -> Iterator[Sample]:
    for commune, counted in zip(figures.links.places.communes, figures.communes.tolist(), strict=True):
        if counted:
            yield Sample(VILLAGES, (commune.code,), counted)
    for category, counted in figures.zones.items():
        yield Sample(ZONES, (category,), counted)


def _levels(figures: Figures) -> Iterator[Sample]:
    for level in figures.levels.values():
        technology = (level.technology.value,)
        yield from _of_communes(figures, level)
        for category, covered in level.zones.items():
            yield from _bounded(ZONES_COVERED, (category, *technology), covered)
        if figures.villages:
            yield from _of_villages(figures, level)
        if figures.inhabitants and level.inhabitants and level.best_inhabitants:
            yield from _bounded(POPULATION, technology, level.inhabitants.ratio(figures.inhabitants))
            yield from _bounded(BEST_POPULATION, technology, level.best_inhabitants.ratio(figures.inhabitants))
        if level.freshness.share is not None:
            yield Sample(FRESH, technology, level.freshness.share)
        if level.freshness.oldest is not None:
            yield Sample(OLDEST, technology, level.freshness.oldest)
    yield from _critical(figures)


def _of_villages(figures: Figures, level: Level) -> Iterator[Sample]:
    technology, villages = (level.technology.value,), figures.villages
    yield from _bounded(COVERAGE, technology, level.covered.ratio(villages))
    for operator, covered in level.operators.items():
        yield from _bounded(OPERATOR_COVERAGE, (operator, *technology), covered.ratio(villages))
    yield from _bounded(BEST_COVERAGE, technology, level.best.ratio(villages))
    yield Sample(UNCOVERED, technology, level.uncovered)
    yield Sample(SINGLE_OPERATOR, technology, level.single_operator)
    yield Sample(SINGLE_SITE, technology, level.single_site)
    yield Sample(N1, technology, level.twofold / villages)
    yield Sample(ASSUMED, technology, level.assumed / villages)


def _of_communes(figures: Figures, level: Level) -> Iterator[Sample]:
    lower, upper = (side.tolist() for side in level.communes)
    whole = figures.communes.tolist()
    for commune, villages, *both in zip(figures.links.places.communes, whole, lower, upper, strict=True):
        if villages:
            for bound, counted in zip(("lower", "upper"), both, strict=True):
                yield Sample(VILLAGES_COVERED, (commune.code, level.technology.value, bound), counted)


def _critical(figures: Figures) -> Iterator[Sample]:
    """Of the oldest technology that counts: who loses that loses everything."""
    if figures.levels:
        counted = next(iter(figures.levels.values())).critical.tolist()
        for site in nlargest(MOST_CRITICAL, range(len(counted)), key=counted.__getitem__):
            if counted[site]:
                yield Sample(CRITICAL, (figures.links.sites.ids[site],), counted[site])


def _bounded(metric: Metric, labels: tuple[str, ...], bounds: Bounds | None) -> Iterator[Sample]:
    if bounds is not None:
        yield Sample(metric, (*labels, "lower"), bounds.lower)
        yield Sample(metric, (*labels, "upper"), bounds.upper)
