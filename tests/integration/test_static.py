# SPDX-License-Identifier: MIT
"""Files that the server answers with itself (`static`), and those of native applications."""

import email.utils
import fcntl
import gzip
import hashlib
import json
import os
import re
import signal
import sys

import pytest

from harness.client import Client
from harness.paths import ROOT
from harness.server import run

APPS = ROOT / "tests" / "integration" / "python_apps"
SCRIPT = b"console.log('hello');\n" * 200


@pytest.fixture
def site(tmp_path):
    """A folder to serve, and what must never be served beside it."""
    root = tmp_path / "site"
    for path, text in {
        "app.js": SCRIPT, "page/index.html": b"<p>index</p>", "a b.txt": b"blank", ".env": b"secret",
        ".git/config": b"secret", ".well-known/acme": b"token", "empty": b"", "data": bytes(range(256)) * 400,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text)
    (tmp_path / "outside.txt").write_text("outside")
    (root / "out").symlink_to("../outside.txt")
    (root / "within").symlink_to("app.js")
    return root


@pytest.fixture
def serve(start, site):
    def make(*args, **config):
        return start("--python", sys.executable, "--pythonpath", APPS, *args, "static_probe:application",
                     config={"static": {"/static": str(site)}, **config})

    return make


@pytest.fixture
def client(serve):
    with Client(serve().address) as connected:
        yield connected


@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"], ["--threads", "2"]])
def test_a_file_with_what_tells_its_state(serve, site, worker):
    with Client(serve(*worker).address) as client:
        answer = client.get("/static/app.js")
        assert (answer.status, answer.body) == (200, SCRIPT)
        assert answer.header("Content-Type") == "text/javascript; charset=utf-8"
        assert email.utils.parsedate_to_datetime(answer.header("Last-Modified")).timestamp() == \
            int((site / "app.js").stat().st_mtime)
        assert answer.header("Accept-Ranges") == "bytes" and re.fullmatch(r'"[0-9a-f.-]+"', answer.header("ETag"))
        head = client.get("/static/app.js", method="HEAD")
        assert head.body == b"" and head.header("Content-Length") == str(len(SCRIPT))
        assert client.get("/static/empty").body == b""
        assert client.get("/static/a%20b.txt").body == b"blank"
        assert client.get("/static/within").body == SCRIPT
        # The application has the rest.
        assert client.get("/staticfiles").text == client.get("/other").text == "application"


def test_conditions(client, site):
    first = client.get("/static/app.js")
    for fields in ([("If-None-Match", first.header("ETag"))], [("If-Modified-Since", first.header("Last-Modified"))]):
        again = client.get("/static/app.js", headers=fields)
        assert (again.status, again.body, again.header("ETag")) == (304, b"", first.header("ETag"))
    assert client.get("/static/app.js", headers=[("If-Match", '"other"')]).status == 412
    (site / "app.js").write_bytes(b"changed")
    changed = client.get("/static/app.js", headers=[("If-None-Match", first.header("ETag"))])
    assert (changed.status, changed.body) == (200, b"changed")


def test_ranges(client, site):
    data = (site / "data").read_bytes()

    def part(text, **more):
        return client.get("/static/data", headers=[("Range", text), *more.items()])

    one = part("bytes=1000-1999")
    assert (one.status, one.body, one.header("Content-Range")) == (206, data[1000:2000], f"bytes 1000-1999/{len(data)}")
    assert part("bytes=-7").body == data[-7:]
    beyond = part(f"bytes={len(data)}-")
    assert (beyond.status, beyond.header("Content-Range")) == (416, f"bytes */{len(data)}")
    assert part("bytes=x").status == 200
    assert part("bytes=0-9", **{"If-Range": '"old"'}).body == data
    several = part("bytes=0-9,500-599")
    assert several.status == 206
    boundary = re.fullmatch("multipart/byteranges; boundary=([0-9a-f]{32})", several.header("Content-Type"))[1]
    pieces = several.body.split(f"--{boundary}".encode())
    assert len(pieces) == 4 and pieces[3] == b"--\r\n"
    assert pieces[1].endswith(b"\r\n\r\n" + data[:10] + b"\r\n")
    assert f"Content-Range: bytes 500-599/{len(data)}".encode() in pieces[2]
    assert pieces[2].endswith(b"\r\n\r\n" + data[500:600] + b"\r\n")


def test_packed_siblings(client, site):
    packed = gzip.compress(SCRIPT)
    (site / "app.js.gz").write_bytes(packed)
    (site / "app.js.br").write_bytes(b"brotli, perhaps")

    def ask(accept):
        return client.get("/static/app.js", headers=[("Accept-Encoding", accept)])

    assert (ask("gzip").body, ask("gzip").header("Content-Encoding")) == (packed, "gzip")
    assert ask("gzip, br").header("Content-Encoding") == "br"
    assert ask("br;q=0.1, gzip").header("Content-Encoding") == "gzip"
    plain = ask("identity")
    assert (plain.body, plain.header("Content-Encoding")) == (SCRIPT, None)
    assert len({plain.header("ETag"), ask("gzip").header("ETag"), ask("br").header("ETag")}) == 3
    for each in (plain, ask("gzip"), ask("br")):
        assert each.header("Content-Type").startswith("text/javascript") and each.header("Vary") == "Accept-Encoding"


@pytest.mark.parametrize("path", [
    "/static/.env", "/static/.git/config", "/static/out", "/static/../outside.txt", "/static/..%2foutside.txt",
    "/static/%2e%2e/outside.txt", "/static/page/%2e%2e/app.js", "/static//app.js", "/static/app.js/", "/static/page%2findex.html",
    "/static/%00", "/static/app.js%00.txt", "/static/nothing", "/static/", "/static/\\..\\outside.txt",
])
def test_what_is_not_served(client, path):
    answer = client.get(path)
    assert answer.status in (400, 404) and b"secret" not in answer.body and b"outside" not in answer.body
    assert answer.body != SCRIPT


def test_folders_and_names_for_everybody(client):
    assert client.get("/static/page/").body == b"<p>index</p>"
    moved = client.get("/static/page?x=1")
    assert (moved.status, moved.header("Location")) == (301, "/static/page/?x=1")
    assert client.get("/static").header("Location") == "/static/"
    assert client.get("/static/.well-known/acme").body == b"token"
    refused = client.get("/static/app.js", method="POST", body=b"x")
    assert (refused.status, refused.header("Allow")) == (405, "GET, HEAD")


def test_cache_control(serve):
    server = serve(static_cache_control={"*": "no-cache", "*.js": "max-age=60", "/static/app*": "max-age=9, immutable"})
    with Client(server.address) as client:
        assert client.get("/static/app.js").header("Cache-Control") == "max-age=9, immutable"
        assert client.get("/static/data").header("Cache-Control") == "no-cache"


def test_a_folder_that_is_replaced(client, site):
    assert client.get("/static/app.js").body == SCRIPT
    site.rename(site.with_name("former"))
    site.mkdir()
    (site / "app.js").write_bytes(b"released")
    assert client.get("/static/app.js").body == b"released"


def test_large_files_whole(serve, site):
    content = os.urandom(5_000_000)
    (site / "large").write_bytes(content)
    with Client(serve("-k", "async").address) as client:
        assert hashlib.sha256(client.get("/static/large").body).digest() == hashlib.sha256(content).digest()
        tail = client.get("/static/large", headers=[("Range", "bytes=4000000-")])
        assert tail.body == content[4_000_000:]


def test_codings_of_the_same_time_and_size(client, site):
    """As images and archives have them, with one time for all."""
    for name in ("app.js", "app.js.gz", "app.js.br"):
        (site / name).write_bytes(name.encode().ljust(20))
        os.utime(site / name, (1, 1))

    def ask(accept, **more):
        return client.get("/static/app.js", headers=[("Accept-Encoding", accept), *more.items()])

    tags = [ask(accept).header("ETag") for accept in ("identity", "gzip", "br")]
    assert len(set(tags)) == 3
    assert ask("gzip", **{"If-None-Match": tags[2]}).status == 200
    date = ask("identity").header("Last-Modified")
    assert ask("gzip", **{"Range": "bytes=0-4", "If-Range": date}).status == 200
    assert ask("gzip", **{"Range": "bytes=0-4", "If-Range": tags[1]}).status == 206


def test_what_is_no_file_is_not_kept(serve, site):
    (site / "app.js.gz").write_bytes(b"packed")
    server = serve(static_cache_control={"*": "max-age=9"})
    with Client(server.address) as client:
        for fields, status in (([("Range", "bytes=99-")], 416), ([("If-Match", '"x"')], 412)):
            answer = client.get("/static/app.js", headers=[("Accept-Encoding", "gzip"), *fields])
            assert answer.status == status
            assert answer.header("Cache-Control") is None and answer.header("Content-Encoding") is None


def test_a_leased_file_holds_up_nobody(client, site):
    """Its opening is refused as long as somebody holds the lease, who is told so by a signal."""
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    try:
        with open(site / "data", "r+b") as held:
            fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            assert client.get("/static/data").status == 503
            assert client.get("/static/app.js").status == 200
    finally:
        signal.signal(signal.SIGIO, before)


def test_an_index_that_is_a_folder(client, site):
    (site / "odd" / "index.html").mkdir(parents=True)
    assert client.get("/static/odd/").status == 404


@pytest.mark.parametrize("static, said", [
    ({"/static": "nowhere"}, 'static.*/static.*nowhere" does not exist: create it'),
    ({"/static": "file.txt"}, 'file.txt" is not a folder'),
    ({"/": "."}, "must lie below the root"),
    ({"static": "."}, 'must begin with "/"'),
    ({"/static/": "."}, 'must not end with "/"'),
])
def test_wrong_settings(tmp_path, static, said):
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "unicoro.json").write_text(json.dumps({"app": "app:app", "static": static}))
    done = run(["--check-config"], tmp_path)
    assert done.returncode != 0 and re.search(said, done.stderr), done.stderr
