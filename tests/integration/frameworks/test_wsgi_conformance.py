# SPDX-License-Identifier: MIT
"""wsgiref.validate has nothing to complain of, whatever runs the application (PEP 3333)."""

import os

import httpx
import pytest

from conftest import APPS, WORKERS, base_url

READERS = ["read_all", "read_pieces", "read_lines", "read_some_lines", "iterate", "nothing"]


@pytest.fixture(scope="module", params=WORKERS)
def validated(request, serve):
    return serve(request.param, "wsgi_validated:app")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("reader", READERS)
def test_bodies(validated, browser, reader, chunked):
    client = browser(validated)
    for size in (0, 1, 5000, 200_000):
        data = os.urandom(size)
        body = (data[at : at + 7000] for at in range(0, size, 7000)) if chunked else data
        answer = client.post(f"/{reader}", content=body)
        assert answer.status_code == 200
        assert answer.content == (b"" if reader == "nothing" else data)


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/write", 200, b"written returned"),
        ("/generator", 200, b"part 0;part 1;part 2;"),
        ("/late", 200, b"late"),
        ("/replace", 503, b"replaced"),
        ("/empty", 204, b""),
        ("/missing", 404, b"nothing here"),
    ],
)
def test_responses(validated, browser, path, status, body):
    client = browser(validated)
    for _ in range(2):
        answer = client.get(path)
        assert (answer.status_code, answer.content) == (status, body)
    if body:
        assert answer.headers.get_list("X-Twice") == ["a", "b"]
        assert client.head(path).content == b""


def test_file(validated, browser):
    content = (APPS / "wsgi_validated.py").read_bytes()
    assert browser(validated).get("/file").content == content


def test_environ(validated, browser):
    answer = browser(validated).get(
        "/environ?a=b%20c", headers=[("X-Two", "1"), ("X-Two", "2"), ("Cookie", "a=1")]
    )
    seen = answer.json()
    assert seen["QUERY_STRING"] == "a=b%20c"
    assert seen["HTTP_X_TWO"].replace(" ", "") == "1,2"
    assert (seen["SCRIPT_NAME"], seen["SERVER_PROTOCOL"]) == ("", "HTTP/1.1")
    assert (seen["wsgi.version"], seen["wsgi.url_scheme"]) == ([1, 0], "http")
    assert seen["SERVER_PORT"] == str(validated.address[1])


def test_all_methods(validated):
    for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        assert httpx.request(method, base_url(validated) + "/generator").status_code == 200


@pytest.mark.parametrize("worker", WORKERS)
def test_flask_behind_the_validator(serve, browser, worker):
    server = serve(worker, "wsgi_validated:flask_app")
    client = browser(server)
    assert client.get("/").text == "Hello from Flask\n"
    assert client.post("/json", json={"numbers": [4]}).json() == {"doubled": [8]}
    assert client.post("/form", data={"a": "b"}).json() == {"a": ["b"]}
    assert len(client.get("/stream?who=me&lines=10").text.splitlines()) == 10
