# SPDX-License-Identifier: MIT
"""WebSockets of native applications in other hands than their handler's: kept, shared, outlived."""

import contextlib
import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.frames import CLOSE, TEXT, RawSocket, close_frame, frame
from harness.paths import CHAT, ROOM
from harness.talk import opened
from harness.waiting import wait_until

CLOSED = "the WebSocket is closed"
# One message is more than the kernel takes for a client that reads nothing.
FLOOD = "count=2&size=30000000"


@contextlib.contextmanager
def asked(server, target: str):
    """A request that waits meanwhile; yields where its answer will be."""
    answer: list[str] = []
    thread = threading.Thread(target=lambda: answer.append(server.get(target).text))
    thread.start()
    try:
        yield answer
    finally:
        thread.join()


def state(server, name: str) -> str:
    return server.get(f"/state?of={name}").text


def unsent(server, name: str) -> int:
    return int(state(server, name).rpartition(" ")[2])


def wait_open(server, *names: str) -> None:
    for name in names:
        wait_until(lambda name=name: state(server, name).startswith("open"), f"{name} is there")


def test_a_handle_that_is_kept(start):
    server = start(ROOM)
    for i in range(20):
        with RawSocket(server.address, f"/join?name={i}") as ws:
            wait_open(server, i)
            if i % 3 == 0:
                ws.send(close_frame(3000 + i, b"bye"))
            elif i % 3 == 1:
                ws.client.reset()
    for i in range(20):
        how = f"closed {3000 + i} bye" if i % 3 == 0 else "closed 1006 "
        wait_until(lambda i=i, how=how: state(server, i) == how + ", unsent 0", f"{i} has ended")
        assert server.get(f"/send?to={i}&count=3&size=10").text.startswith(f"0 sent, then: {CLOSED}")
        assert server.get(f"/receive?from={i}").text == "nothing"
        assert server.get(f"/close?name={i}").status == 200
    assert server.get("/post?count=1&size=1").text.count(CLOSED) == 20


def test_what_an_ended_one_throws_is_logged_for_a_stranger(start):
    server = start(ROOM)
    server.allow("/send-once")
    with RawSocket(server.address, "/join?name=it"):
        assert server.get("/send-once?to=it").text == "sent"
    wait_until(lambda: state(server, "it").startswith("closed"), "it has ended")
    assert server.get("/send-once?to=it").status == 500
    server.wait_log(f"GET /send-once.*the application threw: {CLOSED}")


@pytest.mark.parametrize("keeps", ["&keeps=1", ""])
@pytest.mark.parametrize("end", ["returns", "client closes", "client resets", "closed by another"])
def test_it_ends_while_another_request_sends_to_it(start, gate, keeps, end):
    server = start(ROOM)
    held = f"&gate={gate.path}" if end == "returns" else ""
    with RawSocket(server.address, "/join?name=it" + held) as ws:
        wait_open(server, "it")
        with asked(server, f"/send?to=it&{FLOOD}{keeps}") as answer:
            wait_until(lambda: unsent(server, "it") > 0, "the client is full")
            if not keeps:
                # The call that waits was made by this handle, and owns the WebSocket alone now.
                assert server.get("/forget?name=it").status == 200
            if end == "returns":
                gate.wait_entered()
                gate.release()
                ws.client.reset()
            elif end == "client closes":
                ws.send(close_frame(1000))
                ws.client.close()
            elif end == "closed by another" and keeps:
                server.get("/close?name=it")
                ws.client.close()
            else:
                ws.client.reset()
    assert answer[0].endswith(f" sent, then: {CLOSED}")


@pytest.mark.parametrize("forget", [False, True])
def test_it_ends_while_another_request_receives_from_it(start, gate, forget):
    server = start(ROOM)
    with RawSocket(server.address, f"/join?name=it&gate={gate.path}") as ws:
        gate.wait_entered()
        with asked(server, "/receive?from=it") as answer:
            ws.send(frame(TEXT, b"for another"))
        assert answer == ["for another"]
        with asked(server, "/receive?from=it") as answer:
            wait_until(lambda: server.get("/receiving").text == "1", "it receives")
            if forget:
                server.get("/forget?name=it")
            gate.release()
            assert ws.frame()[0] == CLOSE
            ws.send(close_frame(1000))
        assert answer == ["nothing"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_worker_ends_while_requests_use_it(start, number):
    server = start("--graceful-timeout", "0.5", ROOM)
    server.allow("graceful_timeout|In flight")
    first = server.workers()
    with contextlib.ExitStack() as stack:
        for i in range(4):
            stack.enter_context(RawSocket(server.address, f"/join?name={i}"))
        wait_open(server, *range(4))
        for i in range(4):
            for target in (f"/send?to={i}&{FLOOD}&keeps=1", f"/receive?from={i}"):
                client = stack.enter_context(server.client())
                client.request(target)
        for i in range(4):
            wait_until(lambda i=i: unsent(server, i) > 0, "they are used")
        server.send(number)
        if number == signal.SIGHUP:
            wait_until(lambda: not set(first) & set(server.workers()), "the old worker has gone")
        else:
            assert server.wait_exit() == 0
    assert "SIGSEGV" not in server.log()


def test_posting_does_not_wait_for_a_slow_one(start):
    server = start(ROOM)
    with RawSocket(server.address, "/join?name=drop&limit=1000000&then=drop"), \
            RawSocket(server.address, "/join?name=shut&limit=1000000&then=close"), \
            RawSocket(server.address, "/join?name=wide&limit=100000000000"), \
            RawSocket(server.address, "/join?name=reads") as reader:
        wait_open(server, "drop", "shut", "wide", "reads")
        # Less at once than the reader may have waiting.
        rounds = 60
        received = 0
        for _ in range(rounds):
            server.get("/post?count=5&size=150000")
            for _ in range(5):
                assert len(reader.frame()[1]) == 150000
                received += 1
        assert received == 5 * rounds
        last = dict(line.split(": ", 1) for line in server.get("/post?count=1&size=150000").text.splitlines())
        assert last["drop"] == "1 too much waits for a slow WebSocket client"
        assert last["shut"] == f"1 {CLOSED}"
        assert last["wide"] == last["reads"] == "1 Success"
        assert state(server, "drop").startswith("open")
        assert 1_000_000 - 150_000 < unsent(server, "drop") <= 1_000_000
        server.wait_log("/join.name=shut.* the client takes too little; the WebSocket is closed")


def test_a_slow_one_learns_why_it_is_closed(start):
    server = start(ROOM)
    with RawSocket(server.address, "/join?name=it&limit=1000000") as ws:
        wait_open(server, "it")
        wait_until(
            lambda: "too much" in server.get("/post?count=5&size=150000").text, "it is too slow"
        )
        # It reads again: what was on its way, then the reason.
        opcode, payload = ws.frame()
        while opcode != CLOSE:
            opcode, payload = ws.frame()
        assert payload == b"\x03\xf0too slow"
        ws.send(close_frame(1008))
        assert ws.client.closed_by_server()
    wait_until(lambda: state(server, "it") == "closed 1008 , unsent 0", "it has ended")


def test_chat(start):
    server = start(CHAT)
    assert "new WebSocket" in server.get("/").text
    with opened(server, "/room?name=ann") as ann:
        assert ann.recv(5) == "-- ann came"
        with opened(server, "/room?name=bob") as bob:
            assert ann.recv(5) == bob.recv(5) == "-- bob came"
            bob.send("hello")
            assert ann.recv(5) == bob.recv(5) == "bob: hello"
        assert ann.recv(5) == "-- bob left"


def test_chat_with_many_who_come_and_leave(start):
    """Some read nothing, some leave in the middle of being sent to, each in its own way."""
    server = start(CHAT)
    seed = random.randrange(1 << 30)
    print("seed", seed)

    def visit(number: int, chance: random.Random) -> None:
        ws = RawSocket(server.address, f"/room?name={number}")
        assert ws.answer.status == 101
        for _ in range(chance.randrange(4)):
            ws.send(frame(TEXT, b"x" * chance.randrange(60000)))
        if chance.random() < 0.5:
            assert ws.frame()[0] == TEXT  # at least that it came
        end = chance.randrange(3)
        if end == 0:
            ws.send(close_frame(1000))
        elif end == 1:
            ws.client.reset()
        ws.client.close()

    def visitor(number: int) -> None:
        chance = random.Random(seed + number)
        for _ in range(40):
            with contextlib.suppress(OSError):
                visit(number, chance)

    worker = server.workers()
    with RawSocket(server.address, "/room?name=deaf"), ThreadPoolExecutor(8) as visitors:
        list(visitors.map(visitor, range(8)))
    assert server.workers() == worker
    with opened(server, "/room?name=last") as ws:
        assert ws.recv(5) == "-- last came"
