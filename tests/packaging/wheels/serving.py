# SPDX-License-Identifier: MIT
"""A server from a wheel, and requests to it."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from places import Place

APP = '''
import sys

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "%d.%d %s" % (*sys.version_info[:2], sys.prefix)


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    text = "%d.%d %s" % (*sys.version_info[:2], sys.prefix)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})
'''


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answer(port: int, server: subprocess.Popen, said: pathlib.Path, patience: float) -> str:
    """The first answer; the server may still be starting."""
    deadline = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as response:
                return response.read().decode()
        except OSError as error:
            assert server.poll() is None, said.read_text()[-4000:]
            assert time.monotonic() < deadline, f"{error}: {said.read_text()[-4000:]}"
            time.sleep(0.02)


def write_app(place: Place, folder: str) -> None:
    place.outside(folder).mkdir(parents=True, exist_ok=True)
    (place.outside(folder) / "app.py").write_text(APP)


@contextlib.contextmanager
def serving(place: Place, program: list[str], arguments: list[str], folder: str, patience: float = 60.0):
    """Starts a server in the place and gives what it answers; it must end well."""
    port = free_port()
    command = place.command([*program, "-b", f"127.0.0.1:{port}", "--chdir", folder, *arguments])
    with tempfile.TemporaryDirectory() as kept:
        said = pathlib.Path(kept) / "said"
        with open(said, "w") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"VIRTUAL_ENV": ""})
        try:
            yield answer(port, server, said, patience)
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(timeout=patience)
        assert code == 0, said.read_text()[-4000:]
