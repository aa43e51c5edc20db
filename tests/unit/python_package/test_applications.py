# SPDX-License-Identifier: MIT
"""From the name of an application to it, without a server."""

import importlib

import pytest

from _unicoro import AppNotFound, app_spec, loading, proposals, source_guess


@pytest.mark.parametrize(
    ("written", "path", "arguments"),
    [
        ("app", ["app"], None),
        ("site.app", ["site", "app"], None),
        ("make()", ["make"], ([], {})),
        ("pkg.make('a', debug=True)", ["pkg", "make"], (["a"], {"debug": True})),
    ],
)
def test_an_expression(written, path, arguments):
    assert app_spec.parse(written) == (path, arguments)


@pytest.mark.parametrize("written", ["", "1", "a b", "make(x)", "make(**{})", "a[0]", "make()()", "lambda: 1"])
def test_no_expression(written):
    with pytest.raises(AppNotFound):
        app_spec.parse(written)


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "asgi"),
    [
        ("async def app(scope, receive, send): ...", True),
        ("def app(environ, start_response): ...", False),
        ("from fastapi import FastAPI\napp = FastAPI()", True),
        ("import flask\napp = flask.Flask(__name__)", False),
        ("import starlette.applications as s\ndef make():\n    made = s.Starlette()\n    return made\napp = make()", True),
        ("class A:\n    async def __call__(self, *args): ...\napp = A()", True),
        ("class A: ...\nclass B(A): ...\napp = B()", False),
        ("app = app", False),
        ("def app(:", False),
        ("", False),
    ],
)
def test_what_the_source_says(site, text, asgi):
    (site / "guessed.py").write_text(text + "\n")
    assert source_guess.looks_like_asgi("guessed:app") is asgi


def test_a_module_that_hands_it_on(site):
    (site / "pack").mkdir()
    (site / "pack" / "__init__.py").write_text("from .inner import app\n")
    (site / "pack" / "inner.py").write_text("async def app(scope, receive, send): ...\n")
    assert source_guess.looks_like_asgi("pack:app")
    assert not source_guess.looks_like_asgi("pack.none:app")


def test_proposals_for_a_file(site):
    (site / "shop.py").write_text("def create_app(): ...\n")
    with pytest.raises(AppNotFound, match=r"Did you mean 'shop:create_app\(\)'\?"):
        proposals.explain_file("shop.py", None)
    assert proposals.names_a_file("./shop") and not proposals.names_a_file("shop")
    assert proposals.kind(1) == "an int" and proposals.kind({}) == "a dict"


def test_the_interface(site):
    (site / "loaded.py").write_text(
        "async def asgi(scope, receive, send): ...\n"
        "def wsgi(environ, start_response): ...\n"
        "def make(): return wsgi\n"
    )
    assert loading.load("loaded:asgi", "auto")[1] == "ASGI"
    assert loading.load("loaded:wsgi", "auto")[1] == "WSGI"
    assert loading.load("loaded:make()", "auto")[0] is loading.load("loaded:wsgi", "asgi")[0]
    with pytest.raises(AppNotFound, match=r"Did you mean 'loaded:make\(\)'"):
        loading.load("loaded:make", "auto")


def test_the_interpreter_is_named_after_an_import_error():
    try:
        try:
            importlib.import_module("no_such_module")
        except ImportError as error:
            raise RuntimeError from error
    except RuntimeError as error:
        assert "--python names another interpreter" in loading.which_python(error)
    assert loading.which_python(ValueError()) == ""
