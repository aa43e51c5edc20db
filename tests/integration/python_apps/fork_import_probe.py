# SPDX-License-Identifier: MIT
"""Forks while it is imported, for preload_app: what the child sees goes to a file, and how it ends when it is
sent SIGTERM is the answer.
"""

import json
import os
import signal
import time

import fork_probe

pid = os.fork()
if pid == 0:
    state = fork_probe.state()
    with open(os.environ["FORK_PROBE_STATE"] + ".new", "w") as file:
        json.dump(state, file)
    os.rename(file.name, os.environ["FORK_PROBE_STATE"])
    time.sleep(60)
    os._exit(0)
while not os.path.exists(os.environ["FORK_PROBE_STATE"]):
    time.sleep(0.01)
os.kill(pid, signal.SIGTERM)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(code).encode()]
