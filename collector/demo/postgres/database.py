"""The figures of a simulated database, and which statements ask for them."""

from __future__ import annotations

from collections.abc import Iterable

from collector.demo.agents.motion import Clock, Wave, age, share
from collector.demo.postgres.messages import Row

MAX_CONNECTIONS = 200
# Its only replica.
STANDBY = "du-phong"
_GIGABYTE = 1e9
_GROWTH = 300  # bytes that a transaction leaves


class Database:
    """Its figures follow from its host; `laid` are those that a fault has laid on it.

    It is called `name`. Without a password in `passwords`, by user, nobody can log in.
    """

    def __init__(self, host: str, clock: Clock | None = None) -> None:
        self.name = host
        self.passwords: dict[str, str] = {}
        self.laid: dict[str, float] = {}
        self._age = age(host)
        self._size = 500 * _GIGABYTE * share(f"size {host}")
        self._statements: dict[str, tuple[str, ...]] = {}
        self._clock = clock or Clock()
        self._connections = Wave(f"connections {host}", 20 + 80 * share(f"users {host}"))
        self._commits = Wave(f"commits {host}", 5 + 60 * share(f"users {host}"))
        self._lag = Wave(f"lag {host}", 0.05 + 0.4 * share(f"lag {host}"))

    def teach(self, statement: str, columns: Iterable[str]) -> None:
        """Answer a statement with these columns from now on. Raises ValueError for one that there is not."""
        known = self._figures()
        for column in columns:
            if column not in known:
                raise ValueError(f"no simulated database has {column!r}, only {', '.join(known)}")
        self._statements[_plain(statement)] = tuple(columns)

    def answer(self, statement: str) -> Row | None:
        """The row that a statement asks for; None for a statement that nobody has taught."""
        columns = self._statements.get(_plain(statement))
        if columns is None:
            return None
        figures = self._figures()
        return {column: figures[column] for column in columns}

    def _figures(self) -> Row:
        now = self._clock()
        connections = self.laid.get("connections", self._connections.at(now))
        commits = self._commits.total(now + self._age)
        return {
            "datname": self.name,
            "numbackends": int(connections),
            "max_connections": MAX_CONNECTIONS,
            "connections_used": connections / MAX_CONNECTIONS,
            "xact_commit": int(commits),
            "size": int(self._size + _GROWTH * commits),
            "application_name": STANDBY,
            "replay_lag": self.laid.get("replay_lag", self._lag.at(now)),
        }


def _plain(statement: str) -> str:
    return " ".join(statement.split()).removesuffix(";")
