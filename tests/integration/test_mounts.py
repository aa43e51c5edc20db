# SPDX-License-Identifier: MIT
"""Several applications in one server: the setting apps."""

import json
import sys

import pytest

from harness.paths import ROOT, probe

APPS = ROOT / "tests" / "integration" / "python_apps"


@pytest.fixture
def serve(start):
    def factory(apps, *args, **more):
        return start(
            "--python", sys.executable, "--pythonpath", APPS, *args, config={"apps": apps},
            env={"PYTHONDONTWRITEBYTECODE": "1"}, **more,
        )

    return factory


def places(client, target, **more):
    answer = client.get(target, **more)
    assert answer.status == 200, answer
    found = json.loads(answer.body)
    return found["app"], found["SCRIPT_NAME"], found["PATH_INFO"]


@pytest.mark.parametrize("worker_class", ["sync", "async", "gthread"])
def test_longest_prefix_counts(serve, worker_class):
    if worker_class == "async":
        pytest.importorskip("gevent")
    server = serve(
        {"/": "mount_probe:root", "/api": "mount_probe:api", "/api/v2": "mount_probe:api_v2"},
        "-k", worker_class,
    )
    with server.client() as client:
        assert places(client, "/") == ("root", "", "/")
        assert places(client, "/apis") == ("root", "", "/apis")
        assert places(client, "/api") == ("api", "/api", "")
        assert places(client, "/api/") == ("api", "/api", "/")
        assert places(client, "/%61pi/a%20b?q") == ("api", "/api", "/a b")
        assert places(client, "/api/v2/x") == ("api_v2", "/api/v2", "/x")
        assert places(client, "/site/api/x", headers=[("SCRIPT_NAME", "/site")]) == (
            "api", "/site/api", "/x",
        )
    assert "Application: /: mount_probe:root, /api: mount_probe:api, /api/v2: " in server.log()


def test_native_and_python_on_one_port(serve):
    server = serve({"/": "mount_probe:root", "/fast": probe()})
    with server.client() as client:
        assert places(client, "/fastest")[0] == "root"
        assert client.get("/fast/print").status == 200
        assert client.get("/fast").text.isdigit(), "what the probe answers for no page of its"
        assert places(client, "/x") == ("root", "", "/x")


def test_nothing_at_the_root(serve):
    server = serve({"/api": "mount_probe:api"})
    with server.client() as client:
        assert client.get("/other").status == 404
        assert places(client, "/api/x") == ("api", "/api", "/x")


def test_one_that_does_not_load_is_named(serve):
    server = serve({"/": "mount_probe:root", "/bad": "mount_probe:missing"}, ready=False)
    server.allow(".")
    assert server.wait_exit() == 4
    assert "there is no 'missing' in 'mount_probe'" in server.log()
