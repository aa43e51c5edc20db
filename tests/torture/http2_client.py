# SPDX-License-Identifier: MIT
"""Several requests at a time on one connection of HTTP/2, each ended in its own way."""

from dataclasses import dataclass, field
from random import Random

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

import acts
import answers
import kinds
from answers import Lost
from http_client import ANSWERED, CUT, LEFT, LONG_SILENCE, REFUSED, UNANSWERED, Weather
from script import Script
from wire import Broken, Head, Wire

MOST = 6  # at a time
WHOLE_CONNECTION = (kinds.FIN, kinds.HALF)


@dataclass
class Stream:
    script: Script
    number: int
    left: bytes = b""  # of the request's body
    head: Head | None = None
    own: bool = False  # the head is the application's
    body: bytearray = field(default_factory=bytearray)
    outcome: str = ""
    stop_at: int | None = None  # the client resets it behind so many bytes of the answer
    reads: bool = True


class Visit:
    """What `perform` does is judged for each request as of HTTP/1.1."""

    def __init__(self, wire: Wire, scripts: list[Script], weather: Weather, random: Random):
        self.wire = wire
        self.weather = weather
        self.random = random
        self.stage = kinds.HEAD
        self.refused_with = 0
        self.keeps = False
        self.last_served: int | None = None  # by GOAWAY
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="latin-1"))
        self.streams: dict[int, Stream] = {}
        self.scripts = scripts

    def perform(self) -> list[tuple[Script, str]]:
        self.connection.initiate_connection()
        for script in self.scripts:
            self._begin(script)
        self.stage = kinds.SENT
        if not self._flush():
            return self._over()
        leaves = next((each.end for each in self.scripts if each.end in WHOLE_CONNECTION), None)
        if leaves and self.random.random() < 0.5:
            return self._leave(leaves)
        while any(not each.outcome for each in self.streams.values()):
            waiting = [each for each in self.streams.values() if not each.outcome]
            if all(each.script.end == kinds.STALL for each in waiting):
                self.wire.pause(LONG_SILENCE)
                for each in waiting:
                    self._reset(each)
            elif leaves and all(each.script.end in (leaves, kinds.STALL) for each in waiting):
                return self._leave(leaves)
            elif not self._read():
                break
            self._send_bodies()
            if not self._flush():
                break
        return self._over()

    def _begin(self, script: Script) -> None:
        number = self.connection.get_next_available_stream_id()
        fields = [(":method", "GET" if script.framing == "none" else "POST"), (":scheme", "http"),
                  (":authority", "torture"), (":path", script.target), ("x-padding", script.mark * 20)]
        body = script.request_body()
        if script.framing == "length":
            fields.append(("content-length", str(len(body))))
        if script.expect:
            fields.append(("expect", "100-continue"))
        self.connection.send_headers(number, fields, end_stream=not body and script.framing == "none")
        own = self.streams[number] = Stream(script, number, body)
        own.reads = script.end != kinds.STALL
        if script.end == kinds.RESET:
            if script.stage in (kinds.HEAD, kinds.HEADED, kinds.SENT):
                return self._reset(own)
            own.stop_at = int(script.cut * 100_000)
        if script.framing != "none":
            self._send_body(own)

    def _reset(self, which: Stream) -> None:
        which.outcome = LEFT
        try:
            self.connection.reset_stream(which.number, h2.errors.ErrorCodes.CANCEL)
        except h2.exceptions.ProtocolError:
            pass  # its end crosses the server's

    def _send_body(self, which: Stream) -> None:
        script = which.script
        cut = script.end == kinds.RESET and script.stage == kinds.BODY
        try:
            while not which.outcome:
                room = min(self.connection.local_flow_control_window(which.number),
                           self.connection.max_outbound_frame_size)
                if which.left and room == 0:
                    return
                piece, which.left = which.left[:room], which.left[room:]
                if cut and len(which.left) < (1 - script.cut) * script.body_size:
                    return self._reset(which)
                self.connection.send_data(which.number, piece, end_stream=not which.left)
                if not which.left:
                    return
        except h2.exceptions.ProtocolError:
            which.left = b""  # the server has had enough of it

    def _send_bodies(self) -> None:
        for each in self.streams.values():
            if each.left and not each.outcome:
                self._send_body(each)

    def _flush(self) -> bool:
        data = self.connection.data_to_send()
        return not data or self.wire.send(data)

    def _leave(self, how: str) -> list[tuple[Script, str]]:
        for each in self.streams.values():
            each.outcome = each.outcome or LEFT
        if how == kinds.HALF:
            self.wire.end_sending()
            while self.wire.fill():
                self.wire.unread.clear()
        else:
            self.wire.close()
        return self._results()

    def _read(self) -> bool:
        if not self.wire.unread and not self.wire.fill():
            return False
        unread = self.wire.unread
        # Frame by frame: h2 takes GOAWAY for the end of everything, which it is not for streams that run.
        while len(unread) < 9 or len(unread) < 9 + int.from_bytes(unread[:3], "big"):
            if not self.wire.fill():
                return False
        size = 9 + int.from_bytes(unread[:3], "big")
        frame = bytes(unread[:size])
        del unread[:size]
        try:
            events = self.connection.receive_data(frame)
        except h2.exceptions.ProtocolError as why:
            number = int.from_bytes(frame[5:9], "big") & 0x7FFFFFFF
            which = self.streams.get(number)
            # An interim response may cross a reset, which h2 does not know.
            if which is None or not which.outcome or "INFORMATIONAL" not in str(why):
                raise Broken(f"no right HTTP/2: {why}") from None
            self._reopen()
            # Without the GOAWAY that it has made of it.
            return self.wire.send(self.connection.data_to_send()[:-17])
        for event in events:
            self._take(event)
        return True

    def _reopen(self) -> None:
        self.connection.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN

    def _take(self, event) -> None:
        if isinstance(event, h2.events.ConnectionTerminated):
            self.last_served = event.last_stream_id
            self._reopen()
            if event.error_code != h2.errors.ErrorCodes.NO_ERROR:
                raise Broken(f"GOAWAY with {event.error_code}")
        which = self.streams.get(getattr(event, "stream_id", 0))
        if which is None or which.outcome:
            if isinstance(event, h2.events.DataReceived) and event.flow_controlled_length:
                self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            return
        if isinstance(event, h2.events.ResponseReceived):
            self._judge_head(which, list(event.headers))
        elif isinstance(event, h2.events.DataReceived):
            which.body += event.data
            if which.reads and event.flow_controlled_length:
                self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if which.stop_at is not None and len(which.body) > which.stop_at:
                self._reset(which)
        elif isinstance(event, h2.events.StreamEnded):
            which.outcome = ANSWERED if which.own else REFUSED
            self._judge_body(which, whole=True)
        elif isinstance(event, h2.events.StreamReset):
            self._judge_reset(which, event.error_code)

    def _judge_head(self, which: Stream, fields) -> None:
        self.stage = kinds.STREAMING
        which.head = Head(int(fields[0][1]), fields[1:])
        which.own = answers.judge_head(which.script, which.head)
        if not which.own:
            self.refused_with = which.head.status
            may_fail = which.script.act.answer in (acts.FAIL, acts.OWN, acts.CUT)
            answers.judge_refusal(which.script, which.head.status, self.weather.may_be_over, may_fail)

    def _judge_body(self, which: Stream, whole: bool) -> None:
        if which.own:
            answers.judge_body(which.script, bytes(which.body), whole)

    def _judge_reset(self, which: Stream, why: int) -> None:
        if why == h2.errors.ErrorCodes.REFUSED_STREAM:
            which.outcome = UNANSWERED
            return
        which.outcome = CUT
        self._judge_body(which, whole=False)
        # What one stream does not read is missing from the window of all.
        starves = any(each.script.end == kinds.STALL for each in self.streams.values())
        may = which.script.act.answer in (acts.CUT, acts.OWN, acts.FAIL) or starves
        if not may and not self.weather.may_be_over:
            raise Lost(f"{which.script.act.name} was reset with {why} behind {len(which.body)} bytes of its body")

    def _over(self) -> list[tuple[Script, str]]:
        for each in self.streams.values():
            if each.outcome:
                continue
            each.outcome = UNANSWERED
            told = self.last_served is not None and each.number > self.last_served
            may = told or self.weather.may_be_over or each.script.act.answer in (acts.OWN, acts.FAIL, acts.EVENTS)
            if not may and each.script.end == kinds.COMPLETE:
                raise Lost(f"closed without an answer to {each.script.act.name} (GOAWAY {self.last_served})")
        return self._results()

    def _results(self) -> list[tuple[Script, str]]:
        return [(each.script, each.outcome) for each in self.streams.values()]
