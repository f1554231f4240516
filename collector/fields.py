"""Field types that specs and settings share: durations, sizes, time zones, secrets, patterns, TLS."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo, available_timezones

import jmespath
import re2
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.visitor import TreeInterpreter
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from collector.nearest import nearest

MASK = "<secret>"
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_SIZES = {"B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
# It keeps nothing of a search but which of its methods is for what; the library makes another for each search, whose
# circular references wait for the garbage collector.
_INTERPRETER = TreeInterpreter()
_PREAMBLE = re.compile(r"(?:Bad|Invalid) jmespath expression: ", re.IGNORECASE)
_SIZE = re.compile(r"(\d+)\s*([KMG]i?B|B)?")
_SHOWN = 60


def parse_duration(value: object) -> float:
    """Seconds from `30s`, `1m30s`, `500ms`, `1d` (Prometheus' notation) or from a number of seconds.

    Raises ValueError for anything else.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and _DURATION.fullmatch(value):
        return sum(float(number) * _UNITS[unit] for number, unit in _DURATION_PART.findall(value))
    raise PydanticCustomError("duration", "expected a duration such as 30s, 1m30s or 500ms")


def parse_size(value: object) -> int:
    """Bytes from `8MiB`, `500KB` or from a whole number. Raises ValueError for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and (match := _SIZE.fullmatch(value)):
        return int(match[1]) * _SIZES[match[2] or "B"]
    raise PydanticCustomError("size", "expected a size such as 8MiB or 500KB")


def parse_address(value: object) -> str:
    """A literal IPv4 or IPv6 address. Raises ValueError for anything else."""
    try:
        return str(ipaddress.ip_address(str(value)))
    except ValueError:
        raise PydanticCustomError("address", "expected an IPv4 or IPv6 address") from None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def parse_zone(value: object) -> str:
    """The name of an IANA time zone. Raises ValueError for anything else."""
    name = str(value)
    if name not in _zones():
        guess = nearest(name[:_SHOWN], _zones()) or "; expected an IANA name such as Asia/Ho_Chi_Minh"
        raise PydanticCustomError("zone", "unknown time zone '{name}'{guess}", {"name": name[:_SHOWN], "guess": guess})
    return name


def _without_port(host: str) -> str:
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise PydanticCustomError("host", "expected a name or an address alone; a port is set by `port`") from None
    return host


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    Field(gt=0, allow_inf_nan=False),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": f"^{_DURATION.pattern}$"}, {"type": "number", "exclusiveMinimum": 0}]}
    ),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    Field(gt=0),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": f"^{_SIZE.pattern}$"}, {"type": "integer"}]}),
]
Port = Annotated[int, Field(ge=1, le=65535)]
ZoneName = Annotated[str, AfterValidator(parse_zone)]
Zone = Annotated[ZoneInfo, BeforeValidator(parse_zone)]
Address = Annotated[str, BeforeValidator(parse_address)]
Host = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[^\s/\[\]@]+$"), AfterValidator(_without_port)]


class IpProtocol(StrEnum):
    """Which address family a name is resolved to; the `prefer-` forms take the other when there is none."""

    IP4 = "ip4"
    IP6 = "ip6"
    PREFER_IP4 = "prefer-ip4"
    PREFER_IP6 = "prefer-ip6"


@dataclass(frozen=True, slots=True)
class FromFile:
    """Annotates a model that has a file of its own: settings name the file, and so does what is written of it.

    `what` people call it, `among` which of the validation context's mappings it is found, `folder` where the files are.
    """

    what: str
    among: str
    folder: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.with_info_before_validator_function(
            self._found,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda model: model.name),
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "description": f"Name of a file in {self.folder}, without .yaml."}

    def _found(self, entry: Any, info: core_schema.ValidationInfo) -> Any:
        if not isinstance(entry, str):
            return entry
        known = (info.context or {}).get(self.among, {})
        if entry not in known:
            context = {"what": self.what, "name": entry, "nearest": nearest(entry, known)}
            raise PydanticCustomError("name", "unknown {what} '{name}'{nearest}", context)
        return known[entry]


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that no output shows. `source` is `env:NAME`, `file:path` or `literal`."""

    value: str = field(repr=False)
    source: str = "literal"

    def __str__(self) -> str:
        return MASK

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.plain_serializer_function_ser_schema(lambda _: MASK)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "description": "A secret: `!env NAME`, `!file path`; a literal is a warning."}

    @classmethod
    def _validate(cls, value: object) -> Secret:
        if isinstance(value, Secret):
            return value
        if isinstance(value, str) and value:
            return cls(value)
        raise PydanticCustomError("secret", "expected a secret: !env NAME or !file path")


class _Compiled:
    """A text compiled when settings are checked; equal when the texts are equal."""

    _schema: ClassVar[dict[str, Any]] = {"type": "string"}
    text: str

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda compiled: compiled.text),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return dict(cls._schema)

    @classmethod
    def _validate(cls, value: object) -> _Compiled:
        if isinstance(value, cls):
            return value
        if not isinstance(value, str):
            raise PydanticCustomError("text", "expected text")
        return cls.compile(value)

    @classmethod
    def compile(cls, text: str) -> _Compiled:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Regex(_Compiled):
    """An RE2 pattern: matching takes time linear in the text, so that no peer's answer can hold the loop."""

    text: str
    pattern: Any = field(compare=False, repr=False)

    @classmethod
    def compile(cls, text: str) -> Regex:
        """Raises a pydantic error that carries RE2's own words."""
        options = re2.Options()
        options.log_errors = False
        try:
            return cls(text, re2.compile(text, options))
        except re2.error as error:
            cause = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
            raise PydanticCustomError("regex", "bad regular expression: {cause}", {"cause": cause}) from None

    def search(self, text: str | bytes) -> Any:
        """A match of `re`'s shape, or None."""
        return self.pattern.search(text)

    def found(self, text: str) -> str | None:
        """Its first group in `text`, or without groups all that it matches; None where there is nothing of it."""
        match = self.pattern.search(text)
        return None if match is None else match.group(1 if self.pattern.groups else 0)


def _functions(parsed: Any) -> Iterator[str]:
    """Names of the functions that a parsed expression calls: the library looks them up only when it runs."""
    if isinstance(parsed, dict):
        if parsed.get("type") == "function_expression":
            yield parsed["value"]
        for child in parsed.get("children", ()):
            yield from _functions(child)


@dataclass(frozen=True, slots=True)
class JmesPath(_Compiled):
    """A JMESPath expression (jmespath.org specification)."""

    text: str
    expression: Any = field(compare=False, repr=False)

    @classmethod
    def compile(cls, text: str) -> JmesPath:
        """Raises a pydantic error that carries the parser's first line."""
        try:
            expression = jmespath.compile(text)
            for name in _functions(expression.parsed):
                if name not in Functions.FUNCTION_TABLE:
                    raise JMESPathError(f"unknown function {name}()")
            return cls(text, expression)
        except JMESPathError as error:
            cause = _PREAMBLE.sub("", str(error).splitlines()[0]).removesuffix(", for expression:").removesuffix(":")
            raise PydanticCustomError("jmespath", "bad JMESPath: {cause}", {"cause": cause}) from None

    def search(self, document: Any) -> Any:
        """What the expression selects from `document`; None when nothing. Raises JMESPathError on a type fault."""
        return _INTERPRETER.visit(self.expression.parsed, document)


class Tls(BaseModel):
    """How to speak TLS to a target; paths are relative to the working directory of the service."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verify: bool = Field(
        True, description="Refuse certificates that do not verify (`false` still exports their facts)."
    )
    ca_file: Path | None = Field(None, description="PEM bundle to trust instead of the system's.")
    cert_file: Path | None = Field(None, description="Client certificate, PEM.")
    key_file: Path | None = Field(None, description="Key of the client certificate, PEM.")
    server_name: str | None = Field(None, description="Name to ask for and to verify, if not the host's.")
    min_version: Literal["1.0", "1.1", "1.2", "1.3"] = Field("1.2", description="Oldest protocol version to accept.")
    max_version: Literal["1.0", "1.1", "1.2", "1.3"] | None = Field(
        None, description="Newest protocol version to accept."
    )
