# SPDX-License-Identifier: MIT
"""A headless Chromium, driven through the pipe of its DevTools protocol."""

import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

from . import processes
from .waiting import LONG, wait_until

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--no-first-run", "--disable-breakpad", "--disable-crash-reporter",
    "--no-default-browser-check", "--no-proxy-server", "--hide-scrollbars", "--mute-audio",
)


def helpers() -> list[int]:
    """Processes of a browser that have become children of this one, which adopts orphans."""

    def is_one(pid: int) -> bool:
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/comm").read_text().startswith("chrom")
        return False

    return [pid for pid in processes.own_children() if is_one(pid)]


class Browser:
    """One page of it. `problems` are what the page has had to say in the console, and what the browser has said of it."""

    def __init__(self, folder: Path, *flags: str):
        to_read, self.write_end = os.pipe()
        self.read_end, to_write = os.pipe()

        def move():
            # The browser reads from 3 and writes to 4.
            first, second = os.dup(to_read), os.dup(to_write)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.log = folder / "chromium.log"
        try:
            with self.log.open("wb") as log:
                self.child = subprocess.Popen(
                    [CHROMIUM, *FLAGS, *flags, f"--user-data-dir={folder / 'profile'}", "about:blank"],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=move, close_fds=False,
                    start_new_session=True, env={**os.environ, "HOME": str(folder), "TZ": "UTC"},
                )
        finally:
            os.close(to_read)
            os.close(to_write)
        self.waiting = b""
        self.number = 0
        self.session = None
        self.problems: list[str] = []
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.command(f"{domain}.enable")

    def command(self, method: str, timeout: float = 4 * LONG, **parameters) -> dict:
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + timeout
        while True:
            told = self._next(deadline)
            if told.get("id") == self.number:
                assert "error" not in told, f"{method}: {told['error']}"
                return told["result"]
            self._note(told)

    def _next(self, deadline: float) -> dict:
        while b"\0" not in self.waiting:
            ready, _, _ = select.select([self.read_end], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"the browser does not answer: {self.log.read_text(errors='replace')[-2000:]}"
            come = os.read(self.read_end, 1 << 20)
            assert come, f"the browser has ended: {self.log.read_text(errors='replace')[-2000:]}"
            self.waiting += come
        message, self.waiting = self.waiting.split(b"\0", 1)
        return json.loads(message)

    def _note(self, told: dict) -> None:
        what = told.get("params", {})
        if told.get("method") == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(what["exceptionDetails"]))
        elif told.get("method") == "Runtime.consoleAPICalled":
            self.problems.append(json.dumps(what["args"]))
        elif told.get("method") == "Log.entryAdded":
            self.problems.append(what["entry"]["text"])

    def look(self, width: int, height: int, scheme: str = "light", scale: float = 1) -> None:
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                     mobile=width < 600)
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, address: str) -> None:
        """Until all elements of the page are there."""
        self.command("Page.navigate", url=address)
        there = f"location.href === {json.dumps(address)} && document.readyState !== 'loading'"
        self.wait_for(there, f"{address} is there", 2 * LONG)

    def evaluate(self, expression: str, timeout: float = 4 * LONG):
        answer = self.command("Runtime.evaluate", timeout, expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression: str, what: str, timeout: float = LONG):
        return wait_until(lambda: self.evaluate(expression), what, timeout)

    def screenshot(self, path: Path, whole: bool = False) -> None:
        answer = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _family(self) -> list[int]:
        """What is not yet an orphan: processes of its session."""
        found = []
        for each in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if int(each.read_text().rpartition(")")[2].split()[3]) == self.child.pid:
                    found.append(int(each.parent.name))
        return found

    def close(self) -> None:
        self.child.kill()
        self.child.wait()

        def none_is_left() -> bool:
            left = helpers()
            for pid in left:
                processes.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)
            return not left and not self._family()

        wait_until(none_is_left, "the browser and its helpers have ended")
        os.close(self.read_end)
        os.close(self.write_end)
