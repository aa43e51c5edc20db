# SPDX-License-Identifier: MIT
"""One server, several CPythons: the process becomes the interpreter or venv that is named."""

import glob
import json
import os
import re
import signal
import subprocess

import pytest

from harness import sanitizers
from harness.paths import BINARY, BUILD, HELLO
from harness.waiting import wait_until

MODULES = {
    f"{match[1]}.{match[2]}"
    for path in (BUILD / "src" / "python").glob("_unicoro.*.so")
    if (match := re.match(r"_unicoro\.cpython-(\d)(\d+)-", path.name))
}
APP = """
import sys
def app(environ, start_response):
    start_response("200 OK", [])
    return [("%d.%d " % sys.version_info[:2] + sys.prefix).encode()]
async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError("no lifespan")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": ("%d.%d" % sys.version_info[:2]).encode()})
"""


def interpreters() -> dict[str, str]:
    """The interpreters of this machine, by their version."""
    found = {}
    patterns = ["/usr/bin/python3.*", "/usr/local/bin/python3.*", os.path.expanduser("~/.pyenv/versions/*/bin/python3")]
    for path in (path for pattern in patterns for path in sorted(glob.glob(pattern))):
        if path.endswith("-config") or not os.access(path, os.X_OK):
            continue
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([path, "-I", "-c", code], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.strip():
            found.setdefault(done.stdout.strip(), path)
    return found


FOUND = interpreters()
HOSTED = sorted(MODULES & set(FOUND))


@pytest.fixture
def app(tmp_path):
    (tmp_path / "version_app.py").write_text(APP)
    return tmp_path


@pytest.mark.parametrize("version", HOSTED)
@pytest.mark.parametrize("worker", [["-k", "sync"], ["--threads", "2"], ["--preload"]])
def test_each_version_serves(start, app, version, worker):
    server = start("--python", FOUND[version], "--pythonpath", app, *worker, "version_app:app")
    assert server.get().text.split()[0] == version


@pytest.mark.parametrize("version", HOSTED)
def test_asgi_of_each_version(start, app, version):
    server = start("--python", FOUND[version], "--pythonpath", app, "version_app:asgi")
    assert server.get().text == version


@pytest.mark.parametrize("version", HOSTED)
def test_the_venv_picks_the_module(start, app, version, tmp_path):
    folder = tmp_path / "venv"
    subprocess.run([FOUND[version], "-m", "venv", "--without-pip", folder], check=True)
    server = start("--pythonpath", app, "version_app:app", env={"VIRTUAL_ENV": str(folder)})
    assert server.get().text.split() == [version, str(folder)]


def test_version_without_a_module(command, app):
    """One sentence, with the command that mends it."""
    missing = sorted(version for version in FOUND if version not in MODULES and tuple(map(int, version.split("."))) >= (3, 10))
    if not missing:
        pytest.skip("there is a module for every interpreter here")
    python = FOUND[missing[0]]
    done = command("--python", python, "--pythonpath", app, "version_app:app")
    assert done.returncode == 3
    assert done.stderr == (
        f"unicoro: error: Unicoro is not installed for {python} (Python {missing[0]}): {python} -m pip install unicoro\n"
    )


def test_version_that_is_too_old(command):
    old = sorted(version for version in FOUND if tuple(map(int, version.split("."))) < (3, 10))
    if not old:
        pytest.skip("no Python before 3.10 here")
    done = command("--python", FOUND[old[0]], "version_app:app")
    assert done.returncode == 3
    assert "needs CPython 3.10 or newer: name one with --python\n" in done.stderr


def test_a_module_that_cannot_be_loaded(command, tmp_path):
    """What is installed in the environment comes first, and says what is wrong with it."""
    venv = made_venv(tmp_path / "venv", HOSTED[0])
    suffix = next((BUILD / "src" / "python").glob(f"_unicoro.cpython-{HOSTED[0].replace('.', '')}-*.so")).name
    broken = next((venv / "lib").glob("python3.*")) / "site-packages" / suffix
    broken.write_bytes(b"no library")
    done = command("--python", venv, "app:app")
    assert done.returncode == 3
    assert f"unicoro: error: {broken} cannot be loaded: " in done.stderr


def test_a_library_of_another_build(command, tmp_path):
    """Which LD_LIBRARY_PATH puts before that of the installation."""
    library = (BUILD / "src" / "libunicoro.so.0").read_bytes()
    other = re.sub(rb"api \d+; Boost ", b"api 0; Boost ", library)
    assert other != library
    (tmp_path / "libunicoro.so.0").write_bytes(other)
    done = command("--python", FOUND[HOSTED[0]], "app:app", env={"LD_LIBRARY_PATH": str(tmp_path)})
    assert done.returncode == 3
    assert re.search(r"cannot be loaded: the module is built for libunicoro \[\d.*, and .* \[\S+ api 0; ", done.stderr)
    assert done.stderr.endswith("install both together\n")


def test_a_module_of_the_application_is_not_taken_for_it(start, app):
    (app / "_unicoro.py").write_text("raise SystemExit('the wrong one')\n")
    server = start("--python", FOUND[HOSTED[0]], "--chdir", app, "version_app:app")
    assert server.get().text.split()[0] == HOSTED[0]


def made_venv(folder, version):
    subprocess.run([FOUND[version], "-m", "venv", "--without-pip", folder], check=True)
    site = next((folder / "lib").glob("python3.*")) / "site-packages"
    (site / "only_there.py").write_text("FROM = __file__\n")
    return folder


ONLY_THERE = """
import only_there, sys
def app(environ, start_response):
    start_response("200 OK", [])
    return [f"{sys.prefix} {sys.executable}".encode()]
"""


@pytest.fixture
def bare(tmp_path):
    """A folder for an application that needs its virtual environment, and an environment that names none."""
    version = HOSTED[0]
    site = tmp_path / "site"
    site.mkdir()
    (site / "version_app.py").write_text(ONLY_THERE)
    return version, site


@pytest.mark.parametrize("how", ["link in it", "link to it", "path alone"])
def test_the_venv_that_unicoro_lies_in(start, bare, tmp_path, monkeypatch, how):
    """As a unit's ExecStart or supervisord start it: with nothing but a path."""
    version, site = bare
    venv = made_venv(tmp_path / "venv of it", version)
    program = venv / "bin" / "unicoro"
    program.symlink_to(BINARY)
    if how == "link to it":
        (tmp_path / "unicoro").symlink_to(program)
        program = tmp_path / "unicoro"
    monkeypatch.setattr("harness.server.BINARY", program)
    path = str(program.parent) if how == "path alone" else "/usr/bin:/bin"
    server = start("--chdir", site, "version_app:app", env={"PATH": path})
    assert server.get().text == f"{venv} {venv}/bin/python"
    server.wait_log(rf"\[INFO\] Python: {venv}/bin/python \({re.escape(version)}\.\d+\)\n")


@pytest.mark.parametrize("name", [".venv", "venv"])
@pytest.mark.parametrize("where", ["chdir", "pythonpath", "start"])
def test_the_venv_beside_the_application(start, bare, tmp_path, name, where):
    version, site = bare
    venv = made_venv(site / name, version)
    if where == "start":
        (tmp_path / "version_app.py").write_text(ONLY_THERE)
        venv.rename(tmp_path / name)
        venv = tmp_path / name
        server = start("version_app:app")
    else:
        server = start(f"--{where}", site, "version_app:app")
    assert server.get().text == f"{venv} {venv}/bin/python"


def test_the_settings_file_is_read_there_too(start, bare):
    version, site = bare
    made_venv(site / ".venv", version)
    conf = site / "gunicorn.conf.py"
    conf.write_text("import only_there\nproc_name = 'found'\n" + f"chdir = {str(site)!r}\n")
    server = start("-c", conf, "version_app:app")
    assert server.get().text.startswith(str(site / ".venv"))


def test_another_python_at_a_reload(start, bare, tmp_path):
    """The master is that Python already."""
    version, site = bare
    first, second = made_venv(tmp_path / "first", version), made_venv(tmp_path / "second", version)
    server = start("--chdir", site, "version_app:app", config={"python": str(first)})
    server.wait_log(f"Python: {first}/bin/python")
    (server.folder / "unicoro.json").write_text(json.dumps({"python": str(second)}))
    server.allow("python: cannot change|Reload refused")
    os.kill(server.pid, signal.SIGHUP)
    server.wait_log("python: cannot change while the master runs, because the master uses it: restart the server")
    assert server.get().text.startswith(str(first))


@pytest.mark.parametrize("text", ["import no_such_package\n", "import json\nfrom json import nothing_like_it\n"])
def test_a_failed_import_tells_where(start, tmp_path, text):
    (tmp_path / "needs.py").write_text(text)
    server = start("--python", FOUND[HOSTED[0]], "needs:app", ready=False)
    server.allow(".")
    assert server.wait_exit() == 4
    server.wait_log(rf"Error: .*\nPython: \S+ \({re.escape(HOSTED[0])}\.\d+\); --python names another interpreter")


def test_a_missing_module_tells_where(command):
    done = command("--check-config", "--python", FOUND[HOSTED[0]], "no_such_module:app")
    assert done.returncode == 4
    assert "there is no module 'no_such_module'" in done.stderr
    assert re.search(rf"Python: \S+ \({re.escape(HOSTED[0])}\.\d+\); --python names", done.stderr)
    # What is no matter of the interpreter is not blamed on it.
    assert "--python" not in command("--check-config", "--python", FOUND[HOSTED[0]], "json:nothing").stderr


@pytest.fixture
def console_script(tmp_path, monkeypatch):
    """What pip makes of the entry point, in a virtual environment that has the package."""
    venv = made_venv(tmp_path / "venv", HOSTED[0])
    site = next((venv / "lib").glob("python3.*")) / "site-packages"
    (site / "build_tree.pth").write_text(f"{BUILD}/src/python\n")
    script = venv / "bin" / "unicoro"
    script.write_text(f"#!{venv}/bin/python\nfrom unicoro.__main__ import main\nmain()\n")
    script.chmod(0o755)
    monkeypatch.setattr("harness.server.BINARY", script)
    for name, value in sanitizers.preloaded().items():
        monkeypatch.setenv(name, value)
    return script


def test_the_console_script_serves(start, console_script, app):
    server = start("--pythonpath", app, "-w", "2", "version_app:app")
    assert server.get().text == f"{HOSTED[0]} {console_script.parent.parent}"
    before = server.workers()
    server.send(signal.SIGHUP)
    wait_until(lambda: len(now := server.workers()) == 2 and not set(now) & set(before), "new workers")


def test_a_native_application_in_a_process_of_python(start, console_script):
    assert start(HELLO).get("/").text == "Hello, world!\n"


def test_a_native_application_beside_one_of_python(start, console_script, app):
    apps = {"/native": HELLO, "/": "version_app:asgi"}
    server = start("--pythonpath", app, config={"apps": apps})
    assert server.get("/native/").text == "Hello, world!\n"
    assert server.get("/").text == HOSTED[0]


def test_another_python_than_that_of_the_console_script(start, console_script, app):
    """The one that the settings name; its module is the one of that environment, or none."""
    server = start("--python", FOUND[HOSTED[0]], "--pythonpath", app, "version_app:app", env={"PYTHONPATH": f"{BUILD}/src/python"})
    assert server.get().text.split()[1] != str(console_script.parent.parent)
