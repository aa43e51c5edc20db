# SPDX-License-Identifier: MIT
"""WSGI applications in the real server."""

import json
import os
import re
import subprocess
import sys
import time

import pytest

from harness.client import Closed
from harness.paths import BINARY, ROOT
from harness.waiting import LONG, wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
FLASK_APP = ROOT / "examples" / "flask_app"
NO_CACHE = {"PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def serve(start):
    """serve(args..., app="wsgi_probe"): a server of an application in python_apps."""

    def factory(*args, app="wsgi_probe", env=None, **more):
        return start(
            "--python", sys.executable, "--pythonpath", APPS, *args, app,
            env=NO_CACHE | (env or {}), **more,
        )

    return factory


def read(client, count):
    """So many bytes as they come, without framing."""
    return client._exactly(count, time.monotonic() + LONG)


# --- Flask


@pytest.mark.parametrize("worker_class", ["sync", "async"])
def test_flask(start, worker_class):
    pytest.importorskip("flask")
    server = start(
        "--python", sys.executable, "-k", worker_class, "--chdir", FLASK_APP, "app:app", env=NO_CACHE
    )
    with server.client() as client:
        index = client.get("/")
        assert index.status == 200
        assert json.loads(index.body)["worker"] in server.workers()
        assert client.get("/hello/J%C3%BCrgen").body.decode() == "Hello, Jürgen!\n"
        body = os.urandom(100_000)
        assert client.get("/echo", method="POST", body=body).body == body
        streamed = client.get("/stream")
        assert streamed.header("Transfer-Encoding") == "chunked"
        assert streamed.text.splitlines()[9] == "line 9 for 127.0.0.1"
        assert client.get("/missing").status == 404
        assert client.get("/echo").status == 405
        assert client.get("/hello/x", method="HEAD").header("Content-Length") == "10"


# --- responses


def test_one_connection_many_requests(serve):
    with serve().client() as client:
        for _ in range(50):
            answer = client.get("/hello")
            assert (answer.status, answer.body) == (200, b"hello")
            assert answer.header("Content-Length") == "5"
        client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        assert [client.response().body for _ in range(20)] == [b"hello"] * 20


def test_pieces_are_sent_as_they_come(serve, gate):
    server = serve()
    with server.client() as client:
        client.request(f"/stream?gate={gate.path}")
        assert client.head().header("Transfer-Encoding") == "chunked"
        gate.wait_entered()
        assert read(client, 10) == b"5\r\nfirst\r\n"
        gate.release()
        expected = b"6\r\nsecond\r\n0\r\n\r\n"
        assert read(client, len(expected)) == expected
        assert client.get("/was_closed").body == b"stream"


@pytest.mark.parametrize(
    ("code", "body"), [(200, b"body"), (204, b""), (304, b""), (404, b"body"), (599, b"body")]
)
def test_status(serve, code, body):
    with serve().client() as client:
        answer = client.get(f"/status?code={code}")
        assert (answer.status, answer.reason, answer.body) == (code, "Something", body)
        assert client.get("/hello").body == b"hello"


def test_head_has_no_body(serve):
    with serve().client() as client:
        answer = client.get("/hello", method="HEAD")
        assert answer.header("Content-Length") == "5"
        assert client.get("/hello").body == b"hello"


@pytest.mark.parametrize("options", [[], ["--no-sendfile"]])
def test_file_wrapper(serve, tmp_path, options):
    content = os.urandom(300_000)
    (tmp_path / "content").write_bytes(content)
    with serve(*options).client() as client:
        whole = client.get(f"/file?path={tmp_path}/content")
        assert whole.body == content
        part = client.get(f"/file?path={tmp_path}/content&offset=299990")
        assert part.body == content[-10:]
        expected = ("Content-Length", "10") if not options else ("Transfer-Encoding", "chunked")
        assert part.header(expected[0]) == expected[1]


def test_validator_has_no_complaint(serve):
    with serve(app="wsgi_probe:valid").client() as client:
        assert client.get("/hello").body == b"hello"
        assert client.get("/hello?a=b", method="POST", body=b"x" * 5000).body == b"hello"


# --- requests


def test_environ(serve):
    server = serve("-w", "2")
    with server.client() as client:
        client.send(
            "GET /environ/a%20b?c=%20d HTTP/1.1\r\nHost: shop.example\r\nX-Two: 1\r\nX-Two: 2\r\n"
            "X_Under: score\r\n\r\n"
        )
        seen = json.loads(client.response().body)
    assert seen["PATH_INFO"] == "/environ/a b"
    assert seen["QUERY_STRING"] == "c=%20d"
    assert seen["RAW_URI"] == "/environ/a%20b?c=%20d"
    assert seen["HTTP_HOST"] == "shop.example"
    assert seen["HTTP_X_TWO"] == "1,2"
    assert "HTTP_X_UNDER" not in seen
    assert (seen["SERVER_NAME"], seen["SERVER_PORT"]) == ("127.0.0.1", str(server.address[1]))
    assert seen["REMOTE_ADDR"] == "127.0.0.1" and seen["REMOTE_PORT"].isdigit()
    assert re.fullmatch(r"unicoro/\d+\.\d+\.\d+", seen["SERVER_SOFTWARE"])
    assert seen["wsgi.multiprocess"] == "True" and seen["wsgi.multithread"] == "False"
    assert seen["wsgi.version"] == "(1, 0)"


def test_bytes_that_are_not_ascii_in_the_target(serve):
    server = serve()
    with server.client() as client:
        client.send(b"GET /environ/caf\xc3\xa9/\xff?q=\xe9 HTTP/1.1\r\nHost: a\r\n\r\n")
        seen = json.loads(client.response().body)
    assert seen["PATH_INFO"].encode("latin-1") == b"/environ/caf\xc3\xa9/\xff"
    assert seen["RAW_URI"].encode("latin-1") == b"/environ/caf\xc3\xa9/\xff?q=\xe9"
    assert seen["QUERY_STRING"].encode("latin-1") == b"q=\xe9"


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
def test_body(serve, size):
    body = os.urandom(size)
    with serve().client() as client:
        assert client.get("/echo", method="POST", body=body).body == body
        client.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, size, 50_000):
            piece = body[start : start + 50_000]
            client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        client.send("0\r\n\r\n")
        assert client.response().body == body


def test_body_line_by_line(serve):
    with serve().client() as client:
        answer = client.get("/lines", method="POST", body=b"one\ntwo\nthree")
        assert answer.body == b"0:one\n1:two\n2:three"


def test_client_that_waits_for_100_continue(serve):
    with serve().client() as client:
        client.send(
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        )
        assert client.head().status == 100
        client.send("body")
        assert client.response().body == b"body"


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        ("Content-Length: 101\r\n\r\n", 413),
        ("Transfer-Encoding: chunked\r\n\r\n70\r\n" + "x" * 112 + "\r\n0\r\n\r\n", 413),
        ("Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    ],
)
def test_body_that_is_refused(serve, request_text, status):
    with serve("--limit-request-body", "100").client() as client:
        client.send(f"POST /fail HTTP/1.1\r\nHost: x\r\n{request_text}")
        assert client.response().status == status


# --- slow clients


def test_slow_upload_keeps_nobody_waiting(serve):
    server = serve()
    with server.client() as slow, server.client() as quick:
        slow.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf")
        assert quick.get("/hello").body == b"hello"
        slow.send("rest")
        assert slow.response().body == b"halfrest"


@pytest.mark.parametrize("how", ["list", "iterable", "file"])
def test_slow_download_keeps_nobody_waiting(serve, tmp_path, how):
    size = 20_000_000
    path = tmp_path / "large"
    path.write_bytes(b"y" * size)
    server = serve()
    with server.client() as slow, server.client() as quick:
        slow.request(f"/large?size={size}&how={how}&path={path}")
        assert slow.head().header("Content-Length") == str(size)
        assert quick.get("/hello").body == b"hello"
        assert len(read(slow, size)) == size


def test_client_that_leaves_ends_the_response(serve):
    server = serve()
    with server.client() as client:
        client.request("/endless")
        client.head()
    wait_until(
        lambda: server.get("/was_closed").body == b"endless", "close() of the response was called"
    )


# --- failures


def test_failing_application(serve):
    server = serve()
    server.allow("Error handling request|Traceback")
    with server.client() as client:
        answer = client.get("/fail")
        assert answer.status == 500
        assert "not for the client" not in answer.text
        assert client.get("/hello").body == b"hello"
    server.wait_log(r"Error handling request GET /fail\nTraceback")
    server.wait_log("RuntimeError: not for the client")


def test_failure_in_the_middle_is_seen_by_the_client(serve):
    server = serve()
    server.allow("Error handling request|Traceback")
    with server.client() as client:
        client.request("/fail_later")
        with pytest.raises(Closed):
            client.response()
    server.wait_log("RuntimeError: failed in the middle")


def test_header_injection_is_an_error(serve):
    server = serve()
    server.allow("Error handling request|Traceback")
    with server.client() as client:
        answer = client.get("/bad_header")
        assert answer.status == 500
        assert answer.header("Injected") is None and "Injected" not in answer.text
    server.wait_log("ValueError: the response header 'X-Bad'")


def test_errors_and_streams(serve):
    server = serve()
    assert server.get("/errors").body == b"written"
    server.wait_log("^to wsgi.errors$|\nto wsgi.errors\n")
    server.wait_log("\nto stderr\n")
    assert server.output() == "to stdout\n"


def test_forked_child_does_not_answer(serve):
    server = serve()
    server.allow("forked and its child process came back")
    with server.client() as client:
        assert client.get("/fork").body == b"1"
        assert client.get("/hello").body == b"hello"


def test_worker_that_hangs_leaves_its_python_stack(serve, gate):
    server = serve("--timeout", "1")
    server.allow("TIMEOUT|In flight|exited|was sent|signal|Error handling|Traceback")
    with server.client() as client:
        client.request(f"/hang_here?gate={gate.path}")
        gate.wait_entered()
        first = server.workers()[0]
        server.wait_log("Fatal Python error: Aborted")
        server.wait_log(r'File ".*wsgi_probe\.py", line \d+ in hang_here')
        wait_until(lambda: server.workers() and first not in server.workers(), "a new worker")
    assert server.get("/hello").body == b"hello"


# --- the interpreter


def test_virtual_environment(serve, tmp_path):
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    wanted = {"prefix": str(venv), "executable": str(venv / "bin" / "python")}
    for args, env in (
        (["--python", venv], {}),
        (["--python", venv / "bin" / "python"], {}),
        (["--python", ""], {"VIRTUAL_ENV": str(venv)}),
    ):
        seen = json.loads(serve(*args, env=env).get("/python").body)
        assert {key: seen[key] for key in wanted} == wanted
        assert any(entry.startswith(str(venv)) for entry in seen["path"])


def test_path_and_arguments(serve, tmp_path):
    (tmp_path / "other").mkdir()
    server = serve("--pythonpath", f"{APPS},{tmp_path}/other", "--chdir", tmp_path)
    seen = json.loads(server.get("/python").body)
    assert seen["path"][:3] == [str(APPS), f"{tmp_path}/other", str(tmp_path)]
    assert seen["argv"][0] == str(BINARY)
    assert "wsgi_probe" in seen["argv"]
    assert seen["version"] == list(sys.version_info[:2])


def test_threads_run_while_the_server_waits(serve):
    server = serve(app="wsgi_probe:threaded()")
    first = int(server.get("/tick").body)
    wait_until(lambda: int(server.get("/tick").body) > first + 20, "the thread counts on")


def test_atexit_runs_when_a_worker_ends(serve, tmp_path):
    server = serve(app=f"wsgi_probe:at_exit('{tmp_path}/marker')")
    assert server.get("/hello").body == b"hello"
    assert server.stop() == 0
    assert (tmp_path / "marker").read_text() == "ended"


# --- what cannot be served


@pytest.mark.parametrize(
    ("app", "code", "message"),
    [
        ("no_such_module", 4, "there is no module 'no_such_module'"),
        ("wsgi_probe:missing", 4, "Did you mean 'wsgi_probe:application'"),
        ("wsgi_probe:nothing", 4, "is a NoneType, which is not callable"),
        ("wsgi_probe:threaded(1)", 4, "takes 0 positional arguments but 1 was given"),
        ("wsgi_probe:failing()", 4, "RuntimeError: the factory failed"),
    ],
)
def test_application_that_cannot_be_loaded(serve, app, code, message):
    server = serve(app=app, ready=False)
    server.allow(".")
    assert server.wait_exit() == code
    server.wait_log(re.escape(message))


def test_python_that_cannot_be_used(command, tmp_path):
    done = command("--python", tmp_path / "python", "app:app")
    assert done.returncode == 3
    assert "is neither an interpreter nor a virtual environment" in done.stderr
