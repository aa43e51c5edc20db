# SPDX-License-Identifier: MIT
"""What a settings file of gunicorn may import of it and its kin where they are not installed. Only names:
nothing of them runs here.
"""

import contextlib
import importlib.machinery
import sys

# By module: classes and what each is derived from, attributes and their values.
_CLASSES = {
    "gunicorn.arbiter": {"Arbiter": None},
    "gunicorn.config": {"Config": None},
    "gunicorn.errors": {"HaltServer": "builtins.Exception", "ConfigError": "builtins.Exception"},
    "gunicorn.http": {"Request": None},
    "gunicorn.http.message": {"Request": None},
    "gunicorn.http.wsgi": {"Response": None},
    "gunicorn.workers.base": {"Worker": None},
    "gunicorn.workers.base_async": {"AsyncWorker": "gunicorn.workers.base.Worker"},
    "gunicorn.workers.sync": {"SyncWorker": "gunicorn.workers.base.Worker"},
    "gunicorn.workers.gthread": {"ThreadWorker": "gunicorn.workers.base.Worker"},
    "gunicorn.workers.ggevent": {
        "GeventWorker": "gunicorn.workers.base_async.AsyncWorker",
        "GeventPyWSGIWorker": "gunicorn.workers.ggevent.GeventWorker",
        "PyWSGIHandler": None,
        "PyWSGIServer": None,
    },
    "gunicorn.workers.geventlet": {"EventletWorker": "gunicorn.workers.base_async.AsyncWorker"},
    "gunicorn.workers.gasgi": {"ASGIWorker": "gunicorn.workers.base.Worker"},
    "gunicorn.workers.gtornado": {"TornadoWorker": "gunicorn.workers.base.Worker"},
    "uvicorn.workers": {
        "UvicornWorker": "gunicorn.workers.base.Worker",
        "UvicornH11Worker": "uvicorn.workers.UvicornWorker",
    },
    "uvicorn_worker": {
        "UvicornWorker": "gunicorn.workers.base.Worker",
        "UvicornH11Worker": "uvicorn_worker.UvicornWorker",
    },
    "geventwebsocket.gunicorn.workers": {
        "GeventWebSocketWorker": "gunicorn.workers.ggevent.GeventPyWSGIWorker",
    },
}
_VALUES = {
    "gunicorn": {
        "__version__": "26.1.0", "version_info": (26, 1, 0),
        "SERVER": "gunicorn", "SERVER_SOFTWARE": "gunicorn/26.1.0",
    },
    # Logger and its like are put there by server_log.
    "gunicorn.glogging": {},
    "gunicorn.workers": {
        "SUPPORTED_WORKERS": {
            "sync": "gunicorn.workers.sync.SyncWorker",
            "gthread": "gunicorn.workers.gthread.ThreadWorker",
            "gevent": "gunicorn.workers.ggevent.GeventWorker",
            "asgi": "gunicorn.workers.gasgi.ASGIWorker",
        },
    },
    "uvicorn": {},
    "geventwebsocket": {},
    "geventwebsocket.gunicorn": {},
}
_ATTRIBUTES = {
    "UvicornWorker": {"CONFIG_KWARGS": {"loop": "auto", "http": "auto"}},
    "UvicornH11Worker": {"CONFIG_KWARGS": {"loop": "asyncio", "http": "h11"}},
}


def provide(module, values):
    """What else is to be found in one of these modules."""
    _VALUES[module].update(values)


class Names:
    """Finds them after everything else, so that an installed package is what is imported."""

    modules = {}
    depth = 0

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name not in _CLASSES and name not in _VALUES:
            return None
        is_package = any(each.startswith(name + ".") for each in (*_CLASSES, *_VALUES))
        return importlib.machinery.ModuleSpec(name, cls, is_package=is_package)

    @classmethod
    def create_module(cls, spec):
        return cls.modules.get(spec.name)

    @classmethod
    def exec_module(cls, module):
        name = module.__name__
        if name in cls.modules:
            return
        cls.modules[name] = module
        vars(module).update(_VALUES.get(name, {}))
        for kind, base in _CLASSES.get(name, {}).items():
            setattr(module, kind, cls.make(name, kind, base))

    @staticmethod
    def make(module, name, base):
        bases = ()
        if base is not None:
            place, _, base = base.rpartition(".")
            # One of this module is there already.
            bases = (getattr(sys.modules.get(place) or importlib.import_module(place), base),)
        return type(name, bases, {"__module__": module, **_ATTRIBUTES.get(name, {})})


@contextlib.contextmanager
def standing_in():
    """Within, the names can be imported. Afterwards they cannot: applications look whether gunicorn is there."""
    if Names.depth == 0:
        sys.meta_path.append(Names)
        for name, module in Names.modules.items():
            sys.modules.setdefault(name, module)
    Names.depth += 1
    try:
        yield
    finally:
        Names.depth -= 1
        if Names.depth == 0:
            sys.meta_path.remove(Names)
            for name, module in Names.modules.items():
                if sys.modules.get(name) is module:
                    del sys.modules[name]
