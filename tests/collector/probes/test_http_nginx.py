"""The http kind against a real nginx, as a user has it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import encode_basic_auth

from collector.model import Outcome, Reason
from collector.probes.http import KIND
from tests.peers import Authority, leaving_nothing
from tests.probing import probing, values

pytestmark = pytest.mark.real

CONFIGURATION = """
daemon off; worker_processes 1; pid {here}/pid; error_log {here}/error.log; {user}
events {{ worker_connections 64; }}
http {{
  access_log off; default_type text/html; charset utf-8; root {here}/www; gzip on; gzip_min_length 20;
  client_body_temp_path {here}/t1; proxy_temp_path {here}/t2; fastcgi_temp_path {here}/t3;
  uwsgi_temp_path {here}/t4; scgi_temp_path {here}/t5;
  server {{
    listen 127.0.0.1:{plain}; server_name portal.example; absolute_redirect off;
    location = /old {{ return 301 /; }}
    location = /away {{ return 302 https://portal.example/; }}
    location = /cookie {{
      if ($cookie_seen) {{ return 200 "welcome back\\n"; }}
      add_header Set-Cookie "seen=yes; Path=/" always; return 302 /cookie;
    }}
    location = /closed {{ auth_basic "closed"; auth_basic_user_file {here}/users; try_files /index.html =404; }}
    location = /api {{ default_type application/json; return 200 '{{"status": "UP", "queue": 3}}'; }}
  }}
  server {{
    listen 127.0.0.1:{plain}; server_name old.example; return 200 "old\\n"; keepalive_timeout 0;
  }}
  server {{
    listen 127.0.0.1:{secure} ssl; server_name portal.example; ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {cert_file}; ssl_certificate_key {key_file};
    ssl_client_certificate {here}/ca.pem; ssl_verify_client optional;
    location = /members {{ if ($ssl_client_verify != SUCCESS) {{ return 403; }} return 200 "member\\n"; }}
  }}
}}
"""
PAGE = "<h1>Cổng dịch vụ công tỉnh Quảng Ngãi</h1>\n" * 20
MODIFIED = datetime(2025, 3, 1, tzinfo=UTC).timestamp()


@dataclass
class Nginx:
    """Where it listens, and whose certificate it has."""

    plain: int
    secure: int
    authority: Authority

    @property
    def addresses(self) -> dict[str, str]:
        """As an address map has it."""
        return {"*.example:80": f"127.0.0.1:{self.plain}", "*.example:443": f"127.0.0.1:{self.secure}"}

    @property
    def tls(self) -> dict[str, object]:
        """Settings that trust it."""
        return {"ca_file": self.authority.ca_file}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@asynccontextmanager
async def nginx(program: str, here: Path) -> AsyncIterator[Nginx]:
    """A running nginx that serves `here`/www."""
    served = Nginx(free_port(), free_port(), Authority(here))
    for folder in ("tls", "www"):
        (here / folder).mkdir()
    files = served.authority.server_files(here / "tls", "portal.example")
    (here / "www" / "index.html").write_text(PAGE)
    os.utime(here / "www" / "index.html", (MODIFIED, MODIFIED))
    (here / "users").write_text("giamsat:{PLAIN}mat khau\n")
    user = "user root root;" if os.geteuid() == 0 else ""
    (here / "nginx.conf").write_text(
        CONFIGURATION.format(here=here, user=user, plain=served.plain, secure=served.secure, **files)
    )
    process = await asyncio.create_subprocess_exec(program, "-c", here / "nginx.conf", "-e", here / "error.log")
    try:
        await listening(served.secure)
        yield served
    finally:
        process.terminate()
        await process.wait()


async def listening(port: int) -> None:
    """Wait until something listens."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        await writer.wait_closed()
        return


async def test_pages(real: Callable[[str], str], tmp_path: Path) -> None:
    async with nginx(real("nginx"), tmp_path) as server, probing(KIND, server.addresses) as prober, leaving_nothing():
        page = await prober.run(url="http://portal.example/", body_matches=["dịch vụ công"], body_not_matches=["nginx"])
        assert page.outcome is Outcome.OK, page
        seen = values(page)
        assert seen["probe_http_content_length"] == len(PAGE.encode())
        assert seen["probe_http_uncompressed_body_length"] == len(PAGE.encode())
        assert seen["probe_http_last_modified_timestamp_seconds"] == MODIFIED
        packed = await prober.run(url="http://portal.example/", compression="gzip", body_matches=["dịch vụ công"])
        assert packed.outcome is Outcome.OK, packed
        assert values(packed)["probe_http_uncompressed_body_length"] == len(PAGE.encode())
        assert "probe_http_content_length" not in values(packed)
        head = await prober.run(url="http://portal.example/", method="HEAD")
        assert values(head)["probe_http_uncompressed_body_length"] == 0
        missing = await prober.run(url="http://portal.example/missing")
        assert (missing.reason, missing.detail) == (Reason.UNEXPECTED, "status 404")
        other = await prober.run(url="http://old.example/", body_matches=["^old$"])
        assert other.reason is Reason.UNEXPECTED
        json = await prober.run(url="http://portal.example/api", json_condition="status == 'UP' && queue < `5`")
        assert json.outcome is Outcome.OK, json


async def test_redirects_and_cookies(real: Callable[[str], str], tmp_path: Path) -> None:
    async with nginx(real("nginx"), tmp_path) as server, probing(KIND, server.addresses) as prober, leaving_nothing():
        moved = await prober.run(url="http://portal.example/old", body_matches=["dịch vụ công"])
        assert values(moved)["probe_http_redirects"] == 1
        up = await prober.run(url="http://portal.example/away", fail_if_not_ssl=True, tls=server.tls)
        assert up.outcome is Outcome.OK, up
        greeted = await prober.run(url="http://portal.example/cookie", body_matches=["welcome back"])
        assert greeted.outcome is Outcome.OK, greeted


async def test_credentials(real: Callable[[str], str], tmp_path: Path) -> None:
    async with nginx(real("nginx"), tmp_path) as server, probing(KIND, server.addresses) as prober, leaving_nothing():
        url = "http://portal.example/closed"
        good = await prober.run(url=url, basic_auth={"username": "giamsat", "password": "mat khau"})
        assert good.outcome is Outcome.OK, good
        by_hand = await prober.run(url=url, headers={"Authorization": encode_basic_auth("giamsat", "mat khau")})
        assert by_hand.outcome is Outcome.OK, by_hand
        bad = await prober.run(url=url, basic_auth={"username": "giamsat", "password": "sai"})
        assert (bad.reason, bad.detail) == (Reason.AUTH, "status 401")
        none = await prober.run(url=url)
        assert none.reason is Reason.UNEXPECTED


async def test_tls(real: Callable[[str], str], tmp_path: Path) -> None:
    async with nginx(real("nginx"), tmp_path) as server, probing(KIND, server.addresses) as prober, leaving_nothing():
        page = await prober.run(url="https://portal.example/", tls=server.tls, body_matches=["dịch vụ công"])
        assert page.outcome is Outcome.OK, page
        assert values(page)["probe_ssl_verified"] == 1
        distrusted = await prober.run(url="https://portal.example/")
        assert distrusted.reason is Reason.TLS
        expiry = "probe_ssl_leaf_cert_expiry_timestamp_seconds"
        assert values(distrusted)[expiry] == values(page)[expiry]
        stranger = await prober.run(url="https://portal.example/members", tls=server.tls)
        assert (stranger.reason, stranger.detail) == (Reason.UNEXPECTED, "status 403")
        client = {**server.tls, **server.authority.client_files()}
        member = await prober.run(url="https://portal.example/members", tls=client, body_matches=["member"])
        assert member.outcome is Outcome.OK, member
        plain_port = await prober.run(url=f"https://portal.example:{server.plain}/", tls=server.tls)
        assert plain_port.outcome is Outcome.FAIL
        tls_port = await prober.run(url=f"http://127.0.0.1:{server.secure}/")
        assert (tls_port.reason, tls_port.detail) == (Reason.UNEXPECTED, "status 400")
