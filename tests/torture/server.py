# SPDX-License-Identifier: MIT
"""The server of one round: how it is started and what is seen of it from outside."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from findings import Finding, of_log, of_sanitizers, of_stderr
from plan import FILE, FILES, Round
from wire import Wire

from harness import processes
from harness.addresses import free_port
from harness.paths import BUILD
from harness.sanitizers import OPTIONS, SUPPRESSIONS
from harness.server import Server

HERE = Path(__file__).resolve().parent
NATIVE = BUILD / "tests" / "torture" / "native" / "libtorture.so"

# What differs from the other suites'; README.md says why.
ASAN_OPTIONS = {**OPTIONS, "handle_segv": 2, "handle_abort": 2}
START = 60.0
HANDSHAKES = 3  # at once: fewer than there are clients


def environment(what: Round, folder: Path) -> dict[str, str]:
    asan = {**ASAN_OPTIONS, "log_path": folder / "asan", "suppressions": SUPPRESSIONS}
    return {
        "ASAN_OPTIONS": ":".join(f"{key}={value}" for key, value in asan.items()),
        # Every object is one of malloc: its use after the end is seen, and its leak counted.
        "PYTHONMALLOC": "malloc",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
        "UNICORO_POOLS": "on" if what.pools else "off",
        "TORTURE_LIFESPAN": str(folder / "lifespan"),
    }


def certificate(folder: Path) -> Path:
    """Of nobody, with its key; clients take any."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "certificate.pem"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(["openssl", "req", "-x509", *key, "-subj", "/CN=torture", "-keyout", made, "-out", made.with_suffix(".crt")],
                   check=True, capture_output=True)
    made.write_text(made.read_text() + made.with_suffix(".crt").read_text())
    return made


def site(folder: Path) -> Path:
    """A folder that the server answers from, with a file for each who asks and one that applications have sent."""
    made = folder / "site"
    made.mkdir(parents=True, exist_ok=True)
    (made / "data").write_bytes(FILE)
    (made / "everybody").write_bytes(b"file of everybody\n" * 30_000)
    return made


class Victim:
    def __init__(self, what: Round, folder: Path, python: Path, sanitized: bool):
        self.what = what
        self.folder = folder
        env = environment(what, folder)
        if not sanitized:
            del env["PYTHONMALLOC"]
        # What Python prints by itself must not stand between the entries of the log.
        self.log = folder / "error.log"
        config = {**what.settings, "pythonpath": [str(HERE / "apps")], "errorlog": str(self.log)}
        if not what.kind.native:
            config["python"] = str(python)
        config["static"] = {FILES: str(site(folder))}
        config["x_accel_redirect"] = True
        self.admin = folder / "admin.sock"
        self.agent: int | None = None
        if what.watched:
            config["admin_bind"] = [f"unix:{self.admin}"]
            config["health_path"] = "/never/asked/either"
            self.agent = free_port()
            config["agent_check_bind"] = [f"127.0.0.1:{self.agent}"]
            config["endpoint_load_metrics"] = True
        if what.encrypted:
            config["certfile"] = str(certificate(folder))
            config["tls_max_handshakes"] = HANDSHAKES
        if what.shaped_log:
            config["accesslog"] = str(folder / "access.log")
        arguments = list(what.kind.arguments)
        if what.kind.native:
            arguments.append(f"{NATIVE}:app")
        self.server = Server(folder, arguments, config=config, env=env)
        self.server.error_log = self.log
        self.address = self.server.address
        self.ended_at: float | None = None

    def start(self) -> None:
        self.server.wait_ready(START)

    # what it has

    def workers(self) -> list[int]:
        return self.server.workers()

    def descriptors(self) -> dict[str, int]:
        """How many of each sort its worker with the most sockets has."""
        most: dict[str, int] = {"sockets": 0, "files": 0, "all": 0}
        for pid in self.workers():
            found = {"sockets": 0, "files": 0, "all": 0}
            try:
                for each in os.scandir(f"/proc/{pid}/fd"):
                    try:
                        target = os.readlink(each.path)
                    except OSError:
                        continue
                    found["all"] += 1
                    found["sockets"] += target.startswith("socket:")
                    found["files"] += target.startswith("/")
            except OSError:
                continue
            most = {key: max(most[key], found[key]) for key in most}
        return most

    def master_descriptors(self) -> int:
        return processes.fd_count(self.server.pid)

    def state(self, prefix: str) -> dict | None:
        """What the application tells of its worker; None when it does not answer."""
        try:
            wire = Wire(self.address, 20)
        except OSError:
            return None
        try:
            if self.what.encrypted:
                wire.encrypt("http/1.1")
            wire.send(f"GET {prefix}/report HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            body = b"".join(wire.body(wire.head()))
            return json.loads(body)
        except Exception:
            return None
        finally:
            wire.close()

    def sizes(self) -> tuple[int, int]:
        """Resident bytes of the master and of its largest worker."""
        workers = max((_resident(pid) for pid in self.workers()), default=0)
        return _resident(self.server.pid), workers

    # what is done to it

    def send(self, number: int) -> None:
        self.server.send(number)

    def ask_what_runs(self) -> None:
        """Each worker tells of its requests in flight."""
        for pid in self.workers():
            processes.kill(pid, signal.SIGUSR2)

    def term_worker(self) -> None:
        workers = self.workers()
        if workers:
            processes.kill(workers[0], signal.SIGTERM)

    def wait_exit(self, limit: float) -> int | None:
        """The exit code; None when it does not end in time."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if not self.server.child.running:
                return self.server.wait_exit(1)
            time.sleep(0.02)
        return None

    def destroy(self) -> None:
        self.server.destroy()

    # what it wrote

    def findings(self) -> list[Finding]:
        said = self.server.stderr_path.read_text(errors="replace")
        return of_sanitizers(self.folder) + of_log(self.server.log()) + of_stderr(said)

    def lifespans(self) -> dict[str, set[int]]:
        """Pids by lifespan event."""
        found: dict[str, set[int]] = {"lifespan.startup": set(), "lifespan.shutdown": set()}
        path = self.folder / "lifespan"
        for line in path.read_text().splitlines() if path.exists() else []:
            event, pid, _ = line.split()
            found[event].add(int(pid))
        return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0
