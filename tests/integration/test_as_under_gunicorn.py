# SPDX-License-Identifier: MIT
"""An application sees of its interpreter what it sees under gunicorn, in each form of the command.

What differs on purpose is in docs/migration.md.
"""

import json
import os
import sys
from pathlib import Path

import pytest

from harness import agents, processes, programs
from harness.sanitizers import SANITIZED

APPS = Path(__file__).parent / "python_apps"
SCRIPT = "import sys\nfrom unicoro.__main__ import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
FORMS = ["executable", "module", "script"]


class Compared:
    """The probe under both servers, started in the same way, and what each sees."""

    def __init__(self, folder, start):
        self.folder, self._start = folder, start
        (folder / "bin").mkdir()
        (folder / "bin" / "unicoro").write_text(SCRIPT)

    def command(self, form, python, options, server):
        if form == "module":
            return [str(python), *options, "-m", server]
        if server == "gunicorn":
            return [str(python), *options, str(agents.HOME / "bin" / "gunicorn")]
        return [str(python), *options, str(self.folder / "bin" / "unicoro")] if form == "script" else None

    def start(self, form, server="unicoro", *, python=agents.PYTHON, options=(), variables=None, args=()):
        path = f"{programs.MODULES}:{APPS}"
        given = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPATH": path, "PYTHONHASHSEED": "3"} | (variables or {})
        env = {name: value for name, value in agents.environment(**given).items() if value}
        more = ["--no-control-socket"] if server == "gunicorn" else []
        command = self.command(form, python, options, server)
        if command is None:
            more += ["--python", str(python)]
        return self._start(*more, *args, "seen_probe:app", command=command, env=env)

    def both(self, form, **more):
        """What is seen under each, without what differs on purpose."""
        told = {}
        for server in ("gunicorn", "unicoro"):
            running = self.start(form, server, **more)
            if server == "gunicorn":
                running.allow("Traceback")  # a warning of its own
            told[server] = json.loads(running.get("/").text)
            assert running.stop() == 0
        for name, place in (("gunicorn", agents.HOME / "bin"), ("unicoro", self.folder / "bin")):
            seen = told[name]
            # Each its own words, and the folder of each own script, where there is one.
            del seen["argv"]
            # On here: it writes the stacks of a worker that dies.
            del seen["faulthandler"]
            homes = [str(self.folder), *(str(each) for each in self.folder.glob("server*"))]
            seen["path"] = ["HERE" if each in homes else each for each in seen["path"]]
            if form != "module":
                seen["path"] = [each for each in seen["path"] if each != str(place)]
        return told["unicoro"], told["gunicorn"]


@pytest.fixture
def compared(tmp_path, start):
    agents.need("gunicorn")
    return Compared(tmp_path, start)


CASES = {
    "nothing": {},
    "many": {
        "PYTHONHASHSEED": "7", "PYTHONOPTIMIZE": "2", "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "error::DeprecationWarning,ignore:a text:UserWarning", "PYTHONNOUSERSITE": "1",
        "PYTHONINTMAXSTRDIGITS": "5000", "PYTHONIOENCODING": "latin-1:replace", "PYTHONUNBUFFERED": "1",
        "PYTHONPYCACHEPREFIX": "/nowhere",
    },
    "development": {"PYTHONDEVMODE": "1", "PYTHONFAULTHANDLER": "1", "PYTHONTRACEMALLOC": "2"},
    "locale": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("form", FORMS)
def test_variables(compared, form, case):
    here, there = compared.both(form, variables=CASES[case])
    assert here == there


@pytest.mark.parametrize("form", FORMS)
def test_a_safe_path(compared, form):
    here, there = compared.both(form, variables={"PYTHONSAFEPATH": "1"})
    assert here == there
    assert here["flags"].get("safe_path", True)


def test_options_of_the_interpreter(compared):
    options = ["-W", "error::ResourceWarning", "-X", "dev", "-X", "importtime=0", "-B", "-O"]
    here, there = compared.both("module", options=options)
    assert here == there
    assert here["xoptions"]["dev"] is True and here["flags"]["dev_mode"]


def test_every_warning_is_an_error(compared):
    """The server itself causes none."""
    server = compared.start("module", options=["-W", "error", "-X", "dev"])
    assert json.loads(server.get("/").text)["warnoptions"] == ["default", "error"]


@pytest.mark.parametrize("form", FORMS)
def test_modules_that_customize(compared, form, tmp_path):
    """In an interpreter that has a user site: a virtual environment has none."""
    base = tmp_path / "user"
    minor = "python%d.%d" % sys.version_info[:2]
    user = base / "lib" / minor / "site-packages"
    user.mkdir(parents=True)
    (user / "usercustomize.py").write_text("")
    (user / "from_pth.py").write_text("")
    (user / "probe.pth").write_text(f"import from_pth\n{tmp_path}/from-pth\n")
    (tmp_path / "from-pth").mkdir()
    first = tmp_path / "first"
    first.mkdir()
    (first / "sitecustomize.py").write_text("")
    packages = next((agents.HOME / "lib").glob("python3.*")) / "site-packages"
    path = f"{first}:{programs.MODULES}:{APPS}:{packages}"
    here, there = compared.both(
        form, python=sys._base_executable,
        variables={"PYTHONPATH": path, "PYTHONUSERBASE": str(base), "VIRTUAL_ENV": ""},
    )
    assert here == there
    assert here["customized"] == ["from_pth", "sitecustomize", "usercustomize"]
    assert here["user site"] == [True, True]
    assert f"{tmp_path}/from-pth" in here["path"]


METHODS = ["spawn", "forkserver", "fork"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", FORMS)
def test_processes_of_a_worker(compared, form, method):
    if SANITIZED and form == "script" and method in ("spawn", "forkserver"):
        pytest.skip("such a process imports the script, and with it the module, without the sanitizer's runtime")
    server = compared.start(form)
    with server.client() as client:
        told = json.loads(client.get(f"/{method}").text)
    assert told["exit"] == 0
    assert told["pool"] == [0, 2, 4, 6, 8]
    assert told["put"][:2] == ["from", "seen_probe"]
    assert server.get("/").status == 200
    assert server.stop() == 0
    processes.reap_helpers()


def test_the_main_module(compared):
    """What a worker calls __main__ is what was started."""
    server = compared.start("module")
    assert json.loads(server.get("/").text)["name"] == ["seen_probe", "__main__"]


def test_a_path_that_is_relative(compared, tmp_path):
    """PYTHONPATH is taken as it is seen from the folder of the start."""
    os.symlink(APPS, tmp_path / "apps")
    server = compared.start("module", variables={"PYTHONPATH": f"apps:{programs.MODULES}"}, args=["--chdir", "/"])
    assert f"{tmp_path}/apps" in json.loads(server.get("/").text)["path"]
