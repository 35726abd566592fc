"""Encrypted content that only the resource which wrote it can read.

The layout is Fernet's, because recorded `encrypted_content` is a Fernet token (it begins `gAAAAA`
and holds the unix time of writing): a version byte, eight bytes of time, 16 of nonce, the text, and
32 of HMAC-SHA-256, in URL-safe base64. The cipher is a SHAKE-256 key stream instead of AES, from
the standard library: Fernet draws its nonce at random, and an emulator must give the same text for
the same call. Nothing secret is protected here.
"""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

__all__ = ["ReasoningCipher", "ReasoningCipherError"]

_VERSION = b"\x80"
_HEAD, _TAG = 25, 32


class ReasoningCipherError(ValueError):
    """The text was not written by this vault, or was changed since."""


class ReasoningCipher:
    """Seals JSON objects with one resource's key and opens them again."""

    def __init__(self, key: bytes) -> None:
        self._signing = hashlib.blake2b(key, person=b"signing", digest_size=32).digest()
        self._encryption = hashlib.blake2b(key, person=b"encryption", digest_size=32).digest()

    def seal(self, payload: dict[str, Any], nonce: str, at: int = 0) -> str:
        """The payload as text; another nonce gives another text, `at` is unix seconds."""
        digest = hashlib.blake2b(nonce.encode(), key=self._encryption, digest_size=16)
        head = _VERSION + at.to_bytes(8, "big") + digest.digest()
        plain = json.dumps(payload, separators=(",", ":"), sort_keys=True).encode()
        signed = head + self._mask(plain, head)
        return base64.urlsafe_b64encode(signed + self._tag(signed)).decode()

    def open(self, text: str) -> dict[str, Any]:
        """What was sealed.

        Raises:
            VaultError: the text is not base64, is too short, was changed or has another key.
        """
        try:
            raw = base64.urlsafe_b64decode(text.encode())
        except (binascii.Error, ValueError) as error:
            raise ReasoningCipherError("not base64") from error
        signed, tag = raw[:-_TAG], raw[-_TAG:]
        if len(signed) < _HEAD or not hmac.compare_digest(tag, self._tag(signed)):
            raise ReasoningCipherError("sealed with another key, or changed since")
        opened: dict[str, Any] = json.loads(self._mask(signed[_HEAD:], signed[:_HEAD]))
        return opened

    def _tag(self, signed: bytes) -> bytes:
        return hmac.digest(self._signing, signed, "sha256")

    def _mask(self, data: bytes, head: bytes) -> bytes:
        stream = hashlib.shake_256(self._encryption + head).digest(len(data))
        masked = int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")
        return masked.to_bytes(len(data), "big")
