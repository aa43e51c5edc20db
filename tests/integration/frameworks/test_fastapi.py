# SPDX-License-Identifier: MIT
"""FastAPI and Starlette: HTTP, WebSockets, lifespan, background tasks."""

import gzip
import hashlib
import os
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from conftest import base_url
from harness.waiting import wait_until


@pytest.fixture(scope="module", params=["sync", "async"])
def site(request, serve):
    return serve(request.param, "fastapi_site:app")


def socket_to(server, path, **more):
    return connect(base_url(server).replace("http", "ws") + path, proxy=None, **more)


def test_json(site, browser):
    client = browser(site)
    assert client.get("/").json() == {"hello": "FastAPI"}
    assert client.post("/items", json={"name": "tea", "price": 2}).json() == {"name": "tea", "with_tax": 4}
    wrong = client.post("/items", json={"name": "tea"})
    assert (wrong.status_code, wrong.json()["detail"][0]["loc"]) == (422, ["body", "price"])
    teapot = client.get("/teapot")
    assert (teapot.status_code, teapot.headers["X-Tea"]) == (418, "yes")
    assert client.get("/missing").status_code == 404
    assert client.put("/items").status_code == 405
    assert "FastAPI" in client.get("/docs").text
    assert client.get("/openapi.json").json()["paths"]["/items"]


def test_lifespan(site, browser, serve):
    assert browser(site).get("/state").json() == {"answer": 42}
    server = serve("sync", "fastapi_site:app")
    assert server.stop() == 0
    assert "lifespan is over" in server.output()


def test_uploads(site, browser):
    client, content = browser(site), os.urandom(3_000_000)
    sha = hashlib.sha256(content).hexdigest()
    answer = client.post("/upload", data={"title": "Größe"}, files={"file": ("a.bin", content)})
    assert answer.json() == {"title": "Größe", "name": "a.bin", "sha256": sha}
    pieces = (content[at : at + 50_000] for at in range(0, len(content), 50_000))
    assert client.post("/count", content=pieces).json() == {"sha256": sha, "size": 3_000_000}


def test_streams_and_files(site, browser, tmp_path):
    client = browser(site)
    with client.stream("GET", "/stream?lines=300") as answer:
        assert list(answer.iter_lines()) == [f"row {number}" for number in range(300)]
    content = os.urandom(700_000)
    (tmp_path / "file.bin").write_bytes(content)
    whole = client.get(f"/file?path={tmp_path}/file.bin")
    assert (whole.content, whole.headers["Content-Length"]) == (content, "700000")
    part = client.get(f"/file?path={tmp_path}/file.bin", headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, content[5:10])


def test_client_that_leaves_ends_the_stream(site, browser):
    with httpx.stream("GET", base_url(site) + "/endless/me", timeout=10, headers={"Accept-Encoding": "identity"}) as answer:
        assert next(answer.iter_raw(65536)) == b"x" * 65536
    client = browser(site)
    wait_until(lambda: "left me" in client.get("/noted").json(), "the generator is closed")


def test_background_tasks_and_dependencies(site, browser):
    client = browser(site)
    assert "tea" not in client.get("/background/tea").json()["noted"]
    wait_until(lambda: {"tea", "tea from a thread"} <= set(client.get("/noted").json()), "both have run")
    assert client.get("/depends").json() == "a connection"
    wait_until(lambda: "closed" in client.get("/noted").json(), "the dependency is closed")


def test_middleware(site, browser):
    client = browser(site)
    raw = client.get("/large", headers={"Accept-Encoding": "gzip"})
    assert (raw.headers["Content-Encoding"], len(raw.json()["text"])) == ("gzip", 100_000)
    with client.stream("GET", "/large") as answer:
        assert b"xxx" in gzip.decompress(b"".join(answer.iter_raw()))
    allowed = client.get("/", headers={"Origin": "https://example.org"})
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://example.org"
    assert [client.get("/session").json() for _ in range(3)] == [1, 2, 3]


def test_many_at_once(site):
    """One after the other they would take 60 s, and 4 s."""
    for path, count in (("/sleep/0.2", 300), ("/blocking/0.1", 40)):
        clients = [site.client() for _ in range(count)]
        begin = time.monotonic()
        for client in clients:
            client.request(path)
        assert [client.response().status for client in clients] == [200] * count
        assert time.monotonic() - begin < 3
        for client in clients:
            client.close()


def test_contexts_do_not_mix(site):
    clients = [site.client() for _ in range(20)]
    for turn in range(3):
        for number, client in enumerate(clients):
            client.request(f"/context/{turn}.{number}")
        for client in clients:
            assert client.response().text.replace(" ", "") == '{"found":null,"kept":true}'
    for client in clients:
        client.close()


def test_httpx_in_the_application(site, upstream):
    clients = [site.client() for _ in range(20)]
    name = f"fastapi-{site.pid}"
    for client in clients:
        client.request(f"/meet?upstream={upstream.url}&name={name}&party=20")
    assert [client.response().text for client in clients] == ['"/meet 20"'] * 20
    for client in clients:
        client.close()


def test_errors(site, browser):
    site.allow(r"Traceback|Error handling request GET /boom")
    assert browser(site).get("/boom").status_code == 500
    site.wait_log("ValueError: on purpose")


def test_websocket(site, browser):
    with socket_to(site, "/ws/tea?greeting=hi", subprotocols=["chat", "other"]) as socket:
        assert (socket.recv(), socket.subprotocol) == ("hi tea", "chat")
        for number in range(100):
            socket.send(f"Größe {number}")
        for number in range(100):
            assert f"Größe {number}" in socket.recv()
        socket.send(b"abc" * 50_000)
        assert socket.recv() == b"cba" * 50_000
        assert socket.ping().wait(10)
    client = browser(site)
    wait_until(lambda: "tea closed 1000" in client.get("/noted").json(), "the application saw the end")
    with socket_to(site, "/ws/x") as socket:
        assert socket.subprotocol is None
        socket.recv()
        socket.send("close")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "asked for")
    with pytest.raises(InvalidStatus) as failure:
        socket_to(site, "/refused")
    assert failure.value.response.status_code == 403
