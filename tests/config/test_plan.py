"""The shipped plan says what the facts say, and follows every figure of the report."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.derive.plan import STATUS, samples
from collector.model import Basis
from collector.plan import Figure, Indicator, Measured, Origin, Stated, Status, Value, compute, day_of, live_values
from collector.settings import Config, load
from tests.collector.plan.planning import at

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"
SHARED = ROOT.parent / "shared" / "facts"


def read(path: Path) -> Any:
    """A YAML file as it is."""
    return yaml.load(path.read_text(), Loader=yaml.CSafeLoader)


FACTS: dict[str, dict[str, Any]] = {
    one["id"]: one for one in read(ROOT / "tests/facts/plan-targets.yaml")["indicators"]
}
FIGURES = read(ROOT / "tests/facts/figures.yaml")["figures"]
TARGET = ("value", "comparator", "due", "recurring", "act", "basis", "confirmed")
# Of these the figure cannot be measured as it is meant; their notes say why.
BY_HAND = {"data-centre-count", "flood-warning-rivers"}
NOW = at("2026-11-23 12:00")


@pytest.fixture(scope="module")
def config() -> Config:
    """What `config/` alone says."""
    return load([CONFIG])


@pytest.fixture(scope="module")
def plan(config: Config) -> dict[str, Indicator]:
    """Its indicators by id."""
    return config.plan.named()


def test_our_copies_of_the_facts_are_the_facts() -> None:
    if not SHARED.exists():
        pytest.skip("the facts are not beside this checkout")
    assert read(SHARED / "plan-targets.yaml") == read(ROOT / "tests/facts/plan-targets.yaml")
    report = [
        {"entry": entry["id"], **{key: figure[key] for key in ("metric", "value", "comparator", "status")}}
        for entry in read(SHARED / "seed-inventory.yaml")["entries"]
        for figure in entry["figures"]
    ]
    assert report == FIGURES


def test_there_are_the_indicators_of_the_facts_and_no_others(plan: dict[str, Indicator]) -> None:
    assert list(plan) == list(FACTS)


@pytest.mark.parametrize("name", FACTS)
def test_each_indicator_is_as_stated(name: str, plan: dict[str, Indicator]) -> None:
    fact, one = FACTS[name], plan[name]
    assert (one.name_vi, one.name_en, one.unit.value) == (fact["name_vi"], fact["name_en"], fact["unit"])
    assert one.valid_to == fact.get("valid_to")
    assert [(seen.day, seen.comparator.value, seen.source, seen.note) for seen in one.observations] == [
        (seen["date"], seen.get("comparator", "eq"), seen["source"], seen.get("note", "")) for seen in fact["observed"]
    ]
    for seen, stated in zip(one.observations, fact["observed"], strict=True):
        assert seen.value == pytest.approx(stated["value"], abs=1e-6)
        if "numerator" in stated:
            assert seen.value == stated["numerator"] / stated["denominator"]
    demands = [goal.demand for goal in one.goals]
    stated = [[target.get(key) for key in TARGET] for target in fact["targets"]]
    assert [
        [one.value, one.comparator.value, one.due, one.recurring, one.act or None, one.basis.value, one.confirmed]
        for one in demands
    ] == stated


@pytest.mark.parametrize("name", FACTS)
def test_each_value_comes_from_where_the_facts_say(name: str, plan: dict[str, Indicator]) -> None:
    source, by = plan[name].source, FACTS[name]["measured_by"]
    if name in BY_HAND:
        assert source is None
        assert plan[name].note
    elif by == "coverage":
        assert isinstance(source, Figure)
        assert source.view == "coverage"
    elif by == "probe":
        assert isinstance(source, Measured) or (isinstance(source, Figure) and source.view == "systems")
    else:
        assert source == {"feed": Stated(), "manual": None}[by]


def test_every_figure_of_the_report_is_followed_or_has_a_reason(config: Config, plan: dict[str, Indicator]) -> None:
    reported = {(one.entry, one.metric): one for one in config.plan.reported}
    assert list(reported) == [(figure["entry"], figure["metric"]) for figure in FIGURES]
    for figure in FIGURES:
        one = reported[figure["entry"], figure["metric"]]
        assert bool(one.indicator) != bool(one.reason)
        if one.indicator and figure["status"] == "plan-target":
            assert figure["value"] in {goal.demand.value for goal in plan[one.indicator].goals}
        elif one.indicator:
            (seen,) = (seen for seen in plan[one.indicator].observations if seen.source == "seed")
            assert seen.value == pytest.approx(figure["value"], abs=1e-6)
            assert seen.comparator.value == figure["comparator"]


def test_no_indicator_but_those_of_other_acts_is_missing_from_the_report(config: Config) -> None:
    followed = {one.indicator for one in config.plan.reported if one.indicator}
    assert {
        name for name, fact in FACTS.items() if any(seen["source"] == "seed" for seen in fact["observed"])
    } <= followed


def test_sources_have_names(config: Config) -> None:
    known = {one.id for one in config.plan.references}
    for one in config.plan.indicators:
        for seen in one.observations:
            assert seen.source in known or "/KH-" in seen.source


def test_texts_are_vietnamese_in_its_normal_form(config: Config) -> None:
    for one in config.plan.indicators:
        assert unicodedata.is_normalized("NFC", one.name_vi + one.name_en + one.note)


def test_availability_is_demanded_as_objectives_demand_it(config: Config, plan: dict[str, Indicator]) -> None:
    """Whoever changes one of the two is told of the other."""
    objectives = {
        one.objective.indicator: one.objective for one in config.systems.values() if one.objective is not None
    }
    assert objectives
    for name, objective in objectives.items():
        (goal,) = plan[name].goals
        found = goal.demand
        assert (found.value, found.recurring, found.basis) == (objective.ratio, objective.recurring, objective.basis)


def test_the_reports_figures_read_as_they_must(config: Config) -> None:
    """Before anything is measured: missed with gaps of 20, 50 and 86.7 points, villages met."""
    found = {one.indicator.id: one for one in compute(config.plan, {}, {}, NOW)}
    for name, gap in (
        ("5g-industrial-parks-dung-quat", 20.0),
        ("5g-industrial-parks-other", 50.0),
        ("5g-industrial-clusters", 86.7),
    ):
        (judgement,) = found[name].judgements
        assert judgement.status is Status.MISSED
        assert judgement.gap_lower is not None
        assert round(judgement.gap_lower * 100, 1) == gap
    assert found["villages-mobile-broadband"].judgements[0].status is Status.MET
    population = found["5g-population"]
    assert (population.origin, population.judgements[0].status) == (Origin.NONE, Status.UNKNOWN)


def test_the_same_figures_measured_read_the_same(config: Config) -> None:
    """As the views give them, villages and populations apart."""
    zones = {"industrial-park-dung-quat": 4 / 5, "industrial-park": 1 / 2, "industrial-cluster": 2 / 15}
    given = {Figure("coverage", "zones", "5G", category): Value.exactly(share) for category, share in zones.items()}
    given[Figure("coverage", "villages", "3G")] = Value.exactly(1.0)
    values = live_values(config.plan, given, config.targets.values(), lambda _: None, ())
    statuses = {
        sample.labels[0]: sample.labels[2]
        for sample in samples(compute(config.plan, values, {}, NOW), day_of(NOW))
        if sample.metric is STATUS and sample.value == 1.0
    }
    assert [statuses[name] for name in list(FACTS)[:4]] == ["met", "missed", "missed", "missed"]
    assert statuses["5g-population"] == "unknown"
    values["5g-population"] = Value.exactly(0.4)
    (population,) = (one for one in compute(config.plan, values, {}, NOW) if one.indicator.id == "5g-population")
    assert population.judgements[0].required == pytest.approx(0.59 / ((at("2031-01-01 00:00") - NOW) / 86400))


def test_what_is_only_proposed_is_never_official(plan: dict[str, Indicator]) -> None:
    for one in plan.values():
        for goal in one.goals:
            assert goal.demand.official == (goal.demand.basis is not Basis.PROPOSED)
