"""Settings of what fetches several documents: who we are, and within which limits."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field

from collector.http.spec import RequestSpec
from collector.rest.oauth2 import OAuth2


class Limits(NamedTuple):
    """What one run may fetch: `documents`, of `total_size` bytes together, `concurrency` of them at a time."""

    documents: int
    total_size: int
    concurrency: int


class AccessSpec(RequestSpec):
    """A URL, and how to be let in."""

    oauth2: OAuth2 | None = Field(None, description="Get a token by client credentials (RFC 6749 section 4.4).")

    @property
    def credentials(self) -> dict[str, bool]:
        """Those of every kind that speaks HTTP, and OAuth2."""
        return {**super().credentials, "oauth2": self.oauth2 is not None}

    @property
    def limits(self) -> Limits:
        """Of one run."""
        raise NotImplementedError(type(self).__name__)
