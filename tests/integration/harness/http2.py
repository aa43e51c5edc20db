# SPDX-License-Identifier: MIT
"""A client of HTTP/2 whose every wait has a deadline, on a socket of the caller's; and one that says what it
likes, frame by frame."""

import socket
import time
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import hpack
from hyperframe.frame import Frame, GoAwayFrame, HeadersFrame, SettingsFrame

from .frames import CLOSE
from .waiting import LONG

NO_ERROR, PROTOCOL_ERROR, REFUSED, CANCEL, CALM = 0, 1, 7, 8, 11
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def connect(address, timeout: float = LONG) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    sock.connect(address)
    return sock


def tls(address, context, host="localhost", protocols=("h2",)) -> socket.socket:
    context.set_alpn_protocols(list(protocols))
    return context.wrap_socket(connect(address), server_hostname=host)


@dataclass
class Answer:
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    interim: list[tuple[int, list[tuple[str, str]]]] = field(default_factory=list)
    ended: bool = False
    reset: int | None = None

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def text(self) -> str:
        return self.body.decode("latin-1")


class Http2Client:
    """One connection by the rules. Windows are given back as data comes, unless `reads` is false."""

    def __init__(self, sock: socket.socket, host: str = "localhost", scheme: str = "http", reads: bool = True,
                 window: int | None = None, checks: bool = True):
        config = h2.config.H2Configuration(
            client_side=True, header_encoding="latin-1", validate_outbound_headers=checks,
            normalize_outbound_headers=checks,
        )
        self.sock, self.host, self.scheme, self.reads = sock, host, scheme, reads
        self.connection = h2.connection.H2Connection(config)
        if window is not None:
            self.connection.local_settings.initial_window_size = window
        self.connection.initiate_connection()
        self.answers: dict[int, Answer] = {}
        self.goaways: list[tuple[int, int]] = []
        self.closed = False
        self._unread = b""
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def flush(self) -> None:
        data = self.connection.data_to_send()
        if data:
            self.sock.sendall(data)

    def begin(self, target="/", method="GET", headers=(), end=True) -> int:
        pseudo = [(":method", method), (":scheme", self.scheme), (":authority", self.host), (":path", target)]
        return self.begin_with([*pseudo, *headers], end)

    def begin_with(self, fields, end=True) -> int:
        number = self.connection.get_next_available_stream_id()
        self.connection.send_headers(number, fields, end_stream=end)
        self.answers[number] = Answer()
        self.flush()
        return number

    def send_body(self, number: int, body: bytes, end=True) -> None:
        """As the windows allow, reading meanwhile."""
        while True:
            room = min(self.connection.local_flow_control_window(number), self.connection.max_outbound_frame_size)
            piece, body = body[:room], body[room:]
            if piece or not body:
                self.connection.send_data(number, piece, end_stream=end and not body)
                self.flush()
            if not body:
                return
            if room == 0:
                self.read()

    def read(self, timeout: float = LONG) -> list:
        """What comes next; marks the end of the connection."""
        self.sock.settimeout(timeout)
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return []
        self._unread += data
        events = []
        # Frame by frame, for the sake of those behind a GOAWAY.
        while len(self._unread) >= 9 and len(self._unread) >= (size := 9 + int.from_bytes(self._unread[:3], "big")):
            frame, self._unread = self._unread[:size], self._unread[size:]
            events += self._received(frame)
        self.flush()
        return events

    def _received(self, frame: bytes) -> list:
        events = self.connection.receive_data(frame)
        for event in events:
            self._take(event)
        return events

    def _take(self, event) -> None:
        answer = self.answers.get(getattr(event, "stream_id", None), Answer())
        if isinstance(event, h2.events.InformationalResponseReceived):
            answer.interim.append((int(dict(event.headers)[":status"]), list(event.headers)[1:]))
        elif isinstance(event, h2.events.ResponseReceived):
            answer.status = int(dict(event.headers)[":status"])
            answer.headers = list(event.headers)[1:]
        elif isinstance(event, h2.events.DataReceived):
            answer.body += event.data
            if self.reads and event.flow_controlled_length:
                self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            answer.ended = True
        elif isinstance(event, h2.events.StreamReset):
            answer.reset = int(event.error_code)
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaways.append((int(event.error_code), event.last_stream_id))
            # h2 takes it for the end of everything, which it is not for streams that run.
            self.connection.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN

    def until(self, condition, what: str, timeout: float = LONG):
        deadline = time.monotonic() + timeout
        while not condition():
            if self.closed:
                raise AssertionError(f"the connection was closed before {what}; GOAWAY {self.goaways}")
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {timeout} s: {what}")
            self.read(timeout)

    def answer(self, number: int) -> Answer:
        """The whole response, or what came of it before its reset."""
        got = self.answers[number]
        self.until(lambda: got.ended or got.reset is not None, f"the end of stream {number}")
        return got

    def get(self, target="/", method="GET", headers=(), body: bytes | None = None) -> Answer:
        number = self.begin(target, method, headers, end=body is None)
        if body is not None:
            self.send_body(number, body)
        return self.answer(number)

    def until_closed(self) -> None:
        deadline = time.monotonic() + LONG
        while not self.closed:
            assert time.monotonic() < deadline, "the connection is still open"
            self.read()


def open_client(server, **more) -> Http2Client:
    """With prior knowledge."""
    return Http2Client(connect(server.address), **more)


class Http2Socket:
    """A WebSocket on a stream of a connection (RFC 8441), frame by frame."""

    def __init__(self, client: Http2Client, target="/echo", *fields, version: str | None = "13", end: bool = False):
        pseudo = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", client.scheme),
                  (":authority", client.host), (":path", target)]
        own = [("sec-websocket-version", version)] if version is not None else []
        self.client = client
        self.number = client.begin_with([*pseudo, *own, *fields], end=end)
        self.got = client.answers[self.number]
        client.until(lambda: self.got.status or self.got.reset is not None, "the answer to the handshake")
        self.used = 0

    def send(self, data: bytes, end: bool = False) -> None:
        self.client.send_body(self.number, data, end)

    def _exactly(self, size: int) -> bytes:
        self.client.until(lambda: len(self.got.body) - self.used >= size or self.over, "a frame")
        assert len(self.got.body) - self.used >= size, f"the stream has ended: {self.got.reset}"
        self.used += size
        return self.got.body[self.used - size:self.used]

    @property
    def over(self) -> bool:
        return self.got.ended or self.got.reset is not None

    def frame(self) -> tuple[int, bytes]:
        first, size = self._exactly(2)
        assert first & 0x80 and not size & 0x80, "a whole frame without a mask"
        if size > 125:
            size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
        return first & 0x0F, self._exactly(size)

    def close_code(self) -> int:
        """Of the next frame, which must be a close frame."""
        opcode, payload = self.frame()
        assert opcode == CLOSE, (opcode, payload[:100])
        return int.from_bytes(payload[:2], "big") if payload else 1005

    def until_over(self, timeout: float = LONG) -> None:
        self.client.until(lambda: self.over, "the end of the stream", timeout)


class RawHttp2:
    """Frames as they are given, and those that come."""

    def __init__(self, sock: socket.socket, preface: bool = True):
        self.sock = sock
        self.encoder = hpack.Encoder()
        self.unread = b""
        if preface:
            self.sock.sendall(PREFACE + SettingsFrame(0).serialize())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, *frames) -> None:
        self.sock.sendall(b"".join(each.serialize() for each in frames))

    def head(self, number: int, fields, end=True, whole=True) -> HeadersFrame:
        frame = HeadersFrame(number)
        frame.data = self.encoder.encode(fields)
        if whole:
            frame.flags.add("END_HEADERS")
        if end:
            frame.flags.add("END_STREAM")
        return frame

    def request(self, target="/", method="GET", extra=()):
        return [(":method", method), (":scheme", "http"), (":path", target), (":authority", "localhost"), *extra]

    def frames(self):
        """Until the connection is closed."""
        while True:
            while len(self.unread) >= 9:
                frame, length = Frame.parse_frame_header(memoryview(self.unread[:9]))
                if len(self.unread) < 9 + length:
                    break
                frame.parse_body(memoryview(self.unread[9:9 + length]))
                self.unread = self.unread[9 + length:]
                yield frame
            try:
                data = self.sock.recv(65536)
            except ConnectionResetError:
                return
            if not data:
                return
            self.unread += data

    def goaway(self) -> int:
        """The error that the connection is ended with."""
        for frame in self.frames():
            if isinstance(frame, GoAwayFrame):
                return frame.error_code
        raise AssertionError("closed without GOAWAY")
