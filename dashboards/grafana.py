"""Grafana's HTTP API, as far as pages are put there: folders, data sources, dashboards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from dashboards.words import Json

_LIMIT: Final = 10.0
_MOST: Final = 16 << 20
_MEANINGS: Final = {
    401: "the token is not valid",
    403: "the token may not do that: it needs the permissions of an editor in this folder",
    301: "it is somewhere else: name that address",
    302: "it is somewhere else, or a login page is before it: name the address itself",
    412: "somebody else changed it meanwhile",
}
# What Grafana adds or counts itself: no difference.
_ITS_OWN: Final = ("id", "version", "iteration")


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the token to who knows where."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER: Final = build_opener(_NoRedirects)


class Refused(Exception):
    """Grafana, or the way to it, said no."""


@dataclass(frozen=True, slots=True)
class Grafana:
    """One Grafana, and a token of a service account."""

    url: str
    token: str

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise Refused(f"{self.url!r} is no http or https address")

    def ensure_folder(self, uid: str, title: str, *, dry: bool = False) -> bool:
        """Make the folder unless it is there; whether it was missing. Raises Refused."""
        if self._ask("GET", f"/api/folders/{quote(uid)}", missing_ok=True) is not None:
            return False
        if not dry:
            self._ask("POST", "/api/folders", {"uid": uid, "title": title})
        return True

    def page(self, uid: str) -> tuple[Json, str] | None:
        """A page and the uid of its folder, if it is there. Raises Refused."""
        path = f"/api/dashboards/uid/{quote(uid)}"
        found = self._ask("GET", path, missing_ok=True)
        if found is None:
            return None
        try:
            dashboard: Json = found["dashboard"]
            return dashboard, str(found.get("meta", {}).get("folderUid", ""))
        except (LookupError, TypeError):
            raise Refused(f"GET {path}: what answered is no Grafana: no dashboard in it") from None

    def put(self, page: Json, folder: str, message: str) -> None:
        """Make or replace a page. Raises Refused."""
        body = {"dashboard": {**page, "id": None}, "folderUid": folder, "overwrite": True, "message": message}
        self._ask("POST", "/api/dashboards/db", body)

    def _ask(self, method: str, path: str, body: object = None, *, missing_ok: bool = False) -> Any:
        request = Request(  # noqa: S310  the scheme was looked at
            self.url.rstrip("/") + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with _told(f"{method} {path}"):
            try:
                with _OPENER.open(request, timeout=_LIMIT) as answer:
                    return json.loads(answer.read(_MOST))
            except HTTPError as error:
                with error:
                    if error.code == 404 and missing_ok:
                        return None
                    raise Refused(f"{error.code}: {_meaning(error)}") from None


@contextmanager
def _told(what: str) -> Iterator[None]:
    """What was asked, before why it failed."""
    try:
        yield
    except Refused as error:
        raise Refused(f"{what}: {error}") from None
    except OSError as error:
        raise Refused(f"{what}: no answer: {getattr(error, 'reason', error)}") from None
    except ValueError:
        raise Refused(f"{what}: what answered is no Grafana: no JSON") from None
    except HTTPException:
        raise Refused(f"{what}: what answered is no Grafana: no HTTP") from None


def _meaning(error: HTTPError) -> str:
    try:
        said = json.loads(error.read(65536)).get("message", "")
    except (ValueError, AttributeError):
        said = ""
    parts = [part for part in (_MEANINGS.get(error.code, ""), str(said)) if part]
    return " - ".join(parts) or str(error.reason)


def differs(wanted: Json, there: Json) -> bool:
    """Whether a page says something else than ours; what Grafana fills in by itself is no difference."""
    return not _within(_bare(wanted), _bare(there))


def _bare(page: Json) -> Json:
    return {key: value for key, value in page.items() if key not in _ITS_OWN}


def _within(wanted: Any, there: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        return all(key in there and _within(value, there[key]) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(there, list):
        return len(wanted) == len(there) and all(_within(one, other) for one, other in zip(wanted, there, strict=True))
    return bool(wanted == there)
