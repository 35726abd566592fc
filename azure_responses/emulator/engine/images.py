"""Tiny but valid images: one pixel, in a colour that the prompt decides."""

import base64
import hashlib
import struct
import zlib

__all__ = ["paint"]


def paint(prompt: str, stage: int = 0) -> str:
    """A PNG of one pixel in base64; each stage of the same prompt has its own shade."""
    colour = hashlib.blake2b(f"{prompt}{stage}".encode(), digest_size=3).digest()
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    chunks = (
        _chunk(b"IHDR", header),
        _chunk(b"IDAT", zlib.compress(b"\0" + colour)),
        _chunk(b"IEND", b""),
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
