"""What callers pass back unread: ids and encrypted content, derived from a seed.

Both have the structure recorded on Azure. An item id is `{prefix}_` and 50 hexadecimal digits: a
16-digit key shared by everything in one conversation (its first digit is always 0), `00` where the
response is stored and `01` where it is not, eight digits of unix seconds, four of the fraction of a
second, `819` with one digit that stays the same within a conversation, and 16 digits of its own.
Read from the recordings of vercel/ai and charmbracelet/fantasy, where one key spans both turns of a
tool call.
"""

import base64
import binascii
import hashlib
import hmac
import itertools
import json
import re
from collections.abc import Callable
from typing import Any

__all__ = [
    "ConversationIds",
    "IdentifierMint",
    "ReasoningCipher",
    "ReasoningCipherError",
]

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
# 256 bytes onto 62 letters: some letters come up a little more often, which no id shows.
_LETTERS = bytes(_ALPHABET[number % 62] for number in range(256))
_ITEM = re.compile(r"[a-z]+_(0[0-9a-f]{15})0[01][0-9a-f]{12}(819[0-9a-f])[0-9a-f]{16}")


class ConversationIds:
    """Mints the ids of one response's parts, which share a key with the turns before it."""

    def __init__(self, mint: "IdentifierMint", key: str, marker: str, is_stored: bool) -> None:
        self._mint = mint
        self._start = key + ("00" if is_stored else "01")
        self._marker = marker

    def item(self, prefix: str, at: float) -> str:
        """An id such as `msg_…` created at `at`, in unix seconds."""
        digits = self._mint.digits(20)
        # At a whole second, where a frozen clock often stands, the fraction is drawn.
        seconds = int(at)
        fraction = int((at - seconds) * 0x10000) & 0xFFFF or int(digits[:4], 16) & 0xFFFC
        return f"{prefix}_{self._start}{seconds:08x}{fraction:04x}{self._marker}{digits[4:]}"


class IdentifierMint:
    """Mints every kind of id. The same seed and the same calls give the same ids.

    Args:
        seed: what the ids are derived from.
        epoch: the present in unix seconds, for ids that are minted without a time of their own.
    """

    def __init__(self, seed: str | bytes, epoch: Callable[[], float]) -> None:
        raw = seed.encode() if isinstance(seed, str) else seed
        self._key = hashlib.blake2b(raw, digest_size=32).digest()
        self._epoch = epoch
        self._drawn = itertools.count()

    def _draw(self) -> "hashlib.blake2b":
        return hashlib.blake2b(next(self._drawn).to_bytes(8, "big"), key=self._key, digest_size=64)

    def digits(self, length: int) -> str:
        """Up to 128 hexadecimal digits."""
        return self._draw().hexdigest()[:length]

    def letters(self, length: int) -> str:
        """Up to 64 letters and digits."""
        return self._draw().digest()[:length].translate(_LETTERS).decode()

    def conversation(self, like: str | None = None, is_stored: bool = True) -> ConversationIds:
        """The ids of a response: with the key of the item or response id `like`, or a new key."""
        # Other ids, of another service or made up by a caller, share nothing.
        known = _ITEM.fullmatch(like or "")
        if known:
            return ConversationIds(self, known[1], known[2], is_stored)
        digits = self.digits(16)
        return ConversationIds(self, "0" + digits[:15], f"819{int(digits[15], 16) % 8}", is_stored)

    def item(self, prefix: str, at: float | None = None) -> str:
        """An id of its own conversation, such as `conv_…`."""
        return self.conversation().item(prefix, self._epoch() if at is None else at)

    def call(self) -> str:
        """`call_` and 24 letters and digits, as every recorded tool call has."""
        return "call_" + self.letters(24)

    def container(self, at: float | None = None) -> str:
        """`cntr_` and 48 hexadecimal digits that begin with the unix seconds."""
        seconds = int(self._epoch() if at is None else at)
        digits = self.digits(36)
        return f"cntr_{seconds:08x}{digits[:4]}8190{digits[4:]}"

    def file(self, purpose: str = "assistants") -> str:
        """`assistant-` and 22 letters; `file-` and 32 digits for batches and fine-tuning.

        Microsoft's batch page shows both forms of `file-`: without hyphens for an input and as a
        UUID for an output.
        """
        if purpose == "batch_output":
            return "file-" + self.request()
        if purpose in ("batch", "fine-tune"):
            return "file-" + self.digits(32)
        return "assistant-" + self.letters(22)

    def secret(self) -> str:
        """`whsec_` and 32 bytes in base64, with which webhooks are signed."""
        return "whsec_" + base64.b64encode(bytes.fromhex(self.digits(64))).decode()

    def chat_completion(self) -> str:
        """`chatcmpl-` and 29 letters and digits."""
        return "chatcmpl-" + self.letters(29)

    def request(self) -> str:
        """A random-looking UUID (version 4), as `apim-request-id` carries."""
        digits = self.digits(32)
        variant = "89ab"[int(digits[16], 16) % 4]
        parts = (digits[:8], digits[8:12], f"4{digits[13:16]}", f"{variant}{digits[17:20]}")
        return "-".join((*parts, digits[20:32]))

    request_id = request


_VERSION = b"\x80"
_HEAD, _TAG = 25, 32


class ReasoningCipherError(ValueError):
    """The text was not written by this cipher, or was changed since."""


class ReasoningCipher:
    """Encrypts JSON objects with one resource's key and opens them again.

    The layout is Fernet's, because recorded `encrypted_content` is a Fernet token (it begins
    `gAAAAA` and holds the unix time of writing): a version byte, eight bytes of time, 16 of nonce,
    the text, and 32 of HMAC-SHA-256, in URL-safe base64. The cipher is a SHAKE-256 key stream
    instead of AES, from the standard library: Fernet draws its nonce at random, and an emulator
    must give the same text for the same call. Nothing secret is protected here.
    """

    def __init__(self, key: bytes) -> None:
        self._signing = hashlib.blake2b(key, person=b"signing", digest_size=32).digest()
        self._encryption = hashlib.blake2b(key, person=b"encryption", digest_size=32).digest()

    def seal(self, payload: dict[str, Any], nonce: str, at: int = 0) -> str:
        """The payload as text; another nonce gives another text, `at` is unix seconds."""
        digest = hashlib.blake2b(nonce.encode(), key=self._encryption, digest_size=16)
        head = _VERSION + at.to_bytes(8, "big") + digest.digest()
        # Sorted, so that equal payloads give equal texts.
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
