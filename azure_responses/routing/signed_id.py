"""What a router adds to ids and ciphertexts so that they find their way home.

A label is the id with its prefix kept and the rest replaced:

```
resp_0742d30c1d27…            as the service knows it, 55 characters
resp_azr1_Xk3f…               as callers see it, 66 characters: prefix, marker and version, then
                              base64url of an authenticator (8 bytes) and, masked, one byte of
                              form, the tags of deployment and resource (4 bytes each) and the
                              packed rest of the id
file-azr1_P9a…                a file that was uploaded to several resources: the same with, in
                              place of tags and rest, the number of copies and for each the tag of
                              its resource, form, length and the packed id; some 125 characters
                              of three copies
gAAAAABo…                     encrypted_content as the service wrote it
azr1_u-7Rk2…_gAAAAABo…        the same with the tags and an authenticator in front, 28 characters
```

The authenticator is HMAC-SHA256 over everything, the prefix included, and doubles as the seed of
the mask, so the same id always gets the same label and nothing of it can be read or altered
without the secret. An owner is not written down but takes part in the authenticator: for all other
owners the label is as unknown as an invented one, and nothing distinguishes the two.

API:
    make_tag(text) -> str                         a deployment's or resource's tag, 8 hex digits
    IdSigner([secret, *older secrets])            16 bytes or more each; the first one signs
        .label_id(inner, deployment_tag=, resource_tag=, owner=None) -> str
        .label_copies(copies, owner=None) -> str        copies: (resource_tag, inner), …
        .read(text, owner=None, field=…) -> SignedId | None     None: not a label, a raw id
        .label_ciphertext(inner, deployment_tag=, resource_tag=) -> str
        .read_ciphertext(text, field=…) -> SignedId | None
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import b2a_base64
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b, sha256, shake_256
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import NamedTuple

from azure_responses.errors import BadRequestError, ConfigurationError, ResponseNotFoundError

__all__ = [
    "NO_PREFIX",
    "from_base64",
    "pack",
    "split_prefix",
    "to_base64",
    "unpack",
    "MARKER",
    "MOST_COPIES",
    "SignedId",
    "IdSigner",
    "is_label",
    "make_tag",
    "show_id",
]

NO_PREFIX = "id_"
"""What stands before the label of an id that has no prefix of its own."""

_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]{0,23}[_-]")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_TEXT, _HEX, _ODD_HEX, _BASE64 = range(4)


def split_prefix(inner: str) -> tuple[str, str]:
    """`resp_abc` → `resp_`, `abc`; the prefix is empty where there is none."""
    # Nearly every id is of this form, and is seen sooner than the pattern is matched.
    head, mark, rest = inner.partition("_")
    if mark and len(head) <= 24 and head.isascii() and head.isalnum() and head[0].isalpha():
        return head + mark, rest
    found = _PREFIX.match(inner)
    end = found.end() if found else 0
    return inner[:end], inner[end:]


def pack(rest: str) -> tuple[int, bytes]:
    """The shortest of four forms: which one (0 to 3), and the bytes."""
    if (packed := _pack_hex(rest)) is not None:
        return _HEX, packed
    if (packed := _pack_hex("0" + rest)) is not None:
        return _ODD_HEX, packed
    return _pack_text(rest)


def _pack_hex(digits: str) -> bytes | None:
    try:
        packed = bytes.fromhex(digits)
    except ValueError:
        return None
    # fromhex also takes capitals and spaces, which would not come back.
    return packed if packed.hex() == digits else None


def _pack_text(rest: str) -> tuple[int, bytes]:
    encoded = rest.encode("utf-8", "surrogatepass")
    if len(encoded) % 4 == 0 and encoded:
        try:
            packed = urlsafe_b64decode(encoded)
        except ValueError:
            packed = b""
        if urlsafe_b64encode(packed) == encoded and not encoded.endswith(b"="):
            return _BASE64, packed
    return _TEXT, encoded


def unpack(form: int, packed: bytes) -> str:
    """What `pack` was given."""
    if form == _HEX:
        return packed.hex()
    if form == _ODD_HEX:
        return packed.hex()[1:]
    if form == _BASE64:
        return urlsafe_b64encode(packed).decode("ascii")
    return packed.decode("utf-8", "surrogatepass")


def to_base64(data: bytes) -> str:
    """Base64 in letters, digits, `-` and `_`, without padding."""
    # What urlsafe_b64encode does, in half the time.
    encoded = b2a_base64(data, newline=False)
    return encoded.translate(_URL_SAFE).rstrip(b"=").decode("ascii")


def from_base64(text: str) -> bytes | None:
    """What `to_base64` was given, or None for text that it never makes."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    # Bits beyond the last byte could be changed unseen.
    return data if to_base64(data) == text else None


MARKER = "azr1_"
"""Stands between a label's prefix and its body; the digit is the version."""

_LABEL = re.compile(rf"([A-Za-z][A-Za-z0-9]{{0,23}}[_-]){MARKER}([A-Za-z0-9_-]*)")
_SEAL = 8
_TAG = 4
_HEADER = 1 + 2 * _TAG
_HAS_OWNER, _HAS_NO_PREFIX, _HAS_COPIES = 4, 8, 16
MOST_COPIES = 8
"""Resources of one file at most: its label grows by some forty characters with each."""
_LONGEST_COPY = 255
_CIPHERTEXT_START = len(MARKER)
_CIPHERTEXT_END = _CIPHERTEXT_START + 22
_LONGEST_SHOWN = 200
_HINT = (
    "Use ids as this router gave them out, for the same owner; replicas that share ids need the "
    "same affinity_secret."
)


class SignedId(NamedTuple):
    """What a label says: the id (or ciphertext) behind it, and the tags of where it comes from.

    `copies` has the (resource, id) of every copy of a file, including the first.
    """

    inner: str
    deployment: str
    resource: str
    copies: tuple[tuple[str, str], ...] = ()

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Every resource that has it, and its id there."""
        return self.copies or ((self.resource, self.inner),)

    def at(self, resource: str) -> str:
        """Its id at a resource, or its first one where that has none."""
        return dict(self.places).get(resource, self.inner)


class _Hmac:
    """HMAC-SHA256 of one key.

    `hmac.digest` sets the key up anew for each message, which takes twice as long as all the
    rest for messages as short as an id. Here a copy goes on from where the key has been read.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(64, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in padded))

    def seal(self, message: bytes) -> bytes:
        """The first bytes of the authenticator."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()[:_SEAL]


class _Mask:
    """Hides bytes of any number; without the key they cannot be computed from the seal."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        self._keyed = blake2b(key=key)

    def apply(self, seal: bytes, data: bytes) -> bytes:
        """Hides `data`, or shows it again."""
        keyed, length = self._keyed.copy(), len(data)
        keyed.update(seal)
        stream = keyed.digest()
        if length > len(stream):
            stream = shake_256(stream).digest(length)
        return (int.from_bytes(data) ^ int.from_bytes(stream[:length])).to_bytes(length)


class _Keys(NamedTuple):
    id: _Hmac
    ciphertext: _Hmac
    mask: _Mask


def make_tag(text: str) -> str:
    """A short opaque hash of a deployment's id or of a resource's address: 8 hex digits."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_TAG).hexdigest()


def is_label(text: str) -> bool:
    """True for what looks like a label of an id, by this router or another."""
    return MARKER in text and _LABEL.fullmatch(text) is not None


def show_id(text: str) -> str:
    """An id for a message; what is far too long to be one is shortened."""
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")


class IdSigner:
    """Puts labels on ids and ciphertexts, and reads them.

    Safe to share between threads.

    Args:
        secrets: 16 bytes or more each. The first signs; all are tried when reading, so that a
            secret can be replaced without making the ids unknown that are out already.

    Raises:
        ConfigurationError: no secret, or one that is too short to be one.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        if not secrets or any(len(secret) < 16 for secret in secrets):
            raise ConfigurationError(
                "An affinity secret of at least 16 bytes is needed.",
                hint="Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )
        self._keys = [_derive(secret) for secret in secrets]
        # A conversation sends the same labels turn after turn. Refusals are not kept.
        self._open = lru_cache(4096)(self._open_afresh)

    def label_id(
        self, inner: str, *, deployment_tag: str, resource_tag: str, owner: str | None = None
    ) -> str:
        """The label of an id; always the same for the same arguments.

        Args:
            inner: the id as the service knows it.
            deployment_tag, resource_tag: of `make_tag`.
            owner: only this owner can read the label; None lets all read it.
        """
        prefix, rest = split_prefix(inner)
        # The prefix stays readable: clients and people tell responses from items and files by it.
        form, packed = pack(rest)
        form |= (0 if prefix else _HAS_NO_PREFIX) | (0 if owner is None else _HAS_OWNER)
        plain = bytes((form,)) + _tag_bytes(deployment_tag, resource_tag) + packed
        shown = prefix or NO_PREFIX
        keys = self._keys[0]
        seal = _seal(keys, shown, plain, owner)
        return f"{shown}{MARKER}{to_base64(seal + keys.mask.apply(seal, plain))}"

    def label_copies(self, copies: Sequence[tuple[str, str]], owner: str | None = None) -> str:
        """The label of a file at several resources; always the same for the same arguments.

        Args:
            copies: tags of resources, and the id of the file there.
            owner: only this owner can read the label; None lets all read it.

        Raises:
            ValueError: fewer than two copies or too many, or an id that is too long to be one.
        """
        if not 2 <= len(copies) <= MOST_COPIES:
            raise ValueError(f"A file has 2 to {MOST_COPIES} copies, not {len(copies)}.")
        prefix = split_prefix(copies[0][1])[0]
        shown = prefix or NO_PREFIX
        form = _HAS_COPIES | (0 if owner is None else _HAS_OWNER)
        form |= 0 if prefix else _HAS_NO_PREFIX
        packed = b"".join(_pack_copy(resource, inner, prefix) for resource, inner in copies)
        plain = bytes((form, len(copies))) + packed
        keys = self._keys[0]
        seal = _seal(keys, shown, plain, owner)
        return f"{shown}{MARKER}{to_base64(seal + keys.mask.apply(seal, plain))}"

    def read(self, text: str, owner: str | None = None, field: str = "id") -> SignedId | None:
        """What a label says, or None for an id without a label.

        Raises:
            ResponseNotFoundError: a label that was altered, made with another secret, or made for
                another owner; `field` becomes its `param`.
        """
        if MARKER not in text:
            return None
        try:
            return self._open(text, owner)
        except ValueError:
            raise ResponseNotFoundError(
                f"{field} {show_id(text)} was not found.", status_code=404, param=field, hint=_HINT
            ) from None

    def _open_afresh(self, text: str, owner: str | None) -> SignedId | None:
        found = _LABEL.fullmatch(text)
        if found is None:
            return None
        prefix, body = found.groups()
        data = from_base64(body)
        if data is not None and len(data) >= _SEAL + _HEADER:
            for keys in self._keys:
                label = _open(keys, prefix, data, owner)
                if label is not None:
                    return label
        raise ValueError("not a label of ours, or another owner's")

    def label_ciphertext(self, inner: str, *, deployment_tag: str, resource_tag: str) -> str:
        """`encrypted_content` with its origin in front."""
        tags = _tag_bytes(deployment_tag, resource_tag)
        seal = _seal_ciphertext(self._keys[0], tags, inner)
        return f"{MARKER}{to_base64(tags + seal)}_{inner}"

    def read_ciphertext(self, text: str, field: str = "encrypted_content") -> SignedId | None:
        """The original and its origin, or None for a ciphertext without a label.

        Raises:
            BadRequestError: it was altered, or labelled with another secret.
        """
        if not text.startswith(MARKER):
            return None
        head = from_base64(text[_CIPHERTEXT_START:_CIPHERTEXT_END])
        if head is not None and len(head) == 2 * _TAG + _SEAL and text[_CIPHERTEXT_END:][:1] == "_":
            tags, seal, inner = head[: 2 * _TAG], head[2 * _TAG :], text[_CIPHERTEXT_END + 1 :]
            for keys in self._keys:
                if compare_digest(seal, _seal_ciphertext(keys, tags, inner)):
                    return SignedId(inner, tags[:_TAG].hex(), tags[_TAG:].hex())
        raise BadRequestError(
            f"The encrypted content at {field} could not be verified.",
            status_code=400,
            code="invalid_encrypted_content",
            param=field,
            hint=_HINT,
        )


def _derive(secret: bytes) -> _Keys:
    seal, ciphertext, mask = (
        hmac_digest(secret, b"azure_responses label 1 " + use, "sha256")
        for use in (b"id", b"ciphertext", b"mask")
    )
    # One key per use: a seal of a ciphertext must never pass for one of an id.
    return _Keys(_Hmac(seal), _Hmac(ciphertext), _Mask(mask))


@lru_cache(4096)
def _tag_bytes(deployment: str, resource: str) -> bytes:
    try:
        tags = bytes.fromhex(deployment + resource)
    except ValueError:
        tags = b""
    if len(deployment) != 2 * _TAG or len(tags) != 2 * _TAG:
        raise ConfigurationError(
            f"{deployment!r} and {resource!r} are not both tags.", hint="Make them with make_tag."
        )
    return tags


@lru_cache(4096)
def _owner_digest(owner: str) -> bytes:
    return blake2b(owner.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _seal(keys: _Keys, prefix: str, plain: bytes, owner: str | None) -> bytes:
    signed = prefix.encode("ascii") + b"\0" + plain
    if owner is not None:
        # The form, right after the zero, says whether these sixteen bytes are there.
        signed += _owner_digest(owner)
    return keys.id.seal(signed)


def _open(keys: _Keys, prefix: str, data: bytes, owner: str | None) -> SignedId | None:
    seal, plain = data[:_SEAL], keys.mask.apply(data[:_SEAL], data[_SEAL:])
    form = plain[0]
    if not form & _HAS_OWNER:
        owner = None
    elif owner is None:
        return None
    # In constant time: how long a comparison takes must not tell how much of a forged seal is
    # right.
    if not compare_digest(seal, _seal(keys, prefix, plain, owner)):
        return None
    if form & _HAS_COPIES:
        return _unpack_copies(plain, "" if form & _HAS_NO_PREFIX else prefix)
    rest = unpack(form & 3, plain[_HEADER:])
    inner = rest if form & _HAS_NO_PREFIX else prefix + rest
    return SignedId(inner, plain[1 : 1 + _TAG].hex(), plain[1 + _TAG : _HEADER].hex())


def _pack_copy(resource: str, inner: str, prefix: str) -> bytes:
    """Tag, form, length and the packed id without the prefix, where it has that of the first."""
    is_whole = not inner.startswith(prefix)
    form, packed = pack(inner if is_whole else inner[len(prefix) :])
    if len(packed) > _LONGEST_COPY:
        raise ValueError(f"{show_id(inner)} is too long for an id.")
    form |= _HAS_NO_PREFIX if is_whole else 0
    return _tag_bytes(resource, resource)[:_TAG] + bytes((form, len(packed))) + packed


def _unpack_copies(plain: bytes, prefix: str) -> SignedId:
    copies, place = [], 2
    for _ in range(plain[1]):
        resource, form = plain[place : place + _TAG].hex(), plain[place + _TAG]
        place += _TAG + 2
        end = place + plain[place - 1]
        rest = unpack(form & 3, plain[place:end])
        copies.append((resource, rest if form & _HAS_NO_PREFIX else prefix + rest))
        place = end
    resource, inner = copies[0]
    # What knows of no copies takes it for a file of the first resource, which it is.
    return SignedId(inner, resource, resource, tuple(copies))


def _seal_ciphertext(keys: _Keys, tags: bytes, inner: str) -> bytes:
    return keys.ciphertext.seal(tags + inner.encode("utf-8", "surrogatepass"))
