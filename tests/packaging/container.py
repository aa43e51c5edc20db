# SPDX-License-Identifier: MIT
"""A fresh Debian 12 that is booted with systemd: made by debootstrap once, started by systemd-nspawn on a
layer in memory, so that each start finds it as it was made."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

SUITE = "bookworm"
BOOT_TIME = 120.0
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
}


def make_root(root: Path) -> None:
    """The smallest Debian with systemd, fetched as this machine fetches its packages. Once."""
    done = root.with_name(root.name + ".made")
    if done.exists():
        return
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(
        ["debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus", SUITE, root], check=True
    )
    asked = subprocess.run(["apt-config", "dump", "Acquire"], check=True, capture_output=True, text=True)
    (root / "etc/apt/apt.conf.d/99acquire").write_text(asked.stdout)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    shutil.rmtree(root / "var/cache/apt/archives")
    (root / "var/cache/apt/archives").mkdir()
    done.touch()


class Container:
    """One start of it. The network is this machine's."""

    def __init__(self, root: Path, packages: Path, downloads: Path):
        downloads.mkdir(exist_ok=True)
        self.log = tempfile.TemporaryFile("w+")
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--directory", root, "--boot", "--volatile=overlay",
             "--register=no", "--keep-unit", "--console=read-only", "--resolv-conf=off",
             "--machine", f"unicoro-{os.getpid()}",
             f"--bind-ro={packages}:/packages", f"--bind={downloads}:/var/cache/apt/archives"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
        )
        self.init = 0
        self.wait_until(self._is_up, "the container is up", BOOT_TIME)

    def _is_up(self) -> bool:
        assert self.nspawn.poll() is None, "systemd-nspawn ended: " + self.said()
        children = Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split()
        if not children:
            return False
        self.init = int(children[0])
        return self.run("systemctl", "is-active", "multi-user.target", check=False).returncode == 0

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def run(self, *command, check: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess:
        """Runs a command in it; what fails tells what it wrote."""
        result = subprocess.run(
            ["nsenter", "--all", "--root", "--wd=/", "--target", str(self.init), *command],
            env=ENVIRONMENT, input=stdin, capture_output=True, text=True, timeout=600,
        )
        assert not check or result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
        return result

    def out(self, *command) -> str:
        return self.run(*command).stdout.strip()

    def shell(self, script: str) -> str:
        return self.out("sh", "-ec", script)

    def write(self, path: str, text: str) -> None:
        self.run("install", "-D", "-m", "644", "/dev/stdin", path, stdin=text)

    def wait_until(self, condition, what: str, timeout: float = 30.0):
        deadline = time.monotonic() + timeout
        while not (value := condition()):
            assert time.monotonic() < deadline, f"not within {timeout} s: {what}\n{self.said()}"
            time.sleep(0.05)
        return value

    def close(self) -> None:
        # It tells systemd to power off; what does not obey is ended with its namespaces.
        if self.nspawn.poll() is None and self.init:
            os.kill(self.init, signal.SIGRTMIN + 4)
        try:
            self.nspawn.wait(60)
        except subprocess.TimeoutExpired:
            self.nspawn.kill()
            self.nspawn.wait()
        self.log.close()
