# SPDX-License-Identifier: MIT
"""The client's address and host by the fields of trusted proxies; tests/corpus has what the fields may say."""

import json
import sys

import pytest

from harness.client import Client
from harness.paths import PROBE, ROOT
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
INSPECT = f"{PROBE.parent / 'libinspect.so'}:app"
BY_PROXY = [("X-Forwarded-For", "203.0.113.9, 198.51.100.7, 127.0.0.1"), ("X-Forwarded-Host", "shop.example")]


@pytest.fixture
def wsgi(start):
    def factory(*args, **more):
        return start("--python", sys.executable, "--pythonpath", APPS, *args, "wsgi_probe",
                     env={"PYTHONDONTWRITEBYTECODE": "1"}, **more)

    return factory


def seen(client, target="/environ", headers=BY_PROXY):
    answer = client.get(target, headers=headers)
    assert answer.status == 200, answer
    return json.loads(answer.body)


def test_off_by_default(wsgi):
    server = wsgi()
    with server.client() as client:
        environ = seen(client)
    assert (environ["REMOTE_ADDR"], environ["HTTP_HOST"]) == ("127.0.0.1", "test.example")
    assert environ["HTTP_X_FORWARDED_FOR"] == BY_PROXY[0][1]


def test_wsgi(wsgi):
    server = wsgi("--forwarded-client", "x-forwarded-for", "--forwarded-host", "--access-logfile", "-")
    with server.client() as client:
        environ = seen(client)
        assert (environ["REMOTE_ADDR"], environ["HTTP_HOST"]) == ("198.51.100.7", "shop.example")
        # The port is not said, and that of the proxy is not the client's.
        assert "REMOTE_PORT" not in environ
        assert environ["HTTP_X_FORWARDED_FOR"] == BY_PROXY[0][1]
        # The next request of the connection is of somebody else.
        assert seen(client, headers=[("X-Forwarded-For", "[2001:db8::1]:4711")])["REMOTE_PORT"] == "4711"
        assert seen(client, headers=[("X-Forwarded-For", "unknown")])["REMOTE_ADDR"] == ""
        assert seen(client, headers=[])["REMOTE_ADDR"] == "127.0.0.1"
    wait_until(lambda: len(server.output().splitlines()) == 4, "access lines")
    assert [line.split()[0] for line in server.output().splitlines()] == [
        "198.51.100.7", "2001:db8::1", "-", "127.0.0.1"]


def test_only_of_trusted_peers(wsgi):
    server = wsgi("--forwarded-client", "x-forwarded-for", "--forwarded-host", "--forwarded-allow-ips", "127.0.0.2")
    with server.client() as client:
        environ = seen(client)
        assert (environ["REMOTE_ADDR"], environ["HTTP_HOST"]) == ("127.0.0.1", "test.example")
    with Client(server.address, source="127.0.0.2") as client:
        # 127.0.0.1 is no proxy here.
        assert seen(client)["REMOTE_ADDR"] == "127.0.0.1"


def test_whoever_is_believed_need_not_be_a_proxy(wsgi):
    """"*" says who may speak, and names no hops: else a client could choose its own address."""
    server = wsgi("--forwarded-client", "x-forwarded-for", "--forwarded-allow-ips", "*")
    with server.client() as client:
        headers = [("X-Forwarded-For", "203.0.113.9, 198.51.100.7")]
        assert seen(client, headers=headers)["REMOTE_ADDR"] == "198.51.100.7"
    server = wsgi("--forwarded-client", "x-forwarded-for", "--forwarded-allow-ips", "*,198.51.100.0/24")
    with server.client() as client:
        assert seen(client, headers=headers)["REMOTE_ADDR"] == "203.0.113.9"


def test_on_a_unix_socket(wsgi, tmp_path):
    path = str(tmp_path / "socket")
    server = wsgi("--forwarded-client", "forwarded", "--forwarded-host", "-b", f"unix:{path}", listen=False)
    with Client(path) as client:
        environ = seen(client, headers=[("Forwarded", 'for="198.51.100.7:4711"'), BY_PROXY[1]])
        assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("198.51.100.7", "4711")
        assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("shop.example", "80")
        environ = seen(client, headers=[])
        assert environ["REMOTE_ADDR"] == "" and "REMOTE_PORT" not in environ
    assert server.output() == ""


def test_a_balancer_that_announces_the_client_passes_its_fields_on(wsgi):
    """It need not read HTTP: what the client says of itself is not its word."""
    server = wsgi("--proxy-protocol", "--forwarded-client", "x-forwarded-for", "--forwarded-host",
                  "--forwarded-allow-ips", "127.0.0.1,192.0.2.7")
    for source, address, host in (("192.0.2.8", "192.0.2.8", "test.example"), ("192.0.2.7", "198.51.100.7", "shop.example")):
        with server.client() as client:
            client.send(f"PROXY TCP4 {source} 192.0.2.1 40000 80\r\n")
            environ = seen(client)
            assert (environ["REMOTE_ADDR"], environ["HTTP_HOST"]) == (address, host)
            assert environ["PROXY_PROTOCOL"] == "TCP4"


def test_asgi_and_native_applications_see_it(start, tmp_path):
    server = start("-k", "async", "--forwarded-client", "x-forwarded-for", "--forwarded-host", INSPECT)
    with server.client() as client:
        described = seen(client, "/")
    assert (described["remote"], described["host"]) == ("198.51.100.7:0", "shop.example")
    server = start("--python", sys.executable, "--pythonpath", APPS, "-k", "async", "--interface", "asgi",
                   "--forwarded-client", "x-forwarded-for", "asgi_probe:app",
                   env={"PYTHONDONTWRITEBYTECODE": "1", "PROBE_STOPPED": str(tmp_path / "stopped")})
    with server.client() as client:
        for said, told in (("198.51.100.7", ["198.51.100.7", 0]), ("[2001:db8::1]:4711", ["2001:db8::1", 4711]),
                           ("unknown", None)):
            assert seen(client, "/scope_of", [("X-Forwarded-For", said)])["client"] == told


def test_contradictions_name_the_remedy_in_the_log(wsgi):
    server = wsgi("--forwarded-client", "x-forwarded-for")
    with server.client() as client:
        client.request("/environ", headers=[*BY_PROXY, ("Forwarded", "for=203.0.113.9")])
        assert client.response().status == 400
        assert client.closed_by_server()
    server.wait_log(r"X-Forwarded-For and Forwarded name different clients \(forwarded_client\)")
