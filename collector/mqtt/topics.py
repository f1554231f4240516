"""Topic filters whose wildcards have names: `stations/+station/level`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, WithJsonSchema

from collector.measures import fault
from collector.naming import LabelName

_MAX_BYTES = 65_535  # of a UTF-8 string (MQTT 5.0 section 1.5.4)
_LABEL: TypeAdapter[str] = TypeAdapter(LabelName)


@dataclass(frozen=True)
class TopicFilter:
    """A filter as MQTT 5.0 section 4.7 has it, in which `+name` and a final `#name` are labels.

    Raises a pydantic error for what is no filter.
    """

    text: str
    plain: str = field(init=False, compare=False)
    labels: tuple[str, ...] = field(init=False, compare=False)
    _levels: tuple[str, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        levels = tuple(self.text.split("/"))
        labels = tuple(level[1:] for level in levels if level[:1] in ("+", "#") and len(level) > 1)
        _check(self.text, levels, labels)
        object.__setattr__(self, "_levels", levels)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "plain", "/".join(level[:1] if level[:1] in ("+", "#") else level for level in levels))

    def match(self, topic: str) -> tuple[str, ...] | None:
        """Values of the labels; None when the topic does not match."""
        parts = topic.split("/")
        values: list[str] = []
        # A wildcard at the beginning does not stand for topics of the broker itself (section 4.7.2).
        if topic.startswith("$") and self._levels[0][:1] in ("+", "#"):
            return None
        for place, level in enumerate(self._levels):
            if level[:1] == "#":
                return (*values, "/".join(parts[place:])) if len(level) > 1 else tuple(values)
            if place >= len(parts) or (level[:1] != "+" and level != parts[place]):
                return None
            if level[:1] == "+" and len(level) > 1:
                values.append(parts[place])
        return tuple(values) if len(parts) == len(self._levels) else None

    def filled(self, values: tuple[str, ...]) -> str:
        """The filter with the values of its labels put in."""
        left = iter(values)
        return "/".join(next(left) if level[:1] in ("+", "#") and len(level) > 1 else level for level in self._levels)

    def values(self, name: str) -> tuple[str, ...]:
        """Values of the labels, joined by `/` as `name`. Raises a pydantic error when their number is another."""
        parts = name.split("/")
        if self.labels and self._levels[-1][:1] == "#" and len(self._levels[-1]) > 1:
            parts = name.split("/", len(self.labels) - 1)
        if len(parts) != len(self.labels):
            raise fault(f"'{name}' in `expect` is not {'/'.join(self.labels) or 'needed: the topic has no names'}")
        return tuple(parts)


def _check(text: str, levels: tuple[str, ...], labels: tuple[str, ...]) -> None:
    if not text or "\0" in text or len(text.encode("utf-8", "surrogatepass")) > _MAX_BYTES:
        raise fault("a topic has 1 to 65535 bytes, none of them 0")
    if levels[0] == "$share":
        raise fault(f"'{text}': a shared subscription takes messages away from others")
    for place, level in enumerate(levels):
        if level[:1] == "#" and place < len(levels) - 1:
            raise fault(f"'{text}': # stands at the end")
        if any(wildcard in level[1:] for wildcard in "+#") or (level[:1] not in ("+", "#") and {*level} & {*"+#"}):
            raise fault(f"'{text}': a wildcard begins its level; its name may follow: +station")
    for label in labels:
        try:
            _LABEL.validate_python(label)
        except ValidationError as error:
            raise fault(f"'{text}': {error.errors()[0]['msg']}") from None


def _filter(text: str) -> str:
    TopicFilter(text)
    return text


Topic = Annotated[str, AfterValidator(_filter), Field(min_length=1), WithJsonSchema({"type": "string", "minLength": 1})]
