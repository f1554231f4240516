"""Who we are to a device, and the keys that follow from it."""

from __future__ import annotations

from typing import NamedTuple

from gufo.snmp import (
    Aes128Key,
    Aes192Key,
    Aes256Key,
    DesKey,
    KeyExpansion,
    Md5Key,
    Sha1Key,
    Sha224Key,
    Sha256Key,
    Sha384Key,
    Sha512Key,
    User,
)
from gufo.snmp.user import BaseAuthKey, BasePrivKey, KeyType

AUTH_KEYS: dict[str, type[BaseAuthKey]] = {
    "md5": Md5Key,
    "sha1": Sha1Key,
    "sha224": Sha224Key,
    "sha256": Sha256Key,
    "sha384": Sha384Key,
    "sha512": Sha512Key,
}
# The last letter is how a key is made longer where the digest is too short: as Cisco does it, or as Blumenthal does.
PRIV_KEYS: dict[str, type[BasePrivKey]] = {
    "des": DesKey,
    "aes128": Aes128Key,
    "aes192": Aes192Key,
    "aes256": Aes256Key,
    "aes192c": Aes192Key,
    "aes256c": Aes256Key,
}


class Credentials(NamedTuple):
    """Who we are to a device. Plain texts, so that they hash fast; never shown."""

    version: str
    community: str = ""
    user: str = ""
    auth_protocol: str = ""
    auth_password: str = ""
    priv_protocol: str = ""
    priv_password: str = ""

    def __repr__(self) -> str:
        return f"Credentials({self.version})"

    def localizable(self) -> User:
        """The user with master keys (RFC 3414 section 2.6): slow, a megabyte is hashed for each password."""
        auth = AUTH_KEYS.get(self.auth_protocol)
        priv = PRIV_KEYS.get(self.priv_protocol)
        if auth is None:
            return User(self.user)
        auth_key = auth(auth.get_master_key(self.auth_password.encode()), key_type=KeyType.Master)
        if priv is None:
            return User(self.user, auth_key=auth_key)
        priv_key = priv(auth.get_master_key(self.priv_password.encode()), key_type=KeyType.Master)
        expansion = KeyExpansion.Cisco if self.priv_protocol.endswith("c") else KeyExpansion.Blumenthal
        return User(self.user, auth_key=auth_key, priv_key=priv_key, key_expansion=expansion)
