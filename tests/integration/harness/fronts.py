# SPDX-License-Identifier: MIT
"""Real proxies in front of a server, by the samples in config/."""

import csv
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from .addresses import free_port
from .paths import ROOT
from .waiting import LONG, wait_until

PATHS = os.environ.get("PATH", "") + ":/usr/sbin"
NGINX = shutil.which("nginx", path=PATHS)
HAPROXY = shutil.which("haproxy", path=PATHS)

NGINX_FRAME = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
{user}
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {more}
    include {folder}/sample.conf;
}}
"""


def replaced(text: str, *changes: tuple[str, str]) -> str:
    """The sample with what differs here; each place must be there once."""
    for pattern, by in changes:
        text, count = re.subn(pattern, lambda _, by=by: by, text, flags=re.MULTILINE)
        assert count == 1, f"{count} times in the sample: {pattern}"
    return text


def upstream(address) -> str:
    return address if isinstance(address, str) else f"{address[0]}:{address[1]}"


class Front:
    """One that runs; `address` is where it listens."""

    def __init__(self, argv: list[str], folder: Path, port: int):
        self.address = ("127.0.0.1", port)
        self.errors = folder / "errors"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(argv, cwd=folder, stdout=errors, stderr=errors)
        wait_until(self.answers, f"{argv[0]} listens")

    def answers(self) -> bool:
        assert self.process.poll() is None, self.errors.read_text()
        with socket.socket() as sock:
            return sock.connect_ex(self.address) == 0

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(LONG)


def nginx(address, folder: Path, *changes: tuple[str, str], listen: str = "", more: str = "") -> Front:
    """config/nginx.conf before a server at `address`, with some more changes."""
    folder.mkdir()
    port = free_port()
    at = upstream(address)
    sample = replaced(
        (ROOT / "config" / "nginx.conf").read_text(),
        (r"^    server 127\.0\.0\.1:8000 ", f"    server {'unix:' if isinstance(address, str) else ''}{at} "),
        (r"^    listen 80;", f"    listen 127.0.0.1:{port}{listen};"),
        *changes,
    )
    (folder / "sample.conf").write_text(sample)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX_FRAME.format(folder=folder, user=user, more=more))
    argv = [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    return Front(argv, folder, port)


def haproxy(address, folder: Path, *changes: tuple[str, str], options: str = "") -> Front:
    """config/haproxy.cfg before a server at `address`, with some more changes."""
    folder.mkdir()
    port = free_port()
    sample = replaced(
        (ROOT / "config" / "haproxy.cfg").read_text(),
        (r"^    server unicoro 127\.0\.0\.1:8000 ", f"    server unicoro {upstream(address)} {options} "),
        (r"^    bind :80$", f"    bind 127.0.0.1:{port}"),
        *changes,
    )
    (folder / "haproxy.cfg").write_text(sample)
    return Front([HAPROXY, "-db", "-f", str(folder / "haproxy.cfg")], folder, port)


def haproxy_before(lines: list[str], folder: Path) -> Front:
    """config/haproxy-agent-check.cfg before servers, of which each line says what follows its name."""
    folder.mkdir()
    port = free_port()
    servers = [(rf"^    server app{number} 10\.0\.0\.1{number}:8000$", f"    server app{number} {line}")
               for number, line in enumerate(lines, 1)]
    sample = replaced(
        (ROOT / "config" / "haproxy-agent-check.cfg").read_text(),
        (r"^    stats socket .*$", f"    stats socket {folder / 'statistics'} mode 600 level admin"),
        (r"^    bind :80$", f"    bind 127.0.0.1:{port}"),
        *servers,
    )
    (folder / "haproxy.cfg").write_text(sample)
    return Front([HAPROXY, "-db", "-f", str(folder / "haproxy.cfg")], folder, port)


class Statistics:
    """What HAProxy says of its servers on its socket, looked at all the time while open."""

    def __init__(self, path: Path):
        self.path = str(path)
        self.history: list[tuple[float, dict[str, dict[str, str]]]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Statistics":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._end.set()
        self._thread.join(LONG)

    def _watch(self) -> None:
        while not self._end.wait(0.05):
            self.history.append((time.monotonic(), self.now()))

    def now(self) -> dict[str, dict[str, str]]:
        """The fields of each server by its name."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(LONG)
            sock.connect(self.path)
            sock.sendall(b"show stat\n")
            text = b"".join(iter(lambda: sock.recv(65536), b"")).decode()
        rows = csv.DictReader(text.removeprefix("# ").strip().splitlines())
        return {row["svname"]: row for row in rows if row["svname"] not in ("FRONTEND", "BACKEND")}

    def wait(self, name: str, condition, what: str, timeout: float = 2 * LONG) -> dict[str, str]:
        """Until the fields of a server are such."""
        def look():
            fields = self.now()[name]
            return condition(fields) and fields

        return wait_until(look, f"HAProxy's statistics of {name}: {what}", timeout)

    def seen(self, name: str, field: str, since: float) -> list[str]:
        """The values that a field has had, each as often as it has come anew."""
        values = []
        for when, servers in list(self.history):
            if when >= since and (not values or servers[name][field] != values[-1]):
                values.append(servers[name][field])
        return values
