# SPDX-License-Identifier: MIT
"""Every file of tests/corpus against the real server, whole and in pieces."""

import json
import os

import pytest

from harness import corpus
from harness.client import Client, Closed
from harness.paths import PROBE

SPLITS = int(os.environ.get("UNICORO_CORPUS_SPLITS", "6"))
INSPECT = f"{PROBE.parent / 'libinspect.so'}:app"
GROUPS = corpus.groups()


class Run:
    """One file sent in one way. All runs of a group go on at once, a piece each per round."""

    def __init__(self, case: corpus.Case, pieces: list[bytes], address):
        self.case = case
        self.pieces = pieces
        self.client = Client(address)

    def send(self, number: int) -> None:
        if number < len(self.pieces):
            try:
                self.client.send(self.pieces[number])
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before all of it was sent

    def check(self) -> list[str]:
        try:
            return self._check()
        except (Closed, OSError, AssertionError, ValueError) as failure:
            return [f"{type(failure).__name__}: {failure}"]
        finally:
            self.client.close()

    def _check(self) -> list[str]:
        case, problems = self.case, []
        requests = case.expected.get("requests", [])
        if case.expected.get("in_body"):
            # The application is reading that one when the refusal comes.
            requests = requests[:-1]
        for number, request in enumerate(requests):
            head_only = request.get("method") == "HEAD"
            answer = self.client.response(head_only=head_only)
            if answer.status != 200:
                return problems + [f"request {number}: {answer.status}, not 200: {answer.text}"]
            if not head_only:
                found = corpus.differences(request, json.loads(answer.body))
                problems += [f"request {number}: {each}" for each in found]
            closes = answer.header("Connection") == "close"
            if "keep_alive" in request and closes == request["keep_alive"]:
                problems.append(f"request {number}: Connection is {answer.header('Connection')}")
        if case.refused:
            answer = self.client.response()
            if answer.status != case.expected["status"]:
                problems.append(f"refused with {answer.status}, not {case.expected['status']}")
            if answer.header("Connection") != "close":
                problems.append("refused without Connection: close")
            if not self.client.closed_by_server():
                problems.append("something comes after the refusal")
        else:
            self.client.end_sending()
            rest = self.client.rest()
            if rest:
                problems.append(f"more answers than requests: {rest[:80]!r}")
        return problems


def rounds(address, runs: list[Run]) -> None:
    """Sends piece after piece; the request between two rounds makes the server read the first."""
    longest = max(len(run.pieces) for run in runs)
    with Client(address, timeout=20) as barrier:
        for number in range(longest):
            for run in runs:
                run.send(number)
            if any(len(run.pieces) > number + 1 for run in runs):
                assert barrier.get("/").status == 200


@pytest.mark.parametrize("settings", GROUPS, ids=lambda text: f"{len(GROUPS[text])}-files-{text[:60]}")
def test_corpus(start, settings):
    patient = {"worker_connections": 4000, "header_timeout": 60, "keepalive": 60}
    server = start(INSPECT, config={**json.loads(settings), **patient})
    problems = []
    cases = GROUPS[settings]
    for first in range(0, len(cases), 40):
        runs = [
            Run(case, pieces, server.address)
            for case in cases[first : first + 40]
            for pieces in case.splits(SPLITS)
        ]
        rounds(server.address, runs)
        for run in runs:
            sent = f"{len(run.pieces)} pieces, first {len(run.pieces[0])} bytes"
            problems += [f"{run.case.name} ({sent}): {each}" for each in run.check()]
    assert not problems, f"{len(problems)} problems\n" + "\n".join(problems[:60])
