"""The whole configuration as YAML that anybody may read."""

from __future__ import annotations

from typing import Any

import yaml

from collector.settings.config import Config
from collector.settings.origin import keys_of, visible


def masked(config: Config) -> str:
    """Everything resolved, defaults included; secrets are shown as `<secret>`, by their type, not by their name."""
    document = {
        "monitor": visible(config.monitor),
        "owners": [_fields(owner) for owner in config.owners.values()],
        "systems": [_fields(system) for system in config.systems.values()],
        "targets": [{**keys_of(target), **visible(target.spec)} for target in config.targets.values()],
    }
    text: str = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def _fields(thing: Any) -> dict[str, Any]:
    return {name: visible(getattr(thing, name)) for name in thing.__dataclass_fields__}
