"""The http kind: what it sends, what it says of an answer, and what it refuses."""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
import zlib
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from collector.fields import Secret
from collector.model import Outcome, Reason, Result
from collector.probes.http import KIND, HttpSpec
from tests.http_peers import application, ok, peer, saying
from tests.probing import probing, values

STATUS_404 = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"


def has_ipv6() -> bool:
    """Whether this machine can listen on ::1."""
    try:
        with socket.socket(socket.AF_INET6) as listener:
            listener.bind(("::1", 0))
    except OSError:
        return False
    return True


async def ask(answer: bytes, **settings: Any) -> Result:
    """One run against a server that gives `answer`."""
    return (await asked(answer, **settings))[0]


async def asked(answer: bytes, **settings: Any) -> tuple[Result, str]:
    """One run against a server that gives `answer`; the result, and the request head that came."""
    async with saying(answer) as server, probing(KIND) as prober:
        result = await prober.run(url=f"http://127.0.0.1:{server.port}/", **settings)
    return result, server.requests[0]


async def test_a_good_answer_is_described() -> None:
    result, request = await asked(ok(b"hello", "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT"))
    seen = values(result)
    phases = {name: value for name, value in seen.items() if name.startswith("probe_http_duration_seconds")}
    assert result.outcome is Outcome.OK
    assert {name: value for name, value in seen.items() if "_duration_" not in name and "_lookup_" not in name} == {
        "probe_success": 1,
        "probe_ip_protocol": 4,
        "probe_http_status_code": 200,
        "probe_http_version": 1.1,
        "probe_http_ssl": 0,
        "probe_http_redirects": 0,
        "probe_http_content_length": 5,
        "probe_http_uncompressed_body_length": 5,
        "probe_http_last_modified_timestamp_seconds": 1445412480,
    }
    assert [name[28:-1] for name in phases] == ["resolve", "connect", "processing", "transfer"]
    assert all(value >= 0 for value in phases.values())
    assert sum(phases.values()) <= seen["probe_duration_seconds"]
    assert request.startswith("GET / HTTP/1.1\r\n")
    assert "Accept-Encoding: identity\r\n" in request
    assert "User-Agent: hatang/" in request
    assert "Connection: close" in request


async def test_phases_measure_what_they_are_named_for() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.3)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
        await asyncio.sleep(0.15)
        writer.write(b"b")

    async with peer(slow) as server, probing(KIND) as prober:
        seen = values(await prober.run(url=f"http://127.0.0.1:{server.port}/"))
    assert seen["probe_http_duration_seconds{connect}"] < 0.25
    assert seen["probe_http_duration_seconds{processing}"] >= 0.29
    assert 0.14 <= seen["probe_http_duration_seconds{transfer}"] < 0.29


async def test_an_answer_without_a_length_announces_none() -> None:
    seen = values(await ask(b"HTTP/1.0 200 OK\r\nLast-Modified: yesterday\r\n\r\nuntil the end"))
    assert seen["probe_http_version"] == 1.0
    assert seen["probe_http_uncompressed_body_length"] == 13
    assert "probe_http_content_length" not in seen
    assert "probe_http_last_modified_timestamp_seconds" not in seen


@pytest.mark.parametrize(
    "date", ["Wed, 21 Oct 2015 07:2999999999999999999:00 GMT", "Wed, 21 Oct 2015 07:28:00 +999999", "0"]
)
async def test_a_date_that_is_none_is_not_told(date: str) -> None:
    result = await ask(ok(b"", f"Last-Modified: {date}"))
    assert result.outcome is Outcome.OK
    assert "probe_http_last_modified_timestamp_seconds" not in values(result)


async def test_chunks_are_put_together() -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
    assert (await ask(answer, body_matches=["^hello$"])).outcome is Outcome.OK


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
async def test_method_headers_and_body_arrive(method: str) -> None:
    got: dict[str, Any] = {}

    async def echo(request: web.BaseRequest) -> web.Response:
        got.update(method=request.method, path=request.raw_path, headers=request.headers, body=await request.text())
        return web.Response(text="ok")

    body = None if method in ("GET", "HEAD", "OPTIONS") else "thân: được"
    async with application(echo) as port, probing(KIND) as prober:
        result = await prober.run(
            url=f"http://127.0.0.1:{port}/tra-cuu?q=a%20b#phan",
            method=method,
            headers={
                "Host": "cong.example",
                "User-Agent": "giam-sat",
                "Accept-Encoding": "gzip",
                "X-Thu": "1",
                "X-Key": Secret("s3cret"),
                "Content-Type": "text/x",
            },
            body=body,
        )
    assert result.outcome is Outcome.OK, result
    assert got["method"] == method
    assert got["path"] == "/tra-cuu?q=a%20b"
    assert got["body"] == (body or "")
    headers = got["headers"]
    assert (headers["Host"], headers["X-Thu"], headers["X-Key"]) == ("cong.example", "1", "s3cret")
    assert headers["Content-Type"] == "text/x"
    for name, value in (("Host", "cong.example"), ("User-Agent", "giam-sat"), ("Accept-Encoding", "gzip")):
        assert headers.getall(name) == [value]


async def test_a_secret_body_arrives() -> None:
    async def echo(request: web.BaseRequest) -> web.Response:
        return web.Response(text=await request.text())

    async with application(echo) as port, probing(KIND) as prober:
        url = f"http://127.0.0.1:{port}/"
        result = await prober.run(url=url, method="POST", body=Secret("mat-khau"), body_matches=["^mat-khau$"])
    assert result.outcome is Outcome.OK


async def test_the_configured_name_is_said_wherever_it_is_mapped_to() -> None:
    async with saying(ok()) as server, probing(KIND, {"cong.example": f"127.0.0.1:{server.port}"}) as prober:
        assert (await prober.run(url="http://cong.example/x")).outcome is Outcome.OK
        assert (await prober.run(url="http://cong.example:8080/x")).outcome is Outcome.OK
    assert "Host: cong.example\r\n" in server.requests[0]
    assert "Host: cong.example:8080\r\n" in server.requests[1]


async def test_basic_auth() -> None:
    result, request = await asked(ok(), basic_auth={"username": "giám sát", "password": "mật:khẩu"})
    assert result.outcome is Outcome.OK
    token = base64.b64encode("giám sát:mật:khẩu".encode()).decode()
    assert f"Authorization: Basic {token}\r\n" in request


async def test_bearer_token() -> None:
    result, request = await asked(ok(), bearer_token="abc.def")
    assert result.outcome is Outcome.OK
    assert "Authorization: Bearer abc.def\r\n" in request


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_an_auth_failure(status: int) -> None:
    answer = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
    for credentials in (
        {"basic_auth": {"username": "a", "password": "b"}},
        {"bearer_token": "x"},
        {"headers": {"authorization": Secret("Token x")}},
    ):
        result = await ask(answer, **credentials)
        assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, Reason.AUTH, f"status {status}")
        assert values(result)["probe_http_status_code"] == status
    assert (await ask(answer)).reason is Reason.UNEXPECTED


@pytest.mark.parametrize(
    ("valid", "good"), [([404], True), (["4xx"], True), (["400-410", 500], True), ([200, 403], False), (["2xx"], False)]
)
async def test_status_list(valid: list[int | str], good: bool) -> None:
    result = await ask(STATUS_404, valid_status=valid)
    assert result.outcome is (Outcome.OK if good else Outcome.FAIL)
    if not good:
        assert (result.reason, result.detail) == (Reason.UNEXPECTED, "status 404")
    assert values(result)["probe_http_status_code"] == 404


async def test_only_2xx_is_good_without_a_list() -> None:
    assert (await ask(b"HTTP/1.1 204 None\r\n\r\n")).outcome is Outcome.OK
    assert (await ask(b"HTTP/1.1 304 Same\r\n\r\n")).reason is Reason.UNEXPECTED
    assert (await ask(b"HTTP/1.1 101 Other\r\n\r\n")).reason is Reason.UNEXPECTED


async def test_interim_answers_are_not_the_answer() -> None:
    result = await ask(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n" + ok())
    assert values(result)["probe_http_status_code"] == 200


async def test_http_versions() -> None:
    old = b"HTTP/1.0 200 OK\r\n\r\n"
    assert (await ask(old, valid_http_versions=["HTTP/1.0", "HTTP/1.1"])).outcome is Outcome.OK
    result = await ask(old, valid_http_versions=["HTTP/1.1"])
    assert (result.reason, result.detail) == (Reason.UNEXPECTED, "HTTP/1.0")


async def test_fail_if_not_ssl() -> None:
    result = await ask(ok(), fail_if_not_ssl=True)
    assert result.reason is Reason.UNEXPECTED
    assert (await ask(ok(), fail_if_ssl=True)).outcome is Outcome.OK


PAGE = ok("Cổng dịch vụ công".encode(), "X-A: một", "X-A: hai", "X-Raw: \xff".encode("latin-1").decode("latin-1"))


@pytest.mark.parametrize(
    ("settings", "detail"),
    [
        ({"body_matches": ["dịch vụ", "^Cổng"]}, None),
        ({"body_matches": ["dịch vụ", "bảo trì"]}, "the body does not match 'bảo trì'"),
        ({"body_not_matches": ["bảo trì"]}, None),
        ({"body_not_matches": ["x", "(?i)CỔNG"]}, "the body matches '(?i)CỔNG'"),
        ({"header_matches": [{"header": "x-a", "regex": "^hai$"}]}, None),
        ({"header_matches": [{"header": "x-a", "regex": "ba"}]}, "header x-a does not match 'ba'"),
        ({"header_matches": [{"header": "x-b", "regex": "."}]}, "no header x-b"),
        ({"header_matches": [{"header": "x-b", "regex": ".", "allow_missing": True}]}, None),
        ({"header_not_matches": [{"header": "x-a", "regex": "ba"}]}, None),
        ({"header_not_matches": [{"header": "x-a", "regex": "hai"}]}, "header x-a matches 'hai'"),
        ({"header_not_matches": [{"header": "x-b", "regex": "."}]}, "no header x-b"),
        ({"header_not_matches": [{"header": "x-b", "regex": ".", "allow_missing": True}]}, None),
        ({"header_not_matches": [{"header": "x-raw", "regex": "y"}]}, None),
    ],
)
async def test_patterns(settings: dict[str, Any], detail: str | None) -> None:
    result = await ask(PAGE.replace("ÿ".encode(), b"\xff"), **settings)
    assert values(result)["probe_failed_due_to_regex"] == (detail is not None)
    assert result.reason is (None if detail is None else Reason.UNEXPECTED)
    assert result.detail == (detail or "")


async def test_patterns_in_a_large_body_are_searched_aside() -> None:
    body = b"x" * 1_000_000 + b"the end"
    assert (await ask(ok(body), body_matches=["the end$"])).outcome is Outcome.OK
    result = await ask(ok(body), body_not_matches=["the end$"])
    assert values(result)["probe_failed_due_to_regex"] == 1


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"status": "UP", "n": 3}', None),
        (b'{"status": "DOWN"}', "status == 'UP' is False, not true"),
        (b"<html>", "the body is not JSON"),
        (b'{"n": ' + b"9" * 5000 + b"}", "the body is not JSON"),
        (b"[" * 100_000, "the body is nested too deep"),
        (b"", "the body is not JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        (b'{"pad": "' + b"x" * 400_000 + b'", "status": "UP"}', None),
    ],
)
async def test_json_condition(body: bytes, detail: str | None) -> None:
    result = await ask(ok(body), json_condition="status == 'UP'")
    assert result.detail == (detail or "")
    assert result.reason is (None if detail is None else Reason.UNEXPECTED)


async def test_json_condition_that_is_no_truth() -> None:
    assert (await ask(ok(b'{"a": [1, 2]}'), json_condition="a")).detail == "a is [1, 2], not true"
    assert (await ask(ok(b'{"a": null}'), json_condition="length(a) > `1`")).reason is Reason.UNEXPECTED


GZIP = gzip.compress(b"hello " * 1000)


async def test_compression_is_asked_for_and_undone() -> None:
    for name, packed in (
        ("gzip", GZIP),
        ("deflate", zlib.compress(b"hello " * 1000)),
        ("deflate", zlib.compress(b"hello " * 1000, wbits=-15)),
    ):
        answer = ok(packed, f"Content-Encoding: {name}")
        result, request = await asked(answer, compression=name, body_matches=["hello"])
        assert result.outcome is Outcome.OK, result
        assert f"Accept-Encoding: {name}\r\n" in request
        assert request.count("Accept-Encoding") == 1
        assert values(result)["probe_http_content_length"] == len(packed)
        assert values(result)["probe_http_uncompressed_body_length"] == 6000


async def test_compression_that_was_not_asked_for_is_undone_too() -> None:
    assert (await ask(ok(GZIP, "Content-Encoding: gzip"), body_matches=["hello"])).outcome is Outcome.OK


async def test_an_answer_in_another_encoding_fails() -> None:
    result = await ask(ok(), compression="gzip")
    assert (result.reason, result.detail) == (Reason.UNEXPECTED, "encoding identity, not gzip")
    assert (await ask(ok(GZIP, "Content-Encoding: gzip"), compression="identity")).reason is Reason.UNEXPECTED
    assert (await ask(ok(b""), compression="gzip")).outcome is Outcome.OK


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
async def test_a_body_that_cannot_be_unpacked_is_a_protocol_failure(encoding: str) -> None:
    result = await ask(ok(b"\x0bthis is not packed", f"Content-Encoding: {encoding}"))
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)


async def test_size_limit() -> None:
    assert (await ask(ok(b"x" * 1000), max_size=1000)).outcome is Outcome.OK
    result = await ask(ok(b"x" * 1001), max_size=1000)
    assert (result.reason, result.detail) == (Reason.TOO_LARGE, "the body is larger than 1000 bytes")
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000
    assert (await ask(endless, max_size="1KB")).reason is Reason.TOO_LARGE
    packed = ok(GZIP, "Content-Encoding: gzip")
    assert (await ask(packed, max_size="1KB")).reason is Reason.TOO_LARGE
    assert values(await ask(packed, max_size="1KB"))["probe_http_status_code"] == 200


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
async def test_ipv6() -> None:
    async with saying(ok(), host="::1") as server, probing(KIND) as prober:
        result = await prober.run(url=f"http://[::1]:{server.port}/", ip="ip6")
    assert result.outcome is Outcome.OK
    assert values(result)["probe_ip_protocol"] == 6
    assert f"Host: [::1]:{server.port}\r\n" in server.requests[0]


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
async def test_address_family_is_the_one_asked_for() -> None:
    async with saying(ok(), host="::1") as server, probing(KIND, {"six.example": "[::1]"}) as prober:
        assert (await prober.run(url=f"http://six.example:{server.port}/", ip="prefer-ip6")).outcome is Outcome.OK


async def test_source_address() -> None:
    peers: list[str] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername")[0])
        writer.write(ok())

    async with peer(note) as server, probing(KIND) as prober:
        assert (await prober.run(url=f"http://127.0.0.1:{server.port}/", source_ip="127.0.0.9")).outcome is Outcome.OK
        impossible = await prober.run(url=f"http://127.0.0.1:{server.port}/", source_ip="192.0.2.1")
    assert peers == ["127.0.0.9"]
    assert (impossible.outcome, impossible.reason) == (Outcome.ERROR, Reason.LOCAL)


GOOD = {"url": "http://a.example/"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": "ftp://a/"}, "expected a URL such as"),
        ({"url": "a.example"}, "expected a URL such as"),
        ({"url": "http://"}, "expected a URL such as"),
        ({"url": "http://a\x1fb/"}, "expected a URL such as"),
        ({"url": "http://a b/"}, "expected a URL such as"),
        ({"url": "http://a:99999/"}, "expected a URL such as"),
        ({"url": "http://u:p@a/"}, "credentials do not belong in a URL"),
        ({"url": 5}, "expected a URL such as"),
        ({**GOOD, "valid_status": ["2yy"]}, "expected a status such as"),
        ({**GOOD, "valid_status": [99]}, "expected a status such as"),
        ({**GOOD, "valid_status": []}, "at least 1 item"),
        ({**GOOD, "method": "CONNECT"}, "CONNECT is for proxies"),
        ({**GOOD, "method": "G T"}, "expected a method in capital letters, such as GET"),
        ({**GOOD, "body": "x" * 1_100_000}, "at most 1 MiB"),
        ({**GOOD, "headers": {"X": "a\r\nb: c"}}, "cannot hold line breaks"),
        ({**GOOD, "headers": {"X": Secret("a\nb")}}, "cannot hold line breaks"),
        ({**GOOD, "headers": {"X Y": "a"}}, "should match pattern"),
        ({**GOOD, "headers": {"Content-Length": "5"}}, "the client sets Content-Length itself"),
        ({**GOOD, "bearer_token": "a", "headers": {"AUTHORIZATION": "b"}}, "give one of basic_auth"),
        ({**GOOD, "bearer_token": "a", "basic_auth": {"username": "a", "password": "b"}}, "give one of basic_auth"),
        ({**GOOD, "basic_auth": {"username": "a:b", "password": "b"}}, "should match pattern"),
        ({**GOOD, "bearer_token": "a\nb"}, "cannot hold line breaks"),
        ({**GOOD, "compression": "gzip", "headers": {"accept-encoding": "br"}}, "give one of compression"),
        ({**GOOD, "compression": "br"}, "'gzip', 'deflate' or 'identity'"),
        ({**GOOD, "fail_if_ssl": True, "fail_if_not_ssl": True}, "together always fail"),
        ({**GOOD, "proxy_auth": {"username": "a", "password": "b"}}, "proxy_auth needs proxy"),
        ({**GOOD, "valid_http_versions": ["HTTP/2"]}, "'HTTP/1.0' or 'HTTP/1.1'"),
        ({**GOOD, "body_matches": ["("]}, "bad regular expression"),
        ({**GOOD, "json_condition": "a ="}, "bad JMESPath"),
        ({**GOOD, "source_ip": "here"}, "expected an IPv4 or IPv6 address"),
        ({**GOOD, "url_": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        HttpSpec.model_validate(settings)
    assert words in str(caught.value)


def test_a_dump_shows_no_secret_and_reads_back() -> None:
    spec = HttpSpec.model_validate(
        {
            "url": "https://a.example:8443/x",
            "headers": {"X-Key": Secret("SECRET-1"), "Accept": "text/html"},
            "body": Secret("SECRET-2"),
            "basic_auth": {"username": "u", "password": "SECRET-3"},
            "valid_status": [200, "3xx", "400-404"],
            "json_condition": "a",
        }
    )
    assert spec.request.private["X-Key"] == "SECRET-1"
    shown = spec.model_dump_json() + repr(spec) + str(spec) + repr(spec.request)
    assert "SECRET" not in shown
    assert "U0VDUkVU" not in shown
    assert spec.model_dump(mode="json")["valid_status"] == ["200", "300-399", "400-404"]
    assert spec.peer == "a.example:8443"
    assert HttpSpec.model_json_schema()["properties"]["url"]["pattern"] == "^https?://"
    assert all(field.description for field in HttpSpec.model_fields.values())


def test_equal_settings_are_equal_also_after_use() -> None:
    one, other = (HttpSpec.model_validate({**GOOD, "body_matches": ["a"]}) for _ in range(2))
    assert one.request.method == "GET"
    assert one == other
