"""SNMPv3 users: whose key a message was signed with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyasn1.codec.ber import decoder as ber
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.proto.error import ProtocolError
from pysnmp.proto.rfc1902 import OctetString
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from collector.snmp.credentials import Credentials

_AUTHENTICATION = {
    "": config.USM_AUTH_NONE,
    "md5": config.USM_AUTH_HMAC96_MD5,
    "sha1": config.USM_AUTH_HMAC96_SHA,
    "sha224": config.USM_AUTH_HMAC128_SHA224,
    "sha256": config.USM_AUTH_HMAC192_SHA256,
    "sha384": config.USM_AUTH_HMAC256_SHA384,
    "sha512": config.USM_AUTH_HMAC384_SHA512,
}
_PRIVACY = {
    "": config.USM_PRIV_NONE,
    "des": config.USM_PRIV_CBC56_DES,
    "aes128": config.USM_PRIV_CFB128_AES,
    "aes192": config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "aes256": config.USM_PRIV_CFB256_AES_BLUMENTHAL,
    "aes192c": config.USM_PRIV_CFB192_AES,
    "aes256c": config.USM_PRIV_CFB256_AES,
}
_PARAMETERS = UsmSecurityParameters()


class Claim(NamedTuple):
    """Who a message says it is from, and the digest that is to prove it (RFC 3414, section 2.4)."""

    engine_id: bytes
    user: bytes
    digest: Any


def claim(parameters: bytes) -> Claim:
    """What msgSecurityParameters say. Raises PyAsn1Error."""
    read, _ = ber.decode(parameters, asn1Spec=_PARAMETERS)
    return Claim(read[0].asOctets(), read[3].asOctets(), read[4])


@dataclass(frozen=True, slots=True)
class _Masters:
    """Keys that only depend on the passwords (RFC 3414, section 2.6): slow to make, 10 ms each."""

    auth: Any = field(default=None, repr=False)
    priv: Any = field(default=None, repr=False)


class Users:
    """Users that an engine of pysnmp knows: it wants each with the engine id that they send under.

    Those ids are only known from the messages themselves, so that a user is added when a message proves by its
    digest that it has the key.
    """

    def __init__(self) -> None:
        self._masters: dict[Credentials, _Masters] = {}
        self._known: dict[tuple[bytes, bytes], Credentials] = {}

    def __len__(self) -> int:
        return len(self._known)

    def forget(self) -> None:
        """There is a new engine, which knows nobody."""
        self._known.clear()

    def known(self, engine_id: bytes, user: bytes) -> Credentials | None:
        """The credentials that the engine has for the user of that engine id."""
        return self._known.get((engine_id, user))

    def proven(self, claimed: Claim, credentials: Credentials, message: bytes) -> bool:
        """Whether `message` is signed with the user's key; always, if the user has none."""
        if not credentials.auth_protocol:
            return True
        service = config.AUTH_SERVICES[_AUTHENTICATION[credentials.auth_protocol]]
        key = service.localize_key(self._master(credentials).auth, OctetString(claimed.engine_id))
        try:
            service.authenticate_incoming_message(key, claimed.digest, message)
        except ProtocolError:  # of which pysnmp's verdicts are kinds
            return False
        return True

    def add(self, engine: SnmpEngine, claimed: Claim, credentials: Credentials) -> None:
        """Have `engine` know the user under the engine id, in place of one that it knew."""
        masters = self._master(credentials)
        config.add_v3_user(
            engine,
            claimed.user,
            _AUTHENTICATION[credentials.auth_protocol],
            masters.auth,
            _PRIVACY[credentials.priv_protocol],
            masters.priv,
            securityEngineId=OctetString(claimed.engine_id),
            authKeyType=config.USM_KEY_TYPE_MASTER,
            privKeyType=config.USM_KEY_TYPE_MASTER,
        )
        self._known[claimed.engine_id, claimed.user] = credentials

    def _master(self, credentials: Credentials) -> _Masters:
        if credentials not in self._masters:
            self._masters[credentials] = _masters(credentials)
        return self._masters[credentials]


def _masters(credentials: Credentials) -> _Masters:
    if not credentials.auth_protocol:
        return _Masters()
    auth = _AUTHENTICATION[credentials.auth_protocol]
    auth_key = config.AUTH_SERVICES[auth].hash_passphrase(credentials.auth_password.encode())
    if not credentials.priv_protocol:
        return _Masters(auth_key)
    service = config.PRIV_SERVICES[_PRIVACY[credentials.priv_protocol]]
    return _Masters(auth_key, service.hash_passphrase(auth, credentials.priv_password.encode()))
