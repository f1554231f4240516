"""What makes the keys of an SNMPv3 user, wherever one is configured."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

from pydantic_core import PydanticCustomError

from collector.fields import Secret

AuthProtocol: TypeAlias = Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
PrivProtocol: TypeAlias = Literal["des", "aes128", "aes192", "aes256", "aes192c", "aes256c"]
_SHORTEST = 8  # RFC 3414, section 11.2


class HasKeys(Protocol):
    """Settings of a user."""

    @property
    def auth_protocol(self) -> AuthProtocol | None: ...
    @property
    def auth_password(self) -> Secret | None: ...
    @property
    def priv_protocol(self) -> PrivProtocol | None: ...
    @property
    def priv_password(self) -> Secret | None: ...


def fault(message: str) -> PydanticCustomError:
    """To be raised by a validator."""
    return PydanticCustomError("snmp", "{message}", {"message": message})


def check_keys(settings: HasKeys) -> None:
    """Raises a pydantic error when passwords or protocols are missing, too short, or of no use."""
    keys = (
        ("auth", settings.auth_protocol, settings.auth_password),
        ("priv", settings.priv_protocol, settings.priv_password),
    )
    for kind, protocol, password in keys:
        if (protocol is None) != (password is None):
            raise fault(f"`{kind}_protocol` and `{kind}_password` go together")
        if password is not None and len(password.value.encode()) < _SHORTEST:
            raise fault(f"`{kind}_password` is too short: SNMPv3 passwords have at least {_SHORTEST} characters")
    if settings.priv_protocol is not None and settings.auth_protocol is None:
        raise fault("encryption needs authentication: set `auth_protocol`")
