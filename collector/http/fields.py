"""Field types of HTTP settings: URLs, status lists, headers, credentials."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from aiohttp import encode_basic_auth
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError
from yarl import URL

from collector.fields import Regex, Secret

BODY_LIMIT = 1024 * 1024
_STATUS = re.compile(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?")
_TOKEN = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"  # RFC 9110 section 5.6.2  # noqa: S105
_HOST = re.compile(r"[A-Za-z0-9._~%:-]+")  # what a Host header can carry: a name, or an address without brackets
_METHOD = re.compile(r"[A-Z]+(?:-[A-Z]+)*")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# What the client itself writes; a second copy would make two messages of one.
_CLIENT_HEADERS = frozenset({"connection", "content-length", "proxy-authorization", "transfer-encoding", "upgrade"})


def web_url(url: URL) -> URL:
    """`url` without its fragment. Raises ValueError when it is not one that can be asked for over HTTP."""
    if url.scheme not in ("http", "https") or not url.port or not _HOST.fullmatch(url.raw_host or ""):
        raise ValueError(str(url))
    return url.with_fragment(None)


def parse_url(value: object) -> URL:
    """An absolute http or https URL, its fragment cut off. Raises ValueError for anything else."""
    try:
        url = web_url(value if isinstance(value, URL) else URL(value) if isinstance(value, str) else URL())
    except ValueError:
        raise PydanticCustomError("url", "expected a URL such as https://portal.example/path") from None
    if url.raw_user is not None or url.raw_password is not None:
        raise PydanticCustomError("url", "credentials do not belong in a URL: use basic_auth or proxy_auth")
    return url


class StatusRange(NamedTuple):
    """Status codes from `first` to `last`, both included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def parse_status(value: object) -> StatusRange:
    """A range from `401`, `2xx` or `200-299`. Raises ValueError for anything else."""
    if isinstance(value, StatusRange):
        return value
    match = _STATUS.fullmatch(str(value)) if isinstance(value, (int, str)) else None
    if match is None:
        raise PydanticCustomError("status", "expected a status such as 200, 2xx or 200-299")
    hundreds, first, last = match.groups()
    if hundreds:
        return StatusRange(int(hundreds) * 100, int(hundreds) * 100 + 99)
    return StatusRange(int(first), int(last or first))


def _without_control(value: str | Secret) -> str | Secret:
    if _CONTROL.search(plain(value)):
        raise PydanticCustomError("header", "a header cannot hold line breaks or control characters")
    return value


def _short(body: str | Secret) -> str | Secret:
    if len(plain(body).encode()) > BODY_LIMIT:
        raise PydanticCustomError("body", "a body to send is at most 1 MiB")
    return body


def _ours_to_set(name: str) -> str:
    if name.lower() in _CLIENT_HEADERS:
        raise PydanticCustomError("header", "the client sets {name} itself", {"name": name})
    return name


def _sendable(method: str) -> str:
    if not _METHOD.fullmatch(method):
        raise PydanticCustomError("method", "expected a method in capital letters, such as GET")
    if method == "CONNECT":
        raise PydanticCustomError("method", "CONNECT is for proxies: set proxy")
    return method


def plain(value: str | Secret) -> str:
    """The text itself, to be sent; never to be shown."""
    return value.value if isinstance(value, Secret) else value


HttpUrl = Annotated[
    URL,
    BeforeValidator(parse_url),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^https?://"}),
]
Status = Annotated[
    StatusRange,
    BeforeValidator(parse_status),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 100, "maximum": 599},
                {"type": "string", "pattern": f"^(?:{_STATUS.pattern})$"},
            ]
        }
    ),
]
Method = Annotated[
    str, AfterValidator(_sendable), WithJsonSchema({"type": "string", "pattern": f"^{_METHOD.pattern}$"})
]
HeaderName = Annotated[str, Field(pattern=_TOKEN), AfterValidator(_ours_to_set)]
HeaderValue = Annotated[str | Secret, AfterValidator(_without_control)]
Body = Annotated[str | Secret, AfterValidator(_short)]
HeaderSecret = Annotated[Secret, AfterValidator(_without_control)]


class HeaderMatch(BaseModel):
    """A header and what its values are searched for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    header: str = Field(pattern=_TOKEN, description="Name of the header, in any case.")
    regex: Regex = Field(description="RE2 pattern, searched in each value of the header.")
    allow_missing: bool = Field(False, description="Whether an answer without the header passes.")


class BasicAuth(BaseModel):
    """Name and password (RFC 7617)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    username: str = Field(pattern=r"^[^:\x00-\x1f\x7f]*$", description="Name; it holds no colon.")
    password: Secret = Field(description="Password.")

    @property
    def header(self) -> str:
        """Value of an Authorization or Proxy-Authorization header."""
        return encode_basic_auth(self.username, self.password.value)
