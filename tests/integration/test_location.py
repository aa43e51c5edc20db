# SPDX-License-Identifier: MIT
"""Where an application is mounted is one thing, whichever kind it is: SCRIPT_NAME of the environment, the
field of a trusted proxy, prefixes of `apps`, root_path."""

import sys

import pytest

from harness.paths import ROOT, probe

APPS = ROOT / "tests" / "integration" / "python_apps"
KINDS = {"wsgi": "mount_probe:wsgi", "asgi": "mount_probe:asgi", "native": probe()}


@pytest.fixture(params=sorted(KINDS))
def serve(start, request):
    """Starts a server of one kind; asks it for a path, and tells the mount and what lies below that."""
    kind = request.param

    def factory(*args, prefix=None, script_name=None, config=None):
        app = KINDS[kind]
        config = dict(config or {})
        if prefix is None:
            args = (*args, app)
        else:
            config["apps"] = {prefix: app}
        env = {"PYTHONDONTWRITEBYTECODE": "1"} | ({"SCRIPT_NAME": script_name} if script_name else {})
        server = start("--python", sys.executable, "--pythonpath", APPS, *args, config=config, env=env)

        def ask(path, field=None):
            with server.client() as client:
                answer = client.get(path, headers=[("SCRIPT_NAME", field)] if field is not None else [])
            if answer.status != 200:
                return answer.status
            mount, _, below = answer.text.partition(" ")
            if kind == "asgi":
                # There the path is the whole one.
                assert below.startswith(mount), answer.text
                below = below[len(mount):]
            return mount, below

        return ask

    return factory


def test_nowhere(serve):
    assert serve()("/where") == ("", "/where")


def test_by_the_environment(serve):
    ask = serve(script_name="/site/")
    assert ask("/site/where") == ("/site", "/where")
    assert ask("/s%69te/where") == ("/site", "/where")
    for outside in ("/where", "/sites/where", "/"):
        assert ask(outside) == 404


def test_by_a_proxy(serve):
    ask = serve()
    assert ask("/site/where", "/site") == ("/site", "/where")
    assert ask("/site/where", "/site/") == ("/site", "/where")
    assert ask("/where", "/") == ("", "/where")
    for outside in ("/where", "/sites/where"):
        assert ask(outside, "/site") == 404


def test_the_proxy_knows_better(serve):
    ask = serve(script_name="/site")
    assert ask("/other/where", "/other") == ("/other", "/where")
    assert ask("/site/where", "/other") == 404


def test_by_prefix(serve):
    ask = serve(prefix="/m")
    assert ask("/m/where") == ("/m", "/where")
    for outside in ("/where", "/ms/where", "/"):
        assert ask(outside) == 404


def test_by_prefix_below_the_environment(serve):
    ask = serve(prefix="/m", script_name="/site")
    assert ask("/site/m/where") == ("/site/m", "/where")
    for outside in ("/m/where", "/site/where", "/site", "/"):
        assert ask(outside) == 404


def test_by_prefix_behind_a_proxy(serve):
    ask = serve(prefix="/m")
    assert ask("/site/m/where", "/site") == ("/site/m", "/where")
    for outside in ("/site/where", "/m/where"):
        assert ask(outside, "/site") == 404


def test_root_path_is_for_asgi(start):
    """What a proxy takes off the path, and does not tell by SCRIPT_NAME."""
    server = start(
        "--python", sys.executable, "--pythonpath", APPS, "--root-path", "/site/", "mount_probe:asgi",
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert server.get("/where").text == "/site /where"
    with server.client() as client:
        answer = client.get("/other/where", headers=[("SCRIPT_NAME", "/other")])
    assert answer.text == "/other /other/where"


def test_root_path_with_prefixes(start):
    server = start(
        "--python", sys.executable, "--pythonpath", APPS, "--root-path", "/site",
        config={"apps": {"/m": "mount_probe:asgi"}}, env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert server.get("/m/where").text == "/site/m /m/where"
    assert server.get("/where").status == 404
