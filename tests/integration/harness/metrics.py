# SPDX-License-Identifier: MIT
"""What the monitor says, as tests want it."""

import json
import re
from pathlib import Path

from .client import Client, Response

SAMPLE = re.compile(r"^(?P<name>[a-z_]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

TOKEN = "0123456789abcdef-token"


class Monitor:
    """A client of a monitor; `address` as of any client."""

    def __init__(self, address: str | tuple | Path, headers=()):
        self.address = str(address) if isinstance(address, Path) else address
        self.headers = tuple(headers)

    def get(self, target: str, method: str = "GET", headers=(), host: str = "localhost", **more) -> Response:
        with Client(self.address, **more) as client:
            lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
            lines += [f"{name}: {value}" for name, value in (*self.headers, *headers)]
            client.send("\r\n".join(lines) + "\r\n\r\n")
            return client.response(head_only=method == "HEAD")

    def json(self, target: str) -> dict:
        answer = self.get(target)
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def text(self, **more) -> str:
        answer = self.get("/metrics", **more)
        assert answer.status == 200, answer
        return answer.text

    def metrics(self) -> dict[tuple, float]:
        """Values by (name, (label, value), ...)."""
        return samples(self.text())

    def value(self, name: str, **labels) -> float:
        return self.metrics()[(name, *sorted(labels.items()))]


def samples(text: str) -> dict[tuple, float]:
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        assert match, line
        key = (match["name"], *sorted(LABEL.findall(match["labels"] or "")))
        assert key not in found, f"twice: {line}"
        found[key] = float(match["value"])
    return found


def is_counter(key: tuple) -> bool:
    return key[0].endswith(("_total", "_bucket", "_count", "_sum"))


def gone_backwards(before: dict, after: dict) -> list[str]:
    return [f"{key}: {value} -> {after.get(key)}" for key, value in before.items()
            if is_counter(key) and after.get(key, -1) < value]
