# SPDX-License-Identifier: MIT
"""Clients that ask without a pause, in threads."""

import threading

from .client import Client, Closed
from .waiting import LONG


class Threads:
    """Clients, each a call in a thread of its own, from the begin to the end of the block: they look at `_end`."""

    def __init__(self, calls):
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._threads = [threading.Thread(target=call, daemon=True) for call in calls]

    def __enter__(self):
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_) -> None:
        self._end.set()
        for each in self._threads:
            each.join(3 * LONG)
            assert not each.is_alive(), "a client of the load hangs"


class Load(Threads):
    """While open, `clients` threads send GET requests; a request that gets no answer is noted.

    A connection is kept for `per_connection` requests, or as long as the server keeps it when 0. A
    request on a kept connection that the server closed meanwhile is sent again on a new one, as every
    HTTP client does (RFC 9112, 9.3.1); it counts as lost only if that fails too."""

    def __init__(self, address, clients: int = 4, target: str = "/pid", per_connection: int = 1):
        self.address = address
        self.target = target
        self.per_connection = per_connection
        self.bodies: list[str] = []
        self.lost: list[str] = []
        super().__init__([self._run] * clients)

    @property
    def answered(self) -> int:
        return len(self.bodies)

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                self._connection()
            except (OSError, Closed) as failure:
                with self._lock:
                    self.lost.append(f"{type(failure).__name__}: {failure}")

    def _connection(self) -> None:
        with Client(self.address) as client:
            sent = 0
            while not self._end.is_set() and (not self.per_connection or sent < self.per_connection):
                sent += 1
                last = sent == self.per_connection
                headers = [("Connection", "close")] if last else []
                try:
                    answer = client.get(self.target, headers=headers)
                except (OSError, Closed):
                    if sent == 1:
                        raise
                    return self._connection()
                with self._lock:
                    if answer.status == 200:
                        self.bodies.append(answer.text)
                    else:
                        self.lost.append(f"status {answer.status}")
                if answer.header("Connection") == "close":
                    return
