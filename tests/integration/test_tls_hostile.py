# SPDX-License-Identifier: MIT
"""Clients that speak TLS as nobody does, and sessions that outlive what they were made under."""

import json
import re
import signal
import ssl
import sys

import pytest

from harness import processes
from harness.certificates import Authority, TlsClient
from harness.client import Closed
from harness.paths import ROOT
from harness.server import run
from harness.tls_records import HANDSHAKE, KEY_UPDATE, RecordClient
from harness.waiting import LONG, wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
PYTHON = ["--python", sys.executable, "--pythonpath", APPS]
CIPHER = ["--ciphersuites", "TLS_AES_128_GCM_SHA256"]


@pytest.fixture
def serve(start, pair):
    def make(*args, **more):
        return start("--certfile", pair[0], "--keyfile", pair[1], *args, *PYTHON, "tls_probe:application", **more)

    return make


def test_a_split_key_update_ends_the_connection(serve, authority, tmp_path):
    """The session could neither write nor wait for it: the worker would have gone round and round."""
    server = serve(*CIPHER, config={"body_timeout": 0.3})
    with RecordClient(server.address, authority.context(), tmp_path) as client:
        client.send(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc")
        client.send(KEY_UPDATE[:4], HANDSHAKE)
        assert client.ended(LONG)
        (worker,) = server.workers()
        before = processes.cpu_seconds(worker)
        with TlsClient(server.address, authority.context()) as other:
            assert other.get("/").status == 200
        assert processes.cpu_seconds(worker) - before < 0.5


def test_key_updates_without_end_are_cut_off(serve, authority, tmp_path):
    server = serve(*CIPHER)
    with RecordClient(server.address, authority.context(), tmp_path) as client:
        for _ in range(2):
            # With requests between them nobody minds.
            client.sock.sendall(b"".join(client.key_update() for _ in range(20)))
            client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert not client.ended(0.3)
        try:
            client.sock.sendall(b"".join(client.key_update() for _ in range(3000)))
        except OSError:
            pass
        assert client.ended(LONG)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_ends_with_the_rules_it_was_made_under(start, authority, pair, tmp_path, version):
    """Who has none resumes no session once a certificate is demanded, nor anybody one of former authorities."""
    others = Authority(tmp_path / "others", "others")
    visitor = authority.issue("guest", [])
    rules = tmp_path / "rules.json"

    def put(**more):
        rules.write_text(json.dumps({"certfile": str(pair[0]), "keyfile": str(pair[1]), **more}))

    def session_of(**more):
        context = authority.context(maximum_version=version, minimum_version=version, **more)
        with TlsClient(server.address, context) as client:
            seen = json.loads(client.get("/").text)
            return context, client.sock.session, seen["SSL_CLIENT_VERIFY"]

    def reload():
        before = set(server.workers())
        server.send(signal.SIGHUP)
        # A former worker may still take a connection under the former rules.
        wait_until(lambda: (now := set(server.workers())) and not now & before, "none but new workers")

    def refused(context, session):
        try:
            with TlsClient(server.address, context, session=session) as client:
                client.get("/")
                return False
        except (OSError, Closed):
            return True

    put()
    server = start("-c", rules, *PYTHON, "tls_probe:application")
    context, session, verified = session_of()
    assert verified == "NONE"
    put(ca_certs=str(authority.certificate), cert_reqs=2)
    reload()
    assert refused(context, session)
    context, session, verified = session_of(client=visitor)
    assert verified == "SUCCESS"
    assert not refused(context, session)
    put(ca_certs=str(others.certificate), cert_reqs=2)
    reload()
    assert refused(context, session)


def test_files_that_are_none(tmp_path, pair):
    """Each is told by its setting, also by --check-config; the staple is left out."""
    (tmp_path / "folder").mkdir()
    broken = tmp_path / "broken.pem"
    broken.write_text(pair[0].read_text() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for args, said in (
        (["--certfile", broken, "--keyfile", pair[1]], "certfile: .*broken.pem: there is no certificate in it, or one"),
        (["--certfile", pair[0], "--keyfile", pair[0]], "keyfile: .*: there is no private key in it"),
        (["--certfile", pair[0], "--keyfile", pair[1], "--ciphers", "BOGUS"], "ciphers: BOGUS: "),
        (["--certfile", pair[0], "--keyfile", pair[1], "--certificate", tmp_path / "folder"],
         "certificates: cannot read .*folder/fullchain.pem"),
    ):
        done = run(["--check-config", *args, *PYTHON, "tls_probe:application"], tmp_path)
        assert done.returncode == 1 and re.search(said, done.stderr), done.stderr


def test_a_staple_that_is_none(start, authority, tmp_path):
    certificate, key = authority.issue("stapled")
    certificate.with_suffix(".pem.ocsp").write_bytes(b"rubbish")
    server = start("--certfile", certificate, "--keyfile", key, *PYTHON, "tls_probe:application")
    server.allow("no OCSP response")
    assert "it is no OCSP response (DER is expected); it is not stapled" in server.log()
    with TlsClient(server.address, authority.context()) as client:
        assert client.get("/").status == 200


def test_a_hook_that_makes_the_context(tmp_path, pair):
    """Wherever the certificate is named."""
    (tmp_path / "gunicorn.conf.py").write_text("def ssl_context(conf, factory): return factory()\n")
    done = run(["--check-config", "--certfile", pair[0], "--keyfile", pair[1], *PYTHON, "tls_probe:application"], tmp_path)
    assert done.returncode == 2 and "ssl_context: is not called, and may forbid" in done.stderr
