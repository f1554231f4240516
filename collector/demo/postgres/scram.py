"""The server's side of a login by SCRAM-SHA-256 (RFC 5802 and 7677), without channel binding."""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode
from hashlib import pbkdf2_hmac, sha256

MECHANISM = b"SCRAM-SHA-256"
ITERATIONS = 4096


class Exchange:
    """One login: `challenge`, then `signature`. Both raise ValueError for what no client says."""

    def __init__(self, password: str) -> None:
        self._salt = secrets.token_bytes(16)
        self._salted = pbkdf2_hmac("sha256", password.encode(), self._salt, ITERATIONS)
        self._said = self._expected = b""

    def challenge(self, first: bytes) -> bytes:
        """The answer to the client's first message."""
        binding, authorisation, bare = first.split(b",", 2)
        _, _, nonce = bare.partition(b",r=")
        nonce += secrets.token_urlsafe(18).encode()
        answer = b"r=%b,s=%b,i=%d" % (nonce, b64encode(self._salt), ITERATIONS)
        self._said = b"%b,%b" % (bare, answer)
        self._expected = b"c=%b,r=%b" % (b64encode(b"%b,%b," % (binding, authorisation)), nonce)
        return answer

    def signature(self, final: bytes) -> bytes | None:
        """The answer to the client's last message; None to one who does not know the password."""
        said, _, proof = final.rpartition(b",p=")
        everything = b"%b,%b" % (self._said, said)
        key = _mac(self._salted, b"Client Key")
        mask = _mac(sha256(key).digest(), everything)
        right = bytes(one ^ other for one, other in zip(key, mask, strict=True))
        if said != self._expected or not hmac.compare_digest(b64decode(proof), right):
            return None
        return b"v=" + b64encode(_mac(_mac(self._salted, b"Server Key"), everything))


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
