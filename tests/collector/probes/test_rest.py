"""The rest kind: how it asks, what it makes of a document, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import encode_basic_auth, web
from pydantic import ValidationError

from collector.fields import Secret
from collector.model import Outcome, Reason, Result
from collector.probes.rest import KIND
from collector.rest.spec import RestSpec
from tests.http_peers import application, ok, redirect, saying
from tests.peers import Authority, leaving_nothing
from tests.probing import probing, values

METRIC = {"name": "level", "help": "Level.", "value": "level"}
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def ask(document: Any, **settings: Any) -> Result:
    """One run on an endpoint that answers with `document`, as JSON unless it is bytes."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    async with saying(ok(body)) as server, probing(KIND) as prober, leaving_nothing():
        return await prober.run(**{"url": f"http://127.0.0.1:{server.port}/", "metrics": [METRIC], **settings})


async def asked(handler: Handler, **settings: Any) -> Result:
    """One run on an application."""
    async with application(handler) as port, probing(KIND) as prober:
        return await prober.run(**{"url": f"http://127.0.0.1:{port}/", "metrics": [METRIC], **settings})


def own(result: Result) -> dict[str, float]:
    """Values of the target's own metrics."""
    return {name: value for name, value in values(result).items() if not name.startswith(("probe_", "hatang_"))}


@pytest.mark.parametrize(
    ("metric", "document", "expected"),
    [
        ({}, {"level": 3}, {"level": 3}),
        ({}, {"level": "12.50"}, {"level": 12.5}),
        ({}, {"level": True}, {"level": 1}),
        ({}, {"level": 0}, {"level": 0}),
        ({"scale": 0.1}, {"level": 273}, {"level": 27.3}),
        ({"scale": 1024}, {"level": "2"}, {"level": 2048}),
        ({"map": {"OK": 0, "Warning": 1.5, 3: 7, True: 9}}, {"level": "Warning"}, {"level": 1.5}),
        ({"map": {"OK": 0, 3: 7}}, {"level": 3}, {"level": 7}),
        ({"map": {True: 9}, "scale": 10}, {"level": True}, {"level": 90}),
        ({"type": "states", "states": ["on", "off"]}, {"level": "off"}, {"level{on}": 0, "level{off}": 1}),
        ({"type": "states", "states": {1: "on", 2: "off"}}, {"level": 1}, {"level{on}": 1, "level{off}": 0}),
        ({"type": "states", "states": ["on"]}, {"level": "burning"}, {"level{on}": 0, "level{burning}": 1}),
        ({"type": "counter", "name": "n_total"}, {"level": 2**60}, {"n_total": 2.0**60}),
        ({"type": "unknown"}, {"level": 5}, {"level": 5}),
        ({"type": "info", "name": "x_info", "value": None, "labels": {"v": "v"}}, {"v": 2}, {"x_info{2}": 1}),
        ({"rows": "sites", "labels": {"n": "name"}}, {"sites": [{"name": "a", "level": 1}, None]}, {"level{a}": 1}),
        ({"rows": "sites"}, {"sites": {"level": 4}}, {"level": 4}),
        ({"rows": "values(@)", "labels": {"n": "n"}}, {"x": {"level": 4, "n": True}}, {"level{true}": 4}),
        ({"labels": {"n": "name", "m": "m"}}, {"level": 1, "name": None}, {"level{,}": 1}),
        ({"value": "sum([].level)"}, [{"level": 1}, {"level": 2}], {"level": 3}),
        ({"labels": {"n": {"of": "root", "value": "n"}}, "rows": "s"}, {"n": 0, "s": [{"level": 2}]}, {"level{0}": 2}),
    ],
)  # fmt: skip
async def test_what_becomes_of_an_answer(metric: dict[str, Any], document: Any, expected: dict[str, float]) -> None:
    result = await ask(document, metrics=[METRIC | metric])
    assert result.outcome is Outcome.OK, result
    assert own(result) == expected


@pytest.mark.parametrize(
    ("metric", "document", "counted"),
    [
        ({}, {"level": None}, {"hatang_rest_missing_values": 1}),
        ({}, {}, {"hatang_rest_missing_values": 1}),
        ({"rows": "sites"}, {}, {"hatang_rest_missing_values": 1}),
        ({}, {"level": "high"}, {"hatang_rest_unreadable_values": 1}),
        ({}, {"level": ""}, {"hatang_rest_unreadable_values": 1}),
        ({}, {"level": "1_0"}, {"hatang_rest_unreadable_values": 1}),
        ({}, {"level": "\u0661"}, {"hatang_rest_unreadable_values": 1}),
        ({}, {"level": "nan"}, {"hatang_rest_unreadable_values": 1}),
        ({}, {"level": "inf"}, {"hatang_rest_unreadable_values": 1}),
        ({}, {"level": [1]}, {"hatang_rest_unreadable_values": 1}),
        ({}, {"level": {"a": 1}}, {"hatang_rest_unreadable_values": 1}),
        ({}, {"level": 10**400}, {"hatang_rest_unreadable_values": 1}),
        ({}, b'{"level": 1e999}', {"hatang_rest_unreadable_values": 1}),
        ({"scale": 1e300}, {"level": 1e300}, {"hatang_rest_unreadable_values": 1}),
        ({"map": {"OK": 0}}, {"level": "ok"}, {"hatang_rest_unreadable_values": 1}),
        ({"map": {"OK": 0}}, {"level": ["OK"]}, {"hatang_rest_unreadable_values": 1}),
        ({"value": "length(level)"}, {"level": 7}, {"hatang_rest_unreadable_values": 1}),
        ({"value": "ceil(level)"}, b'{"level": 1e999}', {"hatang_rest_unreadable_values": 1}),
        ({"rows": "keys(level)"}, {"level": 7}, {"hatang_rest_missing_values": 1}),
    ],
)
async def test_what_is_not_there_or_not_readable_is_counted_and_never_ok(
    metric: dict[str, Any], document: Any, counted: dict[str, float]
) -> None:
    good = {"name": "good", "help": "Good.", "value": "`1`"}
    result = await ask(document, metrics=[METRIC | metric])
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
    assert result.detail == "nothing that the metrics select is in the answer"
    assert own(result) == {}
    assert {name: value for name, value in values(result).items() if name in counted} == counted
    assert (await ask(document, metrics=[METRIC | metric, good])).outcome is Outcome.OK


async def test_an_empty_list_is_an_answer() -> None:
    result = await ask({"alarms": []}, metrics=[METRIC | {"rows": "alarms"}])
    assert result.outcome is Outcome.OK
    assert values(result)["hatang_rest_missing_values"] == 0


async def test_rows_that_cannot_be_told_apart_or_named_are_counted() -> None:
    rows = [{"n": "a", "level": 1}, {"n": "a", "level": 2}, {"n": ["b"], "level": 3}, {"n": "c", "level": 4}]
    metric = METRIC | {"rows": "@", "labels": {"n": "n"}}
    seen = values(result := await ask(rows, metrics=[metric]))
    assert own(result) == {"level{a}": 1, "level{c}": 4}
    assert seen["hatang_rest_dropped_rows{duplicate}"] == 1
    assert seen["hatang_rest_dropped_rows{label}"] == 1
    assert seen["hatang_rest_rows"] == 4
    inherited = METRIC | {"rows": "s", "labels": {"n": {"of": "root", "value": "n"}}}
    seen = values(await ask({"n": {}, "s": rows}, metrics=[inherited]))
    assert seen["hatang_rest_dropped_rows{label}"] == 4


async def test_labels_of_a_hostile_answer_are_bounded_and_printable() -> None:
    rows = [{"n": 'a"\n# HELP x\n\ud800' + "x" * 1000, "level": 1}]
    result = await ask(rows, metrics=[METRIC | {"rows": "@", "labels": {"n": "n"}}])
    (label,) = next(sample.labels for sample in result.samples if sample.metric.name == "level")
    assert len(label) == 200
    assert label.isprintable()
    assert label.encode()


@pytest.mark.parametrize(
    ("document", "detail"),
    [
        ({"status": "UP", "level": 1}, None),
        ({"status": "DOWN", "level": 1}, "status == 'UP' is False, not true"),
        ({"level": 1}, "status == 'UP' is False, not true"),
    ],
)
async def test_condition(document: Any, detail: str | None) -> None:
    """What was read is told all the same."""
    result = await ask(document, condition="status == 'UP'")
    assert result.outcome is (Outcome.OK if detail is None else Outcome.FAIL)
    assert result.detail == (detail or "")
    assert own(result) == {"level": 1}


async def test_a_condition_that_does_not_fit_says_so_in_printable_words() -> None:
    result = await ask({"a": "\ud800\n"}, condition="max(a) > `1`", metrics=[])
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
    assert result.detail.isprintable()
    assert result.detail.startswith("max(a) > `1`: In function max(), invalid type for value:")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"<html>", "the body is not JSON"),
        (b"", "the body is not JSON"),
        (b'{"level": 1', "the body is not JSON"),
        (b'{"level": NaN}', "the body is not JSON"),
        (b'{"level": -Infinity}', "the body is not JSON"),
        (b'{"level": ' + b"9" * 5000 + b"}", "the body is not JSON"),
        (b'{"level": "\xff"}', "the body is not JSON"),
        (b'{"level": 1} {"level": 2}', "the body is not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "the body is nested too deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "the body is nested too deep"),
    ],
)
async def test_a_body_that_is_no_document(body: bytes, detail: str) -> None:
    result = await ask(body)
    assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, Reason.PROTOCOL, detail)


async def test_deep_documents_that_can_be_parsed_can_be_searched() -> None:
    document = b'{"level": ' + b"[" * 400 + b"]" * 400 + b"}"
    result = await ask(
        document, metrics=[METRIC | {"value": "level[][][]"}, METRIC | {"name": "b", "value": "to_string(@)"}]
    )
    assert result.reason is Reason.UNEXPECTED


async def test_large_documents_are_read_in_a_thread() -> None:
    rows = [{"n": f"site {number}", "level": number, "note": "x" * 200} for number in range(3000)]
    result = await ask(rows, metrics=[METRIC | {"rows": "@", "labels": {"n": "n"}}], max_rows=2500)
    assert result.outcome is Outcome.OK
    assert len(own(result)) == 2500
    assert values(result)["hatang_rest_dropped_rows{limit}"] == 500


async def test_a_body_has_a_limit() -> None:
    result = await ask({"level": 1, "note": "x" * 1000}, max_size="1KB")
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TOO_LARGE)
    assert result.detail == "the body is larger than 1000 bytes"


async def test_what_is_asked() -> None:
    """Method, headers, body and token as they were set; JSON is what we take unless a header says otherwise."""
    seen: list[tuple[str, str, str, str]] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        headers = request.headers
        seen.append((request.method, headers["Accept"], headers.get("Authorization", ""), await request.text()))
        return web.json_response({"level": 1}, status=203)

    assert (await asked(answer)).outcome is Outcome.OK
    post = {"method": "POST", "body": '{"query": "{level}"}', "headers": {"accept": "application/graphql", "X": "y"}}
    await asked(answer, **post, bearer_token=Secret("token"))
    await asked(answer, headers={"Authorization": Secret("Token abc")})
    assert seen == [
        ("GET", "application/json", "", ""),
        ("POST", "application/graphql", "Bearer token", '{"query": "{level}"}'),
        ("GET", "application/json", "Token abc", ""),
    ]
    assert (await asked(answer, valid_status=[200])).detail == "status 203"


@pytest.mark.parametrize(("status", "reason"), [(401, Reason.AUTH), (403, Reason.AUTH), (500, Reason.UNEXPECTED)])
async def test_a_status_that_is_not_good(status: int, reason: Reason) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({}, status=status)

    result = await asked(answer, basic_auth={"username": "a", "password": "b"})
    assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, reason, f"status {status}")
    assert values(result)["probe_http_status_code"] == status


async def test_redirects_follow_the_rules_of_http() -> None:
    async with saying(ok(b'{"level": 7}')) as there, probing(KIND) as prober:
        async with saying(redirect(f"http://localhost:{there.port}/")) as here:
            base: dict[str, Any] = {"url": f"http://127.0.0.1:{here.port}/", "metrics": [METRIC]}
            assert (await prober.run(**base)).detail == "redirect to another host: localhost"
            assert (await prober.run(**base, follow_redirects=False)).detail == "status 302"
            assert own(await prober.run(**base, allowed_redirect_hosts=["localhost"])) == {"level": 7}
        async with saying(redirect("/")) as loop:
            assert (await prober.run(url=f"http://127.0.0.1:{loop.port}/")).detail == "more than 3 redirects"


async def test_through_a_proxy() -> None:
    """The proxy gets the whole URL and its own credentials; the target's name is its to look up."""
    credentials = {"username": "p", "password": "q"}
    async with saying(ok(b'{"level": 7}')) as proxy, probing(KIND) as prober:
        result = await prober.run(
            url="http://far.invalid/x",
            metrics=[METRIC],
            proxy=f"http://127.0.0.1:{proxy.port}",
            proxy_auth=credentials,
        )
    assert own(result) == {"level": 7}
    assert proxy.requests[0].startswith("GET http://far.invalid/x HTTP/1.1\r\n")
    assert f"Proxy-Authorization: {encode_basic_auth('p', 'q')}" in proxy.requests[0]


async def test_through_a_proxy_over_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with saying(ok(b'{"level": 7}'), tls=authority.server("127.0.0.1")) as proxy, probing(KIND) as prober:
        base: dict[str, Any] = {"url": "http://far.invalid/x", "metrics": [METRIC]}
        through: dict[str, Any] = {"proxy": f"https://127.0.0.1:{proxy.port}"}
        assert own(await prober.run(**base, **through, proxy_tls={"ca_file": authority.ca_file})) == {"level": 7}
        assert (await prober.run(**base, **through)).reason is Reason.TLS


async def test_over_ipv6() -> None:
    async with saying(ok(b'{"level": 7}'), host="::1") as server, probing(KIND, {"x.example": "::1"}) as prober:
        result = await prober.run(url=f"http://x.example:{server.port}/", metrics=[METRIC], ip="ip6")
    assert own(result) == {"level": 7}
    assert values(result)["probe_ip_protocol"] == 6


async def test_from_which_address_and_to_which_family() -> None:
    sources: list[str | None] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        sources.append(request.remote)
        return web.json_response({"level": 1})

    assert (await asked(answer, source_ip="127.0.0.9", ip="ip4")).outcome is Outcome.OK
    assert sources == ["127.0.0.9"]
    async with saying(ok(b"{}")) as server, probing(KIND, {"x.example": "127.0.0.1"}) as prober:
        result = await prober.run(url=f"http://x.example:{server.port}/", source_ip="::1")
        assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.LOCAL)
        result = await prober.run(url=f"http://localhost.invalid:{server.port}/", ip="ip6")
        assert result.reason is Reason.RESOLVE


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/", Reason.REFUSED),
        ("http://nowhere.invalid/", Reason.RESOLVE),
        ("http://224.0.0.1/", Reason.UNREACHABLE),
    ],
)
async def test_nobody_there(url: str, reason: Reason) -> None:
    async with probing(KIND) as prober, leaving_nothing():
        result = await prober.run(url=url, metrics=[METRIC])
    assert (result.outcome, result.reason) == (Outcome.FAIL, reason)


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH_9.2p1\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
async def test_not_an_http_server(answer: bytes) -> None:
    async with saying(answer) as server, probing(KIND) as prober, leaving_nothing():
        result = await prober.run(url=f"http://127.0.0.1:{server.port}/", metrics=[METRIC])
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)


async def test_a_server_that_hangs() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"
    async with leaving_nothing(), saying(answer, then_hang=True) as server, probing(KIND) as prober:
        result = await prober.run(0.3, url=f"http://127.0.0.1:{server.port}/", metrics=[METRIC])
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert values(result)["probe_http_status_code"] == 200


GOOD = {"url": "https://a.example/"}
STEP = {"name": "a", "links": "a"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "url"),
        ({"method": "HEAD"}, "the answer to HEAD has no body to read"),
        ({"oauth2": {"token_url": "https://t.example", "client_id": "a", "client_secret": "b"}, "bearer_token": "x"},
         "give one of basic_auth, bearer_token, an Authorization header, oauth2"),
        ({"metrics": [METRIC | {"name": "hatang_x"}]}, "'hatang_x' is taken by the service itself"),
        ({"metrics": [METRIC | {"name": "probe_x"}]}, "'probe_x' is taken by the service itself"),
        ({"metrics": [METRIC | {"name": "up"}]}, "'up' is taken by the service itself or by Prometheus"),
        ({"metrics": [METRIC | {"name": "a-b"}]}, "should match pattern"),
        ({"metrics": [METRIC | {"name": "x_count"}]}, "no name ends in _bucket, _count"),
        ({"metrics": [METRIC | {"name": "x_total"}]}, "counters, and only they, end in _total"),
        ({"metrics": [METRIC | {"type": "counter"}]}, "counters, and only they, end in _total"),
        ({"metrics": [METRIC | {"name": "x_info"}]}, "`type: info`, and only that, in _info"),
        ({"metrics": [METRIC | {"type": "states"}]}, "`type: states` and `states` go together"),
        ({"metrics": [METRIC | {"states": ["a"]}]}, "`type: states` and `states` go together"),
        ({"metrics": [METRIC | {"type": "states", "states": []}]}, "at least one entry"),
        ({"metrics": [METRIC | {"label": "a"}]}, "`label` is for `type: states`"),
        ({"metrics": [METRIC | {"type": "states", "states": ["a"], "scale": 2}]}, "`scale` is for numbers"),
        ({"metrics": [METRIC | {"type": "states", "states": ["a"], "map": {"a": 1}}]}, "`map` is for numbers"),
        ({"metrics": [METRIC | {"type": "info", "name": "x_info"}]}, "is always 1: `value` is not needed"),
        ({"metrics": [METRIC | {"value": None}]}, "level: `value` is missing"),
        ({"metrics": [METRIC | {"value": "a ="}]}, "bad JMESPath"),
        ({"metrics": [METRIC | {"help": ""}]}, "at least 1 character"),
        ({"metrics": [METRIC | {"labels": {"target": "a"}}]}, "the label 'target' is reserved"),
        ({"metrics": [METRIC | {"labels": dict.fromkeys("abcd", "a")}]}, "at most 3 items"),
        ({"metrics": [METRIC | {"labels": dict.fromkeys("abc", "a"), "type": "states", "states": ["x"]}]},
         "level in `metrics`: more than 3 labels: a, b, c, level"),
        ({"metrics": [METRIC | {"labels": {"level": "a"}, "type": "states", "states": ["x"]}]}, "a label twice"),
        ({"metrics": [METRIC, METRIC | {"help": "Other."}]}, "level twice in `metrics`: with another help"),
        ({"metrics": [METRIC | {"of": "b"}]}, "level in `metrics`: 'b' is none of root"),
        ({"metrics": [METRIC | {"labels": {"x": {"of": "a", "value": "b"}}}], "follow": [STEP]},
         "level in `metrics`: label x: 'a' is none of root"),
        ({"follow": [STEP, STEP]}, "the name 'a' twice in `follow`"),
        ({"follow": [STEP | {"name": "root"}]}, "the name 'root' twice in `follow`"),
        ({"follow": [STEP | {"of": "b"}]}, "'b', which holds 'a' in `follow`, is none of root"),
        ({"follow": [{"name": f"s{n}", "links": "a", "of": f"s{n - 1}" if n else "root"} for n in range(6)]},
         "more than 5 steps in `follow` to 's5'"),
        ({"paging": {"by": "next-link"}}, "`by: next-link` needs `next`"),
        ({"paging": {"by": "cursor", "next": "a"}}, "`by: cursor` needs `parameter`"),
        ({"paging": {"by": "offset", "parameter": "a"}}, "`by: offset` needs `items`"),
        ({"paging": {"by": "link-header", "next": "a"}}, "`next` is not for `by: link-header`"),
        ({"paging": {"by": "cursor", "next": "a", "parameter": "b", "size_parameter": "c"}},
         "`size_parameter` needs `size`"),
        ({"max_rows": 0}, "greater than or equal to 1"),
        ({"concurrency": 17}, "less than or equal to 16"),
        ({"nonsense": 1}, "Extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RestSpec.model_validate(GOOD | settings if settings else {})
    assert words in str(caught.value)


def test_a_dump_shows_no_secret() -> None:
    oauth2 = {"token_url": "https://t.example/", "client_id": "id", "client_secret": Secret("SECRET-1")}
    spec = RestSpec.model_validate({**GOOD, "oauth2": oauth2, "headers": {"X-Key": Secret("SECRET-2")}})
    assert spec.oauth2 is not None
    assert spec.oauth2.request().private["Authorization"] == encode_basic_auth("id", "SECRET-1")
    shown = spec.model_dump_json() + repr(spec) + str(spec) + repr(spec.request) + repr(spec.oauth2.request())
    assert "SECRET" not in shown
    assert spec.peer == "a.example:443"
    assert all(field.description for field in RestSpec.model_fields.values())
