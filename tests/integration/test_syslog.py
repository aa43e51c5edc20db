# SPDX-License-Identifier: MIT
"""Both logs on their way to syslog and to the journal, as the settings say."""

import re
import select
import signal
import socket
import struct
import sys
from pathlib import Path

import pytest

from harness.paths import HELLO
from harness.waiting import LONG, wait_until

APPS = Path(__file__).parent / "python_apps"


class Daemon:
    """What syslog listens at, and the messages that have come to it."""

    def __init__(self, sock):
        self.sock = sock
        self.messages: list[str] = []

    def take(self) -> list[str]:
        while select.select([self.sock], [], [], 0)[0]:
            self.messages.append(self.sock.recv(1 << 20).decode())
        return self.messages

    def wait(self, pattern: str) -> re.Match:
        found = wait_until(
            lambda: [match for each in self.take() if (match := re.search(pattern, each, re.DOTALL))],
            f"{pattern} in what has come",
        )
        return found[0]


class StreamDaemon(Daemon):
    """One message a line, from each process over its own connection."""

    def __init__(self, sock):
        super().__init__(sock)
        self.texts: dict[socket.socket, bytes] = {}

    def take(self):
        while ready := select.select([self.sock, *self.texts], [], [], 0)[0]:
            if self.sock in ready:
                self.texts[self.sock.accept()[0]] = b""
                continue
            piece = ready[0].recv(65536)
            *lines, rest = (self.texts[ready[0]] + piece).split(b"\n")
            self.messages += [line.decode() for line in lines]
            self.texts[ready[0]] = rest
            if not piece:
                assert not rest
                del self.texts[ready[0]]
                ready[0].close()
        return self.messages

    def close(self):
        for each in (self.sock, *self.texts):
            each.close()


@pytest.fixture
def datagrams(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "log"))
        yield Daemon(sock)


@pytest.fixture
def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield Daemon(sock)


@pytest.fixture
def tcp():
    sock = socket.create_server(("127.0.0.1", 0))
    daemon = StreamDaemon(sock)
    yield daemon
    daemon.close()


def port(daemon) -> int:
    return daemon.sock.getsockname()[1]


def test_datagrams_as_syslog_writes_them(start, datagrams, tmp_path):
    server = start("--log-syslog", "--log-syslog-to", f"unix://{tmp_path}/log", "-n", "my:site",
                   "--log-syslog-facility", "local3", HELLO)
    begin = r"^<158>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d unicoro\.my\.site\."
    pid = datagrams.wait(begin + rf"error\[(\d+)\]: Listening at: .*\({server.pid}\)$").group(1)
    assert int(pid) == server.pid
    server.get("/?x")
    worker = datagrams.wait(begin + r'access\[(\d+)\]: 127\.0\.0\.1 - - .*"GET /\?x HTTP/1\.1" 200 ').group(1)
    assert [int(worker)] == server.workers()
    assert server.stop() == 0
    datagrams.wait(begin + rf"error\[{server.pid}\]: Shutting down: Master$")
    # The file is written as ever, and nothing comes twice.
    assert "Shutting down: Master" in server.log()
    assert len([each for each in datagrams.messages if "Shutting down: Master" in each]) == 1


def test_rfc_5424_over_udp_without_the_access_log(start, udp):
    server = start("--log-syslog", "--log-syslog-to", f"udp://127.0.0.1:{port(udp)}", "--log-syslog-prefix", "site",
                   "--log-syslog-format", "rfc5424", "--disable-redirect-access-to-syslog", HELLO)
    server.get("/")
    assert server.stop() == 0
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d"
    udp.wait(rf"^<14>1 {stamp} \S+ unicoro\.site\.error {server.pid} error - Shutting down: Master$")
    assert not [each for each in udp.messages if "access" in each]


def test_lines_over_tcp_of_each_process(start, tcp):
    server = start("-w", 2, "--log-syslog", "--log-syslog-to", f"tcp://localhost:{port(tcp)}", HELLO)
    for _ in range(20):
        server.get("/")
    tcp.wait(r"error\[\d+\]: Booting worker with pid")
    wait_until(lambda: len([each for each in tcp.take() if '"GET / HTTP/1.1" 200' in each]) == 20, "all requests")
    assert server.stop() == 0
    tcp.wait("Shutting down: Master$")
    assert all(each.startswith("<14>") for each in tcp.messages)


def test_what_python_code_logs(start, datagrams, tmp_path):
    server = start("--log-syslog", "--log-syslog-to", f"unix://{tmp_path}/log#dgram", "--pythonpath", APPS,
                   "--python", sys.executable, "logging_probe:app")
    server.get("/say")
    datagrams.wait(r"^<14>.* unicoro\.logging_probe\.app\.error\[\d+\]: INFO-LINE$")
    datagrams.wait(r"^<12>.*: WARN-LINE$")
    datagrams.wait(r'access\[\d+\]: .*"GET /say HTTP/1\.1" 200')


def test_python_shapes_access_lines(start, datagrams, tmp_path):
    conf = tmp_path / "gunicorn.conf.py"
    conf.write_text(
        "import logging\n"
        "def post_worker_init(worker):\n"
        "    logging.getLogger('gunicorn.access').addFilter(lambda record: '/quiet' not in str(record.msg))\n"
    )
    server = start("-c", conf, "--log-syslog", "--log-syslog-to", f"unix://{tmp_path}/log", "--pythonpath", APPS,
                   "--python", sys.executable, "logging_probe:app")
    for target in ("/quiet", "/heard"):
        server.get(target)
    datagrams.wait('"GET /heard HTTP')
    assert not [each for each in datagrams.messages if "/quiet" in each]


def fields_of(entry: bytes) -> dict[str, str]:
    fields = {}
    while entry:
        name, _, entry = entry.partition(b"\n")
        if b"=" in name:
            name, _, value = name.partition(b"=")
        else:
            (size,) = struct.unpack("<Q", entry[:8])
            value, entry = entry[8:8 + size], entry[9 + size:]
        fields[name.decode()] = value.decode()
    return fields


def test_the_journal(start, datagrams, tmp_path):
    server = start("--log-syslog", "--log-syslog-to", f"journald://{tmp_path}/log", "-n", "site", HELLO)
    server.get("/?a")
    datagrams.wait(r"HTTP_TARGET=/\?a\n")
    entries = [fields_of(each.encode()) for each in datagrams.messages]
    said = next(each for each in entries if each["MESSAGE"].startswith("Listening at"))
    assert said == {
        "PRIORITY": "6", "SYSLOG_FACILITY": "1", "SYSLOG_IDENTIFIER": "unicoro.site.error",
        "SYSLOG_PID": str(server.pid), "UNICORO_LOG": "error", "MESSAGE": said["MESSAGE"],
    }
    request = next(each for each in entries if each["UNICORO_LOG"] == "access")
    assert request["HTTP_STATUS"] == "200" and request["HTTP_METHOD"] == "GET"
    assert request["HTTP_CLIENT"] == "127.0.0.1" and int(request["HTTP_DURATION_USEC"]) >= 0


def test_a_daemon_that_is_not_there_costs_nothing_but_its_messages(start, tmp_path):
    server = start("--log-syslog", "--log-syslog-to", f"unix://{tmp_path}/log", HELLO)
    assert server.get("/").status == 200
    server.wait_log(rf"\[WARNING\] syslog at unix://{tmp_path}/log loses messages: No such file or directory")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "log"))
        daemon = Daemon(sock)

        def heard():
            server.get("/later")
            return [each for each in daemon.take() if "/later" in each]

        wait_until(heard, "messages arrive once there is a daemon", 2 * LONG)


@pytest.mark.parametrize("address", ["/dev/log", "udp://", "http://a", "unix://relative"])
def test_an_address_that_is_none(command, address):
    done = command("--log-syslog", "--log-syslog-to", address, HELLO)
    assert done.returncode == 2
    assert "--log-syslog-to" in done.stderr and "udp://HOST:PORT" in done.stderr and address in done.stderr


def test_a_host_that_is_none(command):
    done = command("--log-syslog", "--log-syslog-to", "udp://nowhere.invalid", HELLO)
    assert done.returncode == 1
    assert "syslog_addr: cannot look up 'nowhere.invalid'" in done.stderr


def test_a_reload_turns_it_on_and_off(start, datagrams, tmp_path):
    config = tmp_path / "unicoro.json"

    def write(syslog):
        config.write_text(f'{{"app": "{HELLO}", "syslog": {syslog}, "syslog_addr": "unix://{tmp_path}/log"}}')

    write("false")
    server = start("-c", config)
    for on in ("true", "false"):
        write(on)
        before = server.workers()
        server.send(signal.SIGHUP)
        wait_until(lambda: server.workers() and not set(server.workers()) & set(before), "other workers")
        server.get(f"/{on}")
    datagrams.wait('"GET /true HTTP')
    assert server.stop() == 0
    assert not [each for each in datagrams.take() if "/false" in each]
