"""The database systems that the `sql` kind knows; their libraries are imported when a target names one of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collector.sql.session import Database

_SESSION = "collector.sql.session"


def prepare(dialect: str) -> None:
    """Import what `dialect` needs: blocks for half a second the first time. Raises ImportError."""
    import_module(_SESSION)
    import_module(f"collector.sql.{dialect}")


class Databases:
    """What runs share, by dialect. Loop only; `prepare` comes first."""

    def __init__(self) -> None:
        self._known: dict[str, Database] = {}

    def of(self, dialect: str) -> Database:
        """The system for a dialect."""
        if dialect not in self._known:
            self._known[dialect] = import_module(_SESSION).Database(dialect)
        return self._known[dialect]
