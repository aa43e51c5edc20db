# SPDX-License-Identifier: MIT
"""Adds up what the test programs reported and prints "N passed, N failed" as the last line.

usage: summary.py --meson TESTLOG_JSON EXIT_STATUS [--pytest JUNIT_XML EXIT_STATUS]...

A doctest program counts by its cases, any other Meson test as one. A runner that failed without
naming a failed test counts as one failure: a report that is missing must not look like success.
"""

import argparse
import json
import re
import sys
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field
from pathlib import Path

DOCTEST = re.compile(r"\[doctest\] test cases:\s*(\d+) \|\s*(\d+) passed \|\s*(\d+) failed")
GOOD_RESULTS = {"OK", "EXPECTEDFAIL"}


@dataclass
class Tally:
    passed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)
    failed: int = 0

    def fail(self, name: str, count: int = 1) -> None:
        self.failed += count
        self.failures.append(name)


def read_meson(path: Path, status: int, tally: Tally) -> None:
    before = tally.failed
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    for line in lines:
        test = json.loads(line)
        name = f"{'+'.join(test.get('suite') or [])} {test['name']}".strip()
        good = test["result"] in GOOD_RESULTS
        cases = DOCTEST.search(test.get("stdout") or "")
        if test["result"] == "SKIP":
            tally.skipped += 1
        elif cases:
            _, passed, failed = map(int, cases.groups())
            tally.passed += passed
            # Ended badly although every case passed: a crash or a leak at the end.
            if failed or not good:
                tally.fail(name, max(failed, 1))
        elif good:
            tally.passed += 1
        else:
            tally.fail(f"{name} ({test['result'].lower()})")
    if not lines or (status != 0 and tally.failed == before):
        tally.fail(f"meson test (exit status {status})")


def read_pytest(path: Path, status: int, tally: Tally) -> None:
    before = tally.failed
    cases = list(xml.parse(path).getroot().iter("testcase")) if path.exists() else []
    for case in cases:
        name = f"{case.get('classname')}::{case.get('name')}"
        # A case that fails and then fails to clean up is one failure.
        if case.find("failure") is not None or case.find("error") is not None:
            tally.fail(name)
        elif case.find("skipped") is not None:
            tally.skipped += 1
        else:
            tally.passed += 1
    if not cases or (status != 0 and tally.failed == before):
        tally.fail(f"{path.stem} (exit status {status})")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meson", nargs=2, metavar=("REPORT", "STATUS"), required=True)
    parser.add_argument(
        "--pytest", nargs=2, metavar=("REPORT", "STATUS"), action="append", required=True
    )
    options = parser.parse_args()

    tally = Tally()
    read_meson(Path(options.meson[0]), int(options.meson[1]), tally)
    for report, status in options.pytest:
        read_pytest(Path(report), int(status), tally)
    for name in tally.failures:
        print(f"FAILED {name}")
    if tally.skipped:
        print(f"{tally.skipped} skipped")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
