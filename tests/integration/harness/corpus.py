# SPDX-License-Identifier: MIT
"""The files of tests/corpus (its README has the format) as cases for a running server."""

import json
from dataclasses import dataclass
from pathlib import Path

from .paths import CORPUS

# Of a request, what a native application sees under the same name.
SEEN = ("method", "target", "path", "query", "version", "scheme", "body")


@dataclass
class Case:
    path: Path
    data: bytes
    expected: dict

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def refused(self) -> bool:
        return self.path.parent.name == "refused"

    @property
    def settings(self) -> dict:
        """What a server needs to be started with, as JSON of the settings file."""
        trusted = self.expected.get("peer") == "trusted"
        allowed = ["127.0.0.1"] if trusted else ["192.0.2.1"]
        return {"forwarded_allow_ips": allowed, **self.expected.get("settings", {})}

    def splits(self, most: int) -> list[list[bytes]]:
        """Ways to send it: whole, in two pieces at up to `most` places, and byte by byte if short."""
        size = len(self.data)
        places = sorted({round(size * part / (most + 1)) for part in range(1, most + 1)} - {0, size})
        ways = [[self.data], *([self.data[:at], self.data[at:]] for at in places)]
        if size <= 200:
            ways.append([self.data[at : at + 1] for at in range(size)])
        return ways


def load() -> list[Case]:
    cases = []
    for path in sorted((CORPUS / "requests").glob("*/*.http")):
        expected = json.loads(path.with_suffix(".json").read_text())
        cases.append(Case(path, path.read_bytes(), expected))
    return cases


def groups() -> dict[str, list[Case]]:
    """Cases that one server can take, by its settings as JSON."""
    found: dict[str, list[Case]] = {}
    for case in load():
        found.setdefault(json.dumps(case.settings, sort_keys=True), []).append(case)
    return found


def differences(expected: dict, seen: dict) -> list[str]:
    """What of an accepted request the application saw otherwise."""
    wanted = {key: expected[key] for key in SEEN if key in expected}
    if "body_hex" in expected:
        wanted["body"] = bytes.fromhex(expected["body_hex"]).decode("latin-1")
    if expected.get("authority"):
        wanted["host"] = expected["authority"]
    if expected.get("client"):
        wanted["remote"] = expected["client"]
    found = [f"{key}: {seen[key]!r}, not {value!r}" for key, value in wanted.items() if seen[key] != value]
    if "fields" in expected and seen["fields"] != expected["fields"]:
        found.append(f"fields: {seen['fields']}, not {expected['fields']}")
    return found
