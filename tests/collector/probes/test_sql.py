"""`sql` against PostgreSQL and MariaDB: logging in, asking, and what the answers become."""

from __future__ import annotations

import math
from typing import Any

import pytest

from collector.model import Outcome, Reason, Result
from collector.probes.sql import KIND, SqlSpec
from tests.databases import Server
from tests.dns_server import Zone, udp_server
from tests.peers import leaving_nothing
from tests.pinned import check_pinned
from tests.probing import probing, values


def gauge(column: str, **other: Any) -> dict[str, Any]:
    """A column that becomes the metric `db_<column>`."""
    return {"column": column, "name": f"db_{column}", "help": f"{column}."} | other


async def ask(server: Server, *queries: dict[str, Any], timeout: float = 5.0, **settings: Any) -> Result:
    """One run with these queries."""
    async with probing(KIND) as sql:
        return await sql.run(timeout, queries=queries, **server.settings(**settings))


async def test_logging_in_is_enough(server: Server) -> None:
    async with probing(KIND) as sql, leaving_nothing():
        result = await sql.run(5, **server.settings())
    seen = values(result)
    assert (result.outcome, result.detail) == (Outcome.OK, "")
    assert seen["probe_ip_protocol"] == 4
    phases = {name for name in seen if name.startswith("probe_sql_duration_seconds")}
    assert phases == {f"probe_sql_duration_seconds{{{phase}}}" for phase in ("resolve", "connect", "login", "query")}
    assert sum(seen[phase] for phase in phases) <= seen["probe_duration_seconds"]


async def test_by_ip6(server: Server) -> None:
    result = await ask(server, host="::1", ip="ip6")
    assert result.outcome is Outcome.OK
    assert values(result)["probe_ip_protocol"] == 6


async def test_a_name_goes_where_our_resolver_and_the_address_map_say(server: Server) -> None:
    zone = Zone(["db.example. 60 IN A 127.0.0.1"])
    async with udp_server(zone) as names, probing(KIND, resolvers=(names.address,)) as sql:
        looked_up = await sql.run(5, **server.settings(host="db.example"))
        gone = await sql.run(5, **server.settings(host="gone.example"))
    async with probing(KIND, {"db.example": f"127.0.0.1:{server.port}"}) as sql:
        settings = server.settings(host="db.example")
        del settings["port"]
        mapped = await sql.run(5, **settings)
    assert (looked_up.outcome, mapped.outcome) == (Outcome.OK, Outcome.OK)
    assert (gone.outcome, gone.reason) == (Outcome.FAIL, Reason.RESOLVE)


async def test_columns_become_metrics_and_labels(server: Server) -> None:
    query = {
        "name": "levels",
        "sql": "SELECT station, level, level AS raised_total FROM readings",
        "labels": ["station"],
        "metrics": [
            gauge("level", scale=100),
            gauge("raised_total", type="counter"),
            {"column": "level", "name": "river_level", "help": "Metres.", "type": "unknown"},
        ],
    }
    result = await ask(server, query)
    assert result.outcome is Outcome.OK
    seen = values(result)
    assert {name: value for name, value in seen.items() if name.startswith(("db_", "river_"))} == {
        "db_level{tra-khuc}": 125,
        "db_raised_total{tra-khuc}": 1.25,
        "river_level{tra-khuc}": 1.25,
    }
    assert seen["probe_sql_query_rows{levels}"] == 2
    assert seen["probe_sql_query_success{levels}"] == 1
    assert seen["probe_sql_query_duration_seconds{levels}"] > 0
    types = {sample.metric.name: sample.metric.type for sample in result.samples}
    assert (types["db_level"], types["db_raised_total"], types["river_level"]) == ("gauge", "counter", "unknown")


POSTGRES_CELLS = {
    "42::bigint": 42,
    "1.5::real": 1.5,
    "12.345::numeric(10,3)": 12.345,
    "true": 1,
    "false": 0,
    "'12.5'::text": 12.5,
    "timestamptz '2026-11-01T00:00:00Z'": 1793491200,
    "timestamp '2026-11-01 07:00:00'": 1793491200,
    "date '2026-11-01'": 1793466000,
    "interval '1 hour 30 seconds'": 3630,
    "time '01:00:01.5'": 3601.5,
    "(timestamptz '2026-11-01T00:00:00Z')::timestamp": 1793491200,
    "NULL::int": None,
}
MARIADB_CELLS = {
    "42": 42,
    "1.5e0": 1.5,
    "CAST(12.345 AS DECIMAL(10,3))": 12.345,
    "TRUE": 1,
    "'12.5'": 12.5,
    "TIMESTAMP '2026-11-01 07:00:00'": 1793491200,
    "DATE '2026-11-01'": 1793466000,
    "CAST('01:00:01.5' AS TIME(1))": 3601.5,
    "FROM_UNIXTIME(1793491200)": 1793491200,
    "NULL": None,
}


@pytest.mark.parametrize("expression", POSTGRES_CELLS)
async def test_every_kind_of_value_of_postgres(postgres: Server, expression: str) -> None:
    await _check_cell(postgres, expression, POSTGRES_CELLS[expression])


@pytest.mark.parametrize("expression", MARIADB_CELLS)
async def test_every_kind_of_value_of_mariadb(mariadb: Server, expression: str) -> None:
    await _check_cell(mariadb, expression, MARIADB_CELLS[expression])


async def _check_cell(server: Server, expression: str, expected: float | None) -> None:
    result = await ask(server, {"sql": f"SELECT {expression} AS cell", "metrics": [gauge("cell")]})
    seen = values(result)
    assert result.outcome is Outcome.OK
    assert seen["probe_sql_query_unreadable_values{1}"] == 0
    if expected is None:
        assert "db_cell" not in seen
    else:
        assert math.isclose(seen["db_cell"], expected, rel_tol=1e-6)


@pytest.mark.parametrize("expression", ["'high'", "'NaN'", "'1_000'"])
async def test_what_is_no_number_is_left_out_and_counted(server: Server, expression: str) -> None:
    result = await ask(
        server, {"sql": f"SELECT {expression} AS cell, 7 AS other", "metrics": [gauge("cell"), gauge("other")]}
    )
    seen = values(result)
    assert result.outcome is Outcome.OK
    assert seen["probe_sql_query_unreadable_values{1}"] == 1
    assert "db_cell" not in seen
    assert seen["db_other"] == 7


async def test_times_without_zone_are_of_the_configured_one(server: Server) -> None:
    query = {"sql": "SELECT TIMESTAMP '2026-11-01 07:00:00' AS cell", "metrics": [gauge("cell")]}
    at_home = await ask(server, query)
    in_utc = await ask(server, query, time_zone="UTC")
    assert values(in_utc)["db_cell"] - values(at_home)["db_cell"] == 7 * 3600


async def test_the_session_is_of_the_same_zone(server: Server) -> None:
    now = "CURRENT_TIMESTAMP::timestamp" if server.dialect == "postgresql" else "NOW()"
    query = {"sql": f"SELECT {now} AS cell", "metrics": [gauge("cell")]}
    for zone in ("UTC", "America/New_York"):
        result = await ask(server, query, time_zone=zone)
        assert abs(values(result)["db_cell"] - result.started) < 5


async def test_labels_of_every_kind(server: Server) -> None:
    query = {"sql": "SELECT 1 AS a, NULL AS b, 'sông Trà Khúc' AS c, 5 AS n", "labels": ["a", "b", "c"]}
    result = await ask(server, query | {"metrics": [gauge("n")]})
    assert values(result)["db_n{1,,sông Trà Khúc}"] == 5


async def test_statements_are_sent_as_they_stand(server: Server) -> None:
    sql = "SELECT 'a:b' AS x, '%s 100%' AS y, '\"' AS z, 1 AS n -- :name; %(other)s"
    result = await ask(server, {"sql": sql, "labels": ["x", "y", "z"], "metrics": [gauge("n")]})
    assert values(result)['db_n{a:b,%s 100%,"}'] == 1


async def test_rows_over_the_cap_are_dropped_and_counted(server: Server) -> None:
    rows = "SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3"
    query = {"sql": rows, "labels": ["n"], "metrics": [gauge("n")]}
    many = await ask(server, query | {"labels": [], "metrics": [], "max_rows": 2})
    exact = await ask(server, query | {"labels": [], "metrics": [], "max_rows": 3})
    assert values(many)["probe_sql_query_dropped_rows{1,limit}"] == 1
    assert values(many)["probe_sql_query_rows{1}"] == 2
    assert values(exact)["probe_sql_query_dropped_rows{1,limit}"] == 0
    assert values(exact)["probe_sql_query_rows{1}"] == 3


async def test_a_huge_answer_is_read_no_further_than_the_cap(server: Server) -> None:
    postgres = server.dialect == "postgresql"
    sql = "SELECT generate_series(1, 1000000000) AS n" if postgres else "SELECT seq AS n FROM seq_1_to_1000000000"
    query = {"sql": sql, "labels": ["n"], "metrics": [], "max_rows": 5000}
    result = await ask(server, query)
    assert (result.outcome, result.detail) == (Outcome.OK, "")
    assert values(result)["probe_sql_query_rows{1}"] == 5000
    assert values(result)["probe_sql_query_dropped_rows{1,limit}"] == 1


async def test_too_many_bytes_are_refused(server: Server) -> None:
    query = {"sql": "SELECT repeat('x', 100000) AS big"}
    refused = await ask(server, query, max_size="50KB")
    taken = await ask(server, query, max_size="200KB")
    assert (refused.outcome, refused.reason) == (Outcome.FAIL, Reason.TOO_LARGE)
    assert taken.outcome is Outcome.OK


async def test_rows_with_the_labels_of_another_are_dropped_and_counted(server: Server) -> None:
    query = {
        "sql": "SELECT 'a' AS l, 1 AS n UNION ALL SELECT 'a', 2 ORDER BY n",
        "labels": ["l"],
        "metrics": [gauge("n")],
    }
    seen = values(await ask(server, query))
    assert seen["probe_sql_query_dropped_rows{1,duplicate}"] == 1
    assert seen["db_n{a}"] == 1


async def test_a_column_that_is_not_there(server: Server) -> None:
    result = await ask(server, {"name": "q", "sql": "SELECT 1 AS one", "metrics": [gauge("two")]})
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
    assert result.detail == "query q: the answer has no column 'two', only one"
    assert values(result)["probe_sql_query_success{q}"] == 0


@pytest.mark.parametrize(
    ("expect", "detail"),
    [
        ({"at_least": 2}, None),
        ({"at_least": 3}, "2 rows, expected at least 3"),
        ({"at_most": 2}, None),
        ({"at_most": 1}, "2 rows, expected at most 1"),
        ({"condition": "[?station=='tra-khuc'].level | [0] > `1`"}, None),
        ({"condition": "length([?level]) == `2`"}, "length([?level]) == `2` is False, not true"),
        ({"condition": "abs(@)"}, "abs(@): "),
    ],
)
async def test_expectations(server: Server, expect: dict[str, Any], detail: str | None) -> None:
    result = await ask(server, {"sql": "SELECT * FROM readings ORDER BY station", "expect": expect})
    if detail is None:
        assert (result.outcome, result.detail) == (Outcome.OK, "")
    else:
        assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
        assert result.detail.startswith(f"query 1: {detail}")


async def test_more_rows_than_were_read_are_more_than_expected(server: Server) -> None:
    result = await ask(server, {"sql": "SELECT * FROM readings", "max_rows": 1, "expect": {"at_most": 1}})
    assert result.detail == "query 1: more than 1 rows, expected at most 1"


async def test_one_bad_query_does_not_stop_the_others(server: Server) -> None:
    bad = {"name": "bad", "sql": "SELECT nonsense FROM readings"}
    good = {"name": "good", "sql": "SELECT 1 AS n", "metrics": [gauge("n")]}
    result = await ask(server, good | {"name": "first", "metrics": []}, bad, good)
    seen = values(result)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
    assert result.detail.startswith("query bad: ")
    assert "nonsense" in result.detail
    assert seen["db_n"] == 1
    assert (seen["probe_sql_query_success{bad}"], seen["probe_sql_query_success{good}"]) == (0, 1)


WRITES = [
    "INSERT INTO readings (station) VALUES ('new')",
    "UPDATE readings SET level = 0",
    "DELETE FROM readings",
    "CREATE TABLE made (n int)",
    "DROP TABLE readings",
    "TRUNCATE TABLE readings",
    "ALTER TABLE readings ADD COLUMN more int",
    "CREATE VIEW seen AS SELECT 1",
    "SELECT 1; DELETE FROM readings",
    "COMMIT; DELETE FROM readings",
]


@pytest.mark.parametrize("statement", WRITES)
async def test_nothing_is_written(server: Server, statement: str) -> None:
    before = await contents(server)
    result = await ask(server, {"sql": statement})
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
    assert await contents(server) == before


@pytest.mark.parametrize("escape", ["COMMIT", "ROLLBACK", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"])
async def test_not_even_after_a_statement_that_ends_the_transaction(postgres: Server, escape: str) -> None:
    before = await contents(postgres)
    result = await ask(postgres, {"sql": escape}, {"sql": "DELETE FROM readings"})
    assert result.outcome is Outcome.FAIL
    assert await contents(postgres) == before


@pytest.mark.parametrize(
    "escape", ["COMMIT", "SET SESSION TRANSACTION READ WRITE", "SET autocommit = 1", "FLUSH STATUS"]
)
async def test_not_even_after_one_that_ends_it_in_mariadb(mariadb: Server, escape: str) -> None:
    before = await contents(mariadb)
    result = await ask(mariadb, {"sql": escape}, {"sql": "DELETE FROM readings"}, {"sql": "DROP TABLE readings"})
    assert result.outcome is Outcome.FAIL
    assert await contents(mariadb) == before


async def contents(server: Server) -> Any:
    """Names of the tables, and rows."""
    tables = "SHOW TABLES" if server.dialect == "mariadb" else "SELECT tablename FROM pg_tables"
    return await server.rows(tables, "SELECT * FROM readings")


async def test_what_shows_instead_of_selects(server: Server) -> None:
    if server.dialect == "postgresql":
        query = {"sql": "SHOW max_connections", "metrics": [gauge("max_connections")]}
        assert values(await ask(server, query))["db_max_connections"] == 20
    else:
        query = {
            "sql": "SHOW GLOBAL STATUS LIKE 'Uptime'",
            "metrics": [{"column": "Value", "name": "db_up", "help": "s"}],
        }
        assert values(await ask(server, query))["db_up"] >= 0


async def test_a_wrong_password(server: Server) -> None:
    result = await ask(server, password="wrong")
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.AUTH)
    assert "wrong" not in result.detail


async def test_no_password_where_one_is_needed(server: Server) -> None:
    settings = server.settings()
    del settings["password"]
    async with probing(KIND) as sql:
        result = await sql.run(5, **settings)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.AUTH)


async def test_a_database_that_is_not_there(postgres: Server, mariadb: Server) -> None:
    at_postgres = await ask(postgres, database="none")
    by_default = await ask(postgres, database=None)
    at_mariadb = await ask(mariadb, database="none", user="admin")
    without = await ask(mariadb, {"sql": "SELECT DATABASE() IS NULL AS n", "metrics": [gauge("n")]}, database=None)
    assert (at_postgres.reason, at_postgres.detail) == (Reason.UNEXPECTED, 'database "none" does not exist')
    assert by_default.detail == 'database "hatang" does not exist'
    assert (at_mariadb.reason, at_mariadb.detail) == (Reason.UNEXPECTED, "Unknown database 'none'")
    assert values(without)["db_n"] == 1


async def test_series_names_and_labels_are_pinned(postgres: Server) -> None:
    zone = Zone(["db.example. 60 IN A 127.0.0.1"])
    tls = {"tls": True, "tls_config": {"ca_file": postgres.ca_file}}
    async with udp_server(zone) as names, probing(KIND, resolvers=(names.address,)) as sql:
        result = await sql.run(5, **postgres.settings(host="db.example", queries=[{"sql": "SELECT 1"}], **tls))
    assert result.outcome is Outcome.OK
    check_pinned(KIND, result)


def test_runs_are_bounded_per_server() -> None:
    settings = {"host": "db.example", "user": "hatang"}
    assert SqlSpec.model_validate({"dialect": "postgresql", **settings}).peer == "db.example:5432"
    assert SqlSpec.model_validate({"dialect": "mariadb", **settings}).peer == "db.example:3306"
    assert SqlSpec.model_validate({"dialect": "mariadb", "port": 3307, **settings}).peer == "db.example:3307"


async def test_a_type_that_is_no_single_value_has_to_be_cast(postgres: Server) -> None:
    """Arrays and records are given memory by counts that the server names; what is not built in costs more queries."""
    lines = {"name": "cast", "sql": "SELECT (ARRAY[1, 2])::text AS l, 1 AS n", "labels": ["l"], "metrics": [gauge("n")]}
    cast = await ask(postgres, lines)
    bare = await ask(postgres, {"sql": "SELECT ARRAY[1, 2] AS l"}, lines)
    assert values(cast)["db_n{{1,2}}"] == 1
    assert (bare.outcome, bare.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
    assert bare.detail == "query 1: column l is neither number, text nor time (type 1007): cast it, as l::text"


async def test_nothing_is_left_in_a_session_that_a_pooler_would_share(postgres: Server) -> None:
    one = {"sql": "SELECT 1 AS n", "metrics": [gauge("n")]}
    left = "SELECT (SELECT count(*) FROM pg_prepared_statements) AS left_behind, current_setting('TimeZone') AS zone"
    result = await ask(postgres, one, one, {"sql": left, "labels": ["zone"], "metrics": [gauge("left_behind")]})
    seen = values(result)
    assert (result.outcome, result.detail) == (Outcome.OK, "")
    assert (seen["db_n"], seen["db_left_behind{Asia/Ho_Chi_Minh}"]) == (1, 0)


async def test_what_postgres_says_of_itself(postgres: Server) -> None:
    """The views that monitoring asks, whose columns are of many types."""
    queries: list[dict[str, Any]] = [
        {"sql": "SELECT * FROM pg_stat_activity", "name": "activity"},
        {"sql": "SELECT * FROM pg_stat_database", "name": "database"},
        {"sql": "SELECT * FROM pg_stat_replication", "name": "replication"},
        {"sql": "SELECT * FROM pg_stat_bgwriter", "name": "bgwriter"},
        {"sql": "SELECT * FROM pg_stat_user_tables", "name": "tables"},
        {"sql": "SELECT * FROM pg_stat_wal", "name": "wal"},
        {"sql": "SELECT * FROM information_schema.tables", "name": "schema", "max_rows": 500},
        {"sql": "SELECT * FROM pg_locks", "name": "locks"},
        {"sql": "SELECT pg_is_in_recovery(), pg_current_wal_lsn(), version(), pg_postmaster_start_time()"},
    ]
    result = await ask(postgres, *queries, user="admin")
    assert (result.outcome, result.detail) == (Outcome.OK, "")


async def test_what_mariadb_says_of_itself(mariadb: Server) -> None:
    queries: list[dict[str, Any]] = [
        {"sql": "SHOW GLOBAL STATUS", "name": "status", "max_rows": 2000},
        {"sql": "SHOW GLOBAL VARIABLES", "name": "variables", "max_rows": 2000},
        {"sql": "SHOW ALL SLAVES STATUS", "name": "slaves"},
        {"sql": "SHOW ENGINE INNODB STATUS", "name": "innodb"},
        {"sql": "SELECT * FROM information_schema.processlist", "name": "processes"},
        {"sql": "SELECT * FROM information_schema.tables", "name": "tables", "max_rows": 1000},
    ]
    result = await ask(mariadb, *queries, user="admin")
    assert (result.outcome, result.detail) == (Outcome.OK, "")


async def test_a_procedure_with_several_results(mariadb: Server) -> None:
    await mariadb.rows("CREATE OR REPLACE PROCEDURE twice() BEGIN SELECT 1 AS n; SELECT 2 AS m; END")
    call = {"sql": "CALL twice()", "metrics": [gauge("n")]}
    result = await ask(mariadb, call, {"sql": "SELECT 3 AS k", "metrics": [gauge("k")]})
    assert (result.outcome, result.detail) == (Outcome.OK, "")
    assert (values(result)["db_n"], values(result)["db_k"]) == (1, 3)
