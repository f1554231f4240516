"""Names to addresses by c-ares: bounded, cached, never in the shared thread pool."""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
from dataclasses import dataclass

import aiodns

from collector.model import ProbeFailed, Reason

# What the name server said about the name itself; everything else is the lookup's own failure.
_NO_SUCH_NAME = frozenset(
    {aiodns.error.ARES_ENOTFOUND, aiodns.error.ARES_ENODATA, aiodns.error.ARES_ENONAME, aiodns.error.ARES_EBADNAME}
)
# Codes that stand for an answer of the name server, whatever it says.
_ANSWERS = _NO_SUCH_NAME | {
    aiodns.error.ARES_EFORMERR,
    aiodns.error.ARES_ESERVFAIL,
    aiodns.error.ARES_ENOTIMP,
    aiodns.error.ARES_EREFUSED,
}
# c-ares shortens its first waits to a few times the usual latency, down to 0.25 s, and doubles them each try:
# so many tries span the whole limit, which is kept here.
_TRIES = 6
_SIGN_OF_LIFE_LIMIT = 1.0
_RECHECK_SECONDS = 1.0

_Key = tuple[str, socket.AddressFamily]


@dataclass(slots=True)
class _Answer:
    addresses: tuple[str, ...]
    expires: float
    stale_until: float


class Resolver:
    """Looks names up at `servers` (`host[:port]`; the system's if none), each within `timeout` seconds in all.

    One query at a time per name and family; answers are kept for their time to live. When the name server
    itself fails, the last good answer serves for one more lifetime; a name that it denies fails at once.
    `impaired` says that no name server answers anything: then what cannot be looked up is our own fault.
    """

    def __init__(self, servers: tuple[str, ...] = (), timeout: float = 2.0, max_entries: int = 20_000) -> None:
        self._dns = aiodns.DNSResolver(timeout=timeout / 2, tries=_TRIES, rotate=False)
        if servers:
            self._dns.nameservers = list(servers)
        self._timeout = timeout
        self._answers: dict[_Key, _Answer] = {}
        self._lookups: dict[_Key, asyncio.Task[tuple[str, ...]]] = {}
        self._max_entries = max_entries
        self._watch: asyncio.Task[None] | None = None

    @property
    def impaired(self) -> bool:
        """Whether no name server answers anything at present."""
        return self._watch is not None

    async def lookup(self, host: str, family: socket.AddressFamily) -> tuple[str, ...]:
        """Addresses of `host`, at least one. Raises ProbeFailed(RESOLVE); OSError when the fault is ours."""
        key = (host, family)
        answer = self._answers.get(key)
        if answer is not None and answer.expires > asyncio.get_running_loop().time():
            return answer.addresses
        if self.impaired:
            return self._stale(key, _no_name_server())
        task = self._lookups.get(key)
        if task is None:
            task = self._lookups[key] = asyncio.create_task(self._ask(key))
            task.add_done_callback(lambda done: self._finished(key, done))
        # The lookup outlives a waiter that runs out of time: the next waiter finds its answer.
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.cancelled() or _being_cancelled():
                raise
            raise OSError(errno.ENONET, "the resolver was closed meanwhile") from None

    async def close(self) -> None:
        """Give up every lookup under way."""
        tasks: list[asyncio.Task[tuple[str, ...]] | asyncio.Task[None]] = [*self._lookups.values()]
        if self._watch is not None:
            tasks.append(self._watch)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._dns.close()

    def _finished(self, key: _Key, task: asyncio.Task[tuple[str, ...]]) -> None:
        del self._lookups[key]
        if not task.cancelled():
            task.exception()  # seen, also when every waiter has given up

    async def _ask(self, key: _Key) -> tuple[str, ...]:
        host, family = key
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._timeout):
                found = await self._dns.getaddrinfo(host, family=family, type=socket.SOCK_STREAM)
        except TimeoutError:
            return self._stale(key, await self._blame(host, "no answer from the name server"))
        except UnicodeError as error:
            raise ProbeFailed(Reason.RESOLVE, f"{host}: not a host name: {error}") from error
        except aiodns.error.DNSError as error:
            return await self._without_answer(key, error)
        addresses = tuple(_text(node.addr[0]) for node in found.nodes if node.family == family)
        if not addresses:
            raise ProbeFailed(Reason.RESOLVE, f"{host} has no address of this family")
        self._keep(key, addresses, now, max(1.0, float(min(node.ttl for node in found.nodes))))
        return addresses

    def _keep(self, key: _Key, addresses: tuple[str, ...], now: float, lifetime: float) -> None:
        if len(self._answers) >= self._max_entries and key not in self._answers:
            del self._answers[next(iter(self._answers))]
        self._answers[key] = _Answer(addresses, now + lifetime, now + 2 * lifetime)

    async def _without_answer(self, key: _Key, error: aiodns.error.DNSError) -> tuple[str, ...]:
        code, words = error.args[0], str(error.args[-1])
        if code in _NO_SUCH_NAME:
            self._answers.pop(key, None)
            raise ProbeFailed(Reason.RESOLVE, f"{key[0]}: {words}") from error
        if code in _ANSWERS:
            return self._stale(key, ProbeFailed(Reason.RESOLVE, f"{key[0]}: {words}"))
        return self._stale(key, await self._blame(key[0], words))

    def _stale(self, key: _Key, failure: Exception) -> tuple[str, ...]:
        answer = self._answers.get(key)
        if answer is not None and answer.stale_until > asyncio.get_running_loop().time():
            return answer.addresses
        raise failure

    async def _blame(self, host: str, words: str) -> Exception:
        """Whose fault silence is: the name's, unless the name servers say nothing at all."""
        if self.impaired or not await self._alive():
            if self._watch is None:
                self._watch = asyncio.create_task(self._await_recovery())
            return _no_name_server()
        return ProbeFailed(Reason.RESOLVE, f"{host}: {words}")

    async def _alive(self) -> bool:
        # RFC 6761 section 6.4: every name under `invalid.` is denied at once; a new one each time passes all caches.
        name = f"{secrets.token_hex(8)}.invalid."
        try:
            async with asyncio.timeout(min(self._timeout, _SIGN_OF_LIFE_LIMIT)):
                await self._dns.query_dns(name, "A")
        except TimeoutError:
            return False
        except aiodns.error.DNSError as error:
            return error.args[0] in _ANSWERS
        return True

    async def _await_recovery(self) -> None:
        alive = False
        while not alive:
            await asyncio.sleep(_RECHECK_SECONDS)
            alive = await self._alive()
        self._watch = None


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _no_name_server() -> OSError:
    return OSError(errno.ENONET, "no name server answers")


def _text(address: str | bytes) -> str:
    return address.decode() if isinstance(address, bytes) else address
