"""The shipped inventory says what the province's report says: no more, no less, and nothing guessed."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.model import Basis, Dependency, Objective
from collector.settings import Config, load

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"
REPORT = ROOT.parent / "shared" / "facts" / "seed-inventory.yaml"
PLAN = REPORT.with_name("plan-targets.yaml")
FACTS = yaml.load((ROOT / "tests" / "facts" / "systems.yaml").read_text(), Loader=yaml.CSafeLoader)
SYSTEMS: dict[str, dict[str, Any]] = {entry["id"]: entry for entry in FACTS["systems"]}
FILES = sorted([*CONFIG.glob("targets.d/*.yaml"), *CONFIG.glob("inventory.d/*.yaml")])
STATED = ("kind", "name_vi", "name_en", "owner", "hosting", "part_of", "source_section", "aliases")


@pytest.fixture(scope="module")
def config() -> Config:
    """What `config/` alone says."""
    return load([CONFIG])


@pytest.fixture(scope="module")
def written() -> dict[str, dict[str, Any]]:
    """Systems as the files have them, by id: also what the service itself does not read."""
    documents = [yaml.load(path.read_text(), Loader=yaml.CSafeLoader) for path in FILES]
    return {system["id"]: system for document in documents for system in document.get("systems", [])}


def test_the_facts_are_the_report() -> None:
    """Every entry of these kinds in the report's inventory is in our copy of the facts, word for word."""
    if not REPORT.exists():
        pytest.skip("the report's inventory is not beside this checkout")
    report = yaml.load(REPORT.read_text(), Loader=yaml.CSafeLoader)
    kinds = {entry["kind"] for entry in SYSTEMS.values()}
    entries = {entry["id"]: entry for entry in report["entries"] if entry["kind"] in kinds}
    assert set(SYSTEMS) == set(entries)
    for name, entry in entries.items():
        figures = {figure["metric"]: figure["value"] for figure in entry["figures"]}
        assert SYSTEMS[name].get("figures", {}) == figures
        assert {key: SYSTEMS[name].get(key) for key in STATED} == {key: entry.get(key) for key in STATED}
    assert FACTS["owners"] == report["owners"]


def test_no_kind_of_the_report_is_left_out() -> None:
    assert {entry["kind"] for entry in SYSTEMS.values()} == {
        "data-centre",
        "information-system",
        "database",
        "data-store",
        "platform",
        "portal",
        "app",
        "security-system",
        "network",
        "iot-system",
        "mobile-operator",
    }


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_each_system_is_there_as_stated(name: str, config: Config, written: dict[str, dict[str, Any]]) -> None:
    fact, system = SYSTEMS[name], config.systems[name]
    assert (system.name_vi, system.name_en) == (fact["name_vi"], fact["name_en"])
    assert (system.category, system.owner) == (fact["kind"], fact["owner"])
    assert (system.hosting, system.part_of) == (fact.get("hosting"), fact.get("part_of"))
    assert system.source_section == fact["source_section"]
    assert set(fact.get("aliases", [])) <= set(written[name].get("aliases", []))
    assert any(target.system == name for target in config.targets.values())


def test_objectives_are_those_of_the_plan(config: Config) -> None:
    """Word for word, to whom they belong, and none called official that is only proposed."""
    found = {system.objective.indicator: system.objective for system in config.systems.values() if system.objective}
    assert found == {
        name: Objective(fact["value"], fact["recurring"], Basis(fact["basis"]), fact.get("act", ""), name)
        for name, fact in FACTS["objectives"].items()
    }
    held = {name: system.objective.indicator for name, system in config.systems.items() if system.objective}
    assert {name for name, indicator in held.items() if indicator == "availability-network-core"} == {"tslcd", "lgsp"}
    without = {system.category for name, system in config.systems.items() if name not in held}
    assert without == {"network", "mobile-operator", "iot-system"}
    for name, system in config.systems.items():
        assert (held.get(name) == "availability-data-centres") == (system.category == "data-centre")


def test_the_facts_on_objectives_are_the_plans() -> None:
    if not PLAN.exists():
        pytest.skip("the plan's facts are not beside this checkout")
    indicators = yaml.load(PLAN.read_text(), Loader=yaml.CSafeLoader)["indicators"]
    planned = {one["id"]: one["targets"] for one in indicators if one["id"].startswith("availability-")}
    assert set(FACTS["objectives"]) == set(planned)
    for name, (target,) in planned.items():
        assert target["comparator"] == "ge"
        stated = {key: target[key] for key in ("value", "recurring", "basis", "act") if target[key] is not None}
        assert FACTS["objectives"][name] == stated


def test_nothing_is_invented(config: Config) -> None:
    assert set(config.systems) == set(SYSTEMS)
    assert not [system.id for system in config.systems.values() if system.synthetic or system.tier is not None]
    assert not [target.id for target in config.targets.values() if target.synthetic]


def test_only_hosting_makes_systems_depend(config: Config) -> None:
    """Which 34 systems are connected to LGSP is not stated, nor anything else of the kind."""
    needs = {name: system.depends_on for name, system in config.systems.items() if system.depends_on}
    assert needs == {name: (Dependency(("enterprise-hosting",)),) for name in ("tthc", "qlvb", "vbdlis")}
    assert {name for name, fact in SYSTEMS.items() if "hosting" in fact} == set(needs)


def test_owners_are_those_of_the_report(config: Config) -> None:
    names = {owner["id"]: (owner["name_vi"], owner["name_en"]) for owner in FACTS["owners"]}
    names["unstated"] = ("Chưa nêu", "Not stated")
    assert {owner.id: (owner.name_vi, owner.name_en) for owner in config.owners.values()} == names


def test_reported_size_is_carried(written: dict[str, dict[str, Any]]) -> None:
    assert "170 TB" in written["ttdl-tinh"]["note"]
    assert "24 information systems" in written["ttdl-tinh"]["note"]
    assert "34 provincial systems" in written["lgsp"]["note"]


def test_targets_are_named_after_their_system(config: Config) -> None:
    """A target's id is stable for ever, so it must say whose it is."""
    assert not [target.id for target in config.targets.values() if not target.id.startswith(f"{target.system}-")]


def test_addresses_nobody_gave_are_reserved_names(config: Config) -> None:
    """RFC 6761: .example is never anybody's."""
    hosts = {target.id: target.spec.peer.rpartition(":")[0] or target.spec.peer for target in config.targets.values()}
    assert not {name: host for name, host in hosts.items() if not host.endswith("quangngai.example")}


def test_loads_without_a_warning(config: Config) -> None:
    assert [str(warning) for warning in config.warnings] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_begin_with_what_they_hold(path: Path) -> None:
    text = path.read_text()
    assert unicodedata.is_normalized("NFC", text)
    assert text.startswith("# ")
    assert max(len(line) for line in text.splitlines() if "https://" not in line) <= 120
