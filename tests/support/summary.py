# SPDX-License-Identifier: MIT
"""Adds up what the test programs reported and prints "N passed, N failed" as the last line.

usage: summary.py [--meson TITLE TESTLOG_JSON EXIT_STATUS]... [--pytest TITLE JUNIT_XML EXIT_STATUS]...

TITLE stands before the names of the tests that failed.
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
# "FATAL ERROR: test case CRASHED" is what children print that a test lets die of a signal.
DOCTEST_ERROR = re.compile(r"^.*: ERROR: |^.*: FATAL ERROR: REQUIRE|^.*ERROR: \w+Sanitizer", re.MULTILINE)
# What is shown of a failure: where it is, and what to look for in the report.
MOST_LINES, WIDEST = 8, 240
GOOD_RESULTS = {"OK", "EXPECTEDFAIL"}


@dataclass
class Tally:
    passed: int = 0
    skipped: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)  # a name, and what it said
    failed: int = 0
    retried: list[str] = field(default_factory=list)  # passed, but not at once

    def fail(self, name: str, count: int = 1, said: str = "") -> None:
        self.failed += count
        self.failures.append((name, said))


def shortened(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(f"    {line[:WIDEST]}" for line in lines[:MOST_LINES])


def errors_of(test: dict) -> str:
    text = (test.get("stdout") or "") + (test.get("stderr") or "")
    failed = [found.start() for found in DOCTEST_ERROR.finditer(text)]
    return shortened(text[failed[0] :] if failed else "\n".join(text.splitlines()[-MOST_LINES:]))


def read_meson(path: Path, status: int, tally: Tally, title: str = "") -> None:
    before = tally.failed
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    for line in lines:
        test = json.loads(line)
        name = f"{title} {'+'.join(test.get('suite') or [])} {test['name']}".strip()
        good = test["result"] in GOOD_RESULTS
        # The last: a child that a test lets die of a signal may have printed one of its own.
        cases = ([None, *DOCTEST.finditer(test.get("stdout") or "")])[-1]
        if test["result"] == "SKIP":
            tally.skipped += 1
        elif cases:
            _, passed, failed = map(int, cases.groups())
            tally.passed += passed
            # Ended badly although every case passed: a crash or a leak at the end.
            if failed or not good:
                tally.fail(name, max(failed, 1), errors_of(test))
        elif good:
            tally.passed += 1
        else:
            tally.fail(f"{name} ({test['result'].lower()})", said=errors_of(test))
    if not lines or (status != 0 and tally.failed == before):
        tally.fail(f"{title} meson test (exit status {status})".strip())


def read_pytest(path: Path, status: int, tally: Tally, title: str = "") -> None:
    before = tally.failed
    cases: dict[str, list[xml.Element]] = {}
    for case in xml.parse(path).getroot().iter("testcase") if path.exists() else []:
        cases.setdefault(f"{title} {case.get('classname')}::{case.get('name')}".strip(), []).append(case)
    for name, tries in cases.items():
        # A case that fails and then fails to clean up is one failure.
        failures = [found[0] for found in (case.findall("failure") + case.findall("error") for case in tries) if found]
        for why in failures:
            tally.fail(name, said=shortened(why.get("message") or why.text or ""))
        if failures:
            continue
        if tries[-1].find("skipped") is not None:
            tally.skipped += 1
        else:
            tally.passed += 1
        # What failed in a try that was not the last has an entry without a failure.
        if len(tries) > 1:
            tally.retried.append(name)
    if not cases or (status != 0 and tally.failed == before):
        tally.fail(f"{title} {path.stem} (exit status {status})".strip())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for runner in ("--meson", "--pytest"):
        parser.add_argument(
            runner, nargs=3, metavar=("TITLE", "REPORT", "STATUS"), action="append", required=True
        )
    options = parser.parse_args()

    tally = Tally()
    for read, reports in ((read_meson, options.meson), (read_pytest, options.pytest)):
        for title, report, status in reports:
            read(Path(report), int(status), tally, title)
    for name, said in tally.failures:
        print(f"FAILED {name}")
        if said:
            print(said)
    for name in tally.retried:
        print(f"passed at the second try: {name}")
    if tally.skipped:
        print(f"{tally.skipped} skipped")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
