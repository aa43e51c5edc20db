# SPDX-License-Identifier: MIT
"""The floor law: a folder of src/ includes only folders of a smaller number, and outside libraries
stay on the floors that own them. Below src/python the same holds among its own folders."""

import posixpath

from lint import Finding, Tree, includes, is_cpp, lint_main

FLOORS = {
    "base": 0, "os": 1, "log": 1, "http": 1, "compress": 1, "settings": 2, "scoreboard": 2, "aio": 2, "tls": 2, "http2": 2,
    "master": 3, "app": 4, "worker": 5, "monitor": 6, "cli": 7, "python": 8,
}
# The floors within one: every file of src/python is in such a folder, and the one below stands for itself.
INNER = {
    "python": {
        "runtime": 0, "loop": 1, "wsgi": 2, "asgi": 2, "gevent": 2, "wsgi/greenlets": 3, "wsgi/threads": 3,
        "host": 4,
    },
}
# Library prefix -> floors that may name it. What is not listed may be used anywhere.
LIBRARIES = {
    "spdlog/": {"log"},
    "nlohmann/": {"settings", "tls", "monitor", "cli"},
    "CLI/": {"settings", "cli"},
    "Python.h": {"python"},
    "openssl/": {"tls"},
    "zlib.h": {"compress"},
    "brotli/": {"compress"},
    "zstd.h": {"compress"},
    "nghttp2/": {"http2"},
    "boost/beast": {"http", "aio", "worker"},
    "boost/asio": {"aio", "app", "worker", "monitor", "python", "cli"},
}
# Public headers must not cost their users these.
NOT_PUBLIC = ("boost/beast", "spdlog/", "nlohmann/json.hpp", "CLI/", "Python.h", "fmt/")
# What a floor must not get even through other headers: the master forks, and forks no event loop.
NEVER_REACHED = {"master": "boost/asio", "settings": "boost/asio", "http": "boost/asio"}


def floor_of(path: str) -> str | None:
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "src" and parts[1] in FLOORS else None


def may_include(user: str, used: str) -> bool:
    return user == used or FLOORS[used] < FLOORS[user]


def _inner_folder(path: str) -> str:
    """The folder of a file below its floor's own: "wsgi/threads" of src/python/wsgi/threads/a.cpp."""
    return "/".join(path.split("/")[2:-1])


def _check_inner(path: str, line: int, floor: str, name: str) -> list[Finding]:
    order = INNER[floor]
    user, used = _inner_folder(path), _inner_folder(f"src/{name}")
    if user not in order:
        return []  # found without its includes
    if used not in order:
        return [Finding(path, line, f"{name} is in no folder of {floor} that has a floor")]
    if user == used or order[used] < order[user]:
        return []
    return [Finding(path, line, f"{floor}/{user} (floor {order[user]} there) must not include {name}: "
                                f"{floor}/{used} is on floor {order[used]}")]


def _check_place(path: str) -> list[Finding]:
    floor = floor_of(path)
    if floor not in INNER or _inner_folder(path) in INNER[floor]:
        return []
    return [Finding(path, 1, f"stands in no folder of {floor} that has a floor")]


def _check_internal(path: str, line: int, name: str) -> list[Finding]:
    user, used = floor_of(path), name.split("/")[0]
    if user is None or used not in FLOORS:
        return []
    if user == used and user in INNER:
        return _check_inner(path, line, user, name)
    if may_include(user, used):
        return []
    return [Finding(path, line, f"{user} (floor {FLOORS[user]}) must not include {name}: "
                                f"{used} is on floor {FLOORS[used]}")]


def _check_library(path: str, line: int, name: str) -> list[Finding]:
    if path.startswith("include/unicoro/"):
        if name.startswith(NOT_PUBLIC):
            return [Finding(path, line, f"a public header must not include <{name}>")]
        return []
    user = floor_of(path)
    if user is None:
        return []
    for prefix, owners in LIBRARIES.items():
        if name.startswith(prefix) and user not in owners:
            allowed = ", ".join(sorted(owners))
            return [Finding(path, line, f"{user} must not include <{name}>: only {allowed} may")]
    return []


def _resolve(name: str, mark: str, tree: Tree) -> str | None:
    for folder in ("src", "include"):
        path = posixpath.join(folder, name)
        if path in tree and (mark == '"' or folder == "include"):
            return path
    return None


def _check_reach(path: str, tree: Tree) -> list[Finding]:
    """Follows the includes of one file through our own headers."""
    forbidden = NEVER_REACHED.get(floor_of(path) or "")
    if forbidden is None:
        return []
    waiting, seen = [(path, path)], {path}
    while waiting:
        at, way = waiting.pop()
        for _, mark, name in includes(tree[at]):
            if name.startswith(forbidden):
                return [Finding(path, 1, f"reaches <{name}>: {way}")]
            target = _resolve(name, mark, tree)
            if target and target not in seen:
                seen.add(target)
                waiting.append((target, f"{way} -> {target}"))
    return []


def check(tree: Tree) -> list[Finding]:
    findings = []
    for path, text in tree.items():
        if not is_cpp(path):
            continue
        findings += _check_place(path)
        for line, mark, name in includes(text):
            if mark == '"':
                findings += _check_internal(path, line, name)
            else:
                findings += _check_library(path, line, name)
        findings += _check_reach(path, tree)
    return findings


BAD = [
    ("src/log/a.cpp", '#include "os/unique_fd.hpp"\n', "log (floor 1) must not include"),
    ("src/http/a.hpp", '#include "settings/settings.hpp"\n', "settings is on floor 2"),
    ("src/master/a.cpp", '#include "worker/run.hpp"\n', "worker is on floor 5"),
    ("src/worker/a.cpp", '#include "python/plugin.hpp"\n', "python is on floor 8"),
    ("src/http/a.cpp", '#include "log/log.hpp"\n', "log is on floor 1"),
    ("src/python/runtime/a.cpp", '#include "python/loop/b.hpp"\n', "python/runtime (floor 0 there) must not"),
    ("src/python/wsgi/a.cpp", '#include "python/asgi/b.hpp"\n', "python/asgi is on floor 2"),
    ("src/python/wsgi/a.cpp", '#include "python/wsgi/threads/b.hpp"\n', "python/wsgi/threads is on floor 3"),
    ("src/python/wsgi/threads/a.cpp", '#include "python/wsgi/greenlets/b.hpp"\n', "is on floor 3"),
    ("src/python/gevent/a.cpp", '#include "python/host/b.hpp"\n', "python/host is on floor 4"),
    ("src/python/host/a.cpp", '#include "python/b.hpp"\n', "is in no folder of python"),
    ("src/python/a.hpp", "", "stands in no folder of python"),
    ("src/cli/a.cpp", '#include "python/runtime/b.hpp"\n', "python is on floor 8"),
    ("src/worker/a.cpp", "#include <spdlog/spdlog.h>\n", "only log may"),
    ("src/worker/a.cpp", "#include <nlohmann/json.hpp>\n", "only cli, monitor, settings, tls may"),
    ("src/master/a.cpp", "#include <boost/asio/io_context.hpp>\n", "master must not include"),
    ("src/master/a.cpp", "# include  <boost/asio.hpp>\n", "reaches <boost/asio.hpp>"),
    ("src/cli/a.cpp", "#include <Python.h>\n", "only python may"),
    ("include/unicoro/a.hpp", "#include <boost/beast/http.hpp>\n", "public header"),
    ("include/unicoro/a.hpp", "#include <spdlog/spdlog.h>\n", "public header"),
]
GOOD = [
    ("src/worker/a.cpp", '#include "worker/b.hpp"\n#include "app/host.hpp"\n'),
    ("src/python/host/a.cpp", '#include "python/wsgi/threads/b.hpp"\n#include "app/host.hpp"\n'),
    ("src/python/wsgi/threads/a.cpp", '#include "python/wsgi/b.hpp"\n#include "python/wsgi/threads/b.hpp"\n'),
    ("src/log/a.cpp", "#include <spdlog/logger.h>\n"),
    ("src/settings/a.hpp", '#include "http/policy.hpp"\n'),
    ("src/master/a.cpp", '// #include "worker/run.hpp"\n#include "os/fork.hpp"\n'),
    ("include/unicoro/a.hpp", "#include <boost/asio/awaitable.hpp>\n"),
    ("tests/unit/http/a_test.cpp", "#include <nlohmann/json.hpp>\n"),
]

if __name__ == "__main__":
    lint_main(check, BAD, GOOD)
