"""Ask the running service over its own HTTP surface."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

ASK_WITHIN = 2.0


def ask_service(address: str, target: str) -> dict[str, Any] | None:
    """What the service on `address` (HOST:PORT) says of a target; None when it does not run or know it."""
    url = f"http://{address}/api/v1/targets?target={quote(target)}"
    try:
        with urlopen(url, timeout=ASK_WITHIN) as answer:
            found: list[dict[str, Any]] = json.load(answer)["targets"]
    except (URLError, OSError, ValueError, KeyError):
        return None
    return found[0] if found else None
