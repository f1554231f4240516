"""Databases that all tests of a session share: a test that stops one starts it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from collector.sql.databases import prepare
from tests.databases import MariaDb, Postgres, Server, running
from tests.peers import Authority


@pytest.fixture(scope="session")
def database_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signed the certificates of the databases."""
    return Authority(tmp_path_factory.mktemp("database-authority"))


@pytest.fixture(scope="session")
def postgres(real: Callable[[str], str], database_authority: Authority) -> Iterator[Server]:
    """A PostgreSQL."""
    prepare("postgresql")
    with running(Postgres(real("postgres"), database_authority)) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb(real: Callable[[str], str], database_authority: Authority) -> Iterator[Server]:
    """A MariaDB."""
    prepare("mariadb")
    with running(MariaDb(real("mariadbd"), database_authority)) as server:
        yield server


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest, real: Callable[[str], str]) -> Server:
    """Each of the two."""
    found: Server = request.getfixturevalue(request.param)
    return found
