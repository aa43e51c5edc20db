# SPDX-License-Identifier: MIT
"""What a program sees of the interpreter that runs it, as JSON."""

import faulthandler
import json
import locale
import multiprocessing
import os
import signal
import site
import sys
import threading
import warnings


FLAGS = (
    "debug", "inspect", "interactive", "optimize", "dont_write_bytecode", "no_user_site", "no_site",
    "ignore_environment", "verbose", "bytes_warning", "quiet", "hash_randomization", "isolated", "dev_mode",
    "utf8_mode", "safe_path", "warn_default_encoding", "int_max_str_digits",
)


def text(pattern):
    return getattr(pattern, "pattern", pattern)


def seen():
    return {
        "executable": sys.executable,
        "prefixes": [sys.prefix, sys.base_prefix, sys.exec_prefix],
        "flags": {name: getattr(sys.flags, name) for name in FLAGS if hasattr(sys.flags, name)},
        "path": sys.path,
        "warnoptions": sys.warnoptions,
        "xoptions": sys._xoptions,
        "filters": [[each[0], text(each[1]), each[2].__name__, text(each[3])] for each in warnings.filters],
        "user site": [site.ENABLE_USER_SITE, site.getusersitepackages() in sys.path],
        "customized": sorted(name for name in ("sitecustomize", "usercustomize", "from_pth") if name in sys.modules),
        "variables": {name: value for name, value in os.environ.items() if name.startswith("PYTHON")},
        "faulthandler": faulthandler.is_enabled(),
        "hash": hash("a text"),
        "bytecode": [sys.dont_write_bytecode, sys.pycache_prefix],
        "encodings": [sys.getdefaultencoding(), sys.getfilesystemencoding(), locale.getpreferredencoding(False),
                      *(getattr(stream, name) for stream in (sys.stdout, sys.stderr) for name in ("encoding", "errors"))],
        "thread": [threading.current_thread() is threading.main_thread(), threading.main_thread().name],
        "limits": [sys.getrecursionlimit(), sys.getswitchinterval(), sys.get_int_max_str_digits()],
        "debug": [__debug__, sys.gettrace() is None, sys.getprofile() is None],
        "start method": multiprocessing.get_start_method(),
        "interrupt": signal.getsignal(signal.SIGINT) is not None,
        "name": [__name__, sys.modules["__main__"].__name__],
        "hooks": [sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__,
                  threading.excepthook is threading.__excepthook__, sys.breakpointhook is sys.__breakpointhook__],
        "argv": sys.argv[1:],
    }


def run_children(method):
    """Processes by one of the ways of multiprocessing, from a function of this module and from a pool."""
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=put, args=(queue,))
    process.start()
    got = queue.get(timeout=60)
    process.join(60)
    with context.Pool(2) as pool:
        numbers = pool.map(double, range(5))
    return {"put": got, "exit": process.exitcode, "pool": numbers}


def put(queue):
    queue.put(["from", __name__, sys.argv[1:], sys.flags.dev_mode])


def double(number):
    return number * 2


def app(environ, start_response):
    path = environ["PATH_INFO"]
    told = seen() if path == "/" else run_children(path[1:])
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]
