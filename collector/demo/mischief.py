"""Lays effects on the simulated province, and takes them off again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from yarl import URL

from collector.demo.agents.engine import STRANGER
from collector.demo.authority import Validity
from collector.demo.effects import Do, Effect
from collector.demo.mobile.air import Air
from collector.demo.mobile.rows import Twist
from collector.demo.pages import under_maintenance
from collector.demo.sites import Condition

if TYPE_CHECKING:
    from collector.demo.province import PoweredDevice, Province


class Mischief:
    """Applies effects. An effect that is begun twice is as good as once."""

    def __init__(self, province: Province) -> None:
        self._province = province
        self._ways: dict[Do, Callable[[Effect, bool], Awaitable[None]]] = {
            Do.CLOSE: self._close,
            Do.DELAY: self._on_page,
            Do.MAINTENANCE: self._on_page,
            Do.FLAP: self._on_page,
            Do.CERTIFICATE: self._certificate,
            Do.UNRESOLVE: self._unresolve,
            Do.SILENCE: self._silence,
            Do.CREDENTIALS: self._credentials,
            Do.MAINS: self._on_device,
            Do.FILL: self._on_device,
            Do.LINK: self._on_device,
            Do.FIGURE: self._figure,
            Do.MUTE: self._mute,
            Do.TRAP: self._trap,
            Do.SPOIL: self._spoil,
            Do.NODE: self._node,
            Do.BLACKOUT: self._blackout,
            Do.SWITCH_ON: self._switch_on,
        }

    async def apply(self, effect: Effect, begin: bool) -> None:
        """Begin or end an effect. Raises KeyError for what is not there, OSError, ValueError."""
        await self._ways[effect.do](effect, begin)

    async def _close(self, effect: Effect, begin: bool) -> None:
        host, _, port = effect.on.rpartition(":")
        door = self._province.doors[host, int(port)]
        if begin:
            door.close()
        else:
            await door.open()

    async def _on_page(self, effect: Effect, begin: bool) -> None:
        url = URL(effect.on)
        site = self._province.sites[str(url.host), url.port or 0]
        if url.path not in site.answers:
            raise KeyError(effect.on)
        site.conditions.pop(url.path, None)
        if begin:
            site.conditions[url.path] = Condition(
                delay=effect.amount if effect.do is Do.DELAY else 0.0,
                instead=under_maintenance(str(url.host)) if effect.do is Do.MAINTENANCE else None,
                flapping=effect.do is Do.FLAP,
            )

    async def _certificate(self, effect: Effect, begin: bool) -> None:
        context = self._province.contexts[effect.on]
        validity = Validity(effect.part) if begin else Validity.GOOD
        await asyncio.to_thread(self._province.authority.present, context, effect.on, validity)

    async def _unresolve(self, effect: Effect, begin: bool) -> None:
        if effect.on not in self._province.plan.addresses:
            raise KeyError(effect.on)
        if begin:
            self._province.zone.missing.add(effect.on)
        else:
            self._province.zone.missing.discard(effect.on)

    async def _silence(self, effect: Effect, begin: bool) -> None:
        self._province.silence(effect.on, begin)

    async def _credentials(self, effect: Effect, begin: bool) -> None:
        powered = self._province.devices[effect.on]
        wanted = STRANGER if begin else powered.credentials
        await self._province.agents.change_credentials(powered.agent, wanted)

    async def _figure(self, effect: Effect, begin: bool) -> None:
        host, _, port = effect.on.rpartition(":")
        laid = self._province.plan.databases[host, int(port)].laid
        laid.pop(effect.part, None)
        if begin:
            laid[effect.part] = effect.amount

    async def _mute(self, effect: Effect, begin: bool) -> None:
        host, _, port = effect.on.rpartition(":")
        self._province.stations[host, int(port)].mute(effect.part, begin)

    async def _trap(self, effect: Effect, _: bool) -> None:
        self._province.tell(effect.on, effect.part)

    async def _spoil(self, effect: Effect, begin: bool) -> None:
        url = URL(effect.on)
        desk = self._province.sites[str(url.host), url.port or 0].desks[url.path]
        desk.spoil(Twist(effect.part) if begin else None)

    async def _node(self, effect: Effect, begin: bool) -> None:
        air = self._air()
        masts = air.network.around(effect.on, int(effect.part), int(effect.amount))
        air.fail(air.network.on(masts, effect.on), f"node {effect.part}", begin)

    async def _blackout(self, effect: Effect, begin: bool) -> None:
        air = self._air()
        air.fail(air.network.within(effect.on), f"blackout {effect.on}", begin)

    async def _switch_on(self, effect: Effect, begin: bool) -> None:
        air = self._air()
        if effect.on != air.network.coming_at:
            raise KeyError(effect.on)
        air.switch_on(begin)

    def _air(self) -> Air:
        if self._province.air is None:
            raise KeyError("no stations are simulated")
        return self._province.air

    async def _on_device(self, effect: Effect, begin: bool) -> None:
        powered = self._province.devices[effect.on]
        if effect.do is Do.MAINS:
            _lose_mains(powered, effect, begin)
        elif effect.do is Do.FILL:
            powered.device.disks[effect.part].filled = effect.amount if begin else None
        else:
            powered.device.ports[effect.part].failed.set(begin)


def _lose_mains(powered: PoweredDevice, effect: Effect, lost: bool) -> None:
    if powered.device.supply is None:
        raise KeyError(effect.on)
    powered.device.supply.lose_mains(lost)
