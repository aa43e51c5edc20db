# SPDX-License-Identifier: MIT
"""What went wrong, told apart by kind and place so that one fault is one line."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

# Lines that no error log may have, whatever happens to its requests.
NEVER = re.compile(
    r"was sent SIG(?!TERM|QUIT|INT)\w+|exited with code [1-9]|co_await|Operation canceled|terminate called"
    r"|\[CRITICAL\]|WORKER TIMEOUT|Fatal Python error|runtime error:|AddressSanitizer"
    r"|ended by an exception|exception of unknown type|accept loop has ended"
)
ENTRY = re.compile(r"^\[\d{4}-\d\d-\d\d ", re.MULTILINE)
PREFIX = re.compile(r"^(\[[^\]]*\] ?)+")
LEVEL = re.compile(r"\[(DEBUG|INFO|WARNING|ERROR|CRITICAL)\]")

# Errors that acts cause on purpose, and no other.
CAUSED = re.compile(
    r"OnPurpose"
    r"|/(silent|cancelled|sender_left|stubborn|closed_elsewhere)\?.*\n"
    r"(the application returned|RuntimeError: the task of the request was destroyed"
    r"|the task was cancelled, and not by the server)"
    r"|/killed\?(.*\n)*.*GreenletExit"
    r"|/stubborn\?.*\nthe task ignores that it was cancelled"
)
# What Python and its packages say by themselves, and what of it acts cause.
SAID = re.compile(r"Exception ignored in|never retrieved|was never awaited|was destroyed|Traceback")
COMPLAINT = re.compile(
    r"^(?=Exception ignored in|Exception in |Task |Future |\S+: runtime error)"
    r"|(?<!:\n)(?<!:\n\n)(?<!>\n)(?<!\)\n)(?=^Traceback \(most recent)",
    re.MULTILINE,
)
SAID_ON_PURPOSE = re.compile(
    r"OnPurpose|failed with Timeout|timeout.Timeout: 0.03 seconds|Task was destroyed but it is pending"
    # The end of a thread's request may come upon a destructor, where Python drops every exception.
    r"|^Exception ignored in(.*\n)*_unicoro\.RequestCancelled"
)

# A frame of ours: its function and its place below src/ or tests/.
FRAME = re.compile(r"^ +#\d+ 0x[0-9a-f]+ in (.*) \S*?((?:src|include|native)/\S+?:\d+)(?::\d+)?$", re.MULTILINE)
# What stands below every request.
GROUND = re.compile(
    r"src/(master/|cli/|main\.cpp|worker/worker\.cpp|app/(mounted_)?host\.|aio/event\.|greenlet/)"
    r"|src/python/(loop/|host/|runtime/greenlet_api|wsgi/greenlets/gevent_driver|wsgi/threads/thread_pool)"
    r"|src/python/(asgi/asgi_loop|gevent/loop)"
    r"|include/c\+\+|include/boost|libsanitizer"
)
RUNTIME_ERROR = re.compile(r"^(\S+?):(\d+):\d+: runtime error: (.*)$", re.MULTILINE)
ASAN = re.compile(r"ERROR: AddressSanitizer: (\S+)")
ENDS = re.compile(r"(SIG\w+|exited with code \d+)")


@dataclass(frozen=True)
class Finding:
    what: str
    name: str  # the same for the same fault
    detail: str = ""

    @property
    def title(self) -> str:
        return f"{self.what}: {self.name}"


def _place(text: str, frames: int = 3) -> str:
    """The topmost frames that are ours."""
    names = [
        f"{re.split(r'[(<]', match[1])[0].rpartition(':')[2]} {match[2].removeprefix('src/')}"
        for match in FRAME.finditer(text)
        if not GROUND.search(match[2])
    ]
    return " < ".join(names[:frames]) or "elsewhere"


def of_sanitizers(folder: Path) -> list[Finding]:
    found = []
    for path in sorted(folder.glob("asan.*")):
        text = path.read_text(errors="replace")
        if match := ASAN.search(text):
            used, _, freed = text.partition("freed by thread")
            name = f"{match[1]} in {_place(used)}"
            if freed:
                name += f", freed in {_place(freed.partition('allocated by')[0], 1)}"
            found.append(Finding("AddressSanitizer", name, text))
        elif text.strip():
            found.append(Finding("sanitizer", text.strip().splitlines()[0][:120], text))
    return found


def entries(log: str) -> list[str]:
    starts = [match.start() for match in ENTRY.finditer(log)]
    if not starts or starts[0] > 0:
        starts.insert(0, 0)
    return [log[a:b].rstrip() for a, b in zip(starts, starts[1:] + [len(log)])]


def _entry(text: str) -> Finding | None:
    if match := NEVER.search(text):
        end = ENDS.search(text)
        line = PREFIX.sub("", next(each for each in text.splitlines() if match[0] in each))
        return Finding("died", end[1], text) if end else Finding("log", line[:100], text)
    level = LEVEL.search(text)
    if CAUSED.search(text) or "In flight in worker" in text:
        return None
    if level and level[1] in ("ERROR", "CRITICAL"):
        last = PREFIX.sub("", text.splitlines()[-1].strip())
        return Finding("log", re.sub(r"\?[^\s:]+|\d+", "N", last)[:100], text)
    return None


def of_log(log: str) -> list[Finding]:
    return [found for text in entries(log) if (found := _entry(text))]


def of_stderr(text: str) -> list[Finding]:
    """Beside the log: what Python and the sanitizers complain of, one by one."""
    found = []
    for block in COMPLAINT.split(text):
        if match := RUNTIME_ERROR.search(block):
            name = f"{Path(match[1]).name}:{match[2]} {match[3]} in {_place(block)}"
            found.append(Finding("UndefinedBehaviorSanitizer", name, block))
        elif match := NEVER.search(block):
            found.append(Finding("stderr", match[0], block))
        elif SAID.search(block) and not SAID_ON_PURPOSE.search(block):
            last = block.strip().splitlines()[-1].strip()
            # Of a report that another process has broken into.
            if last.startswith("#"):
                continue
            found.append(Finding("stderr", re.sub(r"0x\w+|\d+", "N", last)[:100], block))
    return found


def counted(findings: list[Finding]) -> list[tuple[Finding, int]]:
    """One of each fault, and how often it was seen; the most frequent first."""
    counts = Counter(each.title for each in findings)
    first = {}
    for each in findings:
        first.setdefault(each.title, each)
    return [(first[title], count) for title, count in counts.most_common()]
