# SPDX-License-Identifier: MIT
"""Flask on greenlets and FastAPI on asyncio in one worker, as the setting apps mounts them."""

import sys
import time

import pytest
from websockets.sync.client import connect

from conftest import APPS, base_url
from harness.waiting import wait_until


@pytest.fixture(scope="module")
def site(start):
    config = {"apps": {"/": "flask_site:app", "/api": "fastapi_site:app"}}
    return start(
        "-k", "async", "--python", sys.executable, "--pythonpath", APPS, config=config,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )


def test_both_answer(site, browser):
    client = browser(site)
    assert client.get("/").text == "Hello from Flask\n"
    assert client.get("/api/").json() == {"hello": "FastAPI"}
    assert client.get("/api/state").json() == {"answer": 42}
    assert client.post("/json", json={"numbers": [4]}).json() == {"doubled": [8]}
    assert client.post("/api/items", json={"name": "tea", "price": 2}).json()["with_tax"] == 4


def test_both_sleep_together(site):
    """One after the other they would take 60 s."""
    paths = ["/sleep/0.2", "/api/sleep/0.2", "/api/blocking/0.2"] * 100
    clients = [site.client() for _ in paths]
    begin = time.monotonic()
    for client, path in zip(clients, paths):
        client.request(path)
    assert [client.response().status for client in clients] == [200] * len(paths)
    assert time.monotonic() - begin < 8
    for client in clients:
        client.close()


def test_async_view_of_flask_beside_fastapi(site, browser):
    with site.client() as waiting:
        waiting.request("/api/sleep/0.3")
        assert browser(site).get("/async").json() == {"gathered": [1, 2, 3]}
        assert waiting.response().status == 200


def test_services_of_fastapi(site, browser, upstream):
    clients = [site.client() for _ in range(20)]
    for client in clients:
        client.request(f"/api/meet?upstream={upstream.url}&name=together&party=20")
    assert [client.response().text for client in clients] == ['"/meet 20"'] * 20
    for client in clients:
        client.close()
    client = browser(site)
    client.get("/api/background/tea")
    wait_until(lambda: {"tea", "tea from a thread"} <= set(client.get("/api/noted").json()), "both have run")


def test_websocket(site):
    with connect(base_url(site).replace("http", "ws") + "/api/ws/room", proxy=None) as socket:
        assert socket.recv() == "hello room"
        socket.send("x")
        assert "x" in socket.recv()
