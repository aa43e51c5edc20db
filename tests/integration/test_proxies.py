# SPDX-License-Identifier: MIT
"""nginx and HAProxy in front, by the samples in config/: who the client is, kept connections, and nothing that
they and the server could read in two ways."""

import json
import re

import pytest

from harness import fronts
from harness.certificates import Authority
from harness.client import Client
from harness.paths import PROBE
from harness.waiting import wait_until

INSPECT = f"{PROBE.parent / 'libinspect.so'}:app"
CLIENT = "127.0.0.9"

pytestmark = pytest.mark.skipif(not fronts.NGINX or not fronts.HAPROXY, reason="needs nginx and haproxy")


@pytest.fixture
def front(tmp_path):
    """Starts proxies: front(make, address, ...)."""
    started = []

    def factory(make, address, *changes, **more):
        started.append(make(address, tmp_path / f"front{len(started)}", *changes, **more))
        return started[-1]

    yield factory
    for each in reversed(started):
        each.stop()


@pytest.fixture
def serve(start, tmp_path):
    """serve(settings..., unix=...) -> the server and what proxies connect to."""

    def factory(*args, unix=False):
        bind = ["-b", f"unix:{tmp_path / 'socket'}"] if unix else []
        server = start("-k", "async", "--keep-alive", "75", "--access-logfile", "-", "--access-logformat", "%(s)s %(h)s %(U)s",
                       *bind, *args, INSPECT, listen=not unix)
        return server, str(tmp_path / "socket") if unix else server.address

    return factory


BOTH = pytest.mark.parametrize("make", [fronts.nginx, fronts.haproxy], ids=["nginx", "haproxy"])
FORWARDED = ["--forwarded-client", "x-forwarded-for", "--forwarded-host"]


def check(proxy, count=20, remote=CLIENT, host="shop.example"):
    with Client(proxy.address, source=remote) as client:
        for number in range(count):
            body = b"x" * (number * 1000)
            client.send(f"POST /{number} HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 203.0.113.9\r\n"
                        f"Forwarded: for=203.0.113.9\r\nX-Forwarded-Host: evil.example\r\n"
                        f"X-Forwarded-Proto: https\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = client.response()
            assert answer.status == 200, answer
            described = json.loads(answer.body)
            assert described["target"] == f"/{number}"
            assert len(described["body"]) == len(body)
            assert described["remote"].rpartition(":")[0] == remote
            assert (described["host"], described["scheme"]) == (host, "http")


@BOTH
@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
def test_the_client_and_its_host(serve, front, make, unix):
    server, address = serve(*FORWARDED, unix=unix)
    check(front(make, address))
    wait_until(lambda: len(server.output().splitlines()) == 20, "access lines")
    assert server.output().splitlines()[-1] == f"200 {CLIENT} /19"


@BOTH
def test_connections_are_kept(serve, front, make):
    _, address = serve()
    proxy = front(make, address)
    seen = set()
    for number in range(20):
        with Client(proxy.address) as client:
            seen.add(json.loads(client.get(f"/{number}").body)["remote"])
    assert len(seen) <= 4, seen


@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
def test_haproxy_with_the_proxy_protocol(serve, front, unix):
    """It announces the client and writes the fields: both name the same one."""
    _, address = serve(*FORWARDED, "--proxy-protocol", "v2", unix=unix)
    proxy = front(fronts.haproxy, address, options="send-proxy-v2")
    check(proxy)
    # Nobody is announced on the connection of somebody else.
    check(proxy, remote="127.0.0.10", count=3)
    check(proxy, count=3)


def test_haproxy_before_nginx(serve, front):
    """Two hops, the first of which announces its clients to the second."""
    _, address = serve(*FORWARDED)
    real = "set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;"
    inner = front(fronts.nginx, address, listen=" proxy_protocol", more=real)
    check(front(fronts.haproxy, inner.address, options="send-proxy"))


@BOTH
def test_two_proxies_by_their_fields(serve, front, make):
    _, address = serve(*FORWARDED)
    inner = front(make, address)
    check(front(fronts.haproxy if make is fronts.nginx else fronts.nginx, inner.address))


# --- TLS between them and the server


def by_nginx(authority, name="localhost"):
    """What its sample has in the stead of proxy_pass http://unicoro."""
    return (r"^        proxy_pass http://unicoro;",
            f"proxy_pass https://unicoro; proxy_ssl_trusted_certificate {authority.certificate}; proxy_ssl_verify on; "
            f"proxy_ssl_name {name}; proxy_ssl_server_name on;")


def by_haproxy(authority, alpn, name="localhost"):
    return f"ssl verify required ca-file {authority.certificate} sni str({name}) {alpn}"


@pytest.fixture
def serve_tls(serve, pair):
    def factory(*args, log="%(s)s %(h)s %(U)s %(H)s"):
        return serve("--certfile", pair[0], "--keyfile", pair[1], "--http-protocols", "h2,h1", *FORWARDED, *args,
                     "--access-logformat", log)

    return factory


ALPN = pytest.mark.parametrize("alpn, spoken", [("alpn h2,http/1.1", "HTTP/2.0"), ("alpn http/1.1", "HTTP/1.1"), ("", "HTTP/1.1")],
                               ids=["h2", "h1", "no-alpn"])


def test_nginx_over_tls(serve_tls, front, authority):
    server, address = serve_tls()
    proxy = front(fronts.nginx, address, by_nginx(authority))
    check(proxy)
    wait_until(lambda: len(server.output().splitlines()) == 20, "access lines")
    assert server.output().splitlines()[-1] == f"200 {CLIENT} /19 HTTP/1.1"


@ALPN
@pytest.mark.parametrize("announced", [False, True], ids=["bare", "announced"])
def test_haproxy_over_tls(serve_tls, front, authority, alpn, spoken, announced):
    server, address = serve_tls(*(["--proxy-protocol", "v2"] if announced else []))
    options = by_haproxy(authority, alpn) + (" send-proxy-v2" if announced else "")
    proxy = front(fronts.haproxy, address, options=options)
    check(proxy)
    if announced:
        # Nobody is announced on the connection of somebody else.
        check(proxy, remote="127.0.0.10", count=3)
        check(proxy, count=3)
    wait_until(lambda: len(server.output().splitlines()) == (26 if announced else 20), "access lines")
    assert server.output().splitlines()[-1] == f"200 {CLIENT} /{2 if announced else 19} {spoken}"


@pytest.mark.parametrize("kind", ["nginx", "haproxy-h2", "haproxy-h1"])
def test_connections_are_kept_over_tls(serve, pair, front, authority, kind):
    """A handshake for each request is what keeps TLS between them from being used."""
    server, address = serve("--certfile", pair[0], "--keyfile", pair[1], "--http-protocols", "h2,h1")
    if kind == "nginx":
        proxy = front(fronts.nginx, address, by_nginx(authority))
    else:
        proxy = front(fronts.haproxy, address, options=by_haproxy(authority, f"alpn {'h2' if kind == 'haproxy-h2' else 'http/1.1'}"))
    seen = set()
    for number in range(20):
        with Client(proxy.address) as client:
            seen.add(json.loads(client.get(f"/{number}").body)["remote"])
    assert len(seen) <= 4, seen


@BOTH
def test_a_server_that_cannot_prove_who_it_is(serve_tls, front, authority, tmp_path, make):
    server, address = serve_tls()
    server.allow("handshake|alert|certificate")
    other = Authority(tmp_path / "other", "other")
    cases = {"of another authority": (other, "localhost"), "of another name": (authority, "elsewhere.example")}
    for who, name in cases.values():
        if make is fronts.nginx:
            proxy = front(make, address, by_nginx(who, name))
        else:
            proxy = front(make, address, options=by_haproxy(who, "alpn h2,http/1.1", name))
        with Client(proxy.address) as client:
            assert client.get("/").status in (502, 503)
    assert server.output() == ""


def post(fields: str, body: str, line: str = "POST /first HTTP/1.1") -> str:
    return f"{line}\r\nHost: a\r\n{fields}\r\n\r\n{body}"


HIDDEN = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"

# What proxies and servers have read in two ways: the hidden request is one if the body ends before it.
SMUGGLED = {
    "both lengths": post(f"Content-Length: {5 + len(HIDDEN)}\r\n{CHUNKED}", "0\r\n\r\n" + HIDDEN),
    "both lengths, the other first": post(f"{CHUNKED}\r\nContent-Length: {5 + len(HIDDEN)}", "0\r\n\r\n" + HIDDEN),
    "two lengths": post(f"Content-Length: 0\r\nContent-Length: {len(HIDDEN)}", HIDDEN),
    "a list of lengths": post(f"Content-Length: 0, {len(HIDDEN)}", HIDDEN),
    "a sign": post(f"Content-Length: +{len(HIDDEN)}", HIDDEN),
    "a blank before the colon": post(f"Content-Length : {len(HIDDEN)}", HIDDEN),
    "a blank in front": post(f"X: y\r\n Content-Length: {len(HIDDEN)}", HIDDEN),
    "a length in a GET": post(f"Content-Length: {len(HIDDEN)}", HIDDEN, "GET /first HTTP/1.1"),
    "chunked with a tab": post(f"Content-Length: {5 + len(HIDDEN)}\r\nTransfer-Encoding:\tchunked", "0\r\n\r\n" + HIDDEN),
    "chunked with VT": post(f"Content-Length: {5 + len(HIDDEN)}\r\nTransfer-Encoding: \x0bchunked", "0\r\n\r\n" + HIDDEN),
    "xchunked": post(f"Content-Length: {5 + len(HIDDEN)}\r\nTransfer-Encoding: xchunked", "0\r\n\r\n" + HIDDEN),
    "chunked and another": post(f"{CHUNKED}\r\nTransfer-Encoding: identity", "0\r\n\r\n" + HIDDEN),
    "identity, chunked": post("Transfer-Encoding: identity, chunked", "0\r\n\r\n" + HIDDEN),
    "chunked in HTTP/1.0": post(CHUNKED, "0\r\n\r\n" + HIDDEN, "POST /first HTTP/1.0"),
    "an underscore": post(f"Transfer_Encoding: chunked\r\nContent-Length: {5 + len(HIDDEN)}", "0\r\n\r\n" + HIDDEN),
    "LF for CRLF": post(f"Content-Length: 0\nContent-Length: {len(HIDDEN)}", HIDDEN),
    "LF behind a chunk size": post(CHUNKED, "0\n\n" + HIDDEN),
    "CR in a chunk extension": post(CHUNKED, f"0;\r\r\n\r\n{HIDDEN}"),
    "LF in a chunk extension": post(CHUNKED, f"2;\nxx\r\n0\r\n\r\n{HIDDEN}"),
    "a chunk with a sign": post(CHUNKED, f"+0\r\n\r\n{HIDDEN}"),
    "a chunk in 0x": post(CHUNKED, f"0x0\r\n\r\n{HIDDEN}"),
    "a chunk too large to count": post(CHUNKED, f"10000000000000000\r\n\r\n{HIDDEN}"),
    "a chunk that is too long": post(CHUNKED, f"1\r\nab\r\n0\r\n\r\n{HIDDEN}"),
    "a length in the trailer": post(CHUNKED, f"0\r\nContent-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}"),
    "Connection names the length": post(f"Connection: Content-Length\r\nContent-Length: {len(HIDDEN)}", HIDDEN),
    "Expect and a body at once": post(f"Expect: 100-continue\r\nContent-Length: {len(HIDDEN)}", HIDDEN),
    "Upgrade": post("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777", HIDDEN, "GET /first HTTP/1.1"),
    "Upgrade to h2c": post("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", HIDDEN,
                           "GET /first HTTP/1.1"),
    "CONNECT": post("X: y", HIDDEN, "CONNECT a:80 HTTP/1.1"),
    "pipelined": post("Content-Length: 3", "abc" + HIDDEN),
}
LAST = "GET /last-{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def answered_by_the_application(data: bytes) -> list[str]:
    """The paths of the requests whose answers a client has got."""
    return re.findall(r'"path":"([^"]*)","query"', data.decode("latin-1"))


# nginx passes a body on while it comes, or when it has all of it.
UNBUFFERED = (r"^        proxy_redirect off;", "proxy_redirect off; proxy_request_buffering off;")


@pytest.mark.parametrize("make, changes", [(fronts.nginx, []), (fronts.nginx, [UNBUFFERED]), (fronts.haproxy, [])],
                         ids=["nginx", "nginx unbuffered", "haproxy"])
def test_nothing_is_smuggled(serve, front, make, changes):
    server, address = serve(*FORWARDED)
    proxy = front(make, address, *changes)
    for number, (name, data) in enumerate(SMUGGLED.items()):
        before = len(server.output().splitlines())
        with Client(proxy.address, timeout=10) as client:
            client.send(data + LAST.format(number))
            got = answered_by_the_application(client.rest())
        # On the connections that are kept, the answers still belong to their requests.
        for again in range(3):
            with Client(proxy.address) as client:
                probe = f"/probe-{number}-{again}"
                assert json.loads(client.get(probe).body)["path"] == probe, name
        probes = [f"/probe-{number}-{again}" for again in range(3)]
        wait_until(lambda: server.output().endswith(f" {probes[-1]}\n"), "the access line")
        lines = [line.split() for line in server.output().splitlines()[before:]]
        assert [path for status, _, path in lines if status == "200"] == got + probes, name
