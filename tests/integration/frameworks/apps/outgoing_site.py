# SPDX-License-Identifier: MIT
"""A Flask application that asks other services, through sockets that gevent has patched."""

import os

import flask
import gevent
import httpx
import psycopg2
import psycopg2.extensions
import redis
import requests
import sqlalchemy
from gevent.socket import wait_read, wait_write

app = flask.Flask(__name__)
UPSTREAM = os.environ.get("UPSTREAM", "")
requests_session = requests.Session()
requests_session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=100))
httpx_client = httpx.Client(timeout=20, trust_env=False)


def wait_for_postgres(connection):
    """libpq is C and not patched: this is how it waits in gevent's loop."""
    while True:
        state = connection.poll()
        if state == psycopg2.extensions.POLL_OK:
            return
        if state == psycopg2.extensions.POLL_READ:
            wait_read(connection.fileno())
        else:
            wait_write(connection.fileno())


psycopg2.extensions.set_wait_callback(wait_for_postgres)

if "REDIS_PORT" in os.environ:
    store = redis.Redis(port=int(os.environ["REDIS_PORT"]), decode_responses=True)
if "PG_PORT" in os.environ:
    DSN = f"host=127.0.0.1 port={os.environ['PG_PORT']} user=unicoro dbname=postgres"
    engine = sqlalchemy.create_engine(
        f"postgresql+psycopg2://unicoro@127.0.0.1:{os.environ['PG_PORT']}/postgres",
        pool_size=5, max_overflow=0, pool_timeout=20,
    )


@app.get("/requests/<name>/<int:party>")
def with_requests(name, party):
    answer = requests_session.get(f"{UPSTREAM}/meet", params={"name": name, "party": party}, timeout=20)
    return answer.text, answer.status_code


@app.get("/httpx/<name>/<int:party>")
def with_httpx(name, party):
    answer = httpx_client.get(f"{UPSTREAM}/meet", params={"name": name, "party": party})
    return answer.text, answer.status_code


@app.get("/fan-out/<name>/<int:party>")
def fan_out(name, party):
    """All of a party, from one request."""
    asked = [
        gevent.spawn(requests.get, f"{UPSTREAM}/meet?name={name}&party={party}", timeout=20)
        for _ in range(party)
    ]
    gevent.joinall(asked, raise_error=True)
    return flask.jsonify([each.value.status_code for each in asked])


@app.post("/forward")
def forward():
    """The body goes on as it comes, and so does the answer."""
    answer = requests.post(
        f"{UPSTREAM}/echo", data=iter(lambda: flask.request.stream.read(8192), b""), stream=True, timeout=20
    )
    return flask.Response(answer.iter_content(8192), mimetype="application/octet-stream")


@app.get("/redis/incr/<key>")
def redis_incr(key):
    return str(store.incr(key))


@app.get("/redis/pop/<key>")
def redis_pop(key):
    """Waits in Redis for what /redis/push brings."""
    found = store.blpop([key], timeout=20)
    return found[1] if found else ("nothing came", 504)


@app.get("/redis/push/<key>/<value>")
def redis_push(key, value):
    return str(store.rpush(key, value))


@app.get("/redis/pipeline/<key>")
def redis_pipeline(key):
    with store.pipeline() as pipe:
        pipe.set(key, "1").incr(key).get(key)
        return flask.jsonify(pipe.execute())


@app.get("/redis/subscribe/<channel>")
def redis_subscribe(channel):
    def messages():
        with store.pubsub() as subscription:
            subscription.subscribe(channel)
            for message in subscription.listen():
                if message["type"] == "subscribe":
                    yield "ready\n"
                elif message["data"] == "end":
                    return
                else:
                    yield message["data"] + "\n"

    return flask.Response(messages(), mimetype="text/plain")


@app.get("/redis/publish/<channel>/<message>")
def redis_publish(channel, message):
    return str(store.publish(channel, message))


@app.get("/postgres/sleep")
def postgres_sleep():
    connection = psycopg2.connect(DSN)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.3), 42")
            return str(cursor.fetchone()[1])
    finally:
        connection.close()


@app.get("/sqlalchemy/sleep")
def sqlalchemy_sleep():
    with engine.connect() as connection:
        return str(connection.execute(sqlalchemy.text("SELECT pg_backend_pid() FROM pg_sleep(0.1)")).scalar())


@app.get("/sqlalchemy/transfer/<int:amount>")
def sqlalchemy_transfer(amount):
    with engine.begin() as connection:
        connection.execute(
            sqlalchemy.text("UPDATE accounts SET balance = balance + :amount WHERE id = 1"), {"amount": amount}
        )
        if amount == 13:
            raise ValueError("on purpose")
        return "moved"
