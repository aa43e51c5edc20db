# SPDX-License-Identifier: MIT
"""Fails when a sanitizer reported anything while tests ran, in whichever process and however that one ended.

usage: sanitizer_reports.py --folder FOLDER [--testlog TESTLOG_JSON] --junitxml JUNIT_XML

FOLDER has the files of AddressSanitizer's log_path. UndefinedBehaviorSanitizer writes to stderr, so that
Meson's log of the tests is searched as well. The result is a JUnit report, with a failure for each report.
"""

import argparse
import json
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

REPORT = re.compile(r"^.*(?:ERROR: \w+Sanitizer|runtime error:)", re.MULTILINE)


def of_folder(folder: Path) -> list[tuple[str, str]]:
    """(name, text) of each report."""
    found = []
    for path in sorted(folder.glob("*")):
        text = path.read_text(encoding="utf-8", errors="replace")
        at = REPORT.search(text)
        if text.strip():
            found.append((path.name, text[at.start() if at else 0 :]))
    return found


def of_testlog(path: Path) -> list[tuple[str, str]]:
    found = []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    for test in map(json.loads, lines):
        text = (test.get("stdout") or "") + (test.get("stderr") or "")
        starts = [match.start() for match in REPORT.finditer(text)]
        found += [(test["name"], text[a:b]) for a, b in zip(starts, [*starts[1:], len(text)])]
    return found


def write(path: Path, reports: list[tuple[str, str]]) -> None:
    suite = xml.Element("testsuite")
    for name, text in reports or [("no report", "")]:
        case = xml.SubElement(suite, "testcase", classname="sanitizers", name=name)
        if text:
            # What XML cannot hold comes from the program that is reported on.
            clean = re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd]", "?", text)
            xml.SubElement(case, "failure", message=clean)
    xml.ElementTree(suite).write(path, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--testlog", type=Path)
    parser.add_argument("--junitxml", type=Path, required=True)
    options = parser.parse_args()
    reports = of_folder(options.folder) + (of_testlog(options.testlog) if options.testlog else [])
    write(options.junitxml, reports)
    for name, text in reports:
        print(f"reported in {name}:\n{text[:4000]}")
    return 1 if reports else 0


if __name__ == "__main__":
    sys.exit(main())
