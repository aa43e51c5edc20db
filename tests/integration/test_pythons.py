# SPDX-License-Identifier: MIT
"""One server, several CPythons: the interpreter or venv that is named picks the plugin."""

import glob
import os
import subprocess
from pathlib import Path

import pytest

from harness.paths import BUILD

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
