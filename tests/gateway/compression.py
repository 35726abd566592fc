"""Compressed bodies, as clients send them."""

import gzip
import sys
import zlib

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def compress(encoding: str, body: bytes) -> bytes:
    """The body in one of the encodings that the gateway takes."""
    if encoding in ("gzip", "x-gzip"):
        return gzip.compress(body)
    if encoding == "deflate":
        return zlib.compress(body)
    if encoding == "zstd":
        return bytes(zstd.compress(body))
    return bytes(brotli.compress(body))
