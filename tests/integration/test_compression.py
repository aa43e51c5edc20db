# SPDX-License-Identifier: MIT
"""Responses that are compressed on their way, and those that are not."""

import gzip
import json
import re
import subprocess
import sys
import time
from urllib.parse import quote, urlencode

import pytest

from harness.certificates import Authority, TlsClient
from harness.client import Client, Closed
from harness.codings import CODINGS, decoded, decoder
from harness.paths import PROBE, ROOT
from harness.server import run
from harness.waiting import LONG

APPS = ROOT / "tests" / "integration" / "python_apps"
LINE = b"<p>a page that says the same again and again</p>\n"

WAYS = {
    "sync": ("-k", "sync", "filter_probe:application"),
    "threads": ("-k", "gthread", "--threads", "2", "filter_probe:application"),
    "async": ("-k", "async", "filter_probe:application"),
    "asgi": ("-k", "async", "--interface", "asgi", "filter_probe:asgi"),
}
HELD = [way for way in WAYS if way != "sync"]  # others are served while one is


@pytest.fixture
def serve(start):
    def make(way="sync", *args, **config):
        config = {"compression": list(CODINGS), **config}
        return start("--python", sys.executable, "--pythonpath", APPS, *args, *WAYS[way], config=config)

    return make


def page(size=5000):
    return (LINE * (size // len(LINE) + 1))[:size]


def target(*fields, path="/", **more):
    pairs = [*[("f", each) for each in fields], *more.items()]
    return f"{path}?{urlencode(pairs, quote_via=quote)}"


def ask(client, *fields, accept="zstd", method="GET", headers=(), **more):
    headers = [*headers, *([("Accept-Encoding", accept)] if accept else [])]
    return client.get(target(*fields, **more), method=method, headers=headers)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("way", WAYS)
def test_there_and_back(serve, way, coding):
    with Client(serve(way).address) as client:
        for size in (512, 5000, 65536, 65537, 1_000_000):
            for path in ("/", "/once"):
                answer = ask(client, 'ETag:"a"', "Accept-Ranges:bytes", accept=coding, path=path, size=str(size))
                assert (answer.status, answer.header("Content-Encoding")) == (200, coding)
                assert decoded(coding, answer.body) == page(size) and len(answer.body) < size
                assert answer.header("Vary") == "Accept-Encoding" and answer.header("ETag") == 'W/"a"'
                assert answer.header("Accept-Ranges") is None
        # A length of the application's own is that of the body it gave.
        answer = ask(client, "Content-Length:5000", accept=coding)
        assert decoded(coding, answer.body) == page()
        pieces = ask(client, accept=coding, path="/pieces", pieces="5", times="40000")
        assert decoded(coding, pieces.body) == b"".join(f"piece {n}\n".encode() * 40000 for n in range(1, 6))
        assert pieces.header("Transfer-Encoding") == "chunked" and pieces.header("Content-Length") is None
        if way != "asgi":
            written = ask(client, accept=coding, path="/write", pieces="5")
            assert decoded(coding, written.body) == b"".join(b"piece %d\n" % n for n in range(1, 6))


def test_what_the_client_likes(serve):
    with Client(serve().address) as client:
        for accept, coding in (("gzip, br, zstd", "zstd"), ("gzip, br", "br"), ("gzip;q=0.5, br;q=0.4", "gzip"),
                               ("identity", None), ("deflate", None), (None, None), ("*", "zstd"), ("gzip;q=0", None)):
            answer = ask(client, accept=accept)
            assert (answer.header("Content-Encoding"), answer.header("Vary")) == (coding, "Accept-Encoding")
            assert decoded(coding, answer.body) == page()


@pytest.mark.parametrize("way", WAYS)
def test_what_is_sent_as_it_is(serve, way, tmp_path):
    (tmp_path / "page.html").write_bytes(page())
    server = serve(way)
    with Client(server.address) as client:
        def is_plain(answer, body=page(), varies=None):
            return (answer.header("Content-Encoding"), answer.body, answer.header("Vary")) == (None, body, varies)

        assert is_plain(ask(client, size="511"), page(511))
        assert is_plain(ask(client, size="0"), b"")
        assert is_plain(ask(client, "Content-Type:image/png"))
        assert is_plain(ask(client, "Content-Type:text/event-stream"))
        assert is_plain(ask(client, "Cache-Control:no-transform"))
        assert is_plain(ask(client, "Content-Range:bytes 0-4999/9000", status="206 Partial Content"))
        assert ask(client, "Content-Encoding:gzip").header("Content-Encoding") == "gzip"
        assert is_plain(ask(client, "Set-Cookie:a=b"))
        assert is_plain(ask(client, "Cache-Control:private"))
        assert is_plain(ask(client, headers=[("Cookie", "a=b")]), varies="Accept-Encoding")
        assert is_plain(ask(client, headers=[("Authorization", "Basic eDp5")]), varies="Accept-Encoding")
        # Files are packed beforehand, or not at all.
        file = client.get(f"/file?path={tmp_path}/page.html", headers=[("Accept-Encoding", "zstd")])
        assert is_plain(file)
        assert ask(client, "Content-Type:application/json").header("Content-Encoding") == "zstd"
        assert ask(client, status="404 Not Found").header("Content-Encoding") == "zstd"
        empty = ask(client, size="0", status="204 No Content")
        assert (empty.status, empty.header("Content-Encoding")) == (204, None)


def test_what_is_asked_for_by_settings(serve):
    server = serve(compression=["gzip"], compression_private=True, compression_min_length=10,
                   compression_types=["image/png"], compression_level_gzip=9)
    with Client(server.address) as client:
        assert ask(client, accept="zstd, gzip").header("Content-Encoding") is None
        answer = ask(client, "Content-Type:image/png", "Set-Cookie:a=b", accept="zstd, gzip", size="11",
                     headers=[("Cookie", "a=b")])
        assert (answer.header("Content-Encoding"), gzip.decompress(answer.body)) == ("gzip", page(11))


def test_off_unless_it_is_asked_for(start):
    server = start("--python", sys.executable, "--pythonpath", APPS, *WAYS["sync"])
    with Client(server.address) as client:
        answer = ask(client, accept="gzip, br, zstd")
        assert (answer.header("Content-Encoding"), answer.header("Vary"), answer.body) == (None, None, page())


@pytest.mark.parametrize("way", WAYS)
def test_head_and_304(serve, way):
    with Client(serve(way).address) as client:
        for fields in (["Content-Length:5000"], []):
            head = ask(client, 'ETag:"a"', *fields, method="HEAD")
            assert (head.status, head.header("Content-Encoding"), head.header("ETag")) == (200, "zstd", 'W/"a"')
            assert head.header("Content-Length") is None and head.header("Vary") == "Accept-Encoding"
        small = ask(client, "Content-Length:100", size="100", method="HEAD")
        assert (small.header("Content-Encoding"), small.header("Content-Length")) == (None, "100")
        for known, told in (('W/"a"', 'W/"a"'), ('"a"', '"a"')):
            same = ask(client, 'ETag:"a"', size="0", status="304 Not Modified", headers=[("If-None-Match", known)])
            assert (same.status, same.header("ETag"), same.header("Content-Encoding")) == (304, told, None)
        assert decoded("zstd", ask(client).body) == page()


@pytest.mark.parametrize("way", WAYS)
def test_http_1_0_has_no_chunks(serve, way):
    server = serve(way)
    for path in ("/", "/pieces?pieces=2&times=1000"):
        with Client(server.address) as client:
            client.send(f"GET {path} HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
            answer = client.head()
            assert answer.header("Content-Encoding") is None and answer.header("Vary") == "Accept-Encoding"


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("way", WAYS)
def test_each_piece_is_seen_when_it_is_written(serve, tmp_path, way, coding):
    gate = tmp_path / "gate"
    with Client(serve(way, compression_types=["text/event-stream"]).address) as client:
        client.request(target("Content-Type:text/event-stream", path="/pieces", pieces="3", gate=str(gate)),
                       headers=[("Accept-Encoding", coding)])
        decode = decoder(coding)
        seen = b""
        for index in range(3):
            (tmp_path / f"gate{index}").touch()
            if index == 0:
                assert client.head().header("Content-Encoding") == coding
            while seen.count(b"\n") <= index:
                size = int(client._until(b"\r\n", time.monotonic() + LONG), 16)
                seen += decode(client._exactly(size + 2, time.monotonic() + LONG)[:-2])
        assert seen == b"piece 1\npiece 2\npiece 3\n"


@pytest.mark.parametrize("way", WAYS)
def test_one_that_fails_is_cut(serve, way):
    server = serve(way)
    server.allow("Error handling request|Traceback")
    with Client(server.address) as client:
        with pytest.raises(Closed):
            ask(client, path="/pieces", pieces="9", times="9000", fail="5")


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_length(serve, way):
    server = serve(way)
    server.allow("Content-Length")
    with Client(server.address) as client:
        longer = ask(client, "Content-Length:600", path="/pieces", pieces="100", times="10")
        assert len(decoded("zstd", longer.body)) == 600
        server.wait_log("longer than its Content-Length")
        try:
            # Before anything went out.
            assert ask(client, "Content-Length:9000", path="/pieces", pieces="3").status == 500
        except Closed:
            pass
        server.wait_log("body is shorter than its Content-Length")


@pytest.mark.parametrize("way", HELD)
def test_a_client_that_reads_nothing_holds_up_nobody(serve, way, tmp_path):
    """Its memory is bounded by the back-pressure, and its compressor goes with it."""
    server = serve(way)
    slow = Client(server.address)
    slow.request(target(path="/pieces", pieces="100000", times="10000"), headers=[("Accept-Encoding", "gzip;q=1")])
    assert slow.head().header("Content-Encoding") == "gzip"
    with Client(server.address) as client:
        for _ in range(20):
            assert decoded("br", ask(client, accept="br", size="300000").body) == page(300_000)
    slow.reset()
    with Client(server.address) as client:
        assert decoded("zstd", ask(client).body) == page()


@pytest.mark.parametrize("coding", CODINGS)
def test_curl_over_tls(start, tmp_path, coding):
    authority = Authority(tmp_path / "certificates")
    pair = authority.issue("localhost")
    server = start("--certfile", pair[0], "--keyfile", pair[1], "--compression", coding, "--python", sys.executable,
                   "--pythonpath", APPS, *WAYS["async"])
    port = server.address[1]
    done = subprocess.run(["curl", "-sS", "--compressed", "-D", "-", "--cacert", authority.certificate,
                           f"https://localhost:{port}/?size=200000", "--resolve", f"localhost:{port}:127.0.0.1"],
                          capture_output=True, timeout=30)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    assert done.returncode == 0 and body == page(200_000), done.stderr
    assert f"Content-Encoding: {coding}".encode() in head
    with TlsClient(server.address, authority.context()) as client:
        assert decoded(coding, ask(client, accept=coding).body) == page()


def test_client_certificates_are_credentials(start, tmp_path):
    authority = Authority(tmp_path / "certificates")
    pair, own = authority.issue("localhost"), authority.issue("somebody")
    server = start("--certfile", pair[0], "--keyfile", pair[1], "--ca-certs", authority.certificate, "--cert-reqs", "1",
                   "--compression", "gzip", "--python", sys.executable, "--pythonpath", APPS, *WAYS["async"])
    for client_pair, coding in ((None, "gzip"), (own, None)):
        with TlsClient(server.address, authority.context(client_pair)) as client:
            assert ask(client, accept="gzip").header("Content-Encoding") == coding


def test_a_native_application(start):
    server = start(f"{PROBE}:app", config={"compression": ["br"]})
    with Client(server.address) as client:
        accept = [("Accept-Encoding", "br")]
        assert decoded("br", client.get("/zeros?count=900000", headers=accept).body) == b"0" * 900_000
        pieces = client.get("/stream?count=7&size=90000", headers=accept)
        assert decoded(pieces.header("Content-Encoding"), pieces.body) == b"x" * 630_000


@pytest.mark.parametrize("settings, said", [
    ({"compression": ["deflate"]}, 'compression/0.*must be one of "zstd", "br" and "gzip"'),
    ({"compression_types": ["text/*"]}, "compression_types/0.*must be a media type without parameters"),
    ({"compression_level_br": 11}, "compression_level_br.*0 to 6"),
])
def test_wrong_settings(tmp_path, settings, said):
    (tmp_path / "unicoro.json").write_text(json.dumps({"app": "app:app", **settings}))
    done = run(["--check-config"], tmp_path)
    assert done.returncode != 0 and re.search(said, done.stderr), done.stderr
