# SPDX-License-Identifier: MIT
"""Clients of a balancer, which count each request."""

import time

from .client import Client, Closed
from .load import Threads
from .waiting import LONG, wait_until

PAUSE = 0.004  # seconds between two requests of a client


class CountedLoad(Threads):
    """While open, `clients` of each kind ask one request after the other: GET on kept connections, and POST on a
    connection each. A GET on a kept connection that was closed unanswered is sent again on a new one, as every HTTP
    client does (RFC 9112, 9.3.1), and counts as `again`; all else that is not answered with 200 and what was to
    come is in `lost`, with its time."""

    def __init__(self, address, clients: int = 3):
        self.address = address
        self.clients = 2 * clients
        self.asked = 0
        self.answered = 0
        self.again = 0
        self.lost: list[tuple[float, str]] = []
        super().__init__([self._kept, self._each] * clients)

    def wait_more(self, count: int = 200) -> None:
        """Until that many more are answered."""
        goal = self.answered + count
        wait_until(lambda: self.answered >= goal, f"{count} more answers; lost: {self.lost[-5:]}", 3 * LONG)

    def lost_since(self, when: float) -> list[str]:
        return [what for at, what in list(self.lost) if at >= when]

    def _note(self, failure: str | None) -> None:
        with self._lock:
            if failure is None:
                self.answered += 1
            else:
                self.lost.append((time.monotonic(), failure))

    def _ask(self, client: Client, **request) -> str | None:
        """What is wrong with the answer."""
        answer = client.get(**request)
        if answer.status != 200:
            return f"{request.get('method', 'GET')}: status {answer.status}"
        expected = request.get("body")
        good = answer.body == expected if expected else answer.body.isdigit()
        return None if good else f"another body: {answer.body[:80]!r}"

    def _begin(self) -> None:
        with self._lock:
            self.asked += 1

    def _each(self) -> None:
        while not self._end.wait(PAUSE):
            self._begin()
            try:
                with Client(self.address) as client:
                    failure = self._ask(client, target="/echo", method="POST", body=b"what comes back",
                                        headers=[("Connection", "close")])
            except (OSError, Closed) as problem:
                failure = f"POST: {type(problem).__name__}: {problem}"
            self._note(failure)

    def _kept(self) -> None:
        client, used = None, False
        while not self._end.wait(PAUSE):
            self._begin()
            try:
                if client is None:
                    client, used = Client(self.address), False
                try:
                    failure = self._ask(client, target="/pid")
                except (OSError, Closed):
                    if not used:
                        raise
                    with self._lock:
                        self.again += 1
                    client.close()
                    client = Client(self.address)
                    failure = self._ask(client, target="/pid")
                used = True
            except (OSError, Closed) as problem:
                failure, client = f"GET: {type(problem).__name__}: {problem}", None
            self._note(failure)
        if client is not None:
            client.close()
