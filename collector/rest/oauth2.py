"""Tokens by the client credentials grant (RFC 6749 section 4.4), kept until shortly before they expire."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote_plus, urlencode

from aiohttp import ClientSession, encode_basic_auth
from pydantic import Field

from collector.documents import document
from collector.fields import Regex, Secret, Tls
from collector.http.client import Request, Visit
from collector.http.connection import Passage, ignore
from collector.http.fields import HttpUrl
from collector.http.spec import RequestSpec
from collector.measures import number
from collector.model import ProbeFailed, Reason
from collector.net import Context
from collector.rest.shape import Part

# A token is not used in the last tenth of its life, or in its last minute if that is less.
_SPARE_SHARE, _SPARE = 0.1, 60.0
# How long to use one whose server does not say (RFC 6749 section 5.1 leaves it open); a 401 ends it sooner.
_UNSAID_LIFE = 300.0
_LONGEST_LIFE = 86_400.0
_MAX_ANSWER = 64 * 1024
_TOKEN = Regex.compile(r"^[A-Za-z0-9._~+/-]+=*$")  # RFC 6750 section 2.1
_ERROR = Regex.compile(r"^[A-Za-z0-9_.-]{1,60}$")


class OAuth2(Part):
    """Who we are to a token endpoint, and what we ask it for."""

    token_url: HttpUrl = Field(description="Token endpoint.")
    client_id: str = Field(min_length=1, description="Client.")
    client_secret: Secret = Field(description="Its secret.")
    credentials: Literal["header", "body"] = Field(
        "header",
        description="Where they are sent: in an Authorization header, or in the body (RFC 6749 section 2.3.1).",
    )
    scope: str | None = Field(None, min_length=1, description="Scopes to ask for, with spaces between them.")
    audience: str | None = Field(None, min_length=1, description="Audience to ask for, where the endpoint wants one.")
    tls: Tls = Field(Tls(), description="How to speak TLS to the token endpoint.")

    def request(self) -> Request:
        """The request for a token."""
        form = {"grant_type": "client_credentials", "scope": self.scope, "audience": self.audience}
        private = {}
        if self.credentials == "body":
            form |= {"client_id": self.client_id, "client_secret": self.client_secret.value}
        else:
            pair = quote_plus(self.client_id), quote_plus(self.client_secret.value)
            private["Authorization"] = encode_basic_auth(*pair)
        body = urlencode({name: value for name, value in form.items() if value is not None}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return Request("POST", self.token_url, headers, private, body, private_body=True)


@dataclass(slots=True)
class _Token:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    value: str = field(default="", repr=False)
    good_until: float = 0.0


class Tokens:
    """Tokens of all targets; those with the same settings share one. `session` keeps no connections."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session
        self._tokens: dict[OAuth2, _Token] = {}

    async def get(self, oauth2: OAuth2, spec: RequestSpec, context: Context[Any], refused: str | None = None) -> str:
        """A token for `spec`, other than one that was just `refused`.

        Raises ProbeFailed(AUTH), whatever is wrong with the endpoint; OSError when the fault is ours.
        """
        self._forget_old()
        token = self._tokens.setdefault(oauth2, _Token())
        async with token.lock:  # thousands of targets may want it at once: one of them asks
            if time.monotonic() >= token.good_until or token.value == refused:
                token.good_until = 0.0
                try:
                    token.value, life = await self._ask(oauth2, spec, context)
                except ProbeFailed as failed:
                    raise ProbeFailed(Reason.AUTH, f"token endpoint: {failed.detail}") from failed
                token.good_until = time.monotonic() + life
            return token.value

    async def _ask(self, oauth2: OAuth2, spec: RequestSpec, context: Context[Any]) -> tuple[str, float]:
        passage = Passage(context.net, context.deadline, ignore, spec.ip, oauth2.tls, spec.via, spec.source_ip)
        visit = Visit(self.session, passage, oauth2.request())
        try:
            response = await visit.go(follow=False)
            answer = await visit.read(_MAX_ANSWER)
        finally:
            visit.close()
        if response.status != 200:
            raise ProbeFailed(Reason.AUTH, f"status {response.status}{_error(answer)}")
        return granted(answer)

    def _forget_old(self) -> None:
        now = time.monotonic()
        for key in [key for key, token in self._tokens.items() if token.good_until < now and not token.lock.locked()]:
            del self._tokens[key]


def granted(answer: bytes) -> tuple[str, float]:
    """Token, and seconds for which to use it, of an answer (RFC 6749 section 5.1). Raises ProbeFailed."""
    try:
        grant = document(answer)
    except ValueError as error:
        raise ProbeFailed(Reason.AUTH, str(error)) from error
    if not isinstance(grant, dict):
        raise ProbeFailed(Reason.AUTH, "the answer is no object")
    token, kind, life = (grant.get(name) for name in ("access_token", "token_type", "expires_in"))
    if not isinstance(token, str) or not _TOKEN.search(token):
        raise ProbeFailed(Reason.AUTH, "no usable access_token in the answer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise ProbeFailed(Reason.AUTH, "the token is none of type Bearer")
    try:
        seconds = _UNSAID_LIFE if life is None else min(max(number(life), 0.0), _LONGEST_LIFE)
    except ValueError as error:
        raise ProbeFailed(Reason.AUTH, "expires_in is no number") from error
    return token, seconds - min(_SPARE, seconds * _SPARE_SHARE)


def _error(answer: bytes) -> str:
    """The code of an error (RFC 6749 section 5.2), if there is one."""
    try:
        refusal = document(answer)
    except ValueError:
        return ""
    code = refusal.get("error") if isinstance(refusal, dict) else None
    return f": {code}" if isinstance(code, str) and _ERROR.search(code) else ""
