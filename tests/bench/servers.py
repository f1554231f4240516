"""What is polled: nginx and net-snmp's snmpd as they come, and a server that takes its time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import trustme
import uvloop

from tests.bench.children import Broken, find, free_port, running

SLOWNESS = 0.02
PAGE = "<!doctype html><title>Trang thử</title>" + "<p>một dòng của trang thử</p>" * 50
# Each is a device of its own: a device answers one question at a time.
DEVICES = tuple(f"127.0.1.{number}" for number in range(1, 51))
COMMUNITY = "bench"

_NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log error; {user}
events {{ worker_connections 8192; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  default_type text/html; charset utf-8; ssl_certificate {folder}/nginx.pem; ssl_certificate_key {folder}/nginx.key;
  server {{
    listen 127.0.0.1:{plain} backlog=8192; listen 127.0.0.1:{tls} ssl backlog=8192; server_name localhost;
    location / {{ return 200 "{page}"; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """Where nginx listens; its certificate is of `authority` (PEM), for `localhost`."""

    plain: int
    tls: int
    authority: Path


@contextlib.asynccontextmanager
async def nginx(folder: Path) -> AsyncIterator[Nginx]:
    """One nginx worker that serves one page by HTTP and HTTPS. Raises Unavailable, Broken."""
    program = find("nginx")
    server = Nginx(free_port(), free_port(), folder / "ca.pem")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(server.authority)
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "nginx.key")
    for number, pem in enumerate(certificate.cert_chain_pems):
        pem.write_to_path(folder / "nginx.pem", append=number > 0)
    user = "user root;" if os.geteuid() == 0 else ""  # the folder is for its owner only
    config = _NGINX.format(folder=folder, plain=server.plain, tls=server.tls, page=PAGE.replace('"', "'"), user=user)
    (folder / "nginx.conf").write_text(config, encoding="utf-8")
    with running([program, "-p", str(folder), "-c", str(folder / "nginx.conf")], folder / "nginx.out") as child:
        await child.listening(server.plain)
        yield server


@contextlib.asynccontextmanager
async def snmpd(folder: Path) -> AsyncIterator[int]:
    """net-snmp's agent on one UDP port of every address in DEVICES. Raises Unavailable, Broken."""
    program, port = find("snmpd"), free_port(socket.SOCK_DGRAM)
    addresses = ",".join(f"udp:{address}:{port}" for address in DEVICES)
    config = f"rocommunity {COMMUNITY} 127.0.0.0/8\nsysservices 72\nagentaddress {addresses}\n"
    (folder / "snmpd.conf").write_text(config, encoding="utf-8")
    options = ["-f", "-LE", "3", "-C", "-c", str(folder / "snmpd.conf"), "-I", "-smux", "-p", str(folder / "snmpd.pid")]
    with running([program, *options], folder / "snmpd.out") as child:
        for _ in range(100):
            if _bound(port):
                break
            await asyncio.sleep(0.1)
        else:
            raise Broken(f"snmpd did not start: {child.last_words()}")
        yield port


def _bound(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            trial.bind((DEVICES[-1], port))
        except OSError:
            return True
    return False


@contextlib.contextmanager
def slow_server(folder: Path) -> Iterator[int]:
    """An HTTP server that answers `SLOWNESS` seconds after it was asked, in a process of its own."""
    port = free_port()
    with running([sys.executable, "-m", "tests.bench.servers", str(port)], folder / "slow.out"):
        yield port


class _Slow(asyncio.Protocol):
    """Answers each connection once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(SLOWNESS, self._answer)

    def _answer(self) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        self._transport.close()


async def _serve_slowly(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Slow, "127.0.0.1", port, backlog=8192)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve_slowly(int(sys.argv[1])))
