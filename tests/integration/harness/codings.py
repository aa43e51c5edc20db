# SPDX-License-Identifier: MIT
"""What a client makes of the content codings, also of a body that is not whole yet."""

import zlib

import brotli
import zstandard

CODINGS = ("zstd", "br", "gzip")


def decoder(coding: str):
    """A function of the next bytes that gives what they decode to."""
    if coding == "gzip":
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress
    if coding == "br":
        return brotli.Decompressor().process
    return zstandard.ZstdDecompressor().decompressobj().decompress


def decoded(coding: str | None, body: bytes) -> bytes:
    return decoder(coding)(body) if coding else body
