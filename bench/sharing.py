# SPDX-License-Identifier: MIT
"""What the workers of a large application take of the memory, with --preload and without.

python3 bench/sharing.py [--build build] [--python .venv/bin/python] [--workers 8]

Prints a row for each: the proportional set sizes of the master, of the process that preloads and of all workers
together, after a moment of load. The application is apps/large_wsgi.py; the Python needs Flask and gevent, and
gunicorn to be compared with it."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import measure
from servers import Contender, Running, Setup, gunicorn, unicoro

ROOT = Path(__file__).resolve().parents[1]


def contenders(workers: int) -> list[Contender]:
    many = ("-w", str(workers))
    found = []
    for more in ((), ("--preload",)):
        name = " ".join(("", *more))
        found.append(unicoro(f"unicoro{name}", "large_wsgi", "async", *many, *more, modules=("flask", "gevent")))
        found.append(gunicorn(f"gunicorn{name}", "large_wsgi", *many, *more, modules=("flask",)))
    return found


def title(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")


def sizes(contender: Contender, setup: Setup) -> list[int]:
    """In bytes: master, what preloads, workers."""
    with Running(contender, setup, "0-" + str(os.cpu_count() - 1)) as server:
        for _ in range(3):
            measure.wrk(server.port, "0-" + str(os.cpu_count() - 1), measure.Load(64), 1)
        below = measure.children(server.pid)
        holders = [pid for pid in below if "preloader" in title(pid)]
        held = sum(map(measure.pss_bytes, holders))
        total = measure.pss_bytes(server.pid)
        workers = sum(measure.pss_bytes(pid) for pid in below if pid not in holders)
        return [total - held - workers, held, workers, total]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv" / "bin" / "python")
    parser.add_argument("--workers", type=int, default=8)
    options = parser.parse_args()
    print(f"| {options.workers} workers | master | preloader | workers | together |\n|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="unicoro-bench-") as folder:
        os.chmod(folder, 0o755)
        setup = Setup(options.build.resolve(), options.python.absolute(), Path(folder))
        for each in contenders(options.workers):
            if not each.needs(setup):
                print(f"left out, not installed: {each.name}", file=sys.stderr)
                continue
            cells = " | ".join(f"{size / (1 << 20):.0f} MiB" for size in sizes(each, setup))
            print(f"| {each.name} | {cells} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
