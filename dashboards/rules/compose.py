"""Definitions spelled out as files of rules that Prometheus loads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from dashboards.rules.definition import (
    Definition,
    Group,
    Pair,
    RuleError,
    Thresholds,
    Words,
    choices,
    files,
    groups,
    phrases,
    read,
    spelled,
    thresholds,
)

ROOT = Path(__file__).parents[2]
OUTPUT = ROOT / "deploy" / "prometheus" / "rules"
INVENTORY = ROOT / "config" / "inventory.d"
NAMES = "names"
_HEAD = "# Made by `python -m dashboards.rules build` from {source}; never edited.\n"
_SLO_KINDS = frozenset({"operator", "feed"})

Rule = dict[str, Any]


class _Dumper(yaml.SafeDumper):
    """Writes longer texts as blocks, and never refers back."""

    def ignore_aliases(self, _: Any) -> bool:
        """Always."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def built(inventory: Path = INVENTORY) -> dict[str, str]:
    """Name and content of every file of rules. Raises RuleError."""
    limits, shared = thresholds(), phrases()
    known = {**shared, **limits.words()}
    made = {}
    for path in files():
        content = {"groups": [_group(group, known, limits, objectives(inventory)) for group in groups(path)]}
        made[f"{path.stem}.yaml"] = _written(content, f"definitions/{path.name}")
    made[f"{NAMES}.yaml"] = _written({"groups": [_names(inventory)]}, "config/inventory.d/communes.yaml")
    return made


def objectives(inventory: Path) -> dict[str, float]:
    """Shares of the objectives that the inventory gives, by id."""
    listed = read(inventory / "objectives.yaml").get("objectives", [])
    return {one["id"]: _share(one["share"]) for one in listed}


def feasible(pairs: Iterable[Pair], wanted: Mapping[str, float]) -> None:
    """Raise RuleError for a pair of windows that could never raise an alert, or always would."""
    for name, objective in wanted.items():
        for pair in pairs:
            if pair.factor * (1 - objective) >= 1:
                raise RuleError(f"objective {name} of {objective:g}: {pair.factor:g} times faster cannot be")


def alerts() -> Iterator[tuple[Group, Definition]]:
    """Every alert that is defined, with its group."""
    for path in files():
        for group in groups(path):
            for rule in group.rules:
                if rule.alert:
                    yield group, rule


def _share(value: str | float) -> float:
    if isinstance(value, str) and value.endswith("%"):
        return float(value[:-1]) / 100
    return float(value)


def _written(content: dict[str, Any], source: str) -> str:
    text = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return _HEAD.format(source=source) + text


def _group(group: Group, known: Words, limits: Thresholds, inventory: Mapping[str, float]) -> dict[str, Any]:
    made = [
        _rule(rule, {**known, **words}, limits) for rule in group.rules for words in _variants(rule, limits, inventory)
    ]
    return {"name": group.name, "interval": group.interval, "rules": made}


def _variants(rule: Definition, limits: Thresholds, inventory: Mapping[str, float]) -> Iterator[dict[str, str]]:
    if not rule.burn:
        yield from choices(rule.each)
        return
    own = rule.burn in _SLO_KINDS
    feasible(limits.burn, {rule.burn: limits.objectives[rule.burn]} if own else inventory)
    # A rule that is never critical leaves the pairs that are to others: staleness has its own alert.
    for pair in (pair for pair in limits.burn if rule.severity in {"@{severity}", pair.severity}):
        words = {"long": pair.long, "short": pair.short, "factor": f"{pair.factor:g}", "severity": pair.severity}
        yield words | ({"objective": f"{limits.objectives[rule.burn]:g}"} if own else {})


def _rule(rule: Definition, words: Words, limits: Thresholds) -> Rule:
    labels = {name: spelled(value, words) for name, value in rule.labels.items()}
    expr = spelled(rule.expr, words).strip()
    if rule.record:
        made: Rule = {"record": spelled(rule.record, words), "expr": expr}
        return made | ({"labels": labels} if labels else {})
    made = {"alert": rule.alert, "expr": expr}
    if rule.hold != "0s":
        made["for"] = spelled(rule.hold, words)
    if rule.keep_firing_for:
        made["keep_firing_for"] = rule.keep_firing_for
    if rule.area is None or len(rule.vi) != 2 or len(rule.en) != 2:
        raise RuleError(f"{rule.alert}: area, and summary and description in both languages, are needed")
    labels |= {"severity": spelled(rule.severity, words), "area": rule.area, "province": limits.province}
    return made | {"labels": labels, "annotations": _annotations(rule, words, limits)}


def _annotations(rule: Definition, words: Words, limits: Thresholds) -> dict[str, str]:
    texts = {"summary": rule.vi[0], "summary_en": rule.en[0], "description": rule.vi[1], "description_en": rule.en[1]}
    made = {name: spelled(text, words) for name, text in texts.items()}
    return made | {"runbook_url": f"{limits.runbooks}/{rule.alert}.md"}


def _names(inventory: Path) -> dict[str, Any]:
    """Names of communes, which no series of the service has."""
    listed = read(inventory / "communes.yaml")["communes"]
    rules = [
        {
            "record": "commune:hatang_name:info",
            "expr": "vector(1)",
            "labels": {"commune": one["id"], "commune_name": one["name"]},
        }
        for one in listed
    ]
    return {"name": "hatang-names", "interval": "2m", "rules": rules}
