# SPDX-License-Identifier: MIT
"""Fixtures for tests of real frameworks and clients. Servers live as long as a test module, because
starting one with Django inside takes longer than most of the tests."""

import sys
from pathlib import Path

import httpx
import pytest

import services
from harness import fleet

APPS = Path(__file__).parent / "apps"

# What `-k` and the options beside it are, by the name that a test's parameter has.
WORKERS = {
    "sync": ["-k", "sync"],
    "async": ["-k", "async"],
    "gthread": ["-k", "gthread", "--threads", "8"],
    "eventlet": ["-k", "eventlet"],
}


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """As in ../conftest.py, but for the tests of a module."""
    yield from fleet.run(tmp_path_factory.mktemp("servers"))


@pytest.fixture(scope="module")
def serve(start):
    """serve("async", "flask_site:app", args...): a server of an application in apps/."""

    def factory(worker, app, *args, folder=APPS, env=None, **more):
        options = [*WORKERS[worker], "--python", sys.executable, "--pythonpath", folder, *args, app]
        return start(*options, env={"PYTHONDONTWRITEBYTECODE": "1"} | (env or {}), **more)

    return factory


def base_url(server) -> str:
    host, port = server.address
    return f"http://{host}:{port}"


@pytest.fixture
def browser():
    """browser(server) -> httpx.Client that keeps connections and cookies."""
    clients = []

    def make(server, **more):
        clients.append(httpx.Client(base_url=base_url(server), timeout=10, trust_env=False, **more))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def upstream():
    service = services.Upstream()
    yield service
    service.stop()


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory):
    service, port = services.redis_instance(tmp_path_factory.mktemp("redis"))
    yield port
    service.stop()


@pytest.fixture(scope="module")
def postgres():
    service = services.Postgres()
    yield service
    service.stop()


@pytest.fixture(scope="module")
def nginx_before(tmp_path_factory):
    """nginx_before(server, locations) -> the URL of an nginx in front of it."""
    started = []

    def make(server, locations):
        folder = tmp_path_factory.mktemp("nginx") / "instance"
        service, port = services.nginx_before(server.address, locations, folder)
        started.append(service)
        return f"http://127.0.0.1:{port}"

    yield make
    for service in started:
        service.stop()
