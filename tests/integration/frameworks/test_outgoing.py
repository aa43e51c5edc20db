# SPDX-License-Identifier: MIT
"""Flask on greenlets that asks HTTP services, Redis and PostgreSQL: while one waits, others run."""

import contextlib
import os
import time

import pytest

from harness.waiting import wait_until


@pytest.fixture(scope="module")
def site(serve, upstream, redis_port, postgres):
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE accounts (id integer PRIMARY KEY, balance integer)")
        cursor.execute("INSERT INTO accounts VALUES (1, 0)")
    env = {"UPSTREAM": upstream.url, "REDIS_PORT": str(redis_port), "PG_PORT": str(postgres.port)}
    return serve("async", "outgoing_site:app", env=env)


def at_once(server, path, count):
    """`count` responses to requests that are there together."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(count)]
        for client in clients:
            client.request(path)
        return [client.response() for client in clients]


@pytest.mark.parametrize("library", ["requests", "httpx"])
def test_http_clients_wait_together(site, library):
    """The upstream answers none of them before all are there."""
    for answer in at_once(site, f"/{library}/{library}-party/40", 40):
        assert (answer.status, answer.text) == (200, "/meet 40")


def test_one_request_asks_many_services(site, browser):
    assert browser(site).get("/fan-out/fan/30").json() == [200] * 30


def test_streams_through(site, browser):
    content = os.urandom(2_000_000)
    pieces = (content[at : at + 10_000] for at in range(0, len(content), 10_000))
    assert browser(site).post("/forward", content=pieces).content == content


def test_redis(site, browser):
    client = browser(site)
    assert sorted(int(each.text) for each in at_once(site, "/redis/incr/counter", 50)) == list(range(1, 51))
    assert client.get("/redis/pipeline/p").json() == [True, 2, "2"]
    with site.client() as waiting:
        waiting.request("/redis/pop/queue")
        assert client.get("/redis/push/queue/hello").status_code == 200
        assert waiting.response().text == "hello"


def test_redis_subscription_streams(site, browser):
    publisher = browser(site)
    with browser(site).stream("GET", "/redis/subscribe/news") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "ready"
        for number in range(3):
            assert publisher.get(f"/redis/publish/news/item{number}").text == "1"
            assert next(lines) == f"item{number}"
        publisher.get("/redis/publish/news/end")
        assert list(lines) == []


def test_postgres_waits_in_the_loop(site):
    """One after the other they would take 9 s."""
    begin = time.monotonic()
    assert [each.text for each in at_once(site, "/postgres/sleep", 30)] == ["42"] * 30
    assert time.monotonic() - begin < 5


def test_pool_of_sqlalchemy(site):
    """Twenty requests share five connections."""
    answers = at_once(site, "/sqlalchemy/sleep", 20)
    assert [each.status for each in answers] == [200] * 20
    assert 2 <= len({each.text for each in answers}) <= 5


def test_transactions_of_sqlalchemy(site, browser, postgres):
    site.allow("Traceback")
    client = browser(site)
    assert [each.text for each in at_once(site, "/sqlalchemy/transfer/2", 25)] == ["moved"] * 25
    assert client.get("/sqlalchemy/transfer/13").status_code == 500
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT balance FROM accounts")
        assert cursor.fetchone() == (50,)


def test_request_timeout_reaches_a_request_in_redis(serve, redis_port, browser):
    server = serve("async", "outgoing_site:app", "--request-timeout", "1", env={"REDIS_PORT": str(redis_port)})
    server.allow(r"request_timeout|RequestCancelled|Traceback")
    client = browser(server)
    assert client.get("/redis/pop/never").status_code == 504
    wait_until(lambda: "in redis_pop" in server.log(), "the stack is in the log")
    assert client.get("/redis/incr/after").status_code == 200
