#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs gevent's own tests (those in its wheel) on two loops, module by module: libev's and the server's.

    run_suite.py --module-dir build/tests/gevent [--python .venv/bin/python] [--write] [MODULE...]

What passes on libev must pass on the server's loop, or be named in expectations.json with a reason;
what is named there and passes is reported too. --write makes docs/gevent-suite.md of the result.
"""

import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EXPECTATIONS = HERE / "expectations.json"
PAGE = ROOT / "docs" / "gevent-suite.md"
LOOPS = {"libev": "libev-cext", "ours": "_unicoro_gevent.loop"}
LIMIT = 90
# The core of it, for every run of the tests.
SMOKE = """
test__all_greenlets test__any_all test__core_async test__core_callback test__core_loop_run
test__core_stat test__core_watcher test__event test__events test__fileobject
test__greenlet test__hub test__hub_join test__iwait test__joinall test__local test__loop_callback
test__os test__pool test__queue test__select test__semaphore test__signal test__sleep0
test__socketpair test__subprocess test__systemerror test__timeout test__threadpool
""".split()


def modules(python: str) -> dict[str, Path]:
    code = "import gevent.tests, os; print(os.path.dirname(gevent.tests.__file__))"
    folder = Path(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())
    return {path.stem: path for path in sorted(folder.glob("test_*.py"))}


def run(python: str, module_dir: Path, loop: str, module: Path) -> dict:
    """What became of one module: passed, failed or skipped, and how many tests it ran."""
    env = {**os.environ, "GEVENT_LOOP": LOOPS[loop], "PYTHONPATH": str(module_dir), "PYTHONDONTWRITEBYTECODE": "1"}
    env.pop("GEVENTTEST_COVERAGE", None)
    with tempfile.TemporaryDirectory() as folder:
        command = [python, "-u", str(module)]
        process = subprocess.Popen(
            command, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=LIMIT)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            output, _ = process.communicate()
            code = "timeout"
    counted = re.findall(r"^Ran (\d+) tests? in", output, re.MULTILINE)
    missing = re.search(r"No module named '(test[^']*)'", output)
    bad = sorted(set(re.findall(r"^(?:FAIL|ERROR): (\S+(?: \(\S+\))?)", output, re.MULTILINE)))
    return {
        "passed": code == 0, "code": code, "tests": sum(map(int, counted)), "bad": bad,
        "missing": missing.group(1) if missing else "", "output": output,
    }


def compare(python: str, module_dir: Path, chosen: dict[str, Path], loops, jobs: int, logs: Path | None) -> dict:
    results: dict[str, dict] = {module: {} for module in chosen}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = {
            pool.submit(run, python, module_dir, loop, path): (module, loop)
            for module, path in chosen.items() for loop in loops
        }
        for done in concurrent.futures.as_completed(waiting):
            module, loop = waiting[done]
            results[module][loop] = done.result()
            if logs:
                (logs / f"{module}.{loop}.log").write_text(done.result()["output"])
    # A machine that is busy makes tests of timing fail: what failed is tried once more, alone.
    for module, found in results.items():
        for loop in loops:
            if not found[loop]["passed"] and not found[loop]["missing"]:
                again = run(python, module_dir, loop, chosen[module])
                if again["passed"] or len(again["bad"]) < len(found[loop]["bad"]):
                    found[loop] = again
    return results


def judge(results: dict, expectations: dict) -> list[str]:
    """What is wrong, a line for each module."""
    wrong = []
    for module, found in results.items():
        ours = found["ours"]
        reference = found.get("libev", {"passed": True, "bad": []})
        if module in expectations:
            continue
        worse = sorted(set(ours["bad"]) - set(reference["bad"]))
        if worse or (reference["passed"] and not ours["passed"]):
            wrong.append(f"{module}: {ours['code']}: {', '.join(worse) or 'see its output'}")
    return wrong


def write_page(results: dict, expectations: dict, versions: str) -> None:
    passed = {loop: sum(found[loop]["passed"] for found in results.values()) for loop in LOOPS}
    tests = {loop: sum(found[loop]["tests"] for found in results.values()) for loop in LOOPS}
    lines = [
        "# gevent's own tests on the worker's loop", "",
        "Made by `./dev test-gevent --write` (tests/gevent/run_suite.py): the tests in gevent's wheel, module by",
        "module, on its libev loop and on the loop of `-k async`, on the same machine.", "",
        versions, "",
        "| | libev | unicoro |", "|---|---:|---:|",
        f"| modules | {len(results)} | {len(results)} |",
        f"| modules passed | {passed['libev']} | {passed['ours']} |",
        f"| tests run | {tests['libev']:,} | {tests['ours']:,} |", "",
        "Modules that do not pass on one of the two:", "",
        "| module | libev | unicoro | reason |", "|---|---|---|---|",
    ]

    def cell(one: dict) -> str:
        if one["passed"]:
            return "passes"
        if one["missing"]:
            return f"needs `{one['missing']}`"
        return "times out" if one["code"] == "timeout" else ", ".join(one["bad"][:4]) or f"exit code {one['code']}"

    for module, found in sorted(results.items()):
        if found["libev"]["passed"] and found["ours"]["passed"]:
            continue
        reason = expectations.get(module, "fails on libev in the same way" if not found["libev"]["passed"] else "")
        lines.append(f"| {module} | {cell(found['libev'])} | {cell(found['ours'])} | {reason} |")
    PAGE.write_text("\n".join(lines) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help="only these")
    parser.add_argument("--module-dir", type=Path, default=ROOT / "build" / "tests" / "gevent")
    parser.add_argument("--python", default=str(ROOT / ".venv" / "bin" / "python"))
    parser.add_argument("--smoke", action="store_true", help="the core modules, on the server's loop only")
    parser.add_argument("--write", action="store_true", help="write docs/gevent-suite.md")
    parser.add_argument("--logs", type=Path, help="a folder for the output of each module")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    expectations = json.loads(EXPECTATIONS.read_text())
    known = modules(options.python)
    wanted = options.modules or (SMOKE if options.smoke else list(known))
    chosen = {each: known[each] for each in wanted if each in known}
    loops = ["ours"] if options.smoke else list(LOOPS)
    module_dir = options.module_dir.resolve()
    results = compare(options.python, module_dir, chosen, loops, options.jobs, options.logs)
    if options.smoke:
        # libev is asked only about what did not pass.
        failed = {each: chosen[each] for each, found in results.items() if not found["ours"]["passed"]}
        for module, found in compare(options.python, module_dir, failed, ["libev"], options.jobs, None).items():
            results[module] |= found
    for module, found in sorted(results.items()):
        print(module, *(f"{loop}: {'ok' if one['passed'] else one['code']} ({one['tests']})" for loop, one in found.items()))
    if options.write:
        code = ("import sys, gevent, greenlet; print(f'CPython {sys.version.split()[0]}, gevent "
                "{gevent.__version__}, greenlet {greenlet.__version__}.')")
        versions = subprocess.run([options.python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        write_page(results, expectations, versions)
    wrong = judge(results, expectations)
    for line in wrong:
        print("NOT AS ON LIBEV:", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
