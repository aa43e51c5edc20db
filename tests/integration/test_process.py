# SPDX-License-Identifier: MIT
"""The process as the system sees it: pidfile, daemon, user and group."""

import os
import pwd
import grp
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness import processes
from harness.addresses import free_port
from harness.client import get
from harness.paths import HELLO, probe
from harness.waiting import wait_until

APPS = Path(__file__).parent / "python_apps"


def test_pidfile(start, tmp_path):
    path = tmp_path / "unicoro.pid"
    server = start("-p", path, probe())
    assert path.read_text() == f"{server.pid}\n"
    assert server.stop() == 0
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    ["", "999999999\n", "1\n", f"{os.getpid()}\n", "nonsense"],
    ids=["empty", "of nobody", "of init", "of another program", "nonsense"],
)
def test_stale_pidfile_does_not_block(start, tmp_path, content):
    path = tmp_path / "unicoro.pid"
    path.write_text(content)
    server = start("-p", path, probe())
    assert path.read_text() == f"{server.pid}\n"


def test_live_pidfile_blocks(start, tmp_path):
    path = tmp_path / "unicoro.pid"
    first = start("-p", path, probe())
    second = start("-p", path, probe(), ready=False)
    second.allow("unicoro.pid")
    assert second.wait_exit() == 1
    second.wait_log(rf"already running on PID {first.pid} .*unicoro\.pid")
    assert path.read_text() == f"{first.pid}\n"
    assert first.get("/pid").status == 200


def test_pidfile_of_a_killed_master_does_not_block(start, tmp_path):
    path = tmp_path / "unicoro.pid"
    first = start("-p", path, probe())
    (worker,) = first.workers()
    processes.kill(first.pid, signal.SIGKILL)
    first.wait_exit()
    second = start("-p", path, probe())
    assert path.read_text() == f"{second.pid}\n"
    wait_until(lambda: processes.state(worker) == "Z", "the orphan ends")
    os.waitpid(worker, 0)


@pytest.fixture
def daemon(command, tmp_path):
    """Runs the command with --daemon; gives (result, pid of the daemon or None)."""
    pids = []

    def run(*args):
        path = tmp_path / "daemon.pid"
        result = command("--daemon", "-p", path, "--error-logfile", "error.log", *args)
        if path.exists():
            pids.append(int(path.read_text()))
            return result, pids[-1]
        return result, None

    yield run
    for pid in pids:
        if not Path(f"/proc/{pid}").exists():
            continue
        processes.kill(pid, signal.SIGTERM)
        wait_until(lambda: processes.state(pid) == "Z", "the daemon ends")
        os.waitpid(pid, 0)


def test_daemon_serves_when_the_command_returns(daemon, tmp_path):
    port = free_port()
    result, pid = daemon("-b", f"127.0.0.1:{port}", HELLO)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert get(("127.0.0.1", port)).status == 200
    assert os.getsid(pid) != os.getsid(0)
    assert os.getpgid(pid) != os.getpgid(0)
    for fd in (0, 1, 2):
        assert os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null"
    assert os.readlink(f"/proc/{pid}/cwd") == str(tmp_path)
    processes.kill(pid, signal.SIGTERM)
    wait_until(lambda: processes.state(pid) == "Z", "the daemon ends")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert not (tmp_path / "daemon.pid").exists()
    assert "Shutting down: Master" in (tmp_path / "error.log").read_text()


def test_daemon_that_cannot_start_says_so(daemon, tmp_path):
    result, pid = daemon("-b", f"127.0.0.1:{free_port()}", "./libmissing.so:app")
    assert result.returncode == 4
    assert "libmissing.so" in (tmp_path / "error.log").read_text()
    wait_until(lambda: _reap_all(), "the failed daemon is gone")


def _reap_all() -> bool:
    """The daemon is not our child by birth, but comes to us when its starter ends."""
    for child in processes.children(os.getpid()):
        if processes.state(child) == "Z":
            os.waitpid(child, 0)
    return not processes.children(os.getpid())


def test_winch_and_ttin_in_the_background(daemon):
    port = free_port()
    _, pid = daemon("-w", "2", "-b", f"127.0.0.1:{port}", HELLO)
    assert len(processes.children(pid)) == 2
    processes.kill(pid, signal.SIGWINCH)
    wait_until(lambda: processes.children(pid) == [], "no workers after WINCH")
    assert processes.alive(pid)
    processes.kill(pid, signal.SIGTTIN)
    wait_until(lambda: len(processes.children(pid)) == 1, "a worker after TTIN")
    assert get(("127.0.0.1", port)).status == 200
    processes.kill(pid, signal.SIGHUP)
    wait_until(lambda: processes.children(pid), "workers after HUP")


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the user needs root")
def test_user_and_group(start, tmp_path):
    user = pwd.getpwnam("nobody")
    group = grp.getgrgid(user.pw_gid)
    server = start("-u", "nobody", "-g", group.gr_name, HELLO)
    (worker,) = server.workers()
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{worker}/status").read_text().splitlines()
    )
    assert fields["Uid"].split() == [str(user.pw_uid)] * 4
    assert fields["Gid"].split() == [str(user.pw_gid)] * 4
    assert set(fields["Groups"].split()) <= {str(user.pw_gid)}
    assert os.stat(f"/proc/{server.pid}").st_uid == 0


ROOT_ENVIRONMENT = {"HOME": "/root", "USER": "root", "LOGNAME": "root"}


def identity(server) -> list[str]:
    return [server.get(f"/environ?name={name}").text for name in ROOT_ENVIRONMENT]


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the user needs root")
def test_an_unprivileged_worker_has_its_own_home(start):
    user = pwd.getpwnam("nobody")
    server = start("-u", "nobody", probe(), env=ROOT_ENVIRONMENT)
    assert identity(server) == [user.pw_dir, "nobody", "nobody"]


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the user needs root")
def test_a_user_without_a_name_has_a_home(start):
    server = start("-u", "54321", probe(), env=ROOT_ENVIRONMENT)
    assert identity(server) == ["/", "", ""]


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the user needs root")
def test_raw_env_has_the_last_word_about_home(start):
    server = start("-u", "nobody", "-e", "HOME=/srv", "-e", "USER=somebody", probe(), env=ROOT_ENVIRONMENT)
    assert identity(server) == ["/srv", "somebody", "nobody"]


@pytest.mark.parametrize("args", [[], ["-g", str(os.getegid())], ["-u", str(os.geteuid())]])
def test_who_stays_who_it_is_keeps_its_environment(start, args):
    server = start(*args, probe(), env={"HOME": "/somewhere", "USER": "someone", "LOGNAME": "someone"})
    assert identity(server) == ["/somewhere", "someone", "someone"]


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the user needs root")
@pytest.mark.parametrize("args", [[], ["--preload"]])
def test_python_sees_its_own_home(start, args):
    user = pwd.getpwnam("nobody")
    server = start(
        *args, "-u", "nobody", "--pythonpath", APPS, "--python", sys.executable, "identity_probe:app",
        env=ROOT_ENVIRONMENT,
    )
    assert server.get("/").text.split() == [user.pw_dir, user.pw_dir, "nobody", "nobody"]


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the user needs root")
def test_root_warns_of_an_interpreter_that_others_can_change(start):
    """Who can write it is root at the next start."""
    with tempfile.TemporaryDirectory(prefix="unicoro-venv-") as folder:
        os.chmod(folder, 0o755)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        arguments = ["-u", "nobody", "--python", folder, "--pythonpath", APPS, "identity_probe:app"]
        first = start(*arguments)
        assert "root runs" not in first.log()
        shutil.chown(Path(folder, "bin"), "nobody")
        second = start(*arguments)
        second.wait_log(rf"root runs {folder}/bin/python, which nobody can change \({folder}/bin\): ")
