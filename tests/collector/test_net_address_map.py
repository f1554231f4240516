"""Where configured hosts are pointed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.net import AddressMap

HOSTS = st.text("ab.", min_size=1, max_size=5)
PATTERNS = st.text("ab.*", min_size=1, max_size=5)
PORTS = st.integers(1, 3)
VALUES = st.one_of(
    st.tuples(st.sampled_from(["10.0.0.1", "other"]), st.none()),
    st.tuples(st.sampled_from(["10.0.0.1", "other", ""]), st.integers(80, 82)),
)


@pytest.mark.parametrize(
    ("entries", "host", "port", "expected"),
    [
        ({}, "a.example", 80, ("a.example", 80)),
        ({"a.example": "10.0.0.1"}, "a.example", 80, ("10.0.0.1", 80)),
        ({"a.example": "10.0.0.1:8080"}, "A.Example", 80, ("10.0.0.1", 8080)),
        ({"a.example": ":8080"}, "a.example", 80, ("a.example", 8080)),
        ({"a.example": "::1"}, "a.example", 80, ("::1", 80)),
        ({"a.example": "[::1]"}, "a.example", 80, ("::1", 80)),
        ({"a.example": "[::1]:8080"}, "a.example", 80, ("::1", 8080)),
        ({"a.example": "b.example:1"}, "a.example", 80, ("b.example", 1)),
        ({"a.example:443": "10.0.0.1:8443"}, "a.example", 443, ("10.0.0.1", 8443)),
        ({"a.example:443": "10.0.0.1:8443"}, "a.example", 80, ("a.example", 80)),
        ({"a.example:443": ":1", "a.example": ":2"}, "a.example", 443, ("a.example", 1)),
        ({"*.example": "10.0.0.1"}, "b.example", 80, ("10.0.0.1", 80)),
        ({"*.example": "10.0.0.1"}, "example", 80, ("example", 80)),
        ({"*.example": "10.0.0.1", "*.b.example": "10.0.0.2"}, "a.b.example", 80, ("10.0.0.2", 80)),
        ({"*.example": "10.0.0.1", "a.example": "10.0.0.2"}, "a.example", 80, ("10.0.0.2", 80)),
        ({"*.example:161": "127.0.0.1:1161", "*.example": "127.0.0.1"}, "x.example", 161, ("127.0.0.1", 1161)),
        ({"*": "10.0.0.1"}, "anything", 80, ("10.0.0.1", 80)),
        ({"2001:db8::1": "::1"}, "2001:DB8::1", 80, ("::1", 80)),
        ({"[2001:db8::1]:80": "[::1]:81"}, "2001:db8::1", 80, ("::1", 81)),
        ({"[2001:db8::*]:80": "[::1]:81"}, "2001:db8::7", 80, ("::1", 81)),
        ({"2001:db8::*": "::1"}, "2001:db8::7", 80, ("::1", 80)),
        ({"a.example": "10.0.0.1"}, "axexample", 80, ("axexample", 80)),
        ({"a?.example": "10.0.0.1"}, "ab.example", 80, ("ab.example", 80)),
    ],
)
def test_redirects(entries: dict[str, str], host: str, port: int, expected: tuple[str, int]) -> None:
    assert AddressMap(entries).redirect(host, port) == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("a", ""),
        ("a", ":"),
        ("a", "b:"),
        ("a", "b:http"),
        ("a", "b:0"),
        ("a", "b:65536"),
        ("a", "[::1"),
        ("a", "[::1]x"),
        ("a", "1:2:3"),
        ("a", "http://b"),
        ("a", "b c"),
        (":80", "b"),
        ("", "b"),
    ],
)
def test_refuses_an_entry_of_another_shape(key: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"is not host, host:port or :port|names no host|IPv6|expected"):
        AddressMap({key: value})


def _glob(pattern: str, text: str) -> bool:
    """Match by definition: `*` is any text, every other character itself."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(_glob(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] == text[0] and _glob(pattern[1:], text[1:])


def _rank(pattern: str, port: int | None) -> tuple[bool, bool, int, bool]:
    exact = "*" not in pattern
    return (not exact, exact and port is None, 0 if exact else -len(pattern), port is None)


@given(
    st.dictionaries(st.tuples(PATTERNS, st.one_of(st.none(), PORTS)), VALUES, max_size=6),
    HOSTS,
    PORTS,
)
def test_the_best_matching_entry_decides(
    entries: dict[tuple[str, int | None], tuple[str, int | None]], host: str, port: int
) -> None:
    """Against an oracle that tries every entry and takes the one that ranks first."""
    written = {_written(*key): _written(*value) for key, value in entries.items()}
    matching = [key for key in entries if _glob(key[0], host) and key[1] in (None, port)]
    expected = host, port
    if matching:
        address, other_port = entries[min(matching, key=lambda key: _rank(*key))]
        expected = address or host, other_port or port
    assert AddressMap(written).redirect(host, port) == expected


def _written(host: str, port: int | None) -> str:
    return host if port is None else f"{host}:{port}"


@given(st.one_of(st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)), st.integers(1, 65535))
def test_every_address_reads_back(address: str, port: int) -> None:
    bracketed = f"[{address}]" if ":" in address else address
    assert AddressMap({"a": address}).redirect("a", port) == (address, port)
    assert AddressMap({"a": f"{bracketed}:{port}"}).redirect("a", 1) == (address, port)
    assert AddressMap({f"{bracketed}:{port}": ":9"}).redirect(address, port) == (address, 9)


@given(st.text(max_size=12))
def test_any_text_is_understood_or_refused_at_once(text: str) -> None:
    try:
        mapped = AddressMap({"a": text})
    except ValueError:
        return
    host, port = mapped.redirect("a", 80)
    assert host
    assert 0 < port < 65536
