# SPDX-License-Identifier: MIT
"""Performs the script of one WebSocket: the same stages, with messages for bodies."""

from random import Random

import acts
import answers
import kinds
from answers import Lost, Wrong
from apps.marks import piece
from http_client import ANSWERED, CUT, LEFT, LONG_SILENCE, REFUSED, UNANSWERED, Weather
from script import Script
from wire import Broken, Closed, Head, Wire

from harness.frames import ACCEPT, BINARY, CLOSE, PING, PONG, TEXT, close_frame, frame, handshake

CODES = {1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1012, 1013, 3000}


class Talk:
    SWITCHED = 101

    def __init__(self, wire: Wire, script: Script, weather: Weather, random: Random, first: bool):
        self.wire = wire
        self.script = script
        self.weather = weather
        self.random = random
        self.first = first
        self.stage = kinds.HEAD
        self.keeps = False
        self.refused_with = 0
        self.heard = 0
        self.said: list[bytes] = []

    def perform(self) -> str:
        script = self.script
        request = self._handshake()
        if script.stage == kinds.HEAD:
            self._send_handshake(request[: 1 + int(script.cut * (len(request) - 2))])
            self.wire.pause(script.pause)
            return self._end(open_=False)
        self._send_handshake(request)
        self.stage = kinds.SENT
        if script.stage in (kinds.HEADED, kinds.SENT):
            self.wire.pause(script.pause)
            return self._end(open_=False)
        try:
            if not self._accepted():
                return REFUSED
        except Closed:
            if self.weather.may_be_over or not self.first:
                return UNANSWERED
            raise Lost(f"the handshake of {script.act.name} was not answered") from None
        return self._talk()

    def _handshake(self) -> bytes:
        return handshake(self.script.target)

    def _send_handshake(self, data: bytes) -> None:
        self.wire.send(data)

    def _judge_accept(self, head: Head) -> None:
        if head.one("sec-websocket-accept") != ACCEPT:
            raise Broken("Sec-WebSocket-Accept is wrong")

    def _meant(self, denial: Head) -> Head:
        """As the application has said it."""
        return denial

    def _accepted(self) -> bool:
        head = self.wire.head()
        if head.status != self.SWITCHED:
            denied = head.status == 403 and self.script.act.name == "refuse"
            own = denied or answers.judge_head(self.script, self._meant(head))
            if not own:
                self.refused_with = head.status
                may_fail = self.script.act.answer == acts.FAIL or self.script.act.name == "leave"
                may_be_over = self.weather.may_be_over or self.weather.workers_end
                answers.judge_refusal(self.script, head.status, may_be_over, may_fail)
            for _ in self.wire.body(head):
                pass
            return False
        self.stage = kinds.STREAMING
        self._judge_accept(head)
        if head.one("x-mark") != self.script.mark:
            raise Wrong(f"mixed up: the WebSocket for {self.script.mark} has {head.fields}")
        return True

    def _talk(self) -> str:
        script = self.script
        try:
            for index in range(self.random.randint(0, 6)):
                self._say(index)
                if self.random.random() < 0.7 and not self._listen_once():
                    self.wire.closed()
                    return ANSWERED
            if script.stage in (kinds.BODY, kinds.STREAMING) and script.end != kinds.COMPLETE:
                if script.stage == kinds.BODY:
                    self._say_half()
                return self._end(open_=True)
            self.stage = kinds.BETWEEN
            self.wire.send(close_frame(1000))
            if script.end in (kinds.FIN, kinds.RESET):
                return self._end(open_=True)
            while self._listen_once():
                pass
        except Closed:
            # Without a close frame: right where the application failed or the server ends.
            return CUT
        self.wire.closed()
        return ANSWERED

    def _say(self, index: int) -> None:
        data = piece(self.script.mark, index, self.random.choice((20, 200, 5000, 20_000)))
        kind = self.random.choice((TEXT, BINARY))
        sent = [frame(kind, data)]
        if self.random.random() < 0.2:
            sent = [frame(kind, data[:7], fin=False), frame(PING, b"in between"), frame(0, data[7:])]
        self.said.append(data)
        self.wire.send(b"".join(sent))

    def _say_half(self) -> None:
        data = frame(TEXT, piece(self.script.mark, 99, 5000))
        self.wire.send(data[: 1 + int(self.script.cut * (len(data) - 2))])

    def _listen_once(self) -> bool:
        """One message, or nothing where the application owes none; False when the server closes."""
        echoes = self.script.act.answer in (acts.ECHO, "chat")
        owed = self.stage == kinds.BETWEEN or (echoes and self.heard < len(self.said))
        if not owed and not self.wire.unread:
            return True
        opcode, data = self._frame()
        if opcode == CLOSE:
            code = int.from_bytes(data[:2], "big") if data else 1005
            if code not in CODES:
                raise Wrong(f"close code {code}")
            if self.stage != kinds.BETWEEN:
                self.wire.send(close_frame(1000))
            return False
        if opcode == PING:
            self.wire.send(frame(PONG, data))
        elif opcode in (TEXT, BINARY):
            self._judge(data)
        return True

    def _judge(self, data: bytes) -> None:
        if self.script.act.answer == "chat":
            self.heard += self.script.mark.encode() in data[:20]
            return
        if data == b"late" and self.script.act.name == "keep":
            return
        if not data.startswith(self.script.mark.encode()[: len(data)]):
            raise Wrong(f"mixed up: {data[:60]!r} for the WebSocket {self.script.mark}")
        if self.script.act.answer == acts.ECHO and data != self.said[self.heard]:
            raise Wrong(f"{self.script.mark}: echo of message {self.heard} is {data[:60]!r}")
        self.heard += 1

    def _frame(self) -> tuple[int, bytes]:
        first, second = self.wire.exactly(2)
        if not first & 0x80 or first & 0x70 or second & 0x80:
            raise Broken(f"frame begins with {first:#x} {second:#x}")
        size = second
        if size == 126:
            size = int.from_bytes(self.wire.exactly(2), "big")
        elif size == 127:
            size = int.from_bytes(self.wire.exactly(8), "big")
        return first & 0x0F, self.wire.exactly(size)

    def _end(self, open_: bool) -> str:
        end = self.script.end
        if end == kinds.RESET:
            self.wire.reset()
            return LEFT
        if end == kinds.FIN:
            self.wire.close()
            return LEFT
        if end == kinds.HALF:
            self.wire.end_sending()
        elif open_:
            self.wire.pause(LONG_SILENCE)
        while self.wire.fill():
            self.wire.unread.clear()
        return LEFT
