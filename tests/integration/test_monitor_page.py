# SPDX-License-Identifier: MIT
"""The page of the monitor, and the history that it draws."""

import base64
import hashlib
import os
import re
import signal
import sys

import pytest

from harness.addresses import free_port, other_address
from harness.browser import CHROMIUM, Browser
from harness.metrics import TOKEN, Monitor
from harness.paths import ROOT, probe
from harness.waiting import LONG, wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
PYTHON = ("--python", sys.executable, "--pythonpath", APPS)
MARKUP = "/sleep/<img/src=x/onerror=document.title='taken'><script>document.title='taken'</script>"

# A point of the history is there every five seconds, and is asked for as often.
POINTS = 15 + LONG

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")


@pytest.fixture
def browser(tmp_path):
    made = Browser(tmp_path)
    yield made
    made.close()


def rows(browser, table: str) -> list[str]:
    return browser.evaluate(f"[...document.querySelectorAll('#{table} tbody tr')].map((each) => each.innerText)")


def only_what_was_not_there(problems: list[str]) -> bool:
    return all("Failed to load resource" in each for each in problems)


def test_the_page_is_whole_and_runs_nothing_else(start):
    port = free_port()
    start("--admin-bind", f"127.0.0.1:{port}", probe())
    monitor = Monitor(("127.0.0.1", port))
    page = monitor.get("/")
    text = page.body.decode()
    assert page.status == 200 and page.header("Content-Type") == "text/html; charset=utf-8"
    assert page.header("Cache-Control") == "no-store" and page.header("X-Content-Type-Options") == "nosniff"
    policy = dict(each.split(" ", 1) for each in page.header("Content-Security-Policy").split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'" and "unsafe" not in str(policy)
    for tag in ("style", "script"):
        (inner,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert policy[f"{tag}-src"] == f"'sha256-{digest}'"
    assert not re.search(r"\bsrc=|@import|url\(|href=\"https?:|innerHTML|\bon\w+=\"", text)
    assert monitor.get("/", method="HEAD").body == b""
    refused = monitor.get("/", method="POST")
    assert (refused.status, refused.header("Allow")) == (405, "GET, HEAD")
    assert monitor.get("/", host="evil.example").status == 421


def test_the_page_alone_needs_no_token_and_tells_nothing(start):
    address = other_address()
    port = free_port(address)
    server = start("--admin-bind", f"{address}:{port}", probe(), config={"admin_token": TOKEN})
    bare = Monitor((address, port))
    page = bare.get("/", host="any.example")
    assert page.status == 200
    assert str(server.pid) not in page.text and TOKEN not in page.text
    for path in ("/history", "/status", "/requests", "//", "/?/", "/index.html"):
        expected = 200 if path == "/?/" else 401
        assert bare.get(path, host="any.example").status == expected, path


def test_the_history_of_a_server(start, tmp_path):
    gate = tmp_path / "open"
    port = free_port()
    server = start("--admin-bind", f"127.0.0.1:{port}", *PYTHON, "-w", 2, "-k", "gthread", "--threads", 2, "stuck_probe:app")
    server.allow("was sent SIGKILL")
    monitor = Monitor(("127.0.0.1", port))
    with server.client() as client:
        client.request(f"/sleep?until={gate}&password=secret")
        wait_until(lambda: [each for each in monitor.json("/requests")["requests"] if each["age_seconds"] > 3], "it is slow")
        assert monitor.json("/history")["slow_requests"] == []
        gate.write_text("")
        assert client.response().status == 200
    for _ in range(7):
        assert server.get("/a").status == 200
    assert server.get("/b?status=503%20Not%20Now").status == 503
    (ended,) = wait_until(lambda: monitor.json("/history")["slow_requests"], "it is told as slow", POINTS)
    assert ended["path"] == "/sleep" and ended["age_seconds"] > 1 and ended["pid"] in server.workers()

    def seen():
        columns = monitor.json("/history")["points"]
        told = columns["requests_per_second"]
        rates = {name: sum(rate * took for rate, took in zip(told[name], columns["seconds"], strict=True)) for name in told}
        return rates["2xx"] > 7.9 and rates["5xx"] > 0.9 and columns

    points = wait_until(seen, "all of them are in the points", POINTS)
    assert max(points["in_flight"]) <= 1 and set(points["workers_serving"]) == {2}
    assert max(each or 0 for each in points["duration_seconds"]["p99"]) > 1
    last = points["time"][-1]
    assert all(each > last for each in monitor.json(f"/history?since={last}")["points"]["time"])
    for wrong in ("x", "1e9", "", "nan", "%31"):
        refused = monitor.get(f"/history?since={wrong}")
        assert refused.status == 400 and "since" in refused.text
    killed = server.workers()[0]
    os.kill(killed, signal.SIGKILL)
    (told,) = wait_until(lambda: monitor.json("/history")["incidents"], "its end is told", POINTS)
    assert (told["kind"], told["reason"], told["pid"]) == ("worker_end", "signal", killed)
    server.wait_workers(2)
    server.send(signal.SIGHUP)
    server.wait_log("Reload complete")

    # Another monitor has begun meanwhile, which knows of the reload at least.
    def reloaded():
        return [each for each in monitor.json("/history")["incidents"] if each["kind"] == "reload"]

    (reload,) = wait_until(reloaded, "the reload is told", POINTS)
    assert reload["outcome"] == "completed"
    assert "secret" not in monitor.get("/history").text


@needs_browser
def test_the_page_in_a_browser(start, browser, tmp_path):
    gate = tmp_path / "open"
    port = free_port()
    server = start("--admin-bind", f"127.0.0.1:{port}", *PYTHON, "-w", 2, "stuck_probe:app")
    server.allow("was sent SIGKILL")
    browser.look(1280, 900)
    browser.open(f"http://127.0.0.1:{port}/")
    with server.client() as client:
        client.request(f"{MARKUP}?until={gate}&password=secret")
        browser.wait_for("document.querySelectorAll('#requests tbody tr').length", "the request is shown", 2 * LONG)
        shown = "\n".join(rows(browser, "workers"))
        assert all(str(pid) in shown for pid in server.workers())
        assert browser.evaluate("document.querySelector('#requests td.path').textContent") == MARKUP
        assert browser.evaluate("document.querySelectorAll('#requests img, #requests script').length") == 0
        browser.evaluate("document.querySelector('#requests td.path button').click()")
        browser.wait_for("document.querySelectorAll('#stack .calls li').length > 1", "its stack is shown", 2 * LONG)
        assert browser.evaluate("document.querySelector('#stack h3').textContent") == f"GET {MARKUP}"
        calls = browser.evaluate("document.querySelector('#stack .calls').innerText")
        assert re.search(r"stuck_probe\.py:\d+\s*sleep_until\s+\S", calls), calls
        assert "which it holds" in browser.evaluate("document.querySelector('#stack .small').textContent")
        browser.wait_for("document.querySelector('#workers').innerText.includes('held')", "the worker is held", 2 * LONG)
        browser.wait_for("document.querySelector('#state').textContent.includes('1 held')", "and it is said above")
        browser.wait_for("document.querySelectorAll('.chart path.line[d^=M]').length > 5", "the charts have lines", POINTS)
        browser.wait_for("document.querySelectorAll('.chart path.area[d^=M]').length > 3", "and areas")
        gate.write_text("")
        assert client.response().status == 200
        browser.evaluate("document.querySelector('#stack button').click()")
        browser.wait_for("document.querySelector('#stack .small').textContent.includes('It has ended')", "it has ended", 2 * LONG)
        browser.evaluate("document.querySelectorAll('#stack button')[1].click()")
        assert browser.evaluate("document.querySelector('#stack').hidden") is True
    browser.wait_for("document.querySelectorAll('#slow tbody tr').length", "it is told as slow", POINTS)
    assert MARKUP in "".join(rows(browser, "slow"))
    assert browser.evaluate("document.querySelectorAll('main img, main script').length") == 0
    os.kill(server.workers()[0], signal.SIGKILL)
    browser.wait_for("document.querySelectorAll('#incidents tbody tr').length", "the worker's end is told", POINTS)
    assert "killed by a signal" in rows(browser, "incidents")[0]
    assert "secret" not in browser.evaluate("document.documentElement.innerHTML")
    assert browser.evaluate("document.title") == "serving – unicoro"
    browser.look(360, 740, "dark")
    edges = "[...document.querySelectorAll('header *, .card, td, dd')].map((each) => each.getBoundingClientRect().right)"
    browser.wait_for(f"Math.max(document.documentElement.scrollWidth, ...{edges}) <= 360", "nothing is wider than a phone")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 17, 22)"
    assert browser.problems == []


@needs_browser
def test_the_page_asks_for_the_token_and_keeps_it(start, browser):
    address = other_address()
    port = free_port(address)
    start("--admin-bind", f"{address}:{port}", probe(), config={"admin_token": TOKEN})
    browser.open(f"http://{address}:{port}/")
    asked = "!document.querySelector('#ask').hidden"
    browser.wait_for(asked, "it asks", 2 * LONG)

    def answer(text: str) -> None:
        browser.evaluate(f"document.querySelector('#token').value = {text!r}; document.querySelector('#ask button').click()")

    answer("wrong-wrong-wrong")
    browser.wait_for(f"{asked} && document.querySelector('#ask-why').textContent.includes('not the server')", "it asks again")
    assert browser.evaluate("document.querySelector('#main').hidden && sessionStorage.length === 0")
    answer(TOKEN)
    browser.wait_for("document.querySelectorAll('#workers tbody tr').length", "the workers are shown")
    browser.open(f"http://{address}:{port}/?again")
    browser.wait_for("document.querySelectorAll('#workers tbody tr').length", "it was kept")
    assert browser.evaluate("localStorage.length === 0 && document.cookie === '' && document.querySelector('#ask').hidden")
    assert only_what_was_not_there(browser.problems)


@needs_browser
def test_the_page_says_that_it_has_lost_the_server_and_comes_back(start, browser):
    port = free_port()
    admin = ("--admin-bind", f"127.0.0.1:{port}")
    server = start(*admin, probe())
    browser.open(f"http://127.0.0.1:{port}/")
    browser.wait_for("document.querySelectorAll('#workers tbody tr').length", "the workers are shown", 2 * LONG)
    assert server.stop() == 0
    browser.wait_for("!document.querySelector('#lost').hidden", "it says so", 2 * LONG)
    assert "No answer" in browser.evaluate("document.querySelector('#lost').innerText")
    (pid,) = start(*admin, probe()).workers()
    browser.wait_for("document.querySelector('#lost').hidden", "it has come back", 2 * LONG)
    assert str(pid) in rows(browser, "workers")[0]
    assert only_what_was_not_there(browser.problems)
