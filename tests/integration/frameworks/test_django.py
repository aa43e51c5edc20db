# SPDX-License-Identifier: MIT
"""Django under every way to run WSGI, and as ASGI."""

import hashlib
import os
import re
import time

import pytest

import django_project
from conftest import WORKERS
from harness.waiting import wait_until

WAYS = {worker: (worker, "django_wsgi") for worker in WORKERS} | {"asgi": ("async", "django_asgi")}


@pytest.fixture(scope="module", params=WAYS)
def site(request, serve, tmp_path_factory):
    worker, module = WAYS[request.param]
    env = django_project.set_up(tmp_path_factory.mktemp("django"))
    server = serve(worker, f"{module}:application", folder=django_project.SITE, env=env)
    server.way = request.param
    return server


def test_orm(site, browser):
    client = browser(site)
    assert client.get("/").text == "Hello from Django\n"
    made = [
        client.post("/notes/", json={"title": f"note {number}", "tags": ["all", f"tag{number}"]})
        for number in range(3)
    ]
    assert [answer.status_code for answer in made] == [201] * 3
    assert client.get("/notes/?tag=all").json()["count"] == 3
    only = client.get("/notes/?tag=tag1").json()["notes"]
    assert [note["title"] for note in only] == ["note 1"]
    assert client.get(f"/notes/{only[0]['id']}/").json() == only[0]
    assert client.get("/notes/9999/").status_code == 404


def test_transaction_is_rolled_back(site, browser):
    site.allow("Traceback")
    client = browser(site)
    before = client.get("/notes/").json()["count"]
    assert client.post("/notes/all_or_nothing/").status_code == 500
    assert client.get("/notes/").json()["count"] == before


def test_csrf(site, browser):
    client = browser(site)
    page = client.get("/form/")
    assert 'value="a &amp; b"' in page.text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    assert client.post("/form/", data={"title": "x"}).status_code == 403
    answer = client.post("/form/", data={"title": "Größe", "csrfmiddlewaretoken": token})
    assert (answer.status_code, answer.text) == (200, "title is Größe")


def test_upload_and_download(site, browser):
    client = browser(site)
    for size, kept_in in ((1000, "InMemoryUploadedFile"), (3_000_000, "TemporaryUploadedFile")):
        content = os.urandom(size)
        files = {"file": (f"{size}.bin", content)}
        answer = client.post("/upload/", data={"title": "with a file"}, files=files)
        assert answer.status_code == 200
        seen = answer.json()["file"]
        assert (seen["by"], seen["size"]) == (kept_in, size)
        assert seen["sha256"] == hashlib.sha256(content).hexdigest()
        assert client.get("/download/" + seen["stored"]).content == content


def test_streaming(site, browser):
    client = browser(site)
    # Under the other interface Django collects the pieces of a foreign kind of iterator first, with a
    # warning; it works all the same.
    for path in ("/stream/", "/async/stream/"):
        with client.stream("GET", path + "?rows=200") as answer:
            # What an ASGI application has sent by the time the first piece leaves goes out as a whole.
            assert site.way == "asgi" or answer.headers["Transfer-Encoding"] == "chunked"
            assert list(answer.iter_lines()) == [f"row {number}" for number in range(200)]


def test_session(site, browser):
    client = browser(site)
    assert [client.get("/visits/").json()["visits"] for _ in range(3)] == [1, 2, 3]
    assert browser(site).get("/visits/").json() == {"visits": 1}


def test_admin(site, browser):
    client = browser(site, follow_redirects=True)
    page = client.get("/admin/")
    assert "Log in | Django site admin" in page.text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    fields = django_project.ADMIN | {"csrfmiddlewaretoken": token, "next": "/admin/notes/note/"}
    listed = client.post("/admin/login/", data=fields)
    assert listed.status_code == 200
    assert "Select note to change" in listed.text
    assert client.get("/admin/notes/note/add/").status_code == 200


def test_every_request_is_finished(site, browser):
    """Django closes its connections on the signal that close() of the response sends."""
    client = browser(site)
    before = client.get("/finished/").json()["finished"]
    for _ in range(5):
        client.get("/stream/")
        client.get("/notes/")
    wait_until(
        lambda: client.get("/finished/").json()["finished"] >= before + 10, "request_finished was sent"
    )


def test_errors(site, browser):
    site.allow("Traceback")
    client = browser(site)
    assert client.get("/boom/").status_code == 500
    assert client.get("/missing/").status_code == 404
    assert client.get("/", headers={"Host": "elsewhere.example"}).status_code == 400
    site.wait_log("ValueError: on purpose")


def test_async_views(site, browser):
    client = browser(site)
    for turn in range(3):
        assert client.get("/async/").json() == {"gathered": [1, 2, 3]}
        assert client.get(f"/async/notes/?title=t{turn}").json() == {"titles": [f"t{turn}"]}


def test_many_at_once(site, browser):
    """One after the other they would take 10 s."""
    if site.way not in ("async", "gthread"):
        pytest.skip("blocking views of Django run one after the other here")
    clients = [site.client() for _ in range(50)]
    begin = time.monotonic()
    for client in clients:
        client.request("/sleep/?seconds=0.2")
    answers = [client.response() for client in clients]
    for client in clients:
        client.close()
    assert [answer.status for answer in answers] == [200] * 50
    assert time.monotonic() - begin < 5


def test_client_that_leaves_cancels_the_view(site, browser):
    if site.way != "asgi":
        pytest.skip("WSGI does not tell applications that the client has left")
    watcher = browser(site)

    def told(what):
        return watcher.get("/async/cancelled/").json()[what]

    with site.client() as client:
        client.request("/async/wait/?who=leaver")
        wait_until(lambda: told("waiting") == ["leaver"], "the view waits")
    wait_until(lambda: told("cancelled") == ["leaver"], "the view is cancelled")
