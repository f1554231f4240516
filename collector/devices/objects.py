"""The parts of a device profile: objects, labels, indexes and conditions, as a file in `config/devices.d/` has them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from collector.fields import Regex
from collector.naming import MAX_LABELS, LabelName, MetricName

_OID = re.compile(r"\d+(?:\.\d+)+")


def fault(message: str) -> PydanticCustomError:
    """An error of the profile, in plain words."""
    return PydanticCustomError("profile", "{message}", {"message": message})


def _oid(words: str) -> str:
    plain = words.removeprefix(".")
    if not _OID.fullmatch(plain):
        raise fault(f"bad OID '{words}': expected numbers joined by dots, such as 1.3.6.1.2.1.1.3.0")
    arcs = [int(arc) for arc in plain.split(".")]
    if arcs[0] > 2 or (arcs[0] < 2 and arcs[1] > 39) or max(arcs) >= 2**32 or len(arcs) > 128:
        raise fault(f"bad OID '{words}': a number is out of range (X.660)")
    return ".".join(map(str, arcs))


def _texts(mapping: Any) -> Any:
    return {str(key): value for key, value in mapping.items()} if isinstance(mapping, dict) else mapping


def _some(entries: Any) -> Any:
    if not entries:
        raise fault("at least one entry is needed")
    return entries


# Not `min_length`: that is also reported where an entry is there, but is wrong.
Some = AfterValidator(_some)
Oid = Annotated[str, AfterValidator(_oid), WithJsonSchema({"type": "string", "pattern": rf"^\.?{_OID.pattern}$"})]
# A key of YAML is a number or a text; here it is always the text of a device's answer.
Enum = Annotated[dict[str, str], BeforeValidator(_texts), Some]
TextSyntax: TypeAlias = Literal["text", "hex", "mac", "ip", "oid"]
NumberSyntax: TypeAlias = Literal["number", "float32", "float64", "date-and-time", "date-text", "ntp"]


class Part(BaseModel):
    """Frozen; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ScaleFrom(Part):
    """A factor that another object of the device holds."""

    oid: Oid = Field(description="Column of the same row, or a single object of the device (ends in .0).")
    map: Annotated[dict[str, float], BeforeValidator(_texts)] | None = Field(
        None, description="Answer -> factor; without it the answer is the factor."
    )
    otherwise: float | None = Field(
        None, description="Factor for an answer that `map` lacks; without it the value is left out."
    )
    divide: bool = Field(False, description="Divide by the factor instead of multiplying.")


class Extract(Part):
    """A number in a text: the first expression that matches decides."""

    regex: Regex = Field(description="RE2 expression that must match somewhere in the text.")
    value: str = Field("$1", pattern=r"^(\$[0-9]|-?[0-9]+(\.[0-9]+)?)$", description="A group, or a fixed number.")

    @model_validator(mode="after")
    def _consistent(self) -> Extract:
        if self.value.startswith("$") and int(self.value[1:]) > self.regex.pattern.groups:
            raise fault(f"the expression has no group {self.value[1:]}")
        return self


class Value(Part):
    """One object of a device and the metric it becomes."""

    name: MetricName = Field(description="Metric; the name in the MIB.")
    oid: Oid = Field(description="Numeric OID: of the instance (scalars), of the column (tables).")
    help: str = Field(min_length=1, description="What it measures, with the unit after scaling.")
    type: Literal["gauge", "counter", "unknown", "states", "info"] = Field(
        "gauge",
        description="`states`: one series a state, 1 or 0; `info`: the text as a label of a series that is 1; "
        "`counter`: exposed as unknown unless the name ends in _total.",
    )
    syntax: NumberSyntax | TextSyntax | Literal["bits"] | None = Field(
        None, description="How the answer is read; default `number`, and `text` for `info`."
    )
    scale: float = Field(1.0, allow_inf_nan=False, description="Factor to base units.")
    scale_from: tuple[ScaleFrom, ...] = Field((), description="Factors that other objects hold.")
    offset: float = Field(0.0, allow_inf_nan=False, description="Added after scaling.")
    unsigned: bool = Field(False, description="A negative answer is a 32-bit count that wrapped: add 2^32.")
    absent: tuple[int | float | str, ...] = Field((), description="Answers that mean `no value`.")
    enum: Enum | None = Field(None, description="Answer -> name of the state; bit number -> name for `bits`.")
    extract: tuple[Extract, ...] = Field((), description="Take the number out of a text.")
    date_format: str | None = Field(None, min_length=1, description="strptime layout for `date-text`.")
    label: LabelName | None = Field(None, description="Label of `states` and `info`; default the metric's name.")

    @property
    def reads(self) -> str:
        """The syntax, resolved."""
        return self.syntax or ("text" if self.type == "info" and self.enum is None else "number")

    @property
    def own_label(self) -> str | None:
        """Label that the value itself adds to those of its row."""
        if self.type == "states":
            return self.label or self.name
        return (self.label or self.name.removesuffix("_info")) if self.type == "info" else None

    @model_validator(mode="after")
    def _consistent(self) -> Value:
        for wrong, message in (
            (self.type == "states" and self.enum is None, "`type: states` needs `enum`"),
            (self.reads == "bits" and self.type != "states", "`syntax: bits` needs `type: states`"),
            (self.type == "info" and not self.name.endswith("_info"), "a metric of `type: info` ends in _info"),
            (
                (self.reads == "date-text") != (self.date_format is not None),
                "`date-text` and `date_format` go together",
            ),
            (self.type not in {"states", "info"} and self.label is not None, "`label` is for `states` and `info`"),
            (
                self._numeric and self.reads in {"text", "hex", "mac", "ip", "oid"} and not self.extract,
                "a text is no number: use `type: info`, or `extract`",
            ),
            (not self._numeric and self._arithmetic, "scale, offset, unsigned and extract are for numbers"),
        ):
            if wrong:
                raise fault(f"{self.name}: {message}")
        return self

    @property
    def _numeric(self) -> bool:
        return self.type in {"gauge", "counter", "unknown"}

    @property
    def _arithmetic(self) -> bool:
        return bool(self.scale != 1 or self.offset or self.scale_from or self.unsigned or self.extract)


class RowFilter(Part):
    """A condition on a row, or on the device."""

    oid: Oid | None = Field(None, description="Column of the same index whose answer is judged.")
    index: LabelName | None = Field(None, description="Part of the index that is judged.")
    label: LabelName | None = Field(None, description="Label of the row that is judged.")
    values: tuple[int | str, ...] = Field((), description="Must be one of these.")
    not_values: tuple[int | str, ...] = Field((), description="Must be none of these.")
    matches: Regex | None = Field(None, description="RE2 expression that must match somewhere.")
    not_matches: Regex | None = Field(None, description="RE2 expression that must not match anywhere.")

    @model_validator(mode="after")
    def _consistent(self) -> RowFilter:
        if sum(subject is not None for subject in (self.oid, self.index, self.label)) != 1:
            raise fault("a row filter judges one of `oid`, `index`, `label`")
        if not (self.values or self.not_values or self.matches or self.not_matches):
            raise fault("a row filter needs `values`, `not_values`, `matches` or `not_matches`")
        return self


class Scalar(Value):
    """A single value of the device."""

    only_if: RowFilter | None = Field(None, description="Leave the value out unless another object (`oid`) meets this.")
    labels: dict[LabelName, str] = Field(
        {}, max_length=MAX_LABELS, description="Fixed labels, for values that the MIB numbers one by one."
    )

    @model_validator(mode="after")
    def _on_device(self) -> Scalar:
        if self.only_if is not None and self.only_if.oid is None:
            raise fault(f"{self.name}: `only_if` needs `oid`")
        return self


class IndexPart(Part):
    """One part of a table's index, as RFC 2578 section 7.7 encodes it."""

    name: LabelName = Field(description="Name in the MIB.")
    type: Literal["integer", "string", "hex", "mac", "ipv4", "ipv6", "inet", "oid"] = Field(
        "integer", description="`inet` is InetAddressType and InetAddress together (RFC 4001)."
    )
    length: int | None = Field(None, ge=1, le=128, description="Fixed number of octets: no length is encoded.")
    implied: bool = Field(False, description="No length is encoded: the part takes what is left (IMPLIED).")
    enum: Enum | None = Field(None, description="Number -> name.")

    @model_validator(mode="after")
    def _consistent(self) -> IndexPart:
        if self.length is not None and self.type not in {"string", "hex", "oid"}:
            raise fault(f"{self.name}: `length` is for string, hex and oid")
        if self.implied and self.type not in {"string", "hex", "oid", "inet"}:
            raise fault(f"{self.name}: `implied` is for string, hex, oid and inet")
        if self.enum is not None and self.type != "integer":
            raise fault(f"{self.name}: `enum` is for integers")
        return self


class Label(Part):
    """A label of a table's rows: a part of the index, or a column's value."""

    name: LabelName = Field(description="Label; the name in the MIB.")
    oid: Oid | None = Field(None, description="Column to look up, in this or another table; without it: the index.")
    index: tuple[LabelName, ...] = Field((), description="Parts of the index that the looked-up table is indexed by.")
    via: Oid | None = Field(None, description="Column of this table whose value is the index to look up.")
    otherwise: tuple[Oid | Literal["index"], ...] = Field(
        (), description="Columns to try, in order, where the value is empty; `index` is the row's own number."
    )
    syntax: TextSyntax = Field("text", description="How the answer is read.")
    enum: Enum | None = Field(None, description="Answer -> text.")

    @model_validator(mode="after")
    def _consistent(self) -> Label:
        if self.oid is None and (self.via or self.otherwise or self.enum or self.syntax != "text"):
            raise fault(f"label {self.name}: this needs `oid`")
        if self.via and self.index:
            raise fault(f"label {self.name}: either `via` or `index`")
        if "index" in self.otherwise[:-1]:
            raise fault(f"label {self.name}: `index` comes last, it is never empty")
        return self
