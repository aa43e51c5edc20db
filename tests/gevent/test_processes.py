# SPDX-License-Identifier: MIT
"""Signals, child processes and forks; each in a fresh interpreter, which has a default loop."""

import os
import subprocess
import sys
import textwrap

HEAD = """
import faulthandler, os, posix, signal, sys, time
faulthandler.dump_traceback_later(30, exit=True)
import gevent
from gevent import socket
loop = gevent.get_hub().loop
assert loop.default
"""


def run(code, expected="ok"):
    code = HEAD + textwrap.dedent(code)
    paths = [os.environ.get("UNICORO_GEVENT_MODULE", "build/tests/gevent")]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
    )
    assert (done.returncode, done.stdout.strip()) == (0, expected)


def test_a_signal_watcher():
    run("""
        seen = []
        before = signal.getsignal(signal.SIGUSR1)
        watcher = gevent.signal_handler(signal.SIGUSR1, seen.append, 1)
        for expected in (1, 2, 3):
            os.kill(os.getpid(), signal.SIGUSR1)
            with gevent.Timeout(10):
                while len(seen) < expected: gevent.sleep(0.001)
        watcher.cancel()
        assert signal.getsignal(signal.SIGUSR1) is before
        print("ok")
    """)


def test_signal_handlers_of_python_run_while_the_loop_waits():
    run("""
        seen = []
        signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        began = time.monotonic()
        timer = loop.timer(20)
        timer.start(lambda: None)
        while not seen: loop.run(once=True)
        assert time.monotonic() - began < 5
        print("ok")
    """)


def test_a_wakeup_descriptor_of_the_application():
    run("""
        gevent.sleep(0.001)
        near, far = socket.socketpair()
        assert signal.set_wakeup_fd(far.fileno()) == -1
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with gevent.Timeout(10):
            assert near.recv(10) == bytes([signal.SIGALRM])
        assert signal.set_wakeup_fd(-1) == far.fileno()
        try:
            signal.set_wakeup_fd(12345)
        except (ValueError, OSError):
            print("ok")
    """)


def test_child_watchers():
    run("""
        seen = {}
        gates = {}
        for code in (0, 3, 0):
            gate = os.pipe()
            pid = posix.fork()
            if pid == 0:
                os.read(gate[0], 1)
                os._exit(code)
            gates[pid] = gate
            watcher = loop.child(pid)
            def on_end(watcher=watcher):
                seen[watcher.rpid] = watcher.rstatus
                watcher.stop()
            watcher.start(on_end)
        for gate in gates.values(): os.write(gate[1], b"x")
        with gevent.Timeout(10):
            while len(seen) < 3: gevent.sleep(0.001)
        assert sorted(os.WEXITSTATUS(status) for status in seen.values()) == [0, 0, 3]
        assert set(seen) == set(gates)

        # All of them, by one watcher; and one that has ended before.
        ended = []
        pid = posix.fork()
        if pid == 0: os._exit(5)
        posix.waitid(posix.P_PID, pid, posix.WEXITED | posix.WNOWAIT)
        watcher = loop.child(0)
        watcher.start(lambda: ended.append((watcher.rpid, os.WEXITSTATUS(watcher.rstatus))))
        with gevent.Timeout(10):
            while not ended: gevent.sleep(0.001)
        assert ended == [(pid, 5)]
        print("ok")
    """)


def test_fork_goes_on_with_a_loop_of_its_own():
    run("""
        gevent.sleep(0.001)
        seen = []
        fork = loop.fork(ref=False)
        fork.start(seen.append, "forked")
        near, far = socket.socketpair()
        waits = gevent.spawn(near.recv, 10)
        gevent.sleep(0.001)
        pid = gevent.os.fork()
        if pid == 0:
            with gevent.Timeout(10):
                # The parent's greenlet reads from the same socket, once.
                while not waits.ready():
                    far.send(b"x")
                    gevent.sleep(0.01)
                assert seen == ["forked"], seen
                assert gevent.get_hub().threadpool.apply(lambda: 7) == 7
            os._exit(0)
        with gevent.Timeout(10):
            assert gevent.os.waitpid(pid, 0) == (pid, 0)
            # The child may have read all that it sent.
            if not waits.ready(): far.send(b"x")
            assert waits.get()
            gevent.sleep(0.01)
        assert seen == []
        print("ok")
    """)


def test_reinit_in_the_same_process():
    run("""
        near, far = socket.socketpair()
        waits = gevent.spawn(near.recv, 10)
        gevent.sleep(0.001)
        gevent.reinit()
        far.send(b"x")
        with gevent.Timeout(10):
            assert waits.get() == b"x"
        print("ok")
    """)


def test_hubs_of_other_threads():
    run("""
        import threading
        results = []
        def work():
            near, far = socket.socketpair()
            reader = gevent.spawn(near.recv, 10)
            gevent.sleep(0.005)
            far.send(b"x")
            results.append((reader.get(), gevent.get_hub().loop.default))
            gevent.get_hub().destroy()
        for _ in range(3):
            threads = [threading.Thread(target=work) for _ in range(8)]
            for each in threads: each.start()
            for each in threads: each.join()
        assert results == [(b"x", False)] * 24
        print("ok")
    """)
