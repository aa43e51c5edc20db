# SPDX-License-Identifier: MIT
"""WebSocket frames by hand, for what no decent client sends."""

import struct
import time

from .client import Client, Closed, Response

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, 1.3


def handshake(target: str, *fields: str, key: str | None = KEY, version: str | None = "13") -> bytes:
    lines = [f"GET {target} HTTP/1.1", "Host: test.example", "Upgrade: websocket",
             "Connection: Upgrade"]
    if key is not None:
        lines.append(f"Sec-WebSocket-Key: {key}")
    if version is not None:
        lines.append(f"Sec-WebSocket-Version: {version}")
    return "\r\n".join([*lines, *fields, "", ""]).encode("latin-1")


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = b"\x01\x02\x03\x04",
    length: int | None = None,
) -> bytes:
    """`length` announces another length than the payload has."""
    size = len(payload) if length is None else length
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    masked = 0x80 if mask is not None else 0
    if size < 126:
        head = struct.pack("!BB", first, masked | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, masked | 126, size)
    else:
        head = struct.pack("!BBQ", first, masked | 127, size)
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


class RawSocket:
    """An open WebSocket of whose client side every byte is the test's."""

    def __init__(self, address, target: str, *fields: str, early: bytes = b""):
        self.client = Client(address)
        self.client.send(handshake(target, *fields) + early)
        self.answer: Response = self.client.head()

    def __enter__(self):
        assert self.answer.status == 101, self.answer
        return self

    def __exit__(self, *_):
        self.client.close()

    def send(self, data: bytes) -> None:
        self.client.send(data)

    def frame_head(self) -> tuple[int, int]:
        """The beginning of the next frame of the server, opcode and size; must be whole and unmasked."""
        deadline = time.monotonic() + self.client.timeout
        first, second = self.client._exactly(2, deadline)
        assert first & 0x80, "a fragment"
        assert not second & 0x80, "a server does not mask"
        size = second
        if size == 126:
            size = int.from_bytes(self.client._exactly(2, deadline), "big")
        elif size == 127:
            size = int.from_bytes(self.client._exactly(8, deadline), "big")
        return first & 0x7F, size

    def frame(self) -> tuple[int, bytes]:
        """The next frame, opcode and payload."""
        opcode, size = self.frame_head()
        return opcode, self.client._exactly(size, time.monotonic() + self.client.timeout)

    def close_code(self) -> int | None:
        """Reads up to the server's close frame and the end of the connection; None without one."""
        code = None
        try:
            while True:
                opcode, payload = self.frame()
                if opcode == CLOSE:
                    code = int.from_bytes(payload[:2], "big") if payload else 1005
                    break
        except (Closed, ConnectionResetError):
            return None
        assert self.client.closed_by_server()
        return code


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)
