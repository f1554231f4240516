"""The models of targets.d and inventory.d: owners, systems, and the keys that targets of every kind share."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
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
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,8})?) ?%")
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


def _share(value: object) -> float:
    if isinstance(value, str) and (match := _PERCENT.fullmatch(value)):
        value = round(float(match[1]) / 100, 12)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
        raise PydanticCustomError("share", "expected a share of time such as 0.999 or 99.9%")
    return float(value)


Id = Annotated[str, AfterValidator(_id)]
LabelName = Annotated[str, AfterValidator(_label)]
Share = Annotated[
    float,
    BeforeValidator(_share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                {"type": "string", "pattern": f"^{_PERCENT.pattern}$"},
            ]
        }
    ),
]


class TargetKeys(Section):
    """What every target has beside the settings of its kind."""

    id: Id = Field(description="Stable for ever: lower-case letters, digits and single hyphens. Unique over all files.")
    kind: str = Field(description="How the target is checked.")
    interval: Annotated[Duration, AfterValidator(_interval)] = Field(30.0, description="Time between two runs.")
    timeout: Duration = Field(5.0, description="Time limit of one run; shorter than the interval.")
    confirm: int = Field(
        3, ge=1, le=100, description="Failing runs in a row that make it down, from the first of them."
    )
    recover: int = Field(2, ge=1, le=100, description="Good runs in a row after which it is up again.")
    role: Literal["required", "supporting"] = Field(
        "required", description="A required target that is down takes its system down; a supporting one degrades it."
    )
    labels: dict[LabelName, str] = Field({}, description="More labels for `hatang_target_info`.")
    note: str | None = Field(None, description="For readers of the file.")
    system: str | None = Field(
        None, description="The system it belongs to; only in the list `targets` of a file, not below a system."
    )


class OwnerKeys(Section):
    """A body that answers for systems."""

    id: Id = Field(description="Stable for ever.")
    name_vi: str = Field(min_length=1, description="Vietnamese name.")
    name_en: str = Field(min_length=1, description="English name.")


class Group(Section):
    """Systems of which all, or any one, must work."""

    all: tuple[str, ...] | None = Field(None, min_length=1, description="Ids of systems that must all work.")
    any: tuple[str, ...] | None = Field(None, min_length=1, description="Ids of systems of which one must work.")

    @model_validator(mode="after")
    def _either(self) -> Group:
        if (self.all is None) == (self.any is None):
            raise PydanticCustomError("group", _GROUP)
        return self


_GROUP = "expected the id of a system, {all: [ids]} or {any: [ids]}"


def _shape(value: object) -> str | None:
    return "id" if isinstance(value, str) else "group" if isinstance(value, (dict, Group)) else None


Depends = Annotated[
    Annotated[str, Tag("id")] | Annotated[Group, Tag("group")],
    Discriminator(_shape, custom_error_type="group", custom_error_message=_GROUP),
]


class SystemKeys(Section):
    """What people depend on."""

    id: Id = Field(description="Stable for ever. In a later directory, the same id extends the system.")
    name_vi: str = Field(min_length=1, description="Vietnamese name.")
    name_en: str = Field(min_length=1, description="English name.")
    category: Literal[CATEGORIES] = Field(description="What it is.")  # type: ignore[valid-type]  # a closed list
    owner: str = Field(description="Id of the body that answers for it.")
    hosting: str | None = Field(
        None, description="Id of the data centre it runs in, and so depends on; without: unknown."
    )
    depends_on: tuple[Depends, ...] = Field(
        (),
        description="What must work for it to be reached: ids of systems, or groups `{all: [ids]}` and `{any: [ids]}`. "
        "While it does not, an outage here is `unreachable`, not `down`.",
    )
    part_of: str | None = Field(None, description="Id of the system that it is a part of.")
    tier: int | None = Field(None, ge=1, le=4, description="Importance, 1 first.")
    objective: Share | None = Field(
        None,
        description="Share of time that it is to be available in a month, 0.999 or 99.9%: as `proposed`. What an act "
        "sets stands in `objectives`; this goes before it.",
    )
    source_section: str = Field("", description="Section of the document that names it.")
    aliases: tuple[str, ...] = Field((), description="Other names.")
    note: str | None = Field(None, description="For readers of the file.")
