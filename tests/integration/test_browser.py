# SPDX-License-Identifier: MIT
"""What a browser's engine makes of TLS, HTTP/2 and WebSockets."""

import sys

import pytest

from harness.browser import CHROMIUM, Browser
from harness.certificates import fingerprint
from harness.paths import ROOT

APPS = ROOT / "tests" / "integration" / "python_apps"
PATIENCE = 60
PARTS = 12

LOAD = f"""(async () => {{
    const parts = [...Array({PARTS}).keys()].map(async (each) => (await (await fetch('/part/' + each)).text()).length);
    const sizes = await Promise.all(parts);
    const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    const wanted = entries.filter((each) => !each.name.startsWith('data:'));
    return {{sizes, protocols: wanted.map((each) => each.nextHopProtocol)}};
}})()"""

TALK = """new Promise((resolve) => {
    const heard = [];
    const socket = new WebSocket('wss://' + location.host + '/echo', ['soap', 'chat']);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => { socket.send('größer'); socket.send(new Uint8Array(70000).fill(7)); socket.send('close'); };
    socket.onmessage = ({data}) => heard.push(typeof data === 'string' ? data : [data.byteLength, new Uint8Array(data)[69999]]);
    socket.onclose = ({code, reason, wasClean}) => resolve({heard, code, reason, wasClean, chosen: socket.protocol});
})"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_pages_and_websockets(start, pair, tmp_path):
    own = ("--certfile", pair[0], "--keyfile", pair[1], "--http-protocols", "h2,h1", "--python", sys.executable,
           "--pythonpath", APPS)
    servers = {
        "wsgi": start(*own, "-k", "gthread", "--threads", 2 * PARTS, "browser_probe"),
        "asgi": start(*own, "-k", "async", "browser_probe:asgi"),
    }
    browser = Browser(tmp_path, f"--ignore-certificate-errors-spki-list={fingerprint(pair[0])}")
    try:
        for kind, server in servers.items():
            browser.open(f"https://localhost:{server.address[1]}/{kind}")
            browser.wait_for(f"document.title === 'probe' && location.pathname === '/{kind}'", "the page", PATIENCE)
            loaded = browser.evaluate(LOAD, PATIENCE)
            assert loaded["sizes"] == [100_000] * PARTS, kind
            assert loaded["protocols"] == ["h2"] * (1 + PARTS), kind
        told = browser.evaluate(TALK, PATIENCE)
        # On the connection that the page came by (RFC 8441).
        assert told.pop("heard") == ["wss 2", "größer", [70000, 7]]
        assert told == {"code": 3001, "reason": "asked for", "wasClean": True, "chosen": "soap"}
        assert browser.problems == []
    finally:
        browser.close()
