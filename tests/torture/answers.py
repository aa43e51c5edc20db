# SPDX-License-Identifier: MIT
"""Judges an answer: is it this request's, whole, and one that may be given?"""

import re
import zlib

import acts
from apps.marks import pieces
from script import Script
from wire import Head

MARK = re.compile(rb"[a-z]\d{3}-\d{6}")

# What the server says by itself, and not the application.
MALFORMED = {400, 408, 413, 414, 426, 431}
OVER = {503, 504}
FAILED = {500}


class Wrong(Exception):
    """An answer that must not be."""


class Lost(Wrong):
    """No answer, or a part of one: what happens to every request of a worker that dies."""


def _own_marks(script: Script, data: bytes) -> None:
    for other in set(MARK.findall(data)) - {script.mark.encode()}:
        raise Wrong(f"mixed up: the answer for {script.mark} has the mark of {other.decode()}")


def judge_head(script: Script, head: Head) -> bool:
    """True when the application's own head came, whole."""
    for name, value in head.fields:
        if name.lower() in ("x-mark", "set-cookie"):
            _own_marks(script, value.encode())
    mark, cookie = head.one("x-mark"), head.one("set-cookie")
    if mark is None and cookie is None:
        if head.status in MALFORMED | OVER | FAILED:
            return False
        raise Wrong(f"mixed up: status {head.status} without the mark and cookie of {script.mark}")
    if (mark, cookie, head.status) != (script.mark, f"mark={script.mark}", script.status):
        raise Wrong(
            f"mixed up: status {head.status}, mark {mark}, cookie {cookie} for {script.mark}, "
            f"which asked for {script.status}"
        )
    return True


def judge_refusal(script: Script, status: int, may_be_over: bool, may_fail: bool) -> None:
    """The server's own answer: has it a reason?"""
    if status in OVER and may_be_over:
        return
    if status in MALFORMED and not script.complete:
        return
    if status in FAILED and (may_fail or may_be_over or not script.complete):
        return
    raise Wrong(f"unexpected {status} for {script.act.name} ({script.stage}, {script.end})")


def _expected(script: Script) -> bytes:
    if script.act.answer == acts.ECHO:
        return script.request_body()
    return pieces(script.mark, script.count, script.size)


def _strip_reading(script: Script, data: bytes, whole: bool) -> bytes | None:
    """What stands behind the line that tells what was read; None while that is not there."""
    line, end, rest = data.partition(b"\n")
    if not end:
        if whole:
            raise Wrong(f"no account of the body: {data[:80]!r}")
        return None
    match = re.fullmatch(re.escape(script.mark.encode()) + rb" read (\d+) ([0-9a-f]{8})", line)
    if not match:
        raise Wrong(f"mixed up: {line[:80]!r} for {script.mark}")
    body = script.request_body()
    count = int(match[1])
    if count > len(body) or zlib.adler32(body[:count]) != int(match[2], 16):
        raise Wrong(f"{script.mark}: the application read {count} bytes that are not those of the body")
    if script.act.reads == acts.READS_ALL and script.complete and count != len(body):
        raise Wrong(f"{script.mark}: the application read {count} of {len(body)} bytes of the body")
    return rest


def judge_body(script: Script, data: bytes, whole: bool) -> None:
    """`whole`: its end came, by its framing."""
    if script.act.file:
        if set(data.split(b"\n")) - {b"file of everybody", b""} and whole:
            raise Wrong(f"{script.mark}: not the file: {data[:80]!r}")
        return
    _own_marks(script, data)
    if script.act.answer == acts.EVENTS and whole and not data.endswith(b"\n\n"):
        raise Wrong(f"{script.mark}: the stream of events ends in the middle of one: {data[-80:]!r}")
    if script.act.answer in (acts.OWN, acts.FAIL, acts.EVENTS):
        return
    reads = script.act.reads != acts.READS_NOTHING and script.act.answer != acts.ECHO
    got = _strip_reading(script, data, whole) if reads else data
    if got is None:
        return
    expected = _expected(script)
    if expected[: len(got)] != got:
        at = next((i for i, (a, b) in enumerate(zip(got, expected)) if a != b), len(expected))
        raise Wrong(f"{script.mark}: other bytes than expected from byte {at} on: {got[at : at + 80]!r}")
    if not whole or not script.complete:
        return
    if script.act.answer == acts.CUT and script.count > 0:
        raise Wrong(f"{script.mark}: a response that failed looks complete")
    if len(got) != len(expected):
        raise Wrong(f"{script.mark}: complete with {len(got)} of {len(expected)} bytes")
