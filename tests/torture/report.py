# SPDX-License-Identifier: MIT
"""What a run prints, and the JUnit file for the summary of all tests."""

import xml.etree.ElementTree as xml
from collections import Counter
from pathlib import Path

import findings
import kinds
from findings import Finding
from round import Result


def one(result: Result) -> str:
    """A round, in a line."""
    outcomes = ", ".join(f"{name} {count}" for name, count in result.tally.outcomes.most_common())
    first, last = result.descriptors
    megabytes = "/".join(f"{each / 1e6:.1f}" for each in result.memory)
    text = f"{result.title}: {result.tally.requests} requests ({outcomes}); "
    text += f"descriptors {first}/{last}, allocated {megabytes} MB, {result.seconds:.0f} s"
    for each, count in findings.counted(result.findings):
        text += f"\n    {count} x {each.title}"
    return text


def _table(rows, columns, cells: Counter) -> list[str]:
    wide = max((len(str(each)) for each in rows), default=0)
    lines = ["  ".join([" " * wide, *(f"{each:>9}" for each in columns)])]
    for row in rows:
        numbers = [f"{cells[row, column]:>9}" for column in columns]
        lines.append("  ".join([f"{row!s:<{wide}}", *numbers]))
    return lines


def total(results: list[Result], seeds: list[str]) -> str:
    requests = sum(each.tally.requests for each in results)
    cells: Counter = Counter()
    told: Counter = Counter()
    refusals: Counter = Counter()
    outcomes: Counter = Counter()
    found: list[Finding] = []
    for each in results:
        cells += each.tally.cells
        refusals += each.tally.refusals
        told += each.server_ends
        outcomes += each.tally.outcomes
        found += each.findings
    lines = ["", f"{len(results)} rounds, {requests} requests, seeds {' '.join(seeds)}", ""]
    lines += ["how clients ended them, and where:", *_table(kinds.CLIENT_ENDS, kinds.STAGES, cells), ""]
    if told:
        lines += ["what the server was told, and where its requests were:"]
        lines += [*_table(sorted({row for row, _ in told}), kinds.STAGES, told), ""]
    lines += ["what the server answered by itself (504: request_timeout), by where the client ended:"]
    lines += [*_table(sorted({row for row, _ in refusals}), kinds.STAGES, refusals), ""]
    lines.append("how they went: " + ", ".join(f"{name} {count}" for name, count in outcomes.most_common()))
    sorts = Counter(each.what for each in found)
    for what in ("AddressSanitizer", "UndefinedBehaviorSanitizer", "died", "hang", "mixed up", "framing"):
        sorts[what] += 0
    lines.append("reports: " + ", ".join(f"{name} {count}" for name, count in sorted(sorts.items())))
    worst = max((last - first for first, last in (each.descriptors for each in results)), default=0)
    lines.append(f"descriptors: {'as at the start' if worst <= 0 else f'up to {worst} more than at the start'}")
    return "\n".join(lines)


def details(results: list[Result], folder: Path) -> list[str]:
    """Writes each fault once, with the first round that showed it; returns their titles."""
    titles = []
    with open(folder / "findings.txt", "w", encoding="utf-8") as file:
        for each, count in findings.counted([f for result in results for f in result.findings]):
            rounds = [result for result in results if each.title in {f.title for f in result.findings}]
            seen = ", ".join(f"{result.kind} {result.seed}" for result in rounds[:5])
            titles.append(f"{count} x {each.title} ({seen})")
            file.write(f"=== {count} x {each.title}\nrounds: {seen}\n{each.detail.rstrip()}\n\n")
            others = [other.detail for result in rounds for other in result.findings if other.title == each.title]
            # Of what a client met, each case tells something.
            file.writelines(f"{other.rstrip()}\n" for other in others[1:6] if len(other) < 600)
    return titles


def write_junit(path: Path, results: list[Result]) -> None:
    suite = xml.Element("testsuite", name="torture")
    for each in results:
        case = xml.SubElement(suite, "testcase", classname="torture", name=f"{each.title} (seed {each.seed})")
        if each.findings:
            failure = xml.SubElement(case, "failure")
            failure.text = "\n".join(finding.title for finding in each.findings)
    xml.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
