# SPDX-License-Identifier: MIT
"""The lifespan of an ASGI application, the selector under its loop, and what is said of coroutines."""

import asyncio

import pytest

from _unicoro import asgi_loop


async def complete(scope, receive, send):
    assert (await receive())["type"] == "lifespan.startup"
    await send({"type": "lifespan.startup.complete"})
    assert (await receive())["type"] == "lifespan.shutdown"
    await send({"type": "lifespan.shutdown.complete"})


async def refuses(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


async def fails_to_stop(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.failed", "message": "still busy"})


async def ends_early(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    raise ValueError("over")


async def knows_none(scope, receive, send):
    raise ValueError("only http")


async def breaks_down(scope, receive, send):
    await receive()
    raise ValueError("in its start")


async def returns(scope, receive, send):
    await receive()


async def takes_it_for_http(scope, receive, send):
    await receive()
    await send({"type": "http.response.start"})


@pytest.mark.parametrize(
    ("application", "must", "outcomes", "text"),
    [
        (complete, False, ["served", "stopped"], ""),
        (refuses, False, ["failed", "stopped"], "no database"),
        (fails_to_stop, False, ["served", "stopped"], "still busy"),
        (ends_early, False, ["served", "ended", "stopped"], "ValueError: over"),
        (knows_none, False, ["without", "stopped"], "only http"),
        (knows_none, True, ["failed", "stopped"], "only http"),
        (breaks_down, False, ["failed", "stopped"], "in its start"),
        (returns, False, ["without", "stopped"], ""),
        (returns, True, ["failed", "stopped"], "returned before lifespan.startup.complete"),
        (takes_it_for_http, False, ["without", "stopped"], "does not belong to a lifespan"),
    ],
)
def test_lifespan(application, must, outcomes, text):
    told = []

    async def life():
        lifespan = asgi_loop.Lifespan(application, {}, must, lambda *what: told.append(what))
        lifespan.start(asyncio.get_running_loop())
        for _ in range(3):
            await asyncio.sleep(0)
        lifespan.stop()
        for _ in range(3):
            await asyncio.sleep(0)

    asyncio.run(life())
    assert [outcome for outcome, _ in told] == outcomes
    assert text in " ".join(said for _, said in told)


def test_the_selector_waits_in_the_server():
    asked = []
    selector = asgi_loop.Selector()
    try:
        selector.wait = lambda timeout: asked.append(timeout)
        assert selector.select(1.5) == [] and selector.select(None) == []
        assert asked == [1.5, None]
        selector.wait = None
        assert selector.select(0) == []
    finally:
        selector.close()


def test_where_a_coroutine_waits():
    async def inner():
        await asyncio.sleep(30)

    async def outer():
        await inner()

    async def look():
        task = asyncio.ensure_future(outer())
        await asyncio.sleep(0)
        text = asgi_loop.stack(task.get_coro())
        task.cancel()
        return text

    text = asyncio.run(look())
    assert text.index("in outer") < text.index("in inner") < text.index("in sleep")


def test_deaf_tasks_are_told_of_at_the_end(monkeypatch):
    monkeypatch.setattr(asgi_loop, "LAST_WORDS", 0.05)
    told = []

    async def deaf():
        end = asyncio.get_running_loop().time() + 0.3
        while asyncio.get_running_loop().time() < end:
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                pass

    async def fails():
        try:
            await asyncio.sleep(30)
        finally:
            raise ValueError("while it was cancelled")

    async def end():
        loop = asyncio.get_running_loop()
        for each in (deaf, fails):
            loop.create_task(each(), name=each.__name__)
        await asyncio.sleep(0)
        await asgi_loop._last_words(loop, lambda what, error: told.append(what.splitlines()[0]))

    asyncio.run(end())
    assert sorted(told) == ["the task deaf ignores that it was cancelled", "the task fails failed while it was cancelled"]
