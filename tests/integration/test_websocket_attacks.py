# SPDX-License-Identifier: MIT
"""WebSocket clients that break the protocol."""

import zlib

import pytest

from harness.frames import BINARY, CLOSE, PING, TEXT, RawSocket, close_frame, frame
from harness.paths import TALK
from harness.talk import LIMIT, ending, opened


BROKEN = {
    "unmasked": (frame(TEXT, b"hi", mask=None), 1002),
    "rsv1": (frame(TEXT, b"hi", rsv=4), 1002),
    "rsv2": (frame(TEXT, b"hi", rsv=2), 1002),
    "rsv3 of a ping": (frame(PING, b"hi", rsv=1), 1002),
    "opcode 3": (frame(3, b"hi"), 1002),
    "opcode 11": (frame(11, b"hi"), 1002),
    "long ping": (frame(PING, b"x" * 126), 1002),
    "long close": (frame(CLOSE, b"\x03\xe8" + b"x" * 124), 1002),
    "fragmented ping": (frame(PING, b"x", fin=False), 1002),
    "continuation of nothing": (frame(0, b"x"), 1002),
    "text in a text": (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002),
    "close of one byte": (frame(CLOSE, b"\x03"), 1002),
    "close code 1005": (close_frame(1005), 1002),
    "close code 999": (close_frame(999), 1002),
    "close reason": (close_frame(1000, b"\xff"), 1002),
    "length not canonical": (b"\x81\xfe\x00\x02\x00\x00\x00\x00hi", 1002),
    "length beyond 63 bits": (b"\x82\xff\xff" + b"\xff" * 7 + b"\x00" * 4, 1009),
    "invalid text": (frame(TEXT, b"\xc3\x28"), 1007),
    "surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "overlong": (frame(TEXT, b"\xc0\xaf"), 1007),
    "cut character": (frame(TEXT, b"ab\xe2\x98"), 1007),
    "cut character, empty end": (frame(TEXT, b"\xe2\x98", fin=False) + frame(0), 1007),
    "cut character, empty end, 4": (frame(TEXT, b"ok\xf0\x9d\x84", fin=False) + frame(0), 1007),
    "too long": (frame(BINARY, length=1001), 1009),
    "too long in pieces": (frame(BINARY, b"x" * 600, fin=False) + frame(0, b"x" * 401), 1009),
    "far too long": (frame(BINARY, length=1 << 62), 1009),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_frames(start, name):
    server = start(TALK, config={"ws_max_size": 1000})
    data, code = BROKEN[name]
    with RawSocket(server.address, "/echo?name=it") as ws:
        ws.send(frame(TEXT, b"whole"))
        assert ws.frame() == (TEXT, b"whole")
        ws.send(data)
        assert ws.close_code() == code
    assert ending(server, "it").split()[0] == str(code)


def test_characters_over_fragments(start):
    server = start(TALK)
    with RawSocket(server.address, "/echo") as ws:
        ws.send(frame(TEXT, b"\xe2", fin=False) + frame(0, b"\x98", fin=False) + frame(0, b"\x83"))
        assert ws.frame() == (TEXT, "☃".encode())
        ws.send(frame(TEXT, "☃".encode(), fin=False) + frame(0))
        assert ws.frame() == (TEXT, "☃".encode())
        ws.send(frame(TEXT, b"", fin=False) + frame(0))
        assert ws.frame() == (TEXT, b"")


DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


def test_compressed_attacks(start):
    server = start(TALK, config={"ws_max_size": 100000})
    def compressed(data: bytes) -> bytes:
        packer = zlib.compressobj(wbits=-15)
        return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]

    for payload, code in ((compressed(b"\0" * 100001), 1009), (b"\xff" * 50, 1007), (b"\x07\x00", 1007)):
        with RawSocket(server.address, "/echo?name=it", DEFLATE) as ws:
            ws.send(frame(BINARY, payload, rsv=4))
            assert ws.close_code() == code, payload[:4]
        assert ending(server, "it").split()[0] == str(code)
    with RawSocket(server.address, "/echo", DEFLATE) as ws:
        ws.send(frame(TEXT, compressed(b"\xc3\x28"), rsv=4))
        assert ws.close_code() == 1007
    # The sum of the messages may go beyond the limit.
    with opened(server) as ws:
        for _ in range(3):
            ws.send(b"\0" * 100000)
            assert ws.recv(LIMIT) == b"\0" * 100000
    for offer in ("permessage-deflate; server_max_window_bits=7", "permessage-deflate; x=1", "gibberish",
                  "permessage-deflate; client_max_window_bits=16"):
        with RawSocket(server.address, "/echo", "Sec-WebSocket-Extensions: " + offer) as ws:
            assert ws.answer.header("Sec-WebSocket-Extensions") is None, offer
