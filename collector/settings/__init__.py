"""YAML to validated models: every fault of every file at once, with its place and the nearest valid name."""

from collector.settings.config import Config
from collector.settings.faults import Fault, SettingsError
from collector.settings.load import load
from collector.settings.masked import masked
from collector.settings.monitor import Monitor
from collector.settings.origin import Origin, system_origins
from collector.settings.schema import LISTS, schema

__all__ = [
    "LISTS",
    "Config",
    "Fault",
    "Monitor",
    "Origin",
    "SettingsError",
    "load",
    "masked",
    "schema",
    "system_origins",
]
