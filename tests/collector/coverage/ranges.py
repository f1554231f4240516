"""The range model as the shipped configuration has it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from collector.places import Carrier, Environment, Propagation, RangeModel, TechnologyRule, Terrain
from collector.records import Technology

SHIPPED = Path(__file__).parents[3] / "config" / "inventory.d" / "technologies.yaml"


@cache
def shipped(level: str = "good") -> RangeModel:
    """The model of config/inventory.d/technologies.yaml, for the good or the basic threshold."""
    data = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))["ranges"]
    carriers = tuple(Carrier(**{**row, "technology": Technology(row["technology"])}) for row in data.pop("carriers"))
    terrains = tuple(
        Terrain(Environment(row["environment"]), Propagation(row["model"]), row.get("extra_loss_db", 0.0))
        for row in data.pop("terrains")
    )
    return RangeModel(carriers=carriers, terrains=terrains, **{**data, "level": level})


@cache
def rules() -> tuple[TechnologyRule, ...]:
    """When each technology counts, as shipped."""
    data = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))["technologies"]
    return tuple(TechnologyRule(Technology(row["id"]), row.get("valid_from"), row.get("valid_to")) for row in data)
