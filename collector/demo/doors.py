"""Listening TCP ports of the simulated province; a fault can close one and open it again."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable


class Door:
    """A listener on one address. The port is chosen at the first opening and kept."""

    def __init__(
        self, factory: Callable[[], asyncio.BaseProtocol], address: str, context: ssl.SSLContext | None = None
    ) -> None:
        self._factory = factory
        self._address = address
        self._server: asyncio.Server | None = None
        self.context = context
        self.port = 0

    async def open(self) -> int:
        """Listen; returns the port. Raises OSError when it is taken."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                self._factory, self._address, self.port, ssl=self.context, reuse_address=True
            )
            self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    def close(self) -> None:
        """Refuse connections from now on."""
        if self._server is not None:
            self._server.close()
            self._server = None
