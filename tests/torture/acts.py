# SPDX-License-Identifier: MIT
"""What the client knows of the acts in apps/ and native/: how a right answer looks."""

from dataclasses import dataclass, replace

# How the answer of an act looks when nobody ends the request before it.
WHOLE = "whole"  # every byte is known
ECHO = "echo"  # the request's body
CUT = "cut"  # what is known, then broken off so that it shows
FAIL = "fail"  # 500, or cut where something went out
EVENTS = "events"  # endless; where it ends whole, behind an event
OWN = "own"  # no telling how much of it, but nothing of another request

READS_ALL, READS_SOME, READS_NOTHING = "all", "some", "nothing"


@dataclass(frozen=True)
class Act:
    name: str
    answer: str = WHOLE
    reads: str = READS_NOTHING
    pauses: tuple[int, ...] = (0,)  # milliseconds
    pieces: tuple[int, int] = (1, 4)  # how many, between
    sizes: tuple[int, ...] = (10, 300, 9000)
    body: str = "some"  # of the request: "some", "large" or "none"
    weight: int = 2
    status: int | None = None  # where the application cannot choose it
    file: bool = False  # the body is the same file for everybody
    leaves: tuple[str, ...] = ()  # ends by itself never: the client must, in one of these stages
    needs_timeout: bool = False  # ends by request_timeout alone


SHORT = (0, 1, 10)
LONG = (0, 5, 40, 300, 900)
STREAM = {"pieces": (1, 30), "sizes": (10, 3000, 70_000)}

# Drained before its client leaves, if it can be: 34 events are what that waits for at most.
EVENT_STREAM = Act("event_stream", answer=EVENTS, leaves=("streaming",), pauses=(1, 20, 60), sizes=(3000, 70_000),
                   body="none", weight=6)

# In line, a pause holds the whole worker.
WSGI_IN_LINE = [
    Act("plain", reads=READS_ALL, weight=6),
    Act("lines", reads=READS_ALL),
    Act("slow", reads=READS_ALL, pauses=SHORT),
    Act("hinted", reads=READS_ALL, pauses=SHORT, pieces=(1, 20), weight=3),
    Act("echo", answer=ECHO, reads=READS_ALL, weight=4),
    Act("stream", pauses=SHORT, weight=4, **STREAM),
    Act("early", body="large", weight=4),
    Act("early_stream", body="large", **STREAM),
    Act("partial", reads=READS_SOME, weight=3),
    Act("fail_first", answer=FAIL, pauses=SHORT),
    Act("fail_late", answer=CUT, pauses=SHORT, **STREAM),
    Act("fail_close", **STREAM),
    Act("read_at_close", body="large"),
    Act("twice"),
    Act("written", pauses=SHORT, pieces=(2, 10), sizes=(10, 3000, 40_000)),
    Act("lazy", pauses=SHORT, weight=3),
    Act("lazy_repr", answer=FAIL, pauses=SHORT),
    Act("wrapped_file", pieces=(1, 60)),
    Act("sent_in_stead", answer=OWN, status=200, file=True, pauses=SHORT, pieces=(1, 10), weight=3),
    Act("stubborn", answer=OWN, pauses=SHORT),
    Act("keep"),
    Act("afterwards", reads=READS_ALL, weight=3),
    Act("thread_left", pauses=SHORT, weight=4),
    Act("write_left", answer=OWN, pauses=SHORT, pieces=(1, 20)),
]


def _with(table, pauses, **more):
    """The table with other pauses where an act has some."""
    return [Act(**{**vars(act), **more, "pauses": pauses if len(act.pauses) > 1 else act.pauses})
            for act in table]


WSGI_THREADS = _with(WSGI_IN_LINE, LONG) + [
    Act("busy", reads=READS_ALL, pauses=(100, 400)),
    EVENT_STREAM,
    Act("endless_busy", answer=OWN, needs_timeout=True, weight=1),
    Act("endless_stream", answer=OWN, leaves=("streaming",), sizes=(3000, 70_000)),
    Act("endless", answer=OWN, needs_timeout=True, body="large"),
]

WSGI_GREENLETS = _with(WSGI_IN_LINE, LONG) + [
    EVENT_STREAM,
    Act("endless_stream", answer=OWN, leaves=("streaming",), sizes=(3000, 70_000)),
    Act("endless", answer=OWN, needs_timeout=True, body="large", weight=3),
    Act("timeout_read", pauses=(20, 100), body="large", weight=4),
    Act("timeout_reads", reads=READS_ALL, body="large"),
    Act("timeout_stream", answer=OWN, pauses=(10, 40), body="large", weight=4, **STREAM),
    Act("timeout_write", answer=OWN, pauses=(10, 40), body="large", weight=4, **STREAM),
    Act("timeout_left"),
    Act("reader_left", answer=OWN, pauses=(0, 2, 20), body="large", weight=4),
    Act("reader_killed", answer=OWN, body="large"),
    Act("duplex", body="large", pieces=(1, 30), weight=4),
    Act("killed", answer=OWN),
    Act("two_readers", body="large"),
]

ASGI = [
    EVENT_STREAM,
    Act("endless_stream", answer=OWN, leaves=("streaming",), sizes=(3000, 70_000)),
    Act("endless", answer=OWN, leaves=("headed", "body", "sent"), pauses=(0, 20), body="large", weight=4),
    Act("endless_timeout", answer=OWN, needs_timeout=True, body="large", weight=4),
    Act("plain", reads=READS_ALL, weight=6),
    Act("slow", reads=READS_ALL, pauses=LONG),
    Act("hinted", reads=READS_ALL, pauses=SHORT, pieces=(1, 20), weight=3),
    Act("echo", answer=ECHO, reads=READS_ALL, weight=4),
    Act("stream", pauses=SHORT, weight=4, **STREAM),
    Act("early", body="large", weight=4),
    Act("partial", reads=READS_SOME, weight=3),
    Act("fail_first", answer=FAIL, pauses=LONG),
    Act("fail_late", answer=CUT, pauses=SHORT, **STREAM),
    Act("fail_after", pauses=SHORT),
    Act("silent", answer=FAIL),
    Act("events", pauses=(0, 5), weight=6, **STREAM),
    Act("listener", reads=READS_ALL, pauses=LONG, weight=6),
    Act("asks_whether_gone", reads=READS_ALL, weight=3),
    Act("impatient", reads=READS_ALL, weight=3),
    Act("listener_left", answer=OWN, weight=3),
    Act("reader_left", pauses=LONG, body="large", weight=3),
    Act("sender_left", answer=OWN, pauses=(0, 10, 60), weight=3),
    Act("background", pauses=LONG, weight=3),
    Act("in_thread", reads=READS_ALL, pauses=LONG),
    Act("thread_left", answer=OWN, pauses=SHORT),
    Act("stubborn", answer=OWN, pauses=LONG, **STREAM),
    Act("cancelled", answer=OWN),
    Act("inside_itself"),
    Act("closed_elsewhere", answer=OWN, pauses=SHORT, **STREAM),
    Act("file", pieces=(1, 60)),
    Act("sent_in_stead", answer=OWN, status=200, file=True, pauses=SHORT, pieces=(1, 10), weight=3),
]

NATIVE = [
    replace(EVENT_STREAM, status=200),
    Act("endless_stream", answer=OWN, leaves=("streaming",), sizes=(3000, 70_000), status=200),
    Act("endless", answer=OWN, needs_timeout=True, body="large"),
    Act("plain", reads=READS_ALL, weight=6),
    Act("slow", reads=READS_ALL, pauses=LONG),
    Act("hinted", reads=READS_ALL, pauses=SHORT, pieces=(1, 20), weight=3),
    Act("echo", answer=ECHO, reads=READS_ALL, weight=4, status=200),
    Act("stream", pauses=SHORT, weight=4, status=200, **STREAM),
    Act("early", body="large", weight=4),
    Act("partial", reads=READS_SOME, weight=3),
    Act("fail_first", answer=FAIL, pauses=LONG),
    Act("fail_late", answer=CUT, pauses=SHORT, status=200, **STREAM),
    Act("stubborn", answer=OWN, pauses=LONG),
    Act("file", answer=OWN, status=200, file=True),
]

# For WebSockets `pieces` is how many messages the application sends; echo and chat send what they hear.
TALKS = [
    Act("echo", answer=ECHO, weight=6),
    Act("fail_first", answer=FAIL, pauses=(0, 20)),
    Act("fail_late", answer=CUT, pieces=(0, 10)),
    Act("leave", answer=OWN),
    Act("flood", answer=OWN, weight=3, **STREAM),
]

ASGI_WEBSOCKETS = TALKS + [
    Act("refuse", answer=FAIL, pauses=(0, 20)),
    Act("answer_instead", answer=FAIL),
    Act("push", answer=OWN, pauses=(0, 5), weight=4, **STREAM),
    Act("tasks_left", answer=OWN, pauses=(0, 30), weight=4),
    Act("impatient", answer=OWN, weight=3),
    Act("polls", answer=OWN, weight=3),
    Act("inside_itself", answer=OWN),
    Act("stubborn", answer=OWN),
]

# The application makes the handshake itself, on the connection.
WSGI_WEBSOCKETS = TALKS + [
    Act("answer_instead", answer=FAIL, pauses=(0, 20)),
    Act("thread_left", answer=OWN, pauses=(0, 5), pieces=(1, 20), weight=4),
    Act("closed", answer=OWN, weight=3),
    Act("used_late", answer=FAIL, weight=3),
]

NATIVE_WEBSOCKETS = TALKS + [
    Act("refuse", answer=FAIL, pauses=(0, 20)),
    Act("chat", answer="chat", weight=6),
    Act("keep", answer=OWN, pieces=(0, 3), weight=4),
]
