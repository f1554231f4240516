"""Warm SNMP sessions: one UDP socket of gufo-snmp per device, and one question at a time on it.

gufo-snmp's sockets encode, decode, authenticate and match answers to questions; they are used without the library's
asynchronous session around them, which registers its descriptor anew for every packet (twice the CPU of a poll),
begins its time limit again at every stray packet, and tells neither packets nor the end of a table apart from errors.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gufo.snmp import NoSuchInstance, SnmpAuthError, SnmpError, User
from gufo.snmp._fast import GetIter, SnmpV1ClientSocket, SnmpV2cClientSocket, SnmpV3ClientSocket

from collector.devices import Raw
from collector.net import Endpoint
from collector.snmp.credentials import Credentials

Cursor = GetIter
# An agent takes a message for stale when its clock is 150 s away from ours (RFC 3414 section 2.2.3).
_CLOCK_LIFETIME = 120.0
_STRAY_LIMIT = 1000
# What cannot be decoded may be somebody's noise in front of the answer: it gets so many seconds more to come.
_GRACE = 0.05
_GROUP = 32
# A device that nobody asked for so long is no longer configured, or can wait for a new session.
_IDLE = 3600.0
_ERRNO = re.compile(r"\(os error (\d+)\)")


class Undecodable(Exception):
    """What came is no SNMP message, or one that is longer than the library takes (4,080 octets)."""


class Refused(Exception):
    """The agent answered with a report: user, key, protocol, engine or clock are not what it expects."""


@dataclass(slots=True)
class Learned:
    """What a device taught us, for as long as its session is warm."""

    group: int = _GROUP  # objects in one GET
    absent: dict[str, float] = field(default_factory=dict)  # objects it lacks, until when we take that for granted
    rows: dict[str, int] = field(default_factory=dict)  # rows of a column at the last walk
    repetitions: dict[str, int] = field(default_factory=dict)  # most rows of a column that fit an answer
    singly: set[str] = field(default_factory=set)  # columns where GETBULK fails and GETNEXT does not


class Session:
    """A socket connected to one agent. Hold `lock` while asking; any error but NoSuchInstance means: discard it."""

    def __init__(self, endpoint: Endpoint, credentials: Credentials, user: User | None) -> None:
        self.lock = asyncio.Lock()
        self.version = credentials.version
        self.learned = Learned()
        self.packets = 0
        self.warm = False
        self.discarded = False
        self.used = time.monotonic()
        self._endpoint = endpoint
        self._community = credentials.community
        self._user = user
        self._loop = asyncio.get_running_loop()
        self._socket: Any = None
        self._receive: Callable[[], Any] | None = None
        self._waiter: asyncio.Future[Any] | None = None
        self._strays = 0
        self._noise = False
        self._clock = 0.0

    async def get_many(self, oids: list[str], timeout: float) -> dict[str, Raw]:
        """Answers by OID; without those that the agent lacks; empty when it answers with an error."""
        if self._socket is None or self._user is not None:
            await self._prepare(timeout)
        found: dict[str, Raw] = await self._exchange(
            self._socket.send_get_many, (oids,), self._socket.recv_get_many, timeout
        )
        return found

    async def get(self, oid: str, timeout: float) -> Raw | None:
        """The answer; None when the agent answers with an error. Raises NoSuchInstance when the agent lacks it."""
        await self._prepare(timeout)
        found: Raw | None = await self._exchange(self._socket.send_get, (oid,), self._socket.recv_get, timeout)
        return found

    async def get_bulk(self, cursor: Cursor, timeout: float) -> list[tuple[str, Raw] | None] | None:
        """Next rows, None behind the last one of the subtree; None for the end of the MIB or an error."""
        await self._prepare(timeout)
        receive = partial(self._socket.recv_get_bulk, cursor)
        rows: list[tuple[str, Raw] | None] | None = await self._exchange(
            self._socket.send_get_bulk, (cursor,), receive, timeout
        )
        return rows

    async def get_next(self, cursor: Cursor, timeout: float) -> tuple[str, Raw] | None:
        """Next row; None for the end of the subtree or an error."""
        await self._prepare(timeout)
        receive = partial(self._socket.recv_get_next, cursor)
        row: tuple[str, Raw] | None = await self._exchange(self._socket.send_get_next, (cursor,), receive, timeout)
        return row

    def close(self) -> None:
        """Give the descriptor back; the next question opens a new one, and looks up engine and clock anew."""
        if self._socket is not None:
            self._loop.remove_reader(self._socket.get_fd())
        self._socket = self._receive = None
        self.warm = False

    async def _prepare(self, timeout: float) -> None:
        if self._socket is None:
            await self._open(timeout)
        elif self._user is not None and time.monotonic() - self._clock > _CLOCK_LIFETIME:
            await self._refresh(timeout)

    async def _open(self, timeout: float) -> None:
        try:
            self._socket = self._new_socket()
        except OSError as error:
            raise _explained(error) from None
        self._loop.add_reader(self._socket.get_fd(), self._readable)
        if self._user is None:
            return
        user = self._user
        await self._refresh(timeout)
        self._socket.set_keys(
            user.name, user.get_auth_alg(), user.get_auth_key(), user.get_priv_alg(), user.get_priv_key()
        )
        if user.require_auth():
            await self._refresh(timeout)

    def _new_socket(self) -> SnmpV1ClientSocket | SnmpV2cClientSocket | SnmpV3ClientSocket:
        address = _address(self._endpoint)
        if self.version == "1":
            return SnmpV1ClientSocket(address, self._community, 0, 0, 0, 0)
        if self.version == "2c":
            return SnmpV2cClientSocket(address, self._community, 0, 0, 0, 0)
        # The keys depend on the agent's engine, which is not known yet.
        return SnmpV3ClientSocket(address, b"", "", 0, b"", 0, b"", 0, 0, 0, 0)

    async def _refresh(self, timeout: float) -> None:
        await self._exchange(self._socket.send_refresh, (), self._socket.recv_refresh, timeout)

    async def _exchange(
        self, send: Callable[..., None], question: tuple[Any, ...], receive: Callable[[], Any], timeout: float
    ) -> Any:
        """One packet out, its answer in. Raises TimeoutError, OSError, Undecodable, Refused, NoSuchInstance."""
        self._receive, self._strays, self._noise = receive, 0, False
        self.packets += 1
        waiter = self._waiter = self._loop.create_future()
        timer = self._loop.call_later(timeout, _expire, waiter, TimeoutError())
        try:
            send(*question)
            answer = await waiter
        except OSError as error:
            raise _explained(error) from None
        finally:
            timer.cancel()
            self._waiter = None
        self.warm = True
        if self._user is not None:
            self._clock = time.monotonic()
        return answer

    def _readable(self) -> None:
        waiter = self._waiter
        if waiter is not None and waiter.done():
            return  # what the task has yet to take comes first
        try:
            answer = self._receive() if self._receive else None
        except BlockingIOError:
            return  # a late answer, or somebody else's: the one we wait for may still come
        except StopAsyncIteration:
            answer = None
        except BaseException as error:  # noqa: BLE001  a panic of the decoder is no Exception
            problem = _explained(error)
            if waiter is not None:
                self._fail(waiter, problem)
                return
        if waiter is not None:
            waiter.set_result(answer)
        else:
            self._stray()

    def _fail(self, waiter: asyncio.Future[Any], problem: Exception) -> None:
        if not isinstance(problem, Undecodable):
            waiter.set_exception(problem)
        elif not self._noise:
            self._noise = True
            self._loop.call_later(_GRACE, _expire, waiter, problem)

    def _stray(self) -> None:
        self._strays += 1
        if self._strays > _STRAY_LIMIT:
            self.close()  # nobody asked: let the kernel refuse the flood


def _address(endpoint: Endpoint) -> str:
    """As the library wants it: IPv6 in brackets, its zone (fe80::1%eth0) by number. Raises OSError."""
    if ":" not in endpoint.ip:
        return f"{endpoint.ip}:{endpoint.port}"
    address, _, zone = endpoint.ip.partition("%")
    number = "" if not zone else f"%{zone if zone.isdigit() else socket.if_nametoindex(zone)}"
    return f"[{address}{number}]:{endpoint.port}"


def _expire(waiter: asyncio.Future[Any], problem: Exception) -> None:
    if not waiter.done():
        waiter.set_exception(problem)


def _explained(error: BaseException) -> Exception:
    """What the library meant. Raises `error` itself when it is none of the library's."""
    words = str(error)
    if isinstance(error, TimeoutError):
        return ConnectionRefusedError(errno.ECONNREFUSED, words) if words else error
    if isinstance(error, OSError):
        number = _ERRNO.search(words)
        return OSError(int(number[1]), os.strerror(int(number[1]))) if number and error.errno is None else error
    if isinstance(error, NoSuchInstance):
        return error
    if isinstance(error, SnmpAuthError):
        return Refused(words)
    # Some malformed messages surface as RuntimeError, some make the decoder panic.
    if isinstance(error, (SnmpError, RuntimeError)) or type(error).__name__ == "PanicException":
        return Undecodable(words)
    raise error


class Sessions:
    """Warm sessions by agent and credentials; of those not in use, the least recently used goes first.

    It goes when there are too many, or when it has not been used for an hour.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sessions: OrderedDict[tuple[str, int, Credentials], Session] = OrderedDict()
        self._users: dict[Credentials, User] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    async def take(self, endpoint: Endpoint, credentials: Credentials) -> Session:
        """The session of an agent, locked; `give` it back. Two targets on one agent take turns."""
        key = (endpoint.ip, endpoint.port, credentials)
        user = await self._user(credentials) if credentials.version == "3" else None
        while True:
            session = self._sessions.get(key)
            if session is None:
                session = self._sessions[key] = Session(endpoint, credentials, user)
            self._sessions.move_to_end(key)
            await session.lock.acquire()
            if not session.discarded:
                session.used = time.monotonic()
                self._shrink()
                return session
            session.lock.release()

    def give(self, endpoint: Endpoint, credentials: Credentials, session: Session, keep: bool) -> None:
        """Back from use; not kept when anything failed, because a session does not recover from everything."""
        if not keep:
            session.discarded = True
            session.close()
            key = (endpoint.ip, endpoint.port, credentials)
            if self._sessions.get(key) is session:
                del self._sessions[key]
        session.lock.release()

    def close(self) -> None:
        """Give all descriptors back."""
        for session in self._sessions.values():
            session.discarded = True
            session.close()
        self._sessions.clear()

    def _shrink(self) -> None:
        for key, session in self._sessions.items():
            if session.lock.locked():
                continue
            if len(self._sessions) > self._limit or time.monotonic() - session.used > _IDLE:
                session.discarded = True
                session.close()
                del self._sessions[key]
            return

    async def _user(self, credentials: Credentials) -> User:
        user = self._users.get(credentials)
        if user is None:
            user = self._users[credentials] = await asyncio.to_thread(credentials.localizable)
        return user
