"""Who we are to a database, and what a driver module offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from collector.model import Reason
from collector.sql.wire import Screen, Secure, Wire


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials, the database, and how to speak TLS; without `secure` nothing is encrypted."""

    user: str
    password: str = field(repr=False)
    database: str | None
    secure: Secure | None


class Limits(NamedTuple):
    """What one query may take: `seconds`, and `rows`; `zone` is that of its session."""

    seconds: float
    rows: int
    zone: ZoneInfo


class Driver(Protocol):
    """One database system: what `collector.sql.postgresql` and `collector.sql.mariadb` have in common."""

    @property
    def URL(self) -> str:  # noqa: N802
        """SQLAlchemy's name of the dialect."""

    @property
    def ADAPTED(self) -> Mapping[str, Any]:  # noqa: N802
        """What SQLAlchemy's adapter of the driver is told."""

    def screen(self, secure: bool) -> Screen:
        """What hears a server before the driver does."""

    async def connect(self, login: Login, wire: Wire) -> Any:
        """A connection of the driver's own, logged in."""

    async def begin(self, connection: Any, limits: Limits) -> None:
        """End the transaction of before, if there is one, and begin a read-only one within `limits`."""

    def reason(self, error: BaseException) -> tuple[Reason, str] | None:
        """What an error means, and its words; None for what is no error of the driver or of the server."""
