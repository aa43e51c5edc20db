# SPDX-License-Identifier: MIT
"""The PROXY protocol: by hand, and as HAProxy speaks it."""

import json
import shutil
import socket
import struct
import subprocess
import sys

import pytest

from harness.client import Client
from harness.paths import PROBE, ROOT
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n"
REQUEST = b"GET /environ HTTP/1.1\r\nHost: a\r\n\r\n"


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def v2(*tlvs, command=1):
    ends = socket.inet_aton("192.0.2.7") + socket.inet_aton("198.51.100.1") + struct.pack("!HH", 40000, 443)
    rest = ends + b"".join(tlvs)
    return SIGNATURE + struct.pack("!BBH", 0x20 | command, 0x11, len(rest)) + rest


@pytest.fixture
def serve(start):
    def factory(*args, **more):
        return start("--python", sys.executable, "--pythonpath", APPS, "--access-logfile", "-", *args,
                     "wsgi_probe", env={"PYTHONDONTWRITEBYTECODE": "1"}, **more)

    return factory


def environ(client):
    answer = client.response()
    assert answer.status == 200, answer
    return json.loads(answer.body)


@pytest.mark.parametrize("header", [V1, v2()], ids=["v1", "v2"])
@pytest.mark.parametrize("mode", [["--proxy-protocol"], ["--proxy-protocol", "auto"]], ids=" ".join)
def test_the_client_is_who_was_announced(serve, header, mode):
    server = serve(*mode)
    with server.client() as client:
        client.send(header + REQUEST)
        for _ in range(2):
            seen = environ(client)
            assert (seen["REMOTE_ADDR"], seen["REMOTE_PORT"]) == ("192.0.2.7", "40000")
            assert seen["PROXY_PROTOCOL"] == "TCP4"
            assert (seen["PROXY_ADDR"], seen["PROXY_PORT"]) == ("198.51.100.1", "443")
            assert (seen["SERVER_NAME"], seen["wsgi.url_scheme"]) == ("127.0.0.1", "http")
            client.send(REQUEST)
        environ(client)
    wait_until(lambda: server.output().count("192.0.2.7 - - ") == 3, "access lines")


def test_in_pieces(serve):
    server = serve("--proxy-protocol", "v2")
    with server.client() as client:
        data = v2(tlv(0x02, b"shop.example"))
        for at in range(len(data)):
            client.send(data[at:at + 1])
        client.send(REQUEST)
        seen = environ(client)
    assert seen["REMOTE_ADDR"] == "192.0.2.7"
    assert seen["PROXY_PROTOCOL_TLV_AUTHORITY"] == "shop.example"


@pytest.mark.parametrize("header", [b"", v2(command=0), b"PROXY UNKNOWN\r\n"], ids=["none", "LOCAL", "UNKNOWN"])
def test_nobody_is_announced(serve, header):
    server = serve("--proxy-protocol")
    with server.client() as client:
        client.send(header + REQUEST)
        seen = environ(client)
    assert seen["REMOTE_ADDR"] == "127.0.0.1"
    assert "PROXY_PROTOCOL" not in seen


def test_what_the_balancer_knows_of_tls(serve):
    ssl = struct.pack("!BI", 0x07, 0) + tlv(0x21, b"TLSv1.3") + tlv(0x22, b"Ann")
    server = serve("--proxy-protocol")
    with server.client() as client:
        client.send(v2(tlv(0x01, b"http/1.1"), tlv(0x20, ssl)) + REQUEST)
        seen = environ(client)
    assert seen["wsgi.url_scheme"] == "https"
    said = {name[19:]: value for name, value in seen.items() if name.startswith("PROXY_PROTOCOL_TLV_")}
    assert said == {"ALPN": "http/1.1", "SSL_VERSION": "TLSv1.3", "SSL_CN": "Ann", "SSL_VERIFY": "0"}


@pytest.mark.parametrize("mode, header", [("off", V1), ("v1", v2()), ("v2", V1)])
def test_what_is_not_read_is_no_request(serve, mode, header):
    server = serve("--proxy-protocol", mode)
    with server.client() as client:
        client.send(header + REQUEST)
        assert client.response().status == 400
        assert client.closed_by_server()


def test_an_announced_unix_socket_has_no_address(serve):
    ends = b"/run/client\nforged".ljust(108, b"\0") + b"/run/balancer".ljust(108, b"\0")
    server = serve("--proxy-protocol")
    with server.client() as client:
        client.send(SIGNATURE + struct.pack("!BBH", 0x21, 0x31, len(ends)) + ends + REQUEST)
        seen = environ(client)
    assert (seen["REMOTE_ADDR"], seen["PROXY_PROTOCOL"], seen["PROXY_ADDR"]) == ("", "UNIX", "/run/balancer")


def test_only_of_those_who_may(serve):
    server = serve("--proxy-protocol", "--proxy-allow-from", "127.0.0.2")
    with server.client() as client:
        client.send(V1 + REQUEST)
        assert client.response().status == 400
    with Client(server.address, source="127.0.0.2") as client:
        client.send(V1 + REQUEST)
        assert environ(client)["REMOTE_ADDR"] == "192.0.2.7"


def test_forwarding_fields_are_believed_of_the_balancer_not_of_its_client(serve):
    request = REQUEST.replace(b"\r\n\r\n", b"\r\nX-Forwarded-Proto: https\r\n\r\n")
    for allowed, scheme in (("127.0.0.1", "https"), ("192.0.2.7", "http")):
        server = serve("--proxy-protocol", "--forwarded-allow-ips", allowed)
        with server.client() as client:
            client.send(V1 + request)
            assert environ(client)["wsgi.url_scheme"] == scheme, allowed


@pytest.mark.parametrize("header", [b"PROXY TCP4 1.2.3.4\r\n", v2()[:12] + b"\x31\x11\x00\x00", v2(b"\x01\x00")])
def test_wrong_headers_end_the_connection(serve, header):
    server = serve("--proxy-protocol")
    with server.client() as client:
        client.send(header + REQUEST)
        assert client.closed_by_server()
    server.wait_log("Refused a connection whose PROXY header is wrong: ")
    assert server.get("/hello").status == 200


def test_a_header_that_does_not_come(serve):
    server = serve("--proxy-protocol", "--header-timeout", "0.3")
    with server.client() as client:
        client.send(V1[:20])
        assert client.closed_by_server()
    with server.client() as client:
        client.send(V1[:20])
        client.end_sending()
        assert client.closed_by_server()


def test_on_a_unix_socket(serve, tmp_path):
    server = serve("--proxy-protocol", "-b", f"unix:{tmp_path / 'socket'}", listen=False)
    with Client(str(tmp_path / "socket")) as client:
        client.send(V1 + REQUEST)
        seen = environ(client)
    assert (seen["REMOTE_ADDR"], seen["REMOTE_PORT"]) == ("192.0.2.7", "40000")


def test_native_and_asgi_applications_see_it(start, tmp_path):
    server = start("-k", "async", "--proxy-protocol", f"{PROBE.parent / 'libinspect.so'}:app")
    with server.client() as client:
        client.send(v2() + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        seen = json.loads(client.response().body)
    assert (seen["remote"], seen["proxy_addr"]) == ("192.0.2.7:40000", "198.51.100.1")
    server = start("--python", sys.executable, "--pythonpath", APPS, "-k", "async", "--proxy-protocol", "--interface",
                   "asgi", "asgi_probe:app",
                   env={"PYTHONDONTWRITEBYTECODE": "1", "PROBE_STOPPED": str(tmp_path / "stopped")})
    with server.client() as client:
        client.send(v2() + b"GET /scope_of HTTP/1.1\r\nHost: a\r\n\r\n")
        seen = json.loads(client.response().body)
        client.send(b"GET /proxied HTTP/1.1\r\nHost: a\r\n\r\n")
        proxied = json.loads(client.response().body)
    assert seen["client"] == ["192.0.2.7", 40000]
    assert proxied == {"PROXY_PROTOCOL": "TCP4", "PROXY_ADDR": "198.51.100.1", "PROXY_PORT": "443"}


HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin")


@pytest.fixture
def haproxy(tmp_path):
    """Starts HAProxy in front of a server, and gives the port it listens on."""
    started = []

    def factory(server, options):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config = tmp_path / "haproxy.cfg"
        config.write_text(
            "defaults\n  mode tcp\n  timeout client 20s\n  timeout server 20s\n  timeout connect 5s\n"
            f"listen front\n  bind 127.0.0.1:{port}\n"
            f"  server one 127.0.0.1:{server.address[1]} {options} check inter 100ms\n"
        )
        process = subprocess.Popen([HAPROXY, "-db", "-f", str(config)], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        started.append(process)

        def answers():
            assert process.poll() is None, "HAProxy has ended"
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except ConnectionRefusedError:
                return False
            return True

        wait_until(answers, "HAProxy listens")
        return port

    yield factory
    for each in started:
        each.terminate()
        each.wait(10)


@pytest.mark.skipif(HAPROXY is None, reason="needs haproxy")
@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2", "send-proxy-v2 check-send-proxy",
                                     "send-proxy-v2 proxy-v2-options crc32c,unique-id"])
def test_haproxy(serve, haproxy, options):
    server = serve("--proxy-protocol")
    port = haproxy(server, options)
    with Client(("127.0.0.1", port), source="127.0.0.9") as client:
        client.send(REQUEST)
        seen = environ(client)
        assert (seen["REMOTE_ADDR"], seen["REMOTE_PORT"]) == ("127.0.0.9", str(client.sock.getsockname()[1]))
        assert seen["PROXY_PORT"] == str(port)
        client.send(REQUEST)
        assert environ(client)["REMOTE_ADDR"] == "127.0.0.9"
