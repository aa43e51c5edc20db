# SPDX-License-Identifier: MIT
"""The ratios of RESULTS.md as bars: an SVG that can be read on light and dark pages."""

import re
from dataclasses import dataclass
from html import escape

WIDTH = 860
LABELS = 400  # where the bars begin
LONGEST = WIDTH - LABELS - 60
LINE = 22
BAR = 12
TITLE = 34
TOP = 58

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.small { font-size: 12px; fill: #57606a; }
.ahead { fill: #2da44e; }
.behind { fill: #bf8700; }
.even { stroke: #8c959f; stroke-dasharray: 3 3; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .small { fill: #9198a1; }
  .ahead { fill: #3fb950; }
  .behind { fill: #d29922; }
}
"""


@dataclass
class Bar:
    label: str
    ratio: float


def bars_of(report: str) -> list[tuple[str, list[Bar]]]:
    """The ratios of Unicoro to other servers, under the titles of their sections."""
    groups: list[tuple[str, list[Bar]]] = []
    for line in report.splitlines():
        if line.startswith("## "):
            groups.append((line.removeprefix("## "), []))
        found = re.match(r"\| (unicoro .+?) to (?!unicoro|Flask in a bare loop)(.+?) \| [-\d.]+ \| ([\d.]+)", line)
        if found and groups:
            groups[-1][1].append(Bar(f"{found[1]} to {found[2]}", float(found[3])))
    return [(title, bars) for title, bars in groups if bars]


def _bar(bar: Bar, top: float, scale: float) -> list[str]:
    middle = top + LINE / 2
    length = bar.ratio * scale
    side = "ahead" if bar.ratio >= 1 else "behind"
    return [
        f'<text x="{LABELS - 10}" y="{middle + 4:.0f}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect class="{side}" x="{LABELS}" y="{middle - BAR / 2:.0f}" width="{length:.1f}" height="{BAR}" rx="2"/>',
        f'<text x="{LABELS + length + 6:.1f}" y="{middle + 4:.0f}">{bar.ratio:.2f}</text>',
    ]


def draw(report: str) -> str:
    """A group of bars under each title; a line marks where both are even."""
    groups = bars_of(report)
    footnote = report.splitlines()[2].rstrip(".")
    largest = max((bar.ratio for _, bars in groups for bar in bars), default=1)
    scale = LONGEST / max(largest, 1)
    height = TOP + sum(TITLE + LINE * len(bars) for _, bars in groups) + 16
    body: list[str] = []
    top = TOP
    for title, bars in groups:
        body.append(f'<text class="title" x="12" y="{top + TITLE - 10}">{escape(title)}</text>')
        top += TITLE
        for bar in bars:
            body += _bar(bar, top, scale)
            top += LINE
    even = LABELS + scale
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Unicoro compared with other servers">',
        f"<style>{STYLE}</style>",
        '<text class="title" x="12" y="24">What Unicoro does per CPU-second, to what the other does</text>',
        f'<text class="small" x="12" y="44">{escape(footnote)}</text>',
        f'<line class="even" x1="{even:.1f}" y1="{TOP}" x2="{even:.1f}" y2="{height - 10}"/>',
    ]
    return "\n".join([*head, *body, "</svg>"]) + "\n"
