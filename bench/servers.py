# SPDX-License-Identifier: MIT
"""Servers to compare: how each is started and ended."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).resolve().parent
START_LIMIT = 20.0
STOP_LIMIT = 10.0

FILE_NAME = "file.bin"
FILE_BYTES = 100_000
SMALL_NAME = "small.bin"
SMALL_BYTES = 16_384


@dataclass
class Setup:
    """What the commands are made of."""

    build: Path
    python: Path
    folder: Path
    connections: int = 1000


@dataclass
class Contender:
    name: str
    command: Callable[[Setup, int], list[str]]
    needs: Callable[[Setup], bool]
    scheme: str = "http"
    is_loop: bool = False  # no server: a program that measures itself for so many seconds


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def _baseline(setup: Setup, port: int) -> list[str]:
    return [str(setup.build / "bench" / "bench_baseline"), str(port)]


def _unicoro(setup: Setup, port: int, worker_class: str, app: str) -> list[str]:
    return [
        str(setup.build / "unicoro"), "-k", worker_class, "-b", f"127.0.0.1:{port}",
        "--worker-connections", str(setup.connections + 100), "--keep-alive", "600",
        "--log-level", "warning", app,
    ]


def _unicoro_native(setup: Setup, port: int) -> list[str]:
    library = setup.build / "examples" / "native" / "libhello.so"
    return _unicoro(setup, port, "async", f"{library}:app")


def _unicoro_file(setup: Setup, port: int) -> list[str]:
    library = setup.build / "bench" / "libbench_file.so"
    return ["env", f"BENCH_FILE={the_file(setup)}", *_unicoro(setup, port, "async", f"{library}:app")]


def _unicoro_python(module: str, worker_class: str = "sync", *more: str) -> Callable[[Setup, int], list[str]]:
    def command(setup: Setup, port: int) -> list[str]:
        options = ["--python", str(setup.python), "--chdir", str(BENCH / "apps"), *more]
        return [*_unicoro(setup, port, worker_class, f"{module}:app"), *options]

    return command


def _gunicorn(module: str, *more: str) -> Callable[[Setup, int], list[str]]:
    def command(setup: Setup, port: int) -> list[str]:
        return [
            str(setup.python), "-m", "gunicorn", "-k", "gevent", "-b", f"127.0.0.1:{port}",
            "--worker-connections", str(setup.connections + 100), "--keep-alive", "600",
            "--log-level", "warning", "--no-control-socket", "--chdir", str(BENCH / "apps"), *more,
            f"{module}:app",
        ]

    return command


def _bjoern(module: str) -> Callable[[Setup, int], list[str]]:
    def command(setup: Setup, port: int) -> list[str]:
        return [str(setup.python), str(BENCH / "apps" / "serve_bjoern.py"), str(port), module]

    return command


def _uvicorn(module: str, *more: str) -> Callable[[Setup, int], list[str]]:
    def command(setup: Setup, port: int) -> list[str]:
        return [
            str(setup.python), "-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--port", str(port),
            "--no-access-log", "--log-level", "warning", "--app-dir", str(BENCH / "apps"), *more,
            f"{module}:app",
        ]

    return command


def _granian(module: str, interface: str, *more: str) -> Callable[[Setup, int], list[str]]:
    def command(setup: Setup, port: int) -> list[str]:
        return [
            str(setup.python), "-m", "granian", "--interface", interface, "--host", "127.0.0.1", "--port", str(port),
            "--log-level", "warning", "--working-dir", str(BENCH / "apps"), *more, f"{module}:app",
        ]

    return command


def _bare_loop(setup: Setup, seconds: int) -> list[str]:
    return [str(setup.python), str(BENCH / "apps" / "bare_loop.py"), str(seconds)]


def _unicoro_tls(setup: Setup, port: int) -> list[str]:
    library = setup.build / "bench" / "libbench_file.so"
    return ["env", f"BENCH_FILE={the_file(setup, SMALL_NAME, SMALL_BYTES)}",
            *_unicoro(setup, port, "async", f"{library}:app"), *_encrypted(setup)]


def _unicoro_http2(setup: Setup, port: int) -> list[str]:
    return [*_unicoro_native(setup, port), *_encrypted(setup), "--http-protocols", "h2,h1"]


def _encrypted(setup: Setup) -> list[str]:
    return ["--certfile", str(certificate(setup)), "--ciphersuites", CIPHERS]


def the_file(setup: Setup, name: str = FILE_NAME, size: int = FILE_BYTES) -> Path:
    """What the servers of files send."""
    path = setup.folder / name
    if not path.exists():
        path.write_bytes(b"x" * size)
        path.chmod(0o644)
    return path


# What both agree on with any client of today.
CIPHERS = "TLS_AES_128_GCM_SHA256"


def certificate(setup: Setup) -> Path:
    """With its key, for the servers of HTTPS."""
    path = setup.folder / "certificate.pem"
    if not path.exists():
        key = setup.folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-subj", "/CN=localhost", "-days", "30", "-keyout", key, "-out", path], check=True, capture_output=True)
        path.write_text(path.read_text() + key.read_text())
    return path


NGINX_CONF = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
worker_rlimit_nofile 20000;
events {{ worker_connections 19000; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  sendfile on;
  tcp_nopush on;
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    default_type "text/plain; charset=utf-8";
    location / {{ return 200 "Hello, world!\\n"; }}
    location = /{file} {{ root {folder}; }}
  }}
  {tls}
}}
"""

NGINX_TLS = """server {{
    listen 127.0.0.1:{port} ssl http2 backlog=2048;
    ssl_certificate {certificate};
    ssl_certificate_key {certificate};
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites {ciphers};
    default_type "text/plain; charset=utf-8";
    location / {{ return 200 "Hello, world!\n"; }}
    location = /{file} {{ root {folder}; }}
  }}"""


def _nginx(setup: Setup, port: int, tls: bool = False) -> list[str]:
    conf = setup.folder / "nginx.conf"
    encrypted = NGINX_TLS.format(
        folder=setup.folder, port=port, certificate=certificate(setup), ciphers=CIPHERS,
        file=the_file(setup, SMALL_NAME, SMALL_BYTES).name,
    ) if tls else ""
    # Where HTTPS is measured, what is clear has a port that nobody asks.
    clear = free_port() if tls else port
    conf.write_text(NGINX_CONF.format(folder=setup.folder, port=clear, file=the_file(setup).name, tls=encrypted))
    return [_nginx_path() or "nginx", "-p", str(setup.folder), "-c", str(conf)]


def _nginx_path() -> str | None:
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")


def _has(*modules: str) -> Callable[[Setup], bool]:
    """Can that Python import all of these?"""

    def needs(setup: Setup) -> bool:
        if not setup.python.exists():
            return False
        probe = f"import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, {modules!r})))"
        return subprocess.run([str(setup.python), "-c", probe], check=False).returncode == 0

    return needs


def _built(*parts: str) -> Callable[[Setup], bool]:
    return lambda setup: all((setup.build / part).exists() for part in parts)


def _all(*conditions: Callable[[Setup], bool]) -> Callable[[Setup], bool]:
    return lambda setup: all(each(setup) for each in conditions)


def baseline(name: str = "epoll baseline") -> Contender:
    return Contender(name, _baseline, _built("bench/bench_baseline"))


def nginx(name: str) -> Contender:
    return Contender(name, _nginx, lambda setup: _nginx_path() is not None)


def nginx_tls(name: str) -> Contender:
    return Contender(
        name, lambda setup, port: _nginx(setup, port, tls=True), lambda setup: _nginx_path() is not None, scheme="https"
    )


def unicoro_tls(name: str) -> Contender:
    return Contender(name, _unicoro_tls, _built("unicoro", "bench/libbench_file.so"), scheme="https")


def unicoro_http2(name: str) -> Contender:
    return Contender(name, _unicoro_http2, _built("unicoro", "examples/native/libhello.so"), scheme="https")


def unicoro_native(name: str = "unicoro native") -> Contender:
    return Contender(name, _unicoro_native, _built("unicoro", "examples/native/libhello.so"))


def unicoro_file(name: str) -> Contender:
    return Contender(name, _unicoro_file, _built("unicoro", "bench/libbench_file.so"))


def unicoro(name: str, module: str, worker_class: str, *more: str, modules: tuple[str, ...] = ()) -> Contender:
    """`modules` are what the application imports; greenlets need gevent."""
    return Contender(
        name, _unicoro_python(module, worker_class, *more), _all(_built("unicoro"), _has(*modules))
    )


def gunicorn(name: str, module: str, *more: str, modules: tuple[str, ...] = ()) -> Contender:
    return Contender(name, _gunicorn(module, *more), _has("gunicorn", "gevent", *modules))


def granian(name: str, module: str, interface: str, *more: str) -> Contender:
    return Contender(name, _granian(module, interface, *more), _has("granian"))


def uvicorn(name: str, module: str, *more: str, modules: tuple[str, ...] = ()) -> Contender:
    return Contender(name, _uvicorn(module, *more), _has("uvicorn", "uvloop", "httptools", *modules))


def bjoern(name: str, module: str, modules: tuple[str, ...] = ()) -> Contender:
    return Contender(name, _bjoern(module), _has("bjoern", *modules))


def bare_loop(name: str) -> Contender:
    return Contender(name, _bare_loop, _has("flask"), is_loop=True)


def answers(port: int, scheme: str = "http") -> bool:
    """True when a request gets status 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as plain:
            sock = ANY_SERVER.wrap_socket(plain) if scheme == "https" else plain
            sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return sock.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def _any_server() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


ANY_SERVER = _any_server()


class Running:
    """A contender at work on `core`. Ended by its pid at the end of the `with` block."""

    def __init__(self, contender: Contender, setup: Setup, core: int | str):
        self.port = free_port()
        self.contender = contender
        self.setup = setup
        self.log = setup.folder / f"{contender.name.replace(' ', '-').replace('/', '')}.log"
        command = ["taskset", "-c", str(core), *contender.command(setup, self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=setup.folder
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def __enter__(self) -> "Running":
        deadline = time.monotonic() + START_LIMIT
        while not answers(self.port, self.contender.scheme):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError(f"{self.contender.name} does not serve:\n{self.log.read_text()}")
            time.sleep(0.02)
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
