# SPDX-License-Identifier: MIT
"""A project of its own (examples/outside) against the installed headers, found by pkg-config."""

import os
import shutil
import subprocess

import pytest

from harness.paths import BUILD, ROOT
from harness.server import clean_environment

MESON = shutil.which("meson", path="/usr/bin:" + os.environ.get("PATH", ""))


@pytest.mark.needs_plain_build("what is built outside has not the flags of a sanitized server")
@pytest.mark.skipif(MESON is None, reason="needs meson")
def test_application_outside_the_tree(start, tmp_path):
    def run(*command, **env):
        result = subprocess.run(
            command, env=clean_environment() | env, capture_output=True, text=True, timeout=180
        )
        assert result.returncode == 0, result.stdout + result.stderr

    installed, build = tmp_path / "installed", tmp_path / "build"
    run(MESON, "install", "-C", str(BUILD), "--no-rebuild", "--tags", "devel", "--destdir", str(installed))
    (description,) = installed.rglob("unicoro.pc")
    found = {
        "PKG_CONFIG_PATH": str(description.parent),
        # The file names the final prefix; what it lists is still below the staging folder.
        "PKG_CONFIG_SYSROOT_DIR": str(installed),
    }
    run(MESON, "setup", str(build), str(ROOT / "examples" / "outside"), **found)
    run("ninja", "-C", str(build), **found)
    server = start("-k", "async", f"{build / 'libgreeting.so'}:app")
    answer = server.get("/?name=outside+world")
    assert answer.text.startswith("Hello, outside world!\n")
