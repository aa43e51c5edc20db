# SPDX-License-Identifier: MIT
"""A server from a wheel, and requests to it."""

import contextlib
import dataclasses
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


@app.get("/page")
def page():
    return "<p>the same again and again</p>" * 1000


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

CODINGS = ("zstd", "br", "gzip")


@dataclasses.dataclass
class Served:
    port: int
    text: object  # the first answer, as `ask` gives it


@dataclasses.dataclass
class Secure:
    """What one asks with over TLS: curl of this machine, which trusts one certificate."""

    certificate: pathlib.Path
    key: pathlib.Path

    @classmethod
    def make(cls, folder: pathlib.Path) -> "Secure":
        made = cls(folder / "cert.pem", folder / "key.pem")
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-keyout", made.key, "-out", made.certificate, "-days", "30", "-subj", "/CN=localhost"]
        subprocess.run([*command, "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        return made

    def ask(self, port: int, path: str = "/", *options: str) -> tuple[str, str, str]:
        """Version of HTTP, content coding and what it decodes to; OSError if nobody answers."""
        command = ["curl", "--silent", "--show-error", "--fail", "--max-time", "30", "--ipv4", "--noproxy", "*"]
        command += ["--cacert", str(self.certificate), "--write-out", "\n%{http_version} %header{content-encoding}"]
        command += [*options, f"https://localhost:{port}{path}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OSError(done.stderr)
        body, _, told = done.stdout.rpartition("\n")
        version, _, coding = told.partition(" ")
        return version, coding, body


    def check_compression(self, port: int) -> None:
        """A page as it is, and in each coding."""
        version, coding, page = self.ask(port, "/page")
        assert (version, coding) == ("2", "") and len(page) > 10_000
        for each in CODINGS:
            assert self.ask(port, "/page", "--compressed", "-H", f"Accept-Encoding: {each}") == ("2", each, page)


def ask_plainly(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as response:
        return response.read().decode()


def answer(ask, port: int, server: subprocess.Popen, said: pathlib.Path, patience: float):
    """The first answer; the server may still be starting."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return ask(port)
        except OSError as error:
            assert server.poll() is None, said.read_text()[-4000:]
            assert time.monotonic() < deadline, f"{error}: {said.read_text()[-4000:]}"
            time.sleep(0.02)


def write_app(place: Place, folder: str) -> None:
    place.outside(folder).mkdir(parents=True, exist_ok=True)
    (place.outside(folder) / "app.py").write_text(APP)


def secure_arguments(place: Place, folder: str, secure: Secure) -> list[str]:
    """TLS, HTTP/2 and compression."""
    certificate, key = (place.give(path, folder) for path in (secure.certificate, secure.key))
    return ["--certfile", certificate, "--keyfile", key, "--http-protocols", "h2,h1", "--compression", ",".join(CODINGS)]


@contextlib.contextmanager
def serving(place: Place, program: list[str], arguments: list[str], folder: str, patience: float = 60.0, ask=ask_plainly):
    """Starts a server in the place and gives what it answers; it must end well."""
    port = free_port()
    command = place.command([*program, "-b", f"127.0.0.1:{port}", "--chdir", folder, *arguments])
    with tempfile.TemporaryDirectory() as kept:
        said = pathlib.Path(kept) / "said"
        with open(said, "w") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"VIRTUAL_ENV": ""})
        try:
            yield Served(port, answer(ask, port, server, said, patience))
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(timeout=patience)
        assert code == 0, said.read_text()[-4000:]
