"""The script as it is played: round after round, until the time is over or the province ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from collector.demo.alarms.chronicle import Chronicle
from collector.demo.children import ChildFailed, ProvinceProcess
from collector.demo.effects import Do
from collector.demo.faults import ROUND, Fault
from collector.demo.lab import Work, announce
from collector.demo.programme import Programme


class _Event(NamedTuple):
    moment: float
    fault: Fault
    begins: bool


class Rounds:
    """Plays faults in a province, announces planned work in the overlay `lab`, and has all of it written down."""

    def __init__(
        self,
        faults: Sequence[Fault],
        province: ProvinceProcess,
        lab: Path,
        chronicle: Chronicle,
        programme: Programme,
    ) -> None:
        events = [_Event(fault.begins, fault, True) for fault in faults]
        events += [_Event(fault.ends, fault, False) for fault in faults]
        self._events = sorted(events, key=lambda event: event.moment)
        self._faults = faults
        self._province = province
        self._lab = lab
        self._chronicle = chronicle
        self._programme = programme

    async def play(self, seconds: float | None) -> None:
        """Play for so many seconds, None for ever. Raises ChildFailed when the province ends by itself."""
        playing = asyncio.create_task(self._again_and_again())
        dying = asyncio.create_task(self._province.wait())
        try:
            done, _ = await asyncio.wait({playing, dying}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            playing.cancel()
            dying.cancel()
        if dying in done:
            raise ChildFailed(f"the simulated province ended: {dying.result()}")
        if playing in done:
            playing.result()

    async def _again_and_again(self) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while True:
            self._chronicle.anew()
            await self._announce(time.time() + begun - loop.time())
            for event in self._events:
                await asyncio.sleep(begun + event.moment - loop.time())
                await self._happen(event)
            begun += ROUND
            await asyncio.sleep(begun - loop.time())

    async def _happen(self, event: _Event) -> None:
        course = None if event.begins else await self._chronicle.ends(event.fault)
        if event.begins:
            await self._chronicle.begins(event.fault)
        for effect in event.fault.effects:
            if effect.do is not Do.ANNOUNCE:
                await self._province.apply(effect, event.begins)
        self._programme.fault(event.fault, event.begins)
        if course is not None:
            self._programme.course(course)

    async def _announce(self, begun: float) -> None:
        """Have this round's planned work in the configuration before it begins; `begun` is Unix seconds."""
        planned = [
            Work(effect.on, begun + fault.begins, effect.amount)
            for fault in self._faults
            for effect in fault.effects
            if effect.do is Do.ANNOUNCE
        ]
        if planned:
            await asyncio.to_thread(announce, self._lab, planned)
