"""Our engine's id and its boots."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector.traps.identity import Identity, next_identity


def test_the_id_stays_and_boots_count(tmp_path: Path) -> None:
    path = tmp_path / "var" / "engine.json"
    first, second, third = (next_identity(path) for _ in range(3))
    assert first.engine_id == second.engine_id == third.engine_id
    assert [first.boots, second.boots, third.boots] == [1, 2, 3]
    assert first.engine_id[0] & 0x80
    assert 5 <= len(first.engine_id) <= 32
    assert list(path.parent.iterdir()) == [path]


def test_every_installation_has_its_own(tmp_path: Path) -> None:
    assert next_identity(tmp_path / "a").engine_id != next_identity(tmp_path / "b").engine_id


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '"text"',
        "\xff",
        '{"engine_id": "zz", "boots": 1}',
        '{"engine_id": "8000", "boots": 1}',
        '{"engine_id": "80004fb8050011223344", "boots": 0}',
        '{"engine_id": "80004fb8050011223344", "boots": true}',
        '{"engine_id": "80004fb8050011223344", "boots": "7"}',
        '{"engine_id": 5, "boots": 7}',
        '{"boots": 7}',
    ],
)
def test_what_cannot_be_read_is_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "engine.json"
    path.write_text(content, encoding="latin-1")
    identity = next_identity(path)
    assert identity.boots == 1
    assert next_identity(path) == Identity(identity.engine_id, 2)


def test_an_engine_that_booted_too_often_is_another(tmp_path: Path) -> None:
    """RFC 3414, section 2.2.2: 2147483647 means that no message is ever in time."""
    path = tmp_path / "engine.json"
    path.write_text(json.dumps({"engine_id": "80004fb8050011223344", "boots": 2**31 - 3}))
    assert next_identity(path) == Identity(bytes.fromhex("80004fb8050011223344"), 2**31 - 2)
    assert next_identity(path).boots == 1


def test_boots_that_cannot_be_kept_are_not_used_twice(tmp_path: Path) -> None:
    """The same id with the same boots, but time begun anew, would be refused by every device."""
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "engine.json"
    one, other = next_identity(path), next_identity(path)
    assert one.engine_id != other.engine_id
    directory = tmp_path / "engine.json"
    directory.mkdir()
    assert next_identity(directory).engine_id != next_identity(directory).engine_id
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["engine.json", "file"]
