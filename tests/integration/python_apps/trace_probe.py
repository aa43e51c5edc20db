# SPDX-License-Identifier: MIT
"""WSGI applications that watch the code they run. The first segment of the path names one."""

import cProfile
import pstats
import sys
import threading
import time

lines = []


def answer(start_response, text):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode("latin-1")]


def work():
    number = 1
    number = 2
    return number  # the tests know this line by its text


def trace(frame, event, _):
    if frame.f_code is work.__code__:
        lines.append(event)
    return trace


def quick(environ, start_response):
    return answer(start_response, "quick")


def settrace(environ, start_response):
    lines.clear()
    sys.settrace(trace)
    work()
    sys.settrace(None)
    work()
    return answer(start_response, " ".join(lines))


def left_on(environ, start_response):
    """Tracing goes on when the request is over."""
    sys.settrace(trace)
    work()
    return answer(start_response, "left on")


def setprofile(environ, start_response):
    events = []
    sys.setprofile(lambda frame, event, _: events.append(event) if frame.f_code is work.__code__ else None)
    work()
    sys.setprofile(None)
    return answer(start_response, " ".join(events))


def cprofile(environ, start_response):
    profile = cProfile.Profile()
    profile.runcall(work)
    counted = [key[2] for key in pstats.Stats(profile).stats]
    return answer(start_response, repr("work" in counted))


def own_thread(environ, start_response):
    done = []

    def run():
        sys.settrace(trace)
        sys.setprofile(lambda *_: None)
        work()
        sys.setprofile(None)
        sys.settrace(None)
        done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(5)
    return answer(start_response, repr(done))


def worked(environ, start_response):
    """Here and in a thread of its own."""
    work()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return answer(start_response, "worked")


def asleep(environ, start_response):
    """In C, where what is raised in this thread waits for its return."""
    time.sleep(4)
    return answer(start_response, "slept")


def ends_late(environ, start_response):
    """Has no code left to run that could be told to end."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return iter([b"x" * 10] * 1_000_000)


def steps(environ, start_response):
    """Would notice whatever is raised in this thread."""
    for _ in range(20000):
        pass
    return answer(start_response, "not disturbed")


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].split("/")[1]](environ, start_response)


# --- with packages; named in the specification of the application


def covered():
    """What coverage has seen of `work`, measured from before the first request on."""
    import coverage

    measured = coverage.Coverage(data_file=None, include=[__file__], config_file=False)
    measured.start()

    def respond(environ, start_response):
        if environ["PATH_INFO"] != "/report":
            return application(environ, start_response)
        measured.stop()
        first = work.__code__.co_firstlineno
        _, _, _, missing, _ = measured.analysis2(__file__)
        return answer(start_response, repr([line - first for line in missing if first < line <= first + 3]))

    return respond


def debugged(port):
    import debugpy

    debugpy.listen(("127.0.0.1", port), in_process_debug_adapter=True)
    return application
