"""Who our SNMP engine is: devices that send informs remember it, so it outlives a restart."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import NamedTuple

import structlog

# RFC 3411, SnmpEngineID: the enterprise number of the engine's maker (pysnmp's, 20408) with the first bit set, then
# 5: octets of our own follow.
_PREFIX = (0x8000_0000 | 20408).to_bytes(4, "big") + b"\x05"
_MAX_BOOTS = 2**31 - 1

log = structlog.get_logger(__name__)


class Identity(NamedTuple):
    """snmpEngineID and snmpEngineBoots (RFC 3411, section 5)."""

    engine_id: bytes
    boots: int


def next_identity(path: Path) -> Identity:
    """The identity kept in `path`, booted once more; a new one where there is none, or where it cannot be kept.

    Blocks on files. Never fails: boots that were not counted would make every device refuse us (RFC 3414, section
    3.2, 7b), so that an engine that cannot count them is another engine each time.
    """
    known = _read(path)
    identity = Identity(known.engine_id, known.boots + 1) if known and known.boots < _MAX_BOOTS - 1 else _new()
    try:
        _write(path, identity)
    except OSError as error:
        log.warning(
            "the SNMP engine's identity cannot be kept: devices that send informs must learn a new one at each start",
            file=str(path),
            error=error.strerror,
        )
        return _new()
    return identity


def _new() -> Identity:
    return Identity(_PREFIX + secrets.token_bytes(8), 1)


def _read(path: Path) -> Identity | None:
    try:
        kept = json.loads(path.read_bytes())
        identity = Identity(bytes.fromhex(kept["engine_id"]), kept["boots"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("the SNMP engine's identity cannot be read: it gets a new one", file=str(path), error=str(error))
        return None
    sound = 5 <= len(identity.engine_id) <= 32 and type(identity.boots) is int and identity.boots > 0
    return identity if sound else None


def _write(path: Path, identity: Identity) -> None:
    content = json.dumps({"engine_id": identity.engine_id.hex(), "boots": identity.boots})
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
