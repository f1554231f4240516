"""A stream of messages, each with a head that says how long it is, taken apart as it comes in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator


class Frames:
    """Messages whose heads have `size` bytes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._buffer = bytearray()

    def take(self, said: bytes, measure: Callable[[bytes], int]) -> Iterator[tuple[bytes, bytes]]:
        """Head and body of each message that is complete with `said`.

        `measure` gets a head, judges it and returns the length of the body. Raises what `measure` raises.
        """
        buffer, size, at = self._buffer, self._size, 0
        buffer += said
        while len(buffer) - at >= size:
            head = bytes(buffer[at : at + size])
            end = at + size + measure(head)
            if end > len(buffer):
                break
            yield head, bytes(buffer[at + size : end])
            at = end
        del buffer[:at]
