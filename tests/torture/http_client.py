# SPDX-License-Identifier: MIT
"""Performs the script of one HTTP request on a connection, and judges what comes back."""

from random import Random

import acts
import answers
import kinds
from answers import Lost
from script import Script
from wire import Broken, Closed, Head, Wire

from harness.codings import decoder

# How a request went.
ANSWERED = "answered"  # by the application
REFUSED = "refused"  # by the server
CUT = "cut"  # an answer that was broken off
UNANSWERED = "unanswered"  # closed
LEFT = "left"  # by the client

# Longer than the server waits for a client that takes nothing.
LONG_SILENCE = 2.6


class Weather:
    """What goes on around the requests of a round."""

    def __init__(self, request_timeout: bool, hasty: bool, workers_end: bool = False, encrypted: bool = False):
        self.request_timeout = request_timeout
        self.hasty = hasty  # a worker that ends gives its requests no time
        self.workers_end = workers_end  # one that does takes no WebSocket any more: 503
        self.encrypted = encrypted
        self.ending = False  # the whole server is told to end

    @property
    def may_be_over(self) -> bool:
        return self.request_timeout or self.hasty or self.ending


class Exchange:
    """One request and what becomes of it."""

    def __init__(self, wire: Wire, script: Script, weather: Weather, random: Random, first: bool):
        self.wire = wire
        self.script = script
        self.weather = weather
        self.random = random
        self.first = first  # on its connection
        self.stage = kinds.HEAD  # where it is now, for who ends the server meanwhile
        self.keeps = False  # the connection may carry another one
        self.heard = 0  # bytes of the response's body
        self.refused_with = 0  # the status of an answer that is not the application's

    def perform(self) -> str:
        script = self.script
        head, body = script.head(), script.framed_body()
        taken = self._send((head + body)[: self._end_of_sending(head, body)])
        self.stage = kinds.SENT if script.complete else kinds.BODY
        if script.stage in (kinds.STREAMING, kinds.BETWEEN):
            return self.hear(taken)
        if script.pause:
            self.wire.pause(script.pause)
        return self._end()

    def _end_of_sending(self, head: bytes, body: bytes) -> int:
        script = self.script
        if script.complete:
            return len(head) + len(body)
        if script.stage == kinds.HEAD:
            return 1 + int(script.cut * (len(head) - 2))
        if script.stage == kinds.HEADED:
            return len(head)
        return len(head) + 1 + int(script.cut * (len(body) - 2)) if len(body) > 2 else len(head)

    def _send(self, data: bytes) -> bool:
        step = -(-len(data) // self.script.fragments)
        for at in range(0, len(data), step):
            if at:
                self.wire.pause(self.script.pause)
            if not self.wire.send(data[at : at + step]):
                return False
        return True

    def _end(self) -> str:
        """The client's end, before it has read anything."""
        end = self.script.end
        if end == kinds.RESET:
            self.wire.reset()
            return LEFT
        if end == kinds.FIN:
            self.wire.close()
            return LEFT
        if end == kinds.HALF:
            self.wire.end_sending()
        elif self.script.stage == kinds.SENT:
            self.wire.pause(LONG_SILENCE)
        return self._read_rest()

    def _read_rest(self) -> str:
        """Whatever comes, up to the end of the connection."""
        if not self.wire.unread and not self.wire.fill():
            return UNANSWERED
        outcome = self._answer(None)
        if outcome != CUT:
            self.wire.closed()
        return outcome

    def hear(self, taken: bool) -> str:
        """The answer to a whole request, which must come if the server took the request."""
        limit = None
        if self.script.stage == kinds.STREAMING:
            limit = int(self.script.cut * 100_000)
        try:
            outcome = self._answer(limit)
        except Closed:
            return self._unanswered(taken)
        if outcome == LEFT:
            return self._end_in_answer()
        if outcome == CUT:
            self._judge_cut()
            return CUT
        if self.script.end == kinds.COMPLETE and self.script.keep and self.keeps:
            return outcome
        if self.script.end in (kinds.RESET, kinds.FIN) and self.keeps:
            (self.wire.reset if self.script.end == kinds.RESET else self.wire.close)()
            return outcome
        if self.script.end == kinds.HALF:
            self.wire.end_sending()
        self.wire.closed()
        return outcome

    def _end_in_answer(self) -> str:
        end = self.script.end
        if end == kinds.RESET:
            self.wire.reset()
        elif end == kinds.FIN:
            self.wire.close()
        else:
            if end == kinds.STALL:
                self.wire.pause(LONG_SILENCE)
            else:
                self.wire.end_sending()
            while self.wire.fill():
                self.wire.unread.clear()
        return LEFT

    def _unanswered(self, taken: bool) -> str:
        # A kept connection may end while a request is on its way.
        may = not self.first or self.weather.may_be_over or not taken
        if not may and self.script.act.answer not in (acts.OWN, acts.FAIL, acts.EVENTS):
            raise Lost(f"closed without an answer to {self.script.act.name} ({self.script.end})")
        return UNANSWERED

    def _judge_cut(self) -> None:
        cut = self.script.act.answer in (acts.CUT, acts.OWN, acts.FAIL)
        if not cut and not self.weather.may_be_over:
            raise Lost(f"the answer to {self.script.act.name} was cut behind {self.heard} bytes of its body")

    def _answer(self, limit: int | None) -> str:
        """Reads and judges an answer, of its body no more than `limit` bytes."""
        head = self.wire.head()
        self.stage = kinds.STREAMING
        self.wire.history.append(f"{head.status} for {self.script.act.name}")
        self.keeps = (head.one("connection") or "keep-alive").lower() != "close"
        own = answers.judge_head(self.script, head)
        if not own:
            self._judge_refusal(head)
        data = bytearray()
        decode = self._decoder(head)
        outcome = ANSWERED if own else REFUSED
        try:
            for piece in self.wire.body(head):
                data += decode(piece)
                if limit is not None and len(data) > limit:
                    outcome = LEFT
                    break
        except Closed:
            outcome = CUT
        except Broken as why:
            raise Broken(f"{why}, behind {len(data)} bytes of {self.script.act.name}") from None
        if own:
            answers.judge_body(self.script, bytes(data), outcome == ANSWERED)
        self.heard = len(data)
        if outcome != LEFT:
            self.stage = kinds.BETWEEN
        return outcome

    def _decoder(self, head: Head):
        coding = head.one("content-encoding")
        if coding is None:
            return bytes
        if coding != self.script.accept:
            raise Broken(f"Content-Encoding: {coding} for who accepts {self.script.accept!r}")
        decode = decoder(coding)

        def decoded(piece: bytes) -> bytes:
            try:
                return decode(piece)
            except Exception as why:  # each library has errors of its own
                raise Broken(f"not in {coding}: {why}") from None

        return decoded

    def _judge_refusal(self, head: Head) -> None:
        self.refused_with = head.status
        may_fail = self.script.act.answer in (acts.FAIL, acts.OWN, acts.CUT)
        # A client that has ended its side may count as gone.
        leaving = self.script.end == kinds.HALF
        answers.judge_refusal(self.script, head.status, self.weather.may_be_over, may_fail or leaving)
