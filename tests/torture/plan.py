# SPDX-License-Identifier: MIT
"""Which rounds a seed stands for: kind, settings, and what the server is put through."""

import signal
from dataclasses import dataclass
from random import Random

from kinds import KINDS, Kind
from script import CODINGS

# What happens while the clients ask.
CALM = "calm"
HUP = "HUP"  # reloads
TTOU = "TTOU"  # a worker more, a worker less: one drains
RECYCLE = "recycling"  # max_requests
TERM_WORKER = "TERM to a worker"
TROUBLES = (CALM, HUP, TTOU, RECYCLE, TERM_WORKER)

FINALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

# Seconds of the settings. What clients wait for is short, so that a round has many ends.
LIMITS = {
    "header_timeout": 2,
    "body_timeout": 2,
    "send_timeout": 2,
    "keepalive": 1,
    "ws_ping_interval": 1,
    "ws_ping_timeout": 1,
    "asgi_disconnect_grace_period": 0.3,
    "boot_timeout": 60,
}
# What the server answers with itself, in every round.
FILES, FILE = "/files-of-the-server", bytes(range(256)) * 800
REQUEST_TIMEOUT = 0.5
CROWD = 3  # max_concurrent_requests: fewer than there are clients
PATIENT, HASTY = 8, 0.5  # graceful_timeout


@dataclass(frozen=True)
class Round:
    kind: Kind
    seed: str
    seconds: float
    trouble: str = CALM
    final: signal.Signals = signal.SIGTERM
    request_timeout: bool = False
    hasty: bool = False
    pools: bool = True
    spread: bool = False  # a drain takes its time with event streams and WebSockets
    crowded: bool = False  # requests wait for their place
    shaped_log: bool = False  # access lines go through Python
    encrypted: bool = False
    compressed: bool = False  # what answers, for clients that accept it
    watched: bool = False  # somebody asks the monitor all the time
    interval: tuple[float, float] = (1.0, 2.5)  # between two troubles

    @property
    def settings(self) -> dict:
        """As JSON of the settings file."""
        values: dict = dict(LIMITS)
        values["graceful_timeout"] = HASTY if self.hasty else PATIENT
        values["request_timeout"] = REQUEST_TIMEOUT if self.request_timeout else 0
        # A worker in line is silent while a request waits.
        values["timeout"] = 30
        values["workers"] = 1 if self.trouble == CALM else 2
        values["worker_connections"] = 200
        # Some connections begin with a header of it.
        values["proxy_protocol"] = "auto"
        # And some of them are of HTTP/2.
        values["http_protocols"], values["http2_cleartext"] = ["h2", "h1"], "prior-knowledge"
        values["forwarded_allow_ips"] = "*"
        if self.kind.lifespan and self.kind.apps is None:
            values["lifespan"] = "on"
        if self.kind.apps:
            values["apps"] = dict(self.kind.apps)
        if self.trouble == RECYCLE:
            values["max_requests"] = 150
            values["max_requests_jitter"] = 100
        if self.crowded:
            # Nobody is refused: what waits is served, or its client leaves, or the worker ends.
            values["max_concurrent_requests"] = CROWD
            values["max_queued_requests"] = 1000
            values["queue_timeout"] = 0
            values["queue_order"] = "adaptive_lifo"
            values["request_rules"] = [{"path": "/never/asked", "priority": "low"}]
            # And somebody looks at those that run.
            values["slow_request_log"] = 0.05
        if self.spread:
            values["drain_spread"] = HASTY / 2
        if self.compressed:
            # Every answer has a cookie; where an event ends is not to be seen in what is compressed.
            values["compression"] = list(CODINGS)
            values["compression_private"] = True
            values["compression_types"] = ["text/plain"]
            values["compression_min_length"] = 1
        if self.shaped_log:
            values["logger_class"] = "shaped_log.Log"
        return values

    @property
    def title(self) -> str:
        parts = [self.kind.name, self.trouble, self.final.name]
        parts += ["request_timeout"] * self.request_timeout + ["hasty"] * self.hasty
        parts += ["crowded"] * self.crowded + ["spread"] * self.spread
        parts += ["TLS"] * self.encrypted + ["compressed"] * self.compressed + ["watched"] * self.watched
        parts += ["pools off"] * (not self.pools) + ["shaped log"] * self.shaped_log
        return ", ".join(parts)


def reloads(seed: str, kinds: list[str], seconds: float):
    """Rounds that reload every 10 s and lose nothing."""
    number = 0
    while True:
        for name in kinds:
            yield Round(KINDS[name], f"{seed}/{number}", seconds, trouble=HUP, interval=(10.0, 10.0))
        number += 1


def rounds(seed: str, kinds: list[str], seconds: float):
    """One round of each kind in turn, for ever. The same seed gives the same rounds."""
    number = 0
    while True:
        for name in kinds:
            random = Random(f"{seed}/{number}/{name}")
            yield Round(
                kind=KINDS[name],
                seed=f"{seed}/{number}",
                seconds=seconds,
                trouble=random.choice(TROUBLES),
                final=random.choice(FINALS),
                request_timeout=random.random() < 0.4,
                hasty=random.random() < 0.3,
                pools=random.random() < 0.5,
                shaped_log=random.random() < 0.3 and name != "native",
                crowded=random.random() < 0.4,
                spread=random.random() < 0.4,
                encrypted=random.random() < 0.35,
                compressed=random.random() < 0.5,
                watched=random.random() < 0.5,
            )
        number += 1
