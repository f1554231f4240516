"""Ports that the demo listens on: taken or free, usual or any."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"


class PortTaken(Exception):
    """Somebody else listens there; the message is for people."""


def require_free(host: str, port: int, option: str) -> None:
    """Raise PortTaken, with the option that moves it, where nobody else can listen."""
    if not is_free(host, port):
        raise PortTaken(f"port {port} of {host} is taken; choose another with {option}")


def is_free(host: str, port: int) -> bool:
    """Whether we could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return False
    return True


def chosen_port(wanted: int | None, usual: int, option: str) -> int:
    """The wanted port of loopback; without a wish the usual one if it is free, else any. Raises PortTaken."""
    if wanted:
        require_free(LOOPBACK, wanted, option)
        return wanted
    if wanted is None and is_free(LOOPBACK, usual):
        return usual
    with socket.socket() as any_free:
        any_free.bind((LOOPBACK, 0))
        port: int = any_free.getsockname()[1]
        return port
