# SPDX-License-Identifier: MIT
# Appended to bootstrap.py: gunicorn's server hooks (the setting `hooks`), and what they are called with.

import functools as _functools
import importlib.util as _importlib_util
import json as _json


class Settings:
    """Every setting by its name, such as cfg.workers: what gunicorn's hooks know as `cfg`."""

    def __init__(self, values):
        self.__dict__.update(values)
        self.settings = values

    def __getattr__(self, name):
        raise AttributeError(f"the server has no setting {name!r}")


class Log:
    """The error log, with the methods of a logger."""

    def __init__(self, write):
        self._write = write

    def log(self, level, message, *args, exc_info=None, **_):
        try:
            text = str(message) % args if args else str(message)
        except (TypeError, ValueError):
            # A line of the log must not break who writes it.
            text = f"{message} {args}"
        if exc_info:
            error = exc_info if isinstance(exc_info, BaseException) else sys.exc_info()[1]
            if error is not None:
                text += "\n" + describe(error)
        self._write(int(level), text)

    debug = _functools.partialmethod(log, 10)
    info = _functools.partialmethod(log, 20)
    warning = warn = _functools.partialmethod(log, 30)
    error = _functools.partialmethod(log, 40)
    critical = fatal = _functools.partialmethod(log, 50)

    def exception(self, message, *args, **named):
        self.log(40, message, *args, **{"exc_info": True} | named)


class Worker:
    def __init__(self, server, age):
        self.server, self.cfg, self.log, self.age = server, server.cfg, server.log, age
        self.ppid = server.pid
        self.pid = "[booting]"
        self.alive, self.booted, self.aborted = True, False, False
        self.nr = 0
        self.timeout = server.cfg.timeout
        self.max_requests = server.cfg.max_requests

    def __str__(self):
        return f"<Worker {self.pid}>"


class Server:
    """What gunicorn calls the arbiter: the master as hooks see it, in the master and in the workers."""

    def __init__(self, settings, hooks, write_log):
        self.cfg = Settings(_json.loads(settings))
        self.log = Log(write_log)
        self.pid = os.getpid()
        self.num_workers = self.cfg.workers
        self.address = self.cfg.bind
        self.proc_name = self.cfg.proc_name or self.cfg.app
        self.WORKERS = {}
        self.worker = None
        self.hooks = {name: _hook(name, spec) for name, spec in hooks.items()}

    def fire(self, name, *args):
        hook = self.hooks.get(name)
        if hook is not None:
            hook(*args)

    # in the master

    def before_fork(self, age):
        self.worker = Worker(self, age)
        self.fire("pre_fork", self, self.worker)

    def forked(self, pid):
        if pid > 0:
            self.worker.pid = pid
            self.WORKERS[pid] = self.worker
        self.worker = None

    def worker_ended(self, pid):
        worker = self.WORKERS.pop(pid, None)
        if worker is not None:
            worker.alive = False
            self.fire("child_exit", self, worker)

    def workers_changed(self, number, before):
        self.num_workers = number
        self.fire("nworkers_changed", self, number, before if before > 0 else None)

    # in a worker

    def in_worker(self, age):
        if self.worker is None:
            self.pid = os.getppid()
            self.worker = Worker(self, age)
        self.worker.pid = os.getpid()
        if "worker_abort" in self.hooks:
            tell_abort.hook = self._on_abort
            # The one that prints the stack goes first and passes the signal on to this one.
            faulthandler.disable()
            signal.signal(signal.SIGABRT, die_of_abort)
            tell_stacks.again()
        self.fire("post_fork", self, self.worker)

    def _on_abort(self):
        self.worker.aborted = True
        self.fire("worker_abort", self.worker)

    def booted(self):
        self.worker.booted = True
        self.fire("post_worker_init", self.worker)

    def interrupted(self):
        self.worker.alive = False
        self.fire("worker_int", self.worker)

    def ending(self):
        self.worker.alive = False
        self.fire("worker_exit", self, self.worker)

    def around(self, application, interface):
        """The application with pre_request and post_request around it, when there are such."""
        if not {"pre_request", "post_request"} & set(self.hooks):
            return application
        kind = _HookedASGI if interface == "ASGI" else _HookedWSGI
        return kind(application, self)


_files_of_hooks = {}


def _hook(name, spec):
    place, _, function = spec.rpartition(":")
    if place.startswith("/"):
        if place not in _files_of_hooks:
            found = _importlib_util.spec_from_file_location("__config__", place)
            module = _importlib_util.module_from_spec(found)
            # Not by its loader, which would leave a __pycache__ beside it.
            with open(place, "rb") as file:
                exec(compile(file.read(), place, "exec"), vars(module))
            _files_of_hooks[place] = module
        target = _files_of_hooks[place]
    else:
        target = importlib.import_module(place)
    for part in function.split("."):
        if not hasattr(target, part):
            raise AppNotFound(f"hooks: {name}: there is no {function!r} in {place}")
        target = getattr(target, part)
    if not callable(target):
        raise AppNotFound(f"hooks: {name}: {spec!r} is {_kind(target)}, which is not callable")
    return target


class Request:
    """What pre_request and post_request get of a request."""

    def __init__(self, method, path, query, version, headers, remote):
        self.method, self.path, self.query, self.version = method, path, query, version
        self.headers, self.remote_addr = headers, remote
        self.uri = f"{path}?{query}" if query else path
        self.fragment = ""
        self.scheme = "http"


class Response:
    """What post_request gets of a response."""

    def __init__(self):
        self.status, self.headers, self.sent = "", [], 0

    @property
    def status_code(self):
        return int(self.status.split(" ", 1)[0]) if self.status else 0

    @property
    def headers_sent(self):
        return bool(self.status)


def _request_of_environ(environ):
    headers = [
        (key[5:].replace("_", "-"), value) for key, value in environ.items() if key.startswith("HTTP_")
    ]
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            headers.append((key.replace("_", "-"), environ[key]))
    version = environ["SERVER_PROTOCOL"].rpartition("/")[2].split(".")
    request = Request(
        environ["REQUEST_METHOD"], environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""),
        environ.get("QUERY_STRING", ""), tuple(map(int, version)), headers,
        (environ.get("REMOTE_ADDR", ""), int(environ.get("REMOTE_PORT") or 0)),
    )
    request.scheme = environ["wsgi.url_scheme"]
    return request


class _Hooked:
    def __init__(self, application, server):
        self.application, self.server = application, server
        self.post = server.hooks.get("post_request")
        # gunicorn grew this hook's arguments one by one and still takes the older forms.
        self.count = 4
        if self.post is not None:
            try:
                parameters = inspect.signature(self.post).parameters.values()
                if not any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters):
                    self.count = len(parameters)
            except (TypeError, ValueError):
                pass

    def before(self, request):
        self.server.worker.nr += 1
        self.server.fire("pre_request", self.server.worker, request)

    def after(self, request, environ, response):
        if self.post is None:
            return
        try:
            self.post(*(self.server.worker, request, environ, response)[: self.count])
        except Exception:
            self.server.log.exception("Exception in post_request hook")


class _HookedWSGI(_Hooked):
    def __call__(self, environ, start_response):
        request, response = _request_of_environ(environ), Response()
        self.before(request)

        def start(status, headers, *exc_info):
            response.status, response.headers = status, headers
            write = start_response(status, headers, *exc_info)

            def counted(data):
                response.sent += len(data)
                return write(data)

            return counted

        try:
            body = self.application(environ, start)
        except BaseException:
            self.after(request, environ, response)
            raise
        if isinstance(body, (list, tuple)):
            # As it is: the server sees that it is whole, and tells its length.
            response.sent += sum(map(len, body))
            self.after(request, environ, response)
            return body
        return _HookedBody(body, self, request, environ, response)


class _HookedBody:
    def __init__(self, body, hooked, *told):
        self.body, self.hooked, self.told = body, hooked, told
        self.pieces = iter(body)

    def __iter__(self):
        return self

    def __next__(self):
        piece = next(self.pieces)
        self.told[2].sent += len(piece)
        return piece

    def close(self):
        try:
            if hasattr(self.body, "close"):
                self.body.close()
        finally:
            self.hooked.after(*self.told)


class _HookedASGI(_Hooked):
    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket"):
            return await self.application(scope, receive, send)
        headers = [(name.decode("latin-1").upper(), value.decode("latin-1")) for name, value in scope["headers"]]
        version = tuple(map(int, (scope["http_version"] + ".0").split(".")[:2]))
        request = Request(
            scope.get("method", "GET"), scope["path"], scope["query_string"].decode("latin-1"), version,
            headers, tuple(scope["client"] or ("", 0)),
        )
        request.scheme = scope["scheme"]
        response = Response()

        async def sending(message):
            if message["type"] == "http.response.start":
                response.status = str(message["status"])
                response.headers = [(name.decode("latin-1"), value.decode("latin-1"))
                                    for name, value in message.get("headers", ())]
            elif message["type"] == "http.response.body":
                response.sent += len(message.get("body", b""))
            await send(message)

        self.before(request)
        try:
            await self.application(scope, receive, sending)
        finally:
            environ = {
                "REQUEST_METHOD": request.method, "PATH_INFO": request.path, "QUERY_STRING": request.query,
                "REMOTE_ADDR": request.remote_addr[0],
                **{"HTTP_" + name.replace("-", "_"): value for name, value in headers},
            }
            self.after(request, environ, response)
