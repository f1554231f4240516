"""What every kind that speaks HTTP needs to know: a URL, how to get there, and how to ask."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from collector.fields import Address, IpProtocol, Secret, Size, Tls
from collector.http.client import Request
from collector.http.connection import Passage, Proxy
from collector.http.fields import (
    BasicAuth,
    Body,
    HeaderName,
    HeaderSecret,
    HeaderValue,
    HttpUrl,
    Method,
    Status,
    StatusRange,
    plain,
)
from collector.model import Emit, ProbeFailed, Reason, Spec
from collector.net import Context

# Every other header may be a credential, and goes to nobody but the first host.
_PUBLIC_HEADERS = frozenset(
    {"accept", "accept-encoding", "accept-language", "cache-control", "content-type", "pragma", "user-agent"}
)


class RequestSpec(Spec):
    """A URL and how to ask for it."""

    url: HttpUrl = Field(description="What to ask for: http or https.")
    method: Method = Field("GET", description="Request method.")
    headers: dict[HeaderName, HeaderValue] = Field({}, description="Headers to send; values may be secrets.")
    body: Body | None = Field(None, description="Body to send; may be a secret.")
    basic_auth: BasicAuth | None = Field(None, description="Name and password to send (RFC 7617).")
    bearer_token: HeaderSecret | None = Field(None, description="Token to send (RFC 6750).")
    proxy: HttpUrl | None = Field(
        None, description="Proxy to go through (https targets by CONNECT); it looks the target's name up."
    )
    proxy_auth: BasicAuth | None = Field(None, description="Name and password for the proxy.")
    proxy_tls: Tls = Field(Tls(), description="How to speak TLS to an https proxy.")
    tls: Tls = Field(Tls(), description="How to speak TLS to the target.")
    ip: IpProtocol = Field(IpProtocol.PREFER_IP4, description="Address family to use.")
    source_ip: Address | None = Field(None, description="Own address to connect from.")
    follow_redirects: bool = Field(True, description="Follow redirects: at most 3, on the same host.")
    allowed_redirect_hosts: tuple[str, ...] = Field(
        (), description="Other hosts to follow to (`*` matches any text); credentials are not sent there."
    )
    valid_status: tuple[Status, ...] = Field(
        (StatusRange(200, 299),), min_length=1, description="Good status codes: 401, 2xx, 200-299."
    )
    max_size: Size = Field(8 * 1024**2, description="Largest body to read, after decompression.")

    @property
    def peer(self) -> str:
        """The target, also behind a proxy."""
        return f"{self.url.raw_host}:{self.url.port}"

    @model_validator(mode="after")
    def _asks_in_one_way(self) -> RequestSpec:
        if sum(self.credentials.values()) > 1:
            raise PydanticCustomError("auth", "give one of {ways}", {"ways": ", ".join(self.credentials)})
        if self.proxy is None and self.proxy_auth is not None:
            raise PydanticCustomError("proxy", "proxy_auth needs proxy")
        return self

    @property
    def credentials(self) -> dict[str, bool]:
        """Ways to say in an Authorization header who we are, and whether each is used."""
        return {
            "basic_auth": self.basic_auth is not None,
            "bearer_token": self.bearer_token is not None,
            "an Authorization header": any(name.lower() == "authorization" for name in self.headers),
        }

    @property
    def implied_headers(self) -> dict[str, str]:
        """Headers that follow from other settings."""
        return {}

    @cached_property
    def request(self) -> Request:
        """The first request of a run."""
        public = dict(self.implied_headers)
        private: dict[str, str] = {}
        for name, value in self.headers.items():
            shared = name.lower() in _PUBLIC_HEADERS and isinstance(value, str)
            (public if shared else private)[name] = plain(value)
        if self.basic_auth is not None:
            private["Authorization"] = self.basic_auth.header
        elif self.bearer_token is not None:
            private["Authorization"] = f"Bearer {self.bearer_token.value}"
        body = None if self.body is None else plain(self.body).encode()
        return Request(self.method, self.url, public, private, body, isinstance(self.body, Secret))

    @cached_property
    def via(self) -> Proxy | None:
        """The proxy and what it is told."""
        if self.proxy is None:
            return None
        return Proxy(self.proxy, self.proxy_auth.header if self.proxy_auth else "", self.proxy_tls)

    def passage(self, context: Context[Any], emit: Emit) -> Passage:
        """The way to the target in one run; what it shows goes to `emit`."""
        return Passage(context.net, context.deadline, emit, self.ip, self.tls, self.via, self.source_ip)

    def check_status(self, status: int) -> None:
        """Raises ProbeFailed for a status that is not good; with AUTH when it is about our credentials."""
        if any(good.first <= status <= good.last for good in self.valid_status):
            return
        known = any(self.credentials.values()) or self.tls.cert_file is not None
        refused = status == 407 or (status in (401, 403) and known)
        raise ProbeFailed(Reason.AUTH if refused else Reason.UNEXPECTED, f"status {status}")
