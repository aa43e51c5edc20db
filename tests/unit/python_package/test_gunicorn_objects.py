# SPDX-License-Identifier: MIT
"""What code that was written for gunicorn finds of it."""

import importlib
import io
import logging

import pytest

from _unicoro import gunicorn_names, server_log, server_settings, settings_file, stacks
from _unicoro.gunicorn_objects import Request, Response
from _unicoro.hooked import HookedWSGI


class Server:
    def __init__(self):
        self.calls, self.hooks, self.worker = [], {"post_request": self.post}, self
        self.nr = 0

    def fire(self, name, *args):
        self.calls.append((name, args[1].path))

    def post(self, worker, request, environ, response):
        self.calls.append(("post_request", request.path, response.status_code, response.sent))


ENVIRON = {
    "REQUEST_METHOD": "GET", "PATH_INFO": "/a", "QUERY_STRING": "b=1", "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "REMOTE_ADDR": "127.0.0.1", "HTTP_X_A": "1",
}


@pytest.mark.parametrize("body", [[b"12", b"345"], iter([b"12", b"345"])])
def test_hooks_around_a_call(body):
    server = Server()

    def application(environ, start_response):
        start_response("201 Created", [("X-A", "1")])
        return body

    hooked = HookedWSGI(application, server)
    answer = hooked(ENVIRON, lambda *_: None)
    assert b"".join(answer) == b"12345"
    if hasattr(answer, "close"):
        answer.close()
    assert server.calls == [("pre_request", "/a"), ("post_request", "/a", 201, 5)]


def test_what_is_not_there_is_said():
    request = Request("GET", "/", "", (1, 0), [("CONNECTION", "close")], ("::1", 1))
    assert request.should_close() and Response(request).should_close()
    with pytest.raises(AttributeError, match=r"Request has no 'unreader' here: docs/migration\.md"):
        request.unreader


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("unix:/run/a", "/run/a"), ("unix:///run/a", "/run/a"), ("fd://3", 3), ("[::1]:80", ("::1", 80)),
        ("tcp://Host:1", ("host", 1)), ("host", ("host", 8000)), (":90", ("0.0.0.0", 90)),
    ],
)
def test_addresses(written, address):
    assert server_settings._address(written) == address


def test_names_stand_in_and_go():
    server_log.provide()
    with gunicorn_names.standing_in():
        from gunicorn.glogging import Logger
        from gunicorn.workers.ggevent import GeventWorker

        assert Logger is server_log.Logger and GeventWorker.__mro__[1].__name__ == "AsyncWorker"
    with pytest.raises(ImportError):
        importlib.import_module("gunicorn.glogging")


def test_atoms():
    atoms = server_log.Atoms({"h": 'a"\n', "{x}i": "1"})
    assert (atoms["h"], atoms["{X}i"], atoms["none"], atoms.changed) == ('a\\"\\x0a', "1", "-", False)
    atoms["h"] = "b"
    assert atoms.changed


def test_a_logging_dictionary_over_the_defaults():
    whole = server_log.over_defaults({"handlers": {"error_console": {"class": "logging.NullHandler"}}})
    assert whole["root"]["handlers"] == []
    assert whole["loggers"]["gunicorn.error"]["handlers"] == ["error_console"]
    assert server_log.LogHandler(io.StringIO()).is_as_made() is False
    assert isinstance(logging.getLogger("gunicorn.error"), logging.Logger)


@pytest.mark.parametrize(
    ("value", "told"),
    [(True, True), ((1, "a"), [1, "a"]), ({1: {2}}, {"1": [2]}), (1.5, 1.5)],
)
def test_values_as_json(value, told):
    assert settings_file.plain(value) == told


@pytest.mark.parametrize("value", [float("inf"), float("nan"), object(), [print]])
def test_values_that_json_cannot_have(value):
    with pytest.raises(TypeError):
        settings_file.plain(value)


def test_how_variables_come_to_their_values(tmp_path):
    file = tmp_path / "conf.py"
    file.write_text("import os\na = 1\nb = os.cpu_count() * 2\nif a:\n    c = 1\na += 1\nfrom x import d\n")
    found = settings_file.computed(str(file))
    assert found == {
        "os": "it is imported", "a": "it is changed by Add", "b": "os.cpu_count() * 2",
        "c": "it depends on a condition", "d": "it is imported",
    }


def test_changes_of_the_environment():
    assert settings_file.changes({"a": "1", "b": "2"}, {"a": "1", "c": "3"}) == ({"c": "3"}, ["b"])


def test_a_traceback_begins_with_the_application():
    code = compile("def call(inner):\n    inner()\n", "<unicoro>/probe.py", "exec")
    ours = {}
    exec(code, ours)

    def fails():
        raise ValueError("here")

    try:
        ours["call"](fails)
    except ValueError as error:
        # pytest's own frame is the first one.
        error.__traceback__ = error.__traceback__.tb_next
        text = stacks.describe(error)
    assert "<unicoro>" not in text and "in fails" in text
    try:
        ours["call"](None)
    except TypeError as error:
        error.__traceback__ = error.__traceback__.tb_next
        assert 'File "<unicoro>/probe.py", line 2, in call' in stacks.describe(error)
