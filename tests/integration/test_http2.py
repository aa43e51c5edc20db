# SPDX-License-Identifier: MIT
"""HTTP/2: by ALPN and with prior knowledge, for every kind of application, from several clients."""

import hashlib
import json
import os
import re
import ssl
import subprocess
import sys

import pytest
from hyperframe.frame import DataFrame, SettingsFrame

from harness import fronts
from harness.client import Client
from harness.http2 import PREFACE, PROTOCOL_ERROR, Http2Client, RawHttp2, connect, open_client, tls
from harness.paths import PROBE, ROOT
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
INSPECT = f"{PROBE.parent / 'libinspect.so'}:app"
WORKERS = pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "gthread", "--threads", "2"], ["-k", "async"]],
                                  ids=lambda args: args[1])


@pytest.fixture
def serve(start):
    def factory(*args, app="http2_probe", protocols="h2,h1", python=True, env=None):
        own = ["--python", sys.executable, "--pythonpath", APPS] if python else []
        return start("--http-protocols", protocols, "--http2-cleartext", "prior-knowledge", *own, *args, app,
                     env={"PYTHONDONTWRITEBYTECODE": "1", **(env or {})})

    return factory


@pytest.fixture
def serve_tls(start, pair):
    def factory(*args, app="http2_probe", protocols="h2,h1"):
        return start("--certfile", pair[0], "--keyfile", pair[1], "--http-protocols", protocols, "--python",
                     sys.executable, "--pythonpath", APPS, *args, app, env={"PYTHONDONTWRITEBYTECODE": "1"})

    return factory


@WORKERS
def test_wsgi(serve, worker, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(os.urandom(1_000_001))
    server = serve(*worker, env={"PROBE_FILE": str(path)})
    with open_client(server) as client:
        seen = json.loads(client.get("/environ?a=b%20c", headers=[("x-some", "thing"), ("cookie", "a=1"),
                                                                  ("cookie", "b=2")]).body)
        assert (seen["SERVER_PROTOCOL"], seen["wsgi.url_scheme"]) == ("HTTP/2", "http")
        assert (seen["REQUEST_METHOD"], seen["PATH_INFO"], seen["QUERY_STRING"]) == ("GET", "/environ", "a=b%20c")
        assert (seen["HTTP_HOST"], seen["HTTP_X_SOME"], seen["HTTP_COOKIE"]) == ("localhost", "thing", "a=1; b=2")
        answer = client.get("/")
        assert (answer.status, answer.body, answer.header("content-length")) == (200, b"hello", "5")
        assert answer.header("x-upper-case") == "yes" and answer.header("connection") is None
        assert answer.header("server") == "unicoro" and answer.header("date").endswith("GMT")
        body = os.urandom(300_000)
        assert client.get("/echo", "POST", body=body).body == body
        assert client.get("/echo", "POST", [("content-length", "4")], b"four").body == b"four"
        assert client.get("/digest", "POST", body=body * 5).text == hashlib.sha256(body * 5).hexdigest()
        assert client.get("/big").body == b"0123456789abcdef" * 65536
        assert client.get("/pieces").body == b"".join(b"%08d" % number * 125 for number in range(1000))
        assert client.get("/file").body == path.read_bytes()
        many = [client.begin("/pieces" if number % 2 else "/") for number in range(20)]
        assert {len(client.answer(number).body) for number in many} == {5, 1_000_000}


@WORKERS
def test_bodies_that_are_none(serve, worker):
    with open_client(serve(*worker)) as client:
        head = client.get("/big", "HEAD")
        assert (head.status, head.body, head.header("content-length")) == (200, b"", str(16 * 65536))
        empty = client.get("/empty")
        assert (empty.status, empty.body, empty.header("content-length")) == (204, b"", None)
        unchanged = client.get("/unchanged")
        assert (unchanged.status, unchanged.body, unchanged.header("etag")) == (304, b"", '"a"')


def test_a_body_that_is_not_wanted_is_not_waited_for(serve):
    with open_client(serve("-k", "async", app="http2_probe:asgi")) as client:
        number = client.begin("/unread", "POST", end=False)
        answer = client.answer(number)
        assert (answer.status, answer.body) == (200, b"not read")
        assert client.get("/").body == b"hello"


@WORKERS
def test_hints_and_continue(serve, worker):
    with open_client(serve(*worker)) as client:
        answer = client.get("/hints")
        assert [(status, dict(fields)["link"]) for status, fields in answer.interim] == [
            (103, "</style.css>; rel=preload")]
        assert answer.body == b"done"
        number = client.begin("/echo", "POST", [("expect", "100-continue"), ("content-length", "3")], end=False)
        client.until(lambda: client.answers[number].interim, "100 Continue")
        client.send_body(number, b"now")
        answer = client.answer(number)
        assert ([status for status, _ in answer.interim], answer.body) == ([100], b"now")


@WORKERS
def test_failures_of_applications(serve, worker):
    server = serve(*worker)
    server.allow("Error handling request GET /fails|Traceback|RuntimeError: on purpose|Content-Length said 100")
    with open_client(server) as client:
        cut = client.get("/fails")
        assert (cut.body, cut.ended, cut.reset) == (b"begun", False, 2)
        short = client.get("/short")
        assert not short.ended and short.reset == 2
        assert client.get("/").body == b"hello"


def test_asgi(serve, tmp_path):
    mark = tmp_path / "mark"
    server = serve("-k", "async", app="http2_probe:asgi", env={"PROBE_MARK": str(mark)})
    with open_client(server) as client:
        seen = json.loads(client.get("/scope").body)
        assert (seen["http_version"], seen["scheme"]) == ("2", "http")
        assert seen["headers"][0] == ["host", "localhost"]
        number = client.begin("/duplex", "POST", end=False)
        for piece in (b"one", b"two"):
            client.send_body(number, piece, end=False)
            client.until(lambda: client.answers[number].body.endswith(piece), "its echo")
        client.send_body(number, b"", end=True)
        assert client.answer(number).body == b"onetwo"
        gone = client.begin("/gone")
        client.connection.reset_stream(gone)
        client.flush()
        assert client.get("/").body == b"hello"
        wait_until(mark.exists, "the application has seen that its client has gone")


def test_native(serve):
    with open_client(serve(app=INSPECT, python=False)) as client:
        answer = client.get("/protocol")
        assert answer.status in (200, 404)
        assert client.get("/").status in (200, 404)


@pytest.mark.parametrize("app", ["http2_probe", "http2_probe:asgi"])
def test_tls(serve_tls, authority, app):
    # One that is trusted may encrypt for one host and pass on requests for others.
    server = serve_tls("-k", "async", "--forwarded-allow-ips", "10.0.0.1", app=app)
    with Http2Client(tls(server.address, authority.context()), scheme="https") as client:
        assert client.sock.selected_alpn_protocol() == "h2"
        assert [client.answer(client.begin("/")).body for _ in range(3)] == [b"hello"] * 3
        assert client.get("/", headers=[("host", "localhost")]).status == 200
        client.host = "elsewhere.example"
        assert client.get("/").status == 421
    with tls(server.address, authority.context(), protocols=["http/1.1", "h2"]) as sock:
        assert sock.selected_alpn_protocol() == "h2"
    with tls(server.address, authority.context(), protocols=["http/1.1"]) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")


def test_the_order_of_protocols(serve_tls, authority):
    server = serve_tls(protocols="h1,h2")
    with tls(server.address, authority.context(), protocols=["h2", "http/1.1"]) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"
    server = serve_tls(protocols="h2")
    with pytest.raises(ssl.SSLError):
        tls(server.address, authority.context(), protocols=["http/1.1"])
    with Http2Client(tls(server.address, authority.context()), scheme="https") as client:
        assert client.get("/").body == b"hello"


def test_clear_text(serve):
    server = serve()
    with server.client() as client:
        assert client.get("/").body == b"hello"
    # Byte by byte, as one that comes in whole.
    with RawHttp2(connect(server.address), preface=False) as client:
        for each in PREFACE + SettingsFrame(0).serialize():
            client.sock.sendall(bytes([each]))
        client.send(client.head(1, client.request()))
        data = next(frame for frame in client.frames() if isinstance(frame, DataFrame))
        assert data.data == b"hello"
    # A connection that has spoken HTTP/1.1 does not change its mind.
    with server.client() as client:
        assert client.get("/").body == b"hello"
        client.send(PREFACE)
        assert client.response().status in (400, 505)
    # Nor is there an upgrade.
    with server.client() as client:
        answer = client.get("/", headers=[("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
                                          ("HTTP2-Settings", "AAMAAABkAAQAAP__")])
        assert (answer.status, answer.body) == (200, b"hello")


def test_clear_text_alone(serve):
    server = serve(protocols="h2")
    with open_client(server) as client:
        assert client.get("/").body == b"hello"
    with RawHttp2(connect(server.address), preface=False) as client:
        client.sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + b" " * 30)
        assert client.goaway() == PROTOCOL_ERROR


def test_clear_text_is_for_trusted_peers(serve):
    server = serve("--forwarded-allow-ips", "10.0.0.1")
    with Client(server.address) as client:
        client.send(PREFACE)
        assert client.response().status == 505


def test_it_is_off_by_default(start, pair, authority):
    server = start("--certfile", pair[0], "--keyfile", pair[1], INSPECT)
    with tls(server.address, authority.context(), protocols=["h2", "http/1.1"]) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"


def test_access_log(serve):
    server = serve("--access-logfile", "-")
    with open_client(server) as client:
        client.get("/some?where", headers=[("user-agent", "tester")])
        client.get("/echo", "POST", [("expect", "wonders")], b"a")
    lines = wait_until(lambda: (found := re.findall(r'"(?:GET|POST|-).*', server.stdout_path.read_text())) and len(found) > 1 and found,
                       "two lines")
    assert re.match(r'"GET /some\?where HTTP/2\.0" 200 5 "-" "tester"', lines[0]), lines


# --- others' clients


def curl(*args):
    made = subprocess.run(["curl", "-s", "-S", "--max-time", "20", *args], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return made.stdout


def test_curl(serve, serve_tls, authority, tmp_path):
    server = serve()
    url = f"http://127.0.0.1:{server.address[1]}"
    assert curl("--http2-prior-knowledge", "-w", " %{http_version}", url + "/") == "hello 2"
    body = tmp_path / "body"
    body.write_bytes(b"x" * 500_000)
    assert curl("--http2-prior-knowledge", "--data-binary", f"@{body}", url + "/echo") == "x" * 500_000
    encrypted = serve_tls("-k", "async")
    name = f"https://localhost:{encrypted.address[1]}"
    flags = ["--cacert", str(authority.certificate), "--resolve", f"localhost:{encrypted.address[1]}:127.0.0.1"]
    assert curl("--http2", "-w", " %{http_version}", *flags, name + "/") == "hello 2"
    assert curl("--http1.1", "-w", " %{http_version}", *flags, name + "/") == "hello 1.1"


def test_httpx(serve_tls, authority):
    httpx = pytest.importorskip("httpx")
    server = serve_tls("-k", "async", app="http2_probe:asgi")
    with httpx.Client(http2=True, verify=authority.context()) as client:
        for _ in range(3):
            answer = client.get(f"https://localhost:{server.address[1]}/")
            assert (answer.http_version, answer.text) == ("HTTP/2", "hello")


@WORKERS
def test_h2load(serve, worker):
    server = serve(*worker)
    made = subprocess.run(["h2load", "-n", "3000", "-c", "4", "-m", "20", f"http://127.0.0.1:{server.address[1]}/"],
                          capture_output=True, text=True, timeout=60)
    assert "3000 succeeded, 0 failed, 0 errored" in made.stdout, made.stdout


# --- proxies


@pytest.mark.skipif(fronts.HAPROXY is None, reason="needs HAProxy")
def test_haproxy(serve, tmp_path):
    server = serve("-k", "async", "--access-logfile", "-", "--keep-alive", "75")
    front = fronts.haproxy(server.address, tmp_path / "haproxy", options="proto h2")
    try:
        with Client(front.address) as client:
            for _ in range(3):
                assert client.get("/").body == b"hello"
            body = os.urandom(300_000)
            assert client.get("/echo", method="POST", body=body).body == body
            assert json.loads(client.get("/environ").body)["SERVER_PROTOCOL"] == "HTTP/2"
            assert client.get("/big", method="HEAD").header("Content-Length") == str(16 * 65536)
    finally:
        front.stop()
    assert "HTTP/2.0" in server.stdout_path.read_text()


@pytest.mark.skipif(fronts.NGINX is None, reason="needs nginx")
def test_nginx(start, tmp_path):
    """It speaks HTTP/2 to clients, and HTTP/1.1 to servers."""
    server = start("-k", "async", "--python", sys.executable, "--pythonpath", APPS, "http2_probe")
    front = fronts.nginx(server.address, tmp_path / "nginx", listen=" http2")
    try:
        with Http2Client(connect(front.address)) as client:
            many = [client.begin("/big") for _ in range(5)]
            assert [len(client.answer(number).body) for number in many] == [16 * 65536] * 5
            assert json.loads(client.get("/environ").body)["SERVER_PROTOCOL"] == "HTTP/1.1"
    finally:
        front.stop()
