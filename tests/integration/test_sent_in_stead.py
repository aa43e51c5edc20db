# SPDX-License-Identifier: MIT
"""Files that an application has the server send: X-Accel-Redirect and X-Sendfile."""

import gzip
import json
import re
import sys
from urllib.parse import quote, urlencode

import pytest

from harness.certificates import Authority, TlsClient
from harness.client import Client
from harness.paths import PROBE, ROOT
from harness.server import run
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
DATA = bytes(range(256)) * 40

WAYS = {
    "sync": ("-k", "sync", "filter_probe:application"),
    "threads": ("-k", "gthread", "--threads", "2", "filter_probe:application"),
    "async": ("-k", "async", "filter_probe:application"),
    "asgi": ("-k", "async", "--interface", "asgi", "filter_probe:asgi"),
}


@pytest.fixture
def site(tmp_path):
    """What everybody may read, what the application alone may have sent, and what nobody."""
    for path, content in {
        "public/page.html": b"<p>page</p>", "files/data.bin": DATA, "files/a b%.txt": b"blank", "files/.env": b"secret",
        "files/sub/x.css": b"p {}", "outside.txt": b"secret",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    (tmp_path / "files" / "out").symlink_to("../outside.txt")
    (tmp_path / "link").symlink_to("files")
    return tmp_path


@pytest.fixture
def serve(start, site):
    def make(way="sync", *args, **config):
        settings = {"static": {"/static": str(site / "public")}, "static_internal": {"/protected": str(site / "files")},
                    "x_accel_redirect": True, "x_sendfile": True, **config}
        return start("--python", sys.executable, "--pythonpath", APPS, *args, *WAYS[way], config=settings)

    return make


def ask(client, field, target, *fields, path="/", method="GET", headers=(), **more):
    query = urlencode([("f", f"{field}:{target}"), *[("f", each) for each in fields], *more.items()],
                      quote_via=quote, encoding="latin-1")
    return client.get(f"{path}?{query}", method=method, headers=headers)


@pytest.mark.parametrize("way", WAYS)
def test_a_file_in_the_stead_of_the_body(serve, site, way, tmp_path):
    server = serve(way)
    with Client(server.address) as client:
        for field, target in (("X-Accel-Redirect", "/protected/data.bin?x=1"), ("X-Sendfile", site / "files/data.bin")):
            answer = ask(client, field, target, "Content-Type:application/x-own", "Content-Length:7", "Set-Cookie:a=b",
                         "Content-Disposition:attachment", "Cache-Control:private", 'ETag:"own"', "Content-Encoding:x",
                         size="7")
            assert (answer.status, answer.body) == (200, DATA)
            assert answer.header("Content-Type") == "application/x-own"
            assert answer.header("Set-Cookie") == "a=b" and answer.header("Content-Disposition") == "attachment"
            assert [value for name, value in answer.headers if name == "Cache-Control"] == ["private"]
            assert answer.header("Content-Encoding") is None and answer.header("ETag") not in (None, '"own"')
            assert answer.header("Accept-Ranges") == "bytes"
            assert answer.header("X-Accel-Redirect") is None and answer.header("X-Sendfile") is None
            again = ask(client, field, target, headers=[("If-None-Match", answer.header("ETag"))])
            assert (again.status, again.body) == (304, b"")
            part = ask(client, field, target, headers=[("Range", "bytes=3-6")])
            assert (part.status, part.body, part.header("Content-Range")) == (206, DATA[3:7], f"bytes 3-6/{len(DATA)}")
            several = ask(client, field, target, headers=[("Range", "bytes=0-1,9-9")])
            assert several.status == 206 and several.body.count(b"Content-Type: text/html\r\n") == 2
            head = ask(client, field, target, method="HEAD")
            assert head.header("Content-Length") == str(len(DATA)) and head.header("Content-Type") == "text/html"
            # As under nginx: the method was for the application.
            assert ask(client, field, target, method="POST").body == DATA
            assert ask(client, field, target, status="206 Partial Content").status == 200
        denied = ask(client, "X-Accel-Redirect", "/protected/data.bin", status="403 Forbidden", size="7")
        assert (denied.status, denied.body, denied.header("X-Accel-Redirect")) == (403, b"<p>a pa", None)
        assert ask(client, "X-Accel-Redirect", "/static/page.html", bare="").header("Content-Type").startswith("text/html")
        assert ask(client, "X-Accel-Redirect", "/protected/sub/x.css", bare="").header("Content-Type").startswith("text/css")
        assert ask(client, "X-Accel-Redirect", "/%70rotected/a%20b%25.txt").body == b"blank"
        assert ask(client, "X-Sendfile", site / "files/a b%.txt").body == b"blank"
        assert ask(client, "X-Sendfile", site / "link/data.bin").status == 500
        assert client.get("/?size=7").body == b"<p>a pa"
    server.allow("name its folder there")


def test_the_folder_by_another_name(start, site):
    server = start("--python", sys.executable, "--pythonpath", APPS, *WAYS["sync"],
                   config={"static_internal": {"/p": str(site / "link")}, "x_sendfile": True})
    with Client(server.address) as client:
        assert ask(client, "X-Sendfile", site / "files/data.bin").body == DATA
        assert ask(client, "X-Sendfile", site / "link/data.bin").body == DATA


@pytest.mark.parametrize("way", WAYS)
def test_the_application_runs_to_its_end(serve, tmp_path, way):
    note = tmp_path / "note"
    ended = {"asgi": "task ended"}.get(way, "closed after 3")
    with Client(serve(way).address) as client:
        answer = ask(client, "X-Accel-Redirect", "/protected/data.bin", path="/pieces", pieces="3", times="9000", note=str(note))
        assert answer.body == DATA
        wait_until(lambda: note.exists() and note.read_text() == f"{ended}\n", "the application has ended")
        if way != "asgi":
            assert ask(client, "X-Accel-Redirect", "/protected/data.bin", path="/write", pieces="3").body == DATA


@pytest.mark.parametrize("way", WAYS)
def test_an_application_that_fails_sends_no_file(serve, way):
    server = serve(way)
    server.allow("Error handling request|Traceback")
    with Client(server.address) as client:
        answer = ask(client, "X-Accel-Redirect", "/protected/data.bin", path="/pieces", pieces="3", fail="1")
        assert answer.status == 500 and DATA not in answer.body
        assert client.get("/?size=7").status == 200


@pytest.mark.parametrize("field, target, status, said", [
    ("X-Accel-Redirect", "/protected/.env", 404, "no file that may be sent is there"),
    ("X-Accel-Redirect", "/protected/../outside.txt", 404, "no file"),
    ("X-Accel-Redirect", "/protected/..%2foutside.txt", 404, "no file"),
    ("X-Accel-Redirect", "/protected/out", 404, "no file"),
    ("X-Accel-Redirect", "/protected/none", 404, "no file"),
    ("X-Accel-Redirect", "/protected/sub", 404, "no file"),
    ("X-Accel-Redirect", "/protected", 404, "no file"),
    ("X-Accel-Redirect", "/elsewhere/x", 500, "below no prefix of static or static_internal"),
    ("X-Accel-Redirect", "@named", 500, 'must be a path from "/" on'),
    ("X-Accel-Redirect", "", 500, 'must be a path from "/" on'),
    ("X-Sendfile", "{site}/files/.env", 404, "no file"),
    ("X-Sendfile", "{site}/files/../outside.txt", 404, "no file"),
    ("X-Sendfile", "{site}/files/out", 404, "no file"),
    ("X-Sendfile", "{site}/outside.txt", 500, "lies in no folder of static or static_internal"),
    ("X-Sendfile", "{site}/filesystem", 500, "lies in no folder"),
    ("X-Sendfile", "files/data.bin", 500, "must be an absolute path"),
])
def test_what_is_not_sent(serve, site, field, target, status, said):
    server = serve()
    if status == 500:
        server.allow(said)
    with Client(server.address) as client:
        answer = ask(client, field, target.format(site=site))
        assert answer.status == status and b"secret" not in answer.body
        assert answer.header(field) is None
        server.wait_log(f"GET /.*{field}: .*{said}")
        assert client.get("/?size=7").status == 200


def test_internal_folders_answer_nobody(serve):
    with Client(serve().address) as client:
        for path in ("/protected/data.bin", "/%70rotected/data.bin", "/protected", "/protected/sub/"):
            for method in ("GET", "HEAD", "POST"):
                assert client.get(path, method=method).status == 404
        assert client.get("/static/page.html").body == b"<p>page</p>"
        assert client.get("/protectedx?size=7").body == b"<p>a pa"


def test_switched_off_they_are_fields_as_any_others(serve, site):
    with Client(serve(x_accel_redirect=False, x_sendfile=False).address) as client:
        for field in ("X-Accel-Redirect", "X-Sendfile"):
            answer = ask(client, field, "/protected/data.bin", size="7")
            assert (answer.body, answer.header(field)) == (b"<p>a pa", "/protected/data.bin")
        assert client.get("/protected/data.bin").status == 404


def test_packed_files_and_cache_rules(serve, site):
    packed = gzip.compress(DATA)
    (site / "files/data.bin.gz").write_bytes(packed)
    server = serve(static_cache_control={"/protected/*": "max-age=9"})
    with Client(server.address) as client:
        answer = ask(client, "X-Accel-Redirect", "/protected/data.bin", headers=[("Accept-Encoding", "gzip")])
        assert (answer.body, answer.header("Content-Encoding")) == (packed, "gzip")
        assert answer.header("Vary") == "Accept-Encoding" and answer.header("Cache-Control") == "max-age=9"
        own = ask(client, "X-Accel-Redirect", "/protected/data.bin", "Accept-Ranges:none", headers=[("Range", "bytes=0-1")])
        assert (own.status, own.body) == (200, DATA)


def test_a_native_application(start, site):
    server = start(f"{PROBE}:app",
                   config={"static_internal": {"/protected": str(site / "files")}, "x_accel_redirect": True})
    with Client(server.address) as client:
        answer = client.get("/header?name=X-Accel-Redirect&value=/protected/data.bin")
        assert (answer.body, answer.header("X-Accel-Redirect")) == (DATA, None)
        # The application's own file, with ranges of its own type.
        parts = client.get(f"/file?path={site}/files/data.bin", headers=[("Range", "bytes=0-1,9-9")])
        assert parts.status == 206 and parts.body.count(b"Content-Range: ") == 2


def test_over_tls_and_http_1_0(serve, tmp_path):
    authority = Authority(tmp_path / "certificates")
    pair = authority.issue("localhost")
    server = serve("async", "--certfile", pair[0], "--keyfile", pair[1])
    with TlsClient(server.address, authority.context()) as client:
        assert ask(client, "X-Accel-Redirect", "/protected/data.bin").body == DATA
        client.send("GET /?f=X-Accel-Redirect:/protected/data.bin HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert client.response().body == DATA


@pytest.mark.parametrize("settings, said", [
    ({"x_sendfile": True}, "x_sendfile.* needs folders to send files of"),
    ({"static": {"/a": "."}, "static_internal": {"/a": "."}}, "static_internal.*is a folder of .*static.*keep one"),
    ({"static_internal": {"/a": "nowhere"}}, "nowhere\" does not exist"),
])
def test_wrong_settings(tmp_path, settings, said):
    (tmp_path / "unicoro.json").write_text(json.dumps({"app": "app:app", **settings}))
    done = run(["--check-config"], tmp_path)
    assert done.returncode != 0 and re.search(said, done.stderr), done.stderr
