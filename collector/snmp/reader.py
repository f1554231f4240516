"""Questions to a device in one run: retries within the deadline, and the guards against what devices answer."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from gufo.snmp import NoSuchInstance

from collector.devices import Raw
from collector.model import ProbeFailed, Reason
from collector.net import failure
from collector.snmp.session import Cursor, Refused, Session, Undecodable

A = TypeVar("A")
Q = TypeVar("Q")
Column = dict[str, Raw]
NO_ANSWER = "no answer: down, filtered, or wrong credentials"
# So that we say what was missing before the runner only says that time was up.
_RESERVE = 0.05
# An object that the device lacks is left out of the next GETs, because an SNMPv1 agent refuses the whole of them;
# one that makes it fail, for a shorter time.
_ABSENT_FOR = 600.0
_FAILING_FOR = 60.0
_ABSENT_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait for an answer (seconds), how often to ask again, how much to take at a time."""

    request_timeout: float
    retries: int
    max_repetitions: int
    any_order: bool


class Reader:
    """Asks one device; raises ProbeFailed for what is the device's fault, OSError for what is ours."""

    def __init__(self, session: Session, limits: Limits, deadline: float) -> None:
        """`deadline` is by the monotonic clock."""
        self._session = session
        self._limits = limits
        self._deadline = deadline
        self._was_warm = session.warm
        self._sent_before = session.packets
        self._left_out = 0
        self.trouble = "the agent answers, but has none of the values that are asked for"
        self.retried = 0
        self.returned = 0

    @property
    def packets(self) -> int:
        """Packets sent in this run."""
        return self._session.packets - self._sent_before

    @property
    def group(self) -> int:
        """Objects that go into one GET."""
        return self._session.learned.group

    def cost(self, column: str, rows: int) -> int:
        """Packets that a walk over `column` takes, which has about `rows` rows."""
        rows = self._session.learned.rows.get(column, rows) + 1
        per_packet = 1 if self._session.version == "1" else self._limits.max_repetitions
        return (rows + per_packet - 1) // per_packet

    async def get(self, oids: Iterable[str]) -> dict[str, Raw]:
        """Answers by OID; what the device lacks is left out."""
        learned = self._session.learned
        if learned.absent:
            now = time.monotonic()
            oids = [oid for oid in oids if learned.absent.get(oid, 0.0) < now]
        wanted, answers = list(oids), {}
        while wanted:
            size = learned.group
            answers.update(await self._get(wanted[:size]))
            wanted = wanted[size:]
        return answers

    async def _get(self, oids: list[str]) -> dict[str, Raw]:
        if len(oids) == 1:
            return await self._single(oids[0])
        try:
            answers = await self._ask(self._session.get_many, oids)
        except Undecodable:
            answers = {}
            too_long = True
        else:
            too_long = self._session.version != "1"
            if not answers.keys().isdisjoint(oids):
                self.returned += len(answers)
                return answers
        # tooBig, genErr, an SNMPv1 agent that lacks one of them, or one that lacks them all: it looks the same.
        half, left_out = (len(oids) + 1) // 2, self._left_out
        first, second = await self._get(oids[:half]), await self._get(oids[half:])
        if too_long and first and second and left_out == self._left_out:
            self._session.learned.group = half
        return first | second

    async def _single(self, oid: str) -> dict[str, Raw]:
        for attempt in range(self._limits.retries + 1):
            try:
                answers = await self._ask(self._session.get_many, [oid])
                if oid in answers:
                    self.returned += 1
                    return {oid: answers[oid]}
                if self._session.version != "1":
                    # Not for its value, which comes without a name: it tells what is lacking from what fails.
                    await self._ask(self._session.get, oid)
            except NoSuchInstance:
                return self._leave_out(oid, _ABSENT_FOR)
            except Undecodable as error:
                if attempt < self._limits.retries:
                    continue
                self.trouble = _undecodable(error)
            break
        return self._leave_out(oid, _ABSENT_FOR if self._session.version == "1" else _FAILING_FOR)

    def _leave_out(self, oid: str, seconds: float) -> dict[str, Raw]:
        absent = self._session.learned.absent
        if len(absent) >= _ABSENT_LIMIT:
            absent.clear()
        absent[oid] = time.monotonic() + seconds
        self._left_out += 1
        return {}

    async def walk(self, root: str, limit: int) -> tuple[Column, int]:
        """Answers below `root` by the rest of their OID, at most `limit`; and how many more were seen.

        Raises ProbeFailed(PROTOCOL) when the OIDs do not increase, unless the target allows that: then the walk ends
        where an OID comes again.
        """
        learned = self._session.learned
        while True:
            repetitions = self._repetitions(root)
            try:
                rows, more = await self._walk(root, limit, repetitions)
            except Undecodable as error:
                if repetitions == 1:
                    raise ProbeFailed(Reason.PROTOCOL, _undecodable(error)) from error
                # Too long for the library, or mutilated: fewer rows at a time, from the start.
                learned.repetitions[root] = repetitions // 2
                continue
            learned.rows[root] = len(rows)
            self.returned += len(rows)
            return rows, more

    def _repetitions(self, root: str) -> int:
        learned = self._session.learned
        most = min(self._limits.max_repetitions, learned.repetitions.get(root, self._limits.max_repetitions))
        # One more than last time, to see the end; the agent is spared rows of the next column.
        return min(most, learned.rows.get(root, most) + 1)

    async def _walk(self, root: str, limit: int, repetitions: int) -> tuple[Column, int]:
        cursor, rows = Cursor(root, repetitions), Rows(root, limit, self._limits.any_order)
        learned = self._session.learned
        bulk = self._session.version != "1" and root not in learned.singly
        stops = 0
        while not rows.ended:
            batch = await self._ask(self._session.get_bulk, cursor) if bulk else None
            if batch is None:
                # The end of all objects, or an error: the library does not say. One step tells.
                row = await self._ask(self._session.get_next, cursor)
                stops += bulk
                batch = [row]
                if row is not None and stops > 1:
                    learned.singly.add(root)
                    bulk = False
            rows.add(batch)
        return rows.found, rows.more

    async def _ask(self, question: Callable[[Q, float], Awaitable[A]], about: Q) -> A:
        """One question, asked again while there is time. Raises Undecodable and NoSuchInstance as they are."""
        attempt = 0
        while True:
            try:
                return await question(about, self._patience())
            except TimeoutError as error:
                if attempt == self._limits.retries:
                    raise self._silent() from error
            except Refused as error:
                if not self._was_warm or self._session.version != "3":
                    raise self._rejected(str(error)) from error
            except OSError as error:
                raise failure(error) from error
            attempt += 1
            self.retried += 1
            if self._was_warm and self._session.version == "3":
                self._was_warm = False
                self._session.close()  # the agent may have restarted: another engine, another clock

    def _patience(self) -> float:
        left = self._deadline - time.monotonic() - _RESERVE
        if left <= 0:
            raise self._silent()
        return min(left, self._limits.request_timeout)

    def _silent(self) -> ProbeFailed:
        if self.returned:
            return ProbeFailed(Reason.TIMEOUT, f"stopped answering after {self.returned} values")
        return ProbeFailed(Reason.TIMEOUT, NO_ANSWER)

    def _rejected(self, words: str) -> ProbeFailed:
        if self._session.version == "3":
            return ProbeFailed(Reason.AUTH, f"{words}: the device refuses this user, protocol or key")
        return ProbeFailed(Reason.PROTOCOL, "a report, which only SNMPv3 has")


def _undecodable(error: Undecodable) -> str:
    return f"an answer that cannot be decoded: {error}"


class Rows:
    """Rows of one walk, as they come; judges their order and number."""

    def __init__(self, root: str, limit: int, any_order: bool) -> None:
        self.found: Column = {}
        self.more = 0
        self.ended = False
        self._root = root
        self._limit = limit
        self._any_order = any_order
        self._last: tuple[int, ...] = ()

    def add(self, batch: list[tuple[str, Raw] | None]) -> None:
        """Rows of one answer; None is the end. Raises ProbeFailed(PROTOCOL) when they do not increase."""
        start = len(self._root) + 1
        for row in batch:
            if row is None:
                self.ended = True
                return
            key = row[0][start:]
            if not self._follows(key):
                self.ended = True
                return
            if len(self.found) >= self._limit:
                self.more += 1
                self.ended = True
                continue
            self.found[key] = row[1]
        self.ended = self.ended or not batch

    def _follows(self, key: str) -> bool:
        if self._any_order:
            return bool(key) and key not in self.found
        arcs = tuple(map(int, key.split("."))) if key else ()
        if arcs <= self._last:
            raise ProbeFailed(Reason.PROTOCOL, f"OIDs under {self._root} do not increase: a fault of the agent")
        self._last = arcs
        return True
