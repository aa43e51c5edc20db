# SPDX-License-Identifier: MIT
"""blocked_loop_warning for native code: which request, and where it is."""

import re

import pytest

from harness.paths import BINARY, probe


@pytest.mark.parametrize(
    ("target", "function"),
    [("/hold-the-loop", "hold_the_loop"), ("/sleep-on-the-loop", "sleep_on_the_loop")],
)
def test_native_code_that_holds_the_loop(start, gate, target, function):
    server = start("--blocked-loop-warning", 0.3, probe())
    with server.client() as other:
        other.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
        answer = server.get(f"{target}?ms=1000")
        assert answer.text in ("held", "slept")
        gate.release()
        assert other.response().status == 200
    log = server.log()
    assert len(re.findall("blocked_loop_warning", log)) == 1
    warning = re.search(r"\[WARNING\] blocked_loop_warning: (.*)\n((?:  .*\n)+)", log)
    assert re.fullmatch(
        r"the event loop did not come round for 0\.\d s \(limit 0\.3 s\); requests in it: "
        rf"GET {target}\?ms=1000 for \d\.\d s, GET /hold\?gate=\S+ for \d\.\d s; it is here:",
        warning[1],
    )
    assert f"probe::(anonymous namespace)::{function}(unicoro::request&)" in warning[2]
    assert "libprobe.so+0x" in warning[2]
    # Not what the loop itself is in.
    assert str(BINARY) not in warning[2]


def test_it_is_not_told_when_it_is_off(start):
    server = start("--blocked-loop-warning", 0, probe())
    assert server.get("/hold-the-loop?ms=300").text == "held"
    assert "blocked_loop_warning" not in server.log()


def test_a_signal_the_application_has_taken_is_left_to_it(start):
    # SIGRTMAX is handled by the application: the stack is found by another signal.
    server = start("--blocked-loop-warning", 0.2, probe("takes_signal"))
    assert server.get("/hold-the-loop?ms=600").text == "held"
    assert "hold_the_loop" in server.wait_log(r"it is here:\n(  .*\n)+")[0]
