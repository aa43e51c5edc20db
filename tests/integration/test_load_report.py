# SPDX-License-Identifier: MIT
"""endpoint_load_metrics: what balancers that speak ORCA are told in a response."""

import json
import re

from harness.http2 import open_client
from harness.paths import probe
from harness.waiting import wait_until

FIELD = "endpoint-load-metrics"
NAMES = ["application_utilization", "cpu_utilization", "rps_fractional", "eps"]


def told(answer) -> dict[str, float]:
    """As Envoy reads it (source/common/orca/orca_parser.cc)."""
    kind, _, value = answer.header(FIELD).partition(" ")
    if kind == "JSON":
        return json.loads(value)
    assert kind == "TEXT"
    pairs = [pair.strip().split("=") for pair in value.split(",")]
    assert all(re.fullmatch(r"\d+\.\d+", number) for _, number in pairs), value
    return {name: float(number) for name, number in pairs}


def asked(server, kind="text", target="/pid"):
    with server.client() as client:
        return client.get(target, headers=[("Endpoint-Load-Metrics-Format", kind)])


def test_only_where_it_is_switched_on_and_asked_for(start):
    server = start(probe())
    assert asked(server).header(FIELD) is None
    server = start("--endpoint-load-metrics", probe())
    assert server.get("/pid").header(FIELD) is None
    for kind in ("", "bin", "textual", "text, json"):
        assert asked(server, kind).header(FIELD) is None
    for kind in ("text", "TEXT", "json", "Json"):
        assert list(told(asked(server, kind))) == NAMES
    # What the server answers itself tells of it, too.
    assert list(told(asked(server, target="/nowhere"))) == NAMES


def test_what_the_application_says_counts(start):
    server = start("--endpoint-load-metrics", probe())
    target = f"/header?name={FIELD}&value=TEXT+named_metrics.own%3D1"
    assert [value for name, value in asked(server, target=target).headers if name.lower() == FIELD] == \
        ["TEXT named_metrics.own=1"]


def test_over_http2(start):
    server = start("--endpoint-load-metrics", "--http-protocols", "h2,h1", "--http2-cleartext", "prior-knowledge", probe())
    with open_client(server) as client:
        answer = client.get("/pid", headers=[("endpoint-load-metrics-format", "json")])
        assert list(told(answer)) == NAMES
        assert client.get("/pid").header(FIELD) is None


def test_the_load(start, gate):
    server = start("--endpoint-load-metrics", "-w", 1, "-k", "async", "--max-concurrent-requests", 4, probe())
    # Of itself it tells, too: it is in there.
    assert told(asked(server))["application_utilization"] == 0.25
    held = [server.client() for _ in range(3)]
    for client in held:
        client.request(f"/hold?gate={gate.path}")
    for _ in held:
        gate.wait_entered()
    assert told(asked(server))["application_utilization"] == 1.0
    for _ in held:
        gate.release()
    for client in held:
        assert client.response().status == 200
        client.close()

    def rates(**least):
        for _ in range(20):
            asked(server, target="/status?code=500")
        found = told(asked(server))
        return all(found[name] >= value for name, value in least.items())

    wait_until(lambda: rates(rps_fractional=1, eps=1, cpu_utilization=0.0001), "its rates are told")
    wait_until(lambda: told(asked(server))["eps"] == 0, "and sink again")
