"""Reasoning that callers carry from turn to turn and only we can read.

Models of other APIs give their reasoning as plain text, or with a signature of their own. The
Responses API has `encrypted_content` for it, so it is encrypted here: the text stays between us and
the model, and a caller cannot change it. The family of the model is part of what is authenticated.
A payload for another family, of another secret, or of another provider cannot be opened.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.protocol.conversion import ConversionContext
from azure_responses.protocol.families import FamilyFacts
from azure_responses.protocol.stored_response import SEALED

__all__ = ["PREFIX", "ReasoningSealer", "family_of"]

PREFIX = SEALED
"""No provider's ciphertext begins so: OpenAI's begins with `gAAAA`, Anthropic's signatures are
base64 without a dot. The digit is the version of the format."""

_NONCE_BYTES = 12
_PURPOSE = b"azure-responses sealed reasoning 1"


def family_of(context: ConversionContext) -> str:
    """What reasoning is sealed for: the family, or the deployment where that is unknown."""
    facts: FamilyFacts = context.facts
    return facts.family or context.deployment


class ReasoningSealer:
    """Encrypts with AES-GCM; may be shared between threads.

    Args:
        secret: any text or bytes that all processes of one installation share. The key is derived
            from it by HKDF, so the same secret may serve other purposes.
        random_bytes: `os.urandom`, or another source of secure random bytes.

    Raises:
        ValueError: the secret is empty.
    """

    def __init__(self, secret: str | bytes, random_bytes: Callable[[int], bytes]) -> None:
        if not secret:
            raise ValueError("The secret for sealed reasoning is empty.")
        # Loaded with the first sealer: most programs never make one.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        given = secret.encode() if isinstance(secret, str) else secret
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(given))
        self._random_bytes = random_bytes

    def seal(self, family: str, content: Mapping[str, Any]) -> str:
        """Text for `encrypted_content`; only `open` with the same family reads it."""
        plain = json.dumps(content, separators=(",", ":")).encode()
        nonce = self._random_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, plain, _bound_to(family))
        return PREFIX + base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, family: str, text: str) -> dict[str, Any] | None:
        """What was sealed for this family; None for foreign or damaged text."""
        from cryptography.exceptions import InvalidTag

        sealed = _decode(text)
        if sealed is None:
            return None
        nonce, encrypted = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            plain = self._cipher.decrypt(nonce, encrypted, _bound_to(family))
        except (InvalidTag, ValueError):
            return None
        content: dict[str, Any] = json.loads(plain)
        return content


def _bound_to(family: str) -> bytes:
    return PREFIX.encode() + family.encode("utf-8", "surrogatepass")


def _decode(text: str) -> bytes | None:
    """The bytes of a payload, or None where the text is none of ours."""
    if not text.startswith(PREFIX):
        return None
    body = text[len(PREFIX) :]
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
