"""The whole configuration as YAML that anybody may read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from collector.settings.config import Config
from collector.settings.origin import keys_of, visible


def masked(config: Config) -> str:
    """Everything resolved, defaults included; secrets are shown as `<secret>`, by their type, not by their name."""
    return "".join(
        (
            _yaml({"monitor": visible(config.monitor)}),
            *_list("owners", (_fields(owner) for owner in config.owners.values())),
            *_list("systems", (_fields(system) for system in config.systems.values())),
            *_list("maintenance", (_fields(window) for window in config.maintenance)),
            *_list("plan", (_fields(indicator) for indicator in config.plan.indicators)),
            *_list("targets", ({**keys_of(one), **visible(one.spec)} for one in config.targets.values())),
        )
    )


def _list(name: str, entries: Iterable[dict[str, Any]]) -> Iterator[str]:
    # Entry by entry: libyaml lets no other thread run while it writes one document.
    parts = [_yaml([entry]) for entry in entries]
    yield from (f"{name}:\n", *parts) if parts else (f"{name}: []\n",)


def _yaml(part: Any) -> str:
    text: str = yaml.dump(part, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def _fields(thing: Any) -> dict[str, Any]:
    return {name: visible(getattr(thing, name)) for name in thing.__dataclass_fields__}
