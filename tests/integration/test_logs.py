# SPDX-License-Identifier: MIT
"""The access log and the error log."""

import json
import os
import re
import sys
import threading

from harness.client import Client
from harness.paths import HELLO, ROOT, probe
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"


def access_lines(server, count: int) -> list[str]:
    wait_until(lambda: server.output().count("\n") >= count, f"{count} access lines")
    return server.output().splitlines()


def test_default_format(start):
    server = start("--access-logfile", "-", HELLO)
    with server.client() as client:
        client.get("/nowhere?a=b", headers=[("Referer", "http://r/"), ("User-Agent", 'with "quote"')])
    (line,) = access_lines(server, 1)
    assert re.fullmatch(
        r'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] '
        r'"GET /nowhere\?a=b HTTP/1\.1" 404 13 "http://r/" "with \\"quote\\""',
        line,
    )


def test_rules_say_whose_lines_are_written(start, tmp_path):
    config = tmp_path / "unicoro.json"
    config.write_text(json.dumps({"request_rules": [
        {"path": "/echo", "access_log": 0}, {"path": "/nowhere", "access_log": 0.0}, {"path": "/", "access_log": 0.25},
    ]}))
    server = start("-c", config, "--access-logfile", "-", HELLO)
    with server.client() as client:
        for _ in range(40):
            client.get("/")
            client.get("/echo/")
        client.get("/echo")
        client.get("/nowhere")
    assert server.stop() == 0
    lines = server.output().splitlines()
    # What went wrong is always there.
    assert ['"GET /nowhere HTTP/1.1" 404' in each for each in lines].count(True) == 1
    assert ['"GET /echo/ HTTP/1.1" 404' in each for each in lines].count(True) == 40
    assert ['"GET / HTTP/1.1" 200' in each for each in lines].count(True) == 10
    assert len(lines) == 51


def test_a_share_that_is_none(command, tmp_path):
    config = tmp_path / "unicoro.json"
    config.write_text(json.dumps({"request_rules": [{"path": "/", "access_log": 2}]}))
    done = command("-c", config, "--check-config", HELLO)
    assert done.returncode != 0
    assert "/request_rules/0/access_log" in done.stderr and "from 0 (none) to 1 (all)" in done.stderr


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def test_traces(start):
    """Trace Context: what is valid is passed on, what is not is left out, and what is missing is made."""
    seen = "%(x)s %({traceparent}i)s %({tracestate}i)s"
    fields = [[("Traceparent", TRACEPARENT), ("Tracestate", "a=b")], [("Traceparent", "wrong"), ("Tracestate", "a=b")], []]
    lines = {}
    for way in ("pass", "accept", "make"):
        server = start("--trace-context", way, "--access-logfile", "-", "--access-logformat", seen, HELLO)
        with server.client() as client:
            for each in fields:
                client.get("/", headers=each)
        lines[way] = access_lines(server, 3)
        assert server.stop() == 0
    assert [each[0] for each in lines.values()] == [f"{TRACE} {TRACEPARENT} a=b"] * 3
    assert lines["pass"][1:] == ["- wrong a=b", "- - -"]
    assert lines["accept"][1:] == ["- - -", "- - -"]
    made = [re.fullmatch(r"([0-9a-f]{32}) 00-\1-[0-9a-f]{16}-01 -", each).group(1) for each in lines["make"][1:]]
    assert made[0] != made[1]


def test_no_access_log_by_default(start):
    server = start(HELLO)
    server.get("/")
    server.stop()
    assert server.output() == ""


def test_atoms(start):
    names = ["h", "l", "u", "m", "U", "q", "H", "s", "B", "b", "f", "a", "T", "M", "D", "L", "p",
             "{x-one}i", "{content-type}o", "{NO_SUCH}e"]
    server = start("--access-logfile", "-", "--access-logformat", "|".join(f"%({n})s" for n in names), HELLO)
    (worker,) = server.workers()
    with server.client() as client:
        client.get("/?q=1", headers=[("X-One", "1"), ("Authorization", "Basic dXNlcjpwYXNz")])
    (line,) = access_lines(server, 1)
    values = dict(zip(names, line.split("|"), strict=True))
    expected = {"h": "127.0.0.1", "l": "-", "u": "user", "m": "GET", "U": "/", "q": "q=1",
                "H": "HTTP/1.1", "s": "200", "B": "14", "b": "14", "f": "-", "a": "-", "T": "0",
                "p": f"<{worker}>", "{x-one}i": "1", "{content-type}o": "text/plain; charset=utf-8",
                "{NO_SUCH}e": "-"}
    assert {name: values[name] for name in expected} == expected
    assert re.fullmatch(r"\d+", values["D"]) and re.fullmatch(r"\d\.\d{6}", values["L"])


def test_json(start):
    server = start("--access-logfile", "-", "--access-logformat", "json", probe())
    with server.client() as client:
        client.get('/pid?x="\\', headers=[("User-Agent", "a\"b\\c\xff")])
        client.get("/echo", method="POST", body=b"12345")
    records = [json.loads(line) for line in access_lines(server, 2)]
    first, second = records
    assert all(isinstance(value, (int, float, str, type(None))) for value in first.values())
    assert 200 in first.values() and "GET" in first.values()
    assert 5 in second.values() and "POST" in second.values()
    assert list(first) == list(second)


def test_when_a_response_began_and_what_it_computed(start, tmp_path):
    """Of a request that is busy for a while and then waits, in the interfaces and worker classes where that is known."""
    log = "--access-logfile", "-", "--access-logformat", "%(m)s %(U)s %(F)s %(C)s %(L)s %(b)s"
    python = "--python", sys.executable, "--pythonpath", APPS
    for args in (["-k", "sync", "cpu_probe:wsgi"], ["--threads", 2, "cpu_probe:wsgi"],
                 ["-k", "async", "--interface", "asgi", "cpu_probe:asgi"]):
        server = start(*log, *python, *args)
        assert server.get("/?busy=0.3&asleep=1").text == "later"
        (line,) = access_lines(server, 1)
        method, path, first, cpu, whole, size = line.split()
        assert (method, path, size) == ("GET", "/", "5"), args
        assert 0.3 <= float(cpu) < float(whole), (args, line)
        # What it sleeps, it does not compute; the first byte goes before that.
        assert float(cpu) + 0.9 < float(whole), (args, line)
        assert 0.3 <= float(first) <= float(whole) - 0.5, (args, line)
        assert server.stop() == 0


def test_what_nobody_can_know_is_not_logged(start):
    server = start("--access-logfile", "-", "--access-logformat", "%(U)s %(C)s %(F)s", probe())
    server.get("/pid")
    with server.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: no\r\n\r\n")
        assert client.response().status == 400
    first, second = access_lines(server, 2)
    assert re.fullmatch(r"/pid - 0\.\d{6}", first), first
    assert re.fullmatch(r"- - -", second), second


def test_an_upload_that_breaks_off_is_not_logged_as_a_success(start):
    server = start("--access-logfile", "-", "--access-logformat", "%(m)s %(s)s", HELLO)
    with server.client() as client:
        client.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel")
        client.end_sending()
        assert client.response().status == 400
    with server.client() as client:
        client.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel")
        assert server.get("/").status == 200  # so the half request has been read
        client.reset()
    assert sorted(access_lines(server, 3)) == ["GET 200", "POST 400", "POST 499"]


def test_control_bytes_are_escaped(start):
    server = start("--access-logfile", "-", probe())
    with server.client() as client:
        client.get("/pid", headers=[("User-Agent", "a\tb\xff")])
    (line,) = access_lines(server, 1)
    assert line.isascii() and "\t" not in line
    assert '"a\\x09b\\xff"' in line


def test_lines_of_many_workers_are_whole(start, tmp_path):
    log = tmp_path / "access.log"
    server = start("-w", "3", "--access-logfile", log, HELLO)
    agent = "x" * 3000

    def client():
        with Client(server.address) as connection:
            for _ in range(100):
                connection.get("/", headers=[("User-Agent", agent)])

    threads = [threading.Thread(target=client) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    wait_until(lambda: log.read_text().count("\n") == 600, "600 lines")
    for line in log.read_text().splitlines():
        assert line.startswith("127.0.0.1 ") and line.endswith(f'"{agent}"')


def test_log_level(start):
    server = start("--log-level", "warning", HELLO)
    server.get("/")
    server.stop()
    assert server.log() == ""
    assert "[DEBUG]" in start("--log-level", "debug", HELLO).log()


def test_error_log_file(start, tmp_path):
    server = start("--error-logfile", tmp_path / "error.log", HELLO)
    server.error_log = tmp_path / "error.log"
    assert "Listening at" in server.log()
    assert server.stderr_path.read_text() == ""


def test_capture_output(start, tmp_path):
    log = tmp_path / "error.log"
    server = start("--capture-output", "--error-logfile", log, probe())
    server.error_log = log
    server.get("/print?line=printed-by-the-application")
    server.wait_log("printed-by-the-application")
    assert server.output() == ""


def test_refused_requests_are_told(start):
    server = start("--access-logfile", "-", HELLO)
    with server.client() as client:
        client.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        assert client.response().status == 400
    server.wait_log(r"\[(INFO|WARNING)\] .*127\.0\.0\.1.*Host")


def test_full_disk_does_not_stop_the_server(start):
    assert os.path.exists("/dev/full")
    server = start("--access-logfile", "/dev/full", HELLO)
    server.allow("access|space")
    for _ in range(3):
        assert server.get("/").status == 200
    assert len(server.workers()) == 1
