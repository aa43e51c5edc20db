# SPDX-License-Identifier: MIT
"""Files that frameworks leave to the server, and what it compresses of them, as their users write it."""

import pytest

DATA = bytes(range(256)) * 400
NAME = "a b.bin"
COMPRESSED = ["zstd", "br", "gzip"]

WAYS = {
    "flask-sync": ("sync", "flask_app"),
    "flask-async": ("async", "flask_app"),
    "flask-gthread": ("gthread", "flask_app"),
    "django-sync": ("sync", "django_wsgi"),
    "django-async": ("async", "django_wsgi"),
    "django-asgi": ("async", "django_asgi"),
    "starlette": ("async", "starlette_app"),
}


@pytest.fixture(scope="module", params=WAYS)
def site(request, serve, tmp_path_factory):
    worker, app = WAYS[request.param]
    files = tmp_path_factory.mktemp("files")
    (files / NAME).write_bytes(DATA)
    server = serve(worker, f"outgoing_files_site:{app}", env={"SITE_FILES": str(files)}, config={
        "static_internal": {"/protected": str(files)}, "x_accel_redirect": True, "x_sendfile": True,
        "compression": COMPRESSED,
    })
    server.framework = request.param.partition("-")[0]
    return server


@pytest.fixture
def client(site, browser):
    return browser(site, params={"user": "admin"})


def test_downloads(site, client):
    whole = client.get(f"/download/{NAME}")
    assert (whole.status_code, whole.content) == (200, DATA)
    assert whole.headers["Content-Type"] == "application/octet-stream" and whole.headers["ETag"]
    assert not {"x-sendfile", "x-accel-redirect", "content-encoding"} & set(whole.headers)
    part = client.get(f"/download/{NAME}", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, DATA[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(DATA)}"
    same = client.get(f"/download/{NAME}", headers={"If-None-Match": whole.headers["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert client.head(f"/download/{NAME}").headers["Content-Length"] == str(len(DATA))
    assert client.get("/download/none").status_code == 404
    if site.framework == "flask":
        assert whole.headers["Content-Disposition"].startswith("attachment") and "max-age=60" in whole.headers["Cache-Control"]
    if site.framework == "django":
        assert whole.headers["Content-Disposition"] == "attachment" and "downloaded=1" in whole.headers["Set-Cookie"]
        assert client.get(f"/download/{NAME}", params={"user": "x"}).status_code == 403


def test_pages_are_compressed(site, client):
    for coding in COMPRESSED:
        for path in ("/rows", "/lines") if site.framework != "flask" else ("/rows",):
            answer = client.get(path, headers={"Accept-Encoding": coding})
            assert answer.headers["Content-Encoding"] == coding and answer.headers["Vary"] == "Accept-Encoding"
            # Django gives its lines one by one, and each is sent.
            share = 2 if path == "/lines" else 4
            assert answer.text.count("somebody") == 2000
            assert answer.num_bytes_downloaded < len(answer.content) / share
    plain = client.get("/rows", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers and plain.json()[-1]["id"] == 1999
    private = client.get("/rows", headers={"Accept-Encoding": "gzip", "Cookie": "session=1"})
    assert "Content-Encoding" not in private.headers and private.json() == plain.json()


def test_a_condition_of_the_framework(site, client):
    """Its ETag, made weak, comes back to it."""
    if site.framework != "django":
        pytest.skip("no ETag without an add-on")
    first = client.get("/rows", headers={"Accept-Encoding": "br"})
    assert first.headers["ETag"].startswith('W/"')
    again = client.get("/rows", headers={"Accept-Encoding": "br", "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.headers["ETag"]) == (304, first.headers["ETag"])


def test_background_tasks(site, client):
    if site.framework != "starlette":
        pytest.skip("of Starlette")
    client.get("/download/other.bin")
    assert "/protected/other.bin" in client.get("/downloaded").json()
