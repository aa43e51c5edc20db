# SPDX-License-Identifier: MIT
"""A stream of HTTP/2 that carries a WebSocket (RFC 8441), for who performs one on a wire of its own."""

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

import kinds
from websocket_client import Talk
from wire import Broken, Closed, Head, Wire


class Tunnel:
    """Has what a wire has. One stream of one connection."""

    def __init__(self, wire: Wire):
        self.wire = wire
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="latin-1"))
        self.connection.initiate_connection()
        self.number = 0
        self.unread = bytearray()
        self.answer: Head | None = None
        self.cut = False  # in its first frame: nothing of HTTP/2 can follow
        self.ended = False
        self.end = ""
        self.history = wire.history

    @property
    def elapsed(self) -> float:
        return self.wire.elapsed

    def handshake(self, target: str) -> bytes:
        self.number = self.connection.get_next_available_stream_id()
        self.connection.send_headers(self.number, [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":authority", "torture"),
            (":path", target), ("sec-websocket-version", "13"),
        ])
        return self.connection.data_to_send()

    # sending

    def send(self, data: bytes) -> bool:
        """As the windows allow, reading meanwhile. False when the server takes no more."""
        while data:
            if self.ended:
                return False
            room = min(self.connection.local_flow_control_window(self.number), self.connection.max_outbound_frame_size)
            if room == 0:
                self._read()
                continue
            part, data = data[:room], data[room:]
            try:
                self.connection.send_data(self.number, part)
            except h2.exceptions.ProtocolError:
                return False  # its end crosses the server's
            if not self._flush():
                return False
        return True

    def _flush(self) -> bool:
        data = self.connection.data_to_send()
        return not data or self.wire.send(data)

    def end_sending(self) -> None:
        if self.cut:
            return self.wire.end_sending()
        try:
            self.connection.end_stream(self.number)
            self._flush()
        except h2.exceptions.ProtocolError:
            pass

    def reset(self) -> None:
        if self.cut:
            return self.wire.reset()
        try:
            self.connection.reset_stream(self.number, h2.errors.ErrorCodes.CANCEL)
            self._flush()
        except h2.exceptions.ProtocolError:
            pass

    def close(self) -> None:
        self.wire.close()

    def pause(self, seconds: float) -> None:
        self.wire.pause(seconds)

    # receiving

    def _read(self) -> None:
        """What the next frame brings."""
        unread = self.wire.unread
        while len(unread) < 9 or len(unread) < 9 + int.from_bytes(unread[:3], "big"):
            if not self.wire.fill():
                self.ended, self.end = True, self.wire.end
                return
        size = 9 + int.from_bytes(unread[:3], "big")
        whole = bytes(unread[:size])
        del unread[:size]
        try:
            events = self.connection.receive_data(whole)
        except h2.exceptions.ProtocolError as why:
            raise Broken(f"no right HTTP/2: {why}") from None
        for event in events:
            self._take(event)
        self._flush()

    def _take(self, event) -> None:
        if isinstance(event, h2.events.ConnectionTerminated):
            if event.error_code != h2.errors.ErrorCodes.NO_ERROR and not self.cut:
                raise Broken(f"GOAWAY with {event.error_code}")
            # h2 takes it for the end of everything, which it is not for a stream that runs.
            self.connection.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
            if event.last_stream_id < self.number:
                self.ended, self.end = True, "not served"
        elif isinstance(event, h2.events.ResponseReceived):
            fields = list(event.headers)
            self.answer = Head(int(fields[0][1]), fields[1:])
        elif isinstance(event, h2.events.DataReceived):
            self.unread += event.data
            if event.flow_controlled_length:
                self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
            self.ended = True
            if isinstance(event, h2.events.StreamReset):
                self.end = self.end or f"reset with {event.error_code}"

    def fill(self) -> bool:
        """Waits for more; False at the end."""
        before = len(self.unread)
        while len(self.unread) == before and not self.ended:
            self._read()
        return len(self.unread) > before

    exactly = Wire.exactly

    def closed(self) -> None:
        """Waits for the end of the stream, which must come without another byte."""
        while not self.ended:
            self._read()
        if self.unread:
            raise Broken(f"bytes behind the close frame: {bytes(self.unread[:200])!r}")

    def head(self) -> Head:
        while self.answer is None and not self.ended:
            self._read()
        if self.answer is None:
            raise Closed(f"no answer to the handshake: {self.end}")
        return self.answer

    def body(self, _: Head):
        while self.unread or self.fill():
            part, self.unread = bytes(self.unread), bytearray()
            yield part


class TunneledTalk(Talk):
    """A WebSocket by HTTP/2: its ends are those of a stream, or of the connection."""

    SWITCHED = 200

    def _handshake(self) -> bytes:
        return self.wire.handshake(self.script.target)

    def _send_handshake(self, data: bytes) -> None:
        self.wire.cut = self.script.stage == kinds.HEAD
        self.wire.wire.send(data)

    def _meant(self, denial: Head) -> Head:
        # An ordinary answer that would be an open WebSocket to this client.
        stands_in = denial.status == 501 and self.script.status // 100 == 2
        return Head(self.script.status, denial.fields) if stands_in else denial

    def _judge_accept(self, head: Head) -> None:
        if head.one("sec-websocket-accept") is not None or head.one("upgrade") is not None:
            raise Broken("the answer has fields of HTTP/1.1")
