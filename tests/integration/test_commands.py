# SPDX-License-Identifier: MIT
"""unicoro status, requests, top and those that act, on servers of all kinds."""

import json
import os
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import threading

import pytest

from harness.addresses import other_address
from harness.metrics import TOKEN, Monitor
from harness.paths import BINARY, ROOT, probe
from harness.server import clean_environment
from harness.waiting import LONG, wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
PYTHON = ("--python", sys.executable, "--pythonpath", APPS)
PRINTABLE = re.compile(r"[\x20-\x7e\n]*")


@pytest.fixture
def watched(start, tmp_path):
    def make(*args, **more):
        path = tmp_path / "admin.sock"
        server = start("--admin-bind", f"unix:{path}", *args, **more)
        wait_until(path.exists, "the monitor's socket is there")
        return server, Monitor(path), f"unix:{path}"

    return make


def refused(result, code, *parts):
    """It said why in one sentence, and nothing else."""
    assert result.returncode == code, result
    assert result.stdout == ""
    assert result.stderr.startswith("unicoro "), result.stderr
    for part in parts:
        assert part in result.stderr
    return result.stderr


def test_status(watched, command):
    server, _, where = watched("-w", 2, probe())
    wait_until(lambda: command("status", "--admin", where).returncode == 0, "it is ready")
    said = command("status", "--admin", where)
    assert re.match(rf"unicoro \S+: ready, 2 of 2 workers serve \(master {server.pid}, generation 1, up ", said.stdout)
    for pid in server.workers():
        assert re.search(rf"^ *{pid}  ready ", said.stdout, re.MULTILINE)
    status = json.loads(command("status", "--json", "--admin", where).stdout)
    assert status["master_pid"] == server.pid and status["ready"] is True
    assert command("requests", "--admin", where).stdout == "No request is in flight.\n"
    assert json.loads(command("requests", "--json", "--admin", where).stdout) == {"requests": [], "unlisted": 0}


def test_the_ways_to_a_server(start, command, tmp_path):
    (tmp_path / "admin").mkdir()
    config = {"admin_bind": ["unix:admin/a b.sock"], "pidfile": "app.pid", "workers": 1}
    server = start(probe(), config=config)
    wait_until((tmp_path / "admin" / "a b.sock").exists, "its socket")
    for way in (("--pid", server.pid), ("--pidfile", tmp_path / "app.pid"), ("-c", tmp_path / "unicoro.json"),
                ("--config=unicoro.json",), ("--admin", "unix:admin/a b.sock")):
        said = command("status", "--json", *way)
        assert said.returncode == 0, (way, said)
        assert json.loads(said.stdout)["master_pid"] == server.pid
    # What a file in Python says counts as well.
    (tmp_path / "conf.py").write_text("admin_bind = ['unix:admin/a b.sock']\nbind = '127.0.0.1:' + str(8000 + 1)\n")
    assert command("status", "-c", "conf.py", "--json", env={"VIRTUAL_ENV": sys.prefix}).returncode == 0


def test_loopback(start, command):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    server = start("--admin-bind", f"127.0.0.1:{port}", probe())
    for way in (("--admin", f"127.0.0.1:{port}"), ("--admin", f"http://localhost:{port}/"), ("--pid", server.pid)):
        said = command("status", "--json", *way)
        assert json.loads(said.stdout)["master_pid"] == server.pid, said


def test_not_ready(start, command, tmp_path):
    gate, path = tmp_path / "open", tmp_path / "admin.sock"
    server = start("--admin-bind", f"unix:{path}", *PYTHON, "-k", "gthread", "--threads", 2, "--graceful-timeout", 30,
                   "stuck_probe:app")
    with server.client() as client:
        client.request(f"/sleep?until={gate}")
        wait_until(lambda: "/sleep" in command("requests", "--pid", server.pid).stdout, "it is in there")
        server.send(signal.SIGTERM)
        said = wait_until(lambda: (got := command("status", "--admin", f"unix:{path}")).returncode == 1 and got, "it stops")
        assert ": stopping, " in said.stdout
        gate.write_text("")
        assert client.response().status == 200
    assert server.wait_exit() == 0


@pytest.mark.parametrize("manner", ["sleep", "busy"])
def test_requests_while_every_worker_is_stuck(watched, command, tmp_path, manner):
    gate = tmp_path / "open"
    server, monitor, where = watched(*PYTHON, "-w", 2, "-k", "sync", "--timeout", 60, "stuck_probe:app")
    clients = []

    def stuck():
        return {each["pid"] for each in monitor.json("/requests")["requests"]}

    while len(stuck()) < 2:
        assert len(clients) < 200
        clients.append(server.client())
        clients[-1].request(f"/{manner}?until={gate}&password=secret")
        wait_until(stuck, "one is stuck")
    said = command("requests", "--admin", where)
    assert said.returncode == 0
    for pid in server.workers():
        assert re.search(rf"^ *[\d.]+ s +{pid}  application  [0-9a-f-]+ +GET /{manner}$", said.stdout, re.MULTILINE), said.stdout
    assert "secret" not in said.stdout
    print(said.stdout)
    assert command("status", "--admin", where).returncode == 0
    line = command("top", "--count", 1, "--admin", where).stdout
    assert re.fullmatch(rf"ready  2/2 workers  - requests/s  in flight \d+ .* GET /{manner}\n", line)
    gate.write_text("")
    for client in clients:
        assert client.response().status == 200
        client.close()


def test_there_is_no_server(command, tmp_path):
    refused(command("status", "--admin", "unix:none.sock"), 3, "unix:none.sock", "No such file", "is the server running")
    refused(command("status", "--pidfile", "none.pid"), 3, "none.pid is not there")
    (tmp_path / "old.pid").write_text("999999999\n")
    refused(command("status", "--pidfile", "old.pid"), 3, "names process 999999999", "has ended")
    (tmp_path / "ours.pid").write_text(f"{os.getpid()}\n")
    refused(command("stop", "--pidfile", "ours.pid"), 3, "is no server")
    (tmp_path / "text.pid").write_text("\x1b[2J\n")
    refused(command("top", "--pidfile", "text.pid"), 2, "has no number of a process")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        refused(command("requests", "--admin", f"127.0.0.1:{sock.getsockname()[1]}"), 3, "Connection refused")
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "left.sock"))
    left.close()
    refused(command("status", "--admin", "unix:left.sock"), 3, "has gone and left the file behind")


def test_wrong_calls(command, tmp_path):
    refused(command("status", "--admin-token", "secret"), 2, "--token-file FILE")
    refused(command("status", "app:app"), 2, 'unexpected argument "app:app"')
    refused(command("status", "--admin", "/run/a.sock"), 2, "write unix:/run/a.sock")
    (tmp_path / "bad.json").write_text('{"workerz": 1}')
    refused(command("status", "-c", "bad.json"), 2, "bad.json are wrong", "workers")
    (tmp_path / "mute.json").write_text('{"workers": 1}')
    refused(command("status", "-c", "mute.json"), 2, "sets no admin_bind: set it to unix:PATH")
    refused(command("reload", "-c", "mute.json"), 2, "sets no pidfile")
    refused(command("status", "--token-file", "none", "--admin", "unix:x"), 2, "--token-file none: No such file")
    for name in ("status", "requests", "top", "reload", "stop", "workers", "upgrade"):
        said = command(name, "--help")
        assert said.returncode == 0 and said.stdout.startswith(f"usage: unicoro {name}") and said.stderr == ""


def test_an_application_of_that_name_is_served(start, command, tmp_path):
    (tmp_path / "status.py").write_text("def application(environ, start_response):\n"
                                        "    start_response('200 OK', [])\n    return [b'served']\n")
    server = start("status:application", "--python", sys.executable, "--pythonpath", tmp_path)
    assert server.get("/").body == b"served"
    assert "status:application" in command("--help").stdout or "APP:application" in command("--help").stdout


def test_no_admin_bind(start, command):
    server = start(probe())
    refused(command("status", "--pid", server.pid), 3, f"pid {server.pid}", "set it in its settings")


def test_several_servers(start, command, tmp_path):
    """Others of this machine may be listed with them."""
    servers = [start("--admin-bind", f"unix:{tmp_path}/{name}.sock", probe()) for name in ("one", "two")]
    for name in ("one", "two"):
        wait_until((tmp_path / f"{name}.sock").exists, "its socket")
    said = refused(command("status"), 2, "servers run: name one by --pid, --pidfile or --admin")
    for server, name in zip(servers, ("one", "two"), strict=True):
        assert re.search(rf"^  pid {server.pid}: unicoro: master \[.*\], --admin unix:{tmp_path}/{name}.sock$", said,
                         re.MULTILINE), said
    refused(command("stop"), 2, "servers run")


def test_the_only_server(tmp_path):
    """In a process namespace of its own, where nobody else's servers are."""
    alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs a process namespace (root)")
    script = f"""
        {BINARY} status; echo "none: $?"
        {BINARY} -D -b unix:{tmp_path}/public.sock --admin-bind unix:{tmp_path}/admin.sock --error-logfile log {probe()}
        until {BINARY} status > found 2> /dev/null; do sleep 0.05; done
        echo "one: $?"; cat found
        {BINARY} stop; echo "stopped: $?"
        {BINARY} status; echo "none: $?"
    """
    done = subprocess.run([*alone, "sh", "-c", script], cwd=tmp_path, env=clean_environment(), capture_output=True,
                          text=True, timeout=LONG, check=False)
    assert re.match(r"none: 3\none: 0\nunicoro \S+: ready, 1 of 1 workers", done.stdout), done
    assert re.search(r"the server with pid \d+ has stopped\nstopped: 0\nnone: 3\n$", done.stdout), done
    assert done.stderr.count("no server of this user's runs") == 2


def test_the_token(start, command, tmp_path):
    address = other_address()
    with socket.socket() as sock:
        sock.bind((address, 0))
        where = f"{address}:{sock.getsockname()[1]}"
    start(probe(), config={"admin_bind": [where], "admin_token": TOKEN})
    refused(command("status", "--admin", where), 3, "asks for the server's admin_token", "--token-file FILE")
    (tmp_path / "token").write_text(TOKEN + "\nand more\n")
    (tmp_path / "wrong").write_text("0123456789abcdef-wrong\n")
    (tmp_path / "odd").write_text("a b\n")
    said = refused(command("status", "--admin", where, "--token-file", "wrong"), 3, "refuses the token")
    assert "0123456789abcdef-wrong" not in said
    refused(command("status", "--admin", where, "--token-file", "odd"), 2, "has no token")
    refused(command("status", "--admin", where, env={"UNICORO_ADMIN_TOKEN": "a\r\nX: y"}), 2, "UNICORO_ADMIN_TOKEN")
    assert command("status", "--admin", where, "--token-file", "token").returncode == 0
    assert command("status", "--admin", where, env={"UNICORO_ADMIN_TOKEN": TOKEN}).returncode == 0
    assert command("status", "-c", "unicoro.json").returncode == 0


def test_who_may_not_open_the_socket(watched, tmp_path):
    _, _, where = watched(probe())
    if os.geteuid() != 0:
        pytest.skip("needs root, to be somebody else")
    folder = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    binary = os.open(BINARY, os.O_PATH)
    try:
        done = subprocess.run([f"/proc/self/fd/{binary}", "status", "--admin", f"unix:/proc/self/fd/{folder}/admin.sock"],
                              pass_fds=(folder, binary), user=65534, group=65534, extra_groups=[], cwd="/",
                              capture_output=True, text=True, timeout=LONG, check=False)
    except OSError as failed:
        pytest.skip(f"the binary cannot be run by others: {failed}")
    finally:
        os.close(folder)
        os.close(binary)
    if "loading shared libraries" in done.stderr:
        pytest.skip("the library cannot be read by others")
    refused(done, 3, "Permission denied", "user and group may ask there")


class Impostor(socketserver.BaseRequestHandler):
    """Answers each path with what the test wants."""

    answers: dict[str, bytes] = {}

    def handle(self):
        got = b""
        while b"\r\n\r\n" not in got:
            piece = self.request.recv(4096)
            if not piece:
                return
            got += piece
        path = got.split(b" ")[1].decode()
        answer = self.answers[path]
        if answer is not None:
            self.request.sendall(answer)


@pytest.fixture
def impostor(tmp_path):
    class Handler(Impostor):
        pass

    path = tmp_path / "impostor.sock"
    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()

        def answer(path_asked, body: bytes, head=b"HTTP/1.1 200 OK\r\n"):
            Handler.answers = {**Handler.answers, path_asked: head + b"\r\n" + body}

        yield f"unix:{path}", answer
        server.shutdown()
        thread.join()


def test_nothing_of_a_request_reaches_the_terminal_as_it_is(impostor, command):
    where, answer = impostor
    evil = {"worker": 0, "pid": 1, "age_seconds": 3, "method": "GET\x1b[2J", "path": "/\x1b]0;pwned\x07\r\n\x9b\x7f<b>é",
            "stage": "\x1b[31m"}
    answer("/requests", json.dumps({"requests": [evil], "unlisted": 0}, ensure_ascii=False).encode())
    status = {"version": "\x1b[2J", "ready": True, "stopping": False, "master_pid": 1, "workers_wanted": 1,
              "worker_ends": {"\x1bx": 2}, "workers": [{"pid": 1, "state": "\x1b[31m\n"}]}
    answer("/status", json.dumps(status, ensure_ascii=False).encode())
    for call in (("requests",), ("requests", "--json"), ("status",), ("status", "--json"), ("top", "--count", 2, "--interval", 0.1)):
        said = command(*call, "--admin", where)
        assert said.returncode == 0, said
        assert PRINTABLE.fullmatch(said.stdout), said.stdout
    assert r"GET\x1b[2J /\x1b]0;pwned\x07\x0d\x0a\xc2\x9b\x7f<b>\xc3\xa9" in command("requests", "--admin", where).stdout


def test_what_is_no_monitor(impostor, command):
    where, answer = impostor
    for body, part in ((b"[]", "not the status"), (b"{" * 100_000, "not the status"), (b"\x1b[2J", "not the status")):
        answer("/status", body)
        said = refused(command("status", "--admin", where), 3, part)
        assert PRINTABLE.fullmatch(said)
    for head, part in ((b"SSH-2.0-x\r\n", "does not answer as HTTP"), (b"HTTP/1.1 404 x\r\n", "is it the server's admin_bind?"),
                       (b"HTTP/1.1 500 \x1b[2J\r\n", "answers 500"), (b"HTTP/1.1 200 x\r\nContent-Length: 9\r\n", "cut off")):
        answer("/status", b"{}", head)
        said = refused(command("status", "--admin", where), 3, part)
        assert PRINTABLE.fullmatch(said)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(f"{where.removeprefix('unix:')}.mute")
        mute.listen(0)
        refused(command("status", "--admin", where + ".mute"), 3, "no answer within 5.0 s")
    answer("/status", b"x" * (17 << 20))
    refused(command("status", "--admin", where), 3, "more than 16 MiB")


def test_reload(start, command, tmp_path):
    config = {"admin_bind": [f"unix:{tmp_path}/admin.sock"], "workers": 1, "pidfile": "app.pid"}
    server = start(probe(), config=config)
    server.allow("Reload")
    wait_until((tmp_path / "admin.sock").exists, "its socket")
    said = command("reload", "-c", "unicoro.json")
    assert (said.returncode, said.stdout) == (0, "the reload is complete\n"), said
    # The settings take the socket elsewhere meanwhile.
    (tmp_path / "unicoro.json").write_text(json.dumps(config | {"admin_bind": [f"unix:{tmp_path}/other.sock"]}))
    said = command("reload", "--pid", server.pid)
    assert (said.returncode, said.stdout) == (0, "the reload is complete\n"), said
    assert json.loads(command("status", "--json", "--pid", server.pid).stdout)["generation"] == 3
    (tmp_path / "unicoro.json").write_text("{")
    refused(command("reload", "--pid", server.pid), 1, "the reload was refused", "error log says why")
    assert command("reload", "--pid", server.pid, "--no-wait").stdout.endswith("was told to reload\n")


def test_workers_and_stop(watched, command):
    server, _, _ = watched("-w", 1, probe())
    said = command("workers", "+1", "--pid", server.pid)
    assert (said.returncode, said.stdout) == (0, "one worker more: 2\n"), said
    assert len(server.workers()) == 2
    said = command("workers", "-1", "--pid", server.pid)
    assert (said.returncode, said.stdout) == (0, "one worker fewer: 1\n"), said
    refused(command("workers", "-1", "--pid", server.pid), 1, "there is one worker, and it stays")
    said = command("stop", "--pid", server.pid)
    # The test is its parent and has not collected it.
    assert (said.returncode, said.stdout) == (0, f"the server with pid {server.pid} has stopped\n"), said
    assert server.wait_exit() == 0


def test_acting_without_a_monitor(start, command):
    server = start("-w", 1, probe())
    said = command("workers", "+1", "--pid", server.pid)
    assert said.returncode == 0 and "its error log tells the outcome" in said.stdout
    server.wait_workers(2)
    said = command("stop", "--pid", server.pid)
    assert said.returncode == 0 and "has stopped" in said.stdout
    assert server.wait_exit() == 0


@pytest.mark.needs_plain_build("an upgrade starts another program")
def test_upgrade(watched, command):
    server, _, _ = watched("-w", 1, probe())
    said = command("upgrade", "--pid", server.pid)
    assert (said.returncode, said.stdout) == (0, "the upgrade is complete\n"), (said, server.log())


def test_a_stop_that_takes_longer(watched, command, tmp_path):
    gate = tmp_path / "open"
    server, monitor, _ = watched(*PYTHON, "-k", "gthread", "--threads", 2, "--graceful-timeout", 30, "stuck_probe:app")
    with server.client() as client:
        client.request(f"/sleep?until={gate}")
        wait_until(lambda: monitor.json("/requests")["requests"], "it is in there")
        refused(command("stop", "--pid", server.pid, "--timeout", 0.2), 1, "the stop is not done within 0.20 s")
        gate.write_text("")
        assert client.response().status == 200
    assert server.wait_exit() == 0
