# SPDX-License-Identifier: MIT
"""One server, several CPythons: the interpreter or venv that is named picks the plugin."""

import glob
import json
import os
import re
import signal
import subprocess

import pytest

from harness.paths import BINARY, BUILD
from harness.waiting import wait_until

PLUGINS = {path.stem.removeprefix("unicoro_python_") for path in (BUILD / "src" / "python").glob("unicoro_python_*.so")}
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
        code = ("import sys, sysconfig; print('%d.%d' % sys.version_info[:2] if "
                "sys.implementation.name == 'cpython' and sysconfig.get_config_var('Py_ENABLE_SHARED') else '')")
        done = subprocess.run([path, "-I", "-c", code], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.strip():
            found.setdefault(done.stdout.strip(), path)
    return found


FOUND = interpreters()
HOSTED = sorted(PLUGINS & set(FOUND))


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
def test_the_venv_picks_the_plugin(start, app, version, tmp_path):
    folder = tmp_path / "venv"
    subprocess.run([FOUND[version], "-m", "venv", "--without-pip", folder], check=True)
    server = start("--pythonpath", app, "version_app:app", env={"VIRTUAL_ENV": str(folder)})
    assert server.get().text.split() == [version, str(folder)]


def test_version_without_plugin(start, app, tmp_path):
    """Its error says which there are and how to build it."""
    missing = sorted(set(FOUND) - PLUGINS - {version for version in FOUND if tuple(map(int, version.split("."))) < (3, 10)})
    if not missing:
        pytest.skip("there is a plugin for every interpreter here")
    version = missing[0]
    server = start("--python", FOUND[version], "--pythonpath", app, "version_app:app", ready=False)
    server.allow(".")
    assert server.wait_exit() == 3
    server.wait_log(f"no plugin for Python {version}")
    server.wait_log(r"There are plugins for Python .*3\.")
    server.wait_log("-Dpython=")


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


def test_another_python_after_a_reload_is_told(start, bare, tmp_path):
    version, site = bare
    first, second = made_venv(tmp_path / "first", version), made_venv(tmp_path / "second", version)
    server = start("--chdir", site, "version_app:app", config={"python": str(first)})
    server.wait_log(f"Python: {first}/bin/python")
    (server.folder / "unicoro.json").write_text(json.dumps({"python": str(second)}))
    before = server.workers()
    os.kill(server.pid, signal.SIGHUP)
    server.wait_log(f"Python: {second}/bin/python")
    wait_until(lambda: server.workers() and not set(server.workers()) & set(before), "new workers")
    assert server.get().text.startswith(str(second))


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
