"""The models of targets.d and inventory.d: owners, systems, and the keys that targets of every kind share."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from collector.fields import Duration
from collector.settings.monitor import Section

CATEGORIES = (
    "data-centre",
    "information-system",
    "database",
    "data-store",
    "platform",
    "portal",
    "app",
    "security-system",
    "network",
    "mobile-operator",
    "iot-system",
)
ID_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
_ID = re.compile(ID_PATTERN)
# Prometheus data model: label names; those that start with __ are Prometheus' own.
LABEL_PATTERN = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
_LABEL = re.compile(LABEL_PATTERN)
# Labels that the service, or Prometheus at the scrape, puts on the same series.
RESERVED = frozenset(
    {"target", "system", "kind", "role", "synthetic", "category", "owner", "centre", "tier", "job", "instance"}
)
MIN_INTERVAL = 1.0


def _id(text: str) -> str:
    if len(text) > 100 or not _ID.fullmatch(text):
        raise PydanticCustomError("id", "an id is lower-case letters, digits and single hyphens: ttdl-tinh-gateway")
    return text


def _interval(seconds: float) -> float:
    if seconds < MIN_INTERVAL:
        raise PydanticCustomError("interval", "must be at least 1s")
    return seconds


def _label(name: str) -> str:
    if not _LABEL.fullmatch(name) or name.startswith("__"):
        raise PydanticCustomError("label", "a label name is letters, digits and _, and does not begin with __")
    if name in RESERVED:
        raise PydanticCustomError("label", "label '{name}' is set by the service itself", {"name": name})
    return name


Id = Annotated[str, AfterValidator(_id)]


class TargetKeys(Section):
    """What every target has beside the settings of its kind."""

    id: Id = Field(description="Stable for ever: lower-case letters, digits and single hyphens. Unique over all files.")
    kind: str = Field(description="How the target is checked.")
    interval: Annotated[Duration, AfterValidator(_interval)] = Field(30.0, description="Time between two runs.")
    timeout: Duration = Field(5.0, description="Time limit of one run; shorter than the interval.")
    role: Literal["required", "supporting"] = Field(
        "required", description="A required target that is down takes its system down; a supporting one degrades it."
    )
    labels: dict[Annotated[str, AfterValidator(_label)], str] = Field(
        {}, description="More labels for `hatang_target_info`."
    )
    note: str | None = Field(None, description="For readers of the file.")
    system: str | None = Field(
        None, description="The system it belongs to; only in the list `targets` of a file, not below a system."
    )


class OwnerKeys(Section):
    """A body that answers for systems."""

    id: Id = Field(description="Stable for ever.")
    name_vi: str = Field(min_length=1, description="Vietnamese name.")
    name_en: str = Field(min_length=1, description="English name.")


class SystemKeys(Section):
    """What people depend on."""

    id: Id = Field(description="Stable for ever. In a later directory, the same id extends the system.")
    name_vi: str = Field(min_length=1, description="Vietnamese name.")
    name_en: str = Field(min_length=1, description="English name.")
    category: Literal[CATEGORIES] = Field(description="What it is.")  # type: ignore[valid-type]  # a closed list
    owner: str = Field(description="Id of the body that answers for it.")
    hosting: str | None = Field(None, description="Id of the data centre it runs in; without: unknown.")
    part_of: str | None = Field(None, description="Id of the system that it is a part of.")
    tier: int | None = Field(None, ge=1, le=4, description="Importance, 1 first.")
    source_section: str = Field("", description="Section of the document that names it.")
    aliases: tuple[str, ...] = Field((), description="Other names.")
    note: str | None = Field(None, description="For readers of the file.")
