# SPDX-License-Identifier: MIT
"""The torture must notice: answers that are mixed up, cut or wrongly framed, hangs, reports and deaths."""

import socket
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from random import Random

sys.path.append(str(Path(__file__).resolve().parent.parent / "integration"))

import acts
import answers
import findings
import http_client
import kinds
import plan
import script
from apps.marks import Ask, pieces, reading, request_body
from wire import Broken, Closed, Hang, Head, Wire

MARK = "c001-000007"
OTHER = "c002-000001"


def made(act: acts.Act, **more) -> script.Script:
    route = kinds.Route("", [act], [])
    drawn = script.draw(Random(1), route, MARK, act, frozenset({kinds.COMPLETE}))
    values = {"status": 203, "count": 3, "size": 50, "framing": "length", "body_size": 900, "keep": False}
    return script.Script(**{**vars(drawn.whole(kept=False)), **values, **more})


PLAIN = made(acts.Act("plain", reads=acts.READS_ALL))
STREAM = made(acts.Act("stream"), framing="none", body_size=0)


def head(status=203, mark=MARK, cookie=f"mark={MARK}", **fields) -> Head:
    found = [("X-Mark", mark), ("Set-Cookie", cookie)]
    return Head(status, [each for each in found if each[1]] + list(fields.items()))


class Answers(unittest.TestCase):
    def wrong(self, pattern: str, judge, *arguments) -> None:
        with self.assertRaisesRegex(answers.Wrong, pattern):
            judge(*arguments)

    def test_heads(self):
        self.assertTrue(answers.judge_head(PLAIN, head()))
        self.assertFalse(answers.judge_head(PLAIN, Head(504, [])))
        self.wrong("mixed up", answers.judge_head, PLAIN, head(mark=OTHER))
        self.wrong("mixed up", answers.judge_head, PLAIN, head(cookie=f"mark={OTHER}"))
        self.wrong("mixed up", answers.judge_head, PLAIN, head(cookie=None))
        self.wrong("mixed up", answers.judge_head, PLAIN, head(status=200))
        self.wrong("mixed up", answers.judge_head, PLAIN, Head(200, []))
        self.wrong("mixed up", answers.judge_head, PLAIN, Head(203, []))

    def test_bodies(self):
        body = pieces(MARK, 3, 50)
        answers.judge_body(STREAM, body, True)
        answers.judge_body(STREAM, body[:60], False)
        self.wrong("complete with 60", answers.judge_body, STREAM, body[:60], True)
        self.wrong("mixed up", answers.judge_body, STREAM, pieces(OTHER, 3, 50), True)
        self.wrong("other bytes", answers.judge_body, STREAM, body.replace(b";", b"!", 1), True)
        self.wrong("other bytes", answers.judge_body, STREAM, body + b"late", True)

    def test_what_was_read(self):
        sent = PLAIN.request_body()
        answers.judge_body(PLAIN, reading(MARK, sent) + pieces(MARK, 3, 50), True)
        short = reading(MARK, sent[:-1]) + pieces(MARK, 3, 50)
        self.wrong("read 899 of 900", answers.judge_body, PLAIN, short, True)
        foreign = reading(MARK, request_body(OTHER, 900)) + pieces(MARK, 3, 50)
        self.wrong("not those of the body", answers.judge_body, PLAIN, foreign, True)
        self.wrong("no account", answers.judge_body, PLAIN, b"", True)

    def test_a_failure_must_show(self):
        cut = made(acts.Act("fail_late", answer=acts.CUT), framing="none")
        answers.judge_body(cut, pieces(MARK, 2, 50), False)
        self.wrong("looks complete", answers.judge_body, cut, pieces(MARK, 3, 50), True)

    def test_refusals(self):
        self.wrong("unexpected 500", answers.judge_refusal, PLAIN, 500, False, False)
        self.wrong("unexpected 503", answers.judge_refusal, PLAIN, 503, False, True)
        self.wrong("unexpected 408", answers.judge_refusal, PLAIN, 408, True, True)
        answers.judge_refusal(PLAIN, 503, True, False)
        answers.judge_refusal(made(PLAIN.act, stage=kinds.BODY, end=kinds.STALL), 408, False, False)


class Peer:
    """A server of one connection, that says what it is told and then closes, or stays."""

    def __init__(self, said: bytes, stays: bool = False):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self._over = threading.Event()
        threading.Thread(target=self._serve, args=(said, stays), daemon=True).start()

    def _serve(self, said: bytes, stays: bool) -> None:
        connection, _ = self._listener.accept()
        with connection, self._listener:
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            connection.sendall(said)
            if stays:
                self._over.wait(10)

    def end(self) -> None:
        self._over.set()


class Exchanges(unittest.TestCase):
    def perform(self, said: bytes, stays: bool = False, asked: script.Script = STREAM) -> str:
        peer = Peer(said, stays)
        wire = Wire(peer.address, 0.3 if stays else 5)
        self.addCleanup(peer.end)
        self.addCleanup(wire.close)
        weather = http_client.Weather(request_timeout=False, hasty=False)
        return http_client.Exchange(wire, asked, weather, Random(1), first=True).perform()

    def answer(self, framing: str, body: bytes) -> bytes:
        fields = f"X-Mark: {MARK}\r\nSet-Cookie: mark={MARK}\r\nConnection: close\r\n{framing}"
        return f"HTTP/1.1 203 Torture\r\n{fields}\r\n\r\n".encode() + body

    def test_right_ones(self):
        body = pieces(MARK, 3, 50)
        counted = self.answer("Content-Length: 150", body)
        self.assertEqual(self.perform(counted), http_client.ANSWERED)
        chunked = self.answer("Transfer-Encoding: chunked", b"96\r\n" + body + b"\r\n0\r\n\r\n")
        self.assertEqual(self.perform(chunked), http_client.ANSWERED)

    def test_wrong_framing(self):
        body = pieces(MARK, 3, 50)
        for said in (
            b"HTTP/1.0 200 OK\r\n\r\n",
            b"HTTP/1.1 203 X\r\nno colon\r\n\r\n",
            self.answer("Content-Length: 150\r\nTransfer-Encoding: chunked", body),
            self.answer("Content-Length: 150\r\nContent-Length: 150", body),
            self.answer("Transfer-Encoding: chunked", b"95\r\n" + body + b"\r\n0\r\n\r\n"),
            self.answer("Content-Length: 150", body + b"HTTP/1.1 200 OK\r\n\r\n"),
        ):
            with self.subTest(said=said[:80]), self.assertRaises(Broken):
                self.perform(said)

    def test_cut_and_closed(self):
        body = pieces(MARK, 3, 50)
        for said in (self.answer("Content-Length: 150", body[:100]),
                     self.answer("Transfer-Encoding: chunked", b"96\r\n" + body + b"\r\n"), b""):
            with self.subTest(said=said[-80:]), self.assertRaises((answers.Wrong, Closed)):
                self.perform(said)

    def test_hangs(self):
        for said in (b"", self.answer("Content-Length: 150", b""),
                     self.answer("Content-Length: 150", pieces(MARK, 3, 50))):
            with self.subTest(said=said[-80:]), self.assertRaises(Hang):
                self.perform(said, stays=True)


class Findings(unittest.TestCase):
    def log(self, *texts: str) -> list[str]:
        entries = [f"[2026-01-01 00:00:00 +0000] [17] {text}" for text in texts]
        return [each.title for each in findings.of_log("\n".join(entries) + "\n")]

    def test_log(self):
        self.assertEqual(self.log("[INFO] Worker (pid:7) was sent SIGTERM! It lived for 1.0 s"), [])
        self.assertEqual(self.log("[WARNING] Worker (pid:7) was sent SIGSEGV!"), ["died: SIGSEGV"])
        self.assertEqual(self.log("[INFO] Worker (pid:7) was sent SIGKILL!"), ["died: SIGKILL"])
        self.assertEqual(self.log("[ERROR] Worker (pid:7) exited with code 86"), ["died: exited with code 86"])
        ends = "[CRITICAL] The worker ends after an exception: co_await: Operation canceled"
        self.assertEqual(self.log(ends), ["log: The worker ends after an exception: co_await: Operation canceled"])
        caused = "[ERROR] Error handling request GET /fail_first?m=a\nTraceback\nmarks.OnPurpose: a"
        self.assertEqual(self.log(caused), [])
        self.assertEqual(self.log("[ERROR] Error handling request GET /plain?m=a\nKeyError: 3"), ["log: KeyError: N"])
        self.assertEqual(self.log("[INFO] quiet", "[ERROR] GET /plain?m=1: no answer"), ["log: GET /plainN: no answer"])

    def test_stderr(self):
        self.assertEqual(findings.of_stderr("hello\n\nTraceback\n  x\nmarks.OnPurpose: a\n"), [])
        ignored = "Exception ignored in: <x at 0x1>\nTraceback (most recent call last):\nKeyError: 1\n"
        self.assertEqual(len(findings.of_stderr(ignored + ignored)), 2)
        self.assertEqual(len(findings.of_stderr("terminate called after throwing\n")), 1)
        undefined = "../src/a.cpp:4:5: runtime error: null pointer\n    #0 0x1 in f ../src/a.cpp:4\n"
        title = "UndefinedBehaviorSanitizer: a.cpp:4 null pointer in f a.cpp:4"
        self.assertEqual([each.title for each in findings.of_stderr(undefined)], [title])

    def test_sanitizers(self):
        report = (
            "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n"
            "    #0 0x1 in std::swap (a.so+0x1)\n"
            "    #1 0x2 in unicoro::worker::x::y(int) ../src/worker/x.cpp:3\n"
            "    #2 0x3 in std::list<int>::z() /usr/include/c++/12/bits/list.h:9\n"
            "    #3 0x3 in unicoro::aio::z<int>() ../src/aio/z.cpp:9\n"
            "    #4 0x3 in unicoro::worker::run() ../src/worker/worker.cpp:256\n\n"
            "freed by thread T0 here:\n"
            "    #0 0x3 in operator delete(void*) asan_new_delete.cpp:164\n"
            "    #1 0x3 in unicoro::aio::gone() ../src/aio/z.cpp:10\n\n"
            "previously allocated by thread T0 here:\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "asan.17").write_text(report)
            titles = {each.title for each in findings.of_sanitizers(Path(folder))}
        self.assertEqual(
            titles,
            {
                "AddressSanitizer: heap-use-after-free in y worker/x.cpp:3 < z aio/z.cpp:9, "
                "freed in gone aio/z.cpp:10",
            },
        )

    def test_one_line_for_one_fault(self):
        twice = [findings.Finding("hang", "a", "1"), findings.Finding("hang", "a", "2")]
        self.assertEqual(findings.counted(twice), [(twice[0], 2)])


class Plan(unittest.TestCase):
    def first(self, seed: str, count: int = 30):
        source = plan.rounds(seed, list(kinds.KINDS), 5)
        return [next(source) for _ in range(count)]

    def test_a_seed_is_its_rounds(self):
        self.assertEqual(self.first("7"), self.first("7"))
        self.assertNotEqual(self.first("7"), self.first("8"))
        self.assertEqual({each.kind.name for each in self.first("7")}, set(kinds.KINDS))

    def test_every_trouble_and_final_comes(self):
        many = self.first("7", 200)
        self.assertEqual({each.trouble for each in many}, set(plan.TROUBLES))
        self.assertEqual({each.final for each in many}, set(plan.FINALS))

    def test_every_end_and_stage_comes(self):
        random = Random(1)
        seen = {script.choose_stage(random, True, frozenset()) for _ in range(3000)}
        for end in (kinds.FIN, kinds.HALF, kinds.RESET, kinds.STALL):
            self.assertEqual({stage for stage, by in seen if by == end}, set(kinds.STAGES))

    def test_client_and_application_read_the_same(self):
        path, _, query = STREAM.target.partition("?")
        ask = Ask(path, query)
        self.assertEqual((ask.act, ask.mark), ("stream", MARK))


if __name__ == "__main__":
    unittest.main()
