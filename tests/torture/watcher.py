# SPDX-License-Identifier: MIT
"""Who asks the monitor all the time, for stacks as well, as people and as HAProxy, and leaves at any point; what it is
told whole must be right."""

import contextlib
import json
import re
import socket
import struct
import threading
from pathlib import Path
from random import Random

from findings import Finding

JSON = ("/status", "/requests", "/history", "/history?since=1.5", "/stacks", "/stacks", "/stacks?request=1-0-1")
PATHS = ("/", "/livez", "/readyz", "/metrics", "/nothing", "/stacks?format=text", *JSON)
LONGEST = 10.0
AGENT = re.compile(rb"((ready )?up \d{1,3}%|drain|down #\d+ of \d+ workers are ready)\n")


class Watcher(threading.Thread):
    def __init__(self, socket_path: Path, agent_port: int, seed: str):
        super().__init__(daemon=True)
        self.path = str(socket_path)
        self.agent = ("127.0.0.1", agent_port)
        self.random = Random(f"{seed}/watcher")
        self.stop = threading.Event()
        self.ending = False
        self.findings: list[Finding] = []
        self.asked = 0
        self.kept: socket.socket | None = None

    def run(self) -> None:
        while not self.stop.wait(self.random.uniform(0.0, 0.05)):
            try:
                self.random.choice((self._ask, self._ask, self._check))()
            except OSError as why:
                # Its socket goes with the server.
                if self.ending or self.stop.is_set():
                    continue
                self.findings.append(Finding("monitor", "does not answer", repr(why)))

    def _ask(self) -> None:
        path = self.random.choice(PATHS)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(LONGEST)
            sock.connect(self.path)
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            end = self.random.choice(("whole", "whole", "whole", "half a request", "no reading", "some reading", "more"))
            if end == "half a request":
                sock.sendall(request[:self.random.randrange(len(request))])
                return
            sock.sendall(request * (5 if end == "more" else 1))
            if end == "no reading":
                return
            if end == "some reading":
                sock.recv(self.random.randrange(1, 2000))
                return
            answer = b""
            while piece := sock.recv(65536):
                answer += piece
        self.asked += 1
        self._judge(path, answer)

    def _check(self) -> None:
        end = self.random.choice(("whole", "whole", "no reading", "reset", "much sent", "kept"))
        sock = socket.create_connection(self.agent, timeout=LONGEST)
        if end == "kept":
            # Until the server lets go of it, or the next one takes its place.
            self.kept = sock
            return
        with sock:
            if end == "reset":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if end == "much sent":
                # What nobody reads is broken off in the end.
                with contextlib.suppress(OSError):
                    sock.sendall(b"x" * self.random.randrange(1, 100_000))
            if end != "whole":
                return
            answer = b"".join(iter(lambda: sock.recv(4096), b""))
        self.asked += 1
        if not AGENT.fullmatch(answer) and not self.ending:
            self.findings.append(Finding("monitor", "a wrong answer", f"agent check: {answer[:300]!r}"))

    def _judge(self, path: str, answer: bytes) -> None:
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head and self.ending:
            return
        good = (b" 200 " if path in ("/", "/metrics", *JSON) else b" ") in head.split(b"\r\n")[0]
        if good and path in JSON:
            try:
                json.loads(body)
            except ValueError:
                good = False
        if good and path == "/metrics":
            good = body.endswith(b"\n") and b"unicoro_http_requests_total" in body
        if good and path == "/":
            good = body.endswith(b"</html>\n")
        if not good and not self.ending:
            self.findings.append(Finding("monitor", "a wrong answer", f"{path}: {answer[:300]!r}"))
