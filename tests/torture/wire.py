# SPDX-License-Identifier: MIT
"""One connection of a client that may misbehave: every wait has a bound, every byte is judged."""

import re
import select
import socket
import ssl
import struct
import time
from dataclasses import dataclass

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
STATUS_LINE = re.compile(r"HTTP/1\.1 ([1-5]\d\d) ([^\r\n]*)\Z")


# What a socket that never waits says, with TLS and without.
NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def any_server(protocol: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols([protocol])
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


ANY_SERVER = {protocol: any_server(protocol) for protocol in ("h2", "http/1.1")}


class Hang(Exception):
    """Neither an answer nor an end within the bound."""


class Closed(Exception):
    """The server closed or reset where more was to come."""


class Broken(Exception):
    """The server sent what is no right HTTP or WebSocket."""


@dataclass
class Head:
    status: int
    fields: list[tuple[str, str]]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name]

    def one(self, name: str) -> str | None:
        values = self.all(name)
        if len(values) > 1:
            raise Broken(f"{name} comes {len(values)} times: {values}")
        return values[0] if values else None


class Wire:
    def __init__(self, address, bound: float):
        self.bound = bound
        self.until = time.monotonic() + bound
        self.unread = bytearray()
        self.ended = False
        self.end = ""  # how it came: closed or reset, by what was being done
        self.history: list[str] = []  # the responses it carried
        self.sock = socket.create_connection(address, timeout=bound)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)

    def again(self) -> None:
        """The bound begins anew, for the next request."""
        self.until = time.monotonic() + self.bound

    @property
    def elapsed(self) -> float:
        """Seconds of this request so far."""
        return time.monotonic() - self.until + self.bound

    def encrypt(self, protocol: str) -> None:
        """From here on by TLS."""
        try:
            self.sock.settimeout(self.bound)
            self.sock = ANY_SERVER[protocol].wrap_socket(self.sock)
            self.sock.setblocking(False)
        except TimeoutError:
            raise Hang("the server did not end the handshake") from None
        except OSError as why:
            raise Closed(f"closed in the handshake: {why}") from None

    # sending

    def send(self, data: bytes) -> bool:
        """Sends, and takes in what comes meanwhile. False when the server takes no more."""
        left = memoryview(data)
        while left:
            self._wait(select.POLLIN | select.POLLOUT if not self.ended else select.POLLOUT, "take the request")
            self._take()
            try:
                left = left[self.sock.send(left) :]
            except NOT_NOW:
                continue
            except OSError as why:
                self.end = self.end or f"{why} with {len(left)} of {len(data)} bytes to send"
                return False
        return True

    def end_sending(self) -> None:
        try:
            # That of an SSLSocket ends TLS, too, for what is still to come.
            socket.socket.shutdown(self.sock, socket.SHUT_WR)
        except OSError:
            pass

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()

    # receiving

    def _wait(self, events: int, what: str) -> None:
        left = self.until - time.monotonic()
        poller = select.poll()
        poller.register(self.sock, events)
        if left <= 0 or not poller.poll(left * 1000):
            raise Hang(f"the server did not {what} within {self.bound:.0f} s; unread: {bytes(self.unread[:200])!r}")

    def _take(self) -> bool:
        """What is there now; False when nothing is."""
        if self.ended:
            return False
        came = False
        while not self.ended:
            try:
                data = self.sock.recv(262144)
            except NOT_NOW:
                return came
            except OSError as why:
                self.end = str(why)
                data = b""
            self.unread += data
            self.ended = not data
            came = True
            # What a TLS session holds no poll shows.
            if not isinstance(self.sock, ssl.SSLSocket) or not self.sock.pending():
                return came
        return came

    def fill(self) -> bool:
        """Waits for more; False at the end."""
        if self.ended:
            return False
        before = len(self.unread)
        while len(self.unread) == before and not self.ended:
            self._wait(select.POLLIN, "answer or close")
            self._take()
        return len(self.unread) > before

    def until_mark(self, mark: bytes, limit: int = 65536) -> bytes:
        while (at := self.unread.find(mark)) < 0:
            if len(self.unread) > limit:
                raise Broken(f"no {mark!r} in {limit} bytes: {bytes(self.unread[:80])!r}")
            if not self.fill():
                raise Closed(f"closed before {mark!r}, behind {bytes(self.unread[-80:])!r}")
        found = bytes(self.unread[:at])
        del self.unread[: at + len(mark)]
        return found

    def exactly(self, count: int) -> bytes:
        while len(self.unread) < count:
            if not self.fill():
                raise Closed(f"closed with {count - len(self.unread)} of {count} bytes to come")
        found = bytes(self.unread[:count])
        del self.unread[:count]
        return found

    def closed(self) -> None:
        """Waits for the end of the connection, which must come without another byte."""
        while not self.ended:
            self._wait(select.POLLIN, "close")
            self._take()
        if self.unread:
            raise Broken(f"bytes behind the end of the last response: {bytes(self.unread[:200])!r}")

    def pause(self, seconds: float) -> None:
        """Neither reads nor sends."""
        time.sleep(seconds)

    # HTTP

    def head(self) -> Head:
        """The next final response's; interim ones before it are skipped."""
        while True:
            head = self._any_head()
            if head.status >= 200 or head.status == 101:
                return head
            if head.status not in (100, 103):
                raise Broken(f"an interim response {head.status}")

    def _any_head(self) -> Head:
        lines = self.until_mark(b"\r\n\r\n").decode("latin-1").split("\r\n")
        match = STATUS_LINE.match(lines[0])
        if not match:
            raise Broken(f"status line {lines[0]!r}")
        fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or not TOKEN.match(name) or "\r" in value or "\n" in value:
                raise Broken(f"header field {line!r}")
            fields.append((name, value.strip(" \t")))
        return Head(int(match[1]), fields)

    def body(self, head: Head):
        """The pieces of a response's body as they come; raises Closed when it is cut."""
        length, coding = head.one("content-length"), head.one("transfer-encoding")
        if length is not None and coding is not None:
            raise Broken("two framings in one response")
        if length is not None:
            yield from self._counted(int(length))
        elif coding is not None:
            if coding != "chunked":
                raise Broken(f"Transfer-Encoding: {coding}")
            yield from self._chunks()
        else:
            if (head.one("connection") or "").lower() != "close":
                raise Broken(f"status {head.status} without a framing on a kept connection")
            while self.unread or self.fill():
                piece, self.unread = bytes(self.unread), bytearray()
                yield piece

    def _counted(self, left: int):
        while left:
            if not self.unread and not self.fill():
                raise Closed(f"closed with {left} bytes of the body to come")
            piece = self.exactly(min(left, len(self.unread)))
            left -= len(piece)
            yield piece

    def _chunks(self):
        while True:
            size = self.until_mark(b"\r\n", 32)
            if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", size):
                raise Broken(f"chunk size {size!r}")
            if int(size, 16) == 0:
                if self.exactly(2) != b"\r\n":
                    raise Broken("trailers were not expected")
                return
            yield from self._counted(int(size, 16))
            if self.exactly(2) != b"\r\n":
                raise Broken("a chunk is longer than its size")
