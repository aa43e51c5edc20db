# SPDX-License-Identifier: MIT
"""The servers of one fixture: started on demand, and at its end seen to have left nothing."""

import os
import signal

from . import processes
from .server import Server
from .waiting import wait_until


def end_orphans() -> list[int]:
    """Ends and reaps what is left of the test's processes; returns what had to be killed."""
    left = []
    # The children of what is killed come to this process.
    while pids := processes.own_children():
        for pid in pids:
            if processes.alive(pid):
                left.append(pid)
                processes.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return left


def run(folder):
    """The body of a fixture that yields start(args..., ready=True, **options of Server)."""
    servers = []

    def start(*args, ready: bool = True, **more) -> Server:
        home = folder / f"server{len(servers)}" if servers else folder
        server = Server(home, [str(arg) for arg in args], **more)
        servers.append(server)
        return server.wait_ready() if ready else server

    yield start

    try:
        for server in servers:
            server.check_while_running()
            if server.child.running:
                assert server.stop() == 0, server.log()
            server.wait_exit()
        wait_until(lambda: not processes.own_children(), "every worker has ended with its master")
        for server in servers:
            server.check_log()
    finally:
        for server in servers:
            server.destroy()
        end_orphans()
