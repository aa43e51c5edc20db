# SPDX-License-Identifier: MIT
"""A raw HTTP client whose every wait has a deadline."""

import errno
import socket
import struct
import time
from dataclasses import dataclass, field

from .waiting import LONG


@dataclass
class Response:
    status: int
    reason: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    interim: list[int] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None

    @property
    def text(self) -> str:
        return self.body.decode("latin-1")


class Closed(Exception):
    """The server closed the connection where more was expected."""


class Client:
    """One connection. `address` is (host, port) or the path of a unix socket."""

    def __init__(self, address, timeout: float = LONG, source: str | None = None):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        if family == socket.AF_INET and ":" in address[0]:
            family = socket.AF_INET6
        self.timeout = timeout
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        if source is not None:
            self.sock.bind((source, 0))
        self.sock.connect(address)
        if family != socket.AF_UNIX:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self.sock.close()

    def send(self, data: bytes | str) -> None:
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def request(self, target: str = "/", method: str = "GET", headers=(), body: bytes = b"") -> None:
        lines = [f"{method} {target} HTTP/1.1", "Host: test.example"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def get(self, target: str = "/", **more) -> Response:
        self.request(target, **more)
        return self.response(head_only=more.get("method") == "HEAD")

    def reset(self) -> None:
        """Breaks the connection off (RST)."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def end_sending(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as failure:
            # The server has reset the connection; what it sent before can still be read.
            if failure.errno != errno.ENOTCONN:
                raise

    def _too_late(self) -> TimeoutError:
        return TimeoutError(
            f"no end within {self.timeout} s; so far {len(self._unread)} bytes, first "
            f"{self._unread[:200]!r}"
        )

    def _fill(self, deadline: float) -> bool:
        left = deadline - time.monotonic()
        if left <= 0:
            raise self._too_late()
        self.sock.settimeout(left)
        try:
            piece = self.sock.recv(65536)
        except socket.timeout:
            raise self._too_late() from None
        self._unread += piece
        return bool(piece)

    def _until(self, end: bytes, deadline: float) -> bytes:
        while end not in self._unread:
            if not self._fill(deadline):
                raise Closed(f"closed after {self._unread[:200]!r}")
        text, _, self._unread = self._unread.partition(end)
        return text

    def _exactly(self, count: int, deadline: float) -> bytes:
        while len(self._unread) < count:
            if not self._fill(deadline):
                raise Closed(f"closed with {count - len(self._unread)} bytes to come")
        data, self._unread = self._unread[:count], self._unread[count:]
        return data

    def head(self) -> Response:
        """The next head, an interim (1xx) one included."""
        deadline = time.monotonic() + self.timeout
        lines = self._until(b"\r\n\r\n", deadline).decode("latin-1").split("\r\n")
        version, status, reason = (lines[0].split(" ", 2) + [""])[:3]
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            assert colon, f"field without a colon: {line!r}"
            headers.append((name, value.strip(" \t")))
        return Response(int(status), reason, version, headers)

    def response(self, head_only: bool = False) -> Response:
        """The next final response, whole; the interim ones before it are noted in it."""
        interim = []
        while True:
            answer = self.head()
            if answer.status >= 200:
                break
            interim.append(answer.status)
        answer.interim = interim
        if head_only or answer.status in (204, 304):
            return answer
        deadline = time.monotonic() + self.timeout
        length = answer.header("Content-Length")
        if length is not None:
            assert answer.header("Transfer-Encoding") is None, "two framings in one response"
            answer.body = self._exactly(int(length), deadline)
        elif (answer.header("Transfer-Encoding") or "").lower() == "chunked":
            answer.body = self._chunks(deadline)
        else:
            answer.body = self.rest()
        return answer

    def _chunks(self, deadline: float) -> bytes:
        body = b""
        while True:
            size = int(self._until(b"\r\n", deadline), 16)
            if size == 0:
                assert self._until(b"\r\n", deadline) == b"", "trailers were not expected"
                return body
            body += self._exactly(size, deadline)
            assert self._exactly(2, deadline) == b"\r\n"

    def rest(self) -> bytes:
        """Everything up to the end of the connection; a reset counts as the end."""
        deadline = time.monotonic() + self.timeout
        try:
            while self._fill(deadline):
                pass
        except ConnectionResetError:
            pass
        data, self._unread = self._unread, b""
        return data

    def closed_by_server(self) -> bool:
        """Waits for the end of the connection; False if bytes come first."""
        return self.rest() == b""

    def silent(self, seconds: float) -> bool:
        """True if the server neither sends nor closes for that long."""
        if self._unread:
            return False
        self.sock.settimeout(seconds)
        try:
            self._unread += self.sock.recv(1)
        except socket.timeout:
            return True
        return False


def get(address, target: str = "/", **more) -> Response:
    """One request on a connection of its own."""
    with Client(address) as client:
        return client.get(target, headers=[("Connection", "close")], **more)
