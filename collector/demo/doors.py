"""Listening TCP ports of the simulated province; a fault can close one, silence it, and open it again."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

BACKLOG = 100


class Door:
    """A listener on one address. The port is chosen at the first opening and kept."""

    def __init__(
        self, factory: Callable[[], asyncio.BaseProtocol], address: str, context: ssl.SSLContext | None = None
    ) -> None:
        self._factory = factory
        self._address = address
        self._listener: socket.socket | None = None
        self._cork: socket.socket | None = None
        self._welcoming: set[asyncio.Task[None]] = set()
        self.context = context
        self.port = 0

    async def open(self) -> int:
        """Listen; returns the port. Raises OSError when it is taken."""
        if self._listener is None:
            self._listener = _bound(self._address, self.port)
            self.port = self._listener.getsockname()[1]
            self._attend(self._listener)
        return self.port

    def close(self) -> None:
        """Refuse connections from now on."""
        listener, self._listener = self._listener, None
        if listener is not None:
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()
        self._uncork()

    def silence(self, silent: bool) -> None:
        """Have connections hang, as behind a gateway that is gone, or be taken again. A closed door stays closed."""
        if self._listener is None or silent == (self._cork is not None):
            return
        if silent:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._cork = _corked(self._listener)
        else:
            self._uncork()
            self._attend(self._listener)

    def _attend(self, listener: socket.socket) -> None:
        listener.listen(BACKLOG)
        asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _uncork(self) -> None:
        if self._cork is not None:
            self._cork.close()
            self._cork = None

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # until nobody waits any more, or left while waiting
            while True:
                caller, _ = listener.accept()
                caller.setblocking(False)
                task = asyncio.get_running_loop().create_task(self._welcome(caller))
                self._welcoming.add(task)
                task.add_done_callback(self._welcoming.discard)

    async def _welcome(self, caller: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._factory, caller, ssl=self.context)
        except OSError:  # the caller does not like our certificate, or left: its right
            caller.close()


def _bound(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
    except OSError:
        listener.close()
        raise
    return listener


def _corked(listener: socket.socket) -> socket.socket:
    """A connection of our own that fills the queue of those who wait: Linux drops what else comes, unanswered."""
    listener.listen(0)
    cork = socket.socket(listener.family, listener.type)
    cork.setblocking(False)
    cork.connect_ex(listener.getsockname())
    return cork
