# SPDX-License-Identifier: MIT
"""What stands beside the server in these tests: databases, nginx, slow upstreams. Each is a private
instance on loopback or a unix socket, with its files in a folder of its own."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from harness import processes
from harness.addresses import free_port
from harness.server import clean_environment
from harness.waiting import LONG, wait_until


class Service:
    """A program that runs until `stop`. `answers` tells whether it can be used."""

    def __init__(self, argv: list[str], folder: Path, answers, end_signal: int = 15):
        self.folder = folder
        self.log_path = folder / "service.log"
        self.end_signal = end_signal
        log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            self.child = processes.spawn(
                argv, env=clean_environment(), cwd=str(folder), stdout=log, stderr=log
            )
        finally:
            os.close(log)
        processes.services.add(self.child.pid)
        try:
            wait_until(lambda: not self.child.running or answers(), f"{argv[0]} answers", 30)
            assert self.child.running, f"{argv[0]} ended: {self.log_path.read_text()}"
        except AssertionError:
            self.stop()
            raise

    def stop(self) -> None:
        try:
            self.child.send(self.end_signal)
            self.child.wait(LONG)
        finally:
            self.child.destroy()
            processes.services.discard(self.child.pid)


def redis_instance(folder: Path) -> tuple[Service, int]:
    import redis

    port = free_port()
    client = redis.Redis(port=port)

    def answers() -> bool:
        try:
            return client.ping()
        except redis.exceptions.ConnectionError:
            return False

    argv = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    service = Service([*argv, "--save", "", "--appendonly", "no"], folder, answers)
    client.close()
    return service, port


def postgres_programs() -> Path | None:
    """The newest folder with initdb and postgres, as Debian has them outside PATH."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda path: float(path.parent.name))
    beside_path = shutil.which("initdb")
    return Path(beside_path).parent if beside_path else None


class Postgres:
    """A cluster with trust authentication. PostgreSQL refuses to run as root, so root lends it the
    account that Debian's package makes."""

    def __init__(self, most_connections: int = 100):
        programs = postgres_programs()
        assert programs, "PostgreSQL is not installed"
        self.folder = Path(tempfile.mkdtemp(prefix="unicoro-pg-"))
        self.port = free_port()
        prefix = []
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        data = str(self.folder / "data")
        make = [*prefix, str(programs / "initdb"), "-D", data, "-U", "unicoro", "-A", "trust"]
        made = subprocess.run(
            [*make, "--no-sync", "--no-locale", "-E", "UTF8"],
            cwd=self.folder, env=clean_environment(), capture_output=True, text=True, timeout=60,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "max_connections": most_connections,
            "fsync": "off",
            "synchronous_commit": "off",
        }
        serve = [*prefix, str(programs / "postgres"), "-D", data]
        for name, value in options.items():
            serve += ["-c", f"{name}={value}"]
        # SIGINT is its fast shutdown: sessions that applications keep are ended too.
        self.service = Service(serve, self.folder, self._answers, end_signal=2)

    def _answers(self) -> bool:
        import psycopg2

        try:
            self.connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def connect(self):
        import psycopg2

        connection = psycopg2.connect(
            host="127.0.0.1", port=self.port, user="unicoro", dbname="postgres"
        )
        connection.autocommit = True
        return connection

    def stop(self) -> None:
        self.service.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Upstream:
    """An HTTP service whose answers wait for company: /meet?party=N answers when N requests are there
    at once, so that only a client that really asks concurrently gets an answer."""

    def __init__(self):
        self.lock = threading.Condition()
        self.parties: dict[str, int] = {}
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                url = urlsplit(self.path)
                query = parse_qs(url.query)
                size = int(query.get("party", ["1"])[0])
                met = upstream.meet(query.get("name", [url.path])[0], size)
                self.answer(200 if met else 504, f"{url.path} {size}".encode())

            def do_POST(self):
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = b""
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(200, body)

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Listener(ThreadingHTTPServer):
            request_queue_size = 512
            daemon_threads = True

        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.listener.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.server_address[1]}"

    def meet(self, name: str, size: int) -> bool:
        with self.lock:
            self.parties[name] = self.parties.get(name, 0) + 1
            self.lock.notify_all()
            return self.lock.wait_for(lambda: self.parties[name] >= size, LONG)

    def stop(self) -> None:
        self.listener.shutdown()
        self.listener.server_close()
        self.thread.join(LONG)


NGINX_CONF = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    upstream application {{ server {address[0]}:{address[1]}; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 64m;
{locations}
    }}
}}
"""


def nginx_before(address, locations: str, folder: Path) -> tuple[Service, int]:
    """nginx as reverse proxy of `address`, which `locations` name `http://application`."""
    folder.mkdir()
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    conf = NGINX_CONF.format(
        folder=folder, user=user, address=address, port=port, locations=locations
    )
    (folder / "nginx.conf").write_text(conf)

    def answers() -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", port)) == 0

    nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    argv = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    return Service(argv, folder, answers), port
