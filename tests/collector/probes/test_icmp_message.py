"""ICMP messages by definition, and against hostile ones."""

from __future__ import annotations

import socket
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from collector.icmp import echo
from collector.probes.icmp import IcmpSpec
from tests.icmp_network import _sum

FAMILIES = st.sampled_from([socket.AF_INET, socket.AF_INET6])
NUMBERS = st.integers(0, 0xFFFF)


@given(st.binary(max_size=200))
def test_the_checksum_is_that_of_the_definition(data: bytes) -> None:
    assert echo.checksum(data) == _sum(data)


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0", b"\xff\xff", b"\xff\xff\xff\xff", b"\xff\xfe\0\1", b"\1"])
def test_the_checksum_at_its_two_zeros(data: bytes) -> None:
    assert echo.checksum(data) == _sum(data)


@given(FAMILIES, NUMBERS, NUMBERS, st.binary(max_size=64))
def test_a_reply_reads_back(family: socket.AddressFamily, identifier: int, sequence: int, payload: bytes) -> None:
    request = echo.request(family, identifier, sequence, payload)
    assert echo.sequence_of(request) == sequence
    assert echo.read(family, request) is None
    reply = bytes([0 if family == socket.AF_INET else 129]) + request[1:]
    assert echo.read(family, reply) == echo.Message(identifier, sequence, payload)


@given(NUMBERS, NUMBERS, st.integers(5, 15))
def test_an_error_names_the_request_it_quotes(identifier: int, sequence: int, words: int) -> None:
    """Also when the quoted header carries options."""
    header = bytes([0x40 | words]) + bytes(15) + bytes([10, 0, 0, 1]) + bytes(4 * (words - 5))
    error = struct.pack("!BBHI", 3, 1, 0, 0) + header + echo.request(socket.AF_INET, identifier, sequence, b"")
    expected = echo.Message(identifier, sequence, b"", "host unreachable", bytes([10, 0, 0, 1]))
    assert echo.read(socket.AF_INET, error) == expected


@given(FAMILIES, st.binary(max_size=80))
def test_noise_is_read_without_harm(family: socket.AddressFamily, noise: bytes) -> None:
    message = echo.read(family, noise)
    assert message is None or isinstance(message, echo.Message)
    assert isinstance(echo.message_of(noise), bytes)
    assert -1 <= echo.sequence_of(noise) <= 0xFFFF


@given(FAMILIES, st.sampled_from([0, 3, 11, 12, 1, 2, 4, 129]), st.binary(max_size=80))
def test_half_an_error_is_read_without_harm(family: socket.AddressFamily, kind: int, rest: bytes) -> None:
    message = echo.read(family, bytes([kind]) + rest)
    assert message is None or isinstance(message, echo.Message)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"packets": 0}, "greater than or equal to 1"),
        ({"packets": 1000}, "less than or equal to 100"),
        ({"spacing": "0s"}, "greater than 0"),
        ({"payload_size": 65508}, "less than or equal to 65507"),
        ({"ttl": 256}, "less than or equal to 255"),
        ({"max_loss": 1}, "less than 1"),
        ({"source_ip": "lo"}, "expected an IPv4 or IPv6 address"),
        ({"count": 3}, "Extra inputs"),
    ],
)
def test_what_cannot_be_sent_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        IcmpSpec.model_validate({"host": "gw.example"} | changes)
