"""Metrics that a configuration makes of JSON or of plain text: numbers, states, and what does not fit."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from collector.devices.readings import as_ratio
from collector.fields import JmesPath
from collector.model import Metric, MetricType, Sample
from collector.naming import MAX_LABELS, LabelName, MetricName

# Endings that OpenMetrics 1.0 section 4.3 keeps for the samples of other types.
_ENDINGS = ("_bucket", "_count", "_created", "_sum")


def fault(message: str) -> PydanticCustomError:
    """An error of the settings, in plain words."""
    return PydanticCustomError("measure", "{message}", {"message": message})


def word(value: Any) -> str:
    """Text of a JSON value that is one word: a string as it is, the rest as JSON writes it. Raises ValueError."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (dict, list)):
        raise ValueError("not a word")
    return json.dumps(value)


def number(value: Any) -> float:
    """A number, also one in text (`"12.5"`); true as 1. Raises ValueError for what is no finite number."""
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        raise ValueError("not a number")
    if not isinstance(value, (int, float, str)):
        raise ValueError("not a number")
    try:
        found = float(value)
    except OverflowError:
        raise ValueError("out of range") from None
    if not math.isfinite(found):
        raise ValueError("not finite")
    return found


def _keyed(mapping: Any) -> Any:
    # A key of YAML may be a number or a truth value; here it is the text of an answer.
    return {word(key): value for key, value in mapping.items()} if isinstance(mapping, dict) else mapping


def _listed(states: Any) -> Any:
    return {name: name for name in states} if isinstance(states, (list, tuple)) else _keyed(states)


def _some(entries: Any) -> Any:
    if not entries:
        raise fault("at least one entry is needed")
    return entries


Factor = Annotated[float, Field(allow_inf_nan=False)]
Numbers = Annotated[dict[str, Factor], BeforeValidator(_keyed), AfterValidator(_some)]
States = Annotated[
    dict[str, str],
    BeforeValidator(_listed, json_schema_input_type=list[str] | dict[str, str]),
    AfterValidator(_some),
]


class Measure(BaseModel):
    """A metric and what it is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: MetricName = Field(description="Metric. A `counter` ends in _total, an `info` in _info.")
    help: str = Field(min_length=1, description="What it measures, with the unit after scaling.")
    type: Literal["gauge", "counter", "unknown", "states", "info"] = Field(
        "gauge",
        description="`states`: one series a state, 1 or 0; `info`: a series that is 1, for what its labels say; "
        "`unknown`: a count whose name does not end in _total.",
    )
    value: JmesPath | None = Field(None, description="JMESPath that selects the value: a number, or one in text.")
    scale: Factor = Field(1.0, description="Factor to base units.")
    map: Numbers | None = Field(None, description="Answer -> number, for answers that are words.")
    states: States | None = Field(None, description="For `states`: the answers, or answer -> name of the state.")
    label: LabelName | None = Field(None, description="For `states`: label of the state; default the metric's name.")

    @model_validator(mode="after")
    def _consistent(self) -> Measure:
        ending = {"counter": "_total", "info": "_info"}
        for wrong, message in (
            (self.name.endswith(_ENDINGS), f"no name ends in {', '.join(_ENDINGS)}: Prometheus keeps them"),
            (
                any(self.name.endswith(end) != (self.type == kind) for kind, end in ending.items()),
                "counters, and only they, end in _total; `type: info`, and only that, in _info",
            ),
            ((self.type == "states") != (self.states is not None), "`type: states` and `states` go together"),
            (self.label is not None and self.type != "states", "`label` is for `type: states`"),
            (self.type in {"states", "info"} and self.map is not None, "`map` is for numbers"),
            (self.type in {"states", "info"} and self.scale != 1, "`scale` is for numbers"),
            (self.type == "info" and self.value is not None, "`type: info` is always 1: `value` is not needed"),
        ):
            if wrong:
                raise fault(f"{self.name}: {message}")
        return self

    def family(self, labels: tuple[str, ...]) -> Metric:
        """The family, for series told apart by `labels`."""
        kinds = {"counter": MetricType.COUNTER, "info": MetricType.INFO, "unknown": MetricType.UNKNOWN}
        own = () if self.type != "states" else (self.label or self.name,)
        return Metric(self.name, self._described, kinds.get(self.type, MetricType.GAUGE), (*labels, *own))

    @property
    def _described(self) -> str:
        if self.map is None:
            return self.help
        return f"{self.help} {', '.join(f'{number:g}: {answer}' for answer, number in self.map.items())}."

    def samples(self, family: Metric, labels: tuple[str, ...], answer: Any) -> list[Sample]:
        """What `answer`, a JSON value that is not null, says. Raises ValueError for an answer that does not fit."""
        if self.type == "info":
            return [Sample(family, labels, 1.0)]
        if self.states is not None:
            now = self.states.get(said := word(answer), said)
            names = dict.fromkeys((*self.states.values(), now))  # also a state that nobody listed
            return [Sample(family, (*labels, name), float(name == now)) for name in names]
        return [Sample(family, labels, self._number(answer))]

    def _number(self, answer: Any) -> float:
        if self.map is None:
            return scaled(number(answer), self.scale)
        try:
            return scaled(self.map[word(answer)], self.scale)
        except KeyError:
            raise ValueError("none of the words of `map`") from None


def scaled(value: float, factor: float) -> float:
    """`value` times `factor`, without the noise of binary fractions. Raises ValueError for what is not finite."""
    times, over = as_ratio(factor)
    result = value * times / over
    if not math.isfinite(result):
        raise ValueError("out of range")
    return result


def families(where: str, measures: Iterable[tuple[Measure, tuple[str, ...]]]) -> Mapping[str, Metric]:
    """Families by name, of measures with their labels; `where` is the setting that holds them.

    Raises a pydantic error when a label comes twice, there are too many, or two measures of one name differ.
    """
    found: dict[str, Metric] = {}
    for measure, labels in measures:
        family = measure.family(labels)
        if len(set(family.labels)) < len(family.labels):
            raise fault(f"{measure.name} in `{where}`: a label twice: {', '.join(family.labels)}")
        if len(family.labels) > MAX_LABELS:
            raise fault(f"{measure.name} in `{where}`: more than {MAX_LABELS} labels: {', '.join(family.labels)}")
        if found.setdefault(measure.name, family) != family:
            raise fault(f"{measure.name} twice in `{where}`: with another help, type or labels")
    return found
