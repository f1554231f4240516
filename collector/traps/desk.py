"""Traps as the service has them: taken while the configuration says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from collector.model import Sink, Target
from collector.net import Net
from collector.settings.monitor import Traps
from collector.traps.reactions import Reactions
from collector.traps.receiver import TrapReceiver
from collector.traps.trap import Trap


class TrapDesk:
    """Has a receiver whenever there are settings for one.

    `poll(target, delay)` is to run a target in `delay` seconds, `write(trap)` to write a trap down.
    """

    def __init__(self, net: Net, poll: Callable[[str, float], None], write: Callable[[Trap], None], sink: Sink) -> None:
        self._net = net
        self._poll = poll
        self._write = write
        self._sink = sink
        self._settings: Traps | None = None
        self._receiver: TrapReceiver | None = None

    async def apply(self, settings: Traps | None, targets: Mapping[str, Target]) -> None:
        """Take over settings and targets; the socket stays open while the settings are the same."""
        if settings != self._settings:
            await self.stop()
            self._settings = settings
            if settings is not None:
                self._receiver = TrapReceiver(
                    settings, self._net, Reactions(settings.poll_gap, self._poll, self._write)
                )
                self._receiver.update(targets)
                await self._receiver.start()
        elif self._receiver is not None:
            self._receiver.update(targets)

    def publish(self) -> None:
        """Bring the figures up to date."""
        if self._receiver is not None:
            self._receiver.publish(self._sink)

    async def stop(self) -> None:
        """Take no more traps."""
        receiver, self._receiver, self._settings = self._receiver, None, None
        if receiver is not None:
            await receiver.stop(self._sink)
