# SPDX-License-Identifier: MIT
"""sanitizer_reports.py must find every report, and put what summary.py counts as a failure."""

import json
import tempfile
import unittest
from pathlib import Path

import sanitizer_reports
import summary

ASAN = "=====\n==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n    #0 0x1 in f a.cpp:1\n"
UBSAN = "../src/a.cpp:7:3: runtime error: signed integer overflow\n    #0 0x1 in f a.cpp:7\n"


class Reports(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)
        self.folder = self.home / "reports"
        self.folder.mkdir()

    def counted(self) -> tuple[int, int]:
        reports = sanitizer_reports.of_folder(self.folder)
        reports += sanitizer_reports.of_testlog(self.home / "testlog.json")
        sanitizer_reports.write(self.home / "found.xml", reports)
        self.tally = summary.Tally()
        summary.read_pytest(self.home / "found.xml", 1 if reports else 0, self.tally, "sanitizers:")
        return self.tally.passed, self.tally.failed

    def test_none(self):
        (self.home / "testlog.json").write_text(json.dumps({"name": "a", "stdout": "fine"}) + "\n")
        self.assertEqual(self.counted(), (1, 0))

    def test_each_file_is_one(self):
        (self.folder / "asan.7").write_text(ASAN)
        (self.folder / "asan.8").write_text("cut off\0")
        (self.folder / "asan.9").write_text("")
        self.assertEqual(self.counted(), (0, 2))
        self.assertIn("heap-use-after-free", self.tally.failures[0][1])

    def test_each_in_the_log_is_one_although_its_test_passed(self):
        line = json.dumps({"name": "a", "result": "OK", "stdout": "x\n" + UBSAN, "stderr": UBSAN})
        (self.home / "testlog.json").write_text(line + "\n")
        self.assertEqual(self.counted(), (0, 2))
        self.assertEqual(self.tally.failures[0][0], "sanitizers: sanitizers::a")


if __name__ == "__main__":
    unittest.main()
