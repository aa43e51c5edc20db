# SPDX-License-Identifier: MIT
"""An environment with gunicorn and with agents (tracers, debuggers) that programs are run under: .venv-agents. It is
made with pip when a test first needs it; what cannot be had is the reason for which its tests are skipped."""

import contextlib
import fcntl
import functools
import os
import subprocess
import sys

import pytest

from . import programs
from .paths import BINARY, ROOT

HOME = ROOT / ".venv-agents"
PYTHON = HOME / "bin" / "python"
# What each needs, in the versions of docs/programs.md.
PACKAGES = {
    "applications": ["flask==3.1.3", "gevent==26.9.0"],
    "gunicorn": ["gunicorn==27.0.1"],
    "coverage": ["coverage==7.17.5"],
    "debugpy": ["debugpy==1.8.22"],
    "opentelemetry": [
        "opentelemetry-distro==0.66b1", "opentelemetry-instrumentation-flask==0.66b1",
        "opentelemetry-instrumentation-wsgi==0.66b1",
    ],
    "newrelic": ["newrelic==14.1.0"],
    "ddtrace": ["ddtrace==4.16.0"],
}


def _succeeds(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    return "" if done.returncode == 0 else (done.stderr.strip() or done.stdout.strip() or "failed").splitlines()[-1]


@contextlib.contextmanager
def _one_at_a_time():
    """Tests that run at the same time share the environment."""
    lock = os.open(ROOT, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@functools.cache
def _problem(name):
    """Why the packages of that name are not there, else ""."""
    with _one_at_a_time():
        return _installed(name)


def _installed(name):
    stamp = HOME / f"has-{name}"
    if stamp.exists() and stamp.read_text() == str(PACKAGES[name]):
        return ""
    if not PYTHON.exists():
        failed = _succeeds(sys._base_executable, "-m", "venv", str(HOME))
        if failed:
            return failed
    failed = _succeeds(
        str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--retries", "1", *PACKAGES[name]
    )
    if not failed:
        stamp.write_text(str(PACKAGES[name]))
    return failed


def need(*names):
    """Skips the test unless the packages are there."""
    for name in ("applications", *names):
        if problem := _problem(name):
            pytest.skip(f"{name}: {problem}")


def environment(**more):
    """That of a shell where the environment is active and `unicoro` is in PATH."""
    path = f"{BINARY.parent}:{HOME / 'bin'}:{os.environ['PATH']}"
    return programs.environment(**{"VIRTUAL_ENV": str(HOME), "PATH": path, **more})
