"""Ask the running service over its own HTTP surface."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

ASK_WITHIN = 2.0


def ask_service(address: str, what: str, name: str) -> dict[str, Any] | None:
    """What the service on `address` (HOST:PORT) says of a `target` or a `system`; {} when it does not know it.

    None when no service answers there.
    """
    try:
        found: list[dict[str, Any]] = ask(address, f"/api/v1/{what}s", {what: name})[f"{what}s"]
    except (LookupError, TypeError):
        return None
    return found[0] if found else {}


def ask(address: str, path: str, query: Mapping[str, str]) -> Any:
    """What the service on `address` answers at `path`; None when no service answers there.

    Raises LookupError with the words of the service when it has no such answer.
    """
    try:
        with urlopen(f"http://{address}{path}?{urlencode(query)}", timeout=ASK_WITHIN) as answer:
            return json.load(answer)
    except HTTPError as error:
        raise LookupError(error.read(1000).decode("utf-8", "replace").strip()) from None
    except (OSError, HTTPException, ValueError):
        return None
