"""Names of metrics and labels that a configuration may give: those that Prometheus takes and nobody else has."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

MAX_LABELS = 3
_NAME = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
# Families of ours, of the service's own process, and those that Prometheus itself writes for every scrape.
_RESERVED = ("hatang_", "probe_", "process_", "python_", "scrape_", "snmp_scrape_")
_RESERVED_METRICS = frozenset({"up", "ALERTS", "ALERTS_FOR_STATE"})
_RESERVED_LABELS = frozenset({"target", "system", "instance", "job", "le", "quantile"})


def _metric_name(name: str) -> str:
    if name.startswith(_RESERVED) or name in _RESERVED_METRICS:
        words = "the name '{name}' is taken by the service itself or by Prometheus"
        raise PydanticCustomError("name", words, {"name": name})
    return name


def _label_name(name: str) -> str:
    if name.startswith("__") or name in _RESERVED_LABELS:
        raise PydanticCustomError("name", "the label '{name}' is reserved", {"name": name})
    return name


MetricName = Annotated[str, Field(pattern=_NAME), AfterValidator(_metric_name)]
LabelName = Annotated[str, Field(pattern=_NAME), AfterValidator(_label_name)]
