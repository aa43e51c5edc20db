# SPDX-License-Identifier: MIT
"""summary.py must count right, and must never call a broken run a success."""

import json
import tempfile
import unittest
from pathlib import Path

import summary

DOCTEST = "[doctest] test cases:   {} |   {} passed | {} failed | 0 skipped\n"


def meson_line(name: str, result: str, stdout: str = "") -> str:
    return json.dumps({"name": name, "suite": ["unit"], "result": result, "stdout": stdout})


class Summary(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.report = Path(folder.name) / "report"
        self.tally = summary.Tally()

    def meson(self, lines: list[str], status: int = 0) -> tuple[int, int, int]:
        self.report.write_text("\n".join(lines), encoding="utf-8")
        summary.read_meson(self.report, status, self.tally)
        return self.tally.passed, self.tally.failed, self.tally.skipped

    def pytest(self, cases: str, status: int = 0) -> tuple[int, int, int]:
        self.report.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>", "utf-8")
        summary.read_pytest(self.report, status, self.tally)
        return self.tally.passed, self.tally.failed, self.tally.skipped

    def test_doctest_counts_by_cases(self):
        lines = [
            meson_line("a", "OK", DOCTEST.format(12, 12, 0)),
            meson_line("b", "FAIL", DOCTEST.format(5, 3, 2)),
        ]
        self.assertEqual(self.meson(lines, 1), (15, 2, 0))

    def test_a_child_that_prints_a_summary_does_not_count(self):
        child = DOCTEST.format(3, 2, 1)
        self.assertEqual(self.meson([meson_line("a", "OK", child + DOCTEST.format(12, 12, 0))]), (12, 0, 0))

    def test_failures_come_with_what_was_said(self):
        said = "../a_test.cpp:7: ERROR: CHECK( 1 == 2 ) is NOT correct!\n  values: CHECK( 1 == 2 )\n"
        self.meson([meson_line("a", "FAIL", "noise\n" + said + DOCTEST.format(5, 4, 1))], 1)
        self.pytest('<testcase classname="c" name="n"><failure message="assert 3 == 4"/></testcase>', 1)
        self.assertIn("CHECK( 1 == 2 )", self.tally.failures[0][1])
        self.assertNotIn("noise", self.tally.failures[0][1])
        self.assertEqual(self.tally.failures[1], ("c::n", "    assert 3 == 4"))

    def test_other_programs_count_one(self):
        lines = [meson_line("a", "OK"), meson_line("b", "TIMEOUT"), meson_line("c", "SKIP")]
        self.assertEqual(self.meson(lines, 1), (1, 1, 1))

    def test_crash_after_the_cases_is_a_failure(self):
        self.assertEqual(self.meson([meson_line("a", "FAIL", DOCTEST.format(4, 4, 0))], 1), (4, 1, 0))

    def test_nothing_ran_is_a_failure(self):
        self.assertEqual(self.meson([]), (0, 1, 0))

    def test_runner_failed_without_a_failed_test(self):
        self.assertEqual(self.meson([meson_line("a", "OK")], 2), (1, 1, 0))

    def test_missing_report_is_a_failure(self):
        summary.read_meson(self.report, 0, self.tally)
        summary.read_pytest(self.report, 0, self.tally)
        self.assertEqual(self.tally.failed, 2)

    def test_pytest_cases(self):
        cases = """
            <testcase classname="m" name="a"/>
            <testcase classname="m" name="b"><failure/><error/></testcase>
            <testcase classname="m" name="c"><error/></testcase>
            <testcase classname="m" name="d"><skipped/></testcase>"""
        self.assertEqual(self.pytest(cases, 1), (1, 2, 1))

    def test_of_several_tries_the_last_one_counts(self):
        cases = """
            <testcase classname="m" name="a"/>
            <testcase classname="m" name="a"/>
            <testcase classname="m" name="b"/>
            <testcase classname="m" name="b"><failure/></testcase>"""
        self.assertEqual(self.pytest(cases, 1), (1, 1, 0))
        self.assertEqual(self.tally.retried, ["m::a"])

    def test_the_title_stands_before_the_names(self):
        self.report.write_text(meson_line("a", "FAIL"), encoding="utf-8")
        summary.read_meson(self.report, 1, self.tally, "sanitizers:")
        self.assertEqual(self.tally.failures[0][0], "sanitizers: unit a (fail)")

    def test_pytest_without_cases_is_a_failure(self):
        self.assertEqual(self.pytest("", 5), (0, 1, 0))


if __name__ == "__main__":
    unittest.main()
