# SPDX-License-Identifier: MIT
"""What is said to people who start it for the first time, and name things as elsewhere."""

import os
import re
import socket
import subprocess
import sys

import pytest

from harness.paths import BINARY, BUILD, HELLO, ROOT, probe
from harness.server import clean_environment

needs_python = pytest.mark.skipif(
    not list((BUILD / "src" / "python").glob("*.so")), reason="built without a Python module"
)

APP = """
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"app"]
number = 3
class Site:
    def __call__(self, environ, start_response): ...
class Classic:
    def __init__(self, environ, start_response): ...
def create_app(settings=None, debug=False): return app
def make(name): return app
async def make_async(): return app
def wrapped(*args, **more): return app(*args)
def usual(environ=None, start_response=None): ...
async def asgi(scope, receive, send): ...
async def asgi_factory(debug=False): ...
"""


@pytest.fixture
def site(tmp_path, command):
    """A folder with modules, and how an application in it is judged: site(spec) -> (code, text)."""
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "other.py").write_text("application = 1\n")
    (tmp_path / "pkg" / "inner").mkdir(parents=True)
    (tmp_path / "pkg" / "__init__.py").write_text("def create_app(): ...\n")
    (tmp_path / "pkg" / "wsgi.py").write_text("from app import app as application\n")
    (tmp_path / "pkg" / "py.py").write_text("from app import app\n")
    (tmp_path / "pkg" / "inner" / "empty.py").write_text("x = 1\n")
    (tmp_path / "py").mkdir()
    (tmp_path / "py" / "__init__.py").write_text("")
    (tmp_path / "broken.py").write_text("def f(:\n    pass\n")
    (tmp_path / "imports_broken.py").write_text("import broken\n")
    (tmp_path / "fails.py").write_text("raise ValueError('no database')\n")
    (tmp_path / "needs.py").write_text("import no_such_package\n")
    (tmp_path / "exits.py").write_text("import sys\nsys.exit('not configured')\n")

    def judge(spec, *flags):
        result = command("--python", sys.executable, "--check-config", *flags, spec,
                         env={"PYTHONDONTWRITEBYTECODE": "1"})
        return result.returncode, result.stderr + result.stdout

    return judge


@needs_python
@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("./app.py:app", "app:app"),
        ("app.py", "app:app"),
        ("app.py:app", "app:app"),
        ("./app.py", "app:app"),
        ("./app.py:nothing", "app:app"),
        ("pkg/../app.py:app", "app:app"),
        ("app.py:create_app", "app:create_app()"),
        ("app.py:create_app(debug=True)", "app:create_app(debug=True)"),
        ("other.py", "other:application"),
        ("pkg/__init__.py:create_app", "pkg:create_app()"),
        ("pkg/wsgi.py", "pkg.wsgi:application"),
        ("pkg.wsgi.py", "pkg.wsgi:application"),
        ("app", "app:app"),
        ("app:create_app", "app:create_app()"),
        ("app:Site", "app:Site()"),
        ("app:asgi_factory", "app:asgi_factory()"),
        ("pkg", "pkg:create_app()"),
    ],
)
def test_a_proposal_exists(site, spec, meant):
    code, text = site(spec)
    assert code == 4
    assert f"Did you mean '{meant}'?" in text, text


@needs_python
def test_a_module_outside_of_the_folder(site, tmp_path):
    (tmp_path / "here").mkdir()
    result = subprocess.run(
        [str(BINARY), "--python", sys.executable, "--check-config", str(tmp_path / "app.py")],
        cwd=tmp_path / "here", env=clean_environment(), capture_output=True, text=True, timeout=20,
    )
    assert f"Did you mean '--chdir {tmp_path} app:app'?" in result.stderr


@needs_python
@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("./nothing.py:app", r"there is no file './nothing\.py' in '/"),
        ("broken.py:app", r"'broken\.py' is a file; .* Write 'broken:NAME', with the name"),
        ("pkg/inner/empty.py", r"Write 'pkg\.inner\.empty:NAME'"),
        (".", r"'\.' is a folder"),
        ("app:number", r"'app:number' is an int, which is not callable"),
        ("app:make", r"cannot be called with \(environ, start_response\): it takes \(name\)\. .*'app:make\(\.\.\.\)'"),
        ("app:make_async()", r"is a coroutine"),
        ("no_such_module:app", r"there is no module 'no_such_module'\. Searched: '/"),
    ],
)
def test_nothing_is_proposed_that_does_not_exist(site, spec, said):
    code, text = site(spec)
    assert code == 4
    assert re.search(said, text), text
    assert "Did you mean" not in text


@needs_python
@pytest.mark.parametrize("spec", ["app:app", "app:create_app()", "app:wrapped", "app:usual", "app:Classic",
                                  "app:asgi", "pkg.py:app", "app:make('x')"])
def test_what_is_an_application(site, spec):
    code, text = site(spec)
    assert (code, "loads" in text) == (0, True), text


@needs_python
def test_a_factory_can_be_insisted_on(site):
    assert site("app:create_app", "--interface", "wsgi")[0] == 0


@needs_python
@pytest.mark.parametrize(
    ("module", "first", "last"),
    [
        ("broken", r'  File "\S+/broken\.py", line \d', r"SyntaxError: .*"),
        ("imports_broken", r'  File "\S+/imports_broken\.py", line 1, in <module>', r"SyntaxError: .*"),
        ("fails", r'  File "\S+/fails\.py", line 1, in <module>', "ValueError: no database"),
        ("needs", r'  File "\S+/needs\.py", line 1, in <module>', "ModuleNotFoundError: .*'no_such_package'"),
        ("exits", r'  File "\S+/exits\.py", line 2, in <module>', "SystemExit: not configured"),
    ],
)
def test_an_application_that_does_not_import(site, start, tmp_path, module, first, last):
    """Exit code 4, and the traceback begins with the application's own code."""
    code, text = site(f"{module}:app")
    assert code == 4
    lines = text.rstrip().splitlines()
    assert lines[0] == "unicoro: error: App failed to load: this happened while it was imported:"
    if lines[1] == "Traceback (most recent call last):":
        del lines[1]
    # Which Python it was, where something is missing.
    if lines[-1].startswith("Python: "):
        del lines[-1]
    assert re.fullmatch(first, lines[1]), text
    assert re.fullmatch(last, lines[-1]), text
    server = start("--python", sys.executable, "--pythonpath", tmp_path, f"{module}:app", ready=False)
    server.allow(".")
    assert server.wait_exit() == 4


def test_native_names(command, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "app.py").write_text("")
    (tmp_path / "libtext.so").write_text("no library, but long enough for a header of ELF, which has 64 bytes")
    for spec, said in [
        ("./sub:app", "./sub is a folder"),
        ("sub/app:app", "sub/app is a Python module, which is named with dots"),
        ("sub/none:app", "no file sub/none in /"),
        ("./libtext.so:app", "is not a shared library for this machine"),
    ]:
        result = command("--check-config", spec)
        assert result.returncode == 4
        assert said in result.stderr
        assert "undefined symbol" not in result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody who is not")
def test_a_port_that_belongs_to_root(tmp_path):
    as_nobody = ["setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]

    def refused(address):
        result = subprocess.run(
            [*as_nobody, str(BINARY), "-b", address, HELLO], cwd="/", env=clean_environment(),
            capture_output=True, text=True, timeout=20,
        )
        assert result.returncode == 1
        return result.stderr

    said = refused("127.0.0.1:81")
    assert "cannot listen on 127.0.0.1:81: Permission denied. Ports below 1024 are reserved for root: " in said
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE" in said
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    os.chmod(tmp_path, 0o755)
    assert "Permission denied" in refused(f"unix:{folder}/a.sock")
    assert "create its folder" in refused("unix:/no/such/folder/a.sock")


def test_an_address_of_another_machine(start):
    server = start("-b", "192.0.2.1:8000", probe(), ready=False, listen=False)
    server.allow(".")
    assert server.wait_exit() == 1
    assert "No interface of this machine has that address" in server.log()


def test_a_passed_socket_and_an_address(start):
    server = start("-b", "127.0.0.1:1", "-b", "unix:/tmp/unused", probe())
    server.wait_log(
        r"\[WARNING\] command line: --bind: 127\.0\.0\.1:1, unix:/tmp/unused is not listened on: the service "
        r"manager has passed sockets \(LISTEN_FDS\)"
    )
    assert server.get("/pid").status == 200


def test_a_passed_socket_that_is_the_address(start):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        host, port = sock.getsockname()
        server = start("-b", f"{host}:{port}", probe(), sockets=[sock])
    assert "WARNING" not in server.log()
    other = start(probe())
    assert "WARNING" not in other.log()


def test_a_warning_is_told_once(start, tmp_path):
    flags = ["--worker-tmp-dir", "/dev/shm"]
    server = start(*flags, probe())
    assert server.log().count("--worker-tmp-dir has no meaning here") == 1
    assert "[WARNING] command line: --worker-tmp-dir" in server.log()
    # Where the log is a file, whoever starts it sees it too.
    file = tmp_path / "error.log"
    other = start(*flags, "--error-logfile", str(file), probe())
    assert other.stderr_path.read_text().count("unicoro: warning: command line: --worker-tmp-dir") == 1
    assert file.read_text().count("--worker-tmp-dir") == 1


def test_a_warning_beside_an_error(command):
    result = command("--worker-tmp-dir", "/dev/shm", "-w", "x", probe())
    assert result.stderr.count("unicoro: warning: command line: --worker-tmp-dir") == 1


@needs_python
@pytest.mark.parametrize(
    ("flags", "spec", "worker", "interface"),
    [
        (["-k", "asgi"], "asgi_probe:app", "asgi", "ASGI"),
        (["-k", "uvicorn.workers.UvicornWorker"], "asgi_probe:app", "uvicorn.workers.UvicornWorker", "ASGI"),
        ([], "asgi_probe:app", "sync", "ASGI"),
        (["--threads", "2"], "mount_probe:root", "gthread", "WSGI"),
    ],
)
def test_the_interface_is_told(start, tmp_path, flags, spec, worker, interface):
    apps = ROOT / "tests" / "integration" / "python_apps"
    server = start("--python", sys.executable, "--pythonpath", apps, *flags, spec,
                   env={"PYTHONDONTWRITEBYTECODE": "1", "PROBE_STOPPED": str(tmp_path / "stopped")})
    assert f"[INFO] Using worker: {worker}\n" in server.log()
    assert server.log().count(f"[INFO] Worker ready: {interface}\n") == 1


def test_the_interface_of_a_native_application(start):
    server = start("-w", 2, HELLO)
    server.wait_workers(2)
    server.wait_log(r"(?s)Worker ready: native\n.*Worker ready: native\n")


def test_no_source_of_boost_in_messages(start):
    server = start(probe("refused"))
    server.allow("refuses|Connection refused")
    assert server.get("/connect").status == 500
    line = server.wait_log(r"\[ERROR\] GET /connect: (.*)")[1]
    assert line == "the application threw: Connection refused"
    server.wait_log(r"a task that refuses ended: Connection refused\n")
