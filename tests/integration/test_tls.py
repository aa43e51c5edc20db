# SPDX-License-Identifier: MIT
"""HTTPS: certificates and their choice, what clients may speak, and what applications see."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time

import pytest

from harness.certificates import Authority, TlsClient
from harness.client import Client
from harness.paths import ROOT
from harness.server import run
from harness.waiting import LONG, wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
CLASSES = [["-k", "sync"], ["-k", "async"], ["--threads", "2"]]
PYTHON = ["--python", sys.executable, "--pythonpath", APPS]


@pytest.fixture
def serve(start, pair):
    def make(*args, app="tls_probe:application", **more):
        return start("--certfile", pair[0], "--keyfile", pair[1], *args, *PYTHON, app, **more)

    return make


@pytest.fixture
def probe_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(os.urandom(3_000_001))
    monkeypatch.setenv("PROBE_FILE", str(path))
    return path


@pytest.mark.parametrize("worker", CLASSES)
def test_requests(serve, authority, probe_file, worker):
    server = serve(*worker)
    with TlsClient(server.address, authority.context()) as client:
        assert client.sock.selected_alpn_protocol() is None
        seen = json.loads(client.get("/").text)
        assert seen["wsgi.url_scheme"] == "https" and seen["HTTPS"] == "on"
        assert seen["SSL_PROTOCOL"] == "TLSv1.3" and seen["SSL_CIPHER"].startswith("TLS_")
        assert seen["SSL_TLS_SNI"] == "localhost" and seen["SSL_CLIENT_VERIFY"] == "NONE"
        body = os.urandom(1_000_000)
        assert client.get("/echo", method="POST", body=body).body == body
        assert client.get("/big").body == b"0123456789abcdef" * 65536
        assert client.get("/file").body == probe_file.read_bytes()
        assert client.get("/pieces").body == b"".join(b"%08d" % number * 125 for number in range(1000))
        assert client.get("/big", method="HEAD").body == b""
        client.request("/")
        client.request("/")
        assert client.response().status == client.response().status == 200
    assert "https://127.0.0.1" in server.log() or server.address_passed


def test_a_client_that_reads_slowly(serve, authority):
    server = serve("-k", "async")
    with TlsClient(server.address, authority.context()) as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        for _ in range(3):
            client.request("/big")
        for _ in range(3):
            assert client.response().body == b"0123456789abcdef" * 65536


def test_versions_and_ciphers(serve, authority):
    server = serve("--tls-min-version", "1.3", "--ciphersuites", "TLS_CHACHA20_POLY1305_SHA256")
    with TlsClient(server.address, authority.context()) as client:
        assert client.sock.cipher()[0] == "TLS_CHACHA20_POLY1305_SHA256"
    with pytest.raises(ssl.SSLError):
        TlsClient(server.address, authority.context(maximum_version=ssl.TLSVersion.TLSv1_2))
    server = serve("--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384")
    with TlsClient(server.address, authority.context(maximum_version=ssl.TLSVersion.TLSv1_2)) as client:
        assert client.sock.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
        assert json.loads(client.get("/").text)["SSL_PROTOCOL"] == "TLSv1.2"


def test_alpn(serve, authority):
    server = serve()
    context = authority.context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with TlsClient(server.address, context) as client:
        assert client.sock.selected_alpn_protocol() == "http/1.1"
        assert client.get("/").status == 200
    context.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        TlsClient(server.address, context)


def test_certificates_by_host(serve, authority, tmp_path):
    other = authority.issue("other", ["other.example", "*.wild.example"], kind="rsa")
    folder = tmp_path / "third.example"
    folder.mkdir()
    third = authority.issue("third", ["third.example"])
    (folder / "fullchain.pem").write_bytes(third[0].read_bytes())
    (folder / "privkey.pem").write_bytes(third[1].read_bytes())
    joined = tmp_path / "joined.pem"
    joined.write_bytes(other[0].read_bytes() + other[1].read_bytes())
    server = serve("--certificate", joined, "--certificate", folder)

    def name_for(host, **more):
        context = authority.context(check_hostname=False, **more)
        with TlsClient(server.address, context, host=host) as client:
            assert client.get("/").status == 200
            return dict(pair[0] for pair in client.sock.getpeercert()["subject"])["commonName"]

    assert [name_for(host) for host in ("localhost", "other.example", "a.wild.example", "third.example")] == \
        ["site", "other", "other", "third"]
    assert name_for("nobody.example") == "site"


def test_both_kinds_of_key_for_one_host(serve, authority, tmp_path):
    rsa = authority.issue("site-rsa", ["localhost", "site.example"], kind="rsa")
    joined = tmp_path / "rsa.pem"
    joined.write_bytes(rsa[0].read_bytes() + rsa[1].read_bytes())
    server = serve("--certificate", joined)
    for cipher, name in (("ECDHE-RSA-AES128-GCM-SHA256", "site-rsa"), ("ECDHE-ECDSA-AES128-GCM-SHA256", "site")):
        context = authority.context(maximum_version=ssl.TLSVersion.TLSv1_2)
        context.set_ciphers(cipher)
        with TlsClient(server.address, context) as client:
            assert client.sock.getpeercert()["subject"][0][0][1] == name


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_any_worker_resumes_a_session(serve, authority, version):
    server = serve("-w", "3")
    context = authority.context(maximum_version=version, minimum_version=version)
    with TlsClient(server.address, context) as client:
        assert client.get("/").status == 200
        session = client.sock.session
        assert not client.sock.session_reused
    for _ in range(9):
        with TlsClient(server.address, context, session=session) as client:
            assert client.get("/").status == 200
            assert client.sock.session_reused


@pytest.mark.parametrize("needed", ["1", "2"])
def test_client_certificates(serve, authority, tmp_path, needed):
    known = authority.issue("visitor", [], subject="/O=Guests/CN=visitor")
    stranger = Authority(tmp_path / "others", "stranger").issue("visitor", [])
    server = serve("--ca-certs", authority.certificate, "--cert-reqs", needed)
    with TlsClient(server.address, authority.context(client=known)) as client:
        seen = json.loads(client.get("/").text)
        assert seen["SSL_CLIENT_VERIFY"] == "SUCCESS"
        assert "CN=visitor" in seen["SSL_CLIENT_S_DN"] and "Test authority" in seen["SSL_CLIENT_I_DN"]
        assert seen["SSL_CLIENT_CERT"].strip() == known[0].read_text().strip()
        int(seen["SSL_CLIENT_M_SERIAL"], 16)

    def refused(context):
        try:
            with TlsClient(server.address, context) as client:
                client.get("/")
        except (ssl.SSLError, ConnectionError):
            return True
        return False

    assert refused(authority.context(client=stranger))
    assert refused(authority.context()) == (needed == "2")


def test_clear_text_is_told_what_is_spoken_here(serve, authority):
    server = serve()
    with Client(server.address) as client:
        answer = client.get("/")
        assert answer.status == 400 and "HTTPS" in answer.text
    with TlsClient(server.address, authority.context()) as client:
        assert client.get("/").status == 200


def test_who_does_not_finish_the_handshake_is_let_go(serve):
    server = serve(config={"header_timeout": 0.3})
    with Client(server.address) as silent, Client(server.address) as begun:
        begun.send(b"\x16\x03\x01\x02\x00")
        assert silent.rest() == begun.rest() == b""


def test_rubbish(serve, authority):
    server = serve()
    for bytes_sent in (b"\x00" * 100, b"\x16\x03\x01" + os.urandom(200), os.urandom(2000)):
        with Client(server.address) as client:
            client.send(bytes_sent)
            client.end_sending()
            client.rest()
    with TlsClient(server.address, authority.context()) as client:
        assert client.get("/").status == 200


def test_a_websocket(serve, authority):
    websockets = pytest.importorskip("websockets.sync.client")
    server = serve("-k", "async", "--interface", "asgi", app="tls_probe:asgi")
    host, port = server.address
    with websockets.connect(f"wss://localhost:{port}/", ssl=authority.context(),
                            sock=socket.create_connection((host, port))) as connection:
        for text in ("hello", "x" * 100_000):
            connection.send(text)
            assert connection.recv(LONG) == text


def test_what_an_asgi_application_sees(serve, authority):
    server = serve("-k", "async", "--interface", "asgi", app="tls_probe:asgi")
    with TlsClient(server.address, authority.context()) as client:
        seen = json.loads(client.get("/").text)
    assert seen["scheme"] == "https"
    assert seen["tls"]["tls_version"] == 0x0304 and seen["tls"]["cipher_suite"] in range(0x1301, 0x1306)
    assert seen["tls"]["client_cert_chain"] == [] and seen["tls"]["client_cert_name"] is None


def test_curl(serve, authority):
    server = serve()
    port = server.address[1]
    done = subprocess.run(
        ["curl", "-sS", "--cacert", authority.certificate, "--resolve", f"site.example:{port}:127.0.0.1",
         f"https://site.example:{port}/"], capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["SSL_TLS_SNI"] == "site.example"


def test_another_host_is_misdirected(serve, authority):
    server = serve("--forwarded-allow-ips", "10.0.0.1")
    with TlsClient(server.address, authority.context()) as client:
        assert client.get("/", headers=[("Host", "other.example")]).status == 421
    with TlsClient(server.address, authority.context()) as client:
        for same in ("LOCALHOST:8443", "localhost."):
            assert client.get("/", headers=[("Host", same)]).status == 200


def date(days: float) -> str:
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))


def test_files_that_are_not_there(tmp_path):
    done = run(["--check-config", "--certfile", "a.pem", "--keyfile", "b.key", "--certificate", "c.pem",
                "--cert-reqs", "2", "--ca-certs", "d.pem", "app:app"], tmp_path)
    assert done.returncode == 2
    for name, file in (("--certfile", "a.pem"), ("--keyfile", "b.key"), ("--certificate", "c.pem"), ("--ca-certs", "d.pem")):
        assert re.search(rf'{name}: the file ".*/{file}" does not exist', done.stderr), done.stderr


FAULTS = {
    "expired": "the certificate expired on",
    "not yet": "the certificate is not valid before",
    "another key": "the key does not belong to the certificate",
    "no certificate": "there is no certificate in it",
    "no key": "there is no private key in it",
    "passphrase": "the key has a passphrase",
    "missing": "--keyfile: the file .*nowhere.key. does not exist: create it",
}


def faulty(kind, authority, pair, tmp_path):
    if kind == "expired":
        return authority.issue("expired", begin=date(-10), end=date(-1))
    if kind == "not yet":
        return authority.issue("early", begin=date(2), end=date(10))
    if kind == "another key":
        return pair[0], authority.issue("another")[1]
    if kind == "no certificate":
        return pair[1], pair[1]
    if kind == "no key":
        return pair[0], pair[0]
    if kind == "passphrase":
        locked = tmp_path / "locked.key"
        subprocess.run(["openssl", "pkey", "-in", pair[1], "-aes256", "-passout", "pass:word", "-out", locked], check=True)
        return pair[0], locked
    return pair[0], tmp_path / "nowhere.key"


@pytest.mark.parametrize("kind", FAULTS)
def test_a_faulty_pair(authority, pair, tmp_path, kind):
    """It is refused at the start, and a reload leaves the former one in force."""
    wrong = faulty(kind, authority, pair, tmp_path)
    done = run(["--certfile", wrong[0], "--keyfile", wrong[1], "-b", "127.0.0.1:0", *PYTHON, "tls_probe:application"],
               tmp_path)
    assert done.returncode == (2 if kind == "missing" else 1)
    assert re.search(FAULTS[kind], done.stderr), done.stderr


class Renewed:
    """A server whose certificate's files are replaced."""

    def __init__(self, start, authority, folder, *args):
        self.authority = authority
        self.files = folder / "site.pem", folder / "site.key"
        self.put(authority.issue("first"))
        self.server = start("--certfile", self.files[0], "--keyfile", self.files[1], *args, *PYTHON,
                            "tls_probe:application")

    def put(self, pair):
        for place, source in zip(self.files, pair):
            place.write_bytes(source.read_bytes())

    def client(self):
        return TlsClient(self.server.address, self.authority.context())

    def served(self):
        with self.client() as client:
            return client.sock.getpeercert()["subject"][0][0][1]


def test_a_reload_brings_another_certificate(start, authority, tmp_path):
    site = Renewed(start, authority, tmp_path)
    assert site.served() == "first"
    site.put(authority.issue("second"))
    site.server.send(signal.SIGHUP)
    # A former worker may still take a connection.
    wait_until(lambda: {site.served() for _ in range(4)} == {"second"}, "the new certificate")
    site.server.allow("Reload|certificate")
    site.put(faulty("expired", authority, None, tmp_path))
    site.server.send(signal.SIGHUP)
    site.server.wait_log("Reload refused")
    assert "the certificate expired on" in site.server.log()
    assert site.served() == "second"


@pytest.mark.parametrize("args", [["-w", "2"], ["-w", "2", "--preload"]], ids=" ".join)
def test_changed_files_are_noticed(start, authority, tmp_path, args):
    """No worker is replaced, and no connection is touched."""
    site = Renewed(start, authority, tmp_path, "--keep-alive", "60", *args)
    workers = set(site.server.workers())
    with site.client() as kept:
        assert kept.get("/").status == 200
        site.put(authority.issue("second"))
        site.server.wait_log("The certificates have changed")
        wait_until(lambda: {site.served() for _ in range(8)} == {"second"}, "the new certificate")
        assert kept.get("/").status == 200
    assert set(site.server.workers()) == workers
    # A worker that comes later has them, too.
    os.kill(workers.pop(), signal.SIGKILL)
    site.server.allow("SIGKILL|killed|In flight")
    wait_until(lambda: len(set(site.server.workers()) - workers) == 2 - len(workers), "another worker")
    assert {site.served() for _ in range(8)} == {"second"}
    site.server.allow("certificates have changed, and the former ones stay in use")
    site.put(faulty("expired", authority, None, tmp_path))
    site.server.wait_log("the former ones stay in use: .*the certificate expired on")
    assert site.served() == "second"


def test_handshakes_beyond_the_ceiling_wait(serve, authority):
    server = serve("--tls-max-handshakes", "2", config={"header_timeout": 1})
    begun = [Client(server.address) for _ in range(2)]
    for client in begun:
        client.send(b"\x16\x03\x01\x02\x00")
    with socket.create_connection(server.address) as third:
        third.settimeout(0.3)
        with pytest.raises(TimeoutError):
            authority.context().wrap_socket(third, server_hostname="localhost")
    started = time.monotonic()
    with TlsClient(server.address, authority.context()) as client:
        assert client.get("/").status == 200
        assert time.monotonic() - started < 10
    for client in begun:
        assert client.rest() == b""
        client.close()
