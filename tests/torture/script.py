# SPDX-License-Identifier: MIT
"""What one request asks for, how it is sent, and where and how its client ends it: drawn at random."""

from dataclasses import dataclass, replace
from random import Random
from urllib.parse import urlencode

import kinds
from acts import Act
from apps.marks import request_body
from kinds import Route

CODINGS = ("zstd", "br", "gzip")

# None that the server answers by itself.
STATUSES = (200, 201, 203, 403, 404, 409, 418, 422, 451)
HEAD_ONLY_ENDS = (kinds.FIN, kinds.HALF, kinds.RESET, kinds.STALL)

# How often the client ends a request in each way; a stalling one takes seconds.
END_WEIGHTS = {kinds.COMPLETE: 10, kinds.FIN: 4, kinds.HALF: 3, kinds.RESET: 5, kinds.STALL: 1}


@dataclass
class Script:
    act: Act
    mark: str
    target: str
    status: int
    count: int
    size: int
    variant: int
    framing: str  # "none", "length" or "chunked"
    body_size: int
    expect: bool
    stage: str
    end: str
    keep: bool
    cut: float  # the place of the end within its stage, 0 to 1
    fragments: int
    pause: float  # before the end, or between fragments
    accept: str  # a content coding; "" = none

    @property
    def complete(self) -> bool:
        """The whole request is sent."""
        return self.stage in (kinds.SENT, kinds.STREAMING, kinds.BETWEEN) or self.end == kinds.COMPLETE

    def whole(self, kept: bool) -> "Script":
        """The same, ended by nobody."""
        return replace(self, stage=kinds.BETWEEN, end=kinds.COMPLETE, keep=kept, expect=False)

    def request_body(self) -> bytes:
        return request_body(self.mark, self.body_size) if self.framing != "none" else b""

    def head(self) -> bytes:
        lines = [f"{'GET' if self.framing == 'none' else 'POST'} {self.target} HTTP/1.1", "Host: torture"]
        if self.framing == "length":
            lines.append(f"Content-Length: {self.body_size}")
        if self.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        if self.expect:
            lines.append("Expect: 100-continue")
        if not self.keep:
            lines.append("Connection: close")
        if self.accept:
            lines.append(f"Accept-Encoding: {self.accept}")
        return "\r\n".join([*lines, "X-Padding: " + self.mark * 20, "", ""]).encode()

    def framed_body(self) -> bytes:
        data = self.request_body()
        if self.framing != "chunked":
            return data
        chunk = max(1, self.body_size // 7)
        chunks = [data[at : at + chunk] for at in range(0, len(data), chunk)]
        return b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in chunks) + b"0\r\n\r\n"


def _choose_end(random: Random, allowed: tuple[str, ...]) -> str:
    return random.choices(allowed, [END_WEIGHTS[each] for each in allowed])[0]


def choose_stage(random: Random, has_body: bool, only: frozenset[str]) -> tuple[str, str]:
    """Stage and end; `only` narrows the ends where it is not empty."""
    ends = tuple(each for each in kinds.CLIENT_ENDS if not only or each in only)
    end = _choose_end(random, ends)
    if end == kinds.COMPLETE:
        return kinds.BETWEEN, end
    stages = [kinds.HEAD, kinds.SENT, kinds.STREAMING, kinds.BETWEEN]
    weights = [1, 4, 4, 1]
    if has_body:
        stages += [kinds.HEADED, kinds.BODY]
        weights += [3, 5]
    return random.choices(stages, weights)[0], end


def draw(random: Random, route: Route, mark: str, act: Act, only: frozenset[str]) -> Script:
    has_body = act.body == "large" or (act.body == "some" and random.random() < 0.6)
    sizes = (3000, 70_000, 400_000) if act.body == "large" else (0, 1, 900, 20_000, 70_000, 300_000)
    stage, end = choose_stage(random, has_body, only)
    if act.leaves:
        stage, end = random.choice(act.leaves), random.choice((kinds.FIN, kinds.RESET))
    status = act.status or random.choice(STATUSES)
    count = random.randint(*act.pieces)
    size = random.choice(act.sizes)
    variant = random.randrange(100)
    # All of its pauses together are no hang.
    pause = min(random.choice(act.pauses), 1500 // max(1, count))
    query = urlencode({"m": mark, "s": status, "n": count, "z": size, "w": pause, "v": variant})
    return Script(
        act=act,
        mark=mark,
        target=f"{route.prefix}/{act.name}?{query}",
        status=status,
        count=count,
        size=size,
        variant=variant,
        framing=random.choice(("length", "length", "chunked")) if has_body else "none",
        body_size=random.choice(sizes) if has_body else 0,
        expect=has_body and random.random() < 0.1,
        stage=stage,
        end=end,
        keep=random.random() < 0.6,
        cut=random.random(),
        fragments=random.choice((1, 1, 1, 2, 5)),
        pause=random.choice((0, 0, 0, 0.0005, 0.002, 0.01, 0.05)),
        accept=random.choice(("", *CODINGS)),
    )
