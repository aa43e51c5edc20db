# SPDX-License-Identifier: MIT
"""Flask under every way to run WSGI."""

import hashlib
import io
import os

import httpx
import pytest
import requests

from conftest import WORKERS, base_url
from harness.waiting import wait_until


@pytest.fixture(scope="module", params=WORKERS)
def site(request, serve):
    return serve(request.param, "flask_site:app")


def sha256(data):
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def test_json_and_forms(site, browser):
    client = browser(site)
    assert client.get("/").text == "Hello from Flask\n"
    assert client.post("/json", json={"numbers": [1, 2, 40]}).json() == {"doubled": [2, 4, 80]}
    assert client.post("/json", content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    fields = {"name": "Jürgen Müller", "tags": ["a b", "c&d"], "empty": ""}
    expected = {"name": ["Jürgen Müller"], "tags": ["a b", "c&d"], "empty": [""]}
    assert client.post("/form", data=fields).json() == expected


def test_upload(site, browser):
    small, large = os.urandom(1000), os.urandom(3_000_000)
    files = {"small": ("klein.bin", small), "large": ("groß.bin", io.BytesIO(large), "image/png")}
    answer = browser(site).post("/upload", data={"beside": "field"}, files=files).json()
    assert answer["small"] | sha256(small) == answer["small"]
    assert answer["large"] == sha256(large) | {"filename": "groß.bin", "type": "image/png"}


def test_too_large_a_body_is_refused(site, browser):
    client = browser(site)
    head = {"Content-Length": str(64 * 1024 * 1024), "Content-Type": "multipart/form-data; boundary=x"}
    with site.client() as raw:
        raw.send("POST /upload HTTP/1.1\r\nHost: x\r\n" + "".join(f"{k}: {v}\r\n" for k, v in head.items()))
        raw.send("\r\n")
        raw.send(b"x" * 1000)
        raw.end_sending()
        assert raw.head().status in (400, 413)
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_request_body_as_a_stream(site, chunked):
    data = os.urandom(2_000_000)
    body = (data[at : at + 50_000] for at in range(0, len(data), 50_000)) if chunked else data
    answer = requests.post(base_url(site) + "/count", data=body, timeout=10)
    assert answer.json() == sha256(data)


def test_session(site, browser):
    client = browser(site, follow_redirects=True)
    assert client.get("/whoami").text == "nobody"
    answer = client.get("/login/ada")
    assert (answer.text, answer.history[0].status_code) == ("ada", 302)
    assert client.get("/whoami").text == "ada"
    assert browser(site).get("/whoami").text == "nobody"


def test_streaming_response(site, browser):
    client = browser(site)
    with client.stream("GET", "/stream?who=me&lines=500") as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        lines = list(answer.iter_lines())
    assert (len(lines), lines[499]) == (500, "499 for me")
    assert "me" in client.get("/closed").json()


def test_client_that_leaves_ends_the_generator(site, browser):
    client = browser(site)
    before = client.get("/closed").json().count("endless")
    with httpx.stream("GET", base_url(site) + "/endless", timeout=10) as answer:
        assert next(answer.iter_raw(65536)) == b"x" * 65536
    wait_until(
        lambda: client.get("/closed").json().count("endless") == before + 1, "the generator is closed"
    )


def test_send_file(site, browser, tmp_path):
    content = os.urandom(500_000)
    (tmp_path / "file.bin").write_bytes(content)
    client, target = browser(site), f"/file?path={tmp_path}/file.bin"
    whole = client.get(target)
    assert (whole.content, whole.headers["Content-Length"]) == (content, "500000")
    part = client.get(target, headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, content[1000:2000])
    unchanged = client.get(target, headers={"If-None-Match": whole.headers["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert client.head(target).headers["Content-Length"] == "500000"


def test_errors(site, browser):
    site.allow("Traceback")
    client = browser(site)
    assert client.get("/missing").status_code == 404
    assert client.get("/json").status_code == 405
    assert client.get("/boom").status_code == 500
    handled = client.get("/conflict")
    assert (handled.status_code, handled.json()) == (409, {"error": "two of them"})
    assert handled.headers["X-Handled"] == "yes"
    site.wait_log("ValueError: on purpose")
    assert client.get("/").status_code == 200


def test_error_in_a_stream_cuts_the_response(site, browser):
    site.allow("Traceback")
    site.allow(r"\[ERROR\].*/boom/stream")
    with pytest.raises(httpx.RemoteProtocolError):
        browser(site).get("/boom/stream")
    site.wait_log("on purpose, after the first line")
    assert browser(site).get("/").status_code == 200


def test_teardown(site, browser):
    site.allow("Traceback")
    client = browser(site)
    client.get("/stream?who=torn&lines=2")
    client.get("/boom")
    seen = client.get("/teardowns").json()
    assert ["/stream", None] in seen
    assert ["/boom", "ValueError('on purpose')"] in seen


def test_async_view(site, browser):
    client = browser(site)
    for _ in range(3):
        assert client.get("/async").json() == {"gathered": [1, 2, 3]}
