# SPDX-License-Identifier: MIT
"""Behind nginx, as most installations are: keep-alive to the upstream, bodies, streams, WebSockets."""

import hashlib
import os

import httpx
import pytest
from websockets.sync.client import connect

PROXY = """
        location / {
            proxy_pass http://application;
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto https;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
        }
        location /stream {
            proxy_pass http://application;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_request_buffering off;
        }
"""


@pytest.mark.parametrize("worker", ["sync", "async", "gthread"])
def test_flask(serve, nginx_before, worker):
    url = nginx_before(serve(worker, "flask_site:app"), PROXY)
    with httpx.Client(base_url=url, timeout=10, trust_env=False) as client:
        for _ in range(200):
            assert client.get("/").text == "Hello from Flask\n"
        content = os.urandom(3_000_000)
        answer = client.post("/count", content=content).json()
        assert answer == {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        assert len(client.get("/stream?who=nginx&lines=500").text.splitlines()) == 500
        # nginx asks the upstream again on a new connection when a kept one is gone: POST is not repeated,
        # so each of these shows that none was dropped.
        for number in range(200):
            assert client.post("/json", json={"numbers": [number]}).json() == {"doubled": [2 * number]}


def test_scheme_comes_from_the_proxy(serve, nginx_before):
    url = nginx_before(serve("sync", "wsgi_validated:app"), PROXY)
    assert httpx.get(url + "/environ").json()["wsgi.url_scheme"] == "https"


def test_fastapi(serve, nginx_before):
    url = nginx_before(serve("async", "fastapi_site:app"), PROXY)
    assert httpx.get(url + "/").json() == {"hello": "FastAPI"}
    assert len(httpx.get(url + "/stream?lines=200").text.splitlines()) == 200
    with connect(url.replace("http", "ws") + "/ws/proxied", proxy=None) as socket:
        assert socket.recv() == "hello proxied"
        socket.send("x")
        assert "x" in socket.recv()
